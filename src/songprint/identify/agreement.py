"""How well a clip agrees with a song at one place of it: the evidence, as a log-likelihood ratio.

Each peak that the song has while the clip lasts is either there in the clip, within half a frame
and half a bin, or not. By chance it is there as often as the clip has any peak at that frequency,
times as often as it has any at that time: a clip that holds a note agrees with every song that has
this note, one on the beat with every song that keeps the beat, and that proves little. If the song
is the clip's, a share of its peaks has survived whatever happened to the sound; the share is not
known, and the one that fits best is taken.

The peaks of one moment are not independent: a note that two songs share brings all its partials.
So no moment proves more than a little, however many peaks agree in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from songprint.audio.peaks import FRAMES_PER_SECOND, HIGHEST_BIN, Peaks

LEAST_PEAKS = 6
"""Of a song's peaks within a clip; fewer tell nothing."""

_CELLS_PER_FRAME = 2
_CELLS_PER_BIN = 2
_REACH_CELLS = 1
_SURVIVING = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97])
_CHANCES = np.geomspace(0.01, 0.98, 48)
_THERE = _CHANCES + (1 - _CHANCES) * _SURVIVING[:, None]
_IF_THERE = np.log(_THERE / _CHANCES).astype(np.float32)
_IF_NOT = np.log((1 - _THERE) / (1 - _CHANCES)).astype(np.float32)
"""What a peak of the song says if the clip has it and if not, by what survives and by chance."""

_MOMENT_CELLS = 2
_MOST_PROVED = 3.0
"""What one moment's peaks can prove."""

_SHIFTS_FRAMES = (-1.0, -0.5, 0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Agreement:
    """What a clip and a place of a song have in common.

    Attributes
    ----------
    evidence : float
        Logarithm of how much likelier it is if the clip is from there than if it is not.
    frame : float
        Where the clip starts in the song.
    share : float
        Of the song's peaks that the clip has.
    peaks : int
        That the song has within the clip.
    """

    evidence: float
    frame: float
    share: float
    peaks: int


class ClipGrid:
    """A clip's peaks on a grid of time and frequency, to compare songs with.

    Parameters
    ----------
    peaks : Peaks
        Of the clip.
    seconds : float
        Its length.
    """

    def __init__(self, peaks: Peaks, seconds: float) -> None:
        self.frames = seconds * FRAMES_PER_SECOND
        cells = int(self.frames * _CELLS_PER_FRAME) + 1
        there = np.zeros((cells + 2, (HIGHEST_BIN + 1) * _CELLS_PER_BIN), bool)
        time = np.rint(peaks.frames * _CELLS_PER_FRAME).astype(np.intp)
        place = np.rint(peaks.bins * _CELLS_PER_BIN).astype(np.intp)
        inside = (time < cells) & (place < there.shape[1] - _REACH_CELLS)
        time, place = time[inside], place[inside]
        for later in range(2 * _REACH_CELLS + 1):
            for higher in range(-_REACH_CELLS, _REACH_CELLS + 1):
                there[time + later, place + higher] = True
        self._there = there[_REACH_CELLS:-_REACH_CELLS]
        often = self._there.mean()
        self._by_bin = self._there.mean(axis=0) / max(float(often), 1e-9)
        self._by_time = self._there.mean(axis=1)

    def best(
        self, songs: Sequence[NDArray[np.uint32]], starts: Sequence[float]
    ) -> tuple[int, Agreement] | None:
        """Compare with songs at places of them, and a frame before and after.

        Parameters
        ----------
        songs : sequence of ndarray
            Of each candidate: the song's packed peaks, or those of the part around the place.
        starts : sequence of float
            At which frame of each the clip is taken to start.

        Returns
        -------
        tuple of int and Agreement, or None
            Which agrees best, and how; None where none has enough peaks.
        """
        found: tuple[int, Agreement] | None = None
        if not songs:
            return None
        owner = np.repeat(np.arange(len(songs)), [len(song) for song in songs])
        peaks = Peaks.unpacked(np.concatenate(songs))
        frames = peaks.frames - np.asarray(starts)[owner]
        place = np.rint(peaks.bins * _CELLS_PER_BIN).astype(np.intp)
        for shift in _SHIFTS_FRAMES:
            time = np.rint((frames - shift) * _CELLS_PER_FRAME).astype(np.intp)
            within = np.flatnonzero((time >= 0) & (time < len(self._there)))
            here = self._best_at(time[within], place[within], owner[within])
            if here is not None and (found is None or here[1].evidence > found[1].evidence):
                which, agreement = here
                found = which, replace(agreement, frame=starts[which] + shift)
        return found

    def _best_at(
        self, time: NDArray[np.intp], place: NDArray[np.intp], owner: NDArray[np.intp]
    ) -> tuple[int, Agreement] | None:
        owners, first, counts = np.unique(owner, return_index=True, return_counts=True)
        if len(owners) == 0:
            return None
        there = self._there[time, place]
        chance = self._by_bin[place] * self._by_time[time]
        step = np.searchsorted(_CHANCES[1:], chance, side="right")
        ratios = np.where(there, _IF_THERE[:, step], _IF_NOT[:, step])
        moment = owner * (len(self._there) + 1) + time // _MOMENT_CELLS
        begins = np.flatnonzero(np.diff(moment, prepend=-1))
        proved = np.add.reduceat(ratios, begins, axis=1)
        proved = np.where(proved > 0, _MOST_PROVED * np.tanh(proved / _MOST_PROVED), proved)
        evidence = np.add.reduceat(proved, np.searchsorted(begins, first), axis=1).max(axis=0)
        evidence[counts < LEAST_PEAKS] = -np.inf
        row = int(evidence.argmax())
        if counts[row] < LEAST_PEAKS:
            return None
        share = float(there[first[row] : first[row] + counts[row]].mean())
        return int(owners[row]), Agreement(float(evidence[row]), 0.0, share, int(counts[row]))
