"""Songs as one Parquet file that anybody can read and any songprint can import.

A column is named and typed like what ``songprint classify --json`` says of a song: probabilities
and descriptors are structs, whose fields are the names, so that a query engine reads
``genres.jazz`` and ``descriptors.tempo_bpm``. What kinship needs beyond it, embedding and rhythm
pattern, are lists of fixed length.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from songprint.descriptors.rhythm import PATTERN_SIZE
from songprint.encoder.inference import EMBEDDING_SIZE
from songprint.fingerprints import Probability
from songprint.library.catalogue import NUMBERS, Vocabulary
from songprint.library.schema import (
    MOST_WORDS,
    SONGS,
    VECTORS,
    read_path,
    tag_columns,
    words_for,
)
from songprint.library.tags import SongTags, one_line

FORMAT = 1
"""Of the file; changes when a songprint of before could not read it."""

FORMAT_KEY = b"songprint_export"
MODEL_KEY = b"songprint_model"

STRUCTS = dict(zip(("genres", "era", "moods", "styles", "instruments"), VECTORS, strict=True))
"""Columns of probabilities, and what the library calls them."""

LISTS = {"embedding": EMBEDDING_SIZE, "rhythm_pattern": PATTERN_SIZE}

TEXTS = ("title", "artist", "album", "album_artist")

MOST_PATH_CHARACTERS = 4096

_PLAIN = ("year", "seconds", "content_hash", "model", "unsure")


def portable_schema(vocabulary: Vocabulary, model: str) -> pa.Schema:
    """Return the columns of a file with songs of one model."""

    def required(name: str, kind: pa.DataType) -> pa.Field:
        return pa.field(name, kind, nullable=False)

    def numbers(length: int) -> pa.DataType:
        return pa.list_(required("element", pa.float32()), length)

    descriptors = [*((name, pa.float32()) for name in NUMBERS), ("key", pa.string())]
    return pa.schema(
        [
            ("path", pa.string()),
            *((name, pa.string()) for name in TEXTS),
            ("year", pa.int16()),
            ("plays", pa.float32()),
            required("seconds", pa.float32()),
            required("content_hash", pa.string()),
            required("model", pa.string()),
            required("unsure", pa.bool_()),
            *(
                required(column, pa.struct([required(n, pa.float32()) for n in names]))
                for column, names in names_of(vocabulary).items()
            ),
            required("descriptors", pa.struct([*descriptors, ("mode", pa.string())])),
            *(required(name, numbers(length)) for name, length in LISTS.items()),
        ],
        metadata={FORMAT_KEY: str(FORMAT), MODEL_KEY: model},
    )


def names_of(vocabulary: Vocabulary) -> dict[str, tuple[str, ...]]:
    """Return the names of the fields of each column of probabilities."""
    return {column: getattr(vocabulary, vector) for column, vector in STRUCTS.items()}


def to_portable(
    songs: pa.RecordBatch, schema: pa.Schema, folders: Iterable[str] | None, *, plays: bool
) -> pa.RecordBatch:
    """Turn rows of a library's `songs` into rows of a file.

    Parameters
    ----------
    songs : pyarrow.RecordBatch
        Songs of one model.
    schema : pyarrow.Schema
        As :func:`portable_schema` returns it for this model.
    folders : iterable of str or None
        Paths are told relative to the innermost of these; None for absolute paths.
    plays : bool
        Tell how often the songs were played.
    """
    columns: dict[str, pa.Array] = {name: songs[name] for name in _PLAIN}
    within = None if folders is None else sorted(folders, key=len, reverse=True)
    columns["path"] = pa.array([_shown(p, within) for p in songs["path"].to_pylist()], pa.string())
    for name in TEXTS:
        columns[name] = pa.array([one_line(t) for t in songs[name].to_pylist()], pa.string())
    columns["plays"] = songs["plays"] if plays else pa.nulls(len(songs), pa.float32())
    for column, vector in STRUCTS.items():
        kind = schema.field(column).type
        wide = _matrix(songs[vector], kind.num_fields)
        columns[column] = pa.StructArray.from_arrays(
            [pa.array(names) for names in wide.T], fields=list(kind)
        )
    kind = schema.field("descriptors").type
    columns["descriptors"] = pa.StructArray.from_arrays(
        [songs[field.name] for field in kind], fields=list(kind)
    )
    for column, source in (("embedding", "embedding"), ("rhythm_pattern", "pattern")):
        columns[column] = songs[source].cast(schema.field(column).type)
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def from_portable(songs: pa.RecordBatch, origin: str, now: datetime) -> pa.RecordBatch:
    """Turn rows of a file that was found good into rows of a library's `songs`.

    They have no path, as there is no audio; a song without a title gets its file's name.

    Parameters
    ----------
    songs : pyarrow.RecordBatch
        Songs of one model.
    origin : str
        The name of the file.
    now : datetime
        UTC.
    """
    n = len(songs)
    columns: dict[str, pa.Array] = {name: songs[name] for name in (*_PLAIN, "plays")}
    vectors, ranked = {}, {}
    for column, vector in STRUCTS.items():
        names = [field.name for field in songs.schema.field(column).type]
        vectors[vector] = matrix_of(songs[column])
        ranked[vector] = _ranked(names, vectors[vector])
        columns[vector] = pa.ListArray.from_arrays(
            pa.array(np.arange(n + 1, dtype=np.int32) * len(names)),
            pa.array(vectors[vector].reshape(-1)),
        ).cast(SONGS.field(vector).type)
    kind = songs.schema.field("descriptors").type
    descriptors = dict(zip((f.name for f in kind), songs["descriptors"].flatten(), strict=True))
    heard = _heard(ranked, songs["unsure"].to_pylist())
    columns |= descriptors | _tags(songs, heard)
    for name, vector in (("genre", "genres"), ("era", "eras"), ("mood", "moods")):
        columns[name] = pa.array([best[0].name for best in ranked[vector]])
    for column, source in (("embedding", "embedding"), ("pattern", "rhythm_pattern")):
        columns[column] = songs[source].cast(SONGS.field(column).type)
    columns["heard"] = pa.array(heard)
    for name, value in {"imported": True, "origin": origin, "added": now, "changed": now}.items():
        columns[name] = pa.array([value] * n, SONGS.field(name).type)
    return pa.RecordBatch.from_arrays([columns[name] for name in SONGS.names], schema=SONGS)


def matrix_of(struct: pa.StructArray) -> NDArray[np.float32]:
    """Return the fields of a struct without nulls as columns [shape=(n, fields)]."""
    return np.stack([field.to_numpy(zero_copy_only=False) for field in struct.flatten()], axis=1)


def _matrix(lists: pa.Array, width: int) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = lists.flatten().to_numpy(zero_copy_only=False)
    return rows.reshape(-1, width)


def _ranked(names: list[str], rows: NDArray[np.float32]) -> list[list[Probability]]:
    """Return the most probable few of each row."""
    best = np.argsort(-rows, axis=1, kind="stable")[:, :MOST_WORDS]
    values = np.take_along_axis(rows, best, axis=1).tolist()
    return [
        [Probability(names[column], p) for column, p in zip(columns, probabilities, strict=True)]
        for columns, probabilities in zip(best.tolist(), values, strict=True)
    ]


def _heard(ranked: Mapping[str, list[list[Probability]]], unsure: list[bool]) -> list[str]:
    songs = zip(*(ranked[vector] for vector in VECTORS), strict=True)
    return [words_for(*song, unsure=not_sure) for song, not_sure in zip(songs, unsure, strict=True)]


def _tags(songs: pa.RecordBatch, heard: list[str]) -> dict[str, pa.Array]:
    told = songs.select(["path", *TEXTS, "year"]).to_pylist()
    rows = []
    for song, words in zip(told, heard, strict=True):
        path = song.pop("path")
        title = song.pop("title") or (one_line(_stem(path)) if path else None)
        rows.append(tag_columns(SongTags(title=title, **song), None, words))
    return {name: pa.array([r[name] for r in rows], SONGS.field(name).type) for name in rows[0]}


def _stem(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[0] or name


def _shown(written: str | None, folders: Iterable[str] | None) -> str | None:
    """Return a path for others to see; what cannot be shown of it is replaced by U+FFFD.

    Examples
    --------
    >>> _shown("/home/anna/Music/Miles/So What.mp3", ["/home/anna/Music"])
    'Miles/So What.mp3'
    """
    if written is None:
        return None
    path = read_path(written).replace(os.sep, "/")
    if folders is not None:
        roots = (read_path(folder).replace(os.sep, "/").rstrip("/") + "/" for folder in folders)
        root = next((root for root in roots if path.startswith(root)), None)
        path = path.rsplit("/", 1)[-1] if root is None else path[len(root) :]
    shown = (
        path if path.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in path)
    )
    return shown if 0 < len(shown) <= MOST_PATH_CHARACTERS else None
