from __future__ import annotations

from pathlib import Path

import pytest

from songprint import Library
from support.shelves import library_of, small_song


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return small_song(tmp_path / "music" / "song.flac", title="So What", artist="Miles")


@pytest.fixture
def library(tmp_path: Path, song: Path) -> Library:
    return library_of(tmp_path / "library", song)
