"""Pitched instruments: each plays one note, from a frequency, a length, a rate and a generator."""

from __future__ import annotations

import numpy as np

from songprint.pieces.score import Voice
from songprint.pieces.synth import (
    Signal,
    adsr,
    bent,
    damped_sine,
    fading,
    glottal_pulses,
    highpass,
    karplus_strong,
    lowpass,
    noise,
    resonance,
    saw,
    sine,
    square,
    swept_lowpass,
    tapered,
    time_axis,
    vowel,
)

# Partials of a struck string above this are left out: they are neither heard nor cheap.
HIGHEST_PARTIAL_HZ = 7000.0


def _let_go(x: Signal, held: float, rate: int, release: float = 0.06) -> Signal:
    fall = np.clip(1.0 - (np.arange(len(x)) / rate - held) / release, 0.0, 1.0)
    return x[: round((held + release) * rate)] * fall[: round((held + release) * rate)]


def plucked(
    *,
    ring_seconds: float = 4.0,
    damping_seconds: float = 0.3,
    pluck_hz: float = 4000.0,
    pluck_position: float = 0.18,
    body: float = 0.0,
    release: float = 0.06,
) -> Voice:
    """Return a plucked string; parameters as for `karplus_strong`, `body` a guitar's hollowness."""

    def voice(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
        x = karplus_strong(
            hz,
            held + release,
            rate,
            rng,
            ring_seconds=ring_seconds,
            damping_seconds=damping_seconds,
            pluck_hz=pluck_hz,
            pluck_position=pluck_position,
        )
        if body:
            air = resonance(x, 105.0, 40.0, rate) + 0.7 * resonance(x, 215.0, 60.0, rate)
            x = x + body * air
        return _let_go(x, held, rate, release)

    return voice


steel_guitar = plucked(ring_seconds=5.0, damping_seconds=0.35, pluck_hz=5000.0, body=0.8)
electric_guitar = plucked(ring_seconds=6.0, damping_seconds=0.25, pluck_hz=3000.0)
clean_chop = plucked(ring_seconds=2.0, damping_seconds=0.2, pluck_hz=4500.0, pluck_position=0.1)
palm_mute = plucked(
    ring_seconds=0.45, damping_seconds=0.02, pluck_hz=2500.0, pluck_position=0.08, release=0.02
)
telecaster = plucked(ring_seconds=4.0, damping_seconds=0.4, pluck_hz=7000.0, pluck_position=0.09)


def upright_bass(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
    """Pluck a double bass: dark, short, with the thump of the finger."""
    x = karplus_strong(
        hz, held + 0.08, rate, rng,
        ring_seconds=2.2, damping_seconds=0.03, pluck_hz=600.0, pluck_position=0.3,
    )  # fmt: skip
    n = len(x)
    x = x + 0.5 * sine(hz, n, rate) * fading(n, rate, 1.6)
    thump = lowpass(noise(n, rng), 900.0, rate) * fading(n, rate, 0.05)
    return _let_go(x + 0.25 * thump, held, rate, 0.08)


def electric_bass(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
    """Pluck an electric bass with the fingers."""
    x = karplus_strong(
        hz, held + 0.05, rate, rng,
        ring_seconds=4.0, damping_seconds=0.09, pluck_hz=1400.0, pluck_position=0.22,
    )  # fmt: skip
    x = np.tanh(1.6 * x) + 0.4 * sine(hz, len(x), rate) * fading(len(x), rate, 3.0)
    return _let_go(x, held, rate, 0.05)


def dub_bass(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
    """Play a bass with all its top turned down."""
    x = electric_bass(hz, held, rate, rng)
    return (
        lowpass(x, 260.0, rate)
        + 0.7
        * sine(hz, len(x), rate)
        * adsr(held, rate, attack=0.012, decay=0.4, sustain=0.7, release=len(x) / rate - held)[
            : len(x)
        ]
    )


def sub_bass(hz: float, held: float, rate: int, _rng: np.random.Generator) -> Signal:
    """Play a sine of a bass, its start a little higher, warmed by soft clipping."""
    t = time_axis(held + 0.08, rate)
    tone = sine(hz * (1.0 + 0.6 * np.exp(-t / 0.015)), len(t), rate)
    envelope = adsr(held, rate, attack=0.004, decay=0.5, sustain=0.6, release=0.08)[: len(t)]
    return np.asarray(np.tanh(1.8 * tone * envelope), dtype=np.float64)


def synth_bass(hz: float, held: float, rate: int, _rng: np.random.Generator) -> Signal:
    """Play a short saw bass through a filter that closes after the attack."""
    n = round((held + 0.04) * rate)
    x = saw(hz, n, rate) + 0.6 * square(hz, n, rate, phase=0.3)
    corner = 250.0 + 2200.0 * fading(n, rate, 0.45)
    x = swept_lowpass(x, corner, 1.2, rate)
    return x * adsr(held, rate, attack=0.003, decay=0.25, sustain=0.6, release=0.04)[:n]


def piano(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
    """Strike a piano string: stretched partials, two stages of decay, the knock of the hammer."""
    t = time_axis(held + 0.18, rate)
    n = len(t)
    stiffness = 0.00018 * (hz / 220.0) ** 1.4
    tone = np.zeros(n)
    limit = min(HIGHEST_PARTIAL_HZ, 0.45 * rate)
    for k in range(1, 15):
        partial = k * hz * np.sqrt(1.0 + stiffness * k * k)
        if partial > limit:
            break
        strength = abs(np.sin(np.pi * k * 0.12)) / k * np.exp(-partial / 1700.0)
        slow = (3.2 * (220.0 / hz) ** 0.5) / (1.0 + 0.22 * k)
        tone += strength * damped_sine(partial, n, rate, slow, float(rng.random()))
    tone *= 0.6 + 0.4 * np.exp(-t / 0.12)
    knock = lowpass(noise(n, rng), 1200.0, rate) * np.exp(-t / 0.012)
    x = tone / np.abs(tone).max() * (1.0 - np.exp(-t / 0.0015)) + 0.06 * knock
    return _let_go(x, held, rate, 0.18)


def electric_piano(hz: float, held: float, rate: int, _rng: np.random.Generator) -> Signal:
    """Play a tine piano by frequency modulation."""
    t = time_axis(held + 0.15, rate)
    n = len(t)
    bell = 0.35 * sine(14.0 * hz, n, rate) * np.exp(-t / 0.06) if 15.0 * hz < 0.45 * rate else 0.0
    growl = 0.9 * sine(hz, n, rate) * np.exp(-t / 0.7)
    x = np.sin(2.0 * np.pi * hz * t + growl) + 0.25 * np.sin(2.0 * np.pi * hz * t + bell)
    return _let_go(np.asarray(x * np.exp(-t / 1.3), dtype=np.float64), held, rate, 0.15)


def organ(hz: float, held: float, rate: int, _rng: np.random.Generator) -> Signal:
    """Play a drawbar organ."""
    n = round((held + 0.03) * rate)
    x = np.zeros(n)
    for multiple, level in ((0.5, 0.6), (1.0, 1.0), (1.5, 0.5), (2.0, 0.5), (3.0, 0.25)):
        x += level * sine(multiple * hz, n, rate, phase=multiple / 7.0)
    return 0.4 * x * adsr(held, rate, attack=0.006, decay=0.02, sustain=1.0, release=0.03)[:n]


def _vibrato(hz: float, t: Signal, rng: np.random.Generator, cents: float) -> Signal:
    rate_hz = 5.2 + 0.8 * rng.random()
    depth = cents / 1200.0 * np.clip((t - 0.12) / 0.3, 0.0, 1.0)
    wander = depth * np.sin(2.0 * np.pi * (rate_hz * t + rng.random()))
    return np.asarray(hz * 2.0 ** (wander + 0.002 * (rng.random() - 0.5)), dtype=np.float64)


def bowed(*, players: int = 1, attack: float = 0.09, bright_hz: float = 1500.0) -> Voice:
    """Return bowed strings: detuned saws with vibrato through the box of a violin."""

    def voice(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
        t = time_axis(held + 0.16, rate)
        n = len(t)
        x = np.zeros(n)
        for _ in range(players):
            pitch = _vibrato(hz * 2.0 ** (0.008 * (rng.random() - 0.5)), t, rng, 14.0)
            x += saw(pitch, n, rate, phase=float(rng.random()))
        rosin = highpass(noise(n, rng), 2000.0, rate)
        x = x / players**0.5 + 0.03 * rosin
        x = lowpass(x, bright_hz, rate, order=1)
        x = lowpass(x, 2.2 * bright_hz, rate, order=2)
        for formant, width in ((275.0, 140.0), (470.0, 180.0), (1150.0, 300.0), (2600.0, 700.0)):
            x = x + 0.4 * resonance(x, formant, width, rate)
        swell = adsr(held, rate, attack=attack, decay=0.2, sustain=0.85, release=0.16)[:n]
        return 0.5 * x * swell

    return voice


solo_string = bowed()
string_section = bowed(players=4, attack=0.12, bright_hz=3000.0)
string_stab = bowed(players=5, attack=0.015, bright_hz=4500.0)


def pad(*, attack: float = 1.2, release: float = 1.5, top_hz: float = 1600.0) -> Voice:
    """Return a slow synthesiser: two detuned saws behind a filter that opens and closes."""

    def voice(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
        n = round((held + release) * rate)
        x = np.zeros(n)
        for detune in (-0.005, 0.006):
            x += saw(hz * (1.0 + detune), n, rate, phase=float(rng.random()))
        opening = np.sin(np.pi * np.arange(n) / n) ** 2
        x = swept_lowpass(x, 300.0 + (top_hz - 300.0) * opening, 0.9, rate, 1024)
        envelope = adsr(held, rate, attack=attack, decay=1.0, sustain=0.85, release=release)[:n]
        return 0.5 * x * envelope

    return voice


def acid(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
    """Play a bass synthesiser whose resonant filter squeals shut on every note."""
    n = round((held + 0.02) * rate)
    opening = 500.0 + 2600.0 * float(rng.random())
    corner = 180.0 + opening * fading(n, rate, 0.3)
    x = swept_lowpass(saw(hz, n, rate), corner, 7.0, rate)
    x = np.tanh(1.2 * x)
    return x * adsr(held, rate, attack=0.002, decay=0.15, sustain=0.7, release=0.02)[:n]


def lead_synth(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
    """Play a bright lead of detuned saws."""
    n = round((held + 0.1) * rate)
    x = np.zeros(n)
    for detune in (-0.009, -0.004, 0.0, 0.005, 0.01):
        x += saw(hz * (1.0 + detune), n, rate, phase=float(rng.random()))
    x = lowpass(highpass(x, 200.0, rate), 5500.0, rate)
    return 0.35 * x * adsr(held, rate, attack=0.006, decay=0.2, sustain=0.7, release=0.1)[:n]


def bell(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
    """Strike a soft bell that rings past the length of the note."""
    t = time_axis(held + 2.0, rate)
    x = np.zeros(len(t))
    for multiple, level, ring in ((1.0, 1.0, 1.4), (2.76, 0.35, 0.5), (5.4, 0.15, 0.2)):
        if multiple * hz < 0.45 * rate:
            start = float(rng.random())
            x += level * damped_sine(multiple * hz, len(t), rate, ring, start)
    return tapered(x * (1.0 - np.exp(-t / 0.004)), rate, 0.3)


def sung(*syllables: str) -> Voice:
    """Return a voice that sings one of the vowels on each note."""

    def voice(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
        name = syllables[int(len(syllables) * rng.random())]
        t = time_axis(held + 0.08, rate)
        scoop = -0.9 * np.exp(-t / 0.035)
        pitch = _vibrato(hz, t, rng, 30.0) * 2.0 ** (scoop / 12.0)
        breath = 0.05 * highpass(noise(len(t), rng), 2500.0, rate)
        x = vowel(glottal_pulses(pitch, len(t), rate) + breath, name, rate)
        consonant = highpass(noise(len(t), rng), 3500.0, rate) * np.exp(-t / 0.018)
        x = x / np.abs(x).max() + 0.08 * consonant
        level = adsr(held, rate, attack=0.03, decay=0.15, sustain=0.85, release=0.08)
        return np.asarray(x * level[: len(t)], dtype=np.float64)

    return voice


def pedal_steel(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
    """Slide a steel guitar up to its note from a whole tone below, the volume pedal swelling."""
    n = round((held + 0.3) * rate)
    x = karplus_strong(hz, n / rate, rate, rng, ring_seconds=9.0, damping_seconds=0.3)
    t = np.arange(n) / rate
    slide = -2.0 * np.clip(1.0 - t / 0.16, 0.0, 1.0) + 0.12 * np.sin(2 * np.pi * 5.5 * t)
    envelope = adsr(held, rate, attack=0.12, decay=0.3, sustain=0.9, release=0.3)[:n]
    return bent(x, slide) * envelope


def blues_lead(hz: float, held: float, rate: int, rng: np.random.Generator) -> Signal:
    """Play a lead guitar note: long ones are bent up to their pitch and shaken."""
    n = round((held + 0.06) * rate)
    x = karplus_strong(
        hz, n / rate, rate, rng, ring_seconds=7.0, damping_seconds=0.3, pluck_hz=5000.0
    )
    if held > 0.45:
        t = np.arange(n) / rate
        bend = -1.0 * np.clip(1.0 - t / 0.14, 0.0, 1.0)
        shake = 0.3 * np.clip((t - 0.3) / 0.2, 0.0, 1.0) * np.sin(2.0 * np.pi * 5.5 * t)
        x = bent(x, bend + shake)
    return _let_go(x, held, rate)
