"""The drum kit: each function returns one stroke, peaking near 1, from a rate and a generator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from songprint.pieces.synth import (
    Signal,
    bandpass,
    damped_sine,
    fading,
    highpass,
    lowpass,
    noise,
    resonance,
    sine,
    square,
    tapered,
    time_axis,
)

# A stroke of a drum, from the sample rate in Hz and the source of its noise.
Drum = Callable[[int, np.random.Generator], Signal]

# Partials of a beaten plate, as the square waves of an analogue cymbal (Hz).
CYMBAL_HZ = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)


def _peaking(x: Signal, sample_rate_hz: int) -> Signal:
    return tapered(x / np.abs(x).max(), sample_rate_hz)


def kick_tuned(
    low_hz: float = 52.0,
    ring_seconds: float = 0.35,
    sweep_hz: float = 170.0,
    click: float = 0.25,
) -> Drum:
    """Return a bass drum: a sine that falls to `low_hz`, and the click of the beater."""

    def stroke(sample_rate_hz: int, rng: np.random.Generator) -> Signal:
        t = time_axis(ring_seconds, sample_rate_hz)
        pitch = low_hz + sweep_hz * np.exp(-t / 0.022)
        body = sine(pitch, len(t), sample_rate_hz) * fading(len(t), sample_rate_hz, ring_seconds)
        beater = highpass(noise(len(t), rng), 1500.0, sample_rate_hz) * np.exp(-t / 0.004)
        return _peaking(body + click * lowpass(beater, 6500.0, sample_rate_hz), sample_rate_hz)

    return stroke


def snare_tuned(
    head_hz: float = 190.0, ring_seconds: float = 0.22, wires: float = 0.8, top_hz: float = 9500.0
) -> Drum:
    """Return a snare drum: two modes of the head, and the rattle of the wires."""

    def stroke(sample_rate_hz: int, rng: np.random.Generator) -> Signal:
        t = time_axis(1.6 * ring_seconds, sample_rate_hz)
        n = len(t)
        pitch = head_hz * (1.0 + 0.35 * np.exp(-t / 0.012))
        head = sine(pitch, n, sample_rate_hz) * np.exp(-t / 0.05)
        head += 0.6 * sine(1.72 * pitch, n, sample_rate_hz) * np.exp(-t / 0.035)
        rattle = bandpass(noise(n, rng), 900.0, top_hz, sample_rate_hz)
        rattle *= fading(n, sample_rate_hz, ring_seconds * 1.4)
        snap = highpass(noise(n, rng), 2500.0, sample_rate_hz) * np.exp(-t / 0.006)
        return _peaking(0.6 * head + wires * (rattle + 0.7 * snap), sample_rate_hz)

    return stroke


def hihat_tuned(ring_seconds: float = 0.07, low_hz: float = 6500.0) -> Drum:
    """Return a hi-hat: short closed, long open."""

    def stroke(sample_rate_hz: int, rng: np.random.Generator) -> Signal:
        n = round(1.2 * ring_seconds * sample_rate_hz)
        metal = np.zeros(n)
        for hz in CYMBAL_HZ:
            metal += square(1.6 * hz, n, sample_rate_hz, phase=float(rng.random()))
        hiss = noise(n, rng)
        mixed = highpass(0.12 * metal + hiss, min(low_hz, 0.3 * sample_rate_hz), sample_rate_hz)
        return _peaking(mixed * fading(n, sample_rate_hz, ring_seconds), sample_rate_hz)

    return stroke


def ride(sample_rate_hz: int, rng: np.random.Generator) -> Signal:
    """Return a stroke of the stick on a ride cymbal: a ping over a long wash."""
    n = round(0.9 * sample_rate_hz)
    t = time_axis(0.9, sample_rate_hz)[:n]
    wash = bandpass(noise(n, rng), 3500.0, 11000.0, sample_rate_hz)
    ping = np.zeros(n)
    for hz in (2630.0, 3310.0, 4170.0, 4790.0, 5870.0, 6890.0):
        ping += damped_sine(hz, n, sample_rate_hz, 900.0 / hz, float(rng.random()))
    wash *= 0.5 * fading(n, sample_rate_hz, 1.3) + 0.9 * np.exp(-t / 0.02)
    return _peaking(wash + 0.12 * ping, sample_rate_hz)


def crash(sample_rate_hz: int, rng: np.random.Generator) -> Signal:
    """Return a crash cymbal."""
    n = round(1.8 * sample_rate_hz)
    bright = highpass(noise(n, rng), 3500.0, sample_rate_hz) * fading(n, sample_rate_hz, 1.4)
    broad = bandpass(noise(n, rng), 700.0, 6000.0, sample_rate_hz) * fading(n, sample_rate_hz, 0.8)
    return _peaking(bright + 0.5 * broad, sample_rate_hz)


def clap(sample_rate_hz: int, rng: np.random.Generator) -> Signal:
    """Return a hand clap: three hands a few milliseconds apart, and the room."""
    t = time_axis(0.3, sample_rate_hz)
    envelope = 0.5 * np.exp(-t / 0.06) * (t >= 0.024)
    for start in (0.0, 0.011, 0.023):
        envelope += np.where(t >= start, np.exp(-(t - start) / 0.0045), 0.0)
    hands = bandpass(noise(len(t), rng), 900.0, 3400.0, sample_rate_hz)
    return _peaking(hands * envelope, sample_rate_hz)


def rim(sample_rate_hz: int, rng: np.random.Generator) -> Signal:
    """Return a cross-stick on the rim of the snare drum."""
    n = round(0.12 * sample_rate_hz)
    crack = noise(n, rng) * fading(n, sample_rate_hz, 0.02)
    wood = resonance(crack, 1700.0, 250.0, sample_rate_hz)
    wood += 0.8 * resonance(crack, 480.0, 90.0, sample_rate_hz)
    return _peaking(wood + 0.15 * highpass(crack, 4000.0, sample_rate_hz), sample_rate_hz)


def brush_tap(sample_rate_hz: int, rng: np.random.Generator) -> Signal:
    """Return a tap of the wire brush on the snare drum."""
    t = time_axis(0.18, sample_rate_hz)
    wires = bandpass(noise(len(t), rng), 700.0, 7500.0, sample_rate_hz)
    head = sine(185.0, len(t), sample_rate_hz) * np.exp(-t / 0.03)
    return _peaking(
        wires * (1.0 - np.exp(-t / 0.003)) * np.exp(-t / 0.04) + 0.15 * head, sample_rate_hz
    )


def brush_sweep(sample_rate_hz: int, rng: np.random.Generator) -> Signal:
    """Return a circle of the wire brush on the snare drum's head."""
    t = time_axis(0.42, sample_rate_hz)
    wires = bandpass(noise(len(t), rng), 1500.0, 6500.0, sample_rate_hz)
    return _peaking(wires * np.sin(np.pi * t / 0.42) ** 2, sample_rate_hz)


def shaker(sample_rate_hz: int, rng: np.random.Generator) -> Signal:
    """Return one shake of a shaker."""
    t = time_axis(0.09, sample_rate_hz)
    beads = highpass(noise(len(t), rng), 5000.0, sample_rate_hz)
    return _peaking(beads * np.sin(np.pi * t / 0.09) ** 2, sample_rate_hz)


def tom_tuned(hz: float) -> Drum:
    """Return a tom-tom of a given pitch."""

    def stroke(sample_rate_hz: int, rng: np.random.Generator) -> Signal:
        t = time_axis(0.45, sample_rate_hz)
        body = sine(hz * (1.0 + 0.5 * np.exp(-t / 0.03)), len(t), sample_rate_hz)
        stick = lowpass(noise(len(t), rng), 4000.0, sample_rate_hz) * np.exp(-t / 0.008)
        return _peaking(body * np.exp(-t / 0.12) + 0.3 * stick, sample_rate_hz)

    return stroke


kick = kick_tuned()
snare = snare_tuned()
hihat = hihat_tuned()
open_hihat = hihat_tuned(0.4, 6000.0)
