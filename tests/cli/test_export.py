"""``songprint export`` and ``songprint import``: for people and for programs."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from songprint import Library
from songprint.fingerprints import default_fingerprinter
from support.drawing import command, document
from support.kin import kin_library, song_of
from support.shelves import made_up_song, shelve

CURRENT = default_fingerprinter().model_version


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library with one song of jazz."""
    folder = tmp_path / "mine"
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(folder))
    song = song_of("jazz", 900, model=CURRENT)
    shelve(Library.open(folder, create=True), {"/mine/tune.mp3": song})
    return folder


@pytest.fixture(scope="module")
def anna(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Anna exported: twelve songs."""
    folder = tmp_path_factory.mktemp("anna")
    kin_library(folder / "library", each=3, model=CURRENT)
    file = folder / "anna.parquet"
    assert command("export", file, "--library", folder / "library").exit_code == 0
    return file


@pytest.mark.usefixtures("mine")
def test_an_export_tells_what_was_written_and_left_out(anna: Path, tmp_path: Path) -> None:
    assert command("import", anna).exit_code == 0
    out = tmp_path / "out.parquet"
    done = command("export", "--json", out)
    told = document("export", done.stdout)
    assert (told["songs"], told["imported_left_out"], told["waiting_left_out"]) == (1, 12, 0)
    assert told["bytes"] == out.stat().st_size
    assert done.stderr == "songprint: 12 songs that came from others are left out\n"
    said = command("export", out).stdout
    assert said.startswith(f"wrote 1 song to {out}: {out.stat().st_size / 1000:.0f} kB, ")


@pytest.mark.usefixtures("mine")
def test_paths_are_absolute_only_if_asked(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    command("export", out)
    assert pq.read_table(out)["path"].to_pylist() == ["tune.mp3"]
    command("export", "--absolute-paths", out)
    assert pq.read_table(out)["path"].to_pylist() == ["/mine/tune.mp3"]


@pytest.mark.parametrize(("name", "code"), [("out.csv", 2), ("none/out.parquet", 2)])
@pytest.mark.usefixtures("mine")
def test_an_export_that_has_no_place_is_refused(tmp_path: Path, name: str, code: int) -> None:
    done = command("export", tmp_path / name)
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (code, "", 1)


def test_imported_songs_are_found_and_marked(anna: Path, mine: Path) -> None:
    done = command("import", anna)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "anna.parquet: 12 songs: 12 added\n"
    assert command("import", anna).stdout == "anna.parquet: 12 songs: 12 imported before\n"
    for asked in (["similar", "/mine/tune.mp3", "-k", "3"], ["station", "/mine/tune.mp3"]):
        shown = command(*asked)
        assert "jazz artist 0 - jazz song" in shown.stdout
        assert "no audio here: imported" in shown.stdout
    assert len(Library.open(mine)) == 13


@pytest.mark.usefixtures("mine")
def test_the_document_tells_each_file(anna: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"x")
    done = command("import", "--json", anna, bad)
    assert done.exit_code == 1
    assert done.stderr == f"songprint: {bad}: is no Parquet file, or a damaged one\n"
    told = document("import", done.stdout)
    (theirs,) = told["imported"]
    assert (theirs["origin"], theirs["songs"], theirs["added"]) == ("anna.parquet", 12, 12)
    assert told["failed"] == [{"file": str(bad), "error": "is no Parquet file, or a damaged one"}]


@pytest.mark.usefixtures("mine")
def test_a_file_that_is_refused_is_one_line(tmp_path: Path) -> None:
    done = command("import", tmp_path / "none\x1b.parquet")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


def test_songs_of_a_newer_model_wait_for_the_library(
    anna: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "old"))
    library = Library.open(create=True)
    shelve(library, {"/old.mp3": made_up_song(1, model="1-old")})
    done = command("import", anna)
    assert done.exit_code == 0
    assert "they are found as soon as it has heard yours, too: songprint add" in done.stderr
    assert library.model == "1-old"


@pytest.mark.usefixtures("mine")
def test_what_came_in_a_file_can_be_forgotten(anna: Path) -> None:
    command("import", anna)
    told = document("import", command("import", "--forget", "--json", anna).stdout)
    assert told["forgotten"] == {"anna.parquet": 12}
    again = command("import", "--forget", "anna.parquet")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "no song here came in a file of this name" in again.stderr


def test_an_import_makes_a_library_where_there_is_none(
    anna: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "new"))
    assert command("import", "--forget", anna).exit_code == 1
    assert command("import", anna).exit_code == 0
    assert len(Library.open()) == 12
