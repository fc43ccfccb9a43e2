"""``songprint similar``: the songs of the library nearest to a song, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.wishes import (
    ArtistCap,
    BeatWeight,
    GenreWeight,
    IntensityWeight,
    RhythmWeight,
    TimbreWeight,
    weights_of,
)

EXAMPLES = """\b
Examples:
  songprint similar song.mp3
  songprint similar song.mp3 -k 25 --artist-cap 1 --why
  songprint similar "so what" --beat 1 --genre 0.5
  songprint similar --json not-in-the-library.flac > kin.json
  songprint similar --on-disk --library /huge song.mp3

\b
SONG is a file, in the library or not, or words that mean one song of the library.
Kinship is 100% for the same song and 50% for one as near as the ten nearest
songs usually are. Weights say what the distance is made of: a part with twice
the weight counts twice. --on-disk judges the thousand songs nearest under the
default weights; the less genre weighs, the more of the nearest it misses.
"""


def similar(
    song: Annotated[str, typer.Argument(metavar="SONG", help="A song.", show_default=False)],
    count: Annotated[
        int, typer.Option("-k", "--count", min=1, metavar="N", help="How many songs.")
    ] = 10,
    beat: BeatWeight = None,
    intensity: IntensityWeight = None,
    rhythm: RhythmWeight = None,
    timbre: TimbreWeight = None,
    genre: GenreWeight = None,
    artist_cap: ArtistCap = 0,
    other_artists: Annotated[
        bool, typer.Option("--other-artists", help="Leave out the song's own artist.")
    ] = False,
    numbers: Annotated[
        bool, typer.Option("--why", help="Show what each part contributes to the distance.")
    ] = False,
    on_disk: Annotated[
        bool,
        typer.Option(
            "--on-disk", help="Seek in an index on the disk, for a library larger than memory."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Find the songs nearest to a song, with the reasons."""
    from songprint.cli.asked import DiskShelf, Shelf
    from songprint.cli.listing import (
        named_document,
        neighbour_document,
        percent,
        print_document,
        print_songs,
    )
    from songprint.kinship.explain import say_why

    weights = weights_of(beat, intensity, rhythm, timbre, genre)
    shelf = DiskShelf(library, song) if on_disk else Shelf(library)
    seed = shelf.find(song)
    catalogue = shelf.catalogue
    found = shelf.kinship.neighbours(
        seed.song if seed.row is None else seed.row,
        count,
        weights,
        artist_cap=artist_cap or None,
        other_artists=other_artists,
    )
    because = [say_why(seed.song, catalogue.take([near.row])) for near in found]
    if as_json:
        results = [
            neighbour_document(catalogue, near, why)
            for near, why in zip(found, because, strict=True)
        ]
        print_document({"seed": named_document(seed), "results": results})
        return
    if numbers:
        because = [
            f"{why}\n{near.distance:.2f} = "
            + " + ".join(f"{value:.2f} {part}" for part, value in near.why.items())
            for near, why in zip(found, because, strict=True)
        ]
    print_songs(
        catalogue,
        ((near.row, percent(near.kinship), why) for near, why in zip(found, because, strict=True)),
    )
