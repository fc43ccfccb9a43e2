"""A progress bar on stderr, if a person is there to see it, or a program that listens."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress

    from songprint.cli.hearing import Heard


_M_OF_N = "{task.completed:.0f}/{task.total:.0f}"

Listener = Callable[[float, float], None]

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def telling(listener: Listener) -> Iterator[None]:
    """Tell a listener, too, how much is done and how much there is, of bars made in the block."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


class Bar:
    """A bar on stderr for as long as it is entered; none where stderr is no terminal.

    `counter` says what stands before it, as Rich's ``TextColumn`` understands it, and `ending`
    what behind it; by default Rich's own guess, which forgets all when the total changes.
    """

    def __init__(
        self, counter: str, total: float, ending: str | None = None, **fields: Any
    ) -> None:
        seen = sys.stderr and sys.stderr.isatty()
        self._bar = _make_bar(counter, ending) if seen else None
        self._task = self._bar.add_task("", total=total, rate="", **fields) if self._bar else None
        self._tell = _listener.get()
        self._done, self._total = 0.0, total

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def move(self, done: float, total: float | None = None, **fields: Any) -> None:
        """Show that so much is done, of so much."""
        self._done, self._total = done, self._total if total is None else total
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=self._total, **fields)
        if self._tell is not None:
            self._tell(done, self._total)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bar away while something else is printed, perhaps to the same terminal."""
        if self._bar:
            self._bar.stop()
        yield
        if self._bar:
            self._bar.start()


class HearingProgress(Bar):
    """Songs done, speed and time left; nothing at all where stderr is no terminal.

    Parameters
    ----------
    songs : int
        How many there are.
    """

    def __init__(self, songs: int) -> None:
        super().__init__(_M_OF_N + " songs", songs)
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._heard_seconds = 0.0

    def count(self, heard: Heard) -> None:
        """Count a song; from any thread."""
        with self._lock:
            if heard.fingerprint is not None:
                self._heard_seconds += heard.fingerprint.seconds
            rate = self._heard_seconds / max(time.monotonic() - self._started, 1e-3)
            self.move(self._done + 1, rate=f"{rate:,.0f}x real time" if rate else "")


class SongProgress(Bar):
    """Songs done and time left; nothing at all where stderr is no terminal."""

    def __init__(self) -> None:
        super().__init__(_M_OF_N + " songs", 0)

    def show(self, done: int, songs: int) -> None:
        """Show how many of the songs are done."""
        self.move(done, songs)


class CountProgress(Bar):
    """Things done and time left; nothing at all where stderr is no terminal.

    Parameters
    ----------
    total : int
        How many there are.
    what : str
        What they are, such as "songs".
    """

    def __init__(self, total: int, what: str) -> None:
        super().__init__(f"{_M_OF_N} {what}", total)

    def count(self) -> None:
        """Count one."""
        self.move(self._done + 1)


class EpochProgress(CountProgress):
    """Epochs done and time left; nothing at all where stderr is no terminal.

    Parameters
    ----------
    epochs : int
        How many there are.
    """

    def __init__(self, epochs: int) -> None:
        super().__init__(epochs, "epochs")


def _make_bar(counter: str, ending: str | None) -> Progress | None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeftColumn

    console = Console(stderr=True)
    if not console.is_interactive:  # a dumb terminal cannot take a line back
        return None
    return Progress(
        TextColumn(counter),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        *([TextColumn(ending)] if ending else [TimeLeftColumn(compact=True), TextColumn("left")]),
        console=console,
        transient=True,
        # Rich would send what is printed on stdout to the bar's own stream, stderr.
        redirect_stdout=False,
        redirect_stderr=False,
    )
