"""Power in fractional-octave bands, over a whole song and along it.

Everything is power: 0 dBFS is a mean square of one, that of a full-scale square wave, as in
`songprint.fingerprints.Segment.level_dbfs`; a full-scale sine is -3.0 dBFS. A band is a twelfth of
an octave wide and slides over the frequencies, so that a sine shows its own level whatever its
frequency, and pink noise is flat.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.views.pools import MeanPool

BANDS_PER_OCTAVE = 12
POINTS_PER_OCTAVE = 48
LOWEST_HZ = 40.0
HIGHEST_HZ = SAMPLE_RATE_HZ / 2 * 2 ** (-1 / (2 * BANDS_PER_OCTAVE))
"""The centre of the last band that ends below 8 kHz, where what songprint hears ends."""

FLOOR_DBFS = -120.0

LONG_FFT_SAMPLES = 16_384
"""About a second: the bins are 1 Hz wide, less than half a band at 40 Hz."""

SHORT_FFT_SAMPLES = 2_048
SHORT_HOP_SAMPLES = 512
"""128 ms every 32 ms; below 270 Hz the window blurs tones over more than a band."""

# The squares of Hann windows that overlap by three quarters add up to this, everywhere.
_HANN_SQUARES_SUM = 1.5

Power = NDArray[np.float32]


@cache
def band_centres_hz() -> NDArray[np.float64]:
    """Return the centres of the bands, in log-frequency order [shape=(b,)]; read-only."""
    points = int(np.log2(HIGHEST_HZ / LOWEST_HZ) * POINTS_PER_OCTAVE) + 1
    centres: NDArray[np.float64] = np.geomspace(LOWEST_HZ, HIGHEST_HZ, points)
    centres.setflags(write=False)
    return centres


@cache
def _band_weights(fft_samples: int) -> Power:
    """Return how much of each bin (rows) lies in each band (columns)."""
    bin_hz = SAMPLE_RATE_HZ / fft_samples
    centres = band_centres_hz()
    half = 2 ** (1 / (2 * BANDS_PER_OCTAVE))
    lower, upper = centres / half / bin_hz, centres * half / bin_hz
    bins = np.arange(fft_samples // 2 + 1)[:, None]
    covered = np.minimum(bins + 0.5, upper) - np.maximum(bins - 0.5, lower)
    weights: Power = np.maximum(covered, 0).astype(np.float32)
    weights.setflags(write=False)
    return weights


@cache
def hann(samples: int) -> NDArray[np.float32]:
    """Return a periodic Hann window [shape=(samples,)]; read-only."""
    phase = 2 * np.pi * np.arange(samples) / samples
    window: NDArray[np.float32] = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
    window.setflags(write=False)
    return window


def decibels(power: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return power in dBFS, at least ``FLOOR_DBFS``."""
    least = 10 ** (FLOOR_DBFS / 10)
    level: NDArray[np.float32] = (10 * np.log10(np.maximum(power, least))).astype(np.float32)
    return np.maximum(level, np.float32(FLOOR_DBFS))


class Framer:
    """Cuts a stream into overlapping frames.

    Parameters
    ----------
    samples, hop_samples : int
        Length of a frame, and how far the next one is.
    centred : bool
        Whether the frames' centres lie within the song; else every sample is in as many frames as
        any other, and the first and last frames hold little but zeros.
    """

    def __init__(self, samples: int, hop_samples: int, *, centred: bool) -> None:
        self._samples = samples
        self._hop = hop_samples
        before = samples // 2 if centred else samples - hop_samples
        self._not_started = before if centred else 0
        self._pending = np.zeros(before, np.float32)

    def add(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the frames that a block completes [shape=(n, samples)]; a view."""
        self._pending = np.concatenate([self._pending, block])
        frames = self._cut(max((len(self._pending) - self._samples) // self._hop + 1, 0))
        self._pending = self._pending[len(frames) * self._hop :]
        return frames

    def finish(self) -> NDArray[np.float32]:
        """Return the frames of the end, filled up with zeros."""
        count = max(-(-(len(self._pending) - self._not_started) // self._hop), 0)
        missing = max((count - 1) * self._hop + self._samples - len(self._pending), 0)
        self._pending = np.concatenate([self._pending, np.zeros(missing, np.float32)])
        return self._cut(count)

    def _cut(self, count: int) -> NDArray[np.float32]:
        if count == 0:
            return np.empty((0, self._samples), np.float32)
        view = np.lib.stride_tricks.sliding_window_view(self._pending, self._samples)
        return view[:: self._hop][:count]


def power_spectra(frames: NDArray[np.float32]) -> Power:
    """Return the power of frames in each bin; a frame's sum is that of its windowed samples.

    Parameters
    ----------
    frames : ndarray [shape=(n, samples)]
        Not windowed.

    Returns
    -------
    ndarray [shape=(n, 1 + samples // 2)]
        Sum of squares, both signs of a frequency together.
    """
    from scipy.fft import rfft

    samples = frames.shape[1]
    spectra = rfft(frames * hann(samples), axis=1)
    power: Power = np.square(spectra.real) + np.square(spectra.imag)
    power *= np.float32(2 / samples)
    power[:, 0] /= 2
    power[:, -1] /= 2
    return power


class LongTermSpectrum:
    """The mean power of a song in each band; every sample counts alike."""

    def __init__(self) -> None:
        hop = LONG_FFT_SAMPLES // 4
        self._framer = Framer(LONG_FFT_SAMPLES, hop, centred=False)
        self._power = np.zeros(LONG_FFT_SAMPLES // 2 + 1)
        self._samples = 0

    def add(self, block: NDArray[np.float32]) -> None:
        """Take the next samples [shape=(n,)]."""
        self._samples += len(block)
        self._sum(self._framer.add(block))

    def _sum(self, frames: NDArray[np.float32]) -> None:
        for start in range(0, len(frames), 16):  # a block's spectra at once would not fit the cache
            self._power += power_spectra(frames[start : start + 16]).sum(axis=0)

    def finish(self) -> tuple[NDArray[np.float32], float]:
        """Return the spectrum and the level; nothing may be added after.

        Returns
        -------
        bands_dbfs : ndarray [shape=(b,)]
            Power in the bands at :func:`band_centres_hz`.
        level_dbfs : float
            Power of the whole, 0 Hz and all.
        """
        self._sum(self._framer.finish())
        mean = self._power / (_HANN_SQUARES_SUM * max(self._samples, 1))
        bands = decibels(mean @ _band_weights(LONG_FFT_SAMPLES))
        return bands, float(decibels(np.array(mean.sum())))


class Spectrogram:
    """Power in the bands along a song, averaged over each column.

    Parameters
    ----------
    columns : int
        The least columns to be kept of a long song.
    """

    def __init__(self, columns: int) -> None:
        self._framer = Framer(SHORT_FFT_SAMPLES, SHORT_HOP_SAMPLES, centred=True)
        self._pool = MeanPool(columns)

    def add(self, block: NDArray[np.float32]) -> None:
        """Take the next samples [shape=(n,)]."""
        self._pool_frames(self._framer.add(block))

    def _pool_frames(self, frames: NDArray[np.float32]) -> None:
        scale = np.float32(1 / np.square(hann(SHORT_FFT_SAMPLES)).sum())
        for start in range(0, len(frames), 64):
            self._pool.add(power_spectra(frames[start : start + 64]) * scale)

    def finish(self, most: int) -> tuple[NDArray[np.float32], float, float]:
        """Return the spectrogram; nothing may be added after.

        Parameters
        ----------
        most : int
            How many columns are wanted.

        Returns
        -------
        bands_dbfs : ndarray [shape=(m, b)]
            One row a column of the picture.
        start_seconds, end_seconds : float
            What the columns span: half a hop more than the song.
        """
        self._pool_frames(self._framer.finish())
        power = np.maximum(self._pool.columns_of(most), 0) @ _band_weights(SHORT_FFT_SAMPLES)
        hop_seconds = SHORT_HOP_SAMPLES / SAMPLE_RATE_HZ
        return decibels(power), -hop_seconds / 2, (self._pool.frames - 0.5) * hop_seconds
