"""``songprint add``: folders of music into the library."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from songprint.cli.options import LibraryOption, Thorough, Workers
from songprint.cli.text import clock, complain, count, first_of, printable
from songprint.errors import LibraryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from songprint.library.ingest import Added, Step, Workplace
    from songprint.library.store import Library

EXAMPLES = """\b
Examples:
  songprint add ~/Music
  songprint add
  songprint add --prune ~/Music
  songprint add --watch ~/Music
  songprint add --forget ~/Music/old
  songprint add --json ~/Music > added.json
  songprint add --ray auto --library s3://bucket/library s3://bucket/music

\b
Only what is new or has changed is heard; without a folder, in all folders that
were added before. Stop it with Ctrl-C, or kill it, at any moment: the same
command goes on where it stopped.
"""

MOST_COMPARED = 20_000
"""Songs up to which that is done unasked, as the index that it takes is as large as the library;
of larger libraries, where songprint duplicates was asked before."""

EARLY_WORKERS = 2
"""Processes that load what hearing takes while this one makes a library."""

RETRY_SECONDS = 10.0
"""What --watch waits for a library that it cannot write to."""

MOST_NAMED = 10
"""Missing files that are named."""


def add(
    folders: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FOLDER",
            help="Folders, in which every audio file is heard, and files.  [default: the folders"
            " that were added before]",
            show_default=False,
        ),
    ] = None,
    workers: Workers = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Forget the files that are gone, and their songs.")
    ] = False,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget", help="Take the folders out of the library again; files stay as they are."
        ),
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try the files again that failed before.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on whenever something changes, until stopped.")
    ] = False,
    time_limit: Annotated[
        float | None,
        typer.Option(
            min=1,
            metavar="SECONDS",
            help="When to give a file up.  [default: two minutes and more for large ones]",
            show_default=False,
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Hear on a Ray cluster: auto, host:port, or local for one of this machine.",
            show_default=False,
        ),
    ] = None,
    thorough: Thorough = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Add music to the library, or what is new in it.

    Moved, renamed and tagged files are recognised and not heard again.
    """
    from songprint.cli.hearing import usable_cores
    from songprint.library.places import is_new
    from songprint.library.pool import WorkerPool

    if watch and as_json:
        raise UsageError("--watch never ends, so that there is no one document for --json")
    if forget and not folders:
        raise UsageError("--forget takes the folders that are to go")
    pool = WorkerPool(workers or usable_cores(), time_limit)
    if folders and not forget and ray is None and is_new(library):
        pool.start_early(EARLY_WORKERS)  # all there is will have to be heard
    from songprint.library.ingest import Here
    from songprint.library.store import Library
    from songprint.library.watch import changes

    kept = Library.open(library, create=bool(folders) and not forget)
    if forget:
        from songprint.library.forget import forget_folders
        from songprint.library.ingest import Added

        forgotten = Added(pruned=forget_folders(kept, folders or ()))
        _print(kept, forgotten, as_json)
        return
    places = folders or kept.folders()
    if not places:
        raise UsageError(f"{kept.place}: no folder was added yet; name one")
    failed = began = False
    for _ in changes(places):
        workplace: Workplace = Here(pool)
        if ray is not None:
            from songprint.cluster.workplace import Cluster

            workplace = Cluster(ray, workers, time_limit)
        once = partial(_add, kept, places, workplace, prune=prune, retry=retry, thorough=thorough)
        added = _as_soon_as_possible(once) if began else once()
        began = True
        failed = bool(added.failed)
        if added.heard and ray is None:
            _compare(kept, added)
        _print(kept, added, as_json)
        if not watch:
            break
    if failed:
        raise typer.Exit(1)


def _as_soon_as_possible(add: Callable[[], Added]) -> Added:
    """Add when the library lets it: one that is watched for days is busy, or away, at times."""
    told = ""
    while True:
        try:
            return add()
        except LibraryError as error:
            if str(error) != told:
                complain(f"{error}; trying again until it works")
                told = str(error)
            time.sleep(RETRY_SECONDS)


def _add(
    library: Library,
    places: Sequence[str],
    workplace: Workplace,
    *,
    prune: bool,
    retry: bool,
    thorough: bool,
) -> Added:
    from songprint.cli.adding import AddProgress
    from songprint.library.ingest import add_folders

    progress = AddProgress()
    named: set[str] = set()

    def on_step(step: Step) -> None:
        progress.show(step)
        if step.outcome is not None and step.outcome.error is not None:
            path = step.outcome.job.file.path
            with progress.paused():
                complain(f"{printable(path)}: {step.outcome.error}")
            named.add(path)

    with progress:
        try:
            added = add_folders(
                library,
                places,
                prune=prune,
                retry=retry,
                thorough=thorough,
                workplace=workplace,
                on_plan=progress.plan,
                on_step=on_step,
            )
        except KeyboardInterrupt:
            were = "was heard and is" if progress.heard == 1 else "were heard and are"
            complain(f"interrupted: {count(progress.heard, 'song')} {were} kept")
            raise
    for found in added.failed:
        if found.path not in named:  # a place, not a file
            complain(f"{printable(found.path)}: {found.problem}")
    return added


def _compare(library: Library, added: Added) -> None:
    """Find recordings that are there twice, so that stations know; what is left comes next time."""
    from songprint.cli.progress import CountProgress
    from songprint.identify.recordings import Recordings, comparing_seconds
    from songprint.library.recordings import changed

    if not changed(library.path) and len(library) > MOST_COMPARED:
        return
    with CountProgress(0, "songs compared") as progress:
        Recordings.of(library, most_seconds=comparing_seconds(added.seconds), on_song=progress.move)


def _print(library: Library, added: Added, as_json: bool) -> None:
    if as_json:
        from songprint.cli.listing import print_document

        print_document(add_document(library, added))
    else:
        _tell(library, added)


def add_document(library: Library, added: Added) -> dict[str, object]:
    """Return the JSON document of what adding did; ``schemas/add.json`` describes it."""
    seconds = max(added.seconds, 1e-3)
    return {
        "library": library.place,
        "added": added.added,
        "updated": added.updated,
        "unchanged": added.unchanged,
        "moved": added.moved,
        "duplicates": added.duplicates,
        "renewed": added.renewed,
        "missing": added.missing,
        "pruned": added.pruned,
        "failed": [{"path": found.path, "error": found.problem} for found in added.failed],
        "failed_before": added.failed_before,
        "seconds": round(added.seconds, 3),
        "songs_per_second": round(added.heard / seconds, 3),
        "times_real_time": round(added.heard_seconds / seconds, 1),
    }


def _tell(library: Library, added: Added) -> None:
    if added.heard:
        rate = f"{added.heard / added.seconds:,.1f} songs/s"
        rate += f", {added.heard_seconds / added.seconds:,.0f}x real time"
        lasting = f"{clock(added.heard_seconds)} of music in {clock(added.seconds)}: {rate}"
        typer.echo(f"heard {count(added.heard, 'song')}, {lasting}")
    counts = {
        "added": added.added,
        "updated": added.updated,
        "moved": added.moved,
        "also known from another place": added.duplicates,
        "heard anew by this model": added.renewed,
        "unchanged": added.unchanged,
        "forgotten": added.pruned,
        "failed": len(added.failed) - added.unread,
        "not found or not readable": added.unread,
    }
    told = ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)
    typer.echo(told or "nothing to add")
    if added.failed_before:
        have = "has" if added.failed_before == 1 else "have"
        typer.echo(
            f"{count(added.failed_before, 'file')} failed before and {have} not changed:"
            " songprint report tells why, --retry tries again"
        )
    if added.missing:
        are = (
            "is gone; --prune forgets it"
            if len(added.missing) == 1
            else "are gone; --prune forgets them"
        )
        typer.echo(f"{count(len(added.missing), 'file')} {are}:")
        named = [printable(path) for path in added.missing]
        for name in first_of(named, MOST_NAMED, "songprint report --all"):
            typer.echo(f"  {name}")
    typer.echo(f"{count(len(library), 'song')} in {printable(library.place)}")
