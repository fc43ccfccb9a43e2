"""``songprint find``: songs that words fit, heard in the audio or written in the tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import complain, printable
from songprint.cli.wishes import M3u
from songprint.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from songprint.cli.asked import Shelf
    from songprint.kinship.words import Finding, Wish
    from songprint.library.catalogue import Catalogue

EXAMPLES = """\b
Examples:
  songprint find "calm piano, 90s"
  songprint find "fast techno without voice 130 bpm" -k 50 --m3u run.m3u8
  songprint find "sad violin in A minor" --json
  songprint find "miles davis slow"

\b
Heard are genres, decades, moods, styles, instruments and voices, tempo ("130 bpm"),
key ("A minor"), and: loud, quiet, calm, energetic, fast, slow, busy, sparse, bright,
dark, percussive, sustained, rough, smooth, dynamic, even, steady, flowing, swinging,
danceable, wide. "no", "not" and "without" turn a word round. Other words must stand in
the title, artist, album or path. A song fits that has more of every word than most do;
where none fits all of them, those that fit most of them are named, and what they lack.
"""


def find(
    words: Annotated[
        list[str], typer.Argument(metavar="WORDS", help="What to find.", show_default=False)
    ],
    count: Annotated[
        int, typer.Option("-k", "--count", min=1, metavar="N", help="How many songs.")
    ] = 25,
    m3u: M3u = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Find songs by words for how they sound, and words in their tags."""
    from songprint.cli.asked import Shelf
    from songprint.cli.listing import percent, print_document, print_songs, song_document
    from songprint.cli.m3u import write_playlist
    from songprint.kinship.words import understand

    writer = write_playlist(m3u)
    shelf = Shelf(library)
    catalogue = shelf.catalogue
    wish = understand(" ".join(words), catalogue)
    if not wish.terms and not wish.text:
        raise UsageError("name what to find, such as: calm piano")
    found = _find(shelf, wish, count)
    for remark in found.remarks:
        complain(remark)
    writer(catalogue, _each_once(catalogue, found.rows), " ".join(words))
    if as_json:
        print_document(
            {
                "heard": [
                    {"kind": term.kind, "name": term.name, "wanted": term.wanted}
                    for term in wish.terms
                ],
                "text": wish.text,
                "found": found.fitting,
                "results": [
                    {
                        **song_document(catalogue, row),
                        "fit": round(float(found.fit[row]), 4),
                        "lacks": found.lacks(row),
                    }
                    for row in found.rows
                ],
                "remarks": found.remarks,
                "m3u": str(m3u) if m3u is not None else None,
            }
        )
        return
    told = (
        (row, percent(found.fit[row]), f"lacks: {printable(', '.join(lacks))}" if lacks else "")
        for row in found.rows
        for lacks in [found.lacks(row)]
    )
    print_songs(catalogue, told)


def _each_once(catalogue: Catalogue, rows: Sequence[int]) -> list[int]:
    """Return the songs of a playlist: of what is known to be one recording only the first."""
    once: list[int] = []
    seen: set[int] = set()
    for row in rows:
        recording = int(catalogue.recordings[row])
        if recording not in seen:
            once.append(row)
        if recording:
            seen.add(recording)
    return once


def _find(shelf: Shelf, wish: Wish, count: int) -> Finding:
    import numpy as np

    from songprint.kinship.reference import load_reference
    from songprint.kinship.words import find

    named = None
    if wish.text:
        songs = [song.content_hash for song in shelf.library.find(text=wish.text)]
        named = np.isin(shelf.catalogue.hashes, songs)
    return find(wish, shelf.catalogue, load_reference(), count, named=named)
