"""How strong each of the twelve pitch classes is along a song.

Magnitudes of half-second spectra are folded into pitch classes, as in [1]_, equal temperament and
A4 = 440 Hz taken for granted; each column is scaled so that its strongest class is one.

References
----------
.. [1] T. Fujishima, "Realtime chord recognition of musical sound: a system using Common Lisp
       Music", ICMC 1999.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.views.bands import Framer, power_spectra
from songprint.views.pools import MeanPool

FFT_SAMPLES = 8_192
HOP_SAMPLES = 2_048
LOWEST_HZ, HIGHEST_HZ = 65.0, 2_100.0
"""C2 to C7: below, a bin is as wide as a semitone; above, overtones are stronger than notes."""

SILENT_POWER = 1e-7
"""Mean square below which (-70 dBFS) a frame has no pitch to speak of."""


@cache
def _folding() -> NDArray[np.float32]:
    """Return how much each bin (rows) belongs to each pitch class (columns)."""
    bin_hz = np.arange(FFT_SAMPLES // 2 + 1) * SAMPLE_RATE_HZ / FFT_SAMPLES
    used = (bin_hz >= LOWEST_HZ) & (bin_hz <= HIGHEST_HZ)
    semitones = 69 + 12 * np.log2(np.where(used, bin_hz, 440.0) / 440)
    away = (semitones[:, None] - np.arange(12) + 6) % 12 - 6
    # A quarter-tone off, half belongs to either neighbour.
    shares: NDArray[np.float32] = (np.cos(np.pi / 2 * np.clip(away, -1, 1)) ** 2).astype(np.float32)
    shares[~used] = 0
    shares.setflags(write=False)
    return shares


class Chroma:
    """Pools the chroma of a song.

    Parameters
    ----------
    columns : int
        The least columns to be kept of a long song.
    """

    def __init__(self, columns: int) -> None:
        self._framer = Framer(FFT_SAMPLES, HOP_SAMPLES, centred=True)
        self._pool = MeanPool(columns)

    def add(self, block: NDArray[np.float32]) -> None:
        """Take the next samples [shape=(n,)]."""
        self._pool_frames(self._framer.add(block))

    def _pool_frames(self, frames: NDArray[np.float32]) -> None:
        for start in range(0, len(frames), 32):
            power = power_spectra(frames[start : start + 32])
            power[power.sum(axis=1) < SILENT_POWER * FFT_SAMPLES] = 0
            self._pool.add(np.sqrt(power) @ _folding())

    def finish(self, most: int) -> tuple[NDArray[np.float32], float, float]:
        """Return the chroma; nothing may be added after.

        Parameters
        ----------
        most : int
            How many columns are wanted.

        Returns
        -------
        strengths : ndarray [shape=(m, 12)]
            0 to 1, C first; all 0 in silence.
        start_seconds, end_seconds : float
            What the columns span.
        """
        self._pool_frames(self._framer.finish())
        strengths = np.maximum(self._pool.columns_of(most), 0)
        strengths /= np.maximum(strengths.max(axis=1, keepdims=True), 1e-9)
        hop_seconds = HOP_SAMPLES / SAMPLE_RATE_HZ
        return strengths, -hop_seconds / 2, (self._pool.frames - 0.5) * hop_seconds
