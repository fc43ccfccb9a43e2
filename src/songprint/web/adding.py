"""Adds folders to the library in a process of its own, beside the server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songprint.web.beside import Tell, run_beside
from songprint.web.jobs import Job

if TYPE_CHECKING:
    from songprint.library.ingest import Step

MOST_FAILURES_TOLD = 200


def add(
    job: Job,
    library: Path,
    folders: Sequence[str],
    workers: int,
    *,
    prune: bool = False,
    retry: bool = False,
    thorough: bool = False,
) -> dict[str, Any] | None:
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
    prune : bool
        Forget the files that are gone.
    retry : bool
        Try the files again that failed before.
    thorough : bool
        Hear every moment of long songs.

    Returns
    -------
    dict or None
        As ``songprint add --json`` prints it; None if it was stopped.

    Raises
    ------
    SongprintError
        If the library cannot be written, by this process or at all.
    """
    hearing = str(library), list(folders), workers, prune, retry, thorough
    added: dict[str, Any] | None = run_beside(job, _add, *hearing)
    return added


def _add(
    tell: Tell,
    library: str,
    folders: list[str],
    workers: int,
    prune: bool,
    retry: bool,
    thorough: bool,
) -> dict[str, Any]:
    from songprint.cli.add import add_document
    from songprint.identify.index import Index
    from songprint.identify.recordings import Recordings, comparing_seconds
    from songprint.library.ingest import add_folders
    from songprint.library.store import Library
    from songprint.web.commands import in_print

    told = _Progress(tell)
    kept = Library.open(library, create=True)
    added = add_folders(
        kept,
        folders,
        workers=workers,
        prune=prune,
        retry=retry,
        thorough=thorough,
        on_plan=told.plan,
        on_step=told.step,
    )
    index = Index.of(kept)  # or whoever asks first which song a clip is of would wait for it
    Recordings.of(kept, index, most_seconds=comparing_seconds(added.seconds))
    return dict(in_print(add_document(kept, added)))


class _Progress:
    """Sends how far adding has come."""

    def __init__(self, tell: Tell) -> None:
        from songprint.cli.adding import Forecast

        self._tell = tell
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
        self._tell(progress)
