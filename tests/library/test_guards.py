from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from songprint import Library
from songprint.errors import LibraryError
from songprint.library.guards import (
    BLOCK_BYTES,
    KEPT_TWICE_BYTES,
    Guard,
    examine,
    guard_of,
    guarded_files,
)
from songprint.library.manifests import Manifest
from songprint.library.schema import TABLES
from songprint.library.writer import TIDIED
from support.shelves import made_up_library, made_up_song, shelve

SIZES = st.integers(1, 3 * KEPT_TWICE_BYTES) | st.integers(500_000, 600_000)


def guarded(path: Path, size: int) -> tuple[bytes, Guard]:
    """Write a file of a size and return what is in it, and its guard from the disk."""
    whole = np.random.default_rng(size).bytes(size)
    path.write_bytes(whole)
    Guard.of(path).save(path.with_name("guard"))
    return whole, Guard.load(path.with_name("guard"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guarded")


@settings(max_examples=60)
@given(SIZES, st.data())
@example(KEPT_TWICE_BYTES, None).via("the largest file that is kept twice")
def test_any_byte_that_changes_is_found_and_put_right(
    place: Path, size: int, data: st.DataObject | None
) -> None:
    whole, guard = guarded(place / "file", size)
    assert guard.is_whole(place / "file")
    at = data.draw(st.integers(0, size - 1)) if data else size - 1
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255)) if data else 1
    (place / "file").write_bytes(changed)
    assert not guard.is_whole(place / "file")
    assert guard.damaged(place / "file").nonzero()[0].tolist() == [at // BLOCK_BYTES]
    assert not guard.restore(place / "file", place / "restored").any()
    assert (place / "restored").read_bytes() == whole


@settings(max_examples=20)
@given(st.integers(500_000, 600_000), st.data())
def test_a_thirty_third_of_a_file_may_be_lost_in_one_piece(
    place: Path, size: int, data: st.DataObject
) -> None:
    whole, guard = guarded(place / "file", size)
    length = size // 33 - BLOCK_BYTES  # wherever it begins
    at = data.draw(st.integers(0, size - length))
    (place / "file").write_bytes(whole[:at] + bytes(length) + whole[at + length :])
    assert not guard.restore(place / "file", place / "restored").any()
    assert (place / "restored").read_bytes() == whole


def test_a_small_file_comes_back_although_nothing_is_left_of_it(place: Path) -> None:
    whole, guard = guarded(place / "file", 9_000)
    (place / "file").unlink()
    assert not guard.restore(place / "file", place / "restored").any()
    assert (place / "restored").read_bytes() == whole


def test_what_cannot_be_restored_is_told_and_filled(place: Path) -> None:
    whole, guard = guarded(place / "file", 100 * BLOCK_BYTES)
    groups = len(guard.parity)
    spoiled = bytearray(whole)
    for block in (3, 3 + groups, 5):  # two of a group, and one of another
        spoiled[block * BLOCK_BYTES] ^= 1
    (place / "file").write_bytes(spoiled)
    lost = guard.restore(place / "file", place / "restored", b"?")
    assert lost.nonzero()[0].tolist() == [3, 3 + groups]
    restored = (place / "restored").read_bytes()
    assert restored[3 * BLOCK_BYTES : 4 * BLOCK_BYTES] == b"?" * BLOCK_BYTES
    assert (
        restored[4 * BLOCK_BYTES : (3 + groups) * BLOCK_BYTES]
        == (whole[4 * BLOCK_BYTES : (3 + groups) * BLOCK_BYTES])
    )


@given(st.data())
def test_a_damaged_guard_guards_nothing(place: Path, data: st.DataObject) -> None:
    guarded(place / "file", 5_000)
    guard = bytearray((place / "guard").read_bytes())
    guard[data.draw(st.integers(0, len(guard) - 1))] ^= data.draw(st.integers(1, 255))
    (place / "guard").write_bytes(guard[: data.draw(st.integers(0, len(guard)))])
    with pytest.raises(ValueError, match="damaged"):
        Guard.load(place / "guard")


# Of a library


def test_all_that_is_written_is_guarded(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 20)
    library.save_station("day", {"seeds": []})
    library.add_feedback("day", "0" * 32, "like")
    shelve(library, {"/music/0.mp3": made_up_song(0, seconds=9.0)})
    with library.writing() as writer:
        writer.tidy()
    found = examine(tmp_path, TABLES)
    assert (found.damages, found.unguarded) == ([], [])
    assert found.files == sum(len(guarded_files(tmp_path / f"{t}.lance")) for t in TABLES) > 20


def test_a_new_library_is_guarded_before_anything_is_in_it(tmp_path: Path) -> None:
    Library.open(tmp_path, create=True)
    found = examine(tmp_path, TABLES)
    assert (found.damages, found.unguarded) == ([], [])
    assert found.files == len(TABLES)


def test_what_no_commit_names_is_not_guarded_before_one_does(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 5)
    half = tmp_path / "songs.lance" / "data" / f"{'0' * 50}.lance"  # as an actor is writing it
    half.write_bytes(b"half")
    shelve(library, {"/music/new.mp3": made_up_song(7)})
    found = examine(tmp_path, ["songs"])
    assert (found.damages, found.unguarded) == ([], [half])


def test_tidying_beside_actors_of_a_cluster_lets_what_they_write_stay(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 5)
    half = tmp_path / "songs.lance" / "data" / f"{'0' * 50}.lance"
    half.write_bytes(b"half")
    with library.writing() as writer:
        writer.tidy(alone=False)
        assert half.exists()
        writer.tidy()
        assert not half.exists()


def test_guards_go_with_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    monkeypatch.setattr("songprint.library.writer.OLD_VERSIONS", timedelta(milliseconds=1))
    library = made_up_library(tmp_path, 5)
    for _ in range(3):
        shelve(library, {"/music/0.mp3": made_up_song(0)})
    with library.writing() as writer:
        writer.tidy()
    for name in TIDIED:
        files = guarded_files(tmp_path / f"{name}.lance")
        assert guarded_files(tmp_path / "guards" / f"{name}.lance") == {
            guard_of(tmp_path, file) for file in files
        }


def test_what_a_killed_run_left_of_a_guard_goes_with_the_next_commit(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 1)
    left = guard_of(tmp_path, tmp_path / "songs.lance" / "data" / "0123.lance.part")
    left.write_bytes(b"half")
    shelve(library, {"/music/2.flac": made_up_song(2)})
    assert not left.exists()


def test_tidying_twice_takes_nothing_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    monkeypatch.setattr("songprint.library.writer.OLD_VERSIONS", timedelta(milliseconds=1))
    library = made_up_library(tmp_path, 5)
    with library.writing() as writer:
        writer.tidy()  # makes the index of words
    shelve(library, {"/music/new.mp3": made_up_song(7)})
    with library.writing() as writer:
        writer.tidy()  # puts another in its place
        writer.tidy()
    assert examine(tmp_path, TIDIED).damages == []


def test_what_a_tidied_table_replaced_may_go_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    library = made_up_library(tmp_path, 5)
    for number in range(6, 9):
        shelve(library, {f"/music/{number}.mp3": made_up_song(number)})
    with library.writing() as writer:
        writer.tidy()  # many pieces become one, and stay for those who read them
    with library.writing() as writer:
        monkeypatch.setattr("songprint.library.writer.OLD_VERSIONS", timedelta(milliseconds=1))
        writer.tidy()  # they go, and nothing is committed
    for name in ("songs", "files"):
        (latest,) = (tmp_path / f"{name}.lance" / "_versions").glob("*.manifest")
        there = set((tmp_path / f"{name}.lance" / "data").iterdir())
        assert set(Manifest.read(latest).data()) == there
    assert examine(tmp_path, TIDIED).damages == []
    assert len(Library.open(tmp_path).catalogue()) == 8


def test_what_is_tidied_away_while_a_library_is_examined_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    library = made_up_library(tmp_path, 5)
    for number in range(6, 9):
        shelve(library, {f"/music/{number}.mp3": made_up_song(number)})
    load = Guard.load
    gone: list[Path] = []

    def ten_minutes_later(path: Path) -> Guard:
        guard = load(path)
        if path.parent.name == "data":  # a piece that will be put together with the others
            monkeypatch.setattr(Guard, "load", load)
            monkeypatch.setattr("songprint.library.writer.OLD_VERSIONS", timedelta(milliseconds=1))
            with library.writing() as writer:
                writer.tidy()
            gone.append(path)
        return guard

    monkeypatch.setattr(Guard, "load", ten_minutes_later)
    assert examine(tmp_path, ["songs"]).damages == []
    assert [path.exists() for path in gone] == [False]


def test_a_library_is_weighed_while_what_is_in_it_comes_and_goes(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 3)
    whole = library.n_bytes()
    code = (
        "import os, sys\n"
        "new = sys.argv[1]\n"
        "print(flush=True)\n"
        "while True:\n"
        "    os.mkdir(new)\n"
        "    open(f'{new}/part', 'w').close()\n"
        "    os.unlink(f'{new}/part')\n"
        "    os.rmdir(new)\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "songs.lance" / "new")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as tidying:
        assert tidying.stdout is not None
        tidying.stdout.readline()
        try:
            assert {library.n_bytes() for _ in range(300)} == {whole}
        finally:
            tidying.kill()


def test_a_damaged_table_is_never_written_anew(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 5)
    (piece,) = (tmp_path / "songs.lance" / "data").iterdir()
    spoiled = bytearray(piece.read_bytes())
    spoiled[len(spoiled) // 2] ^= 1
    piece.write_bytes(spoiled)
    shelve(library, {"/music/new.mp3": made_up_song(7)})
    with pytest.raises(LibraryError, match="doctor --repair"), library.writing() as writer:
        writer.tidy()
    assert piece.read_bytes() == spoiled


def test_the_guards_of_a_library_of_before_are_made(tmp_path: Path) -> None:
    import shutil

    library = made_up_library(tmp_path, 5)
    shutil.rmtree(tmp_path / "guards")
    assert len(examine(tmp_path, TABLES).unguarded) > 5
    assert len(Library.open(tmp_path).catalogue()) == 5
    library.set_plays({})
    notes = ("feedback", "stations")  # these by the next note
    unguarded = examine(tmp_path, TABLES).unguarded
    assert {file.relative_to(tmp_path).parts[0][:-6] for file in unguarded} <= set(notes)
