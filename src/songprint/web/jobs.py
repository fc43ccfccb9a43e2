"""Long work in the background: what is being done, how far it has come, what came of it."""

from __future__ import annotations

import logging
import secrets
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from songprint.cli.text import printable
from songprint.errors import SongprintError
from songprint.web.refusal import Refusal

MOST_KEPT = 100
MOST_WITH_FILES = 5
"""Jobs whose files are kept; what was asked for is fetched soon, or never."""

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")

log = logging.getLogger("songprint.web")


@dataclass
class Job:
    """A piece of work.

    Attributes
    ----------
    id, kind : str
        Its name, and what is done.
    state : str
        One of :data:`State`.
    progress : dict
        How far it has come; what is in it depends on the kind.
    result : Any
        What came of it.
    error : str or None
        Why nothing did, in one line.
    files : dict of str to Path
        What it wrote, by name.
    began, ended : datetime or None
        UTC.
    """

    kind: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: State = "waiting"
    progress: dict[str, Any] = field(default_factory=dict)
    result: Any = None
    error: str | None = None
    files: dict[str, Path] = field(default_factory=dict)
    began: datetime | None = None
    ended: datetime | None = None
    stop: threading.Event = field(default_factory=threading.Event, repr=False)


class Jobs:
    """Runs jobs, one of a kind at a time, and remembers the last of them."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="job")
        self._rooms: tempfile.TemporaryDirectory[str] | None = None

    def room(self) -> Path:
        """Return a new folder for what a job reads and writes; gone with the server at the latest.

        It goes with :meth:`leave`, or when later jobs have left their files.
        """
        with self._lock:
            if self._rooms is None:
                self._rooms = tempfile.TemporaryDirectory(prefix="songprint-jobs-")
        return Path(tempfile.mkdtemp(dir=self._rooms.name))

    def leave(self, job: Job, room: Path) -> None:
        """Offer the files in a room as those of a job, and let those of older jobs go."""
        job.files = {file.name: file for file in sorted(room.iterdir()) if file.is_file()}
        with self._lock:
            holding = [other for other in self._jobs.values() if other.files and other is not job]
        for old in holding[: max(0, len(holding) + 1 - MOST_WITH_FILES)]:
            files, old.files = old.files, {}
            shutil.rmtree(next(iter(files.values())).parent, ignore_errors=True)

    def start(self, kind: str, work: Callable[[Job], Any]) -> Job:
        """Start a job.

        Parameters
        ----------
        kind : str
            Of the job.
        work : callable
            Does it, keeps :attr:`Job.progress` up to date, looks at :attr:`Job.stop`, and returns
            the result.

        Raises
        ------
        Refusal
            If another of this kind is not done yet.
        """
        with self._lock:
            if any(job.kind == kind and job.state not in ENDED for job in self._jobs.values()):
                raise Refusal(409, f"another job is at work on this: {kind}")
            job = Job(kind)
            self._jobs[job.id] = job
            ended = [job.id for job in self._jobs.values() if job.state in ENDED]
            for old in ended[: max(0, len(self._jobs) - MOST_KEPT)]:
                del self._jobs[old]
        self._pool.submit(self._run, job, work)
        return job

    def get(self, job: str) -> Job:
        """Return a job.

        Raises
        ------
        Refusal
            If there is none of this id.
        """
        found = self._jobs.get(job)
        if found is None:
            raise Refusal(404, f"there is no job {printable(job)}")
        return found

    def all(self) -> list[Job]:
        """Return the jobs that are remembered, the latest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def close(self) -> None:
        """Stop all jobs and wait for their end."""
        for job in self.all():
            job.stop.set()
        self._pool.shutdown(cancel_futures=True)
        if self._rooms is not None:
            self._rooms.cleanup()

    def _run(self, job: Job, work: Callable[[Job], Any]) -> None:
        job.began, job.state = datetime.now(UTC), "running"
        state: State = "failed"
        try:
            job.result = work(job)
            state = "cancelled" if job.stop.is_set() else "done"
        except (SongprintError, Refusal) as error:
            job.error = printable(str(error))
        except Exception as error:  # told to whoever waits for it
            log.exception("job %s", job.kind)
            job.error = f"internal error: {type(error).__name__}; the server's log says more"
        finally:
            job.ended, job.state = datetime.now(UTC), state
