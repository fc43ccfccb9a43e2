"""Fingerprints that nobody heard."""

from __future__ import annotations

import numpy as np

from songprint.descriptors.beat import Beat, TempoCandidate
from songprint.descriptors.core import Descriptors
from songprint.descriptors.intensity import Intensity
from songprint.descriptors.rhythm import PATTERN_SIZE, Rhythm
from songprint.descriptors.timbre import Timbre
from songprint.descriptors.tonality import Tonality
from songprint.fingerprints import Fingerprint, Probability, Segment
from songprint.genre.taxonomy import ERAS, GENRES, INSTRUMENTS, MOODS, STYLES


def made_up_descriptors() -> Descriptors:
    """Return those of a bright song in A minor at 118 BPM."""
    chroma = np.eye(1, 12, 9, dtype=np.float32)[0]
    pattern = np.eye(1, PATTERN_SIZE, dtype=np.float32)[0]
    return Descriptors(
        beat=Beat(118.2, (TempoCandidate(59.1, 0.4),), 0.8, 0.5, np.arange(0, 185, 60 / 118.2)),
        intensity=Intensity(-9.43, 4.0, 13.0, 9.0, -0.1),
        rhythm=Rhythm(3.5, 0.4, 0.1, pattern),
        timbre=Timbre(2500.0, 5000.0, 0.05, 0.2, 0.9, 0.1),
        tonality=Tonality(key="A", mode="minor", key_confidence=0.9, chroma=chroma),
    )


def silent_descriptors() -> Descriptors:
    """Return those of silence: nothing is sure."""
    return Descriptors(
        beat=Beat(None, (), 0.0, 0.0, np.empty(0)),
        intensity=Intensity(None, 0.0, 0.0, 0.0, -120.0),
        rhythm=Rhythm(0.0, 0.0, None, np.zeros(PATTERN_SIZE, np.float32)),
        timbre=Timbre(0.0, 0.0, 0.0, 0.0, 0.0, None),
        tonality=Tonality(
            key=None, mode=None, key_confidence=0.0, chroma=np.full(12, 1 / 12, np.float32)
        ),
    )


def made_up(
    *,
    p: float = 0.8,
    unsure: bool = False,
    seconds: float = 185.0,
    n: int = 31,
    descriptors: Descriptors | None = None,
) -> Fingerprint:
    """Return a song of `n` segments that grows louder: reggae, its second half jazz."""

    def genres(first: str) -> tuple[Probability, ...]:
        rest = [name for name in GENRES if name != first]
        others = [Probability(name, (1 - p) / len(rest)) for name in rest]
        return (Probability(first, p), *others)

    bounds = np.linspace(0, seconds, n + 1).tolist()
    segments = [
        Segment(bounds[i], bounds[i + 1], -30 + 20 * i / n, genres(name), False)
        for i in range(n)
        for name in ["reggae" if i < n / 2 else "jazz"]
    ]
    return Fingerprint(
        embedding=np.eye(1, 256, dtype=np.float32)[0],
        genres=genres("reggae"),
        doubt="no genre" if unsure else None,
        era=tuple(Probability(name, 0.3 if i == 0 else 0.05) for i, name in enumerate(ERAS)),
        moods=tuple(Probability(name, 0.2 if i < 2 else 0.01) for i, name in enumerate(MOODS)),
        styles=tuple(Probability(name, 0.05) for name in STYLES),
        instruments=tuple(Probability(name, 0.05) for name in INSTRUMENTS),
        descriptors=made_up_descriptors() if descriptors is None else descriptors,
        seconds=seconds,
        content_hash="0",
        model="1-test",
        timeline=tuple(segments),
    )
