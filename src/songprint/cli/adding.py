"""How far ``songprint add`` has come, and how long it will still take.

What takes time is seconds of sound, and what is known beforehand is bytes of files. How many bytes
a second takes is learnt, for each kind of file, from the songs that were heard; a lossless file is
ten times as large as another of the same length, and takes no longer.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from songprint.cli.progress import Bar

if TYPE_CHECKING:
    from songprint.library.ingest import Step
    from songprint.library.scan import FileOnDisk

LOSSLESS_BYTES_A_SECOND = 100_000.0
LOSSY_BYTES_A_SECOND = 25_000.0
"""Guesses, until some songs were heard."""

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


class AddProgress(Bar):
    """Files left, rates and time left; nothing at all where stderr is no terminal."""

    def __init__(self) -> None:
        super().__init__("{task.fields[left]}", 0, left="looking for songs")
        self.heard = 0
        self._forecast = Forecast()
        self._seconds_done = 0.0

    def plan(self, files: Iterable[FileOnDisk]) -> None:
        """Take note of the files that will be looked into."""
        self._forecast = Forecast(files)

    def show(self, step: Step) -> None:
        """Show how far it has come."""
        added, outcome = step.added, step.outcome
        self.heard = added.heard
        if outcome is not None:
            heard = outcome.fingerprint
            before = self._forecast.seconds_left
            self._forecast.done(outcome.job.file, heard.seconds if heard else None)
            took_off = before - self._forecast.seconds_left
            self._seconds_done += heard.seconds if heard else max(took_off, 0.0)
        if self._bar is None or self._task is None:
            return
        seconds = max(added.seconds, 1e-3)
        rate = f"{added.heard / seconds:,.1f} songs/s, {added.heard_seconds / seconds:,.0f}x"
        self._bar.update(
            self._task,
            completed=self._seconds_done,
            total=self._seconds_done + self._forecast.seconds_left,
            left=f"{step.left:,} files left",
            rate=f"{rate} real time" if added.heard else "",
        )
