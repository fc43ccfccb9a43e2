"""A damaged library is told of, and made sound without losing what can be read."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from songprint import Library
from songprint.cli.app import app
from songprint.errors import LibraryError
from songprint.library import repair as repairing
from songprint.library.guards import examine
from songprint.library.ingest import add_folders
from songprint.library.repair import repair
from songprint.library.schema import TABLES
from support.damage import BLOWS, copy_of, guarded, heard_library, without_guards
from support.killing import contents
from support.shelves import made_up_library, made_up_song, shelve


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of four songs that were heard; their files are beside it."""
    return heard_library(tmp_path_factory.mktemp("whole"), 4).path


@pytest.fixture
def library(whole: Path, tmp_path: Path) -> Path:
    return copy_of(whole, tmp_path / "library")


def test_where_no_process_can_be_started_nothing_is_taken_for_lost(tmp_path: Path) -> None:
    library = without_guards(made_up_library(tmp_path / "library", 3).path)
    script = tmp_path / "script.py"  # the processes that it spawns run it, too, and fail
    script.write_text(
        "import sys\nfrom songprint.library.repair import repair\nrepair(sys.argv[1])\n"
    )
    ran = subprocess.run([sys.executable, script, library], capture_output=True, check=False)
    assert b"SongprintError: the process that reads tables does not start" in ran.stderr
    assert {entry.name for entry in tmp_path.iterdir()} == {"library", "script.py"}
    assert len(Library.open(library).catalogue()) == 3


def test_damage_to_any_file_is_found_and_undone_to_the_byte(whole: Path, tmp_path: Path) -> None:
    wanted = contents(whole)
    blows = list(BLOWS)
    for number, file in enumerate(guarded(whole)):
        for blow in (blows[number % len(blows)], blows[(number + 3) % len(blows)]):
            library = copy_of(whole, tmp_path / "library")
            BLOWS[blow](library / file, random.Random(number))
            spoiled = (library / file).read_bytes()
            found = examine(library, TABLES).damages
            assert [damage.file for damage in found] == [library / file], blow
            done = repair(library)
            assert done.is_whole, (file, blow)
            assert done.restored == [file.as_posix()]
            assert contents(library) == wanted
            assert Library.open(library).station("evening") == {"seeds": ["a"]}
            assert examine(library, TABLES).damages == []
            assert done.aside is not None
            assert (done.aside / file).read_bytes() == spoiled  # the old one is as it was
            shutil.rmtree(done.aside)


def manifest_of(library: Path, name: str) -> Path:
    return min((library / f"{name}.lance" / "_versions").glob("*.manifest"))


@pytest.mark.parametrize("name", ["songs", "stations"])
@pytest.mark.parametrize("damage", ["changed", "cut", "gone", "data gone"])
def test_what_hides_songs_is_told_when_the_library_is_opened(
    library: Path, name: str, damage: str
) -> None:
    manifest = manifest_of(library, name)
    if damage == "changed":
        BLOWS["any byte"](manifest, random.Random(1))
    elif damage == "cut":
        BLOWS["its end"](manifest, random.Random(1))
    elif damage == "gone":
        manifest.unlink()
    else:
        shutil.rmtree(manifest.parents[1] / "data")
    with pytest.raises(LibraryError, match=r"damaged: .*songprint doctor --repair"):
        Library.open(library)


def test_the_hint_that_lancedb_keeps_beside_may_be_anything(library: Path) -> None:
    wanted = contents(library)
    for hint in library.glob("*.lance/_versions/*.json"):
        hint.write_bytes(b"\xff{")
    for lock in ("writer.json", "notes.json"):
        (library / lock).write_bytes(b"\xff{")
    assert contents(library) == wanted
    with Library.open(library).writing():
        pass


@pytest.fixture(scope="module")
def shelved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of 450 songs that nobody heard, in a large piece and a small one."""
    library = made_up_library(tmp_path_factory.mktemp("shelved") / "library", 400)
    more = {f"/music/{n}.mp3": made_up_song(n) for n in range(1000, 1050)}
    shelve(library, more)
    return library.path


@pytest.fixture
def shelf(shelved: Path, tmp_path: Path) -> Path:
    return copy_of(shelved, tmp_path / "library")


def rows(library: Path) -> dict[str, str]:
    read = Library.open(library).read("songs").to_pylist()
    return {row["content_hash"]: repr(row) for row in read}


def largest(library: Path) -> Path:
    pieces = (library / "songs.lance" / "data").iterdir()
    return max(pieces, key=lambda piece: piece.stat().st_size)


def zero(file: Path, start: float, stop: float) -> None:
    data = bytearray(file.read_bytes())
    first, last = int(start * len(data)), int(stop * len(data))
    data[first:last] = bytes(last - first)
    file.write_bytes(data)


def test_rows_that_do_not_depend_on_what_is_lost_are_saved(shelf: Path) -> None:
    before = rows(shelf)
    zero(largest(shelf), 1 / 3, 2 / 3)
    done = repair(shelf)
    after = rows(shelf)
    assert after.items() <= before.items()  # and not one that is other than it was
    assert 150 < len(after) < 400
    assert done.lost == {"songs": 450 - len(after)}
    assert done.to_hear == 450  # none has landmarks
    assert len(Library.open(shelf).find(text="reggae")) == len(after)


def test_a_piece_that_is_gone_takes_none_of_the_others_with_it(shelf: Path) -> None:
    before = rows(shelf)
    largest(shelf).unlink()
    assert repair(shelf).lost == {"songs": 400}
    assert len(rows(shelf)) == 50
    assert rows(shelf).items() <= before.items()


def test_without_guards_the_commit_before_is_read(shelf: Path) -> None:
    without_guards(shelf)
    zero(manifest_of(shelf, "songs"), 0.5, 0.6)
    done = repair(shelf)
    assert done.set_back == {"songs": 1}
    assert len(rows(shelf)) == 400


def test_songs_whose_files_are_forgotten_keep_their_place(shelf: Path) -> None:
    shutil.rmtree(shelf / "files.lance")
    shutil.rmtree(shelf / "guards" / "files.lance")
    assert repair(shelf).emptied == ["files"]
    kept = Library.open(shelf)
    assert len(kept) == len(kept.files()) == 450
    assert kept.row_of("/music/3.mp3") is not None


def test_what_is_lost_is_heard_again_by_the_next_add(whole: Path, library: Path) -> None:
    wanted = contents(whole)
    for name in ("songs", "landmarks"):
        shutil.rmtree(library / f"{name}.lance")
        shutil.rmtree(library / "guards" / f"{name}.lance" / "data")
    done = repair(library)
    assert (done.songs, done.to_hear) == (0, 4)
    assert not done.is_whole
    kept = Library.open(library)
    add_folders(kept, kept.folders(), workers=1)
    assert contents(library) == wanted


def test_a_sound_library_is_left_as_it_is(library: Path) -> None:
    before = sorted(library.rglob("*"))
    done = repair(library)
    assert (done.aside, done.restored, done.is_whole) == (None, [], True)
    assert sorted(library.rglob("*")) == sorted({*before, library / "notes.lock"})
    assert [entry.name for entry in library.parent.iterdir()] == ["library"]


def damage_one(library: Path) -> None:
    BLOWS["any byte"](manifest_of(library, "songs"), random.Random(3))


@pytest.mark.parametrize("step", ["restore", "_reconcile", "_exchanged", "_put_in_place"])
def test_stopped_anywhere_it_leaves_the_library_and_the_next_repairs_it(
    whole: Path, library: Path, step: str
) -> None:
    wanted = contents(whole)
    damage_one(library)
    pid = os.fork()
    if pid == 0:
        setattr(repairing, step, lambda *_, **__: os.kill(os.getpid(), 9))
        repair(library)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == 9
    with pytest.raises(LibraryError, match="damaged"):
        Library.open(library)
    assert repair(library).is_whole
    assert contents(library) == wanted


def test_a_library_that_is_being_written_is_not_repaired(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from support.shelves import written_by_another

    monkeypatch.setattr(repairing, "WAIT_SECONDS", 0.1)
    with written_by_another(library), pytest.raises(LibraryError, match="is writing"):
        repair(library)


def test_another_songprints_library_is_not_touched(library: Path) -> None:
    import lancedb

    without_guards(library)
    table = lancedb.connect(library).open_table("songs")
    schema = table.schema.with_metadata({b"songprint_format": b"99"})
    rows = table.to_arrow().cast(schema)
    lancedb.connect(library).create_table("songs", rows, schema=schema, mode="overwrite")
    before = sorted(file for file in library.rglob("*") if file.suffix != ".lock")
    with pytest.raises(LibraryError, match="format is 99"):
        repair(library)
    assert sorted(file for file in library.rglob("*") if file.suffix != ".lock") == before
    assert [entry.name for entry in library.parent.iterdir()] == ["library"]


# The command


def doctor(library: Path | str, *options: str) -> Any:
    return CliRunner().invoke(app, ["doctor", "--library", str(library), *options])


def test_the_command_repairs_and_says_how(library: Path) -> None:
    damage_one(library)
    done = doctor(library, "--repair")
    assert (done.exit_code, done.stderr) == (0, "")
    (aside,) = library.parent.glob("library.damaged-*")
    manifest = manifest_of(aside, "songs").relative_to(aside)
    assert done.stdout.splitlines() == [
        "1 file restored to the byte:",
        f"  {manifest.as_posix()}",
        f"the library as it was: {aside}",
        f"4 songs in {library}",
    ]


def test_the_command_fails_if_something_is_lost_and_its_document_says_what(shelf: Path) -> None:
    largest(shelf).unlink()
    done = doctor(shelf, "--repair", "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    schema = json.loads((resources.files("songprint.cli") / "schemas/repair.json").read_text())
    jsonschema.validate(document, schema)
    assert document["lost"] == {"songs": 400}
    assert document["songs"] == 50


@pytest.mark.parametrize(
    ("befalls", "status", "says"),
    [
        (lambda _: None, "ok", "as they were written"),
        (damage_one, "failure", "has changed"),
        (without_guards, "warning", "it cannot be told"),
    ],
)
def test_the_doctor_looks_at_every_byte_of_the_library(
    library: Path, befalls: Callable[[Path], object], status: str, says: str
) -> None:
    from songprint.cli.checks import library_checks

    befalls(library)
    (check,) = [check for check in library_checks(library) if check.name == "files"]
    assert check.status == status
    assert says in check.value


def test_there_is_nothing_to_repair_where_no_library_is(tmp_path: Path) -> None:
    done = doctor(tmp_path / "none", "--repair")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "there is no library here" in done.stderr


def test_what_lies_in_an_object_store_is_not_repaired() -> None:
    done = doctor("s3://bucket/library", "--repair")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("songprint: s3://bucket/library: is in an object store")
