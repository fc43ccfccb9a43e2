"""Worker processes, and what becomes of a song that crashes or hangs one.

Each worker has one job at a time and a pipe of its own, so that it is always known which song a
worker died of. Workers are spawned, not forked: a fork would copy the threads of LanceDB and of
ONNX Runtime half-way.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self

from songprint.errors import SongprintError
from songprint.library.interrupts import start_uninterrupted
from songprint.library.worker import READY, Identified, Job, Outcome, serve

TICK_SECONDS = 0.5

GRACE_SECONDS = 120.0
"""What any file may take, and an upper bound for the start of a worker."""

SLOWEST_READ_BYTES_A_SECOND = 500_000
SLOWEST_TIMES_REAL_TIME = 10
"""What a file may take on top: a slow network, and a slow machine with much else to do."""

LAST_SECONDS = 5.0
"""What a worker that has hung up may take to end by itself, and say of what."""

MOST_CLAIMED_SECONDS = 6 * 3600.0


class _Worker:
    def __init__(self, *, early: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, early), daemon=True)
        start_uninterrupted(self.process)
        theirs.close()  # or the end of the worker would not be seen
        self.ready = False
        self.job: Job | None = None
        self.identified: Identified | None = None
        self.allowed_seconds = GRACE_SECONDS
        self.deadline = time.monotonic() + self.allowed_seconds

    def allow(self, seconds: float) -> None:
        self.allowed_seconds = seconds
        self.deadline = time.monotonic() + seconds

    def end(self) -> int | None:
        """Make sure that it is gone; return its exit code."""
        self.connection.close()
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        code = self.process.exitcode
        self.process.close()
        return code


class WorkerPool:
    """Runs jobs on worker processes; none is started before there is a job, unless told to.

    Parameters
    ----------
    workers : int
        The most processes at once.
    time_limit_seconds : float, optional
        What a file may take; by its size and duration if left out.
    """

    def __init__(self, workers: int, time_limit_seconds: float | None = None) -> None:
        self._most = workers
        self._time_limit_seconds = time_limit_seconds
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def start_early(self, workers: int) -> None:
        """Start some workers, which get ready to hear while nobody has a job for them yet."""
        while len(self._workers) < min(workers, self._most):
            self._workers.append(_Worker(early=True))

    def run(
        self, next_job: Callable[[], Job | None], is_wanted: Callable[[Job, Identified], bool]
    ) -> Iterator[Outcome | None]:
        """Do jobs until there are none.

        Parameters
        ----------
        next_job : callable
            Returns the next job, or None if there is none now.
        is_wanted : callable
            Says of a song that was identified whether it is to be heard.

        Yields
        ------
        Outcome or None
            One for each job, in the order in which they end; None at least twice a second.
        """
        while True:
            self._hand_out(next_job)
            if not any(worker.job for worker in self._workers):
                return
            outcomes = list(self._listen(is_wanted))
            yield from outcomes
            if not outcomes:
                yield None

    def _hand_out(self, next_job: Callable[[], Job | None]) -> None:
        idle = [worker for worker in self._workers if worker.job is None]
        while idle or len(self._workers) < self._most:
            job = next_job()
            if job is None:
                return
            if idle:
                worker = idle.pop()
            else:
                worker = _Worker()
                self._workers.append(worker)
            worker.job, worker.identified = job, None
            if worker.ready:
                self._begin(worker, job)

    def _begin(self, worker: _Worker, job: Job) -> None:
        worker.allow(self._limit(job.file.size / SLOWEST_READ_BYTES_A_SECOND))
        with suppress(OSError):  # if it is dead, that shows when it is listened to
            worker.connection.send(job)

    def _limit(self, extra_seconds: float) -> float:
        return self._time_limit_seconds or GRACE_SECONDS + extra_seconds

    def _listen(self, is_wanted: Callable[[Job, Identified], bool]) -> Iterator[Outcome]:
        speaking = wait([worker.connection for worker in self._workers], TICK_SECONDS)
        for worker in list(self._workers):
            if worker.connection in speaking:
                outcome = self._answer(worker, is_wanted)
            elif worker.job is not None and time.monotonic() > worker.deadline:
                outcome = self._bury(worker, timed_out=True)
            else:
                continue
            if outcome is not None:
                yield outcome

    def _answer(
        self, worker: _Worker, is_wanted: Callable[[Job, Identified], bool]
    ) -> Outcome | None:
        try:
            message: Any = worker.connection.recv()
        except (EOFError, OSError):
            return self._bury(worker)
        job = worker.job
        if message == READY:
            worker.ready = True
            if job is not None:
                self._begin(worker, job)
            return None
        if isinstance(message, Identified) and job is not None:
            worker.identified = message
            claimed = min(max(message.claimed_seconds, 0.0), MOST_CLAIMED_SECONDS)
            worker.allow(self._limit(claimed / SLOWEST_TIMES_REAL_TIME))
            with suppress(OSError):
                worker.connection.send(is_wanted(job, message))
            return None
        outcome: Outcome = message
        worker.job = None
        if outcome.retires:
            self._workers.remove(worker)
            worker.end()
        return outcome

    def _bury(self, worker: _Worker, *, timed_out: bool = False) -> Outcome | None:
        """Clear a worker away that died or must; return what that means for its song."""
        self._workers.remove(worker)
        ready, job, allowed_seconds = worker.ready, worker.job, worker.allowed_seconds
        if not timed_out:
            worker.process.join(LAST_SECONDS)
        code = worker.end()
        if not ready:
            raise SongprintError(
                f"the processes that hear songs do not start: {_how_ended(code)}; "
                "see songprint doctor"
            )
        if job is None:
            return None
        if timed_out:
            error = f"gave up: it took more than {allowed_seconds:.0f} s"
        else:
            error = f"crashed the process that heard it: {_how_ended(code)}"
        return Outcome(job, worker.identified, error=error)


def _how_ended(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            return f"{name}, perhaps for want of memory" if name == "SIGKILL" else name
    return f"exit code {code}"
