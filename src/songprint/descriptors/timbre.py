"""Timbre: brightness, rolloff, flatness, percussiveness, roughness, and stereo width.

- **Brightness, rolloff, flatness** describe the spectrum of each second: centroid and 85 % rolloff
  of its magnitude [1]_, and the ratio of geometric to arithmetic mean of its power [2]_. They are
  read off the front end's mel frames, whose triangles are linear in hertz and sum to one: on 140
  songs the centroid is 0.94 to 1.05 times (5 to 95 %) what librosa finds with 2048 samples.
- **Percussiveness** is harmonic-percussive separation by medians [3]_: along time they keep what
  lasts, along frequency what is broad; percussive is what is clearly more broad than lasting [4]_,
  so that steady noise is neither. The medians are remedians [5]_, medians of three of medians of
  three, over 27 mel frames (0.43 s) and 9 mel bands: 20 minima and maxima a point.
- **Roughness** is the dissonance of the pairs of spectral peaks relative to the peaks' power [6]_,
  with a curve fitted to the measurements of Plomp and Levelt [7]_. It does not depend on level.

What is more than 60 dB softer than a song's loudest second, such as its fade, does not count.

References
----------
.. [1] G. Tzanetakis and P. Cook, "Musical genre classification of audio signals", IEEE Trans.
       Speech and Audio Processing 10(5), 2002.
.. [2] J. D. Johnston, "Transform coding of audio signals using perceptual noise criteria", IEEE
       Journal on Selected Areas in Communications 6(2), 1988.
.. [3] D. FitzGerald, "Harmonic/percussive separation using median filtering", DAFx 2010.
.. [4] J. Driedger, M. Müller and S. Disch, "Extending harmonic-percussive separation of audio
       signals", ISMIR 2014.
.. [5] P. J. Rousseeuw and G. W. Bassett, "The remedian: a robust averaging method for large data
       sets", Journal of the American Statistical Association 85(409), 1990.
.. [6] W. Hutchinson and L. Knopoff, "The acoustic component of Western consonance", Interface
       7(1), 1978.
.. [7] W. A. Sethares, "Local consonance and the relationship between timbre and scale", Journal of
       the Acoustical Society of America 94(3), 1993.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import (
    LOG_GAIN,
    MEL_BANDS,
    SAMPLE_RATE_HZ,
    hz_to_mel,
    mel_filterbank,
    mel_to_hz,
)
from songprint.audio.spectrum import power_spectra

Samples = NDArray[np.float32]
Frames = NDArray[np.float32]
Floats = NDArray[np.float64]

_SECOND_FRAMES = 64
_ROLLOFF_SHARE = 0.85
# Of the power of a song's loudest second, or of all partials together: what is softer is left out.
_INAUDIBLE = 1e-6
# Of the mean power of a second: below it a band is empty, and how empty says nothing.
_EMPTY_BAND = 1e-9

# At the lowest notes 9 bands are 280 Hz; over more, a bass drum is narrow.
_BAND_STEPS = (1, 3)
_FRAME_STEPS = (1, 3, 9)
_BAND_REACH = sum(_BAND_STEPS)
_FRAME_REACH = sum(_FRAME_STEPS)
# In power: a separation factor of 1.5, at which the shares of songs are those of finer spectra.
_SEPARATION = 1.5**2

_PEAK_FFT_SAMPLES = 4096
_PEAK_BIN_HZ = SAMPLE_RATE_HZ / _PEAK_FFT_SAMPLES
_LOWEST_PEAK_HZ = 50.0
_HIGHEST_PEAK_HZ = 5000.0
_PEAKS = 20
_PEAK_FRAMES_AT_ONCE = 64
# Eleven bits of a power's mantissa are given to its bin's number, so that a partition of numbers,
# which is ten times as fast as one of their places, finds the places.
_PLACE_BITS = np.uint32(0x7FF)


@dataclass(frozen=True)
class Timbre:
    """What a song sounds like, whatever is played.

    Attributes
    ----------
    brightness_hz : float
        Spectral centroid in hertz, below 8 kHz; mean over the seconds. 0 for silence, as are all.
    rolloff_hz : float
        Frequency in hertz below which 85 % of the magnitude lies; mean over the seconds.
    flatness : float
        Spectral flatness, 0 (tones) to 1 (white noise); mean over the seconds.
    percussiveness : float
        Share of the energy that is percussive: 0 for what is sustained, 1 for clicks.
    roughness : float
        0 for a pure tone or an octave, 0.5 for the roughest pair of pure tones, more for many;
        music has about 0.4 to 1.8.
    stereo_width : float or None
        Share of the energy in the side channel (left less right): 0 for equal channels, 0.5 for
        unrelated ones, 1 for opposite ones. None for a song that is not stereo, or silent.
    """

    brightness_hz: float
    rolloff_hz: float
    flatness: float
    percussiveness: float
    roughness: float
    stereo_width: float | None


class TimbreMeter:
    """Measures a song that arrives in pieces; keeps 200 numbers for every second of it."""

    def __init__(self) -> None:
        self._spectrum = _SpectrumMeter()
        self._percussion = _PercussionMeter()
        self._roughness = _RoughnessMeter()
        self._width = _WidthMeter()

    def add(self, samples: Samples) -> None:
        """Hear the next samples: mono float32 at 16 kHz [shape=(n,)]."""
        self._roughness.add(samples)

    def add_log_mel(self, frames: Frames) -> None:
        """Hear the next frames of the front end, of the same samples [shape=(m, 96)]."""
        power = _mel_power(frames)
        self._spectrum.add(power)
        self._percussion.add(power)

    def add_channels(self, samples: Samples, names: tuple[str, ...]) -> None:
        """Hear the next piece of the file's own channels; without any there is no stereo width.

        Parameters
        ----------
        samples : ndarray [shape=(channels, n)]
            Finite float32 samples at any rate.
        names : tuple of str
            FFmpeg's name of each channel; the front left and front right ones are heard.
        """
        self._width.add(samples, names)

    def finish(self) -> Timbre:
        """Return what was measured; nothing may be added after."""
        brightness_hz, rolloff_hz, flatness = self._spectrum.finish()
        return Timbre(
            brightness_hz=brightness_hz,
            rolloff_hz=rolloff_hz,
            flatness=flatness,
            percussiveness=self._percussion.finish(),
            roughness=self._roughness.finish(),
            stereo_width=self._width.finish(),
        )


class _SpectrumMeter:
    """Centroid, rolloff and flatness of every second."""

    def __init__(self) -> None:
        self._pending = np.empty((0, MEL_BANDS), np.float32)
        self._seconds: list[Frames] = []

    def add(self, power: Frames) -> None:
        self._pending = np.concatenate([self._pending, power])
        whole = len(self._pending) // _SECOND_FRAMES * _SECOND_FRAMES
        if whole:
            self._measure(self._pending[:whole].reshape(-1, _SECOND_FRAMES, MEL_BANDS))
            self._pending = self._pending[whole:].copy()

    def _measure(self, seconds: Frames) -> None:
        """Keep the mean power and the mean magnitude of the bands ``[m, frames, 96]``."""
        frames = seconds.shape[1]
        mean = np.full(frames, 1.0 / frames, np.float32)
        self._seconds.append(np.stack([mean @ seconds, mean @ np.sqrt(seconds)]))

    def finish(self) -> tuple[float, float, float]:
        if len(self._pending) and not self._seconds:  # the rest at a song's end is left out
            self._measure(self._pending[None])
        if not self._seconds:
            return 0.0, 0.0, 0.0
        power, *statistics = _second_statistics(*np.concatenate(self._seconds, axis=1))
        audible = _audible(power)
        means = [float(values[audible].mean()) if audible.any() else 0.0 for values in statistics]
        return means[0], means[1], means[2]


class _PercussionMeter:
    """Energy of what is broad and short, and of all."""

    def __init__(self) -> None:
        self._pending = np.empty((0, MEL_BANDS), np.float32)
        self._begun = False
        self._percussive = 0.0
        self._all = 0.0

    def add(self, power: Frames) -> None:
        if not len(power):
            return
        if not self._begun:
            self._begun = True
            self._pending = np.repeat(power[:1], _FRAME_REACH, axis=0)
        self._pending = np.concatenate([self._pending, power])
        if len(self._pending) > 2 * _FRAME_REACH:
            self._measure(self._pending)
            self._pending = self._pending[-2 * _FRAME_REACH :].copy()

    def finish(self) -> float:
        if not self._begun:
            return 0.0
        self._measure(
            np.concatenate([self._pending, np.repeat(self._pending[-1:], _FRAME_REACH, 0)])
        )
        return self._percussive / self._all if self._all > 0.0 else 0.0

    def _measure(self, power: Frames) -> None:
        """Measure all frames but those that the medians reach at both ends."""
        own = power[_FRAME_REACH:-_FRAME_REACH]
        lasting = _remedian(power, _FRAME_STEPS)
        lasting *= np.float32(_SEPARATION)
        percussive = own * (_broad(own) > lasting)
        per_band = 1.0 / _area_norm().astype(np.float64)
        every = np.ones(len(own), np.float32)  # a matrix product sums sooner than `sum`
        self._all += float((every @ own) @ per_band)
        self._percussive += float((every @ percussive) @ per_band)


class _RoughnessMeter:
    """Power and roughness of every 256 ms."""

    def __init__(self) -> None:
        self._buffer = np.empty(_PEAK_FRAMES_AT_ONCE * _PEAK_FFT_SAMPLES, np.float32)
        self._filled = 0
        self._frames: list[Floats] = []

    def add(self, samples: Samples) -> None:
        while len(samples):
            n = min(len(samples), len(self._buffer) - self._filled)
            self._buffer[self._filled : self._filled + n] = samples[:n]
            self._filled += n
            samples = samples[n:]
            if self._filled == len(self._buffer):
                self._frames.append(_rough_frames(self._buffer))
                self._filled = 0

    def finish(self) -> float:
        rest = self._buffer[: self._filled]
        if len(rest) and len(rest) < _PEAK_FFT_SAMPLES and not self._frames:
            rest = np.pad(rest, (0, _PEAK_FFT_SAMPLES - len(rest)))
        whole = len(rest) // _PEAK_FFT_SAMPLES
        if whole:
            self._frames.append(_rough_frames(rest[: whole * _PEAK_FFT_SAMPLES]))
        if not self._frames:
            return 0.0
        power, roughness = np.concatenate(self._frames, axis=1)
        audible = _audible(power)
        return float(roughness[audible].mean()) if audible.any() else 0.0


class _WidthMeter:
    """Energy of left, of right, and of what they share."""

    def __init__(self) -> None:
        self._both = 0.0
        self._shared = 0.0

    def add(self, samples: Samples, names: tuple[str, ...]) -> None:
        pair = [names.index(name) for name in ("FL", "FR") if name in names]
        if len(pair) < 2:
            if len(names) != 2:
                return
            pair = [0, 1]
        left, right = samples[pair[0]], samples[pair[1]]
        self._both += float(np.dot(left, left)) + float(np.dot(right, right))
        self._shared += 2.0 * float(np.dot(left, right))

    def finish(self) -> float | None:
        if self._both <= 0.0:
            return None
        return min(max(0.5 - 0.5 * self._shared / self._both, 0.0), 1.0)


def _audible(power: Floats) -> NDArray[np.bool_]:
    return np.asarray((power > 0.0) & (power >= _INAUDIBLE * power.max()))


@cache
def _band_edges_hz() -> Floats:
    ends_mel = hz_to_mel(np.array([0.0, SAMPLE_RATE_HZ / 2]))
    return mel_to_hz(np.linspace(ends_mel[0], ends_mel[1], MEL_BANDS + 2))


@cache
def _area_norm() -> Frames:
    """Return what the front end multiplied each band by ``[96]``."""
    edges_hz = _band_edges_hz()
    return (2.0 / (edges_hz[2:] - edges_hz[:-2])).astype(np.float32)


@cache
def _band_bins() -> Frames:
    """Return how many bins of the front end each band holds ``[96]``."""
    return np.asarray(mel_filterbank().sum(axis=0) / _area_norm())


def _mel_power(log_mel: Frames) -> Frames:
    """Undo the front end's logarithm."""
    power = np.exp(log_mel * np.float32(np.log(10.0)))
    power -= np.float32(1.0)
    np.abs(power, out=power)  # the exponential may err by a last digit
    power *= np.float32(1.0 / LOG_GAIN)
    return np.asarray(power)


def _second_statistics(power: Frames, magnitude: Frames) -> Floats:
    """Power, centroid, rolloff and flatness of seconds as ``[4, m]``.

    Both are means of the bands in a second ``[m, 96]``.
    """
    edges_hz, bins = _band_edges_hz(), _band_bins().astype(np.float64)
    centre_hz = edges_hz[1:-1]
    of_a_bin = 1.0 / (_area_norm() * bins)
    weighted = magnitude * (np.sqrt(of_a_bin) * bins)
    density = power * of_a_bin
    share = bins / bins.sum()
    mean = density @ share
    sounding = np.maximum(mean, 1e-30)[:, None]
    flatness = np.exp(np.log(np.maximum(density / sounding, _EMPTY_BAND)) @ share)

    cumulated = np.cumsum(weighted, axis=1)
    total = np.maximum(cumulated[:, -1], 1e-30)
    centroid_hz = weighted @ centre_hz / total
    # Half of a band's magnitude lies below its centre.
    below_centre = (cumulated - 0.5 * weighted) / total[:, None]
    rolloff_hz = [np.interp(_ROLLOFF_SHARE, shares, centre_hz) for shares in below_centre]
    return np.stack([mean, centroid_hz, rolloff_hz, np.minimum(flatness, 1.0)])


def _broad(power: Frames) -> Frames:
    """Return the remedian of each frame ``[n, 96]`` over the bands, which end in mirrors."""
    padded = MEL_BANDS + 2 * _BAND_REACH
    by_band = np.empty((len(power) + 1, padded), np.float32)
    by_band[:-1, _BAND_REACH:-_BAND_REACH] = power
    by_band[:-1, :_BAND_REACH] = power[:, _BAND_REACH - 1 :: -1]
    by_band[:-1, -_BAND_REACH:] = power[:, : -_BAND_REACH - 1 : -1]
    by_band[-1] = 0.0
    # One frame after the other in one row: what is taken across two frames is not looked at.
    row = by_band.ravel()[: len(power) * padded + 2 * _BAND_REACH]
    return _remedian(row, _BAND_STEPS).reshape(-1, padded)[:, :MEL_BANDS]


def _remedian(rows: Frames, steps: tuple[int, ...]) -> Frames:
    """Return the remedian along the first axis; it has `sum(steps)` rows less at each end."""
    for step in steps:
        before, here, after = rows[: -2 * step], rows[step:-step], rows[2 * step :]
        higher = np.maximum(before, here)
        np.minimum(higher, after, out=higher)
        rows = np.minimum(before, here)
        np.maximum(rows, higher, out=rows)
    return rows


@cache
def _peak_window() -> Samples:
    phase = 2.0 * np.pi * np.arange(_PEAK_FFT_SAMPLES) / _PEAK_FFT_SAMPLES
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


@cache
def _pairs() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(_PEAKS, 1)


def _rough_frames(samples: Samples) -> Floats:
    """Power and roughness of frames that follow each other ``[m * 4096]`` as ``[2, m]``."""
    first, stop = round(_LOWEST_PEAK_HZ / _PEAK_BIN_HZ), round(_HIGHEST_PEAK_HZ / _PEAK_BIN_HZ)
    frames = samples.reshape(-1, _PEAK_FFT_SAMPLES)
    power = power_spectra(frames, _peak_window(), first - 1, stop + 1)
    total = np.square(frames) @ np.square(_peak_window())
    total *= np.float32(_PEAK_FFT_SAMPLES / 2)
    hz, peak_power = _peaks(power, first)
    peak_power *= peak_power >= np.float32(_INAUDIBLE) * total[:, None]
    magnitude = np.sqrt(peak_power)
    low, high = _pairs()
    pairs = magnitude[:, low] * magnitude[:, high]
    dissonance = np.vecdot(pairs, _dissonance(hz[:, low], hz[:, high]))
    roughness = dissonance / np.maximum(peak_power.sum(axis=1), np.float32(1e-30))
    return np.stack([total, roughness]).astype(np.float64)


def _peaks(power: Frames, first: int) -> tuple[Frames, Frames]:
    """Find the strongest peaks of spectra whose first bin is `first` - 1; both ``[m, peaks]``.

    The frequencies ascend; where there are fewer peaks, what stands in for them has power 0.
    """
    here = power[:, 1:-1]
    peak = here > power[:, :-2]
    peak &= here >= power[:, 2:]
    keys = (here * peak).view(np.uint32) & ~_PLACE_BITS
    keys |= np.arange(here.shape[1], dtype=np.uint32)
    places = np.partition(keys, -_PEAKS, axis=1)[:, -_PEAKS:] & _PLACE_BITS
    place = np.sort(places, axis=1).astype(np.intp)
    found = np.take_along_axis(peak, place, axis=1)
    floor = np.float32(1e-30)
    # A parabola through three logarithms: with this window it errs by under a fiftieth of a bin.
    left, middle, right = (
        np.log(np.take_along_axis(power, place + shift, axis=1) + floor) for shift in range(3)
    )
    curvature = np.minimum(left - 2.0 * middle + right, np.float32(-1e-6))
    offset = np.where(found, np.clip(0.5 * (left - right) / curvature, -0.5, 0.5), 0.0)
    hz = ((place + first + offset) * _PEAK_BIN_HZ).astype(np.float32)
    return hz, np.take_along_axis(here, place, axis=1) * found


def _dissonance(low_hz: Frames, high_hz: Frames) -> Frames:
    """Dissonance of pure tones of equal strength, 0 to 1, by the formula and constants of [7]_."""
    distance = (high_hz - low_hz) * (np.float32(0.24) / (np.float32(0.021) * low_hz + 19))
    curve = np.exp(np.float32(-3.5) * distance) - np.exp(np.float32(-5.75) * distance)
    return np.asarray(np.maximum(curve, 0.0) / np.float32(_HIGHEST_DISSONANCE))


def _highest_dissonance() -> float:
    distance = np.log(5.75 / 3.5) / (5.75 - 3.5)
    return float(np.exp(-3.5 * distance) - np.exp(-5.75 * distance))


_HIGHEST_DISSONANCE = _highest_dissonance()
