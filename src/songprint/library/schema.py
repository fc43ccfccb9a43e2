"""The library's tables: their columns, and how songs and paths are written into them.

`songs` has one row for each content hash and model version, so that a song's old fingerprint stays
until the library has turned to the new model; `files` has one for each path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from songprint.audio.peaks import PEAKS_VERSION
from songprint.descriptors.rhythm import PATTERN_SIZE
from songprint.encoder.inference import EMBEDDING_SIZE
from songprint.library.catalogue import NUMBERS, Vocabulary, descriptor_numbers

if TYPE_CHECKING:
    from songprint.audio.peaks import Peaks
    from songprint.fingerprints import Fingerprint, Probability
    from songprint.library.tags import SongTags

FORMAT = 1
"""Of the tables; changes when a songprint of before could not read them."""

FORMAT_KEY = b"songprint_format"

_TIME = pa.timestamp("us", tz="UTC")
_VECTOR = pa.list_(pa.field("item", pa.float32(), nullable=False))

VECTORS = ("genres", "eras", "moods", "styles", "instruments")
"""Columns of probabilities, in the order of their model's :class:`Vocabulary`."""


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


SONGS = pa.schema(
    [
        _required("content_hash", pa.string()),
        _required("model", pa.string()),
        ("path", pa.string()),  # of one of its files; null if it was imported without audio
        ("title", pa.string()),
        ("artist", pa.string()),
        ("album", pa.string()),
        ("album_artist", pa.string()),
        ("year", pa.int16()),
        ("plays", pa.float32()),
        _required("seconds", pa.float32()),
        _required("genre", pa.string()),  # the most probable, even where unsure
        _required("unsure", pa.bool_()),
        _required("era", pa.string()),
        _required("mood", pa.string()),
        ("key", pa.string()),
        ("mode", pa.string()),
        *((name, pa.float32()) for name in NUMBERS),
        _required("heard", pa.string()),  # words for what it sounds like
        _required("words", pa.string()),  # all that full-text search looks at
        _required("embedding", pa.list_(pa.float32(), EMBEDDING_SIZE)),
        _required("pattern", pa.list_(pa.float32(), PATTERN_SIZE)),
        *(_required(name, _VECTOR) for name in VECTORS),
        _required("imported", pa.bool_()),
        ("origin", pa.string()),  # the file that it was imported from
        _required("added", _TIME),
        _required("changed", _TIME),
    ],
    metadata={FORMAT_KEY: str(FORMAT)},
)

FILES = pa.schema(
    [
        _required("path", pa.string()),
        ("content_hash", pa.string()),  # null where no song could be heard
        _required("size", pa.int64()),
        _required("mtime_ns", pa.int64()),
        ("error", pa.string()),
        ("missing", _TIME),  # since when it is not there any more
        _required("changed", _TIME),
    ]
)

FEEDBACK = pa.schema(
    [
        _required("station", pa.string()),
        _required("content_hash", pa.string()),
        _required("verdict", pa.string()),
        _required("time", _TIME),
    ]
)

STATIONS = pa.schema(
    [_required("name", pa.string()), _required("station", pa.string()), _required("changed", _TIME)]
)

MODELS = pa.schema(
    [_required("model", pa.string()), *(_required(name, pa.list_(pa.string())) for name in VECTORS)]
)

FOLDERS = pa.schema([_required("path", pa.string()), _required("added", _TIME)])

LANDMARKS = pa.schema(
    [
        _required("content_hash", pa.string()),
        _required("version", pa.int32()),  # of the peaks
        _required("peaks", pa.binary()),  # packed, little-endian
    ]
)

TABLES = {
    "files": FILES,
    "feedback": FEEDBACK,
    "stations": STATIONS,
    "models": MODELS,
    "folders": FOLDERS,
    "landmarks": LANDMARKS,
    "songs": SONGS,
}
"""In the order of their making: a folder with `songs` in it has them all."""


@dataclass(frozen=True)
class SongRow:
    """A song of the library, without its vectors.

    Attributes
    ----------
    content_hash, model : str
        Its identity, and the model version that heard it.
    path : str or None
        One of its files; None if it was imported without its audio.
    title, artist, album, album_artist : str or None
        From the tags.
    year : int or None
        From the tags.
    plays : float or None
        How often it was played, if somebody told.
    seconds : float
        Its duration.
    genre, era, mood : str
        The most probable.
    unsure : bool
        The genre head abstained.
    key, mode : str or None
        Such as "F#" and "minor".
    tempo_bpm, loudness_lufs : float or None
        Two of its descriptors; all are in the :class:`~songprint.library.catalogue.Catalogue`.
    heard : str
        Words for what it sounds like: genre, era, moods, styles, instruments.
    imported : bool
        It came from somebody else's library.
    origin : str or None
        The name of the file that it came in, if it did.
    added, changed : datetime
        UTC.
    """

    content_hash: str
    model: str
    path: str | None
    title: str | None
    artist: str | None
    album: str | None
    album_artist: str | None
    year: int | None
    plays: float | None
    seconds: float
    genre: str
    era: str
    mood: str
    unsure: bool
    key: str | None
    mode: str | None
    tempo_bpm: float | None
    loudness_lufs: float | None
    heard: str
    imported: bool
    origin: str | None
    added: datetime
    changed: datetime


@dataclass(frozen=True)
class FileRow:
    """A file of the library.

    Attributes
    ----------
    path : str
        Absolute, links resolved.
    content_hash : str or None
        The song in it; None if none could be heard.
    size, mtime_ns : int
        As the file system told when it was read; they tell whether it has changed since.
    error : str or None
        Why no song could be heard in it.
    missing : datetime or None
        When it was first found to be gone, UTC.
    changed : datetime
        When this row was written, UTC.
    """

    path: str
    content_hash: str | None
    size: int
    mtime_ns: int
    error: str | None
    missing: datetime | None
    changed: datetime


def written_path(path: str) -> str:
    r"""Return a path as the tables hold it: UTF-8, whatever its bytes are.

    What is not UTF-8, and Python holds as a lone surrogate, becomes a null byte, which no path can
    hold, and four hexadecimal digits.

    Examples
    --------
    >>> written_path("/music/caf\udce9.mp3")
    '/music/caf\x00dce9.mp3'
    """
    return re.sub("[\ud800-\udfff]", lambda lone: f"\0{ord(lone[0]):04x}", path)


def read_path(written: str) -> str:
    """Return the path that :func:`written_path` wrote."""
    if "\0" not in written:
        return written
    return re.sub("\0([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), written)


def vocabulary_of(fingerprint: Fingerprint) -> Vocabulary:
    """Return the names of a fingerprint's probabilities, in alphabetical order."""
    ranked = (getattr(fingerprint, name) for name in _RANKED.values())
    return Vocabulary(*(tuple(sorted(p.name for p in names)) for names in ranked))


def vocabulary_of_taxonomy() -> Vocabulary:
    """Return the names that this songprint's own model gives."""
    from songprint.genre.taxonomy import ERAS, GENRES, INSTRUMENTS, MOODS, STYLES

    return Vocabulary(*(tuple(sorted(n)) for n in (GENRES, ERAS, MOODS, STYLES, INSTRUMENTS)))


_RANKED = dict(zip(VECTORS, ("genres", "era", "moods", "styles", "instruments"), strict=True))


def song_record(
    fingerprint: Fingerprint, tags: SongTags, path: str | None, now: datetime
) -> dict[str, Any]:
    """Return the row of a song in `songs`.

    Parameters
    ----------
    fingerprint : Fingerprint
        What it sounds like.
    tags : SongTags
        What its tags say.
    path : str or None
        Its file.
    now : datetime
        UTC.
    """
    tonality = fingerprint.descriptors.tonality
    heard = heard_words(fingerprint)
    numbers = zip(NUMBERS, descriptor_numbers(fingerprint), strict=True)
    vectors = {
        name: [p.p for p in sorted(getattr(fingerprint, ranked), key=lambda p: p.name)]
        for name, ranked in _RANKED.items()
    }
    return {
        "content_hash": fingerprint.content_hash,
        "model": fingerprint.model,
        **tag_columns(tags, path, heard),
        "plays": tags.plays,
        "seconds": fingerprint.seconds,
        "genre": fingerprint.genres[0].name,
        "unsure": fingerprint.unsure,
        "era": fingerprint.era[0].name,
        "mood": fingerprint.moods[0].name,
        "key": tonality.key,
        "mode": tonality.mode if tonality.key else None,
        **{name: None if isnan(value) else value for name, value in numbers},
        "heard": heard,
        "embedding": fingerprint.embedding,
        "pattern": fingerprint.descriptors.rhythm.pattern,
        **vectors,
        "imported": False,
        "origin": None,
        "added": now,
        "changed": now,
    }


def landmarks_record(content_hash: str, peaks: Peaks) -> dict[str, Any]:
    """Return the row of a song in `landmarks`."""
    packed = peaks.packed().astype("<u4", copy=False)
    return {"content_hash": content_hash, "version": PEAKS_VERSION, "peaks": packed.tobytes()}


def tag_columns(tags: SongTags, path: str | None, heard: str) -> dict[str, Any]:
    """Return the columns of `songs` that follow from a file's place and tags, but its plays."""
    written = None if path is None else written_path(path)
    columns: dict[str, Any] = {
        "path": written,
        "title": tags.title,
        "artist": tags.artist,
        "album": tags.album,
        "album_artist": tags.album_artist,
        "year": tags.year,
    }
    place = re.split(r"[/\\]", written or "")[-3:]  # as a rule artist, album and song
    named = (tags.title, tags.artist, tags.album, tags.album_artist, *place, heard)
    return {**columns, "words": " ".join(name for name in named if name)}


def heard_words(fingerprint: Fingerprint) -> str:
    """Return words for what a song sounds like, by which full-text search finds it."""
    ranked = (getattr(fingerprint, name) for name in _RANKED.values())
    return words_for(*ranked, unsure=fingerprint.unsure)


def words_for(
    genres: Sequence[Probability],
    eras: Sequence[Probability],
    *tags: Sequence[Probability],
    unsure: bool,
) -> str:
    """Return words for what is most probable, most probable first in each sequence."""
    words = [] if unsure else [genres[0].name]
    words += [eras[0].name]
    for ranked in tags:
        words += [tag.name for tag in ranked[:MOST_WORDS] if _is_worth_a_word(tag)]
    return " ".join(dict.fromkeys(words))


MOST_WORDS = 3
WORD_FROM = 0.1
"""How probable a mood, style or instrument must be to be named; the tagger is sparing with them."""


def _is_worth_a_word(tag: Probability) -> bool:
    return tag.p >= WORD_FROM


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
