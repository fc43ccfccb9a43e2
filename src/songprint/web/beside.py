"""Long work in a process of its own, beside the server.

The server's memory does not grow with it, what hears songs does not take the server's turn, and a
job is stopped as a person stops a command: by an interrupt, upon which what was done is kept.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import parent_process
from typing import TYPE_CHECKING, Any

from songprint.errors import SongprintError
from songprint.library.interrupts import let_interrupts_in, start_uninterrupted
from songprint.web.jobs import Job

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

TICK_SECONDS = 0.2
GRACE_SECONDS = 30.0

Tell = Callable[[dict[str, Any]], None]
"""Takes how far the work has come."""


def run_beside(job: Job, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own and return what it returns.

    Parameters
    ----------
    job : Job
        Told how far it has come; its `stop` ends it.
    function : callable
        Of a module, so that the other process can import it; its first argument is a
        :data:`Tell`.
    *arguments
        Its other arguments.

    Returns
    -------
    Any
        None if the job was stopped.

    Raises
    ------
    SongprintError
        What the function raised, in the same words.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    # Not a daemon: those may not have processes of their own. It ends with its parent anyway.
    process = context.Process(target=_serve, args=(theirs, function, arguments), name=job.kind)
    start_uninterrupted(process)
    theirs.close()
    result: Any = None
    error: str | None = "the process that did the work ended"
    try:
        began = asked_to_stop = False
        while True:
            if job.stop.is_set() and not asked_to_stop:
                if began and process.pid is not None:
                    os.kill(process.pid, signal.SIGINT)  # what was done is still written
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
        raise SongprintError(error)
    return result


def _serve(
    connection: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(OSError):
        os.nice(5)

    def tell(progress: dict[str, Any]) -> None:
        connection.send(("progress", progress))

    try:
        let_interrupts_in()
        connection.send(("began", None))
        connection.send(("result", function(tell, *arguments)))
    except KeyboardInterrupt:
        connection.send(("result", None))
    except SongprintError as error:
        connection.send(("error", str(error)))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
