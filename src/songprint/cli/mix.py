"""``songprint mix``: songs like some and unlike others."""

from __future__ import annotations

from typing import Annotated

import typer

from songprint.cli.options import LibraryOption
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
  songprint mix --add strings.mp3 --add techno.mp3
  songprint mix --add ballad.mp3 --subtract opera.mp3 -k 25 --m3u ballads.m3u8
  songprint mix --add one.mp3 --subtract two.mp3 --json
"""


def mix(
    add: Annotated[
        list[str],
        typer.Option(metavar="SONG", help="Like this song; may be repeated.", show_default=False),
    ],
    subtract: Annotated[
        list[str] | None,
        typer.Option(metavar="SONG", help="Unlike this song; may be repeated."),
    ] = None,
    count: Annotated[
        int, typer.Option("-k", "--count", min=1, metavar="N", help="How many songs.")
    ] = 10,
    beat: BeatWeight = None,
    intensity: IntensityWeight = None,
    rhythm: RhythmWeight = None,
    timbre: TimbreWeight = None,
    genre: GenreWeight = None,
    artist_cap: ArtistCap = 2,
    m3u: M3u = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Find songs between those added, away from those subtracted."""
    from songprint.cli.asked import Shelf
    from songprint.cli.listing import (
        named_document,
        neighbour_document,
        percent,
        print_document,
        print_songs,
    )
    from songprint.cli.m3u import write_playlist
    from songprint.kinship.explain import say_why
    from songprint.kinship.mix import mix as mixed

    weights = weights_of(beat, intensity, rhythm, timbre, genre)
    writer = write_playlist(m3u)
    shelf = Shelf(library)
    added, wanted = shelf.find_all(add)
    taken, unwanted = shelf.find_all(subtract) if subtract else ([], None)
    catalogue = shelf.catalogue
    found = mixed(shelf.kinship, wanted, unwanted, count, weights, artist_cap=artist_cap)
    writer(catalogue, [near.row for near in found], None)
    because = [say_why(added[0].song, catalogue.take([near.row])) for near in found]
    if as_json:
        print_document(
            {
                "add": [named_document(one) for one in added],
                "subtract": [named_document(one) for one in taken],
                "results": [
                    neighbour_document(catalogue, near, why)
                    for near, why in zip(found, because, strict=True)
                ],
                "m3u": str(m3u) if m3u is not None else None,
            }
        )
        return
    print_songs(catalogue, ((near.row, percent(near.kinship), "") for near in found))
