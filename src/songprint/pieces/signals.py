"""Test signals whose truth is known: clicks, tones, noises, cadences and something like speech.

All are mono float32 ``[samples]``, the same on every call. A level in dBFS is that of the root
mean square relative to a full scale of 1.0, so that a sine of amplitude 1 has -3.01 dBFS.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from songprint.errors import UsageError
from songprint.pieces.score import chord, frequency_hz, pitch_class
from songprint.pieces.synth import (
    Signal,
    adsr,
    decibels,
    fading,
    glottal_pulses,
    highpass,
    noise,
    time_axis,
    vowel,
)

CLICK_SECONDS = 0.012
CLICK_HZ = 1500.0
# Pink noise falls by 3 dB an octave from here up; below it is flat.
PINK_LOWEST_HZ = 20.0
SYLLABLES_A_SECOND = 4.5


def _samples(seconds: float, sample_rate_hz: int) -> int:
    if seconds <= 0 or sample_rate_hz <= 0:
        raise UsageError(f"no signal lasts {seconds} s at {sample_rate_hz} Hz")
    return round(seconds * sample_rate_hz)


def _levelled(x: Signal, dbfs: float) -> NDArray[np.float32]:
    root_mean_square = float(np.sqrt(np.mean(x**2)))
    return np.asarray(x * (decibels(dbfs) / root_mean_square), dtype=np.float32)


def silence(seconds: float, sample_rate_hz: int) -> NDArray[np.float32]:
    """Return digital silence."""
    return np.zeros(_samples(seconds, sample_rate_hz), dtype=np.float32)


def click_track(
    bpm: float, seconds: float, sample_rate_hz: int, accent_every: int = 0
) -> NDArray[np.float32]:
    """Return a metronome.

    Parameters
    ----------
    bpm
        Clicks a minute; click ``k`` starts at sample ``round(k * 60 / bpm * sample_rate_hz)``.
    seconds
        Length.
    sample_rate_hz
        Samples a second.
    accent_every
        Every so many clicks are an octave higher and louder; 0 for none.

    Returns
    -------
    ndarray
        float32 ``[samples]``, silent between the clicks, peak at most 0.9.

    Raises
    ------
    UsageError
        If the tempo leaves no silence between the clicks.
    """
    if not 0.0 < bpm < 60.0 / CLICK_SECONDS:
        raise UsageError(f"no metronome clicks at {bpm} BPM")
    track = np.zeros(_samples(seconds, sample_rate_hz))
    t = time_axis(CLICK_SECONDS, sample_rate_hz)
    fall = fading(len(t), sample_rate_hz, CLICK_SECONDS)
    plain = 0.6 * fall * np.cos(2.0 * np.pi * CLICK_HZ * t)
    accented = 0.9 * fall * np.cos(4.0 * np.pi * CLICK_HZ * t)
    count, start = 0, 0
    while start < len(track):
        click = accented if accent_every and count % accent_every == 0 else plain
        stop = min(len(track), start + len(click))
        track[start:stop] = click[: stop - start]
        count += 1
        start = round(count * 60.0 / bpm * sample_rate_hz)
    return track.astype(np.float32)


def sine(
    hz: float, seconds: float, sample_rate_hz: int, dbfs: float = -12.0
) -> NDArray[np.float32]:
    """Return a pure tone with the given root mean square level."""
    t = time_axis(_samples(seconds, sample_rate_hz) / sample_rate_hz, sample_rate_hz)
    amplitude = decibels(dbfs) * np.sqrt(2.0)
    return np.asarray(amplitude * np.sin(2.0 * np.pi * hz * t), dtype=np.float32)


def white_noise(
    seconds: float, sample_rate_hz: int, dbfs: float = -20.0, seed: int = 0
) -> NDArray[np.float32]:
    """Return uniform white noise with exactly the given root mean square level."""
    rng = np.random.default_rng(seed)
    return _levelled(noise(_samples(seconds, sample_rate_hz), rng), dbfs)


def pink_noise(
    seconds: float, sample_rate_hz: int, dbfs: float = -20.0, seed: int = 0
) -> NDArray[np.float32]:
    """Return noise whose power falls by 3 dB an octave, with exactly the given level."""
    samples = _samples(seconds, sample_rate_hz)
    spectrum = np.fft.rfft(noise(samples, np.random.default_rng(seed)))
    hz = np.fft.rfftfreq(samples, 1.0 / sample_rate_hz)
    spectrum /= np.sqrt(np.maximum(hz, PINK_LOWEST_HZ))
    spectrum[0] = 0.0
    return _levelled(np.asarray(np.fft.irfft(spectrum, samples), dtype=np.float64), dbfs)


def cadence(
    key: str,
    mode: str,
    sample_rate_hz: int,
    *,
    chord_seconds: float = 1.0,
    times: int = 2,
    dbfs: float = -16.0,
) -> NDArray[np.float32]:
    """Return the cadence that settles a key: I-IV-V-I, or i-iv-V-i in minor.

    Parameters
    ----------
    key
        Tonic, such as ``"A"`` or ``"Eb"``.
    mode
        ``"major"`` or ``"minor"`` (with the raised seventh in its dominant).
    sample_rate_hz
        Samples a second.
    chord_seconds
        Length of each chord.
    times
        How often the cadence is played.
    dbfs
        Root mean square level.

    Returns
    -------
    ndarray
        float32 ``[4 * times * chord_seconds * sample_rate_hz]``: triads of six partials each over
        their root in the bass, A4 at 440 Hz.
    """
    if mode not in ("major", "minor"):
        raise UsageError(f"a mode is major or minor, not {mode!r}")
    tonic = pitch_class(key)
    kind = "" if mode == "major" else "m"
    held = _samples(chord_seconds, sample_rate_hz)
    sounds = []
    for degree, quality in ((0, kind), (5, kind), (7, ""), (0, kind)):
        root = 48 + (tonic + degree) % 12
        triad = [root + step - 48 for step in chord(f"C{quality}", 3)]
        t = np.arange(held) / sample_rate_hz
        sound = np.zeros(held)
        for pitch in (root - 12, *triad):
            for k in range(1, 7):
                hz = k * frequency_hz(pitch)
                if hz < 0.45 * sample_rate_hz:
                    sound += np.sin(2.0 * np.pi * hz * t) / k**1.5
        sounds.append(sound * np.minimum(1.0, t / 0.01) * np.exp(-t / chord_seconds))
    return _levelled(np.tile(np.concatenate(sounds), times), dbfs)


def speech_like(
    seconds: float, sample_rate_hz: int, seed: int = 0, dbfs: float = -20.0
) -> NDArray[np.float32]:
    """Return what has the rhythm and the formants of speech and says nothing.

    Glottal pulses whose pitch falls over each phrase go through the formants of random vowels,
    four or five syllables a second, between bursts of hiss for consonants and pauses for breath.
    It is no recording and no speech: a stand-in for tests of what is not music.

    Parameters
    ----------
    seconds
        Length.
    sample_rate_hz
        Samples a second.
    seed
        Of the syllables.
    dbfs
        Root mean square level, pauses included.

    Returns
    -------
    ndarray
        float32 ``[samples]``.
    """
    rng = np.random.default_rng(seed)
    samples = _samples(seconds, sample_rate_hz)
    track = np.zeros(samples)
    at, voice_hz = 0.05, 105.0 + 90.0 * rng.random()
    phrase_left = 0
    decline = 1.0
    while at < seconds:
        if phrase_left == 0:
            at += 0.0 if decline == 1.0 else 0.35 + 0.3 * rng.random()
            phrase_left, decline = 4 + int(8 * rng.random()), 1.15
        held = (0.55 + 0.7 * rng.random()) / SYLLABLES_A_SECOND
        t = time_axis(held, sample_rate_hz)
        pitch = voice_hz * decline * (1.0 + 0.12 * np.sin(np.pi * t / held) * (rng.random() - 0.3))
        name = "aeiou"[int(5 * rng.random())]
        voiced = vowel(glottal_pulses(pitch, len(t), sample_rate_hz), name, sample_rate_hz)
        voiced *= adsr(held - 0.03, sample_rate_hz, attack=0.03, release=0.03)[: len(t)]
        voiced /= np.abs(voiced).max() + 1e-12
        hiss = highpass(noise(len(t), rng), 1800.0 + 2500.0 * rng.random(), sample_rate_hz)
        hiss *= np.exp(-((t - 0.02) ** 2) / 0.0004) * (0.3 * rng.random())
        start = round(at * sample_rate_hz)
        stop = min(samples, start + len(t))
        if stop > start:
            track[start:stop] += ((0.7 + 0.3 * rng.random()) * voiced + hiss)[: stop - start]
        at += held + 0.05 * rng.random()
        decline *= 0.97
        phrase_left -= 1
    b, a = signal.butter(1, 80.0, "highpass", fs=sample_rate_hz)
    return _levelled(np.asarray(signal.lfilter(b, a, track), dtype=np.float64), dbfs)
