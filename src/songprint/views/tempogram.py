"""Which tempos are felt along a song: the autocorrelation of its accents, as in [1]_.

A peak at a tempo T comes with peaks at T/2, T/3 …: at these, too, accents meet accents.

References
----------
.. [1] P. Grosche, M. Müller and F. Kurth, "Cyclic tempogram: a mid-level tempo representation for
       music signals", ICASSP 2010.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import FRAMES_PER_SECOND
from songprint.descriptors.onsets import accents
from songprint.views.pools import MeanPool

LOWEST_BPM, HIGHEST_BPM = 40.0, 240.0
POINTS = 128

WINDOW_FRAMES = 512
"""8.2 s: five beats of the slowest tempo."""

HOP_FRAMES = 16
_LAGS = int(FRAMES_PER_SECOND * 60 / LOWEST_BPM) + 2
_BATCH = 256


@cache
def tempos_bpm() -> NDArray[np.float64]:
    """Return the tempos of a tempogram's points, in log order [shape=(t,)]; read-only."""
    tempos: NDArray[np.float64] = np.geomspace(LOWEST_BPM, HIGHEST_BPM, POINTS)
    tempos.setflags(write=False)
    return tempos


def tempogram(onsets: NDArray[np.float32], most: int) -> tuple[NDArray[np.float32], float, float]:
    """Autocorrelate accents around every moment.

    Parameters
    ----------
    onsets : ndarray [shape=(n,)]
        Envelope of :func:`songprint.descriptors.onsets.onset_envelope`, every 16 ms.
    most : int
        How many columns are wanted.

    Returns
    -------
    strengths : ndarray [shape=(m, t)]
        Autocorrelation at the lags of :func:`tempos_bpm`, 0 to 1, of each column.
    start_seconds, end_seconds : float
        What the columns span.
    """
    accented = accents(onsets).astype(np.float32)
    window = min(WINDOW_FRAMES, max(len(accented), 2 * _LAGS))
    padded = np.pad(accented, (0, max(window - len(accented), 0)))
    whole = np.lib.stride_tricks.sliding_window_view(padded, window)
    # At the ends of the song the window stays within it: silence beyond has no tempo.
    starts = np.arange(0, max(len(accented), 1), HOP_FRAMES) - window // 2
    windows = whole[np.clip(starts, 0, len(whole) - 1)]
    pool = MeanPool(most)
    for start in range(0, len(windows), _BATCH):
        pool.add(_at_tempos(_autocorrelation(windows[start : start + _BATCH])))
    hop_seconds = HOP_FRAMES / FRAMES_PER_SECOND
    return pool.columns_of(most), -hop_seconds / 2, (pool.frames - 0.5) * hop_seconds


def _autocorrelation(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return it at the first lags [shape=(n, _LAGS)], in shares of what it is at lag 0."""
    from scipy.fft import irfft, rfft

    length = windows.shape[1]
    centred = windows - windows.mean(axis=1, keepdims=True)
    spectra = rfft(centred, 2 * length, axis=1)
    products = irfft(np.square(np.abs(spectra)), 2 * length, axis=1)[:, :_LAGS]
    # A lag of l compares l fewer frames.
    products *= length / (length - np.arange(_LAGS, dtype=np.float32))
    shares: NDArray[np.float32] = np.clip(products / np.maximum(products[:, :1], 1e-9), 0, 1)
    return shares


def _at_tempos(lags: NDArray[np.float32]) -> NDArray[np.float32]:
    place = FRAMES_PER_SECOND * 60 / tempos_bpm()
    left = place.astype(int)
    share = (place - left).astype(np.float32)
    strengths: NDArray[np.float32] = lags[:, left] * (1 - share) + lags[:, left + 1] * share
    return strengths
