"""The index on the disk follows the library, and finds what is near."""

from __future__ import annotations

from pathlib import Path

import pytest

from songprint import Library
from songprint.kinship import ondisk
from songprint.kinship.neighbours import Kinship
from songprint.kinship.ondisk import KinshipIndex
from support.kin import KINDS, kin_library, song_of
from support.shelves import shelve


def nearest(library: Library, path: str, count: int = 10) -> list[str]:
    song = library.row_of(path)
    assert song is not None
    index = KinshipIndex(library)
    index.update()
    return index.candidates(library.catalogue([song.content_hash]), count)


def test_a_song_is_the_nearest_to_itself_and_its_kind_follows(tmp_path: Path) -> None:
    library = kin_library(tmp_path, each=8)
    found = nearest(library, "/music/rock/3.mp3", 8)
    rows = [library.row_of(song) for song in found]
    assert [row.genre for row in rows if row] == ["rock"] * 8
    assert rows[0] == library.row_of("/music/rock/3.mp3")


def test_songs_that_come_and_go_are_followed(tmp_path: Path) -> None:
    library = kin_library(tmp_path, each=4)
    before = nearest(library, "/music/rock/3.mp3", 100)
    new = song_of("rock", 99)
    shelve(library, {"/music/rock/99.mp3": new})
    with library.writing() as writer:
        writer.drop_songs([before[-1]])
    after = nearest(library, "/music/rock/3.mp3", 100)
    assert set(after) == {*before, new.content_hash} - {before[-1]}


def test_the_nearest_are_found_by_codes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = kin_library(tmp_path, each=100)
    monkeypatch.setattr(ondisk, "INDEXED_FROM", 10 * len(KINDS))
    catalogue = library.catalogue()
    kinship = Kinship(catalogue)
    found = nearest(library, "/music/jazz/3.mp3", 100)
    song = library.row_of("/music/jazz/3.mp3")
    assert song is not None
    near = kinship.neighbours(catalogue.index(song.content_hash))
    assert {str(catalogue.hashes[one.row]) for one in near} <= set(found)
