"""A library's songs as columns in memory: what kinship, stations and pages compute with.

Row *i* of every column is the same song. A catalogue is a snapshot: it does not change when the
library does.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from songprint.descriptors.keys import TONICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from songprint.fingerprints import Fingerprint, Probability

NUMBERS = (
    "tempo_bpm",
    "tempo_confidence",
    "beat_strength",
    "loudness_lufs",
    "loudness_range_lu",
    "dynamic_range_db",
    "crest_factor_db",
    "onset_rate_hz",
    "pulse_clarity",
    "swing",
    "brightness_hz",
    "rolloff_hz",
    "flatness",
    "percussiveness",
    "roughness",
    "stereo_width",
    "key_confidence",
)
"""Columns of :attr:`Catalogue.numbers`; NaN where a descriptor is unknown."""

KEYS = TONICS


@dataclass(frozen=True)
class Vocabulary:
    """Names of the columns of probabilities, in the order of the columns."""

    genres: tuple[str, ...]
    eras: tuple[str, ...]
    moods: tuple[str, ...]
    styles: tuple[str, ...]
    instruments: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Songs of one model version, as columns.

    Attributes
    ----------
    vocabulary : Vocabulary
        Names of the columns of probabilities.
    hashes : ndarray of str [shape=(n,)]
        Content hash, a song's identity.
    embeddings : ndarray [shape=(n, 256)]
        Unit-length float32.
    genres, eras, moods, styles, instruments : ndarray [shape=(n, len(names))]
        float32 probabilities; those of `genres` sum to one in each row.
    unsure : ndarray of bool [shape=(n,)]
        The genre head abstained.
    numbers : ndarray [shape=(n, len(NUMBERS))]
        float32 descriptors, NaN where unknown.
    keys : ndarray of int8 [shape=(n,)]
        0 to 11 for C to B major, 12 to 23 for minor, -1 where unknown.
    patterns : ndarray [shape=(n, 80)]
        float32 rhythm patterns of unit length, or all 0.
    seconds : ndarray [shape=(n,)]
        float32 durations.
    paths, titles, artists, albums : ndarray of object [shape=(n,)]
        str, or None where unknown. A song without a path was imported without its audio.
    years : ndarray of int16 [shape=(n,)]
        From the tags; 0 where unknown.
    plays : ndarray [shape=(n,)]
        float32 play counts; NaN where unknown.
    recordings : ndarray of int32 [shape=(n,)]
        The same number above 0 for songs that are known to be one recording; 0 for all others.
    excerpts : ndarray of object [shape=(n,)]
        Content hashes of the songs that are known to be excerpts of each, a tuple; None where none.
    model : str
        The model version that heard the songs.
    """

    vocabulary: Vocabulary
    hashes: NDArray[np.str_]
    embeddings: NDArray[np.float32]
    genres: NDArray[np.float32]
    eras: NDArray[np.float32]
    moods: NDArray[np.float32]
    styles: NDArray[np.float32]
    instruments: NDArray[np.float32]
    unsure: NDArray[np.bool_]
    numbers: NDArray[np.float32]
    keys: NDArray[np.int8]
    patterns: NDArray[np.float32]
    seconds: NDArray[np.float32]
    paths: NDArray[np.object_]
    titles: NDArray[np.object_]
    artists: NDArray[np.object_]
    albums: NDArray[np.object_]
    years: NDArray[np.int16]
    plays: NDArray[np.float32]
    recordings: NDArray[np.int32]
    excerpts: NDArray[np.object_]
    model: str = ""

    def __len__(self) -> int:
        return len(self.hashes)

    def number(self, name: str) -> NDArray[np.float32]:
        """Return one descriptor of all songs [shape=(n,)]; NaN where unknown."""
        column: NDArray[np.float32] = self.numbers[:, NUMBERS.index(name)]
        return column

    def index(self, content_hash: str) -> int:
        """Return the row of a song.

        Raises
        ------
        KeyError
            If it is not in the catalogue.
        """
        rows = np.flatnonzero(self.hashes == content_hash)
        if not len(rows):
            raise KeyError(content_hash)
        return int(rows[0])

    def take(self, rows: NDArray[np.intp] | Sequence[int]) -> Self:
        """Return the catalogue of some of the songs, in the order of `rows`."""
        index = np.asarray(rows, np.intp)
        columns = {
            field.name: getattr(self, field.name)[index]
            for field in fields(self)
            if field.name not in ("vocabulary", "model")
        }
        return type(self)(vocabulary=self.vocabulary, model=self.model, **columns)


def catalogue_of(
    fingerprints: Sequence[Fingerprint],
    *,
    paths: Sequence[str | None],
    titles: Sequence[str | None] | None = None,
    artists: Sequence[str | None] | None = None,
    albums: Sequence[str | None] | None = None,
    years: Sequence[int] | None = None,
    plays: Sequence[float] | None = None,
) -> Catalogue:
    """Lay fingerprints out as columns.

    Parameters
    ----------
    fingerprints : sequence of Fingerprint
        Of one model, n ≥ 1.
    paths, titles, artists, albums, years, plays : sequence, optional
        As in :class:`Catalogue`, one for each fingerprint; unknown where left out.
    """
    n = len(fingerprints)
    first = fingerprints[0]
    # A fingerprint ranks its probabilities; columns want one order for all songs.
    vocabulary = Vocabulary(
        *(
            tuple(sorted(p.name for p in ranked))
            for ranked in (first.genres, first.era, first.moods, first.styles, first.instruments)
        )
    )
    unknown = [None] * n
    return Catalogue(
        vocabulary=vocabulary,
        hashes=np.array([f.content_hash for f in fingerprints]),
        embeddings=np.stack([f.embedding for f in fingerprints]).astype(np.float32),
        genres=_columns([f.genres for f in fingerprints], vocabulary.genres),
        eras=_columns([f.era for f in fingerprints], vocabulary.eras),
        moods=_columns([f.moods for f in fingerprints], vocabulary.moods),
        styles=_columns([f.styles for f in fingerprints], vocabulary.styles),
        instruments=_columns([f.instruments for f in fingerprints], vocabulary.instruments),
        unsure=np.array([f.unsure for f in fingerprints], bool),
        numbers=np.array([descriptor_numbers(f) for f in fingerprints], np.float32),
        keys=np.array([key_number(f) for f in fingerprints], np.int8),
        patterns=np.stack([f.descriptors.rhythm.pattern for f in fingerprints]).astype(np.float32),
        seconds=np.array([f.seconds for f in fingerprints], np.float32),
        paths=np.array(list(paths), object),
        titles=np.array(list(titles or unknown), object),
        artists=np.array(list(artists or unknown), object),
        albums=np.array(list(albums or unknown), object),
        years=np.array(years if years is not None else [0] * n, np.int16),
        plays=np.array(plays if plays is not None else [np.nan] * n, np.float32),
        recordings=np.zeros(n, np.int32),
        excerpts=np.full(n, None, object),
        model=first.model,
    )


def descriptor_numbers(fingerprint: Fingerprint) -> list[float]:
    """Return a fingerprint's descriptors in the order of :data:`NUMBERS`, NaN where unknown."""
    d = fingerprint.descriptors
    parts = (d.beat, d.intensity, d.rhythm, d.timbre, d.tonality)
    values = (next(getattr(p, name) for p in parts if hasattr(p, name)) for name in NUMBERS)
    return [np.nan if value is None else float(value) for value in values]


def key_number(fingerprint: Fingerprint) -> int:
    """Return 0 to 11 for C to B major, 12 to 23 for minor, -1 where the key is unknown."""
    tonality = fingerprint.descriptors.tonality
    if tonality.key is None:
        return -1
    return KEYS.index(tonality.key) + (12 if tonality.mode == "minor" else 0)


def _columns(
    songs: Sequence[tuple[Probability, ...]], names: tuple[str, ...]
) -> NDArray[np.float32]:
    by_name = [{p.name: p.p for p in ranked} for ranked in songs]
    return np.array([[song[name] for name in names] for song in by_name], np.float32)
