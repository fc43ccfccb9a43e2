"""``songprint find``: songs that words fit, heard in the audio or written in the tags."""

from __future__ import annotations

from typing import Annotated

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import complain
from songprint.cli.wishes import M3u
from songprint.errors import UsageError

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
the title, artist, album or path. A song fits that has more of every word than most do.
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
    import numpy as np

    from songprint.cli.asked import Shelf
    from songprint.cli.listing import percent, print_document, print_songs, song_document
    from songprint.cli.m3u import write_playlist
    from songprint.kinship.reference import load_reference
    from songprint.kinship.words import fits, understand

    writer = write_playlist(m3u)
    shelf = Shelf(library)
    catalogue = shelf.catalogue
    wish = understand(" ".join(words), catalogue)
    if not wish.terms and not wish.text:
        raise UsageError("name what to find, such as: calm piano")
    fit = fits(wish.terms, catalogue, load_reference())
    remarks = []
    if wish.text:
        found = [song.content_hash for song in shelf.library.find(text=wish.text)]
        named = np.isin(catalogue.hashes, found)
        if not named.any():
            remarks.append(f'no song has "{wish.text}" in its title, artist, album or path')
        fit = np.where(named, fit, 0.0)
    rows = np.argsort(-fit, kind="stable")[: min(count, int((fit > 0).sum()))].tolist()
    if not rows and not remarks:
        remarks.append("no song fits all of this")
    for remark in remarks:
        complain(remark)
    writer(catalogue, rows, " ".join(words))
    if as_json:
        print_document(
            {
                "heard": [
                    {"kind": term.kind, "name": term.name, "wanted": term.wanted}
                    for term in wish.terms
                ],
                "text": wish.text,
                "found": int((fit > 0).sum()),
                "results": [
                    {**song_document(catalogue, row), "fit": round(float(fit[row]), 4)}
                    for row in rows
                ],
                "remarks": remarks,
                "m3u": str(m3u) if m3u is not None else None,
            }
        )
        return
    print_songs(catalogue, ((row, percent(fit[row]), "") for row in rows))
