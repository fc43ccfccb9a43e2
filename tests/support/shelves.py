"""Libraries of songs that nobody heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from songprint.fingerprints import Fingerprint
from songprint.library.schema import FileRow, song_record, vocabulary_of
from songprint.library.store import Library
from songprint.library.tags import SongTags
from support.madeup import made_up

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def made_up_hash(number: int) -> str:
    """Return the content hash of the song of a number."""
    return f"{number:032x}"


def made_up_song(number: int, *, model: str = "2-test", seconds: float = 185.0) -> Fingerprint:
    """Return the song of a number; its embedding is its own."""
    embedding = np.random.default_rng(number).standard_normal(256).astype(np.float32)
    return replace(
        made_up(seconds=seconds),
        embedding=embedding / np.linalg.norm(embedding),
        content_hash=made_up_hash(number),
        model=model,
    )


def shelve(
    library: Library,
    songs: dict[str | None, Fingerprint],
    tags: dict[str | None, SongTags] | None = None,
) -> None:
    """Put songs into a library, by path, as if they had been heard."""
    with library.writing() as writer:
        for song in songs.values():
            writer.put_model(song.model, vocabulary_of(song))
        writer.put_songs(
            [
                song_record(song, (tags or {}).get(path, SongTags()), path, NOW)
                for path, song in songs.items()
            ]
        )
        writer.put_files(
            [
                FileRow(path, song.content_hash, 1000, 1, None, None, NOW)
                for path, song in songs.items()
                if path is not None
            ]
        )


def made_up_library(path: Path, songs: int) -> Library:
    """Return a new library with songs of the numbers 0 to `songs`."""
    library = Library.open(path, create=True)
    if songs:
        shelve(library, {f"/music/{number}.mp3": made_up_song(number) for number in range(songs)})
    return library
