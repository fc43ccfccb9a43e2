"""How far ``songprint add`` has come, and how long it will still take.

What takes time is seconds of sound, and what is known beforehand is bytes of files. How many bytes
a second takes is learnt, for each kind of file, from the songs that were heard; a lossless file is
ten times as large as another of the same length, and takes no longer.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from songprint.cli.progress import Bar
from songprint.cli.text import clock, count

if TYPE_CHECKING:
    from songprint.library.ingest import Added, Step
    from songprint.library.scan import FileOnDisk

LOSSLESS_BYTES_A_SECOND = 100_000.0
LOSSY_BYTES_A_SECOND = 25_000.0
"""Guesses, until some songs were heard."""

PACE_SECONDS = 60.0
KNOWN_AFTER_SECONDS = 3.0

GUESS_SECONDS = 60.0
"""How many seconds of heard songs weigh as much as the guess."""

_LOSSLESS = {".aif", ".aiff", ".ape", ".flac", ".tak", ".tta", ".w64", ".wav", ".wave", ".wv"}


class Forecast:
    """How many seconds of sound files hold, from their sizes and from what was heard.

    Parameters
    ----------
    files : iterable of FileOnDisk
        The files.
    """

    def __init__(self, files: Iterable[FileOnDisk] = ()) -> None:
        self._left: defaultdict[str, int] = defaultdict(int)
        for file in files:
            self._left[_kind(file)] += file.size
        self._bytes: defaultdict[str, float] = defaultdict(float)
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def done(self, file: FileOnDisk, seconds: float | None) -> None:
        """Take a file off, and learn from its duration if it was heard."""
        kind = _kind(file)
        self._left[kind] -= file.size
        if seconds:
            self._bytes[kind] += file.size
            self._seconds[kind] += seconds

    @property
    def seconds_left(self) -> float:
        """How many seconds of sound are in the files that were not done."""
        return sum(max(n, 0) / self._bytes_a_second(kind) for kind, n in self._left.items())

    def _bytes_a_second(self, kind: str) -> float:
        guess = LOSSLESS_BYTES_A_SECOND if kind in _LOSSLESS else LOSSY_BYTES_A_SECOND
        n_bytes = self._bytes[kind] + guess * GUESS_SECONDS
        return n_bytes / (self._seconds[kind] + GUESS_SECONDS)


def _kind(file: FileOnDisk) -> str:
    return os.path.splitext(file.path)[1].lower()  # noqa: PTH122


class Pace:
    """How fast it goes, over the last minute."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque()

    def mark(self, at: float, seconds_done: float) -> None:
        """Note how many seconds of sound are done at a time."""
        self._marks.append((at, seconds_done))
        while self._marks[-1][0] - self._marks[0][0] > PACE_SECONDS:
            self._marks.popleft()

    def time_for(self, seconds_left: float) -> float | None:
        """Return how long as many seconds of sound will take; None while nobody can know."""
        if len(self._marks) < 2:
            return None
        (start, before), (end, done) = self._marks[0], self._marks[-1]
        if end - start < KNOWN_AFTER_SECONDS or done <= before:
            return None
        return seconds_left * (end - start) / (done - before)


class AddProgress(Bar):
    """Files left, rates and time left; nothing at all where stderr is no terminal."""

    def __init__(self) -> None:
        super().__init__(
            "{task.fields[left]}",
            0,
            "{task.fields[time_left]}",
            left="looking for songs",
            time_left="",
        )
        self._added: Added | None = None
        self._forecast = Forecast()
        self._pace = Pace()
        self._seconds_done = 0.0

    @property
    def heard(self) -> int:
        """How many songs were heard until now."""
        return self._added.heard if self._added else 0

    def plan(self, files: Iterable[FileOnDisk]) -> None:
        """Take note of the files that will be looked into."""
        self._forecast = Forecast(files)

    def show(self, step: Step) -> None:
        """Show how far it has come."""
        added, outcome = step.added, step.outcome
        self._added = added
        if outcome is not None:
            seconds = outcome.heard_seconds
            before = self._forecast.seconds_left
            self._forecast.done(outcome.job.file, seconds)
            took_off = max(before - self._forecast.seconds_left, 0.0)
            self._seconds_done += took_off if seconds is None else seconds
            self._pace.mark(added.seconds, self._seconds_done)
        if self._bar is None or self._task is None:
            return
        time_left = self._pace.time_for(self._forecast.seconds_left)
        rate = f"{added.heard / added.seconds:,.1f} songs/s, " if added.heard else ""
        rate += f"{added.heard_seconds / added.seconds:,.0f}x real time" if rate else ""
        self._bar.update(
            self._task,
            completed=self._seconds_done,
            total=self._seconds_done + self._forecast.seconds_left,
            left=f"{count(step.left, 'file')} left",
            rate=rate,
            time_left="" if time_left is None else f"{clock(time_left)} left",
        )
