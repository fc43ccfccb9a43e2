"""Why two songs are kin, in a listener's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from songprint.kinship.reference import load_reference

if TYPE_CHECKING:
    from songprint.kinship.reference import Reference
    from songprint.library.catalogue import Catalogue

SAME_TEMPO_OCTAVES = 0.06
SAME_LOUDNESS_LU = 1.5
LITTLE_LOUDER_LU = 4.0
SURE_TEMPO = 0.5
BEATLESS = 0.1
SAME_BRIGHTNESS_OCTAVES = 0.2
NOTABLE_PERCUSSIVENESS = 0.08
NOTABLE_ONSETS = 1.4
NOTABLE_RANGE_LU = 5.0
NOTABLE_TAG = 0.05
NOTABLE_RANK = 0.85
LIKELY_GENRE = 0.4
_MOST_TAGS = 2


def say_why(seed: Catalogue, song: Catalogue, reference: Reference | None = None) -> str:
    """Say in one line how a song compares to another.

    Parameters
    ----------
    seed, song : Catalogue
        One song each, of one vocabulary.
    reference : Reference, optional
        Says which tags are worth telling; that which ships with the package by default.

    Returns
    -------
    str
        Such as ``both ~118 BPM, equally loud, brighter; both electronic``. What is unsure of
        either is left out; may be empty.
    """
    sound = ", ".join([*_beat(seed, song), *_intensity(seed, song), *_rest(seed, song)])
    kind = ", ".join([*_genre(seed, song), *_opinions(seed, song, reference or load_reference())])
    return "; ".join(part for part in (sound, kind) if part)


def _beat(seed: Catalogue, song: Catalogue) -> Iterator[str]:
    (one, _), (two, _) = tempos = [_tempo(seed), _tempo(song)]
    if all(strength < BEATLESS for _, strength in tempos):
        yield "both without a steady beat"
    if one is None or two is None:
        return
    octaves = np.log2(two / one)
    if abs(octaves) <= SAME_TEMPO_OCTAVES:
        yield f"both ~{one:.0f} BPM"
    elif abs(abs(octaves) - 1) <= SAME_TEMPO_OCTAVES:
        yield f"{two:.0f} BPM, {'double' if octaves > 0 else 'half'} the tempo"
    else:
        yield f"{two:.0f} BPM, {'faster' if octaves > 0 else 'slower'}"


def _tempo(song: Catalogue) -> tuple[float | None, float]:
    """Return the tempo, if it is sure, and how strong the beat is."""
    tempo = float(song.number("tempo_bpm")[0])
    sure = np.isfinite(tempo) and song.number("tempo_confidence")[0] >= SURE_TEMPO
    return (tempo if sure else None), float(song.number("beat_strength")[0])


def _intensity(seed: Catalogue, song: Catalogue) -> Iterator[str]:
    louder = _difference("loudness_lufs", seed, song)
    if np.isfinite(louder):
        if abs(louder) <= SAME_LOUDNESS_LU:
            yield "equally loud"
        else:
            little = "a little " if abs(louder) <= LITTLE_LOUDER_LU else ""
            yield little + ("louder" if louder > 0 else "softer")
    dynamics = _difference("loudness_range_lu", seed, song)
    if abs(dynamics) >= NOTABLE_RANGE_LU:
        yield "more dynamic" if dynamics > 0 else "more even"


def _rest(seed: Catalogue, song: Catalogue) -> Iterator[str]:
    """Tell of rhythm and timbre."""
    busier = _ratio("onset_rate_hz", seed, song, 0.3)
    if abs(np.log2(busier)) >= np.log2(NOTABLE_ONSETS):
        yield "busier" if busier > 1 else "calmer"
    brighter = np.log2(_ratio("brightness_hz", seed, song, 100.0))
    if abs(brighter) > SAME_BRIGHTNESS_OCTAVES:
        yield "brighter" if brighter > 0 else "darker"
    percussive = _difference("percussiveness", seed, song)
    if abs(percussive) >= NOTABLE_PERCUSSIVENESS:
        yield "more percussive" if percussive > 0 else "less percussive"


def _genre(seed: Catalogue, song: Catalogue) -> Iterator[str]:
    names = seed.vocabulary.genres
    one, two = seed.genres[0], song.genres[0]
    shared = int(np.argmax(np.minimum(one, two)))
    if min(one[shared], two[shared]) >= LIKELY_GENRE:
        yield f"both {names[shared]}"
        return
    if one.argmax() == two.argmax():
        yield f"both perhaps {names[int(one.argmax())]}"
        return
    kinds = [
        f"perhaps {names[p.argmax()]}" if p.max() < LIKELY_GENRE else names[int(p.argmax())]
        for p in (one, two)
    ]
    yield f"{kinds[1]} rather than {kinds[0]}"


def _opinions(seed: Catalogue, song: Catalogue, reference: Reference) -> list[str]:
    """Return the tags of which both have far more than other songs, the rarest first."""
    found = []
    for field in ("instruments", "styles", "moods"):
        names = getattr(seed.vocabulary, field)
        both = np.minimum(getattr(seed, field)[0], getattr(song, field)[0])
        ranks = [
            (float(reference.rank(f"{field}/{names[place]}", both[place])), names[place])
            for place in np.flatnonzero(both >= NOTABLE_TAG)
            if not names[place].startswith("no ")
        ]
        if ranks and max(ranks)[0] >= NOTABLE_RANK:
            found.append(max(ranks))
    return [name for _, name in sorted(found, reverse=True)[:_MOST_TAGS]]


def _difference(name: str, seed: Catalogue, song: Catalogue) -> float:
    return float(song.number(name)[0] - seed.number(name)[0])


def _ratio(name: str, seed: Catalogue, song: Catalogue, floor: float) -> float:
    return max(float(song.number(name)[0]), floor) / max(float(seed.number(name)[0]), floor)
