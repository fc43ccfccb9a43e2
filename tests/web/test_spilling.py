"""Large libraries: laid out by a process beside the server, and mapped from the disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from songprint.kinship.neighbours import Kinship
from songprint.library.store import Library
from songprint.web import laying, spilling
from songprint.web import shelf as shelf_module
from songprint.web.shelf import Shelf, Snapshot
from songprint.web.spilling import Mapped, Spill, let_go, load, room_for
from support.kin import kin_catalogue, kin_library, song_of
from support.shelves import shelve


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return kin_library(tmp_path / "library")


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty songs are many."""
    for module in (laying, spilling):
        monkeypatch.setattr(module, "FEWEST_SONGS", 10)


def test_large_arrays_come_out_of_a_file_as_they_went_in() -> None:
    long, short = np.arange(50_000, dtype=np.int32).reshape(-1, 5), np.arange(3.0)
    with tempfile.TemporaryFile() as file:
        spill = Spill(file.fileno())
        room = spill.room((30_000, 2))
        room[7] = 1.5
        start = spill.dump(
            {"long": long, "again": long, "short": short, "room": room, "none": None}
        )
        found = load(file.fileno(), start)
    assert isinstance(found["long"], np.memmap)
    assert isinstance(found["room"], np.memmap)
    np.testing.assert_array_equal(found["long"], long)
    np.testing.assert_array_equal(found["again"], long)
    np.testing.assert_array_equal(found["short"], short)
    np.testing.assert_array_equal(found["room"], room)
    assert found["none"] is None


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("warm", [False, True])
def test_a_library_laid_out_beside_is_the_library(
    library: Library, tmp_path: Path, *, warm: bool
) -> None:
    snapshot = laying.read(library, tmp_path / "cache", 5, warm=warm)
    plain = Snapshot(library.catalogue(), 5, tmp_path)
    assert isinstance(snapshot.catalogue, Mapped)
    assert snapshot.version == 5
    for row in (0, 20, 59):
        let_go(snapshot.catalogue, snapshot.kinship.space)
        assert snapshot.kinship.neighbours(row, 10) == plain.kinship.neighbours(row, 10)
    assert snapshot.catalogue.titles.tolist() == plain.catalogue.titles.tolist()
    assert snapshot.map(tmp_path)[1] == plain.map(tmp_path)[1]
    many = np.arange(300) * 7 % 60
    for name in ("hashes", "embeddings", "patterns", "artists", "keys"):
        taken, wanted = (getattr(each.catalogue.take(many), name) for each in (snapshot, plain))
        np.testing.assert_array_equal(taken, wanted)
    assert not list((tmp_path / "cache").iterdir())  # the file has no name


def test_a_library_whose_cache_cannot_be_written_is_served_from_memory(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laying, "FEWEST_SONGS", 10)
    shelf = Shelf(library.path)
    shelf.cache.touch()
    assert len(shelf.current()) == 60


def test_columns_in_a_file_are_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spilling, "FEWEST_SONGS", 10)
    catalogue = kin_catalogue()
    mapped = Kinship(catalogue, room=lambda shape: room_for(shape, tmp_path))
    assert isinstance(mapped.space.columns, np.memmap)
    let_go(catalogue, mapped.space)
    assert mapped.neighbours(3, 10) == Kinship(catalogue).neighbours(3, 10)
    assert list(tmp_path.iterdir()) == []


def test_a_small_library_stays_in_memory(library: Library, tmp_path: Path) -> None:
    snapshot = laying.read(library, tmp_path / "none", 1, warm=True)
    assert not isinstance(snapshot.catalogue, Mapped)
    assert not isinstance(room_for((5, 3), tmp_path / "none"), np.memmap)
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("large")
def test_a_large_library_that_grew_is_read_anew(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf_module, "FEWEST_SONGS", 10)
    shelf = Shelf(library.path)
    with shelf.turn() as before:
        assert len(before) == 60
    shelve(library, {"/music/new.mp3": song_of("jazz", 1000)})
    shelf.refresh()
    with shelf.turn() as after:
        assert len(after) == 61
        assert isinstance(after.kinship.space.columns, np.memmap)
    assert before.kinship.neighbours(0, 5)  # whoever still holds the one before may use it
