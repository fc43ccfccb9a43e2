"""What is not music: noise, tones, clicks, near-silence and speech, for the head to refuse."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from songprint.audio.mel import SAMPLE_RATE_HZ

Samples = NDArray[np.float32]

CLIP_SECONDS = 9.0


@dataclass(frozen=True)
class Clip:
    """Nine seconds of something that is not music.

    Attributes
    ----------
    kind
        ``noise``, ``tone``, ``clicks``, ``silence`` or ``speech``.
    group
        Clips of one group share a generator or a voice.
    samples : ndarray [shape=(144000,)]
        Mono float32 at 16 kHz.
    """

    kind: str
    group: str
    samples: Samples


def synthetic_clips(count: int, seed: int, *kinds: str) -> Iterator[Clip]:
    """Yield `count` clips of each synthetic kind, or of those that are named."""
    rng = np.random.default_rng(seed)
    n = int(CLIP_SECONDS * SAMPLE_RATE_HZ)
    for kind in kinds or _MAKERS:
        for _ in range(count):
            yield Clip(kind, kind, _MAKERS[kind](n, rng).astype(np.float32))


def _level(rng: Generator) -> float:
    return float(10 ** (rng.uniform(-45, -3) / 20))


def _noise(n: int, rng: Generator) -> NDArray[np.float64]:
    """Noise with a power-law spectrum (white, pink, brown, blue), perhaps in one band, swelling."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE_HZ)
    spectrum *= np.maximum(hz, 20.0) ** (-rng.choice([0.0, 0.0, 0.5, 1.0, -0.5]))
    if rng.random() < 0.3:
        low = rng.uniform(0, 4000)
        spectrum[(hz < low) | (hz > low + rng.uniform(300, 4000))] *= 0.01
    noise = np.fft.irfft(spectrum, n)
    noise *= _level(rng) / (np.abs(noise).max() + 1e-9)
    if rng.random() < 0.3:
        seconds = np.arange(n) / SAMPLE_RATE_HZ
        noise *= 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.05, 8) * seconds)
    return noise


def _tone(n: int, rng: Generator) -> NDArray[np.float64]:
    """One steady, swept, warbling or hummed tone."""
    seconds = np.arange(n) / SAMPLE_RATE_HZ
    hz = np.exp(rng.uniform(np.log(40), np.log(6000)))
    shape = rng.integers(4)
    if shape == 1:
        frequency = hz * np.exp(seconds / CLIP_SECONDS * rng.uniform(-1.5, 1.5))
    elif shape == 2:
        frequency = hz * (1 + 0.1 * rng.random() * np.sin(2 * np.pi * rng.uniform(1, 9) * seconds))
    else:
        frequency = np.full(n, hz)
    phase = 2 * np.pi * np.cumsum(np.minimum(frequency, 7500)) / SAMPLE_RATE_HZ
    tone = np.sin(phase)
    if shape == 3:  # mains hum, dial tones: a few harmonics
        partials = np.arange(1, int(rng.integers(2, 6)))[:, None]
        tone = (np.sin(phase * partials) / partials).sum(axis=0)
    if rng.random() < 0.2:  # beeps
        tone = tone * (np.sin(2 * np.pi * rng.uniform(0.3, 4) * seconds) > 0)
    return np.asarray(tone * _level(rng) / np.abs(tone).max())


def _clicks(n: int, rng: Generator) -> NDArray[np.float64]:
    """Irregular clicks over a little noise: vinyl without music, footsteps, a keyboard."""
    clicks = rng.standard_normal(n) * 1e-3
    for start in rng.integers(0, n - 800, int(rng.integers(5, 120))):
        length = int(rng.integers(20, 800))
        decay = np.exp(-np.arange(length) / (length / 5))
        clicks[start : start + length] += rng.uniform(0.2, 1) * decay * rng.standard_normal(length)
    return np.asarray(clicks * _level(rng) / np.abs(clicks).max())


def _silence(n: int, rng: Generator) -> NDArray[np.float64]:
    """Digital silence, or the last bits' noise of a recorder."""
    return np.asarray(rng.standard_normal(n) * rng.choice([0.0, 1e-5, 1e-4, 3e-4]))


_MAKERS = {"noise": _noise, "tone": _tone, "clicks": _clicks, "silence": _silence}


def speech_clips(folder: Path, count_per_voice: int, seed: int) -> Iterator[Clip]:
    """Yield clips of spoken prompts, joined end to end with pauses.

    Parameters
    ----------
    folder : Path
        One sub-folder a voice, with recordings of any format in it.
    count_per_voice : int
        Clips of each voice.
    seed : int
        Decides which prompts are joined.
    """
    from songprint.audio.decode import decode
    from songprint.errors import DecodeError

    n = int(CLIP_SECONDS * SAMPLE_RATE_HZ)
    for voice in sorted(path for path in folder.iterdir() if path.is_dir()):
        rng = np.random.default_rng([seed, zlib.crc32(voice.name.encode())])
        prompts = sorted(path for path in voice.rglob("*") if path.is_file())
        for _ in range(count_per_voice):
            pieces: list[Samples] = []
            while sum(map(len, pieces)) < n:
                try:
                    pieces.append(decode(prompts[int(rng.integers(len(prompts)))]))
                except DecodeError:
                    continue
                pieces.append(np.zeros(int(rng.uniform(0.05, 0.6) * SAMPLE_RATE_HZ), np.float32))
            joined = np.concatenate(pieces)[:n]
            peak = max(float(np.abs(joined).max()), 1e-6)
            yield Clip("speech", voice.name, (joined / peak * _level(rng)).astype(np.float32))
