"""Reduces a stream of unknown length to some hundred equal columns, in bounded memory.

A figure has fewer columns than a song has frames. To take every n-th frame would drop drum hits
and clicks; here every frame counts. A pool starts with one column a frame and, whenever it is
full, joins neighbours two by two, so that it holds between `columns` and twice as many whatever
the length; `columns_of` then cuts what is held into exactly as many as are drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]


class MeanPool:
    """Averages frames over time; of powers it keeps the energy exactly.

    Parameters
    ----------
    columns : int
        The least columns to be kept of a long stream.
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._sums: NDArray[np.float64] | None = None
        self._frames_per_column = 1
        self.frames = 0

    def add(self, frames: NDArray[np.floating[Any]]) -> None:
        """Take the next frames [shape=(n, d)]; `d` must not change."""
        if self._sums is None:
            self._sums = np.zeros((2 * self._columns, frames.shape[1]))
        while len(frames):
            room = len(self._sums) * self._frames_per_column - self.frames
            if room == 0:
                self._halve()
                continue
            self._fill(frames[:room])
            frames = frames[room:]

    def _fill(self, frames: NDArray[np.floating[Any]]) -> None:
        assert self._sums is not None
        column = (self.frames + np.arange(len(frames))) // self._frames_per_column
        starts = np.flatnonzero(np.diff(column, prepend=-1))
        self._sums[column[starts]] += np.add.reduceat(frames, starts, axis=0, dtype=np.float64)
        self.frames += len(frames)

    def _halve(self) -> None:
        assert self._sums is not None
        joined = self._sums[0::2] + self._sums[1::2]
        self._sums[: self._columns] = joined
        self._sums[self._columns :] = 0
        self._frames_per_column *= 2

    def columns_of(self, most: int) -> Rows:
        """Return the means of equal stretches of time.

        Parameters
        ----------
        most : int
            How many columns are wanted; a stream of fewer frames has one column a frame.

        Returns
        -------
        ndarray [shape=(m, d)]
            ``m`` is at most `most`; no row where no frame came.
        """
        if self._sums is None or self.frames == 0:
            return np.empty((0, 0), np.float32)
        wanted = min(most, self.frames)
        edges = np.linspace(0, self.frames, wanted + 1)
        used = -(-self.frames // self._frames_per_column)
        ends = np.minimum(np.arange(used + 1) * self._frames_per_column, self.frames)
        running = np.concatenate([np.zeros((1, self._sums.shape[1])), self._sums[:used]])
        np.cumsum(running, axis=0, out=running)
        # Within a column the frames are taken for equal, as nothing more is known of them.
        place = np.interp(edges, ends, np.arange(used + 1.0))
        left = np.minimum(place.astype(int), used - 1)
        share = (place - left)[:, None]
        at_edges = running[left] * (1 - share) + running[left + 1] * share
        means: Rows = (np.diff(at_edges, axis=0) / np.diff(edges)[:, None]).astype(np.float32)
        return means


class EnvelopePool:
    """Keeps the least, the greatest and the mean square of the samples of each column.

    Parameters
    ----------
    columns : int
        The least columns to be kept of a long stream.
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._low = np.full(2 * columns, np.inf, np.float32)
        self._high = np.full(2 * columns, -np.inf, np.float32)
        self._power = MeanPool(columns)
        self._samples_per_column = 1

    @property
    def samples(self) -> int:
        """How many samples came."""
        return self._power.frames

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples [shape=(n,)]."""
        while len(samples):
            room = len(self._low) * self._samples_per_column - self.samples
            if room == 0:
                self._halve()
                continue
            piece, samples = samples[:room], samples[room:]
            column = (self.samples + np.arange(len(piece))) // self._samples_per_column
            starts = np.flatnonzero(np.diff(column, prepend=-1))
            at = column[starts]
            self._low[at] = np.minimum(self._low[at], np.minimum.reduceat(piece, starts))
            self._high[at] = np.maximum(self._high[at], np.maximum.reduceat(piece, starts))
            self._power.add(np.square(piece)[:, None])

    def _halve(self) -> None:
        n = self._columns
        self._low[:n] = np.minimum(self._low[0::2], self._low[1::2])
        self._high[:n] = np.maximum(self._high[0::2], self._high[1::2])
        self._low[n:], self._high[n:] = np.inf, -np.inf
        self._samples_per_column *= 2

    def columns_of(self, most: int) -> tuple[Rows, Rows, Rows]:
        """Return the envelope over equal stretches of time.

        Parameters
        ----------
        most : int
            How many columns are wanted; fewer samples have one column each.

        Returns
        -------
        low, high, rms : ndarray [shape=(m,)]
            A peak between two columns is in both, so that none is ever lost.
        """
        if self.samples == 0:
            return (np.empty(0, np.float32),) * 3
        wanted = min(most, self.samples)
        edges = np.linspace(0, self.samples, wanted + 1) / self._samples_per_column
        used = -(-self.samples // self._samples_per_column)
        first = np.floor(edges[:-1] + 1e-9).astype(int)
        last = np.minimum(np.maximum(np.ceil(edges[1:] - 1e-9).astype(int), first + 1), used)
        low = np.array([self._low[a:b].min() for a, b in zip(first, last, strict=True)])
        high = np.array([self._high[a:b].max() for a, b in zip(first, last, strict=True)])
        rms = np.sqrt(np.maximum(self._power.columns_of(most)[:, 0], 0))
        return low, high, rms
