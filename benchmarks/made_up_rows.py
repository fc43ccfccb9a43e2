"""Rows for a library of songs that nobody heard: what a catalogue has of them, and names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from songprint.library.catalogue import KEYS, NUMBERS, Catalogue
from songprint.library.schema import SONGS, VECTORS

AT_ONCE = 10_000


def rows_of(catalogue: Catalogue) -> Iterator[pa.Table]:
    """Yield the songs of a catalogue as the library's table has them, some at a time."""
    for start in range(0, len(catalogue), AT_ONCE):
        yield _rows(catalogue, range(start, min(start + AT_ONCE, len(catalogue))))


def _rows(catalogue: Catalogue, rows: range) -> pa.Table:
    piece = catalogue.take(list(rows))
    now = datetime.now(UTC)
    names = catalogue.vocabulary
    best = {name: getattr(piece, name).argmax(axis=1) for name in ("genres", "eras", "moods")}
    known = piece.keys >= 0
    columns: dict[str, Any] = {
        "content_hash": piece.hashes,
        "model": [catalogue.model] * len(piece),
        "path": [f"/music/{row % 5000}/{row}.mp3" for row in rows],
        "title": [f"song {row * 7919 % 100_003} of the {row % 97}" for row in rows],
        "artist": piece.artists,
        "album": [f"album {row % 9000}" for row in rows],
        "album_artist": piece.artists,
        "year": [1960 + row % 60 for row in rows],
        "plays": [None] * len(piece),
        "seconds": piece.seconds,
        "genre": [names.genres[i] for i in best["genres"]],
        "unsure": piece.unsure,
        "era": [names.eras[i] for i in best["eras"]],
        "mood": [names.moods[i] for i in best["moods"]],
        "key": [
            KEYS[key % 12] if sure else None for key, sure in zip(piece.keys, known, strict=True)
        ],
        "mode": [
            ("minor" if key >= 12 else "major") if sure else None
            for key, sure in zip(piece.keys, known, strict=True)
        ],
        "heard": [""] * len(piece),
        "words": [f"song {row}" for row in rows],
        "embedding": list(piece.embeddings),
        "pattern": list(piece.patterns),
        "imported": [False] * len(piece),
        "added": [now] * len(piece),
        "changed": [now] * len(piece),
    }
    for name in NUMBERS:
        values = piece.number(name)
        columns[name] = pa.array(values, pa.float32(), mask=~np.isfinite(values))
    for name in VECTORS:
        columns[name] = list(getattr(piece, name))
    unknown = [None] * len(piece)
    arrays = [pa.array(columns.get(field.name, unknown), field.type) for field in SONGS]
    return pa.Table.from_arrays(arrays, schema=SONGS)
