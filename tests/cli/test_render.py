from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from songprint.cli.render import describe_sound
from songprint.genre.taxonomy import ERAS, GENRES, MOODS
from support.classifying import classify, documents, genre_rows, run
from support.madeup import made_up, made_up_descriptors, silent_descriptors


@pytest.mark.parametrize("top", [1, 5, len(GENRES), 1000])
def test_top_says_how_many_genres_are_shown(top: int, pretend: Any) -> None:
    pretend(lambda _path: made_up())
    rows = genre_rows(classify("a.mp3", "--top", str(top)).stdout)
    assert len(rows) == min(top, len(GENRES))
    assert rows[0] == ("reggae", "80%")


@pytest.mark.parametrize("option", ["--top", "--workers"])
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_senseless_numbers_are_bad_usage(option: str, value: str) -> None:
    assert classify("a.mp3", option, value).exit_code == 2


def test_era_and_moods_are_told_where_they_are_notable(pretend: Any) -> None:
    pretend(lambda _path: made_up())
    opinion = f"  {ERAS[0]} 30%; {MOODS[0]} 20%, {MOODS[1]} 20%"
    assert opinion in classify("a.mp3").stdout.splitlines()


def test_the_sound_is_told_in_one_line_of_words_and_numbers(pretend: Any) -> None:
    pretend(lambda _path: made_up())
    assert "  118 BPM · A minor · -9.4 LUFS · bright" in classify("a.mp3").stdout.splitlines()


def test_what_is_not_sure_of_the_sound_is_not_said(pretend: Any) -> None:
    pretend(lambda _path: made_up(descriptors=silent_descriptors()))
    stdout = classify("a.mp3").stdout
    assert not re.search("BPM|major|minor|LUFS|dark|smooth|None", stdout)


@pytest.mark.parametrize(
    ("timbre", "words"),
    [
        ({"brightness_hz": 500.0}, "dark"),
        ({"brightness_hz": 1400.0}, ""),
        ({"brightness_hz": 1400.0, "percussiveness": 0.6, "roughness": 1.4}, "percussive, rough"),
        ({"brightness_hz": 1400.0, "roughness": 0.3}, "smooth"),
    ],
)
def test_words_tell_only_what_stands_out(timbre: dict[str, float], words: str) -> None:
    usual = made_up_descriptors()
    heard = replace(usual, timbre=replace(usual.timbre, **timbre))
    said = describe_sound(heard, ", ")
    assert said == ", ".join(filter(None, ["118 BPM, A minor, -9.4 LUFS", words]))


def test_unsure_is_said_plainly_and_the_guesses_are_still_shown(pretend: Any) -> None:
    pretend(lambda _path: made_up(p=0.2, unsure=True))
    stdout = classify("a.mp3").stdout
    assert "unsure: no genre is likely enough" in stdout
    assert genre_rows(stdout)[0] == ("reggae", "20%")
    assert "unsure" not in genre_rows(stdout)


NAMES = [
    "plain.mp3",
    "[bold]loud[/bold] [/] [red].mp3",
    "two\nlines.mp3",
    "\x1b[31mred\x07.mp3",
    "🎸 Motörhead, 日本.mp3",
    "caf\udce9.mp3",
    "x" * 250,
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_one_line_for_people_and_exact_for_programs(name: str, pretend: Any) -> None:
    pretend(lambda _path: made_up())
    stdout = classify(name).stdout
    title = stdout.splitlines()[0]
    assert title.endswith("  3:05")
    assert "\x1b" not in stdout
    if name.isprintable():
        assert title == f"{name}  3:05"
    (item,) = documents(classify("--json", name).stdout)
    assert item["path"] == name


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are not UTF-8")
def test_a_file_whose_name_is_not_utf8_is_heard(tmp_path: Path, songs: list[Path]) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9\n[bold].flac")
    path.write_bytes(songs[0].read_bytes())
    done = run(tmp_path, PYTHONIOENCODING="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{tmp_path}/caf\\xe9\\n[bold].flac  ")
    (item,) = documents(run("--json", tmp_path).stdout)
    assert item["path"] == str(path)


def test_a_terminal_without_unicode_gets_ascii(songs: list[Path]) -> None:
    done = run("--timeline", songs[0], PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(genre_rows(done.stdout)) == 3


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_lines_fit_the_terminal(columns: int, pretend: Any) -> None:
    pretend(lambda _path: made_up(n=3000))
    lines = classify("a.mp3", "--timeline", COLUMNS=str(columns)).stdout.splitlines()
    bars = [line for line in lines if re.search(r"[▁-█#]", line)]
    assert bars
    assert max(map(len, bars)) <= max(columns, 26)


def test_colours_are_for_terminals_that_want_them(pretend: Any) -> None:
    pretend(lambda _path: made_up())
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": ""}
    assert "\x1b[38;5;" in classify("a.mp3", **terminal).stdout
    assert "\x1b[38;5;" not in classify("a.mp3", NO_COLOR="1", **terminal).stdout


def test_a_key_is_spelt_as_musicians_do() -> None:
    heard = made_up().descriptors
    flat = replace(heard, tonality=replace(heard.tonality, key="A#"))
    assert "Bb minor" in describe_sound(flat, ", ")
