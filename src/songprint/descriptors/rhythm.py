"""The rhythm: how often notes start, how clear the pulse is, how it swings, and its pattern.

The pattern is the scale transform of the onset envelope's autocorrelation [1]_: playing faster
shifts the autocorrelation along a logarithmic axis of lag, and the magnitude of a Fourier
transform along that axis does not see a shift. No tempo is needed, so none can be wrong. What
all metrical music has in common is mostly taken away, or every two songs would seem alike.

Pulse clarity is the height of the autocorrelation's highest peak [2]_. Swing is where, between two
beats, the notes off the beat fall: in the middle, or at two thirds as in triplets [3]_.

References
----------
.. [1] A. Holzapfel and Y. Stylianou, "Scale transform in rhythmic similarity of music", IEEE
       Trans. Audio, Speech and Language Processing 19(1), 2011.
.. [2] O. Lartillot, T. Eerola, P. Toiviainen and J. Fornari, "Multi-feature modeling of pulse
       clarity", ISMIR 2008.
.. [3] U. Marchand and G. Peeters, "Swing ratio estimation", DAFx 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import FRAMES_PER_SECOND
from songprint.descriptors.beat import SHORTEST_SECONDS, Beat
from songprint.descriptors.onsets import ONSET_DELAY_FRAMES, Envelope, Floats, accents

# An onset is the highest of the frames within 48 ms and stands clear of the second around it.
_ONSET_REACH_FRAMES = 3
_BASELINE_SECONDS = 1.0
_SMALLEST_ONSET = 0.06

_WINDOW_SECONDS = 16.0
_STEP_SECONDS = 8.0
_WINDOWS_AT_ONCE = 256
_PULSE_SECONDS = (0.25, 1.7)
# The accents of music have a mean square of 1; those of a tone or of silence, next to nothing.
_QUIETEST_POWER = 0.05

# The pattern comes from the envelope unsmoothed, freed of slow trends alone: a smoothing or a
# baseline of fixed length would reach another place in the bar at every tempo.
_TREND_SECONDS = 8.0
_LONGEST_LAG_SHARE = 0.8
_LAG_SECONDS = (0.08, 8.0)
_LAGS = 512
_TAPERED_SHARE = 0.2
# The mean pattern of 152 training and validation excerpts of GTZAN, and how much is taken away.
_COMMON = (
    0.099, 0.124, 0.102, 0.072, 0.074, 0.077, 0.080, 0.084, 0.096, 0.107, 0.113, 0.121, 0.132,
    0.137, 0.132, 0.120, 0.109, 0.094, 0.078, 0.069, 0.072, 0.086, 0.103, 0.121, 0.144, 0.161,
    0.158, 0.136, 0.109, 0.083, 0.065, 0.062, 0.065, 0.068, 0.069, 0.071, 0.085, 0.113, 0.140,
    0.155, 0.154, 0.136, 0.108, 0.082, 0.063, 0.053, 0.053, 0.063, 0.081, 0.103, 0.122, 0.131,
    0.129, 0.114, 0.094, 0.079, 0.073, 0.068, 0.063, 0.057, 0.053, 0.059, 0.075, 0.098, 0.124,
    0.143, 0.149, 0.137, 0.114, 0.085, 0.063, 0.052, 0.055, 0.062, 0.071, 0.077, 0.083, 0.091,
    0.100, 0.105,
)  # fmt: skip
_COMMON_SHARE = 0.7

_STRAIGHT, _TRIPLET = 0.5, 2.0 / 3.0
_PHASES = 48
_OFFBEAT_PHASES = (0.42, 0.74)
_CLEAREST_OFFBEAT = 3.5
_SMALLEST_OFFBEAT = 0.03
_SMALLEST_QUICK_OFFBEAT = 0.15
_FEWEST_BEATS = 8
_WEAKEST_BEAT = 0.1


@dataclass(frozen=True, eq=False)
class Rhythm:
    """The rhythm of a song.

    Parameters
    ----------
    onset_rate_hz
        Onsets a second.
    pulse_clarity
        How alike the song is to itself a pulse later, 0 (noise, silence) to 1 (a metronome).
    swing
        0 where notes off the beat halve it, 1 where they fall at two thirds as in triplets; None
        where there is no beat, or no such notes.
    pattern
        float32 ``[80]`` of unit length, the same at every tempo: the cosine of two patterns says
        how alike the rhythms are. All 0 where nothing is heard, or for less than 4 s.
    """

    onset_rate_hz: float
    pulse_clarity: float
    swing: float | None
    pattern: NDArray[np.float32]


PATTERN_SIZE = len(_COMMON)


def _onset_rate(envelope: Envelope) -> float:
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    smooth = uniform_filter1d(envelope, round(_BASELINE_SECONDS * FRAMES_PER_SECOND))
    highest = envelope == maximum_filter1d(envelope, 2 * _ONSET_REACH_FRAMES + 1)
    onsets = highest & (envelope > smooth + _SMALLEST_ONSET)
    return float(np.count_nonzero(onsets) * FRAMES_PER_SECOND / len(envelope))


def _correlations(signal: Floats) -> tuple[Floats, Floats]:
    """Autocorrelate windows of a signal.

    Returns the mean over windows ``[lags]``, 1 at lag 0, and each window's highest value
    at the lag of a pulse ``[windows]``; windows without a sound are left out.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    frames = min(len(signal), round(_WINDOW_SECONDS * FRAMES_PER_SECOND))
    step = round(_STEP_SECONDS * FRAMES_PER_SECOND)
    starts = np.append(np.arange(0, len(signal) - frames, step), len(signal) - frames)
    windows = np.lib.stride_tricks.sliding_window_view(signal.astype(np.float32), frames)
    size = next_fast_len(2 * frames, real=True)
    pairs = (frames - np.arange(frames)).astype(np.float32)
    lags = slice(*(round(seconds * FRAMES_PER_SECOND) for seconds in _PULSE_SECONDS))
    total, highest = np.zeros(frames), []
    for first in range(0, len(starts), _WINDOWS_AT_ONCE):
        power = np.square(np.abs(rfft(windows[starts[first : first + _WINDOWS_AT_ONCE]], size)))
        correlation = irfft(power, size)[:, :frames] / pairs
        sounding = correlation[correlation[:, 0] > _QUIETEST_POWER]
        total += sounding.sum(axis=0)
        highest.append((sounding[:, lags] / sounding[:, :1]).max(axis=1))
    return np.asarray(total / max(total[0], 1e-9)), np.concatenate(highest)


@cache
def _lag_axis() -> tuple[Floats, Floats]:
    """Lags in frames, evenly spaced in their logarithm, and their weights."""
    lags = np.geomspace(*_LAG_SECONDS, _LAGS)
    ends = round(_TAPERED_SHARE * _LAGS)
    ramp = np.square(np.sin(0.5 * np.pi * np.arange(ends) / ends))
    # Equal energy for every lag of a signal's Mellin transform: the root of the lag [1]_.
    weights = np.sqrt(lags)
    weights[:ends] *= ramp
    weights[-ends:] *= ramp[::-1]
    return lags * FRAMES_PER_SECOND, weights


def _scale_transform(correlation: Floats) -> NDArray[np.float32]:
    from scipy.fft import rfft

    lags, weights = _lag_axis()
    known = int(_LONGEST_LAG_SHARE * len(correlation))
    spaced = np.interp(lags, np.arange(known), correlation[:known], right=0.0) * weights
    magnitudes = np.abs(rfft(spaced, 2 * _LAGS))[1 : PATTERN_SIZE + 1]
    length = float(np.linalg.norm(magnitudes))
    if length == 0.0:
        return np.zeros(PATTERN_SIZE, np.float32)
    own = magnitudes / length - _COMMON_SHARE * np.array(_COMMON)
    return np.asarray(own / np.linalg.norm(own), np.float32)


def _offbeat(profiles: Floats) -> tuple[float, float, float] | None:
    """Find the accent off the beat in envelopes ``[beats, phases]`` between beats.

    Returns its phase, its height relative to that on the beat, and in standard errors.
    """
    mean = profiles.mean(axis=0)
    error = profiles.std(axis=0) / np.sqrt(len(profiles))
    low, high = (round(phase * _PHASES) for phase in _OFFBEAT_PHASES)
    inside = np.arange(low, high + 1)
    peaks = inside[(mean[inside] >= mean[inside - 1]) & (mean[inside] > mean[inside + 1])]
    if not len(peaks):
        return None
    peak = int(peaks[np.argmax(mean[peaks])])
    before, at, after = mean[peak - 1 : peak + 2]
    phase = (peak + 0.5 * (before - after) / (before - 2.0 * at + after)) / _PHASES
    ground = np.median(mean)
    on_beat = max(mean[:2].max(), mean[-2:].max()) - ground
    return (
        float(phase),
        float((at - ground) / max(on_beat, 1e-9)),
        float((at - ground) / max(error[peak], 1e-9)),
    )


def _swing(envelope: Envelope, beat: Beat) -> float | None:
    """Tell straight from triplet: among notes twice as fast as the beat, or four times."""
    from scipy.ndimage import gaussian_filter1d

    if len(beat.beat_seconds) < _FEWEST_BEATS or beat.beat_strength < _WEAKEST_BEAT:
        return None
    smooth = gaussian_filter1d(envelope.astype(np.float64), 0.7)
    beats = beat.beat_seconds * FRAMES_PER_SECOND + ONSET_DELAY_FRAMES
    halves = np.interp(np.arange(2 * len(beats) - 1) / 2.0, np.arange(len(beats)), beats)
    phases = np.arange(_PHASES) / _PHASES
    for grid, smallest in ((halves, _SMALLEST_QUICK_OFFBEAT), (beats, _SMALLEST_OFFBEAT)):
        times = grid[:-1, None] + phases * np.diff(grid)[:, None]
        found = _offbeat(np.interp(times, np.arange(len(smooth)), smooth))
        if found and found[1] >= smallest and found[2] >= _CLEAREST_OFFBEAT:
            return float(np.clip((found[0] - _STRAIGHT) / (_TRIPLET - _STRAIGHT), 0.0, 1.0))
    return None


def analyse_rhythm(envelope: Envelope, beat: Beat) -> Rhythm:
    """Describe the rhythm.

    Parameters
    ----------
    envelope : ndarray [shape=(n,)]
        Of :func:`songprint.descriptors.beat.onset_envelope`.
    beat : Beat
        Of :func:`songprint.descriptors.beat.analyse_beat`, for the swing alone.

    Returns
    -------
    Rhythm
        All 0, `swing` None, for less than 4 s.

    Raises
    ------
    ValueError
        If `envelope` is not one-dimensional or not finite.
    """
    if envelope.ndim != 1 or not np.isfinite(envelope).all():
        raise ValueError("an onset envelope is one-dimensional and finite")
    if len(envelope) < SHORTEST_SECONDS * FRAMES_PER_SECOND:
        return Rhythm(0.0, 0.0, None, np.zeros(PATTERN_SIZE, np.float32))
    _, pulses = _correlations(accents(envelope))
    signal = accents(envelope, smoothing_frames=0.0, baseline_seconds=_TREND_SECONDS)
    correlation, _ = _correlations(signal)
    return Rhythm(
        onset_rate_hz=_onset_rate(envelope),
        pulse_clarity=float(np.clip(pulses.mean(), 0.0, 1.0)) if len(pulses) else 0.0,
        swing=_swing(envelope, beat),
        pattern=_scale_transform(correlation),
    )
