"""Cadences on real instruments, in any key, mode and tuning, with drums if asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from songprint.descriptors.tonality import PITCH_CLASSES
from songprint.pieces import instruments as play
from songprint.pieces.score import Voice, chord, frequency_hz
from support.patterns import PATTERN_BY_NAME, RATE_HZ, perform

# Sustained, struck, plucked, bowed and bright: what a key must not depend on.
VOICES: dict[str, Voice] = {
    "organ": play.organ,
    "piano": play.piano,
    "guitar": play.steel_guitar,
    "electric guitar": play.electric_guitar,
    "strings": play.string_section,
    "electric piano": play.electric_piano,
}
KEYS = [(key, mode) for mode in ("major", "minor") for key in PITCH_CLASSES]
CHORD_SECONDS = 0.9


def cadence(
    key: str,
    mode: str,
    voice: Voice,
    *,
    cents: float = 0.0,
    drums: bool = False,
    times: int = 2,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Play I-IV-V-I, or i-iv-V-i, as triads over their root.

    Parameters
    ----------
    key, mode
        What to play in.
    voice
        The instrument.
    cents
        How far it is tuned above A4 = 440 Hz.
    drums
        Whether a rock beat goes along, as loud as the chords.
    times
        How often.
    seed
        Of the instrument's and the drummer's irregularities.
    """
    rng = np.random.default_rng(seed)
    tonic = PITCH_CLASSES.index(key)
    kind = "" if mode == "major" else "m"
    steps = ((0, kind), (5, kind), (7, ""), (0, kind)) * times
    mix = np.zeros(round(CHORD_SECONDS * (len(steps) + 0.2) * RATE_HZ))
    sounds: dict[int, NDArray[np.float64]] = {}
    for i, (degree, quality) in enumerate(steps):
        root = 48 + (tonic + degree) % 12
        for pitch in (root - 12, *(root + step - 48 for step in chord(f"C{quality}", 3))):
            if pitch not in sounds:
                sound = voice(frequency_hz(pitch + cents / 100.0), CHORD_SECONDS, RATE_HZ, rng)
                sounds[pitch] = sound / np.abs(sound).max()
            start = round(i * CHORD_SECONDS * RATE_HZ)
            stop = min(len(mix), start + len(sounds[pitch]))
            mix[start:stop] += sounds[pitch][: stop - start]
    mix /= np.abs(mix).max()
    if drums:
        mix += perform(PATTERN_BY_NAME["rock"], 120.0, len(mix) / RATE_HZ, seed=seed).samples
    return (0.8 * mix / np.abs(mix).max()).astype(np.float32)
