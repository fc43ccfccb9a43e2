"""``songprint cluster``: playlists that the library itself suggests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import complain, printable
from songprint.cli.wishes import (
    ArtistCap,
    BeatWeight,
    GenreWeight,
    IntensityWeight,
    RhythmWeight,
    TimbreWeight,
    weights_of,
)
from songprint.errors import UsageError

if TYPE_CHECKING:
    from songprint.kinship.clusters import Cluster
    from songprint.library.catalogue import Catalogue

EXAMPLES = """\b
Examples:
  songprint cluster
  songprint cluster --count 20 --length 50 --m3u-folder playlists
  songprint cluster --beat 1 --genre 0.2 --json

\b
The same library gives the same playlists. A playlist is named by what most of its
songs share; those whose songs lie closest together come first.
"""


def cluster(
    count: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="How many parts.  [default: by the library's size, 40 at most]"
        ),
    ] = None,
    length: Annotated[
        int, typer.Option(min=1, metavar="N", help="The most songs of a playlist.")
    ] = 25,
    beat: BeatWeight = None,
    intensity: IntensityWeight = None,
    rhythm: RhythmWeight = None,
    timbre: TimbreWeight = None,
    genre: GenreWeight = None,
    artist_cap: ArtistCap = 3,
    m3u_folder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write a playlist for each; the folder is made."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Suggest playlists of songs that lie together, with names."""
    from songprint.cli.asked import Shelf
    from songprint.cli.listing import print_document, print_songs, song_document
    from songprint.kinship.clusters import FEWEST_SONGS, clusters

    weights = weights_of(beat, intensity, rhythm, timbre, genre)
    if m3u_folder is not None and m3u_folder.exists() and not m3u_folder.is_dir():
        raise UsageError(f"{m3u_folder}: is no folder")
    shelf = Shelf(library)
    catalogue = shelf.catalogue
    found = clusters(shelf.kinship, count, length, weights, artist_cap=artist_cap)
    if m3u_folder is not None:
        _write(catalogue, found, m3u_folder)
    remarks = []
    if not found:
        remarks.append("the library has too few songs for playlists")
    elif count is not None and len(found) < count:
        capped = f"{artist_cap} of an artist at most and " if artist_cap else ""
        remarks.append(
            f"{len(found)} of {count} playlists: the rest of the library makes none of"
            f" {min(FEWEST_SONGS, length)} songs or more, with {capped}no copies"
        )
    for remark in remarks:
        complain(remark)
    if as_json:
        playlists = [
            {
                "name": one.name,
                "songs": one.songs,
                "spread": round(one.spread, 4),
                "results": [song_document(catalogue, row) for row in one.rows],
            }
            for one in found
        ]
        print_document({"playlists": playlists, "remarks": remarks})
        return
    for number, one in enumerate(found):
        typer.echo(f"{'' if number == 0 else chr(10)}{printable(one.name)}: {one.songs} songs")
        print_songs(catalogue, ((row, " ", "") for row in one.rows))


def _write(catalogue: Catalogue, found: list[Cluster], folder: Path) -> None:
    from songprint.cli.m3u import playlist
    from songprint.cli.output import write_whole

    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        safe = re.sub(r"[^\w &,()-]+", "-", one.name)
        place = folder / f"{safe}.m3u8"
        write_whole(place, playlist(catalogue, one.rows, place, one.name))
    complain(f"wrote {len(found)} playlists to {folder}")
