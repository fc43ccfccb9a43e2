"""Augmentation of log-mel windows in the power domain, where sounds add.

Every function maps windows to windows that a recording could have given; the teacher hears the
result, so that a target belongs to its input by construction.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from songprint.audio.mel import LOG_GAIN

Windows = NDArray[np.float32]


def to_power(window: Windows) -> Windows:
    """Undo the front end's logarithm: mel powers [shape=(frames, 96)]."""
    return _as_windows((np.power(10.0, window) - 1) / LOG_GAIN)


def to_log(power: Windows) -> Windows:
    """Apply the front end's logarithm to mel powers [shape=(frames, 96)]."""
    log: Windows = np.log10(1 + np.float32(LOG_GAIN) * power)
    return log


def gain(power: Windows, rng: Generator) -> Windows:
    """Play the music between 15 dB softer and 6 dB louder."""
    return power * _ratio(rng.uniform(-15, 6))


def equalise(power: Windows, rng: Generator) -> Windows:
    """Apply a smooth tone curve of up to ±9 dB, as rooms, masterings and players do."""
    bands = power.shape[1]
    knots = rng.normal(0, 3, size=6).clip(-9, 9)
    curve = np.interp(np.arange(bands), np.linspace(0, bands - 1, len(knots)), knots)
    return _as_windows(power * np.power(10, curve / 10))


def limit_band(power: Windows, rng: Generator) -> Windows:
    """Cut the treble, and sometimes the bass, by 30 to 60 dB, as old or poor recordings do."""
    bands = power.shape[1]
    response = np.ones(bands, np.float32)
    floor = _ratio(-rng.uniform(30, 60))
    response[int(rng.integers(bands // 2, bands)) :] = floor
    if rng.random() < 0.3:
        response[: int(rng.integers(1, 10))] = floor
    return power * response


def add_noise(power: Windows, rng: Generator) -> Windows:
    """Add steady coloured noise 10 to 40 dB below the music."""
    frames, bands = power.shape
    colour = np.power(10, np.cumsum(rng.normal(0, 0.08, bands))).astype(np.float32)
    # The power of a mel band of noise is spread about its mean as a chi-squared variable.
    noise = colour * rng.chisquare(6, (frames, bands)).astype(np.float32) / 6
    level = power.mean() * _ratio(-rng.uniform(10, 40)) / max(float(noise.mean()), 1e-12)
    return _as_windows(power + noise * level)


def mix(power: Windows, other: Windows, rng: Generator) -> Windows:
    """Let another song play along, 0 to 12 dB below the first, or in a range of bands instead."""
    level = power.mean() / max(float(other.mean()), 1e-12) * _ratio(-rng.uniform(0, 12))
    if rng.random() < 0.6:
        return _as_windows(power + other * level)
    bands = power.shape[1]
    first, last = sorted(rng.integers(0, bands + 1, 2))
    share = ((np.arange(bands) >= first) & (np.arange(bands) < last)).astype(np.float32)
    return _as_windows(power * (1 - share) + other * level * share)


def splice(power: Windows, other: Windows, rng: Generator) -> Windows:
    """Cut to another song at some frame, or back and forth; its level stays its own."""
    frames = len(power)
    cuts = np.sort(rng.integers(0, frames, int(rng.integers(1, 4))))
    turns = np.searchsorted(cuts, np.arange(frames), side="right") % 2
    return np.where(turns[:, None] == 1, other, power)


def reverse(power: Windows, rng: Generator) -> Windows:  # noqa: ARG001 - as all changes
    """Play backwards: spectra as they are, attacks turned into swells."""
    return power[::-1].copy()


def change_tempo(window: Windows, frames: int, rng: Generator) -> Windows:
    """Resample `frames` frames from a longer or equal stretch: up to 15 % slower or faster."""
    span = min(len(window) - 1.0, (frames - 1) * rng.uniform(0.87, 1.15))
    positions = np.linspace(0, span, frames)
    below = np.floor(positions).astype(int).clip(0, len(window) - 2)
    fraction = (positions - below)[:, None].astype(np.float32)
    changed: Windows = window[below] * (1 - fraction) + window[below + 1] * fraction
    return changed


def change_pitch(power: Windows, rng: Generator) -> Windows:
    """Shift the mel bands by up to four, about two semitones where the scale is logarithmic."""
    bands = power.shape[1]
    positions = (np.arange(bands) + rng.uniform(-4, 4)).clip(0, bands - 1)
    below = np.floor(positions).astype(int).clip(0, bands - 2)
    fraction = (positions - below).astype(np.float32)
    shifted: Windows = power[:, below] * (1 - fraction) + power[:, below + 1] * fraction
    return shifted


def _as_windows(values: NDArray[np.floating[Any]]) -> Windows:
    windows: Windows = values.astype(np.float32)
    return windows


def _ratio(decibels: float) -> np.float32:
    return np.float32(10 ** (decibels / 10))
