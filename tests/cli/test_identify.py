"""``songprint identify`` and ``songprint duplicates``: what they print and how they end."""

from __future__ import annotations

import json
import sys
import types
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from songprint import Library
from songprint.library import ingest
from songprint.library.tags import SongTags
from support.audiofiles import write_audio
from support.clips import cut, put_landmarks, tune, with_noise
from support.drawing import command, document
from support.shelves import made_up_song, retag, shelve, small_song

RATE_HZ = 16_000


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library of three tunes, the one that commands use unless they name another."""
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "library"))
    kept = Library.open(tmp_path / "library", create=True)
    tags = {"/music/1.mp3": SongTags(title="So What", artist="Miles")}
    shelve(kept, {f"/music/{n}.mp3": made_up_song(n) for n in range(3)}, tags)
    put_landmarks(kept, {n: tune(n) for n in range(3)})
    return kept


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Three noisy seconds of the second tune, from its seventh second on."""
    return write_audio(tmp_path / "clip.wav", with_noise(cut(tune(1), 7.0, 3.0), 5.0), RATE_HZ)


def answers(stdout: str) -> list[dict[str, Any]]:
    schema = json.loads((resources.files("songprint.cli") / "schemas/identify.json").read_text())
    parsed: list[dict[str, Any]] = json.loads(stdout)
    Draft202012Validator(schema).validate(parsed)
    return parsed


@pytest.mark.usefixtures("library")
def test_a_clip_is_named(clip: Path) -> None:
    done = command("identify", clip)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"{clip}: Miles - So What at 0:07 (100%)\n"


@pytest.mark.usefixtures("library")
def test_the_document_names_song_and_place(clip: Path) -> None:
    done = command("identify", clip, "--json")
    assert done.exit_code == 0
    [answer] = answers(done.stdout)
    assert answer["path"] == str(clip)
    assert answer["match"]["path"] == "/music/1.mp3"
    assert answer["match"]["title"] == "So What"
    assert answer["match"]["offset_seconds"] == pytest.approx(7.0, abs=0.05)
    assert answer["match"]["confidence"] > 0.9


@pytest.mark.usefixtures("library")
def test_what_is_not_in_the_library_is_no_match(tmp_path: Path) -> None:
    stranger = write_audio(tmp_path / "s.wav", cut(tune(20), 5.0, 3.0), RATE_HZ)
    done = command("identify", stranger)
    assert (done.exit_code, done.stdout) == (0, f"{stranger}: no match\n")
    assert answers(command("identify", stranger, "--json").stdout) == [
        {"path": str(stranger), "match": None}
    ]


@pytest.mark.usefixtures("library")
def test_a_batch_goes_on_after_a_file_that_cannot_be_heard(clip: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp3"
    bad.write_text("no sound")
    done = command("identify", bad, clip, "--json")
    assert done.exit_code == 1
    assert done.stderr == f"songprint: {bad}: is not audio but text\n"
    first, second = answers(done.stdout)
    assert first == {"path": str(bad), "match": None, "error": "is not audio but text"}
    assert second["match"]["title"] == "So What"


@pytest.mark.usefixtures("library")
def test_a_folder_of_clips_is_a_batch(clip: Path) -> None:
    assert [a["path"] for a in answers(command("identify", clip.parent, "--json").stdout)] == [
        str(clip)
    ]


@pytest.mark.usefixtures("library")
def test_nothing_to_identify_is_bad_usage() -> None:
    done = command("identify")
    assert done.exit_code == 2
    assert "--mic" in done.stderr


def test_a_library_without_landmarks_says_so(tmp_path: Path, clip: Path) -> None:
    empty = Library.open(tmp_path / "empty", create=True)
    done = command("identify", clip, "--library", empty.path)
    assert done.exit_code == 0
    assert "songprint add sees to it" in done.stderr
    assert done.stdout == f"{clip}: no match\n"


@pytest.mark.usefixtures("library")
def test_without_sounddevice_a_line_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    done = command("identify", "--mic", "2")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].endswith("pip install sounddevice")


@pytest.mark.usefixtures("library")
def test_the_microphone_is_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine that tests run on has a microphone: a stand-in plays a tune."""
    device = types.SimpleNamespace(
        PortAudioError=RuntimeError,
        query_devices=lambda **_: {"default_samplerate": 16_000.0},
        rec=lambda count, rate, **_: cut(tune(1), 7.0, count / rate)[:, None],
        wait=lambda: None,
    )
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    done = command("identify", "--mic", "2", "--json")
    assert done.exit_code == 0
    [answer] = answers(done.stdout)
    assert (answer["path"], answer["match"]["title"]) == ("microphone", "So What")


def test_songs_that_were_added_are_identified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file through the worker to an answer, and again when the song was moved and tagged."""
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "library"))
    song = tmp_path / "music" / "a.flac"
    song.parent.mkdir()
    write_audio(song, np.repeat(tune(1)[:, None], 2, 1), RATE_HZ)
    small_song(song.with_name("other.flac"))  # a folder without any song may not be mounted
    clip = write_audio(tmp_path / "clip.wav", cut(tune(1), 4.0, 3.0), RATE_HZ)
    library = Library.open(tmp_path / "library", create=True)
    ingest.add_folders(library, [str(song.parent)], workers=1)
    moved = song.rename(song.with_name("b.flac"))
    retag(moved, title="Blue")
    added = ingest.add_folders(library, [str(song.parent)], workers=1)
    assert (added.moved, added.heard) == (1, 0)
    [answer] = answers(command("identify", clip, "--json").stdout)
    assert answer["match"]["path"] == str(moved)
    assert answer["match"]["title"] == "Blue"
    with library.writing() as writer:  # as if an older songprint had heard it
        writer.drop_landmarks([answer["match"]["content_hash"]])
    assert answers(command("identify", clip, "--json").stdout)[0]["match"] is None
    assert ingest.add_folders(library, [str(song.parent)], workers=1).renewed == 1
    assert answers(command("identify", clip, "--json").stdout)[0]["match"] is not None
    moved.unlink()
    ingest.add_folders(library, [str(song.parent)], workers=1, prune=True)
    assert answers(command("identify", clip, "--json").stdout)[0]["match"] is None


def test_a_song_of_the_library_is_itself_and_not_its_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "library"))
    songs = [tmp_path / "music" / f"song.{suffix}" for suffix in ("flac", "mp3", "ogg", "wav")]
    songs[0].parent.mkdir()
    for song in songs:
        write_audio(song, tune(1), RATE_HZ)
    library = Library.open(tmp_path / "library", create=True)
    ingest.add_folders(library, [str(songs[0].parent)], workers=1)
    told = answers(command("identify", *songs, "--json").stdout)
    assert [answer["match"]["path"] for answer in told] == [str(song) for song in songs]
    assert all(abs(answer["match"]["offset_seconds"]) < 0.1 for answer in told)


@pytest.fixture
def copies(library: Library) -> Library:
    """The library with a copy of its second tune and an excerpt of its third."""
    more = {"/music/copy.ogg": made_up_song(7), "/music/part.ogg": made_up_song(8)}
    shelve(library, dict(more))
    put_landmarks(library, {7: with_noise(tune(1), 25.0), 8: cut(tune(2), 5.0, 9.0)})
    return library


@pytest.mark.usefixtures("copies")
def test_duplicates_are_told_with_the_evidence() -> None:
    found = document("duplicates", command("duplicates", "--json").stdout)
    assert (found["songs"], found["not_compared"], found["masters"]) == (5, 0, [])
    [group] = found["groups"]
    paths = {path for song in group["songs"] for path in song["paths"]}
    assert paths == {"/music/1.mp3", "/music/copy.ogg"}
    [evidence] = group["evidence"]
    assert evidence["agreement"] > 0.65
    [excerpt] = found["excerpts"]
    assert [song["paths"][0] for song in excerpt["songs"]] == ["/music/part.ogg", "/music/2.mp3"]


@pytest.mark.usefixtures("copies")
def test_people_are_told_of_duplicates() -> None:
    done = command("duplicates")
    assert done.exit_code == 0
    assert "/music/copy.ogg" in done.stdout
    assert "same recording: " in done.stdout
    assert "/music/part.ogg is an excerpt of /music/2.mp3, 0:05 to 0:14\n" in done.stdout


@pytest.mark.usefixtures("copies")
def test_what_agrees_is_rounded_down() -> None:
    [group] = document("duplicates", command("duplicates", "--json").stdout)["groups"]
    least = min(pair["agreement"] for pair in group["evidence"])
    assert f"{int(100 * least)}% of the spectral peaks agree" in command("duplicates").stdout


@pytest.mark.usefixtures("copies")
def test_a_list_has_the_files_of_each_group(tmp_path: Path) -> None:
    out = tmp_path / "copies.txt"
    assert command("duplicates", "--list", out).exit_code == 0
    told = [line for line in out.read_text().splitlines() if not line.startswith("#")]
    assert sorted(told) == ["/music/1.mp3", "/music/copy.ogg"]


@pytest.mark.usefixtures("library")
def test_a_library_without_duplicates_says_so() -> None:
    assert command("duplicates").stdout == "no duplicates\n"


def test_songs_that_cannot_be_compared_are_counted(library: Library) -> None:
    shelve(library, {None: made_up_song(9)})
    done = command("duplicates", "--json")
    assert "1 song cannot be compared" in done.stderr
    assert document("duplicates", done.stdout)["not_compared"] == 1


def test_one_song_in_two_files_is_a_duplicate(library: Library) -> None:
    shelve(library, {"/music/again.mp3": made_up_song(0)})
    [group] = document("duplicates", command("duplicates", "--json").stdout)["groups"]
    assert group["evidence"] == []
    assert set(group["songs"][0]["paths"]) == {"/music/0.mp3", "/music/again.mp3"}
