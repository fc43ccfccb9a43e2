"""From Arrow tables to what the rest of songprint computes with."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from songprint.library.catalogue import KEYS, NUMBERS, Catalogue, Vocabulary
from songprint.library.schema import VECTORS, FileRow, SongRow, read_path

SONG_COLUMNS = tuple(field.name for field in fields(SongRow))
CATALOGUE_COLUMNS = (
    "content_hash",
    *("path", "title", "artist", "album", "year", "plays", "seconds", "unsure", "key", "mode"),
    *NUMBERS,
    "embedding",
    "pattern",
    *VECTORS,
)


def song_rows(table: pa.Table) -> list[SongRow]:
    """Return rows of `songs` with the columns :data:`SONG_COLUMNS`."""
    return [SongRow(**_with_path(row)) for row in table.select(SONG_COLUMNS).to_pylist()]


def file_rows(table: pa.Table) -> list[FileRow]:
    """Return rows of `files`."""
    return [FileRow(**_with_path(row)) for row in table.to_pylist()]


def _with_path(row: dict[str, Any]) -> dict[str, Any]:
    return row if row["path"] is None else row | {"path": read_path(row["path"])}


def catalogue_from(table: pa.Table, vocabulary: Vocabulary, model: str) -> Catalogue:
    """Lay rows of `songs` out as a catalogue, in the order of their content hashes.

    Parameters
    ----------
    table : pyarrow.Table
        With the columns :data:`CATALOGUE_COLUMNS`, all of one model.
    vocabulary : Vocabulary
        Of that model.
    model : str
        Its version.
    """
    order = pc.sort_indices(table["content_hash"])
    rows = order.to_numpy()
    plain = table.drop_columns(["embedding", "pattern", *VECTORS]).take(order)
    names = (getattr(vocabulary, name) for name in VECTORS)
    return Catalogue(
        vocabulary=vocabulary,
        model=model,
        hashes=np.array(plain["content_hash"].to_pylist(), np.str_),
        embeddings=_matrix(table["embedding"], rows),
        **{
            column: _matrix(table[column], rows, len(words))
            for column, words in zip(VECTORS, names, strict=True)
        },
        unsure=plain["unsure"].to_numpy(),
        numbers=np.stack([plain[name].to_numpy() for name in NUMBERS], axis=1, dtype=np.float32),
        keys=_keys(plain["key"], plain["mode"]),
        patterns=_matrix(table["pattern"], rows),
        seconds=plain["seconds"].to_numpy(),
        paths=_paths(plain["path"]),
        titles=_texts(plain["title"]),
        artists=_texts(plain["artist"]),
        albums=_texts(plain["album"]),
        years=plain["year"].fill_null(0).to_numpy(),
        plays=plain["plays"].to_numpy(),
    )


def _matrix(
    column: pa.ChunkedArray, rows: NDArray[np.uint64], width: int | None = None
) -> NDArray[np.float32]:
    """Return a column of vectors [shape=(n, width)], copied once: from Arrow to its row."""
    width = column.type.list_size if width is None else width
    matrix = np.empty((len(rows), width), np.float32)
    place = np.empty(len(rows), np.intp)
    place[rows] = np.arange(len(rows))
    start = 0
    for chunk in column.chunks:
        values = chunk.flatten().to_numpy().reshape(len(chunk), width)
        matrix[place[start : start + len(chunk)]] = values
        start += len(chunk)
    return matrix


def _keys(key: pa.ChunkedArray, mode: pa.ChunkedArray) -> NDArray[np.int8]:
    tonic = pc.index_in(key, pa.array(KEYS)).fill_null(-1).to_numpy()
    minor = pc.equal(mode, "minor").fill_null(False).to_numpy()
    keys: NDArray[np.int8] = np.where((tonic >= 0) & minor, tonic + 12, tonic).astype(np.int8)
    return keys


def _texts(column: pa.ChunkedArray) -> NDArray[np.object_]:
    texts = np.empty(len(column), object)
    texts[:] = column.to_pylist()
    return texts


def _paths(column: pa.ChunkedArray) -> NDArray[np.object_]:
    paths = _texts(column)
    if pc.any(pc.match_substring(column, "\0")).as_py():
        paths[:] = [None if path is None else read_path(path) for path in paths]
    return paths
