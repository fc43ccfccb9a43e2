from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from songprint.genre.taxonomy import ERAS, GENRES, INSTRUMENTS, MOODS, STYLES
from songprint.pieces import PIECES
from support.audiofiles import music, write_audio
from support.badfiles import make_bad_files, wav_bytes
from support.classifying import classify, documents, genre_rows, run
from support.madeup import made_up


@pytest.fixture(scope="session")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("silence") / "silence.flac"
    return write_audio(path, np.zeros((8 * 16_000, 1), np.float32), 16_000)


def test_a_song_is_classified(songs: list[Path]) -> None:
    done = run(songs[0])
    assert (done.returncode, done.stderr) == (0, "")
    title, *_ = done.stdout.splitlines()
    assert title == f"{songs[0]}  0:{PIECES[0].seconds:02.0f}"
    rows = genre_rows(done.stdout)
    assert len(rows) == 3
    assert {name for name, _ in rows} <= set(GENRES)
    assert "\x1b" not in done.stdout


def test_all_of_a_long_song_is_heard_on_demand(tmp_path: Path) -> None:
    song = write_audio(tmp_path / "long.wav", music(100, 16_000, channels=1), 16_000)
    third, whole, along = (
        documents(run("--json", *options, song).stdout)[0]
        for options in ((), ("--thorough",), ("--timeline",))
    )
    assert third["genres"] != whole["genres"]
    assert third["descriptors"] == whole["descriptors"]
    assert along["genres"] == whole["genres"]
    assert [segment["end"] for segment in along["timeline"]][:-1] == pytest.approx(
        [5.984 * n for n in range(1, 17)], abs=1e-3
    )


def test_the_document_fits_its_schema_and_its_promises(songs: list[Path]) -> None:
    done = run("--json", "--timeline", *songs)
    assert (done.returncode, done.stderr) == (0, "")
    items = documents(done.stdout)
    assert [item["path"] for item in items] == [str(song) for song in songs]
    assert len({item["model"] for item in items}) == 1
    for item, piece in zip(items, PIECES, strict=False):
        assert item["seconds"] == pytest.approx(piece.seconds, abs=0.01)
        for ranked, names in (
            (item["genres"], GENRES),
            (item["era"], ERAS),
            (item["moods"], MOODS),
            (item["styles"], STYLES),
            (item["instruments"], INSTRUMENTS),
        ):
            assert {entry["name"] for entry in ranked} == set(names)
            assert ranked == sorted(ranked, key=lambda entry: -entry["p"])
        assert sum(genre["p"] for genre in item["genres"]) == pytest.approx(1, abs=1e-3)
        timeline = item["timeline"]
        assert timeline[0]["start"] == 0
        assert timeline[-1]["end"] == pytest.approx(item["seconds"], abs=1e-3)
        assert all(len(segment["genres"]) == 3 for segment in timeline)


def test_the_document_has_the_descriptors(pretend: Any) -> None:
    pretend(lambda _path: made_up())
    (item,) = documents(classify("--json", "a.mp3").stdout)
    assert item["descriptors"] == {
        "tempo_bpm": 118.2,
        "tempo_alternatives": [{"bpm": 59.1, "weight": 0.4}],
        "tempo_confidence": 0.8,
        "beat_strength": 0.5,
        "loudness_lufs": -9.43,
        "loudness_range_lu": 4.0,
        "dynamic_range_db": 9.0,
        "crest_factor_db": 13.0,
        "onset_rate_hz": 3.5,
        "pulse_clarity": 0.4,
        "swing": 0.1,
        "brightness_hz": 2500.0,
        "rolloff_hz": 5000.0,
        "flatness": 0.05,
        "percussiveness": 0.2,
        "roughness": 0.9,
        "stereo_width": 0.1,
        "key": "A",
        "mode": "minor",
        "key_confidence": 0.9,
    }


def test_descriptors_of_silence_are_null_where_there_is_nothing(silence: Path) -> None:
    (item,) = documents(classify("--json", silence).stdout)
    unsure = {name for name, value in item["descriptors"].items() if value is None}
    assert unsure == {"tempo_bpm", "loudness_lufs", "swing", "stereo_width", "key", "mode"}


def test_the_document_has_a_timeline_only_if_asked(songs: list[Path]) -> None:
    (item,) = documents(classify("--json", songs[0]).stdout)
    assert "timeline" not in item


def test_silence_is_unsure(silence: Path) -> None:
    assert "unsure: it is silent" in classify(silence).stdout
    (item,) = documents(classify("--json", silence).stdout)
    assert (item["unsure"], item["why_unsure"]) == (True, "silence")


def test_bad_files_get_a_line_each_and_the_good_song_among_them_is_heard(
    tmp_path: Path, songs: list[Path]
) -> None:
    bad = make_bad_files(tmp_path / "bad")
    half = len(bad) // 2
    done = run("--json", *bad[:half], songs[0], *bad[half:])
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == len(bad)
    for line, path in zip(lines, bad, strict=True):
        assert line.startswith(f"songprint: {path}: ")
        assert "internal error" not in line
    items = documents(done.stdout)
    assert [item["path"] for item in items if "genres" in item] == [str(songs[0])]
    assert [item["path"] for item in items if "error" in item] == [str(path) for path in bad]


def test_a_folder_of_bad_files_is_walked_to_its_end(tmp_path: Path, songs: list[Path]) -> None:
    make_bad_files(tmp_path)
    (tmp_path / "song.flac").write_bytes(songs[0].read_bytes())
    result = classify(tmp_path)
    assert result.exit_code == 1
    assert f"{tmp_path / 'song.flac'}  " in result.stdout
    assert "Traceback" not in result.stderr


def test_real_songs_are_classified(shared_data: Path) -> None:
    paths = sorted((shared_data / "emotify").iterdir())[:3]
    done = run("--json", *paths)
    assert (done.returncode, done.stderr) == (0, "")
    assert [item["path"] for item in documents(done.stdout)] == [str(path) for path in paths]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a process")
def test_an_interrupt_closes_the_document(tmp_path: Path, songs: list[Path]) -> None:
    hours = tmp_path / "hours.wav"
    header = wav_bytes(b"", rate=8_000, bits=8)
    n = 5 * 3600 * 8_000
    with hours.open("wb") as file:  # a hole: it takes no space
        file.write(header[:-4] + n.to_bytes(4, "little"))
        file.truncate(len(header) + n)
    code = (
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from songprint.cli.app import main\n"
        "main()\n"
    )
    arguments = ["classify", "--json", str(songs[0]), str(hours)]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        begun = b""
        while not begun.endswith(b"}"):
            more = process.stdout.read1()
            assert more
            begun += more
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        items = documents((begun + process.stdout.read()).decode())
        assert process.stderr.read() == b""
    assert [item["path"] for item in items] == [str(songs[0])]
