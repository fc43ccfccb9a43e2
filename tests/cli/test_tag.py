"""``songprint tag``: says what it would do, does it, and takes it back."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import mutagen.flac
import pytest

from songprint import Library
from support.drawing import command, document
from support.shelves import library_of, small_song


@pytest.fixture
def song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A song of a library, whose file has a genre."""
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "library"))
    song = small_song(tmp_path / "music" / "song.flac", genre="Ska")
    library_of(tmp_path / "library", song)
    return song


def test_it_is_said_what_would_be_written(song: Path) -> None:
    before = song.read_bytes()
    done = command("tag", "--bpm", "--key", "--genre")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{song}: bpm 118, key Am",
        "says something else, left (--replace): 1 file",
        "1 file would be written: --write does it",
    ]
    assert song.read_bytes() == before


def test_files_are_written_and_written_back(song: Path) -> None:
    done = command("tag", "--genre", "--replace", "--write")
    assert done.stdout.splitlines() == [
        f"{song}: genre Ska -> Reggae",
        "1 file written; songprint tag --undo --write takes it back",
    ]
    assert mutagen.flac.FLAC(song)["genre"] == ["Reggae"]
    assert command("tag", "--genre", "--write").stdout.splitlines() == [
        "as it should be already: 1 file",
        "nothing to write",
    ]
    assert command("tag", "--undo").stdout.splitlines() == [
        f"{song}: genre Reggae -> Ska",
        "1 file would be written: --write does it",
    ]
    assert command("tag", "--undo", "--write").exit_code == 0
    assert mutagen.flac.FLAC(song)["genre"] == ["Ska"]
    assert command("tag", "--undo", "--write").exit_code == 2


def test_the_document_tells_before_and_after(song: Path) -> None:
    told = document("tag", command("tag", "--genre", "--bpm", "--replace", "--json").stdout)
    assert told["changes"] == [
        {
            "path": str(song),
            "fields": {
                "genre": {"before": ["Ska"], "after": ["Reggae"]},
                "bpm": {"before": [], "after": ["118"]},
            },
        }
    ]
    assert (told["written"], told["same"], told["kept"], told["unsure"]) == (False, 0, 0, 0)
    told = document("tag", command("tag", "--bpm", "--json", "--write").stdout)
    assert told["written"]


def test_a_file_that_cannot_be_written_is_named(song: Path) -> None:
    os.utime(song, ns=(1, 1))
    done = command("tag", "--bpm", "--write", "--json")
    assert done.exit_code == 1
    assert done.stderr == (
        f"songprint: {song}: has changed since it was added: songprint add first\n"
    )
    assert document("tag", done.stdout)["failed"][0]["path"] == str(song)


@pytest.mark.parametrize(
    "arguments", [[], ["--write"], ["--undo", "--bpm"], ["--undo", "--replace"], ["--undo", "x"]]
)
@pytest.mark.usefixtures("song")
def test_what_cannot_be_meant_is_bad_usage(arguments: list[str]) -> None:
    done = command("tag", *arguments)
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


@pytest.mark.usefixtures("song")
def test_without_mutagen_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mutagen", None)
    done = command("tag", "--bpm")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "pip install 'songprint[tag]'" in done.stderr


def test_only_places_that_are_named_are_written(song: Path, tmp_path: Path) -> None:
    elsewhere = command("tag", "--bpm", song.parent, tmp_path / "other")
    assert elsewhere.exit_code == 2
    assert "other: no song of the library is there" in elsewhere.stderr
    assert "1 file would be written" in command("tag", "--bpm", song.parent).stdout
    assert len(Library.open()) == 1
