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
    from songprint.kinship.words import Wish
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

MOST_NEAREST = 10
"""Songs that are named where none fits all of the words."""


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
    found = _Found(shelf, wish, count)
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


class _Found:
    """The songs that fit a wish or, where none fits all of it, those that fit most of it.

    Attributes
    ----------
    fitting : int
        How many songs fit.
    rows : list of int
        The best of them, or those that are nearest to it.
    fit : ndarray [shape=(n,)]
        How well each song fits; of the nearest, the mean over the words.
    remarks : list of str
        What a listener should know.
    """

    def __init__(self, shelf: Shelf, wish: Wish, count: int) -> None:
        import numpy as np

        from songprint.kinship.reference import load_reference
        from songprint.kinship.words import FITS, fits, fits_of_each

        catalogue, reference = shelf.catalogue, load_reference()
        self.remarks: list[str] = []
        self.fit = fits(wish.terms, catalogue, reference)
        self._words = [*map(str, wish.terms), *([wish.text] if wish.text else [])]
        each = fits_of_each(wish.terms, catalogue, reference)
        if wish.text:
            named = [song.content_hash for song in shelf.library.find(text=wish.text)]
            has_text = np.isin(catalogue.hashes, named)
            if not has_text.any():
                self.remarks.append(
                    f'no song has "{wish.text}" in its title, artist, album or path'
                )
            self.fit = np.where(has_text, self.fit, 0.0)
            each = np.vstack([each, has_text])
        self._lacking = each < FITS
        self.fitting = int((self.fit > 0).sum())
        if not self.fitting:
            self.fit = np.where(self._lacking.all(axis=0), 0.0, each.mean(axis=0))
            count = min(count, MOST_NEAREST)
        order = np.argsort(-self.fit, kind="stable")
        self.rows: list[int] = order[: min(count, int((self.fit > 0).sum()))].tolist()
        if self.rows and not self.fitting:
            self.remarks.append("no song fits all of this; the nearest are")
        elif not self.rows and not self.remarks:
            self.remarks.append("no song fits any of this")

    def lacks(self, row: int) -> list[str]:
        """Return the words that a song does not fit."""
        return [
            word for word, lacks in zip(self._words, self._lacking[:, row], strict=True) if lacks
        ]
