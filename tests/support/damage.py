"""A library of songs that were heard, and what disks do to its files."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from songprint import Library
from songprint.library.guards import FOLDER, guarded_files
from songprint.library.ingest import add_folders
from songprint.library.schema import TABLES
from support.shelves import small_song

BLOCK_BYTES = 4096


def heard_library(folder: Path, songs: int) -> Library:
    """Return a library of songs that real workers heard, with a station and a verdict."""
    for number in range(songs):
        small_song(folder / "music" / f"{number}.flac", number, title=f"Song {number}")
    library = Library.open(folder / "library", create=True)
    add_folders(library, [str(folder / "music")], workers=1)
    library.save_station("evening", {"seeds": ["a"]})
    library.add_feedback("evening", "0" * 32, "like")
    with library.writing() as writer:
        writer.tidy()
    return library


def guarded(library: Path) -> list[Path]:
    """Return the files of a library that hold what it knows, relative to it."""
    files = {file for name in TABLES for file in guarded_files(library / f"{name}.lance")}
    return sorted(file.relative_to(library) for file in files)


def copy_of(library: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(library, to)
    return to


def _flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 0x10
    file.write_bytes(data)


def _flip_anywhere(file: Path, rng: random.Random) -> None:
    _flip(file, rng.randrange(file.stat().st_size))


def _zero(file: Path, rng: random.Random) -> None:
    """Zero a sector, of which not all was zero before."""
    data = bytearray(file.read_bytes())
    at = rng.randrange(len(data)) // 512 * 512
    data[at : at + 512] = bytes(len(data[at : at + 512]))
    data[at] ^= 1
    file.write_bytes(data)


def _cut(file: Path, rng: random.Random) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) - rng.randrange(1, min(len(data), BLOCK_BYTES))])


def _lengthen(file: Path, _: random.Random) -> None:
    file.write_bytes(file.read_bytes() + b"junk")


BLOWS: dict[str, Callable[[Path, random.Random], None]] = {
    "its first byte": lambda file, _: _flip(file, 0),
    "its last byte": lambda file, _: _flip(file, -1),
    "any byte": _flip_anywhere,
    "a sector": _zero,
    "its end": _cut,
    "more than it had": _lengthen,
}
"""Damage from which every file comes back to the byte."""


def without_guards(library: Path) -> Path:
    shutil.rmtree(library / FOLDER)
    return library
