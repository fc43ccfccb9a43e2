"""``songprint report``: what is in a library, for people and for programs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from songprint import Library
from songprint.fingerprints import default_fingerprinter
from songprint.library.schema import song_record
from songprint.library.tags import SongTags
from support.clips import cut, put_landmarks, tune, with_noise
from support.drawing import command, document
from support.shelves import NOW, made_up_hash, made_up_song, shelve

CURRENT = default_fingerprinter().model_version


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Thirty songs, one of them unsure; a copy, a failed and a missing file; an import."""
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "library"))
    library = Library.open(create=True)
    songs = {f"/music/{n:02}.mp3": made_up_song(n, model=CURRENT) for n in range(30)}
    songs["/music/29.mp3"] = replace(songs["/music/29.mp3"], doubt="no genre")
    shelve(library, songs)
    files = {file.path: file for file in library.files()}
    with library.writing() as writer:
        writer.put_files(
            [
                replace(files["/music/01.mp3"], path="/backup/01.mp3"),
                replace(
                    files["/music/02.mp3"],
                    path="/music/caf\udce9.mp3",
                    content_hash=None,
                    error="is no audio",
                ),
                replace(files["/music/03.mp3"], missing=NOW),
            ]
        )
        theirs = song_record(made_up_song(50, model=CURRENT), SongTags(), None, NOW)
        writer.put_songs([theirs | {"imported": True, "origin": "anna.parquet"}])
    return library


def report(*arguments: str | Path) -> Any:
    return command("report", *arguments)


@pytest.mark.usefixtures("library")
def test_the_document_tells_all() -> None:
    done = report("--json")
    assert (done.exit_code, done.stderr) == (0, "")
    told = document("report", done.stdout)
    assert (told["songs"], told["files"], told["imported"], told["unsure"]) == (31, 32, 1, 1)
    assert told["hours"] == pytest.approx(31 * 185 / 3600, abs=1e-4)
    assert told["genres"] == [
        {"name": "reggae", "songs": 30, "hours": pytest.approx(30 * 185 / 3600, abs=1e-4)}
    ]
    assert told["failed"] == [{"path": "/music/caf\udce9.mp3", "error": "is no audio"}]
    assert told["missing"] == ["/music/03.mp3"]
    assert [copy["paths"] for copy in told["duplicates"]] == [["/backup/01.mp3", "/music/01.mp3"]]
    assert told["origins"] == [{"file": "anna.parquet", "songs": 1}]
    assert told["model"] == CURRENT
    assert 0 < told["bytes"] < 1e6


@pytest.mark.usefixtures("library")
def test_hubs_are_told_before_and_after_correction() -> None:
    told = document("report", report("--json").stdout)
    before, after = told["hubs"]["before"], told["hubs"]["after"]
    assert after["skew"] < before["skew"]
    assert told["reachable_share"] == after["reachable_share"]
    assert after["unreached"] == round((1 - after["reachable_share"]) * 31)


@pytest.mark.usefixtures("library")
def test_people_are_told_the_same_with_a_picture_of_genres() -> None:
    done = report()
    assert done.exit_code == 0
    for words in (
        "31 songs, 1.6 h, 32 files in",
        "1 song came without audio in anna.parquet",
        "reggae  ████",
        r"  /music/caf\xe9.mp3: is no audio",
        "  /music/03.mp3",
        "  /backup/01.mp3\n  and /music/01.mp3\n",
    ):
        assert words in done.stdout


def test_people_are_told_only_what_is_no_matter_of_chance_or_of_fixed_costs(
    library: Library,
) -> None:
    small = report().stdout
    assert " MB on the disk\n" in small
    assert "hub" not in small
    shelve(library, {f"/more/{n}.mp3": made_up_song(n, model=CURRENT) for n in range(100, 220)})
    larger = report().stdout
    assert "before correction" in larger
    assert "after correction" in larger
    assert "the skew is 0 where none is favoured" in larger


def test_short_music_has_minutes(tmp_path: Path) -> None:
    short = Library.open(tmp_path / "short", create=True)
    shelve(short, {"/a.mp3": made_up_song(1, model=CURRENT, seconds=12.0)})
    assert "1 song, 12 s, 1 file in" in report("--library", short.path).stdout
    shelve(short, {"/b.mp3": made_up_song(2, model=CURRENT)})
    told = report("--library", short.path).stdout
    assert "2 songs, 3 min, 2 files in" in told
    assert "3 min\n" in told


def test_songs_of_another_model_are_told(library: Library) -> None:
    shelve(library, {"/old.mp3": made_up_song(90, model="1-old")})
    assert document("report", report("--json").stdout)["waiting"] == 1
    assert "only another model has heard 1 song" in report().stdout


def test_a_library_that_is_empty_or_small_is_told(library: Library) -> None:
    shutil.rmtree(library.path)
    assert report().exit_code == 1
    empty = Library.open(create=True)
    told = document("report", report("--json").stdout)
    assert (told["songs"], told["model"], told["genres"], told["hubs"]) == (0, None, [], None)
    assert report().exit_code == 0
    shelve(empty, {"/a.mp3": made_up_song(1, model=CURRENT)})
    assert document("report", report("--json").stdout)["hubs"] is None


def test_recordings_that_are_there_more_than_once_are_told(library: Library) -> None:
    put_landmarks(library, {7: tune(1), 8: tune(2), 9: with_noise(tune(1), 25.0)})
    assert "30 songs were not compared yet: songprint duplicates does that" in report().stdout
    told = document("report", report("--json").stdout)
    assert (told["recordings"], told["compared"]) == ([], 0)
    looked = document("report", report("--json", "--all").stdout)
    assert looked["recordings"] == [
        [
            {"content_hash": made_up_hash(number), "path": f"/music/{number:02}.mp3", "title": None}
            for number in (7, 9)
        ]
    ]
    assert looked["compared"] == 3
    assert document("report", report("--json").stdout)["recordings"] == looked["recordings"]
    told_again = report().stdout
    assert "1 recording in several encodings, masters or lengths" in told_again
    assert "  /music/07.mp3\n  and /music/09.mp3\n" in told_again


def test_excerpts_that_are_too_short_for_a_group_are_counted(library: Library) -> None:
    put_landmarks(library, {7: tune(1), 8: cut(tune(1), 5.0, 6.0)})
    told = report("--all").stdout
    assert "1 excerpt of less than half a song: songprint duplicates tells\n" in told
    assert "no recording" not in told
    with library.writing() as writer:
        writer.drop_songs([made_up_hash(8)])
    assert "less than half" not in report().stdout


def test_recordings_that_are_gone_are_not_counted(library: Library) -> None:
    put_landmarks(library, {7: tune(1), 8: tune(2), 9: with_noise(tune(1), 25.0)})
    report("--all")
    with library.writing() as writer:
        writer.drop_songs([made_up_hash(9)])
    assert document("report", report("--json").stdout)["compared"] == 2
    told = report().stdout
    assert "no recording is there in several encodings" in told
    assert "27 songs were not compared yet" in told
