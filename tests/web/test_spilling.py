"""Columns of large libraries that lie on the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from songprint.kinship.neighbours import Kinship
from songprint.web import spilling
from songprint.web.spilling import let_go, room_for, spilled
from support.kin import kin_catalogue


def test_kin_are_the_same_from_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spilling, "FEWEST_SONGS", 10)
    monkeypatch.setattr(spilling, "MANY_ROWS", 10)
    catalogue = kin_catalogue()
    large = spilled(catalogue, tmp_path)
    assert isinstance(large.embeddings, np.memmap)
    mapped = Kinship(large, room=lambda shape: room_for(shape, tmp_path))
    assert isinstance(mapped.space.columns, np.memmap)
    plain = Kinship(catalogue)
    for row in (0, 40, 119):
        let_go(large, mapped.space)
        assert mapped.neighbours(row, 10) == plain.neighbours(row, 10)
    assert list(tmp_path.iterdir()) == []  # the files have no names


def test_a_small_library_stays_in_memory(tmp_path: Path) -> None:
    catalogue = kin_catalogue()
    assert spilled(catalogue, tmp_path / "none") is catalogue
    assert not isinstance(room_for((5, 3), tmp_path / "none"), np.memmap)
    assert not (tmp_path / "none").exists()


def test_a_disk_that_cannot_be_written_leaves_it_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spilling, "FEWEST_SONGS", 10)
    (tmp_path / "file").touch()
    catalogue = kin_catalogue()
    assert spilled(catalogue, tmp_path / "file") is catalogue
    assert room_for((100, 3), tmp_path / "file").shape == (100, 3)
