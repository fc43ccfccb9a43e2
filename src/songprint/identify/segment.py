"""A part of the index: the landmarks of some thousand songs, as arrays that stay on the disk.

All songs of a segment lie one after the other on one line of time. `postings` holds the places of
all landmarks on it, those of one value together; `directory` tells where those of a value begin. A
look-up is two reads of the directory and one of a run of postings; nothing is loaded beforehand.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from songprint.audio.peaks import FRAMES_PER_SECOND, Peaks, packed_frame
from songprint.identify.landmarks import LANDMARK_VALUES, Landmarks, song_landmarks

PART_SUFFIX = ".part"

PLACES_A_SONG = 8
"""The most places of one song that are candidates, so that a loop leaves room for others."""

_LEAST_TABLE_BITS, _MOST_TABLE_BITS = 12, 19
_LEAST_TABLE = 8191
_LOOKED_AT_AGAIN = 32
"""One cell of the first table in so many."""

_SURVIVORS = 16
"""Cells, for each candidate, whose votes are told apart by song."""

_NARROW = 1 << 30


@dataclass(frozen=True)
class Candidate:
    """A place that a clip may be from.

    Attributes
    ----------
    song : int
        Row of the song in its segment.
    frame : float
        Of the song, at which the clip starts.
    votes : int
        Landmarks that say so.
    """

    song: int
    frame: float
    votes: int


@dataclass(frozen=True, eq=False)
class Segment:
    """The landmarks and peaks of n songs.

    Attributes
    ----------
    songs : ndarray [shape=(n,)]
        Their content hashes.
    starts : ndarray [shape=(n + 1,)]
        Where each begins on the segment's line of time, in frames.
    directory : ndarray [shape=(LANDMARK_VALUES + 1,)]
        Where the postings of each value begin.
    postings : ndarray [shape=(landmarks,)]
        Places of landmarks on the line of time.
    peaks : ndarray [shape=(peaks,)]
        Packed peaks, song after song.
    peak_starts : ndarray [shape=(n + 1,)]
        Where each song's begin.
    """

    songs: NDArray[np.str_]
    starts: NDArray[np.uint32]
    directory: NDArray[np.uint32]
    postings: NDArray[np.uint32]
    peaks: NDArray[np.uint32]
    peak_starts: NDArray[np.int64]

    @classmethod
    def build(cls, songs: Sequence[str], packed: Sequence[NDArray[np.uint32]]) -> Self:
        """Make one.

        Parameters
        ----------
        songs : sequence of str
            Content hashes.
        packed : sequence of ndarray
            Each song's packed peaks.
        """
        values, places, starts = [np.empty(0, np.uint32)], [np.empty(0, np.uint32)], [0]
        for peaks in map(Peaks.unpacked, packed):
            landmarks = song_landmarks(peaks)
            values.append(landmarks.values.astype(np.uint32))
            # Whole numbers: float32 has no odd ones beyond 2^24 frames, 2,237 songs of 4 minutes.
            places.append((landmarks.frames.astype(np.int64) + starts[-1]).astype(np.uint32))
            starts.append(starts[-1] + (int(peaks.frames[-1]) + 1 if len(peaks) else 1))
        value, place = np.concatenate(values), np.concatenate(places)
        directory = np.zeros(LANDMARK_VALUES + 1, np.uint32)
        np.cumsum(np.bincount(value, minlength=LANDMARK_VALUES), out=directory[1:])
        sizes = [len(peaks) for peaks in packed]
        return cls(
            songs=np.array(songs, np.str_),
            starts=np.array(starts, np.uint32),
            directory=directory,
            postings=place[np.argsort(value, kind="stable")],
            peaks=np.concatenate([np.empty(0, np.uint32), *packed]),
            peak_starts=np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]),
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open one that was saved; its arrays are read as they are needed.

        Raises
        ------
        OSError, ValueError
            If it is not whole.
        """
        arrays: dict[str, Any] = {
            # As plain arrays, which are cut several times as fast as what numpy calls a memmap.
            field.name: np.asarray(np.load(folder / f"{field.name}.npy", mmap_mode="r"))
            for field in fields(cls)
        }
        return cls(**arrays)

    def save(self, folder: Path) -> None:
        """Write it to a folder that is not there yet, which appears when it is whole."""
        part = folder.with_name(folder.name + PART_SUFFIX)
        part.mkdir(parents=True)
        try:
            for field in fields(self):
                np.save(part / f"{field.name}.npy", getattr(self, field.name))
            part.rename(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    def __len__(self) -> int:
        return len(self.songs)

    @property
    def seconds(self) -> float:
        """Return how long its songs last together."""
        return float(self.starts[-1]) / FRAMES_PER_SECOND

    @property
    def bytes(self) -> int:
        """Return what it takes on the disk."""
        return sum(int(getattr(self, field.name).nbytes) for field in fields(self))

    def packed_peaks(self, song: int) -> NDArray[np.uint32]:
        """Return the packed peaks of a song."""
        return self.peaks[self.peak_starts[song] : self.peak_starts[song + 1]]

    def packed_within(self, song: int, start: float, stop: float) -> NDArray[np.uint32]:
        """Return the packed peaks of a song between two frames, the second one not included."""
        packed = self.packed_peaks(song)
        bounds = (packed_frame(max(start, 0.0)), packed_frame(max(stop, 0.0)))
        first, last = packed.searchsorted(np.array(bounds, np.uint32))
        return packed[first:last]

    def candidates(
        self, clip: Landmarks, count: int, dead: NDArray[np.bool_] | None = None
    ) -> list[Candidate]:
        """Return the places for which most of a clip's landmarks vote.

        Parameters
        ----------
        clip : Landmarks
            Of the clip.
        count : int
            The most candidates.
        dead : ndarray [shape=(n,)], optional
            Songs that are passed over.
        """
        first = self.directory[clip.values].astype(np.int64)
        counts = self.directory[clip.values + 1] - first
        # Half frames are rounded up, so that the cell is where the clip starts, rounded down.
        later = np.ceil(np.rint(2 * clip.frames) / 2).astype(np.int64)
        cells = self._cells(first, counts, later)
        if len(cells) == 0:
            return []
        kept = _most_voted(cells, count * _SURVIVORS)
        voter = np.searchsorted(np.cumsum(counts), kept, side="right")
        cells = cells[kept].astype(np.int64)
        songs = np.searchsorted(self.starts, cells + later[voter], side="right") - 1
        if dead is not None:
            alive = ~dead[songs]
            songs, cells = songs[alive], cells[alive]
        return self._best(songs, cells, count)

    def _cells(
        self, first: NDArray[np.int64], counts: NDArray[np.int64], later: NDArray[np.int64]
    ) -> NDArray[np.signedinteger]:
        """Return in which frame of the line the clip would start, by each posting of some runs."""
        # 32 bits are read faster, and do for all but segments of very long songs.
        narrow = max(int(self.starts[-1]), len(self.postings)) < _NARROW
        whole: type[np.signedinteger] = np.int32 if narrow else np.int64
        before = np.cumsum(counts) - counts
        rows = np.repeat((first - before).astype(whole), counts)
        rows += np.arange(len(rows), dtype=whole)
        cells = self.postings.take(rows).astype(whole, copy=False)
        cells -= np.repeat(later.astype(whole), counts)
        return cells

    def _best(
        self, songs: NDArray[np.int64], cells: NDArray[np.int64], count: int
    ) -> list[Candidate]:
        # A song's number above, the cell below: one number for each place of each song.
        keys, votes = np.unique((songs << 34) + cells + (1 << 32), return_counts=True)
        # A place between two cells has votes in both.
        follows = np.flatnonzero(np.diff(keys) == 1)
        sums = votes.copy()
        sums[follows] += votes[follows + 1]
        chosen: list[Candidate] = []
        taken: dict[int, list[int]] = {}
        for row in np.argsort(-sums, kind="stable"):
            song = int(keys[row] >> 34)
            cell = int(keys[row] - (song << 34) - (1 << 32))
            near = taken.setdefault(song, [])
            if len(near) == PLACES_A_SONG or any(abs(cell - other) <= 2 for other in near):
                continue
            near.append(cell)
            chosen.append(Candidate(song, cell + 1.0 - float(self.starts[song]), int(sums[row])))
            if len(chosen) == count:
                break
        return chosen


def _most_voted(cells: NDArray[np.signedinteger], most: int) -> NDArray[np.intp]:
    """Return which votes are in cells, or beside cells, that have the most of them.

    Votes are counted in tables that many cells share, which is several times as fast as sorting
    them: first in one that lies in a core's cache and where chance has a few votes everywhere,
    which leaves a tenth of them, then by another division.
    """
    bits = min(max(len(cells).bit_length() - 1, _LEAST_TABLE_BITS), _MOST_TABLE_BITS)
    some = _crowded(cells & ((1 << bits) - 1), 1 << bits, (1 << bits) // _LOOKED_AT_AGAIN)
    size = 2 * (len(some) // 2) + _LEAST_TABLE
    return some[_crowded(cells[some] % size, size, most)]


def _crowded(cells: NDArray[np.signedinteger], size: int, most: int) -> NDArray[np.intp]:
    """Return which votes, for cells of a table, are for those that have most, or beside them."""
    shared = cells.astype(np.intp)
    counts = np.bincount(shared, minlength=size)
    counts += np.roll(counts, -1)
    # How many cells have so many votes, or more; where too many tie, none is better than chance.
    step = 1 + size // _LEAST_TABLE // 4
    having = step * np.cumsum(np.bincount(counts[::step])[::-1])[::-1]
    least = max(2, int(np.searchsorted(-having, -most)))
    full = counts >= least
    full |= np.roll(full, 1)
    return np.flatnonzero(full.take(shared))
