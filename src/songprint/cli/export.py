"""``songprint export``: the library's songs as one file for others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import complain, count, printable, weighing

EXAMPLES = """\b
Examples:
  songprint export anna.parquet
  songprint export --absolute-paths --plays ~/backup/songs.parquet
  songprint export --json anna.parquet > exported.json

\b
The file holds what was heard and what the tags say, and no audio: names and places
of files only below the folders that were added. songprint import reads it; so do
pandas, Polars and DuckDB: select title, descriptors.tempo_bpm from 'anna.parquet'.
"""


def export(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="What to write: .parquet.", show_default=False),
    ],
    absolute_paths: Annotated[
        bool, typer.Option("--absolute-paths", help="Tell where on this machine the files lie.")
    ] = False,
    plays: Annotated[
        bool, typer.Option("--plays", help="Tell how often you played the songs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Write the library's songs, without audio, into one file."""
    from songprint.cli.listing import print_document
    from songprint.cli.output import require_place, require_suffix
    from songprint.cli.progress import SongProgress
    from songprint.library.exporting import export_songs
    from songprint.library.store import Library

    require_suffix(file, ("parquet",))
    require_place(file)
    kept = Library.open(library)
    with SongProgress() as progress:
        done = export_songs(
            kept, file, absolute_paths=absolute_paths, plays=plays, on_songs=progress.show
        )
    for n, why in (
        (done.imported, "that came from others are left out"),
        (done.waiting, "that only another model has heard are left out; songprint add renews them"),
    ):
        if n:
            complain(f"{count(n, 'song')} {why}")
    if as_json:
        print_document(
            {
                "file": str(file),
                "songs": done.songs,
                "bytes": done.n_bytes,
                "model": done.model,
                "imported_left_out": done.imported,
                "waiting_left_out": done.waiting,
            }
        )
        return
    size = f"{weighing(done.n_bytes)}, {done.n_bytes / done.songs / 1000:,.1f} kB a song"
    typer.echo(f"wrote {count(done.songs, 'song')} to {printable(str(file))}: {size}")
