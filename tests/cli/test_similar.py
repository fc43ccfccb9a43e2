"""``songprint similar``: songs in the library and out of it, named by file, hash or words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from songprint.library.store import Library
from support.drawing import command, document
from support.kin import kin_library

ROCK = "/music/rock/3.mp3"


def similar(library: Library, *arguments: str | Path) -> Any:
    return command("similar", "--library", library.path, *arguments)


def told(library: Library, *arguments: str | Path) -> dict[str, Any]:
    done = similar(library, "--json", *arguments)
    assert done.exit_code == 0, done.stderr
    return document("similar", done.stdout)


def test_the_document_fits_its_schema_and_its_promises(kin_shelf: Library) -> None:
    found = told(kin_shelf, ROCK)
    assert found["seed"]["path"] == ROCK
    assert found["seed"]["in_library"]
    assert len(found["results"]) == 10
    assert {song["genre"] for song in found["results"]} == {"rock"}
    for song in found["results"]:
        assert sum(song["why"].values()) == pytest.approx(song["distance"], abs=5e-4)
        assert "both rock" in song["because"]


def test_people_read_kinship_a_name_and_why(kin_shelf: Library) -> None:
    done = similar(kin_shelf, ROCK, "-k", "2")
    assert (done.exit_code, done.stderr) == (0, "")
    first, why, *rest = done.stdout.splitlines()
    assert "rock artist" in first
    assert "%" in first
    assert "BPM" in why
    assert len(rest) == 2


def test_people_can_have_the_numbers(kin_shelf: Library) -> None:
    lines = similar(kin_shelf, ROCK, "-k", "1", "--why").stdout.splitlines()
    total, *parts = [float(number) for number in re.findall(r"\d\.\d\d", lines[2])]
    assert len(parts) == 5
    assert sum(parts) == pytest.approx(total, abs=0.03)


@pytest.mark.parametrize("name", [ROCK, "rock song 3", "ROCK SONG 3"])
def test_a_song_is_named_by_its_file_or_its_title(kin_shelf: Library, name: str) -> None:
    assert told(kin_shelf, name)["seed"]["path"] == ROCK


def test_which_song_words_are_taken_for_is_said_unless_they_are_its_title(
    kin_shelf: Library,
) -> None:
    taken = similar(kin_shelf, "song 11 rock", "-k", "1").stderr
    assert re.fullmatch(r"songprint: song 11 rock: taken for rock artist \d - .*\n", taken)
    assert similar(kin_shelf, "rock song 3", "-k", "1").stderr == ""


def test_a_song_is_named_by_its_hash(kin_shelf: Library) -> None:
    song = kin_shelf.row_of(ROCK)
    assert song is not None
    assert told(kin_shelf, song.content_hash)["seed"]["path"] == ROCK


def test_a_file_outside_the_library_is_heard(kin_shelf: Library, songs: list[Path]) -> None:
    found = told(kin_shelf, songs[0], "-k", "3")
    assert found["seed"] | {"path": str(songs[0]), "in_library": False} == found["seed"]
    assert len(found["results"]) == 3


def test_the_index_on_the_disk_finds_the_same(kin_shelf: Library) -> None:
    near = told(kin_shelf, ROCK)
    for name in (ROCK, "rock song 3"):
        assert told(kin_shelf, name, "--on-disk") == near


def test_the_index_on_the_disk_is_asked_for_files_outside_too(
    kin_shelf: Library, songs: list[Path]
) -> None:
    assert told(kin_shelf, songs[0], "--on-disk") == told(kin_shelf, songs[0])


def test_weights_and_caps_reach_the_search(kin_shelf: Library) -> None:
    only = ("--beat", 0, "--rhythm", 0, "--timbre", 0, "--genre", 0, "--intensity", 1)
    found = told(kin_shelf, ROCK, *map(str, only), "--artist-cap", "1", "--other-artists")
    assert all(song["why"]["intensity"] == song["distance"] for song in found["results"])
    artists = [song["artist"] for song in found["results"]]
    assert len(artists) == len(set(artists))
    assert found["seed"]["artist"] not in artists


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/nowhere/song.mp3"], "there is no such file"),
        (["zyzzyva"], "no such song in the library"),
        ([""], "'': there is no such file"),
        (["rock song"], "may mean more than 5 songs: rock artist"),
        ([ROCK, "--beat", "-1"], "the weight of beat must be 0 or more"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    kin_shelf: Library, arguments: list[str], said: str
) -> None:
    done = similar(kin_shelf, *arguments)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert said in line


def test_a_file_that_is_no_song_is_refused(kin_shelf: Library, tmp_path: Path) -> None:
    text = tmp_path / "text.mp3"
    text.write_text("no song")
    done = similar(kin_shelf, text)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"songprint: {text}: ")


def test_a_file_cannot_be_compared_to_songs_of_another_model(
    tmp_path: Path, songs: list[Path]
) -> None:
    old = kin_library(tmp_path / "library", each=2, model="1-old")
    done = similar(old, songs[0])
    assert done.exit_code == 2
    assert "an older songprint heard" in done.stderr


def test_without_a_library_the_way_to_one_is_told(tmp_path: Path) -> None:
    done = command("similar", "--library", tmp_path / "none", ROCK)
    assert done.exit_code == 1
    assert "songprint add" in done.stderr
