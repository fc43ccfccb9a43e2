"""``songprint import``: a stranger's songs into the library, without audio."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import complain, count, printable
from songprint.errors import PortableError, UsageError

if TYPE_CHECKING:
    from songprint.library.importing import Imported
    from songprint.library.store import Library

EXAMPLES = """\b
Examples:
  songprint import anna.parquet
  songprint import anna.parquet ben.parquet --json > imported.json
  songprint import --forget anna.parquet

\b
The songs are found by similar, station, find and the others, and are marked there,
as there is no audio here. A song that you have stays yours. A file is imported whole
or, if anything in it is not as songprint writes it, not at all.
"""


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="Files that songprint export wrote.", show_default=False
        ),
    ],
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget the songs that came in files of these names.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Make songs of other libraries findable in yours."""
    from songprint.library.store import Library

    kept = Library.open(library, create=not forget)
    if forget:
        _forget(kept, files, as_json)
        return
    imported: list[tuple[Path, Imported]] = []
    failed: list[PortableError] = []
    for file in files:
        try:
            imported.append((file, _import(kept, file)))
        except PortableError as refusal:
            complain(str(refusal))
            failed.append(refusal)
    if as_json:
        _print_document(kept, imported, failed)
    else:
        for _, done in imported:
            _tell(done)
    if failed:
        raise typer.Exit(1)


def _import(library: Library, file: Path) -> Imported:
    from songprint.cli.progress import SongProgress
    from songprint.library.importing import import_songs

    with SongProgress() as progress:
        return import_songs(library, file, on_songs=progress.show)


def _tell(done: Imported) -> None:
    counts = {
        "added": done.added,
        "yours already": done.own,
        "imported before": done.known,
    }
    told = ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)
    typer.echo(f"{printable(done.origin)}: {count(done.songs, 'song')}: {told}")
    if not done.found:
        complain(
            f"{done.origin}: model {done.model} heard its songs; they are found as soon as it has"
            " heard yours, too: songprint add"
        )


def _print_document(
    library: Library, imported: list[tuple[Path, Imported]], failed: list[PortableError]
) -> None:
    from songprint.cli.listing import print_document

    print_document(
        {
            "library": str(library.path),
            "imported": [
                {
                    "file": str(file),
                    "origin": done.origin,
                    "model": done.model,
                    "songs": done.songs,
                    "added": done.added,
                    "own": done.own,
                    "known": done.known,
                    "found": done.found,
                }
                for file, done in imported
            ],
            "failed": [{"file": str(error.path), "error": error.reason} for error in failed],
        }
    )


def _forget(library: Library, files: list[Path], as_json: bool) -> None:
    from songprint.cli.listing import print_document
    from songprint.library.importing import forget_imported, origin_of

    origins = [origin_of(file) for file in files]
    forgotten = {origin: forget_imported(library, origin) for origin in origins}
    unknown = [origin for origin, songs in forgotten.items() if not songs]
    if as_json:
        print_document({"library": str(library.path), "forgotten": forgotten})
    else:
        for origin, songs in forgotten.items():
            if songs:
                typer.echo(f"{printable(origin)}: {count(songs, 'song')} forgotten")
    if unknown:
        raise UsageError(f"{unknown[0]}: no song here came in a file of this name")
