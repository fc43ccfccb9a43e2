"""Onsets: how much the sound rises in each frame, the ground of beat and rhythm.

The log-mel spectrum's rise within 32 ms, counted only where the neighbouring bands did not have
that level before (SuperFlux [1]_, which ignores vibrato), averaged in each octave and then over
the octaves, so that a kick weighs as much as a cymbal. A rise that falls again at once is a stroke
and counts whole; one that lasts is a note and counts less, as in median-filter separation of
percussion [2]_, or a bass between the beats would outweigh the drum on them.

References
----------
.. [1] S. Böck and G. Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013.
.. [2] D. FitzGerald, "Harmonic/percussive separation using median filtering", DAFx 2010.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import FRAMES_PER_SECOND, MEL_BANDS, SAMPLE_RATE_HZ, hz_to_mel, mel_to_hz

Envelope = NDArray[np.float32]
Floats = NDArray[np.float64]

ONSET_DELAY_FRAMES = 6
"""The envelope tells of an onset 96 ms later, when the log-mel has shown whether it lasts."""

_LAG_FRAMES = 2

ONSET_CONTEXT_FRAMES = ONSET_DELAY_FRAMES + _LAG_FRAMES
"""A value of the envelope depends on its own frame and so many before it."""

# In units of log10 power: a rise of less than 0.2 dB is leakage, not an onset.
_SMALLEST_RISE = 0.02
_SUSTAINED_SHARE = 0.15
_OCTAVE_EDGES_HZ = (0.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
_BLOCK_FRAMES = 1024

# What is an accent is judged against the second around it and the loudness of eight seconds.
_BASELINE_SECONDS = 1.0
_LEVEL_SECONDS = 8.0
_QUIETEST_LEVEL = 0.01
_SMOOTHING_FRAMES = 1.0


@cache
def _band_weights() -> NDArray[np.float32]:
    """Weight of each mel band: every octave counts alike, whatever its number of bands."""
    top_mel = hz_to_mel(np.array([SAMPLE_RATE_HZ / 2]))[0]
    centre_hz = mel_to_hz(np.linspace(0.0, top_mel, MEL_BANDS + 2))[1:-1]
    octave = np.searchsorted(_OCTAVE_EDGES_HZ, centre_hz, side="right")
    counts = np.bincount(octave)
    weights = (1.0 / (counts[octave] * (len(_OCTAVE_EDGES_HZ) - 1))).astype(np.float32)
    weights.setflags(write=False)
    return weights


def onset_envelope(log_mel: NDArray[np.float32]) -> Envelope:
    """Measure how much the sound rises in each frame.

    Parameters
    ----------
    log_mel : ndarray [shape=(n, 96)]
        Frames of :func:`songprint.audio.mel.log_mel`, 62.5 a second.

    Returns
    -------
    ndarray [shape=(n,)]
        Rise of the log10 power within 32 ms, averaged over octaves; not negative. One unit is a
        stroke of 10 dB in all of them. Each value tells of the frame `ONSET_DELAY_FRAMES` before
        it; the first `ONSET_CONTEXT_FRAMES` are 0. A song that comes in pieces has the same
        envelope when each piece is preceded by so many frames of the one before.

    Raises
    ------
    ValueError
        If `log_mel` does not have 96 bands.
    """
    if log_mel.ndim != 2 or log_mel.shape[1] != MEL_BANDS:
        raise ValueError(f"log-mel frames are [n, {MEL_BANDS}], not {list(log_mel.shape)}")
    log_mel = np.ascontiguousarray(log_mel)
    envelope = np.zeros(len(log_mel), np.float32)
    weights = _band_weights()
    for start in range(ONSET_CONTEXT_FRAMES, len(log_mel), _BLOCK_FRAMES):
        stop = min(start + _BLOCK_FRAMES, len(log_mel))
        begun = slice(start - ONSET_DELAY_FRAMES, stop - ONSET_DELAY_FRAMES)
        rise = _highest_nearby(log_mel[begun.start - _LAG_FRAMES : begun.stop - _LAG_FRAMES])
        nothing = np.zeros_like(rise)  # numpy takes an array's maximum sooner than a scalar's
        np.subtract(log_mel[begun], rise, out=rise)
        rise -= np.float32(_SMALLEST_RISE)
        np.maximum(rise, nothing, out=rise)
        fall = log_mel[begun] - log_mel[start:stop]
        np.maximum(fall, nothing, out=fall)
        np.minimum(fall, rise, out=fall)
        envelope[start:stop] = rise @ (np.float32(_SUSTAINED_SHARE) * weights)
        envelope[start:stop] += fall @ (np.float32(1.0 - _SUSTAINED_SHARE) * weights)
    return envelope


def _highest_nearby(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the highest of each band and its neighbours, of contiguous frames ``[m, 96]``."""
    highest = frames.copy()
    # One frame after the other in one row, which is faster; what that mixes up is taken again.
    row, highest_row = frames.ravel(), highest.ravel()
    np.maximum(highest_row[1:], row[:-1], out=highest_row[1:])
    np.maximum(highest_row[:-1], row[1:], out=highest_row[:-1])
    for edge, inner in ((0, 1), (-1, -2)):
        np.maximum(frames[:, edge], frames[:, inner], out=highest[:, edge])
    return highest


def accents(
    envelope: Envelope,
    *,
    smoothing_frames: float = _SMOOTHING_FRAMES,
    baseline_seconds: float = _BASELINE_SECONDS,
) -> Floats:
    """Free an onset envelope of its level: what stands out from the time around it.

    Parameters
    ----------
    envelope : ndarray [shape=(n,)]
        Of :func:`onset_envelope`.
    smoothing_frames : float
        Standard deviation of a Gaussian that the envelope is smoothed with; 0 for none.
    baseline_seconds : float
        The mean over so long a time is taken away.

    Returns
    -------
    ndarray [shape=(n,)]
        Mean about 0, root mean square about 1 over every 8 s, except where next to nothing sounds.
    """
    from scipy.ndimage import gaussian_filter1d, uniform_filter1d

    smooth = envelope.astype(np.float64)
    if smoothing_frames:
        smooth = gaussian_filter1d(smooth, smoothing_frames)
    smooth -= uniform_filter1d(smooth, round(baseline_seconds * FRAMES_PER_SECOND))
    power = uniform_filter1d(np.square(smooth), round(_LEVEL_SECONDS * FRAMES_PER_SECOND))
    level = np.sqrt(np.maximum(power, 0.0))
    return np.asarray(smooth / np.maximum(level, _QUIETEST_LEVEL))
