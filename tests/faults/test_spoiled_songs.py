"""What becomes of spoiled songs: each is heard or refused in one line, in bounded time and memory.

``benchmarks/fuzz.py`` does the same with as many as one likes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.faults import undergo, write_all
from support.mutants import FORMATS, STROKES, mutants, sound_songs

COUNT = 504
SEED = 8
MOST_BYTES = 400 << 20
SLOWEST_SECONDS = 30.0
"""Of a machine that does much else; alone, none takes a second."""


def test_five_hundred_spoiled_songs_are_heard_or_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert len(FORMATS) * len(STROKES) <= COUNT  # each stroke befalls each format
    write_all(mutants(COUNT, SEED), tmp_path / "music")
    ordeal = undergo(
        tmp_path / "music", tmp_path / "library", workers=1, slowest_seconds=SLOWEST_SECONDS
    )
    assert capfd.readouterr() == ("", "")  # no decoder and no traceback spoke
    assert ordeal.faults == []
    assert ordeal.heard + len(ordeal.refusals) == ordeal.files == COUNT
    assert ordeal.heard > COUNT // 3
    assert len(ordeal.refusals) > COUNT // 5
    assert ordeal.peak_bytes < MOST_BYTES


def test_the_songs_they_are_made_of_are_heard(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    for number, (name, data) in enumerate(sound_songs().items()):
        (tmp_path / "music" / f"{number}{FORMATS[name][0]}").write_bytes(data)
    ordeal = undergo(
        tmp_path / "music", tmp_path / "library", workers=1, slowest_seconds=SLOWEST_SECONDS
    )
    assert (ordeal.faults, ordeal.refusals) == ([], {})
    assert ordeal.heard == len(FORMATS)


def test_a_seed_makes_the_same_files_again() -> None:
    assert list(mutants(30, 1)) == list(mutants(30, 1))
    assert list(mutants(30, 1)) != list(mutants(30, 2))
