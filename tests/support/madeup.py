"""Fingerprints that nobody heard."""

from __future__ import annotations

import numpy as np

from songprint.fingerprints import Fingerprint, Probability, Segment
from songprint.genre.taxonomy import ERAS, GENRES, MOODS


def made_up(
    *, p: float = 0.8, unsure: bool = False, seconds: float = 185.0, n: int = 31
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
        unsure=unsure,
        era=tuple(Probability(name, 0.3 if i == 0 else 0.05) for i, name in enumerate(ERAS)),
        moods=tuple(Probability(name, 0.2 if i < 2 else 0.01) for i, name in enumerate(MOODS)),
        seconds=seconds,
        content_hash="0",
        model="1-test",
        timeline=tuple(segments),
    )
