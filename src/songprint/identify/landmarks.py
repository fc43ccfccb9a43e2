"""Landmarks: pairs of peaks, as numbers that are looked up.

A landmark is a peak, another that follows within half a second and half a kilohertz, and the time
between them [1]_: 21 bits, in bins of 7.8 Hz and frames of 32 ms. A song keeps three for each of
its peaks. A clip tries all pairs of its many peaks, and where a peak lies between two bins or the
time between two frames, both: what a song stores is little, what a clip asks for is cheap.

References
----------
.. [1] A. Wang, "An industrial-strength audio search algorithm", ISMIR, 2003.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songprint.audio.peaks import Peaks

LEAST_FRAMES, MOST_FRAMES = 2, 17
MOST_BINS_APART = 63
LANDMARKS_A_PEAK = 3

_TIME_BITS = 4
_APART_BITS = 7
LANDMARK_VALUES = 1 << (10 + _APART_BITS + _TIME_BITS)

_BIN_AMBIGUOUS = 0.25
_TIME_AMBIGUOUS = 0.2
"""How far from a whole bin or frame its other neighbour is tried, too."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Landmarks of a song or of a clip.

    Attributes
    ----------
    values : ndarray [shape=(n,)]
        int64, below ``LANDMARK_VALUES``.
    frames : ndarray [shape=(n,)]
        float32, when the first of the two peaks is, in frames of a song.
    """

    values: Numbers
    frames: NDArray[np.float32]

    def some(self, most: int) -> Landmarks:
        """Return so many at even distances, or all if they are not as many."""
        if len(self.values) <= most:
            return self
        kept = np.linspace(0, len(self.values) - 1, most).astype(np.intp)
        return Landmarks(self.values[kept], self.frames[kept])


def song_landmarks(peaks: Peaks) -> Landmarks:
    """Return the landmarks that a song is found by.

    Parameters
    ----------
    peaks : Peaks
        Of the song, as they were packed.
    """
    frames = np.rint(peaks.frames).astype(np.int64)
    bins = np.rint(peaks.bins).astype(np.int64)
    first, second = _pairs(peaks, LANDMARKS_A_PEAK)
    between = frames[second] - frames[first]
    values, fits = _values(bins[first], bins[second], between)
    return Landmarks(values[fits], peaks.frames[first[fits]])


def clip_landmarks(peaks: Peaks, *, few: bool = False) -> Landmarks:
    """Return the landmarks that a clip asks for, each in all variants that are likely, by value.

    In this order an index is read from its beginning to its end.

    Parameters
    ----------
    peaks : Peaks
        Of the clip.
    few : bool
        Only the nearest bins: half of all, which get five sixths of the votes.
    """
    first, second = _pairs(peaks, None)
    bins, other_bins, bins_ambiguous = _nearest_two(peaks.bins, _BIN_AMBIGUOUS)
    times, other_times, times_ambiguous = _nearest_two(
        peaks.frames[second] - peaks.frames[first], _TIME_AMBIGUOUS
    )
    variants = []
    for a in (False,) if few else (False, True):
        for b in (False,) if few else (False, True):
            for c in (False, True):
                wanted = np.ones(len(first), bool)
                wanted &= bins_ambiguous[first] if a else True
                wanted &= bins_ambiguous[second] if b else True
                wanted &= times_ambiguous if c else True
                values, fits = _values(
                    (other_bins if a else bins)[first],
                    (other_bins if b else bins)[second],
                    other_times if c else times,
                )
                wanted &= fits
                variants.append(Landmarks(values[wanted], peaks.frames[first[wanted]]))
    values = np.concatenate([each.values for each in variants])
    order = np.argsort(values, kind="stable")
    return Landmarks(values[order], np.concatenate([each.frames for each in variants])[order])


def _pairs(peaks: Peaks, most: int | None) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs of peaks, for each peak at most so many, the nearest in time."""
    firsts, seconds = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    counts = np.zeros(len(peaks), np.intp)
    for step in range(1, len(peaks)):
        first = np.arange(len(peaks) - step)
        frames = peaks.frames[step:] - peaks.frames[:-step]
        if frames.min() > MOST_FRAMES + 0.5:
            break
        near = (frames > LEAST_FRAMES - 0.5) & (frames < MOST_FRAMES + 0.5)
        near &= np.abs(peaks.bins[step:] - peaks.bins[:-step]) <= MOST_BINS_APART
        if most is not None:
            near &= counts[: len(first)] < most
        first = first[near]
        counts[first] += 1
        firsts.append(first)
        seconds.append(first + step)
    return np.concatenate(firsts), np.concatenate(seconds)


def _values(first: Numbers, second: Numbers, frames: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return the values of pairs, and which of them are pairs that a song could keep."""
    apart = second - first
    fits = (np.abs(apart) <= MOST_BINS_APART) & (frames >= LEAST_FRAMES) & (frames <= MOST_FRAMES)
    fits &= (first >= 0) & (first < 1 << 10)
    values = (first << (_APART_BITS + _TIME_BITS)) | ((apart + 64) << _TIME_BITS)
    return values | (frames - LEAST_FRAMES), fits


def _nearest_two(
    values: NDArray[np.float32], ambiguous_from: float
) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    """Return the nearest whole number, the one next to it, and whether that could be meant."""
    nearest = np.rint(values)
    away = values - nearest
    other = nearest + np.where(away < 0, -1, 1)
    return nearest.astype(np.int64), other.astype(np.int64), np.abs(away) > ambiguous_from
