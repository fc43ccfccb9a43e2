"""The beat: tempo with its alternatives and confidence, beat strength, beat times.

1. **Tempo.** In windows of 12 s, every 3 s, the onset envelope's autocorrelation at one beat, which
   lets slower metrical levels through, and its Fourier coefficients at half, once, twice and four
   times the beat rate, which let faster ones through; their product lets neither [1]_, [2]_. A
   log-linear model of them gives the odds of every tempo, and so the alternatives.
2. **Beats.** A path through the windows' odds is the local tempo (Viterbi). Dynamic programming
   places the beats: on strong onsets, at distances near the local period [3]_. The tempo reported
   is the mean over stretches of beats, finer than a frame.
3. **Sureness.** A tempo is reported only where the autocorrelation at one to four beats stands
   clear of what noise, speech and random clicks reach.

The model was fitted to tempos that people annotated [4]_; they differ by an octave, too.

References
----------
.. [1] G. Peeters, "Template-based estimation of time-varying tempo", EURASIP Journal on Advances
       in Signal Processing, 2007.
.. [2] P. Grosche and M. Müller, "Extracting predominant local pulse information from music
       recordings", IEEE Trans. Audio, Speech and Language Processing 19(6), 2011.
.. [3] D. P. W. Ellis, "Beat tracking by dynamic programming", Journal of New Music Research
       36(1), 2007.
.. [4] G. Percival and G. Tzanetakis, "Streamlined tempo estimation based on autocorrelation and
       cross-correlation with pulses", IEEE/ACM Trans. Audio, Speech and Language Processing
       22(12), 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import FRAMES_PER_SECOND
from songprint.descriptors.onsets import (
    ONSET_DELAY_FRAMES,
    Envelope,
    Floats,
    accents,
    onset_envelope,
)

__all__ = ["Beat", "TempoCandidate", "accents", "analyse_beat", "onset_envelope"]

SHORTEST_SECONDS = 4.0
SLOWEST_BPM = 36.0
FASTEST_BPM = 240.0

_WINDOW_SECONDS = 12.0
_STEP_SECONDS = 3.0
_STEPS_PER_OCTAVE = 72
_COMB_BEATS = (1, 2, 3, 4)
# Lags beyond this share of a window rest on too few pairs.
_LONGEST_LAG_SHARE = 0.6
_WINDOWS_AT_ONCE = 256

# The model of tempo: the log-odds of a beat rate are a weighted sum of the logarithms of what is
# periodic at its metrical levels and of the squared distance in octaves from a moderate tempo. The
# weights are those of a multinomial logistic regression over 88 training and validation excerpts
# of GTZAN (nine genres, tempos of [4]_), 156 synthetic drum patterns and 31 click tracks.
_LEVELS = (0.5, 1.0, 2.0, 4.0)
_LEVEL_WEIGHTS = (1.0, 1.85, 1.8, 1.5)
_REPEAT_WEIGHT = 1.8
_REPEAT_FLOOR = 0.05
_MODERATE_BPM = 74.0
_MODERATE_OCTAVES = 0.57
_LEVEL_FLOOR = 0.0045

_PATH_COST_PER_OCTAVE = 30.0
_DEAREST_JUMP = 8.0

_TIGHTNESS = 100.0
_NEAR_FRAMES = 2
_SPAN_BEATS = 8
# Two per cent is the same tempo; six per cent is a performer's freedom.
_SAME_OCTAVES = 0.03
_STEADY_OCTAVES = 0.085
# A rise on the beat by 4 dB in all octaves is a strength of 0.63.
_STRONG_RISE = 0.4

# Log-odds that what repeats over four beats is a beat and not chance, fitted on the same excerpts,
# 64 of classical music, noise, random clicks and synthetic speech; chance does more in less than a
# window.
_COMB_WEIGHT = 3.8
_COMB_FLOOR = 0.01
_COMB_OFFSET = 6.9
_LOG_ODDS_OF_SHORTNESS = 2.2
_LEAST_SURENESS = 0.7
_SMALLEST_ALTERNATIVE = 0.05
_MOST_ALTERNATIVES = 5


@dataclass(frozen=True)
class TempoCandidate:
    """A tempo that may be meant.

    Parameters
    ----------
    bpm
        Beats a minute.
    weight
        Its probability relative to that of the tempo reported.
    """

    bpm: float
    weight: float


@dataclass(frozen=True, eq=False)
class Beat:
    """The beat of a song.

    Parameters
    ----------
    tempo_bpm
        Prevailing tempo in beats a minute; None where no beat is sure: noise, speech, silence,
        drones, free rhythm, or less than 4 s.
    tempo_alternatives
        Other tempos that fit, most probable first: chiefly half, double, two thirds and three
        halves of `tempo_bpm`. Empty where that is None.
    tempo_confidence
        Estimated probability, 0 to 1, that `tempo_bpm` is what a listener taps, octave included.
    beat_strength
        How hard the beat strikes, 0 (no beat) to 1 (clicks in silence).
    beat_seconds
        When the beats fall, float64 ``[k]``, ascending; empty where `tempo_bpm` is None.
    """

    tempo_bpm: float | None
    tempo_alternatives: tuple[TempoCandidate, ...]
    tempo_confidence: float
    beat_strength: float
    beat_seconds: Floats


NO_BEAT = Beat(None, (), 0.0, 0.0, np.empty(0))


@cache
def _grid_bpm() -> Floats:
    octaves = np.log2(FASTEST_BPM / SLOWEST_BPM)
    steps = np.arange(round(octaves * _STEPS_PER_OCTAVE) + 1)
    return np.asarray(SLOWEST_BPM * 2.0 ** (steps / _STEPS_PER_OCTAVE))


@dataclass(frozen=True, eq=False)
class _Tempogram:
    """What is periodic in each window at each tempo of the grid.

    `features` is ``[2 + levels, windows, tempos]``: the autocorrelation at one beat, its mean at
    one to four beats, and the Fourier magnitude at each metrical level. `weight` ``[windows]``
    is how much there is to hear.
    """

    features: NDArray[np.float32]
    weight: Floats
    centre_frames: Floats


def _window_features(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the features of windows ``[m, n]``."""
    from scipy.fft import irfft, next_fast_len, rfft

    frames = windows.shape[1]
    bpm = _grid_bpm()
    features = np.empty((2 + len(_LEVELS), len(windows), len(bpm)), np.float32)

    fft_frames = next_fast_len(2 * frames, real=True)
    power = np.square(np.abs(rfft(windows, fft_frames, axis=1)))
    correlation = irfft(power, fft_frames, axis=1)[:, :frames]
    energy = np.maximum(correlation[:, :1], np.float32(1e-9))
    correlation /= energy
    correlation *= (frames / (frames - np.arange(frames))).astype(np.float32)
    comb = np.zeros((len(windows), len(bpm)))
    counted = np.zeros(len(bpm))
    for beats in _COMB_BEATS:
        lag = beats * 60.0 * FRAMES_PER_SECOND / bpm
        fits = lag <= _LONGEST_LAG_SHARE * frames
        whole = lag[fits].astype(np.intp)
        part = lag[fits] - whole
        comb[:, fits] += correlation[:, whole] * (1.0 - part) + correlation[:, whole + 1] * part
        counted += fits
        if beats == 1:
            features[0] = comb
    features[1] = np.where(counted >= 2, comb / np.maximum(counted, 1.0), 0.0)

    taper = np.hanning(frames + 2)[1:-1].astype(np.float32)
    bins = next_fast_len(10 * frames, real=True)
    places = np.outer(_LEVELS, bpm / 60.0 / FRAMES_PER_SECOND * bins)
    places = np.rint(places).astype(np.intp)
    spectrum = np.abs(rfft(windows * taper, bins, axis=1)[:, : places.max() + 1])
    spectrum /= taper.sum() * np.sqrt(energy / frames)
    for row, place in enumerate(places, start=2):
        features[row] = spectrum[:, place]
    return features


def _tempogram(signal: Floats) -> _Tempogram:
    frames = min(len(signal), round(_WINDOW_SECONDS * FRAMES_PER_SECOND))
    step = round(_STEP_SECONDS * FRAMES_PER_SECOND)
    starts = np.arange(0, len(signal) - frames + 1, step)
    if starts[-1] + frames < len(signal):
        starts = np.append(starts, len(signal) - frames)
    windows = np.lib.stride_tricks.sliding_window_view(signal.astype(np.float32), frames)
    features, weight = [], []
    for first in range(0, len(starts), _WINDOWS_AT_ONCE):
        some = windows[starts[first : first + _WINDOWS_AT_ONCE]]
        features.append(_window_features(some))
        weight.append(np.minimum(np.vecdot(some, some).astype(np.float64) / frames, 1.0))
    return _Tempogram(
        features=np.concatenate(features, axis=1),
        weight=np.concatenate(weight),
        centre_frames=np.asarray(starts + frames / 2.0, np.float64),
    )


def _log_odds(features: NDArray[np.floating]) -> Floats:
    """Return the log-odds, but for a constant, of the tempos of ``[features, ..., tempos]``."""
    octaves = np.log2(_grid_bpm() / _MODERATE_BPM)
    score = -0.5 * np.square(octaves / _MODERATE_OCTAVES)
    score = score + _REPEAT_WEIGHT * np.log(_REPEAT_FLOOR + np.maximum(features[0], 0.0))
    for level, weight in zip(features[2:], _LEVEL_WEIGHTS, strict=True):
        score = score + weight * np.log(_LEVEL_FLOOR + level)
    return np.asarray(score)


def _tempo_path(local: Floats, overall: Floats) -> NDArray[np.intp]:
    """Return the best tempo of each window, as an index of the grid, jumps being dear (Viterbi)."""
    tempos = len(overall)
    # Beyond `reach` steps every jump costs the same, so the best tempo of all will do.
    reach = int(_DEAREST_JUMP / _PATH_COST_PER_OCTAVE * _STEPS_PER_OCTAVE)
    cost = np.abs(np.arange(-reach, reach + 1)) * (_PATH_COST_PER_OCTAVE / _STEPS_PER_OCTAVE)
    padded = np.full(tempos + 2 * reach, -np.inf)
    nearby = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    best = padded[reach:-reach]
    best[:] = local[0] + overall
    every = np.arange(tempos)
    came_from = np.empty(local.shape, np.intp)
    for window in range(1, len(local)):
        reached = nearby - cost
        choice = np.argmax(reached, axis=1)
        reached = reached[every, choice]
        furthest = int(np.argmax(best))
        jumps = best[furthest] - _DEAREST_JUMP > reached
        came_from[window] = np.where(jumps, furthest, every + choice - reach)
        np.maximum(reached, best[furthest] - _DEAREST_JUMP, out=reached)
        best[:] = reached + local[window] + overall
    path = np.empty(len(local), np.intp)
    path[-1] = np.argmax(best)
    for window in range(len(local) - 1, 0, -1):
        path[window - 1] = came_from[window, path[window]]
    return path


@lru_cache(maxsize=256)
def _distances(quarter_steps: int) -> tuple[int, int, Floats]:
    """Return the shortest and longest distance of beats at a local period, and what each costs.

    The costs are those from the longest to the shortest.
    """
    period = float(2.0 ** (quarter_steps / (4 * _STEPS_PER_OCTAVE)))
    shortest, longest = int(np.ceil(period * 2 / 3)), int(period * 3 / 2)
    lags = np.arange(longest, shortest - 1, -1)
    return shortest, longest, _TIGHTNESS * np.square(np.log(lags / period))


def _aligned(tempogram: _Tempogram, path: NDArray[np.intp], centre: int) -> Floats:
    """Average the windows, each shifted so that its tempo on the path falls on one of the grid."""
    tempos = tempogram.features.shape[2]
    shifted = np.clip(np.arange(tempos) + (path - centre)[:, None], 0, tempos - 1)
    rows = [np.take_along_axis(feature, shifted, axis=1) for feature in tempogram.features]
    return np.array([np.average(row, axis=0, weights=tempogram.weight) for row in rows])


def _sureness(comb: float, frames: int) -> float:
    """Return the probability that a comb of the autocorrelation shows a beat and not chance."""
    log_odds = _COMB_WEIGHT * np.log(_COMB_FLOOR + max(comb, 0.0)) + _COMB_OFFSET
    shortness = max(0.0, np.log2(_WINDOW_SECONDS * FRAMES_PER_SECOND / frames))
    log_odds -= _LOG_ODDS_OF_SHORTNESS * shortness
    return float(1.0 / (1.0 + np.exp(-log_odds)))


def _place_beats(signal: Floats, period_frames: Floats) -> NDArray[np.intp]:
    """Place beats on accents at distances near the local period (dynamic programming)."""
    frames = len(signal)
    steps = np.rint(4 * _STEPS_PER_OCTAVE * np.log2(period_frames)).astype(int).tolist()
    lead = int(period_frames.max() * 3 / 2) + 2
    total = np.concatenate([np.zeros(lead), signal, np.zeros(lead)])
    earlier = np.lib.stride_tricks.sliding_window_view(total, lead)
    gain, choice = np.empty(frames), np.empty(frames, np.intp)
    furthest = np.empty(frames, np.intp)
    start = 0
    while start < frames:
        shortest, longest, cost = _distances(steps[start])
        # The beat before lies `shortest` back or more: so many frames are reached at once.
        here = slice(start, min(start + shortest, frames))
        before = start + lead - longest
        reached = earlier[before : before + here.stop - start, : len(cost)] - cost
        reached.argmax(axis=1, out=choice[here])
        reached.max(axis=1, initial=0.0, out=gain[here])
        total[start + lead : here.stop + lead] += gain[here]
        furthest[here] = longest
        start = here.stop
    came_from = np.where(gain > 0.0, np.arange(frames) - furthest + choice, -1)
    last = max(frames - 1 - int(period_frames[-1]), 0)
    beat = last + int(np.argmax(total[lead + last : lead + frames]))
    beats = []
    while beat >= 0:
        beats.append(beat)
        beat = int(came_from[beat])
    return np.array(beats[::-1], np.intp)


def _trimmed(beats: NDArray[np.intp], signal: Floats) -> NDArray[np.intp]:
    """Drop the beats that the tracker adds before the first accent and after the last."""
    strength = _peak_near(signal, beats)
    strong = np.flatnonzero(strength > 0.5 * np.sqrt(np.mean(np.square(strength))))
    return beats[strong[0] : strong[-1] + 1] if len(strong) else beats[:0]


def _peak_near(signal: Floats, frames: NDArray[np.intp]) -> Floats:
    from scipy.ndimage import maximum_filter1d

    return np.asarray(maximum_filter1d(signal, 2 * _NEAR_FRAMES + 1)[frames])


def _prevailing_period(beats: NDArray[np.intp], expected_frames: float) -> tuple[float, float]:
    """Return the period, in frames, that holds for most of the time, and the share of that time.

    It is averaged over stretches of eight beats, which makes it finer than a frame.
    """
    span = min(_SPAN_BEATS, len(beats) - 1)
    if span < 1:
        return expected_frames, 1.0
    periods = (beats[span:] - beats[:-span]) / span
    octaves = np.log2(periods)
    places = np.arange(octaves.min(), octaves.max() + _SAME_OCTAVES, _SAME_OCTAVES / 4)
    agreeing = np.abs(np.subtract.outer(places, octaves)) < _SAME_OCTAVES
    period = float(periods[agreeing[np.argmax(agreeing @ periods)]].mean())
    steady = np.abs(octaves - np.log2(period)) < _STEADY_OCTAVES
    return period, float(periods[steady].sum() / periods.sum())


def _beat_strength(envelope: Envelope, beats: NDArray[np.intp], period_frames: float) -> float:
    """Return how far the envelope rises on the beat above its average, on a scale of 0 to 1."""
    if not len(beats):
        return 0.0
    on_beat = float(np.median(_peak_near(envelope.astype(np.float64), beats)))
    stretch = envelope[beats[0] : beats[-1] + round(period_frames)]
    return float(1.0 - np.exp(-max(on_beat - float(stretch.mean()), 0.0) / _STRONG_RISE))


def _alternatives(score: Floats, centre: int, tempo_bpm: float) -> tuple[TempoCandidate, ...]:
    """Return the peaks of a score beside its `centre`, where `tempo_bpm` is."""
    inner = score[1:-1]
    peaks = np.flatnonzero((inner > score[:-2]) & (inner >= score[2:])) + 1
    apart = np.abs(peaks - centre) > _STEADY_OCTAVES * _STEPS_PER_OCTAVE
    weights = np.exp(score[peaks] - score[centre])
    bpm = tempo_bpm * 2.0 ** ((peaks - centre) / _STEPS_PER_OCTAVE)
    kept = np.flatnonzero(apart & (weights >= _SMALLEST_ALTERNATIVE))
    kept = kept[np.argsort(-weights[kept])][:_MOST_ALTERNATIVES]
    return tuple(TempoCandidate(float(bpm[i]), float(weights[i])) for i in kept)


def analyse_beat(envelope: Envelope) -> Beat:
    """Find the tempo and the beats.

    Parameters
    ----------
    envelope : ndarray [shape=(n,)]
        Of :func:`onset_envelope`, 62.5 values a second.

    Returns
    -------
    Beat
        With `tempo_bpm` None where there is none to be sure of.

    Raises
    ------
    ValueError
        If `envelope` is not one-dimensional or not finite.
    """
    if envelope.ndim != 1 or not np.isfinite(envelope).all():
        raise ValueError("an onset envelope is one-dimensional and finite")
    if len(envelope) < SHORTEST_SECONDS * FRAMES_PER_SECOND:
        return NO_BEAT
    signal = accents(envelope)
    tempogram = _tempogram(signal)
    if not tempogram.weight.any():
        return NO_BEAT
    overall = _log_odds(np.average(tempogram.features, axis=1, weights=tempogram.weight))
    local = _log_odds(tempogram.features) * tempogram.weight[:, None]
    path = _tempo_path(local, overall)
    centre = int(np.median(path))
    features = _aligned(tempogram, path, centre)
    sureness = _sureness(features[1, centre], len(signal))
    if sureness < _LEAST_SURENESS:
        return NO_BEAT
    periods = 60.0 * FRAMES_PER_SECOND / _grid_bpm()[path]
    period_frames = np.interp(np.arange(len(signal)), tempogram.centre_frames, periods)
    beats = _trimmed(_place_beats(signal, period_frames), signal)
    period, steadiness = _prevailing_period(beats, float(np.median(periods)))
    tempo_bpm = 60.0 * FRAMES_PER_SECOND / period
    alternatives = _alternatives(_log_odds(features), centre, tempo_bpm)
    share = 1.0 / (1.0 + sum(other.weight for other in alternatives))
    return Beat(
        tempo_bpm=tempo_bpm,
        tempo_alternatives=alternatives,
        tempo_confidence=sureness * share * steadiness,
        beat_strength=_beat_strength(envelope, beats, period),
        beat_seconds=np.maximum(beats - ONSET_DELAY_FRAMES, 0) / FRAMES_PER_SECOND,
    )
