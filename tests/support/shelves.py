"""Libraries of songs that nobody heard."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import mutagen.flac
import numpy as np

from songprint.audio.peaks import Peaks
from songprint.fingerprints import Fingerprint, default_fingerprinter
from songprint.library.scan import look_at
from songprint.library.schema import FileRow, landmarks_record, song_record, vocabulary_of
from songprint.library.store import Library
from songprint.library.tags import SongTags
from songprint.library.worker import identify
from support.audiofiles import music, write_audio
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


@contextmanager
def written_by_another(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process be the library's writer for as long as the block runs."""
    code = (
        "import sys; from songprint import Library\n"
        "with Library.open(sys.argv[1]).writing(): print('in', flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code, str(path)], text=True, **pipes) as other:
        assert other.stdout
        assert other.stdout.readline() == "in\n"
        yield other
        other.kill()


def small_song(path: Path, number: int = 0, seconds: float = 1.0, **tags: str) -> Path:
    """Write a song that is its number's alone and is heard in no time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_audio(path, music(seconds, 8000, seed=number, channels=1), 8000, metadata=tags)


def retag(path: Path, **tags: str) -> None:
    """Change the tags of a FLAC file, and the time at which it was written."""
    file = mutagen.flac.FLAC(path)
    for name, value in tags.items():
        file[name] = [value]
    file.save()
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1_000_000))


def library_of(path: Path, *files: Path, model: str | None = None) -> Library:
    """Return a new library in which these files are as if songprint add had heard them.

    Their content hashes, sizes and times are their own, their fingerprints are made up.
    """
    model = model or default_fingerprinter().model_version
    library = Library.open(path, create=True)
    with library.writing() as writer:
        writer.put_folders(sorted({str(file.parent) for file in files}))
        for number, file in enumerate(files):
            found, identified = look_at(str(file)), identify(str(file))
            song = replace(made_up_song(number, model=model), content_hash=identified.content_hash)
            writer.put_model(model, vocabulary_of(song))
            writer.put_landmarks([landmarks_record(song.content_hash, Peaks.none())])
            writer.put_songs([song_record(song, identified.tags, found.path, NOW)])
            writer.put_files(
                [
                    FileRow(
                        *(found.path, song.content_hash, found.size, found.mtime_ns),
                        *(None, None, NOW),
                    )
                ]
            )
    return library
