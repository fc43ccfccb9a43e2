"""Songs of a few kinds, that nobody heard: those of a kind sound alike."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from songprint.descriptors.beat import Beat
from songprint.descriptors.core import Descriptors
from songprint.descriptors.intensity import Intensity
from songprint.descriptors.rhythm import PATTERN_SIZE, Rhythm
from songprint.descriptors.timbre import Timbre
from songprint.descriptors.tonality import Tonality
from songprint.fingerprints import Fingerprint, Probability
from songprint.genre.taxonomy import ERAS, GENRES, INSTRUMENTS, MOODS, STYLES
from songprint.library.catalogue import Catalogue, catalogue_of
from songprint.library.store import Library
from songprint.library.tags import SongTags
from support.madeup import made_up
from support.shelves import shelve

KINDS = {
    "rock": (130.0, -9.0, 2200.0, "70s", "guitar"),
    "classical": (None, -22.0, 900.0, "60s", "piano"),
    "electronic": (125.0, -10.0, 1800.0, "90s", "synth"),
    "jazz": (95.0, -16.0, 1300.0, "60s", "drums"),
}
"""By genre: tempo, loudness, brightness, the decade and the instrument that are heard most."""

MODEL = "2-test"


def song_of(kind: str, number: int, *, unsure: bool = False, model: str = MODEL) -> Fingerprint:
    """Return a song of a kind; each number is another."""
    tempo, loudness, brightness, era, instrument = KINDS[kind]
    rng = np.random.default_rng([zlib.crc32(kind.encode()), number])
    embedding = _direction(kind) + 0.05 * rng.standard_normal(256)
    p = 0.25 if unsure else rng.uniform(0.7, 0.95)
    rest = [name for name in GENRES if name != kind]
    pattern = np.abs(_direction(kind)[:PATTERN_SIZE] + 0.05 * rng.standard_normal(PATTERN_SIZE))
    return replace(
        made_up(seconds=float(rng.uniform(120, 300))),
        embedding=(embedding / np.linalg.norm(embedding)).astype(np.float32),
        genres=(Probability(kind, p), *(Probability(n, (1 - p) / len(rest)) for n in rest)),
        doubt="no genre" if unsure else None,
        era=_opinions(ERAS, era, rng),
        moods=_opinions(MOODS, "", rng),
        styles=_opinions(STYLES, "", rng),
        instruments=_opinions(INSTRUMENTS, instrument, rng),
        descriptors=_descriptors(tempo, loudness, brightness, pattern, rng),
        content_hash=f"{zlib.crc32(f'{kind} {number}'.encode()):032x}",
        model=model,
    )


def _direction(kind: str) -> np.ndarray:
    direction = np.random.default_rng(zlib.crc32(kind.encode())).standard_normal(256)
    return direction / np.linalg.norm(direction)


def _opinions(names: Sequence[str], most: str, rng: np.random.Generator) -> tuple[Probability, ...]:
    opinions = [
        Probability(name, float((0.5 if name == most else 0.004) * rng.uniform(0.8, 1.2)))
        for name in names
    ]
    return tuple(sorted(opinions, key=lambda opinion: -opinion.p))


def _descriptors(
    tempo: float | None,
    loudness: float,
    brightness: float,
    pattern: np.ndarray,
    rng: np.random.Generator,
) -> Descriptors:
    vary = rng.uniform(0.93, 1.07, 12)
    return Descriptors(
        beat=Beat(
            None if tempo is None else tempo * vary[0],
            (),
            0.0 if tempo is None else 0.9,
            0.0 if tempo is None else 0.5 * vary[1],
            np.empty(0),
        ),
        intensity=Intensity(loudness * vary[2], 5.0 * vary[3], 13.0 * vary[4], 9.0 * vary[5], -0.1),
        rhythm=Rhythm(
            3.0 * vary[6],
            0.5 * vary[7],
            vary[11] - 0.9,
            (pattern / np.linalg.norm(pattern)).astype("f4"),
        ),
        timbre=Timbre(
            brightness * vary[8],
            2 * brightness * vary[8],
            0.05 * vary[7],
            0.2 * vary[9],
            vary[10],
            None,
        ),
        tonality=Tonality(
            key="A", mode="minor", key_confidence=0.8, chroma=np.full(12, 1 / 12, np.float32)
        ),
    )


def kin_catalogue(*kinds: str, each: int = 30, songs_an_artist: int = 2) -> Catalogue:
    """Return songs of kinds, all if none is named, `each` of a kind, in the order of the kinds."""
    songs = [(kind, number) for kind in kinds or KINDS for number in range(each)]
    return catalogue_of(
        [song_of(kind, number) for kind, number in songs],
        paths=[f"/music/{kind}/{number}.mp3" for kind, number in songs],
        titles=[f"{kind} song {number}" for kind, number in songs],
        artists=[f"{kind} artist {number // songs_an_artist}" for kind, number in songs],
    )


def kind_of(catalogue: Catalogue, row: int) -> str:
    """Return the kind of a song of :func:`kin_catalogue`."""
    return str(catalogue.titles[row]).split()[0]


def kin_library(path: Path, *, each: int = 15, model: str = MODEL) -> Library:
    """Return a new library with such songs, two of each artist."""
    library = Library.open(path, create=True)
    songs, tags = {}, {}
    for kind in KINDS:
        for number in range(each):
            place = f"/music/{kind}/{number}.mp3"
            songs[place] = song_of(kind, number, model=model)
            tags[place] = SongTags(
                title=f"{kind} song {number}", artist=f"{kind} artist {number // 2}"
            )
    shelve(library, songs, tags)
    return library
