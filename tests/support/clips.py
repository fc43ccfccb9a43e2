"""Songs that a library can be asked for, and clips of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.audio.peaks import song_peaks
from songprint.identify.index import Part
from songprint.identify.segment import Segment
from songprint.library.schema import landmarks_record
from songprint.library.store import Library
from support.shelves import made_up_hash, made_up_library

Samples = NDArray[np.float32]


@cache
def tune(number: int, seconds: float = 20.0) -> Samples:
    """Return random notes of random length in free time, with partials and drums [shape=(n,)]."""
    rng = np.random.default_rng(number)
    count = round(seconds * SAMPLE_RATE_HZ)
    song = np.zeros(count + SAMPLE_RATE_HZ)
    start = 0
    while start < count:
        for _ in range(rng.integers(1, 4)):
            length = int(rng.uniform(0.15, 0.8) * SAMPLE_RATE_HZ)
            time = np.arange(length) / SAMPLE_RATE_HZ
            hz = 110 * 2 ** (rng.integers(0, 36) / 12)
            decay = np.exp(-time * rng.uniform(2, 8))
            for harmonic in range(1, 6):
                wave = np.sin(2 * np.pi * hz * harmonic * time) / harmonic
                song[start : start + length] += 0.1 * wave * decay
        if rng.random() < 0.4:
            song[start : start + 800] += 0.1 * rng.standard_normal(800) * np.linspace(1, 0, 800)
        start += int(rng.uniform(0.1, 0.5) * SAMPLE_RATE_HZ)
    return np.clip(song[:count], -1, 1).astype(np.float32)


def part_of(*songs: Samples) -> Part:
    """Return an index of songs, whose names are those of their numbers."""
    packed = [song_peaks(song).packed() for song in songs]
    return Part(Segment.build([made_up_hash(number) for number in range(len(songs))], packed))


def library_of_tunes(path: Path, songs: list[Samples]) -> Library:
    """Return a new library of made-up fingerprints and true landmarks."""
    library = made_up_library(path, len(songs))
    put_landmarks(library, dict(enumerate(songs)))
    return library


def put_landmarks(library: Library, songs: dict[int, Samples]) -> None:
    """Put the landmarks of songs into a library, by number."""
    with library.writing() as writer:
        writer.put_landmarks(
            [landmarks_record(made_up_hash(n), song_peaks(song)) for n, song in songs.items()]
        )


def cut(song: Samples, start: float, seconds: float) -> Samples:
    """Return a clip of a song."""
    first = round(start * SAMPLE_RATE_HZ)
    return song[first : first + round(seconds * SAMPLE_RATE_HZ)]


def with_noise(clip: Samples, snr_db: float, seed: int = 0) -> Samples:
    """Add white noise at a signal-to-noise ratio."""
    noise = np.random.default_rng(seed).standard_normal(len(clip))
    power = np.mean(np.square(clip)) / 10 ** (snr_db / 10)
    return (clip + noise * np.sqrt(power)).astype(np.float32)


def at_speed(clip: Samples, speed: float) -> Samples:
    """Play a clip faster, and higher, or slower."""
    return soxr.resample(clip, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ).astype(np.float32)
