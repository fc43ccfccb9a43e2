"""``songprint station``: grown, saved, told what is liked, and written as a playlist."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from songprint.library.store import Library
from support.drawing import command, document
from support.kin import kin_library

ROCK = "/music/rock/3.mp3"
JAZZ = "/music/jazz/2.mp3"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return kin_library(tmp_path / "library", each=15)


def station(library: Library, *arguments: str | Path) -> Any:
    return command("station", "--library", library.path, *arguments)


def told(library: Library, *arguments: str | Path) -> dict[str, Any]:
    done = station(library, "--json", *arguments)
    assert done.exit_code == 0, done.stderr
    return document("station", done.stdout)


def paths(found: dict[str, Any]) -> list[str]:
    return [song["path"] for song in found["results"]]


def test_the_document_fits_its_schema_and_its_promises(kin_shelf: Library) -> None:
    found = told(kin_shelf, ROCK, "--length", "8")
    assert found["guards"] == ["rock"]
    assert [seed["path"] for seed in found["seeds"]] == [ROCK]
    assert len(paths(found)) == len(set(paths(found))) == 8
    assert ROCK not in paths(found)
    assert found["complete"]
    assert (found["station"], found["m3u"], found["remarks"]) == (None, None, [])


def test_people_read_a_line_a_song(kin_shelf: Library) -> None:
    done = station(kin_shelf, ROCK, "--length", "5")
    assert (done.exit_code, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 5


def test_a_station_that_widens_says_so_on_stderr(kin_shelf: Library) -> None:
    done = station(kin_shelf, ROCK)
    assert "the station widens" in done.stderr
    assert "beyond rock" in done.stdout
    found = told(kin_shelf, ROCK)
    assert {tuple(song["beyond"]) for song in found["results"]} == {(), ("rock",)}


def test_same_genre_stops(kin_shelf: Library) -> None:
    found = told(kin_shelf, ROCK, "--same-genre")
    assert not found["complete"]
    assert {song["genre"] for song in found["results"]} == {"rock"}


def test_seeds_may_be_outside_the_library(kin_shelf: Library, songs: list[Path]) -> None:
    found = told(kin_shelf, songs[0], ROCK, "--length", "5")
    assert [seed["in_library"] for seed in found["seeds"]] == [False, True]


def test_a_station_is_saved_and_grown_again_by_its_name(library: Library) -> None:
    wishes = ("--length", "6", "--artist-cap", "1", "--beat", "1")
    first = told(library, ROCK, *wishes, "--save", "my evening")
    again = told(library, "my evening")
    assert paths(again) == paths(first)
    assert again["station"] == first["station"] == "my evening"
    assert len(paths(told(library, "my evening", "--length", "4"))) == 4


def test_what_is_said_of_a_song_is_remembered(library: Library) -> None:
    first = paths(told(library, ROCK, "--length", "6", "--save", "evening"))
    told(library, "evening", "--skip", first[0])
    told(library, "evening", "--dislike", first[1])
    later = paths(told(library, "evening"))
    assert not {first[0], first[1]} & set(later)
    assert library.feedback("evening").keys() == {
        song.content_hash for path in first[:2] if (song := library.row_of(path))
    }


def test_what_shall_never_come_comes_on_no_station(library: Library) -> None:
    first = paths(told(library, ROCK, "--length", "6"))
    told(library, ROCK, "--never", first[0])
    assert first[0] not in paths(told(library, ROCK))
    assert first[0] not in paths(told(library, "/music/rock/5.mp3"))


def test_a_skip_without_a_name_holds_once(library: Library) -> None:
    first = paths(told(library, ROCK, "--length", "6"))
    assert first[0] not in paths(told(library, ROCK, "--length", "6", "--skip", first[0]))
    assert first[0] in paths(told(library, ROCK, "--length", "6"))


def test_likes_draw_a_station_over(library: Library) -> None:
    liked = ("--like", JAZZ, "--like", "/music/jazz/4.mp3", "--any-genre", "--length", "12")
    genres = [song["genre"] for song in told(library, ROCK, *liked)["results"]]
    assert "jazz" in genres


def test_seeds_outside_the_library_cannot_be_saved(kin_shelf: Library, songs: list[Path]) -> None:
    done = station(kin_shelf, songs[0], "--save", "evening")
    assert done.exit_code == 2
    assert "songprint add" in done.stderr


def test_the_playlist_is_written_in_order(library: Library, tmp_path: Path) -> None:
    place = tmp_path / "evening.m3u8"
    found = told(library, ROCK, "--length", "5", "--m3u", place, "--with-seeds")
    lines = place.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    files = [line for line in lines if not line.startswith("#")]
    names = [str((tmp_path / file).resolve()) for file in files]
    assert names == [ROCK, *paths(found)]
    assert found["m3u"] == str(place)


def test_plays_are_read_remembered_and_heeded(library: Library, tmp_path: Path) -> None:
    plays = tmp_path / "plays.csv"
    rows = [f"rock artist {n // 2},rock song {n},{100 if n < 8 else 1}" for n in range(15)]
    plays.write_text("artist,title,plays\n" + "\n".join(rows) + "\n", encoding="utf-8")
    found = told(library, ROCK, "--length", "5", "--unpopular", "1", "--plays", plays)
    assert sum(int(path[12:-4]) >= 8 for path in paths(found)) >= 4
    assert paths(told(library, ROCK, "--length", "5", "--unpopular", "1")) == paths(found)


def test_a_number_for_chance_gives_the_same_station_again(kin_shelf: Library) -> None:
    wishes = (ROCK, "--length", "6", "--seed")
    assert paths(told(kin_shelf, *wishes, "1")) == paths(told(kin_shelf, *wishes, "1"))
    others = {tuple(paths(told(kin_shelf, *wishes, str(n)))) for n in range(5)}
    assert len(others) > 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([ROCK, "--era", "30s"], "the decades are"),
        ([ROCK, "--m3u", "station.txt"], "must end in one of .m3u8, .m3u"),
        ([ROCK, "--same-genre", "--any-genre"], "same genre and of any"),
        ([ROCK, "--skip", "nonsense"], "no such song"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    kin_shelf: Library, arguments: list[str], said: str
) -> None:
    done = station(kin_shelf, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_saved_station_can_lose_its_seeds(library: Library) -> None:
    library.save_station("old", {"seeds": ["0" * 32], "wishes": json.loads("{}")})
    done = station(library, "old")
    assert done.exit_code == 2
    assert "none of the station's seeds" in done.stderr
