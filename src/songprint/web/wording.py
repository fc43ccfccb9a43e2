"""A song in a listener's words, from its descriptors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from songprint.kinship.reference import load_reference
from songprint.kinship.words import SOUNDS, sound_fit

if TYPE_CHECKING:
    from songprint.library.catalogue import Catalogue

NOTABLE = 0.75
"""A word is said of a song that has more of it than this share of songs."""

_MOST_WORDS = 6


def describe(catalogue: Catalogue, row: int) -> list[str]:
    """Return words for what is notable of a song's sound, the most notable first."""
    one, reference = catalogue.take([row]), load_reference()
    fits = {word: float(np.nan_to_num(sound_fit(word, one, reference))[0]) for word in SOUNDS}
    notable = sorted((word for word in fits if fits[word] >= NOTABLE), key=lambda w: -fits[w])
    said: list[str] = []
    told: set[str] = set()
    for word in notable:
        names = {name for name, _ in SOUNDS[word]}
        if not names <= told:  # nothing new in it
            said.append(word)
            told |= names
    return said[:_MOST_WORDS]
