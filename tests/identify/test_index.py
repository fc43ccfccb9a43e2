"""The index follows the library's tables, in few segments, and can be thrown away."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from songprint.identify import index as index_module
from songprint.identify.identifier import Identifier
from songprint.identify.index import FOLDER, Index
from songprint.library.guards import guard_of
from songprint.library.locks import held
from songprint.library.store import Library
from support.clips import cut, library_of_tunes, put_landmarks, tune
from support.shelves import made_up_hash, made_up_library


def segments(library: Library) -> list[Path]:
    return sorted((library.path / FOLDER).glob("*/*"))


def songs(index: Index) -> list[str]:
    return sorted(str(part.segment.songs[row]) for part in index.parts for row in part.alive)


def hashes(*numbers: int) -> list[str]:
    return sorted(map(made_up_hash, numbers))


def test_an_index_is_made_once(tmp_path: Path) -> None:
    library = library_of_tunes(tmp_path / "library", [tune(n, 3.0) for n in range(3)])
    assert songs(Index.of(library)) == hashes(0, 1, 2)
    before = segments(library)
    assert len(before) == 1
    assert songs(Index.of(library)) == hashes(0, 1, 2)
    assert segments(library) == before


def test_what_an_index_holds_is_found(tmp_path: Path) -> None:
    library = library_of_tunes(tmp_path / "library", [tune(n) for n in range(4)])
    match = Identifier(library).identify(cut(tune(2), 5.0, 3.0))
    assert match is not None
    assert match.song == made_up_hash(2)


def test_new_songs_come_in_and_old_ones_go(tmp_path: Path) -> None:
    library = library_of_tunes(tmp_path / "library", [tune(n, 3.0) for n in range(3)])
    Index.of(library)
    put_landmarks(library, {7: tune(7, 3.0)})
    with library.writing() as writer:
        writer.drop_landmarks([made_up_hash(1)])
    assert songs(Index.of(library)) == hashes(0, 2, 7)


def test_small_segments_are_taken_in(tmp_path: Path) -> None:
    library = made_up_library(tmp_path / "library", 0)
    for number in range(6):
        put_landmarks(library, {number: tune(number, 2.0)})
        Index.of(library)
    assert len(segments(library)) <= 2
    assert songs(Index.of(library)) == hashes(*range(6))


@pytest.mark.parametrize(("gone", "held"), [((1,), 5), ((1, 3), 3)])
def test_a_segment_with_many_songs_that_are_gone_is_made_anew(
    tmp_path: Path, gone: tuple[int, ...], held: int
) -> None:
    library = library_of_tunes(tmp_path / "library", [tune(n, 2.0) for n in range(5)])
    Index.of(library)
    with library.writing() as writer:
        writer.drop_landmarks([made_up_hash(number) for number in gone])
    index = Index.of(library)
    assert songs(index) == hashes(*({*range(5)} - {*gone}))
    assert [len(part.segment) for part in index.parts] == [held]


def test_a_segment_is_never_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "SONGS_A_SEGMENT", 2)
    library = library_of_tunes(tmp_path / "library", [tune(n, 2.0) for n in range(5)])
    index = Index.of(library)
    assert [len(part.segment) for part in index.parts] == [2, 2, 1]
    assert songs(index) == hashes(*range(5))


def test_what_is_damaged_or_left_over_is_made_anew(tmp_path: Path) -> None:
    library = library_of_tunes(tmp_path / "library", [tune(n, 2.0) for n in range(2)])
    Index.of(library)
    [segment] = segments(library)
    (segment / "postings.npy").write_bytes(b"")
    shutil.copytree(segment, segment.with_name("0.part"))
    (library.path / FOLDER / "0-0").mkdir()
    assert songs(Index.of(library)) == hashes(0, 1)
    assert segments(library) != [segment]
    assert not list((library.path / FOLDER).glob("*/*.part"))
    assert [home.name for home in (library.path / FOLDER).iterdir()] != ["0-0"]


def test_a_library_that_another_process_indexes_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "WAIT_SECONDS", 0.0)
    library = library_of_tunes(tmp_path / "library", [tune(n, 2.0) for n in range(2)])
    with held(library.path, "index"):
        assert songs(Index.of(library)) == hashes(0, 1)
    assert not segments(library)


def test_songs_without_sound_do_no_harm(tmp_path: Path) -> None:
    silence = np.zeros(16_000, np.float32)
    library = library_of_tunes(tmp_path / "library", [silence, tune(1), silence])
    for _ in range(2):  # made, then read from the disk
        match = Identifier(library).identify(cut(tune(1), 4.0, 3.0))
        assert match is not None
        assert match.song == made_up_hash(1)


def test_a_library_of_silence_alone_is_an_index(tmp_path: Path) -> None:
    library = library_of_tunes(tmp_path / "library", [np.zeros(16_000, np.float32)])
    for _ in range(2):
        assert Identifier(library).identify(cut(tune(1), 4.0, 3.0)) is None


def test_a_library_of_an_older_songprint_has_none_and_gets_its_table(tmp_path: Path) -> None:
    library = made_up_library(tmp_path / "library", 1)
    table = library.path / "landmarks.lance"
    shutil.rmtree(table)
    shutil.rmtree(guard_of(library.path, table))
    library = Library.open(library.path)
    assert len(Index.of(library)) == 0
    put_landmarks(library, {0: tune(0, 2.0)})
    assert len(Index.of(library)) == 1


CHANGES = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "look"]), st.integers(0, 5)), max_size=10
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_whatever_changes_the_index_holds_what_the_table_holds(
    tmp_path: Path, changes: list[tuple[str, int]]
) -> None:
    shutil.rmtree(tmp_path / "library", ignore_errors=True)
    library = made_up_library(tmp_path / "library", 0)
    there: set[int] = set()
    for what, number in [*changes, ("look", 0)]:
        if what == "put":
            put_landmarks(library, {number: tune(number, 1.0)})
            there.add(number)
        elif what == "drop":
            with library.writing() as writer:
                writer.drop_landmarks([made_up_hash(number)])
            there.discard(number)
        else:
            assert songs(Index.of(library)) == hashes(*there)
