"""Ctrl-C, put off until what has been begun is done."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the end of the block, which should be short.

    LanceDB commits in a thread of its own. An interrupt would leave it at that, and the same songs
    be written once more beside it, or by the next process.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    caught: list[tuple[Any, ...]] = []
    signal.signal(signal.SIGINT, lambda *told: caught.append(told))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if caught:
            before(*caught[0])


def start_uninterrupted(process: BaseProcess) -> None:
    """Start a process that Ctrl-C reaches no sooner than it has said what it makes of it.

    A terminal sends it to all processes; one that is still importing would die of it with a
    traceback. It calls :func:`leave_interrupts_to_parent` or :func:`let_interrupts_in`.
    """
    if sys.platform == "win32":
        process.start()
        return
    # Else it comes up by the first start of all, and lets interrupts in again at the end.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_interrupts_to_parent() -> None:
    """Make nothing of Ctrl-C in this process: its parent decides what that means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    let_interrupts_in()


def let_interrupts_in() -> None:
    """Take Ctrl-C from here on, and one that has come since this process was started."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
