"""Sound from nothing: oscillators, envelopes, filters, a plucked string, distortion and reverb.

Everything is computed in float64 and depends only on its arguments; where there is noise, the
caller hands in the generator. A signal is a 1-d array of samples, full scale being 1.0.

References
----------
K. Karplus and A. Strong, "Digital Synthesis of Plucked-String and Drum Timbres",
Computer Music Journal 7(2), 1983. D. Jaffe and J. Smith, "Extensions of the Karplus-Strong
Plucked-String Algorithm", ibid. V. Välimäki and A. Huovilainen, "Antialiasing Oscillators in
Subtractive Synthesis", IEEE Signal Processing Magazine 24(2), 2007 (polyBLEP).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Signal = NDArray[np.float64]

# A filter's corner is held below this share of the sample rate.
HIGHEST_CORNER = 0.45
# The string's damping is given as the time constant of its partials near this frequency.
DAMPING_REFERENCE_HZ = 3000.0
# Length of the stretches over which a swept filter stands still.
SWEEP_STEP_SAMPLES = 192


def decibels(gain_db: float) -> float:
    """Return the amplitude ratio of a gain in decibels."""
    return float(10.0 ** (gain_db / 20.0))


def time_axis(seconds: float, sample_rate_hz: int) -> Signal:
    """Return the time of every sample, in seconds."""
    return np.arange(round(seconds * sample_rate_hz), dtype=np.float64) / sample_rate_hz


# --- oscillators ---------------------------------------------------------------------------


def _cycles(hz: float | Signal, samples: int, sample_rate_hz: int) -> Signal:
    if isinstance(hz, np.ndarray):
        steps = hz / sample_rate_hz
        return np.asarray(np.cumsum(steps) - steps[0], dtype=np.float64)
    return np.arange(samples, dtype=np.float64) * (hz / sample_rate_hz)


def _step_residual(phase: Signal, step: float | Signal) -> Signal:
    steps = np.broadcast_to(np.asarray(step, dtype=np.float64), phase.shape)
    residual = np.zeros_like(phase)
    after = phase < steps
    before = phase > 1.0 - steps
    u = phase[after] / steps[after]
    residual[after] = 2.0 * u - u * u - 1.0
    u = (phase[before] - 1.0) / steps[before]
    residual[before] = u * u + 2.0 * u + 1.0
    return residual


def sine(hz: float | Signal, samples: int, sample_rate_hz: int, phase: float = 0.0) -> Signal:
    """Return a sine.

    Parameters
    ----------
    hz
        Frequency, one for all or ``[samples]``.
    samples
        Length of the signal.
    sample_rate_hz
        Samples a second.
    phase
        Where it starts, in cycles.

    Returns
    -------
    Signal
        ``[samples]``, between -1 and 1.
    """
    return np.sin(2.0 * np.pi * (_cycles(hz, samples, sample_rate_hz) + phase))


def saw(hz: float | Signal, samples: int, sample_rate_hz: int, phase: float = 0.0) -> Signal:
    """Return a rising sawtooth, its steps smoothed by polyBLEP; parameters as for `sine`."""
    position = (_cycles(hz, samples, sample_rate_hz) + phase) % 1.0
    return 2.0 * position - 1.0 - _step_residual(position, hz / sample_rate_hz)


def square(
    hz: float | Signal, samples: int, sample_rate_hz: int, phase: float = 0.0, width: float = 0.5
) -> Signal:
    """Return a pulse wave without its mean, high for `width` of a cycle; otherwise as `sine`."""
    position = (_cycles(hz, samples, sample_rate_hz) + phase) % 1.0
    step = hz / sample_rate_hz
    wave = np.where(position < width, 1.0, -1.0)
    wave += _step_residual(position, step) - _step_residual((position - width) % 1.0, step)
    return np.asarray(wave - (2.0 * width - 1.0), dtype=np.float64)


def damped_sine(
    hz: float, samples: int, sample_rate_hz: int, time_constant: float, phase: float = 0.0
) -> Signal:
    """Return a sine that dies away by a factor of e every `time_constant` seconds.

    It is the impulse response of a two-pole filter, several times cheaper than sine times
    exponential; `phase` is in cycles.
    """
    w, start = 2.0 * np.pi * hz / sample_rate_hz, 2.0 * np.pi * phase
    kept = np.exp(-1.0 / (time_constant * sample_rate_hz))
    impulse = np.zeros(samples)
    impulse[0] = 1.0
    b = [np.sin(start), kept * np.sin(w - start)]
    a = [1.0, -2.0 * kept * np.cos(w), kept * kept]
    return np.asarray(signal.lfilter(b, a, impulse), dtype=np.float64)


def noise(samples: int, rng: np.random.Generator) -> Signal:
    """Return white noise, uniform between -1 and 1."""
    return rng.random(samples) * 2.0 - 1.0


# --- envelopes -----------------------------------------------------------------------------


def adsr(
    held_seconds: float,
    sample_rate_hz: int,
    *,
    attack: float = 0.005,
    decay: float = 0.1,
    sustain: float = 0.7,
    release: float = 0.1,
) -> Signal:
    """Return an attack-decay-sustain-release envelope.

    Parameters
    ----------
    held_seconds
        How long the key is down; the envelope is longer by `release`.
    sample_rate_hz
        Samples a second.
    attack, decay, release
        Lengths of the straight segments, in seconds.
    sustain
        Level while the key stays down, 0 to 1.
    """
    t = time_axis(held_seconds + release, sample_rate_hz)
    corners = [0.0, attack, attack + decay]
    levels = np.interp(t, corners, [0.0, 1.0, sustain])
    fall = np.clip(1.0 - (t - held_seconds) / release, 0.0, 1.0)
    return np.asarray(levels * fall * fall, dtype=np.float64)


def fading(samples: int, sample_rate_hz: int, seconds_to_60_db: float) -> Signal:
    """Return an exponential decay that has fallen by 60 dB after the given time."""
    rate = np.log(1000.0) / (seconds_to_60_db * sample_rate_hz)
    return np.asarray(np.exp(-rate * np.arange(samples, dtype=np.float64)), dtype=np.float64)


def tapered(x: Signal, sample_rate_hz: int, fade_seconds: float = 0.004) -> Signal:
    """Return the signal with a straight fade at its end, so that it stops without a click."""
    count = min(len(x), max(1, round(fade_seconds * sample_rate_hz)))
    y = x.copy()
    y[len(x) - count :] *= np.linspace(1.0, 0.0, count)
    return y


# --- filters -------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _butterworth(kind: str, corners_hz: tuple[float, ...], rate_hz: int, order: int) -> Any:
    limit = HIGHEST_CORNER * rate_hz
    held = [
        min(hz, limit * (0.9 if i < len(corners_hz) - 1 else 1.0))
        for i, hz in enumerate(corners_hz)
    ]
    corner = held[0] if len(held) == 1 else held
    return signal.butter(order, corner, kind, fs=rate_hz, output="sos")


def _filtered(x: Signal, kind: str, hz: tuple[float, ...], rate_hz: int, order: int) -> Signal:
    return np.asarray(signal.sosfilt(_butterworth(kind, hz, rate_hz, order), x), dtype=np.float64)


def lowpass(x: Signal, hz: float, sample_rate_hz: int, order: int = 2) -> Signal:
    """Return what lies below a frequency (Butterworth)."""
    return _filtered(x, "lowpass", (hz,), sample_rate_hz, order)


def highpass(x: Signal, hz: float, sample_rate_hz: int, order: int = 2) -> Signal:
    """Return what lies above a frequency (Butterworth)."""
    return _filtered(x, "highpass", (hz,), sample_rate_hz, order)


def bandpass(x: Signal, low_hz: float, high_hz: float, sample_rate_hz: int) -> Signal:
    """Return what lies between two frequencies (Butterworth, second order at each side)."""
    return _filtered(x, "bandpass", (low_hz, high_hz), sample_rate_hz, 2)


def resonance(x: Signal, hz: float, bandwidth_hz: float, sample_rate_hz: int) -> Signal:
    """Return the signal through a resonator whose gain at its centre is one."""
    hz = min(hz, HIGHEST_CORNER * sample_rate_hz)
    b, a = signal.iirpeak(hz, hz / bandwidth_hz, fs=sample_rate_hz)
    return np.asarray(signal.lfilter(b, a, x), dtype=np.float64)


def swept_lowpass(
    x: Signal,
    corner_hz: Signal,
    q: float,
    sample_rate_hz: int,
    step_samples: int = SWEEP_STEP_SAMPLES,
) -> Signal:
    """Return the signal through a resonant low-pass whose corner moves.

    Parameters
    ----------
    x
        ``[samples]``.
    corner_hz
        Corner frequency at every sample, ``[samples]``; read every `step_samples`.
    q
        Resonance: 0.7 is flat, 10 whistles.
    sample_rate_hz
        Samples a second.
    step_samples
        Length of the stretches over which the filter stands still.
    """
    corners = np.minimum(corner_hz[::step_samples], HIGHEST_CORNER * sample_rate_hz)
    w = 2.0 * np.pi * corners / sample_rate_hz
    alpha, cosine = np.sin(w) / (2.0 * q), np.cos(w)
    half = (1.0 - cosine) / (2.0 * (1.0 + alpha))
    b = np.stack([half, 2.0 * half, half], axis=1)
    a = np.stack([1.0 + alpha, -2.0 * cosine, 1.0 - alpha], axis=1) / (1.0 + alpha)[:, None]
    y = np.empty_like(x)
    state = np.zeros(2)
    for i in range(len(corners)):
        stretch = slice(i * step_samples, (i + 1) * step_samples)
        y[stretch], state = signal.lfilter(b[i], a[i], x[stretch], zi=state)
    return y


# --- the plucked string --------------------------------------------------------------------


def karplus_strong(
    hz: float,
    seconds: float,
    sample_rate_hz: int,
    rng: np.random.Generator,
    *,
    ring_seconds: float = 4.0,
    damping_seconds: float = 0.3,
    pluck_hz: float = 4000.0,
    pluck_position: float = 0.18,
) -> Signal:
    """Pluck a string (Karplus-Strong, tuned between samples).

    The loop holds one period. It is run a period at a time, which gives the recursion's own
    values at the cost of one vector operation a period; ``scipy.signal.lfilter`` would multiply
    by every sample of a denominator as long as the period.

    Parameters
    ----------
    hz
        Pitch.
    seconds
        Length of the signal.
    sample_rate_hz
        Samples a second.
    rng
        Source of the burst of noise that sets the string off.
    ring_seconds
        Time in which the lowest partials fall by 60 dB.
    damping_seconds
        Time constant of the partials near 3 kHz: short is a nylon string or a palm on the bridge.
    pluck_hz
        Corner of the low-pass over the burst: the softness of the finger.
    pluck_position
        Where the string is plucked, as a share of its length; its partials there are missing.

    Returns
    -------
    Signal
        ``[samples]``, peaking at 1.
    """
    period = sample_rate_hz / hz
    delay = int(period - 1.0)
    share = period - 1.0 - delay
    reference = 2.0 * np.pi * min(DAMPING_REFERENCE_HZ / sample_rate_hz, 0.4)
    kept = np.exp(-1.0 / (hz * damping_seconds))
    side = min(0.25, (1.0 - kept) / (2.0 * (1.0 - np.cos(reference))))
    gain = 10.0 ** (-3.0 / (hz * ring_seconds))
    taps = gain * np.convolve([side, 1.0 - 2.0 * side, side], [1.0 - share, share])

    burst = lowpass(noise(2 * delay, rng), pluck_hz, sample_rate_hz, order=1)[delay:]
    burst = burst - np.roll(burst, max(1, round(delay * pluck_position)))
    burst -= burst.mean()
    samples = round(seconds * sample_rate_hz)
    rounds = -(-samples // delay)
    lead = len(taps) - 1
    string = np.zeros(lead + (rounds + 1) * delay)
    string[lead : lead + delay] = burst
    for start in range(lead + delay, lead + rounds * delay, delay):
        past = start - delay
        new = taps[0] * string[past : past + delay]
        for lag in range(1, len(taps)):
            new += taps[lag] * string[past - lag : past - lag + delay]
        string[start : start + delay] = new
    y = string[lead : lead + samples]
    return tapered(y / (np.abs(y).max() + 1e-12), sample_rate_hz, 0.02)


def bent(x: Signal, semitones: Signal) -> Signal:
    """Return the signal with its pitch bent.

    Parameters
    ----------
    x
        ``[samples]``.
    semitones
        The bend at every sample, ``[samples]``; 0 leaves the pitch alone.
    """
    read = np.cumsum(2.0 ** (semitones / 12.0))
    moved = np.interp(read - read[0], np.arange(len(x)), x, right=0.0)
    return np.asarray(moved, dtype=np.float64)


# --- effects -------------------------------------------------------------------------------


def distorted(x: Signal, drive: float, sample_rate_hz: int) -> Signal:
    """Overdrive a signal as a valve does: tanh, slightly lopsided, at twice the sample rate."""
    fine = np.asarray(signal.resample_poly(x, 2, 1), dtype=np.float64)
    bias = 0.15
    fine = np.tanh(drive * fine + bias) - np.tanh(bias)
    return highpass(np.asarray(signal.resample_poly(fine, 1, 2)), 30.0, sample_rate_hz)


def cabinet(x: Signal, sample_rate_hz: int, top_hz: float = 4500.0) -> Signal:
    """Return the signal through a guitar loudspeaker: no deep bass, a bite, a steep top."""
    y = highpass(x, 85.0, sample_rate_hz)
    y = y + 0.7 * resonance(y, 2400.0, 1500.0, sample_rate_hz)
    y = y + 0.5 * resonance(y, 120.0, 80.0, sample_rate_hz)
    return lowpass(y, top_hz, sample_rate_hz, order=4)


def tremolo(x: Signal, hz: float, depth: float, sample_rate_hz: int) -> Signal:
    """Return the signal with its level swaying by `depth` (0 to 1) `hz` times a second."""
    return x * (1.0 - depth * 0.5 * (1.0 + sine(hz, len(x), sample_rate_hz)))


def echo(x: Signal, delay_seconds: float, feedback: float, sample_rate_hz: int) -> Signal:
    """Return the repeats alone of a signal, each darker than the one before."""
    delay = round(delay_seconds * sample_rate_hz)
    y = np.zeros_like(x)
    repeat, gain = x, 1.0
    for count in range(1, 7):
        if count * delay >= len(x):
            break
        repeat, gain = lowpass(repeat, 3000.0, sample_rate_hz, order=1), gain * feedback
        y[count * delay :] += gain * repeat[: len(x) - count * delay]
    return y


@lru_cache(maxsize=32)
def _room(seconds: float, damping_hz: float, sample_rate_hz: int, seed: int) -> Signal:
    rng = np.random.default_rng(seed)
    samples = round(seconds * sample_rate_hz)
    bright = noise(samples, rng) * fading(samples, sample_rate_hz, 0.6 * seconds)
    dark = lowpass(noise(samples, rng), damping_hz, sample_rate_hz)
    response = 0.5 * bright + dark * fading(samples, sample_rate_hz, seconds)
    gap = round(0.012 * sample_rate_hz)
    response = np.concatenate([np.zeros(gap), response])
    for early in rng.random(7):
        response[round((0.006 + 0.04 * early) * sample_rate_hz)] += 1.5 * (early - 0.4)
    return np.asarray(response / np.sqrt(np.sum(response**2)), dtype=np.float64)


def reverb(
    x: Signal, seconds: float, sample_rate_hz: int, damping_hz: float = 3500.0
) -> NDArray[np.float64]:
    """Return the sound of a room alone, by convolution with decaying noise.

    Parameters
    ----------
    x
        ``[samples]``.
    seconds
        The room's reverberation time (60 dB).
    sample_rate_hz
        Samples a second.
    damping_hz
        Above this the room swallows sound faster.

    Returns
    -------
    ndarray
        ``[samples, 2]``, the two sides unlike each other.
    """
    rooms = np.stack([_room(seconds, damping_hz, sample_rate_hz, seed) for seed in (1, 2)])
    sides = signal.oaconvolve(x[None, :], rooms, axes=-1)[:, : len(x)]
    return np.asarray(sides.T, dtype=np.float64)


# --- the voice -----------------------------------------------------------------------------

# First, second and third formants (Hz) with their levels (dB): an average adult's vowels.
VOWELS: dict[str, tuple[tuple[float, float], ...]] = {
    "a": ((730.0, 0.0), (1150.0, -5.0), (2500.0, -22.0)),
    "e": ((530.0, 0.0), (1840.0, -12.0), (2500.0, -18.0)),
    "i": ((300.0, 0.0), (2200.0, -18.0), (3000.0, -22.0)),
    "o": ((500.0, 0.0), (850.0, -8.0), (2450.0, -28.0)),
    "u": ((330.0, 0.0), (870.0, -14.0), (2300.0, -32.0)),
}


def glottal_pulses(hz: float | Signal, samples: int, sample_rate_hz: int) -> Signal:
    """Return the buzz of vocal folds: a sawtooth that falls by about 12 dB an octave."""
    return lowpass(saw(hz, samples, sample_rate_hz), 900.0, sample_rate_hz, order=1)


def vowel(buzz: Signal, name: str, sample_rate_hz: int) -> Signal:
    """Shape a buzz into one of the vowels a, e, i, o and u."""
    y = 0.03 * buzz
    for hz, level_db in VOWELS[name]:
        y = y + decibels(level_db + 6.0) * resonance(buzz, hz, 60.0 + 0.05 * hz, sample_rate_hz)
    return y
