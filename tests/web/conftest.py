from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from songprint.library.store import Library
from support.kin import kin_library
from support.serving import Client, serving
from support.shelves import library_of, small_song


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where songprint keeps what it is not told where to keep."""
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "library"))


@pytest.fixture
def songs(tmp_path: Path) -> list[Path]:
    """Three songs with sound, of one second."""
    return [
        small_song(tmp_path / "music" / f"{name}.flac", number, title=name, artist=f"by {name}")
        for number, name in enumerate(("one", "two", "three"))
    ]


@pytest.fixture
def heard(tmp_path: Path, songs: list[Path]) -> Library:
    """A library of these songs."""
    return library_of(tmp_path / "library", *songs)


@pytest.fixture
def client(heard: Library) -> Iterator[Client]:
    """A server of three songs with sound."""
    with serving(heard.path) as client:
        yield client


@pytest.fixture(scope="module")
def kin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server of sixty songs of four kinds, without sound; not to be written to."""
    library = kin_library(tmp_path_factory.mktemp("kin") / "library")
    with serving(library.path) as client:
        yield client
