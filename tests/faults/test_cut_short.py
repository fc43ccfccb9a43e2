"""Imports, repairs and tagging that are killed, or whose disk is full, leave all as it was."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from songprint import Library
from songprint.errors import LibraryError, SongprintError
from songprint.fingerprints import default_fingerprinter
from songprint.library.exporting import export_songs
from songprint.library.guards import examine
from songprint.library.importing import import_songs
from songprint.library.repair import repair
from songprint.library.schema import TABLES
from songprint.library.tagging import untag_files
from support.damage import BLOWS
from support.disks import small_disk
from support.killing import contents
from support.kin import kin_library
from support.shelves import library_of, made_up_library, small_song
from support.tagging import write

MODEL = default_fingerprinter().model_version
THEIRS = 80


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("theirs")
    library = kin_library(folder / "library", each=THEIRS // 4, model=MODEL)
    return export_songs(library, folder / "theirs.parquet").path


IMPORT = """
import sys, time
from songprint import Library, import_songs
print('in', flush=True)
import_songs(Library.open(sys.argv[1]), sys.argv[2])
"""


def test_an_import_that_is_killed_brings_in_all_or_nothing(exported: Path, tmp_path: Path) -> None:
    rng = random.Random(os.urandom(8))
    library = Library.open(tmp_path / "library", create=True)
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", IMPORT, str(library.path), str(exported)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0, 2.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert len(library) in (0, THEIRS)
    import_songs(library, exported)
    assert len(library) == len(library.catalogue()) == THEIRS
    assert examine(library.path, TABLES).damages == []


def fill(disk: Path, free_bytes: int) -> Path:
    filler = disk / "filler"
    filler.write_bytes(bytes(max(shutil.disk_usage(disk).free - free_bytes, 0)))
    return filler


def test_an_import_on_a_full_disk_is_told_and_can_be_made_up_for(
    exported: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "6m"):
        library = made_up_library(disk / "library", 10)
        filler = fill(disk, 48_000)
        with pytest.raises(SongprintError, match="the disk is full"):
            import_songs(library, exported)
        assert len(Library.open(library.path)) == 10
        filler.unlink()
        assert import_songs(library, exported).added == THEIRS
        assert len(Library.open(library.path)) == 10 + THEIRS


def test_a_repair_on_a_full_disk_is_told_and_can_be_made_up_for(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "6m"):
        library = made_up_library(disk / "library", 40).path
        wanted = contents(library)
        (piece,) = (library / "songs.lance" / "data").iterdir()
        BLOWS["any byte"](piece, random.Random(2))
        spoiled = piece.read_bytes()
        filler = fill(disk, 24_000)
        with pytest.raises(LibraryError, match="the disk is full"):
            repair(library)
        assert piece.read_bytes() == spoiled
        assert sorted(entry.name for entry in disk.iterdir()) == ["filler", "library"]
        filler.unlink()
        assert repair(library).is_whole
        assert contents(library) == wanted


def test_without_room_for_the_way_back_no_tag_is_written(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    songs = [small_song(tmp_path / "music" / f"{n}.flac", n) for n in range(9)]
    before = [song.read_bytes() for song in songs]
    with small_disk(disk, "6m"):
        library = library_of(disk / "library", *songs)
        filler = fill(disk, 0)
        with pytest.raises(LibraryError, match="cannot be written: the disk is full"):
            write(library)
        assert [song.read_bytes() for song in songs] == before
        filler.unlink()
        assert len(write(library).changes) == 9
        assert len(untag_files(library, write=True).changes) == 9
