"""Adds folders to the library in a process of its own, beside the server.

The server's memory does not grow with it, and what hears songs does not take the server's turn.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songprint.errors import LibraryError, SongprintError
from songprint.web.jobs import Job

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from songprint.library.ingest import Step

MOST_FAILURES_TOLD = 200
TICK_SECONDS = 0.2
GRACE_SECONDS = 30.0


def add(job: Job, library: Path, folders: Sequence[str], workers: int) -> dict[str, Any]:
    """Add folders; the work of a job.

    Parameters
    ----------
    job : Job
        Told how far it has come; its `stop` ends it, and what was heard is kept.
    library : Path
        The library's folder.
    folders : sequence of str
        What is added.
    workers : int
        Songs heard at once.

    Returns
    -------
    dict
        As ``songprint add --json`` prints it.

    Raises
    ------
    LibraryError
        If the library cannot be written, by this process or at all.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    # Not a daemon: those may not have processes of their own. It ends with its parent anyway.
    process = context.Process(
        target=_serve, args=(theirs, str(library), list(folders), workers), name="adding"
    )
    process.start()
    theirs.close()
    result: dict[str, Any] = {}
    error: str | None = "the process that adds songs ended"
    try:
        began = asked_to_stop = False
        while True:
            if job.stop.is_set() and not asked_to_stop:
                if began and process.pid is not None:
                    os.kill(process.pid, signal.SIGINT)  # what was heard is still written
                else:
                    process.terminate()
                asked_to_stop = True
            if ours.poll(TICK_SECONDS):
                kind, told = ours.recv()
                if kind == "began":
                    began = True
                elif kind == "progress":
                    job.progress = told
                elif kind == "result":
                    result, error = told, None
                else:
                    error = told
    except (EOFError, OSError):
        pass
    finally:
        process.join(GRACE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        ours.close()
    if error is not None and not job.stop.is_set():
        raise LibraryError(error)
    return result


def _serve(connection: Connection, library: str, folders: list[str], workers: int) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(OSError):
        os.nice(5)
    from songprint.cli.add import add_document
    from songprint.library.ingest import add_folders
    from songprint.library.store import Library

    told = _Progress(connection)
    try:
        connection.send(("began", None))
        kept = Library.open(library, create=True)
        added = add_folders(kept, folders, workers=workers, on_plan=told.plan, on_step=told.step)
        connection.send(("result", _safe(add_document(kept, added))))
    except KeyboardInterrupt:
        connection.send(("result", {}))
    except SongprintError as error:
        connection.send(("error", str(error)))


class _Progress:
    """Sends how far adding has come."""

    def __init__(self, connection: Connection) -> None:
        from songprint.cli.adding import Forecast

        self._connection = connection
        self._forecast = Forecast()
        self._failed: list[dict[str, str]] = []
        self._total = 0

    def plan(self, files: Any) -> None:
        from songprint.cli.adding import Forecast

        self._total = len(files)
        self._forecast = Forecast(files)

    def step(self, step: Step) -> None:
        from songprint.cli.text import printable

        added, outcome = step.added, step.outcome
        if outcome is not None:
            heard = outcome.fingerprint
            self._forecast.done(outcome.job.file, heard.seconds if heard else None)
            if outcome.error is not None and len(self._failed) < MOST_FAILURES_TOLD:
                path = printable(outcome.job.file.path)
                self._failed.append({"path": path, "error": outcome.error})
        rate = added.heard_seconds / max(added.seconds, 1e-3)
        progress = {
            "files": self._total,
            "left": step.left,
            "heard": added.heard,
            "added": added.added,
            "failed": len(added.failed),
            "failures": list(self._failed),
            "seconds": round(added.seconds, 1),
            "songs_per_second": round(added.heard / max(added.seconds, 1e-3), 2),
            "times_real_time": round(rate, 1),
            "seconds_left": round(self._forecast.seconds_left / rate, 1) if rate else None,
        }
        self._connection.send(("progress", progress))


def _safe(document: dict[str, Any]) -> dict[str, Any]:
    """Make paths fit for JSON."""
    from songprint.cli.text import printable

    failed = [{**item, "path": printable(item["path"])} for item in document["failed"]]
    missing = [printable(path) for path in document["missing"]]
    return {**document, "failed": failed, "missing": missing}


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
