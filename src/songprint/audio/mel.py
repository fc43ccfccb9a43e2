"""The front end: log-mel frames at 16 kHz, as MusiCNN and the field's taggers hear music.

Short-time Fourier transform of 512 samples every 256, periodic Hann window, centred
(the signal is padded with 256 zeros at both ends); power; 96 Slaney mel bands from 0 to
8 kHz with Slaney area normalisation; ``log10(1 + 10000 * mel)``.

References
----------
.. [1] M. Slaney, "Auditory Toolbox, version 2", Interval Research Corporation, 1998.
.. [2] J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music
       audio tagging", ISMIR late-breaking demo, 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from songprint.audio.spectrum import power_spectra

SAMPLE_RATE_HZ = 16_000
FFT_SAMPLES = 512
HOP_SAMPLES = 256
MEL_BANDS = 96
WINDOW_FRAMES = 187
FRAMES_PER_SECOND = SAMPLE_RATE_HZ / HOP_SAMPLES
WINDOW_SECONDS = WINDOW_FRAMES / FRAMES_PER_SECOND
LOG_GAIN = 10_000.0

_PAD_SAMPLES = FFT_SAMPLES // 2
# Frames at once: their spectra stay in a core's second-level cache.
_BLOCK_FRAMES = 512
_GROUP_BANDS = 32

Samples = NDArray[np.float32]
Frames = NDArray[np.float32]


def hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert frequencies to the Slaney mel scale: linear to 1 kHz, logarithmic above [1]_.

    Parameters
    ----------
    hz : ndarray [shape=(n,)]
        Frequencies in hertz, not negative.

    Returns
    -------
    ndarray [shape=(n,)]
        The same in mel.
    """
    linear = hz * (3.0 / 200.0)
    logarithmic = 15.0 + np.log(np.maximum(hz, 1000.0) / 1000.0) * (27.0 / np.log(6.4))
    return np.where(hz < 1000.0, linear, logarithmic)


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert :func:`hz_to_mel`.

    Parameters
    ----------
    mel : ndarray [shape=(n,)]
        Values on the Slaney mel scale.

    Returns
    -------
    ndarray [shape=(n,)]
        Frequencies in hertz.
    """
    return np.where(
        mel < 15.0, mel * (200.0 / 3.0), 1000.0 * np.exp((mel - 15.0) * (np.log(6.4) / 27.0))
    )


@cache
def mel_filterbank() -> NDArray[np.float32]:
    """Return the triangular mel filters, each of unit area over hertz.

    Returns
    -------
    ndarray [shape=(257, 96)]
        Weight of each frequency bin (rows) in each mel band (columns); read-only.
    """
    bin_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, FFT_SAMPLES // 2 + 1)
    ends_mel = hz_to_mel(np.array([0.0, SAMPLE_RATE_HZ / 2]))
    edges_hz = mel_to_hz(np.linspace(ends_mel[0], ends_mel[1], MEL_BANDS + 2))
    lower, centre, upper = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bin_hz[:, None] - lower) / (centre - lower)
    falling = (upper - bin_hz[:, None]) / (upper - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    weights = (triangles * (2.0 / (upper - lower))).astype(np.float32)
    weights.setflags(write=False)
    return weights


@cache
def _filter_groups() -> list[tuple[slice, slice, NDArray[np.float32]]]:
    """Cut the filterbank into groups of bands and the bins they reach: a third of the products."""
    filters = mel_filterbank()
    groups = []
    for first in range(0, MEL_BANDS, _GROUP_BANDS):
        bands = slice(first, first + _GROUP_BANDS)
        reached = np.flatnonzero(filters[:, bands].any(axis=1))
        bins = slice(int(reached[0]), int(reached[-1]) + 1)
        groups.append((bins, bands, np.ascontiguousarray(filters[bins, bands])))
    return groups


@cache
def _hann() -> Samples:
    phase = 2.0 * np.pi * np.arange(FFT_SAMPLES) / FFT_SAMPLES
    window = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
    window.setflags(write=False)
    return window


def _frames_of(padded: Samples) -> Frames:
    """Log-mel frames of samples that already carry their padding."""
    count = (len(padded) - FFT_SAMPLES) // HOP_SAMPLES + 1
    if count <= 0:
        return np.empty((0, MEL_BANDS), np.float32)
    overlapping = np.lib.stride_tricks.sliding_window_view(padded, FFT_SAMPLES)[::HOP_SAMPLES]
    mel = np.empty((count, MEL_BANDS), np.float32)
    for start in range(0, count, _BLOCK_FRAMES):
        rows = mel[start : start + _BLOCK_FRAMES]
        block = overlapping[start : start + _BLOCK_FRAMES]
        power = power_spectra(block, _hann(), 0, FFT_SAMPLES // 2 + 1)
        for bins, bands, weights in _filter_groups():
            np.matmul(power[:, bins], weights, out=rows[:, bands])
        rows *= np.float32(LOG_GAIN)
        rows += np.float32(1.0)
        np.log10(rows, out=rows)
    return mel


def log_mel(samples: Samples) -> Frames:
    """Compute the log-mel frames of a whole signal.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
        Mono float32 samples at 16 kHz, full scale at ±1.

    Returns
    -------
    ndarray [shape=(1 + n // 256, 96)]
        One row every 16 ms; no row for an empty signal.

    Raises
    ------
    ValueError
        If `samples` is not a one-dimensional float32 array.
    """
    return np.concatenate(list(stream_log_mel([samples])))


def stream_log_mel(blocks: Iterable[Samples]) -> Iterator[Frames]:
    """Compute log-mel frames of a signal that arrives in blocks of any length.

    The frames are those of :func:`log_mel` over the concatenated blocks; memory is bounded by
    the longest block.

    Parameters
    ----------
    blocks : iterable of ndarray [shape=(n,)]
        Mono float32 samples at 16 kHz; blocks may be empty.

    Yields
    ------
    ndarray [shape=(m, 96)]
        The frames that each block completes, then those of the padded end; ``m`` may be 0.

    Raises
    ------
    ValueError
        If a block is not a one-dimensional float32 array.
    """
    pending = np.zeros(_PAD_SAMPLES, np.float32)
    heard_samples = 0
    for block in blocks:
        if block.ndim != 1 or block.dtype != np.float32:
            raise ValueError(
                f"samples must be one-dimensional float32, not {block.ndim}-d {block.dtype}"
            )
        heard_samples += len(block)
        pending = np.concatenate([pending, block])
        frames = _frames_of(pending)
        yield frames
        pending = pending[len(frames) * HOP_SAMPLES :]
    if heard_samples:
        yield _frames_of(np.concatenate([pending, np.zeros(_PAD_SAMPLES, np.float32)]))
    else:
        yield np.empty((0, MEL_BANDS), np.float32)
