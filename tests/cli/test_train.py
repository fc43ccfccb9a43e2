from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from songprint.cli.app import app
from songprint.cli.places import personal_head_path
from songprint.fingerprints import default_fingerprinter
from songprint.genre.personal import apply, load_personal
from songprint.library.places import data_folder, library_path
from songprint.pieces import PIECES
from support.drawing import document
from support.shelves import small_song

RATE = 16_000
PART_SECONDS = 4
STYLES = {
    "gentle": ("string-chorale", "ambient-drift", "piano-waltz"),
    "driving": ("metal-gallop", "disco-floor", "techno-acid"),
}
KEYS = [
    "name",
    "file",
    "genres",
    "accuracy",
    "songs_without_artist",
    "left_out",
    "failed",
    "encoder_sha256",
]


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two made-up genres of three "artists", pieces of songprint's own, each cut into songs."""
    folder = tmp_path_factory.mktemp("labelled")
    pieces = {piece.name: piece for piece in PIECES}
    for style, names in STYLES.items():
        for name in names:
            place = folder / style / name
            place.mkdir(parents=True)
            samples = pieces[name].render(sample_rate_hz=RATE)
            for i in range(3):
                part = samples[i * PART_SECONDS * RATE : (i + 1) * PART_SECONDS * RATE]
                soundfile.write(place / f"{i}.flac", part, RATE)
    return folder


@pytest.fixture
def copy(labelled: Path, tmp_path: Path) -> Path:
    """Return a copy of the songs that may be changed."""
    return Path(shutil.copytree(labelled, tmp_path / "copy"))


def train(*arguments: str | Path, **environment: str) -> Any:
    words = ["train", *map(str, arguments)]
    return CliRunner().invoke(app, words, env={"COLUMNS": "100", **environment})


def trained(*arguments: str | Path, exit_code: int = 0) -> dict[str, Any]:
    result = train(*arguments, "--json")
    assert result.exit_code == exit_code, result.stderr
    told = document("train", result.stdout)
    assert list(told) == KEYS
    return told


def tag(folder: Path, style: str, genre: str, paths: Sequence[Path]) -> None:
    for i, path in enumerate(paths):
        samples, rate = soundfile.read(path)
        with soundfile.SoundFile(folder / f"{style}-{i}.flac", "w", rate, 2) as file:
            file.genre, file.artist = genre, path.parent.name
            file.write(samples)


def test_genres_are_learnt_measured_and_stored(labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "mine.json"
    told = trained(labelled, "--out", out, "--name", "mine", "--workers", "1")
    assert (told["name"], told["file"], told["failed"]) == ("mine", str(out), [])
    assert [(g["name"], g["songs"], g["artists"]) for g in told["genres"]] == [
        ("driving", 9, 3),
        ("gentle", 9, 3),
    ]
    accuracy = told["accuracy"]
    assert accuracy["songs"] == 18
    assert accuracy["low"] < accuracy["share"] <= accuracy["high"]
    assert accuracy["always_commonest"] == 0.5

    fingerprinter = default_fingerprinter()
    personal = load_personal(out, fingerprinter.encoder.sha256)
    heard = fingerprinter.fingerprint(labelled / "gentle" / "string-chorale" / "0.flac")
    assert next(iter(apply(personal, heard.embedding))) == "gentle"


def test_people_are_told_of_each_genre_and_where_it_is(labelled: Path, tmp_path: Path) -> None:
    result = train(labelled, "--out", tmp_path / "mine.json")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["genre", "songs", "artists", "precision", "recall", "taken", "for"]
    assert lines[1].split()[:3] == ["driving", "9", "3"]
    assert any(line.startswith("accuracy on artists that were not learnt from: ") for line in lines)
    assert lines[-1] == f"stored in {tmp_path / 'mine.json'}"
    assert result.stderr == f"songprint: {labelled}: taken for one folder for each genre\n"


def test_songs_that_fail_are_named_and_do_not_stop_it(copy: Path, tmp_path: Path) -> None:
    (copy / "gentle" / "piano-waltz" / "broken.mp3").write_text("no song")
    result = train(copy, "--json", "--out", tmp_path / "mine.json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    (failed,) = told["failed"]
    assert failed["path"].endswith("broken.mp3")
    assert f"songprint: {failed['path']}: {failed['error']}\n" in result.stderr
    assert told["accuracy"]["songs"] == 18


def test_a_recording_counts_once(copy: Path, tmp_path: Path) -> None:
    song = copy / "gentle" / "piano-waltz" / "0.flac"
    shutil.copy(song, copy / "gentle" / "string-chorale" / "again.flac")
    told = trained(copy, "--out", tmp_path / "mine.json")
    assert told["accuracy"]["songs"] == 18
    assert [item["songs"] for item in told["left_out"]] == [1]


def test_a_recording_with_two_genres_is_not_learnt_from(copy: Path, tmp_path: Path) -> None:
    shutil.copy(copy / "gentle" / "piano-waltz" / "0.flac", copy / "driving" / "again.flac")
    told = trained(copy, "--out", tmp_path / "mine.json", exit_code=1)
    (failed,) = told["failed"]
    assert failed["error"] == "is a recording with two genres: driving, gentle"
    assert told["accuracy"]["songs"] == 17


def test_a_table_serves_and_its_test_songs_are_kept_for_tests(
    labelled: Path, tmp_path: Path
) -> None:
    rows = ["path,label,artist,split"]
    for song in sorted(labelled.rglob("*.flac")):
        style, artist = song.relative_to(labelled).parts[:2]
        split = "test" if song.stem == "2" and artist == "piano-waltz" else "train"
        rows.append(f"{song},{style},{artist},{split}")
    table = tmp_path / "songs.csv"
    table.write_text("\n".join(rows))
    told = trained(table, "--out", tmp_path / "mine.json")
    assert told["name"] == "songs"
    assert told["accuracy"]["songs"] == 17
    assert [item["songs"] for item in told["left_out"]] == [1]


def test_tags_serve_and_rare_genres_are_set_aside(labelled: Path, tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    tag(music, "a", "Gentle", sorted((labelled / "gentle").rglob("*.flac")))
    tag(music, "b", "Driving", sorted((labelled / "driving").rglob("*.flac"))[1:])
    noise = np.random.default_rng(0).standard_normal((PART_SECONDS * RATE, 2)) * 0.1
    (music / "deep").mkdir()
    (tmp_path / "noise" / "Nobody").mkdir(parents=True)
    soundfile.write(tmp_path / "noise" / "Nobody" / "n.flac", noise, RATE)
    tag(music / "deep", "c", "Noise", [tmp_path / "noise" / "Nobody" / "n.flac"])
    result = train("--from-tags", music, "--json", "--out", tmp_path / "mine.json")
    assert result.exit_code == 0
    assert [genre["name"] for genre in json.loads(result.stdout)["genres"]] == ["driving", "gentle"]
    assert "noise: set aside: 1 song, 8 are needed" in result.stderr


def test_songs_whose_tags_name_no_genre_are_refused_for_that(tmp_path: Path) -> None:
    small_song(tmp_path / "music" / "a.flac", artist="Nina")
    result = train("--from-tags", tmp_path / "music", "--out", tmp_path / "x.json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].endswith("no song here has a genre to be learnt")
    assert "has no genre in its tags" in result.stderr


def test_one_genre_is_learnt_against_other_music(labelled: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(labelled / "gentle", mine / "gentle")
    everything = tmp_path / "everything"  # which holds the gentle songs as well
    for song in labelled.rglob("*.flac"):
        style, artist, name = song.relative_to(labelled).parts
        everything.mkdir(exist_ok=True)
        samples, rate = soundfile.read(song)
        with soundfile.SoundFile(everything / f"{artist}-{name}", "w", rate, 2) as file:
            file.artist = f"{style} {artist}"
            file.write(samples)
    out = tmp_path / "gentle.json"
    told = trained(mine, "--against", everything, "--out", out)
    assert [(g["name"], g["songs"]) for g in told["genres"]] == [("gentle", 9), ("other", 9)]


def test_too_few_songs_are_refused_in_one_line(copy: Path, tmp_path: Path) -> None:
    shutil.rmtree(copy / "gentle" / "piano-waltz")
    result = train(f"folder:{copy}", "--out", tmp_path / "x.json", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "songprint: gentle: 6 songs, 8 are needed\n"
    assert not (tmp_path / "x.json").exists()


def test_one_artist_is_refused(copy: Path, tmp_path: Path) -> None:
    for song in list((copy / "gentle").rglob("*.flac")):
        place = copy / "gentle" / "One Artist" / f"{song.parent.name}-{song.name}"
        place.parent.mkdir(exist_ok=True)
        song.rename(place)
    result = train(copy, "--out", tmp_path / "x.json")
    assert result.exit_code == 2
    assert "gentle: all songs are by one artist" in result.stderr


def test_songs_that_all_fail_are_an_error(tmp_path: Path) -> None:
    for genre in ("a", "b"):
        (tmp_path / genre).mkdir()
        (tmp_path / genre / "x.mp3").write_text("no song")
    result = train(f"folder:{tmp_path}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no song could be heard" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("arguments", [[], ["a", "--from-tags", "b"], ["/nowhere"]])
def test_bad_usage_is_refused(arguments: list[str]) -> None:
    result = train(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1


def test_a_folder_is_no_place_for_a_file(labelled: Path, tmp_path: Path) -> None:
    result = train(labelled, "--out", tmp_path)
    assert result.exit_code == 2
    assert "is a folder" in result.stderr


def test_a_head_is_stored_beside_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "library"))
    assert library_path() == tmp_path / "library"
    assert personal_head_path("mine") == tmp_path / "genres" / "mine.json"
    assert personal_head_path("../a/b").parent == tmp_path / "genres"
    monkeypatch.delenv("SONGPRINT_LIBRARY")
    assert library_path().parent == data_folder()


def test_genres_are_used_by_name_where_their_folder_lies(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(labelled.parent)
    trained(labelled.name)
    song = str(labelled / "gentle" / "string-chorale" / "0.flac")
    heard = CliRunner().invoke(app, ["classify", "--json", "--genres", labelled.name, song])
    assert heard.exit_code == 0, heard.stderr
    assert json.loads(heard.stdout)[0]["genres"][0]["name"] == "gentle"
