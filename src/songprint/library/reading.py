"""From Arrow tables to what the rest of songprint computes with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from songprint.library.catalogue import KEYS, NUMBERS, Catalogue, Vocabulary
from songprint.library.recordings import excerpts_of, recordings_of
from songprint.library.schema import SONGS, VECTORS, FileRow, SongRow, read_path

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


def catalogue_from(
    hashes: pa.Array,
    batches: Iterable[pa.RecordBatch],
    vocabulary: Vocabulary,
    model: str,
    folder: Path | None = None,
) -> Catalogue:
    """Lay rows of `songs` out as a catalogue, in the order of their content hashes.

    Parameters
    ----------
    hashes : pyarrow.Array
        Content hashes of all n songs, in any order.
    batches : iterable of pyarrow.RecordBatch
        The songs, in any order, with the columns :data:`CATALOGUE_COLUMNS`; each is copied to its
        place and let go, so that no song is in memory twice.
    vocabulary : Vocabulary
        Of the songs' model.
    model : str
        Its version.
    folder : Path, optional
        The library's, where it is told which songs are one recording.
    """
    names = np.unique(np.array(hashes.to_pylist(), np.str_))
    n = len(names)
    widths = {name: len(getattr(vocabulary, name)) for name in VECTORS}
    widths |= {name: SONGS.field(name).type.list_size for name in ("embedding", "pattern")}
    vectors = {name: np.empty((n, width), np.float32) for name, width in widths.items()}
    numbers = np.empty((n, len(NUMBERS)), np.float32)
    texts = {name: np.empty(n, object) for name in ("path", "title", "artist", "album")}
    unsure, keys, years = np.empty(n, bool), np.empty(n, np.int8), np.empty(n, np.int16)
    seconds, plays = np.empty(n, np.float32), np.empty(n, np.float32)
    for batch in batches:
        rows = np.searchsorted(names, np.array(batch["content_hash"].to_pylist(), np.str_))
        for name, width in widths.items():
            vectors[name][rows] = _plain(batch[name].flatten()).reshape(-1, width)
        for column, name in enumerate(NUMBERS):
            numbers[rows, column] = _plain(batch[name])
        for name, text in texts.items():
            text[rows] = batch[name].to_pylist()
        keys[rows] = _keys(batch["key"], batch["mode"])
        years[rows] = _plain(batch["year"].fill_null(0))
        unsure[rows] = _plain(batch["unsure"])
        seconds[rows] = _plain(batch["seconds"])
        plays[rows] = _plain(batch["plays"])
    texts["path"][:] = [path and read_path(path) for path in texts["path"]]
    return Catalogue(
        vocabulary=vocabulary,
        model=model,
        hashes=names,
        embeddings=vectors.pop("embedding"),
        patterns=vectors.pop("pattern"),
        **vectors,
        unsure=unsure,
        numbers=numbers,
        keys=keys,
        seconds=seconds,
        paths=texts["path"],
        titles=texts["title"],
        artists=texts["artist"],
        albums=texts["album"],
        years=years,
        plays=plays,
        recordings=np.zeros(n, np.int32) if folder is None else recordings_of(folder, names),
        excerpts=np.full(n, None, object) if folder is None else excerpts_of(folder, names),
    )


def _plain(column: pa.Array) -> NDArray[Any]:
    """Return a column of numbers; NaN where there is none."""
    numbers: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return numbers


def _keys(key: pa.Array, mode: pa.Array) -> NDArray[np.int8]:
    tonic = _plain(pc.index_in(key, pa.array(KEYS)).fill_null(-1))
    minor = _plain(pc.equal(mode, "minor").fill_null(False))
    keys: NDArray[np.int8] = np.where((tonic >= 0) & minor, tonic + 12, tonic).astype(np.int8)
    return keys
