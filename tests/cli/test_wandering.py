"""``songprint path``, ``mix``, ``find`` and ``cluster``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from songprint.identify.recordings import Recordings
from songprint.kinship.words import SOUNDS
from songprint.library.store import Library
from support.clips import library_of_tunes, tune, with_noise
from support.drawing import command, document

ROCK, CLASSICAL, JAZZ = (f"/music/{kind}/3.mp3" for kind in ("rock", "classical", "jazz"))


def told(library: Library, name: str, *arguments: str | Path) -> dict[str, Any]:
    done = command(name, "--library", library.path, "--json", *arguments)
    assert done.exit_code == 0, done.stderr
    return document(name, done.stdout)


def genres(found: dict[str, Any]) -> list[str]:
    return [song["genre"] for song in found["results"]]


def files_of(place: Path) -> list[str]:
    lines = place.read_text(encoding="utf-8").splitlines()
    return [str((place.parent / line).resolve()) for line in lines if not line.startswith("#")]


def test_a_path_leads_from_one_song_to_the_other(kin_shelf: Library, tmp_path: Path) -> None:
    place = tmp_path / "path.m3u8"
    found = told(kin_shelf, "path", ROCK, CLASSICAL, "--length", "6", "--m3u", place)
    assert (found["from"]["path"], found["to"]["path"]) == (ROCK, CLASSICAL)
    progress = [song["progress"] for song in found["results"]]
    assert progress == sorted(progress)
    assert len(progress) == 6
    assert genres(found)[0] == "rock"
    assert genres(found)[-1] == "classical"
    assert files_of(place) == [ROCK, *(song["path"] for song in found["results"]), CLASSICAL]


def test_people_see_how_far_a_path_is(kin_shelf: Library) -> None:
    done = command("path", "--library", kin_shelf.path, ROCK, CLASSICAL, "--length", "3")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("  0%  rock artist 1 - rock song 3")
    assert any(line.startswith("100%  classical artist 1") for line in lines)


def test_a_path_to_itself_is_refused(kin_shelf: Library) -> None:
    done = command("path", "--library", kin_shelf.path, ROCK, ROCK)
    assert done.exit_code == 2
    assert "same song" in done.stderr


def test_a_mix_leads_away_from_what_is_subtracted(kin_shelf: Library) -> None:
    add = ("--add", ROCK, "--add", JAZZ)
    assert "jazz" in genres(told(kin_shelf, "mix", *add, "-k", "20", "--artist-cap", "0"))
    found = told(kin_shelf, "mix", *add, "--subtract", "/music/jazz/5.mp3", "-k", "20")
    assert "jazz" not in genres(found)
    assert [song["path"] for song in found["add"]] == [ROCK, JAZZ]


def test_songs_are_found_by_how_they_sound(kin_shelf: Library) -> None:
    found = told(kin_shelf, "find", "quiet piano, 60s")
    assert set(genres(found)) == {"classical"}
    assert [word["kind"] for word in found["heard"]] == ["sound", "instruments", "eras"]
    assert found["found"] >= len(found["results"])
    fits = [song["fit"] for song in found["results"]]
    assert fits == sorted(fits, reverse=True)


def test_other_words_are_found_in_the_tags(kin_shelf: Library) -> None:
    found = told(kin_shelf, "find", "quiet", "artist", "3")
    assert found["text"] == "artist 3"
    # Artist 3, and by artist 1 the file 3.mp3.
    assert {song["artist"][-1] for song in found["results"]} == {"1", "3"}


def test_where_no_song_fits_all_the_nearest_are_told_and_what_they_lack(
    kin_shelf: Library, tmp_path: Path
) -> None:
    place = tmp_path / "found.m3u8"
    found = told(kin_shelf, "find", "rock piano", "-k", "50", "--m3u", place)
    assert (found["found"], found["remarks"]) == (0, ["no song fits all of this; the nearest are"])
    assert len(found["results"]) == 10
    assert all(len(song["lacks"]) == 1 for song in found["results"])
    assert files_of(place) == [song["path"] for song in found["results"]]
    fitting = told(kin_shelf, "find", "piano")
    assert all(song["lacks"] == [] for song in fitting["results"])


def test_a_playlist_of_what_is_found_has_each_recording_once(tmp_path: Path) -> None:
    songs = [tune(0), tune(1), with_noise(tune(1), 25.0)]
    library = library_of_tunes(tmp_path / "library", songs)
    Recordings.of(library)
    place = tmp_path / "found.m3u8"
    found = told(library, "find", "mp3", "--m3u", place)
    assert len(found["results"]) == 3
    assert files_of(place) == [song["path"] for song in found["results"][:2]]


def test_the_nearest_are_told_to_people(kin_shelf: Library) -> None:
    done = command("find", "--library", kin_shelf.path, "quiet zyzzyva")
    assert done.exit_code == 0
    assert 'no song has "zyzzyva" in its' in done.stderr
    assert "no song fits all of this; the nearest are" in done.stderr
    assert "classical artist" in done.stdout
    assert "lacks: zyzzyva\n" in done.stdout


def test_nothing_found_is_said_and_is_no_failure(kin_shelf: Library) -> None:
    done = command("find", "--library", kin_shelf.path, "zyzzyva")
    assert (done.exit_code, done.stdout) == (0, "")
    assert 'no song has "zyzzyva" in its' in done.stderr
    assert "nearest" not in done.stderr


@pytest.mark.parametrize("words", ["", " , "])
def test_words_that_ask_for_nothing_are_bad_usage(kin_shelf: Library, words: str) -> None:
    done = command("find", "--library", kin_shelf.path, words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "name what to find" in done.stderr


def test_playlists_are_suggested_and_written(kin_shelf: Library, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "lists"
    found = told(kin_shelf, "cluster", "--count", "4", "--m3u-folder", folder)
    assert len(found["playlists"]) == 4
    for playlist in found["playlists"]:
        (genre,) = {song["genre"] for song in playlist["results"]}
        assert genre in playlist["name"]
    assert len(list(folder.glob("*.m3u8"))) == 4


def test_why_there_are_fewer_playlists_than_were_asked_for_is_said(kin_shelf: Library) -> None:
    found = told(kin_shelf, "cluster", "--count", "30")
    few = len(found["playlists"])
    assert few < 30
    assert found["remarks"] == [
        f"{few} of 30 playlists: the rest of the library makes none of 5 songs or more, with"
        " 3 of an artist at most and no copies"
    ]
    assert told(kin_shelf, "cluster", "--count", "4")["remarks"] == []


def test_people_read_playlists_with_names(kin_shelf: Library) -> None:
    done = command("cluster", "--library", kin_shelf.path, "--count", "4", "--length", "3")
    assert done.exit_code == 0
    assert "classical" in done.stdout
    assert done.stdout.count(" songs\n") == 4


@pytest.mark.parametrize("name", ["similar", "station", "path", "mix", "find", "cluster"])
def test_help_has_examples(name: str) -> None:
    assert "Examples:" in command(name, "--help").stdout


def test_the_help_of_find_names_every_word_for_sounds() -> None:
    told = command("find", "--help").stdout
    assert [word for word in SOUNDS if word not in told] == []
