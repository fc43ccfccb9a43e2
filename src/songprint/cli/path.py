"""``songprint path``: songs that lead from one to another in even steps."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import complain
from songprint.cli.wishes import (
    ArtistCap,
    BeatWeight,
    GenreWeight,
    IntensityWeight,
    M3u,
    RhythmWeight,
    TimbreWeight,
    weights_of,
)

EXAMPLES = """\b
Examples:
  songprint path lullaby.mp3 thrash.mp3
  songprint path lullaby.mp3 thrash.mp3 --length 20 --m3u ascent.m3u8
  songprint path "so what" "blue in green" --intensity 1 --json

\b
The percentage says how far along the way a song is: 0% sounds like the first,
100% like the last.
"""


def path(
    start: Annotated[str, typer.Argument(metavar="FROM", help="A song.", show_default=False)],
    end: Annotated[str, typer.Argument(metavar="TO", help="A song.", show_default=False)],
    length: Annotated[
        int, typer.Option(min=1, max=200, metavar="N", help="How many songs lie between.")
    ] = 10,
    beat: BeatWeight = None,
    intensity: IntensityWeight = None,
    rhythm: RhythmWeight = None,
    timbre: TimbreWeight = None,
    genre: GenreWeight = None,
    artist_cap: ArtistCap = 1,
    m3u: M3u = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Find songs that lead from one song to another in even steps."""
    from songprint.cli.asked import Shelf, joined
    from songprint.cli.listing import named_document, print_document, print_songs, song_document
    from songprint.cli.m3u import write_playlist
    from songprint.kinship.explain import say_why
    from songprint.kinship.path import travel

    weights = weights_of(beat, intensity, rhythm, timbre, genre)
    writer = write_playlist(m3u)
    shelf = Shelf(library)
    named = [shelf.find(start), shelf.find(end)]
    ends = joined([one.song for one in named])
    found = travel(shelf.kinship, ends, length, weights, artist_cap=artist_cap)
    for remark in found.remarks:
        complain(remark)
    catalogue = shelf.catalogue
    rows = [step.row for step in found.steps]
    writer(catalogue, [row for row in (named[0].row, *rows, named[1].row) if row is not None], None)
    songs = [ends.take([0]), *(catalogue.take([row]) for row in rows), ends.take([1])]
    because = [say_why(before, song) for before, song in pairwise(songs)]
    if as_json:
        steps = [
            {
                **song_document(catalogue, step.row),
                "progress": round(step.progress, 4),
                "detour": round(step.detour, 4),
                "because": why,
            }
            for step, why in zip(found.steps, because, strict=False)
        ]
        print_document(
            {
                "from": named_document(named[0]),
                "to": named_document(named[1]),
                "distance": round(found.distance, 4),
                "results": steps,
                "remarks": found.remarks,
                "m3u": str(m3u) if m3u is not None else None,
            }
        )
        return
    print_songs(ends, [(0, "  0%", "")])
    print_songs(
        catalogue,
        (
            (step.row, f"{100 * step.progress:3.0f}%", why)
            for step, why in zip(found.steps, because, strict=False)
        ),
    )
    print_songs(ends, [(1, "100%", because[-1])])
