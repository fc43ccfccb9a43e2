"""The tonality: key, mode and chroma, from the spectral peaks of the whole song.

Every quarter of a second, the peaks of a spectrum that resolves 2 Hz are taken that stand clear of
their surroundings; drums and noise leave few. Pitch ends at 2 kHz, so half of the sampling rate
will do. Their pitches make a histogram, the square root of
the amplitude counting [1]_. Where on the scale of cents the histogram is concentrated is the
song's tuning, and around that tuning it is gathered into twelve pitch classes. A share of each
class goes to the note of which it is the third partial, the strongest that is not an octave.

The key is that whose profile correlates best, after Krumhansl and Schmuckler [2]_, with the
profiles that Temperley counted in the Kostka-Payne corpus [3]_. Of the published profiles they
did best here: of 37 emotify songs whose title states a key they found 27 within a semitone
(baroque pitch is a semitone low), of 120 synthetic songs 77 %; those of Albrecht and Shanahan
[4]_ 24 and 72 %, of Krumhansl and Kessler 19 and 49 %.

References
----------
.. [1] E. Gómez, "Tonal description of polyphonic audio for music content processing", INFORMS
       Journal on Computing 18(3), 2006.
.. [2] C. L. Krumhansl, "Cognitive Foundations of Musical Pitch", Oxford University Press, 1990.
.. [3] D. Temperley, "Music and Probability", MIT Press, 2007.
.. [4] J. Albrecht and D. Shanahan, "The use of large corpora to train a new type of key-finding
       algorithm", Music Perception 31(1), 2013.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.audio.spectrum import power_spectra
from songprint.descriptors.keys import TONICS

PITCH_CLASSES = TONICS

# Probability of each scale degree, from the tonic up, in a segment of a piece [3]_.
_MAJOR = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
_MINOR = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)

# A half band: sums of neighbours, six times over, then every other one. What would alias to 2 kHz
# and below loses 46 dB or more relative to what is there; the response is divided out.
_SUMS = 6
_HALF_RATE_HZ = SAMPLE_RATE_HZ // 2
_FFT_SAMPLES = 4096  # at half the rate, as is the hop
_HOP_SAMPLES = 2048
# Frames heard at once, always the same ones, whatever the blocks: sums come out alike.
_BATCH_FRAMES = 64
# Samples halved at once: what that takes stays in the second-level cache.
_PIECE_SAMPLES = 32768

_LOWEST_HZ, _HIGHEST_HZ = 55.0, 2000.0
_A4_HZ, _A4_SEMITONE = 440.0, 69.0
_HZ_PER_BIN = _HALF_RATE_HZ / _FFT_SAMPLES
_FLOOR_BINS = 101
_CLEAR_OF_FLOOR_DB = 10.0
_QUIETEST_DBFS = -80.0
_BINS_PER_SEMITONE = 20
# Loud frames count a little more: by the eighth root of their energy.
_LOUDNESS_EXPONENT = 0.125

_TWELFTH_SEMITONES = 7
_THIRD_PARTIAL_SHARE = 0.28

# Log-odds that the key is right, fitted on synthetic cadences and songs, the emotify songs above,
# and on noise, drums, tones and random notes.
_CORRELATION_WEIGHT, _USUAL_CORRELATION = 9.9, 0.8
_MARGIN_WEIGHT, _AMPLE_MARGIN = 10.2, 0.3
_TUNED_WEIGHT, _AMPLY_TUNED = 4.7, 0.6
_OFFSET = -2.9
# Pitches that agree less than this are those of noise, whatever key they happen to lie near.
_UNTUNED_WEIGHT, _HARDLY_TUNED = 10.0, 0.35
# Drums have one or two peaks a spectrum, chords some twenty; a lone flute has four.
_FEW_PEAKS_WEIGHT, _ENOUGH_PEAKS = 1.5, 4.0
_LEAST_CONFIDENCE = 0.35
_FEWEST_FRAMES = 8

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tonality:
    """The tonality of a song.

    Parameters
    ----------
    key
        The tonic, a name such as ``"F#"``, always spelt with sharps; None where no key is sure:
        noise, drums alone, a lone tone, atonal music, less than 2.4 s.
    mode
        ``"major"`` or ``"minor"``; None where `key` is.
    key_confidence
        Estimated probability, 0 to 1, that key and mode are right.
    chroma
        float32 ``[12]``, how much each pitch class sounds, C first; sums to 1. All the same
        where nothing is heard.
    """

    key: str | None
    mode: str | None
    key_confidence: float
    chroma: NDArray[np.float32]


@cache
def _window() -> Samples:
    """Hann window, scaled so that a sine's peak is its amplitude."""
    phase = 2.0 * np.pi * np.arange(_FFT_SAMPLES) / _FFT_SAMPLES
    window = ((0.5 - 0.5 * np.cos(phase)) * (4.0 / _FFT_SAMPLES)).astype(np.float32)
    window.setflags(write=False)
    return window


@cache
def _key_profiles() -> Floats:
    """Profiles of the 24 keys ``[24, 12]``, C major to B major, then minor; standardised."""
    rows = []
    for mode in (_MAJOR, _MINOR):
        profile = np.array(mode)
        profile = (profile - profile.mean()) / profile.std()
        rows += [np.roll(profile, tonic) for tonic in range(12)]
    return np.array(rows) / 12.0


@cache
def _bins() -> slice:
    """Return the bins of a frame's spectrum that are looked at."""
    return slice(int(_LOWEST_HZ / _HZ_PER_BIN), int(_HIGHEST_HZ / _HZ_PER_BIN) + 3)


@cache
def _gain() -> Samples:
    """Return what undoes the half band's response to power at those bins."""
    hz = np.arange(_bins().start, _bins().stop) * _HZ_PER_BIN
    gain = (2.0 * np.cos(np.pi * hz / SAMPLE_RATE_HZ)) ** (-2 * _SUMS)
    return np.asarray(gain, np.float32)


def _halved(samples: Samples) -> Samples:
    """Take every other sum of seven samples, binomially weighted."""
    if len(samples) <= _SUMS:
        return samples[:0]
    for _ in range(_SUMS - 1):
        samples = samples[:-1] + samples[1:]
    return samples[:-1:2] + samples[1::2]


def _levels(frames: Samples) -> Samples:
    """Return the level of frames ``[m, 4096]`` at the bins looked at, in dB ``[m, bins]``."""
    level = power_spectra(frames, _window(), _bins().start, _bins().stop)
    level *= _gain()
    # Of two arrays numpy takes the maximum sooner than of an array and a scalar.
    np.maximum(level, np.full_like(level[0], 1e-12), out=level)
    np.log10(level, out=level)
    level *= np.float32(10.0)
    return level


def _peaks(level: Samples) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Find the peaks of levels ``[m, bins]``: frame, pitch in semitones, amplitude."""
    from scipy.ndimage import uniform_filter1d

    floor = uniform_filter1d(level, _FLOOR_BINS, axis=1)[:, 1:-1]
    floor += np.float32(_CLEAR_OF_FLOOR_DB)
    np.maximum(floor, np.full_like(floor[0], _QUIETEST_DBFS), out=floor)
    inner = level[:, 1:-1]
    peak = inner > floor
    peak &= inner > level[:, :-2]
    peak &= inner >= level[:, 2:]
    found = np.flatnonzero(peak)
    frame = found // inner.shape[1]
    found += 2 * frame  # the place in `level` of the bin before
    before, at, after = (level.ravel()[found + k].astype(np.float64) for k in range(3))
    # A parabola through the levels of a peak and its neighbours is its place between the bins.
    shift = 0.5 * (before - after) / (before - 2.0 * at + after)
    hz = (_bins().start + 1 + found - frame * level.shape[1] + shift) * _HZ_PER_BIN
    pitch = _A4_SEMITONE + 12.0 * np.log2(hz / _A4_HZ)
    amplitude = 10.0 ** ((at - 0.25 * (before - after) * shift) / 20.0)
    inside = (hz >= _LOWEST_HZ) & (hz <= _HIGHEST_HZ)
    return frame[inside], pitch[inside], amplitude[inside]


@dataclass(frozen=True, eq=False)
class _Heard:
    """What was heard so far: a histogram of pitch classes, 5 cents a bin, and counts."""

    histogram: Floats
    peaks: int
    sounding_frames: int

    def __add__(self, other: _Heard) -> _Heard:
        return _Heard(
            self.histogram + other.histogram,
            self.peaks + other.peaks,
            self.sounding_frames + other.sounding_frames,
        )


class ChromaMeter:
    """Hears a song block by block and names its tonality.

    The result does not depend on how the song is cut into blocks; memory is bounded by 17 s.
    """

    def __init__(self) -> None:
        self._heard = _Heard(np.zeros(12 * _BINS_PER_SEMITONE), 0, 0)
        self._pending = np.empty(0, np.float32)
        self._half = np.empty(_FFT_SAMPLES + (_BATCH_FRAMES - 1) * _HOP_SAMPLES, np.float32)
        self._frames = _framed(self._half)
        self._filled = 0

    def add(self, block: Samples) -> None:
        """Hear the next samples.

        Parameters
        ----------
        block : ndarray [shape=(n,)]
            Mono float32 samples at 16 kHz, full scale at ±1; may be empty.

        Raises
        ------
        ValueError
            If `block` is not a one-dimensional float32 array.
        """
        if block.ndim != 1 or block.dtype != np.float32:
            raise ValueError(
                f"samples must be one-dimensional float32, not {block.ndim}-d {block.dtype}"
            )
        for start in range(0, len(block), _PIECE_SAMPLES):
            piece = np.concatenate([self._pending, block[start : start + _PIECE_SAMPLES]])
            half = _halved(piece)
            self._pending = piece[2 * len(half) :]
            while len(half):
                n = min(len(half), len(self._half) - self._filled)
                self._half[self._filled : self._filled + n] = half[:n]
                self._filled += n
                half = half[n:]
                if self._filled == len(self._half):
                    self._heard += _hear(self._frames)
                    self._filled = _FFT_SAMPLES - _HOP_SAMPLES
                    self._half[: self._filled] = self._half[-self._filled :]

    def finish(self) -> Tonality:
        """Name the tonality of what was heard so far; more may be added afterwards.

        Returns
        -------
        Tonality
            With `key` None where none is sure.
        """
        # The frames of the last batch; a song shorter than a frame is filled up with silence.
        heard, rest = self._heard, self._half[: self._filled]
        rest = np.concatenate([rest, _halved(np.pad(self._pending, (0, _SUMS - 1)))])
        if len(rest) >= _FFT_SAMPLES:
            heard += _hear(_framed(rest))
        elif len(rest) and not heard.sounding_frames:
            rest = np.pad(rest, (0, _FFT_SAMPLES - len(rest)))
            heard += _hear(_framed(rest))
        return _tonality(heard)


def _framed(half: Samples) -> Samples:
    """Return a view of the whole frames ``[m, 4096]``, which overlap."""
    return np.lib.stride_tricks.sliding_window_view(half, _FFT_SAMPLES)[::_HOP_SAMPLES]


def _hear(frames: Samples) -> _Heard:
    """Gather the peaks of frames of a song at half the rate."""
    frame, pitch, amplitude = _peaks(_levels(frames))
    bins = np.rint(pitch * _BINS_PER_SEMITONE).astype(np.intp) % (12 * _BINS_PER_SEMITONE)
    weight = np.sqrt(amplitude)
    of_frame = np.bincount(frame, weight, len(frames))
    energy = np.bincount(frame, np.square(amplitude), len(frames))
    scale = np.power(energy, _LOUDNESS_EXPONENT) / np.maximum(of_frame, 1e-12)
    histogram = np.bincount(bins, weight * scale[frame], 12 * _BINS_PER_SEMITONE)
    hops = np.concatenate([frames[:, :_HOP_SAMPLES], frames[-1:, _HOP_SAMPLES:]])
    loudest = np.abs(hops, out=hops).max(axis=1) * np.float32(2.0**-_SUMS)
    loudest = np.maximum(loudest[:-1], loudest[1:])
    return _Heard(
        histogram=np.asarray(histogram, np.float64),
        peaks=len(frame),
        sounding_frames=int(np.count_nonzero(loudest > 10.0 ** (_QUIETEST_DBFS / 20.0))),
    )


def _tonality(heard: _Heard) -> Tonality:
    histogram = heard.histogram
    total = histogram.sum()
    if total <= 0.0:
        # Nothing tells one pitch class from another.
        return Tonality(None, None, 0.0, np.full(12, 1.0 / 12.0, np.float32))
    semitones = np.arange(len(histogram)) / _BINS_PER_SEMITONE
    direction = np.dot(histogram, np.exp(2j * np.pi * semitones)) / total
    tuning = np.angle(direction) / (2.0 * np.pi)
    nearest = np.round(semitones - tuning)
    closeness = np.square(np.cos(np.pi * (semitones - tuning - nearest)))
    counts = np.bincount(nearest.astype(np.intp) % 12, histogram * closeness, 12)
    chroma = np.asarray(counts, np.float64)
    chroma += _THIRD_PARTIAL_SHARE * np.roll(chroma, -_TWELFTH_SEMITONES)
    chroma /= chroma.sum()
    correlation = _key_profiles() @ (chroma - chroma.mean()) / max(chroma.std(), 1e-9)
    best, second = np.argsort(-correlation)[:2]
    confidence = _confidence(
        correlation=correlation[best],
        margin=correlation[best] - correlation[second],
        tuned=float(np.abs(direction)),
        peaks=heard.peaks / max(heard.sounding_frames, 1),
    )
    sure = confidence >= _LEAST_CONFIDENCE and heard.sounding_frames >= _FEWEST_FRAMES
    return Tonality(
        key=PITCH_CLASSES[best % 12] if sure else None,
        mode=("major" if best < 12 else "minor") if sure else None,
        key_confidence=confidence,
        chroma=chroma.astype(np.float32),
    )


def _confidence(*, correlation: float, margin: float, tuned: float, peaks: float) -> float:
    """Return the probability that a key is right.

    It rises with the profile's correlation, with its margin over the next key's, with how far the
    pitches agree on one tuning, which those of drums and noise do not, and with how many there are.
    """
    log_odds = _CORRELATION_WEIGHT * (correlation - _USUAL_CORRELATION) + _OFFSET
    log_odds += _MARGIN_WEIGHT * min(margin, _AMPLE_MARGIN)
    log_odds += _TUNED_WEIGHT * min(tuned, _AMPLY_TUNED)
    log_odds -= _UNTUNED_WEIGHT * max(0.0, _HARDLY_TUNED - tuned)
    log_odds -= _FEW_PEAKS_WEIGHT * max(0.0, np.log2(_ENOUGH_PEAKS / max(peaks, 0.1)))
    return float(1.0 / (1.0 + np.exp(-log_odds)))
