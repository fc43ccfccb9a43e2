"""The tonality: key, mode and chroma, from the spectral peaks of the whole song.

Every quarter of a second, the peaks of a spectrum that resolves 2 Hz are taken that stand clear of
their surroundings; drums and noise leave few. Their pitches make a histogram, the square root of
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

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

# Probability of each scale degree, from the tonic up, in a segment of a piece [3]_.
_MAJOR = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
_MINOR = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)

_FFT_SAMPLES = 8192
_HOP_SAMPLES = 4096
# Frames transformed at once, always the same ones, whatever the blocks: sums come out alike.
_BATCH_FRAMES = 32
_BATCH_SAMPLES = _BATCH_FRAMES * _HOP_SAMPLES

_LOWEST_HZ, _HIGHEST_HZ = 55.0, 2000.0
_A4_HZ, _A4_SEMITONE = 440.0, 69.0
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


def _peaks(frames: Samples) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Find the spectral peaks of frames ``[m, 8192]``: frame, pitch in semitones, amplitude."""
    from scipy.fft import rfft
    from scipy.ndimage import uniform_filter1d

    hz_per_bin = SAMPLE_RATE_HZ / _FFT_SAMPLES
    first, last = int(_LOWEST_HZ / hz_per_bin), int(_HIGHEST_HZ / hz_per_bin) + 2
    magnitude = np.abs(rfft(frames * _window(), axis=1)[:, first : last + 1])
    level = 20.0 * np.log10(np.maximum(magnitude, np.float32(1e-6)))
    clear = level - uniform_filter1d(level, _FLOOR_BINS, axis=1) > _CLEAR_OF_FLOOR_DB
    inner = level[:, 1:-1]
    highest = (inner > level[:, :-2]) & (inner >= level[:, 2:])
    frame, place = np.nonzero(highest & clear[:, 1:-1] & (inner > _QUIETEST_DBFS))
    before, at, after = (level[frame, place + k].astype(np.float64) for k in range(3))
    # A parabola through the levels of a peak and its neighbours is its place between the bins.
    shift = 0.5 * (before - after) / (before - 2.0 * at + after)
    hz = (first + 1 + place + shift) * hz_per_bin
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

    The result does not depend on how the song is cut into blocks; memory is bounded by the
    longest block and 8 s.
    """

    def __init__(self) -> None:
        self._heard = _Heard(np.zeros(12 * _BINS_PER_SEMITONE), 0, 0)
        self._pending: list[Samples] = []
        self._pending_samples = 0

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
        self._pending.append(block.copy())
        self._pending_samples += len(block)
        needed = _BATCH_SAMPLES + _FFT_SAMPLES - _HOP_SAMPLES
        if self._pending_samples < needed:
            return
        samples = np.concatenate(self._pending)
        start = 0
        while start + needed <= len(samples):
            self._heard += _hear(samples[start : start + needed])
            start += _BATCH_SAMPLES
        self._pending = [samples[start:].copy()]
        self._pending_samples = len(samples) - start

    def finish(self) -> Tonality:
        """Name the tonality of what was heard so far; more may be added afterwards.

        Returns
        -------
        Tonality
            With `key` None where none is sure.
        """
        heard = self._heard
        rest = np.concatenate([*self._pending, np.empty(0, np.float32)])
        # The frames of the last batch; a song shorter than a frame is filled up with silence.
        if len(rest) >= _FFT_SAMPLES:
            heard += _hear(rest)
        elif len(rest) and not heard.sounding_frames:
            heard += _hear(np.pad(rest, (0, _FFT_SAMPLES - len(rest))))
        return _tonality(heard)


def _hear(samples: Samples) -> _Heard:
    """Gather the peaks of all whole frames."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FFT_SAMPLES)[::_HOP_SAMPLES]
    frame, pitch, amplitude = _peaks(frames)
    bins = np.rint(pitch * _BINS_PER_SEMITONE).astype(np.intp) % (12 * _BINS_PER_SEMITONE)
    weight = np.sqrt(amplitude)
    of_frame = np.bincount(frame, weight, len(frames))
    energy = np.bincount(frame, np.square(amplitude), len(frames))
    scale = np.power(energy, _LOUDNESS_EXPONENT) / np.maximum(of_frame, 1e-12)
    histogram = np.bincount(bins, weight * scale[frame], 12 * _BINS_PER_SEMITONE)
    loudest = np.abs(frames).max(axis=1)
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
