"""Decodes songs in a process of its own, whose memory and time are bounded.

A file that crashes, hangs or bloats the decoder takes that process with it, never the server, and
the next song gets a new one. One process hears one song at a time; it ends when it was idle for a
while, and gives its memory back.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songprint.errors import SongprintError, UsageError
from songprint.library.interrupts import leave_interrupts_to_parent, start_uninterrupted
from songprint.threads import require_one_thread
from songprint.web.refusal import Refusal

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

MOST_BYTES = 1536 << 20
"""Of memory that the process may ask for, the libraries' own included."""

MOST_WAITING = 8
"""Tasks that wait for their turn; each holds one of the server's threads."""

IDLE_SECONDS = 120.0
START_SECONDS = 60.0


@dataclass(frozen=True)
class Task:
    """What is to be done.

    Attributes
    ----------
    function : callable
        Of a module, so that the other process can import it.
    arguments : tuple
        Its arguments.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Failure:
    """Why it was not done: `status` as of HTTP, and one line."""

    status: int
    detail: str


class Hearer:
    """A process that hears songs, started when it is needed.

    Parameters
    ----------
    cpu_seconds : float
        What one task may take of a core.
    file_bytes : int
        How large a file it may write; 0 for none.
    """

    def __init__(self, cpu_seconds: float = 120.0, *, file_bytes: int = 0) -> None:
        self._cpu_seconds = cpu_seconds
        self._file_bytes = file_bytes
        self._turn = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MOST_WAITING + 1)
        self._process: Any = None
        self._connection: Connection | None = None
        self._idle: threading.Timer | None = None

    def run(
        self, function: Callable[..., Any], *arguments: Any, limit_seconds: float = 120.0
    ) -> Any:
        """Call a function in the process and return what it returns.

        Parameters
        ----------
        function
            Of :mod:`songprint.web.tasks`.
        *arguments
            Its arguments.
        limit_seconds
            When it is given up, its turn not counted.

        Raises
        ------
        Refusal
            If it cannot be done: what the song, or its size, is at fault for; or if too many
            wait already.
        """
        if not self._waiting.acquire(blocking=False):
            raise Refusal(429, "many songs are being heard; try again", {"Retry-After": "1"})
        try:
            return self._run(Task(function, arguments), limit_seconds)
        finally:
            self._waiting.release()

    def _run(self, task: Task, limit_seconds: float) -> Any:
        with self._turn:
            if self._idle is not None:
                self._idle.cancel()
            connection = self._started()
            try:
                connection.send(task)
                if not connection.poll(limit_seconds):
                    self._end()
                    raise Refusal(422, f"gave up: it took more than {limit_seconds:.0f} s")
                answer = connection.recv()
            except (EOFError, OSError):
                self._end()
                raise Refusal(
                    422, "the process that heard it ended: it wants too much memory or time"
                ) from None
            self._idle = threading.Timer(IDLE_SECONDS, self._end_if_idle)
            self._idle.daemon = True
            self._idle.start()
        if isinstance(answer, Failure):
            raise Refusal(answer.status, answer.detail)
        return answer

    def close(self) -> None:
        """End the process."""
        if self._idle is not None:
            self._idle.cancel()
        self._end()

    def _started(self) -> Connection:
        if self._connection is not None and self._process.is_alive():
            return self._connection
        self._end()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(
            target=serve,
            args=(theirs, self._cpu_seconds, self._file_bytes),
            name="hearing",
            daemon=True,
        )
        start_uninterrupted(self._process)
        theirs.close()
        self._connection = ours
        if not ours.poll(START_SECONDS):
            self._end()
            raise Refusal(503, "the process that hears songs does not start")
        with suppress(EOFError, OSError):
            ours.recv()
        return ours

    def _end_if_idle(self) -> None:
        if self._turn.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._turn.release()

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            if self._process.is_alive():
                self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None


def serve(connection: Connection, cpu_seconds: float, file_bytes: int) -> None:
    """Do tasks until the other side hangs up; the target of the process."""
    leave_interrupts_to_parent()
    require_one_thread()
    os.environ["JOBLIB_MULTIPROCESSING"] = "0"  # it would try to write where this may not
    with suppress(OSError):
        os.nice(5)  # whoever clicks comes first
    _limit(file_bytes)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send("ready")
        while True:
            task = connection.recv()
            _limit_cpu(cpu_seconds)
            connection.send(_done(task))


def _done(task: Task) -> Any:
    from songprint.errors import DecodeError

    try:
        return task.function(*task.arguments)
    except Refusal as refusal:
        return Failure(refusal.status, refusal.detail)
    except DecodeError as error:
        return Failure(422, error.reason)
    except UsageError as error:
        return Failure(422, str(error))
    except SongprintError as error:
        return Failure(409, str(error))
    except MemoryError:
        return Failure(422, "there is not enough memory to hear it")
    except Exception as bug:
        with suppress(OSError):  # this process may write no file, and stderr may be one
            sys.stderr.write(f"songprint: internal error: {type(bug).__name__}: {bug}\n")
        return Failure(422, f"internal error: {type(bug).__name__}; please report it")


def _limit(file_bytes: int) -> None:
    if sys.platform != "linux":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(MOST_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))


def _limit_cpu(seconds: float) -> None:
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = int(time.process_time() + seconds) + 1
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (most, hard))  # SIGXCPU ends it
