"""How well a clip agrees with a song at one place of it: the evidence, as a log-likelihood ratio.

Each peak that the song has while the clip lasts is either there in the clip, within half a frame
and half a bin, or not. By chance it is there as often as the clip has any peak at that frequency: a
clip that holds a note agrees with every song that has this note, and that proves little. If the
song is the clip's, a share of its peaks has survived whatever happened to the sound; the share is
not known, and the one that fits best is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songprint.audio.peaks import FRAMES_PER_SECOND, HIGHEST_BIN, Peaks

LEAST_PEAKS = 6
"""Of a song's peaks within a clip; fewer tell nothing."""

_CELLS_PER_FRAME = 2
_CELLS_PER_BIN = 2
_REACH_CELLS = 1
_LEAST_CHANCE = 0.01
_MOST_CHANCE = 0.98
_SURVIVING = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97])
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
        chance = self._there.mean(axis=0)
        self._chance = np.clip(chance, _LEAST_CHANCE, _MOST_CHANCE)

    def compare(self, song: Peaks, frame: float) -> Agreement | None:
        """Compare with a song at a place of it, and a frame before and after.

        Parameters
        ----------
        song : Peaks
            Of the song, or of the part around the place.
        frame : float
            Where the clip is taken to start.

        Returns
        -------
        Agreement or None
            At the best place; None where the song has too few peaks.
        """
        start, stop = np.searchsorted(song.frames, (frame - 1, frame + self.frames + 1))
        frames = song.frames[start:stop]
        place = np.rint(song.bins[start:stop] * _CELLS_PER_BIN).astype(np.intp)
        found = [self._at(frames, place, frame + shift) for shift in _SHIFTS_FRAMES]
        heard = [agreement for agreement in found if agreement is not None]
        return max(heard, key=lambda agreement: agreement.evidence, default=None)

    def _at(
        self, frames: NDArray[np.float32], place: NDArray[np.intp], frame: float
    ) -> Agreement | None:
        time = np.rint((frames - frame) * _CELLS_PER_FRAME).astype(np.intp)
        within = (time >= 0) & (time < len(self._there))
        if within.sum() < LEAST_PEAKS:
            return None
        there = self._there[time[within], place[within]]
        chance = self._chance[place[within]]
        surviving = chance + (1 - chance) * _SURVIVING[:, None]
        ratios = np.where(there, np.log(surviving / chance), np.log((1 - surviving) / (1 - chance)))
        evidence = float(ratios.sum(axis=1).max())
        return Agreement(evidence, frame, float(there.mean()), len(there))
