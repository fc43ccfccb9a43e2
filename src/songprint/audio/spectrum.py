"""Power spectra of many frames at once: of the front ends, of chroma and of roughness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.float32]

_TOGETHER = 1 << 16
"""Samples transformed at once: they, and their spectra, stay in a core's second-level cache."""


def power_spectra(frames: Frames, window: Frames, first: int, stop: int) -> Frames:
    """Return the power of some bins of the Fourier transform of real frames.

    Parameters
    ----------
    frames : ndarray [shape=(m, n)]
        float32; they may overlap in memory, and stay as they are.
    window : ndarray [shape=(n,)]
        What each frame is multiplied by.
    first, stop : int
        Bins from `first` up to but without `stop`.

    Returns
    -------
    ndarray [shape=(m, stop - first)]
        Squared magnitudes, not scaled.
    """
    from scipy.fft import rfft

    power = np.empty((len(frames), stop - first), np.float32)
    step = max(1, _TOGETHER // frames.shape[1])
    windowed = np.empty((min(step, len(frames)), frames.shape[1]), np.float32)
    for start in range(0, len(frames), step):
        some = frames[start : start + step]
        spectra = rfft(np.multiply(some, window, out=windowed[: len(some)]), axis=1)
        # The squares of all parts, then their sums in pairs: each goes through memory in order.
        parts = spectra.view(np.float32)[:, 2 * first : 2 * stop]
        np.square(parts, out=parts)
        np.add(parts[:, ::2], parts[:, 1::2], out=power[start : start + step])
    return power
