"""The classic baseline: statistics of mel-frequency cepstral coefficients.

References
----------
.. [1] S. B. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic
       word recognition", IEEE Transactions on Acoustics, Speech, and Signal Processing, 1980.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import LOG_GAIN

COEFFICIENTS = 20
_FLOOR = 1e-8


def mfcc_statistics(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Summarise a song by its MFCCs and their differences.

    Parameters
    ----------
    frames : ndarray [shape=(n, 96)]
        Log-mel frames of :mod:`songprint.audio.mel`, n ≥ 2.

    Returns
    -------
    ndarray [shape=(80,)]
        Mean and standard deviation of 20 coefficients (of the mel power in dB, 80 dB deep) and
        of their differences between frames.

    Raises
    ------
    ValueError
        If there are fewer than two frames.
    """
    from scipy.fft import dct

    if len(frames) < 2:
        raise ValueError("MFCC statistics need two frames or more")
    power = (np.power(10.0, frames.astype(np.float64)) - 1) / LOG_GAIN
    decibels = 10 * np.log10(np.maximum(power, _FLOOR))
    decibels = np.maximum(decibels, decibels.max() - 80)
    coefficients = dct(decibels, type=2, norm="ortho", axis=1)[:, :COEFFICIENTS]
    deltas = np.diff(coefficients, axis=0)
    parts = [coefficients.mean(0), coefficients.std(0), deltas.mean(0), deltas.std(0)]
    return np.concatenate(parts)
