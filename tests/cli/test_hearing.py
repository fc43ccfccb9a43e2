from __future__ import annotations

import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from songprint.audio.decode import decode, stream
from songprint.audio.peaks import song_peaks
from songprint.cli.hearing import LOOK_AHEAD, hear_all
from songprint.errors import DecodeError
from songprint.fingerprints import Fingerprint
from songprint.library.listen import Wanted
from songprint.library.scan import Found
from songprint.views.kinds import KINDS
from songprint.views.signals import measure
from support.classifying import classify, documents
from support.madeup import made_up
from support.shelves import small_song


def test_results_come_in_the_order_of_the_arguments(pretend: Any) -> None:
    def hear(_path: str) -> Fingerprint:
        time.sleep(random.random() / 50)
        return made_up()

    pretend(hear)
    paths = [f"{i}.mp3" for i in range(40)]
    items = documents(classify("--json", "--workers", "8", *paths).stdout)
    assert [item["path"] for item in items] == paths


def test_hearing_does_not_run_far_ahead_of_what_is_taken(pretend: Any) -> None:
    begun = []

    def hear(path: str) -> Fingerprint:
        begun.append(path)
        return made_up(n=1)

    pretend(hear)
    songs = [Found(f"{i}.mp3") for i in range(1000)]
    results = hear_all(songs, Wanted(), 2, lambda _heard: None)
    assert next(results).path == "0.mp3"
    results.close()
    assert len(begun) <= 2 * LOOK_AHEAD + 1


def test_as_many_songs_are_heard_at_once_as_there_are_workers(pretend: Any) -> None:
    together = threading.Barrier(3, timeout=60)

    def hear(_path: str) -> Fingerprint:
        together.wait()
        return made_up()

    pretend(hear)
    assert classify("a", "b", "c", "--workers", "3").exit_code == 0


def test_a_failure_is_a_line_on_stderr_and_an_item_of_the_document(pretend: Any) -> None:
    def hear(path: str) -> Fingerprint:
        if path == "bad.mp3":
            raise DecodeError(path, "is no song")
        return made_up()

    pretend(hear)
    result = classify("--json", "a.mp3", "bad.mp3", "c.mp3")
    assert (result.exit_code, result.stderr) == (1, "songprint: bad.mp3: is no song\n")
    assert documents(result.stdout)[1] == {"path": "bad.mp3", "error": "is no song"}
    assert len(documents(result.stdout)) == 3


def test_a_bug_met_in_one_file_is_told_and_the_rest_goes_on(pretend: Any) -> None:
    def hear(path: str) -> Fingerprint:
        if path == "bad.mp3":
            raise ZeroDivisionError("two\nlines")
        return made_up()

    pretend(hear)
    result = classify("bad.mp3", "good.mp3")
    assert result.exit_code == 1
    assert result.stderr == (
        "songprint: bad.mp3: internal error: ZeroDivisionError: two lines; please report it\n"
    )
    assert "good.mp3  3:05" in result.stdout


def test_nothing_heard_is_still_a_document(tmp_path: Path) -> None:
    result = classify("--json", tmp_path)
    assert result.exit_code == 1
    assert documents(result.stdout) == [
        {"path": str(tmp_path), "error": "there are no songs in this folder"}
    ]


@pytest.fixture
def _apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("songprint.cli.hearing.MANY_SONGS", 1)


def small_songs(folder: Path, count: int) -> list[str]:
    return [str(small_song(folder / f"{i}.flac", i, 2.0 + i)) for i in range(count)]


@pytest.mark.usefixtures("_apart")
def test_processes_hear_what_threads_hear_and_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.mp3").write_bytes(b"no song" * 999)
    names = [*small_songs(tmp_path, 4), str(tmp_path / "bad.mp3"), str(tmp_path / "none.mp3")]
    apart = classify("--json", "--timeline", "--workers", "2", *names)
    monkeypatch.setattr("songprint.cli.hearing.MANY_SONGS", sys.maxsize)
    here = classify("--json", "--timeline", "--workers", "2", *names)
    assert (apart.exit_code, apart.stdout) == (here.exit_code, here.stdout)
    assert sorted(apart.stderr.splitlines()) == sorted(here.stderr.splitlines())
    assert [song["path"] for song in documents(apart.stdout)] == names


@pytest.mark.usefixtures("_apart")
def test_processes_also_find_peaks_and_gather_what_is_drawn(tmp_path: Path) -> None:
    (name,) = small_songs(tmp_path, 1)
    wanted = Wanted(peaks=True, views=tuple(KINDS))
    (heard,) = hear_all([Found(name)], wanted, 1, lambda _heard: None)
    assert heard.sounds is not None
    assert heard.sounds.peaks is not None
    assert heard.sounds.signals is not None
    expected = measure(stream(name), KINDS)
    for kind, signal in numbers(expected).items():
        # To a rounding: matrix products of one thread are not those of two.
        heard_too = numbers(heard.sounds.signals)[kind]
        np.testing.assert_allclose(heard_too, signal, rtol=1e-4, atol=1e-4, err_msg=kind)
    np.testing.assert_array_equal(heard.sounds.peaks.packed(), song_peaks(decode(name)).packed())


def numbers(signals: object, name: str = "") -> dict[str, Any]:
    """Return all numbers and arrays of signals, by their names."""
    if not hasattr(signals, "__dict__"):
        return {name: signals}
    parts = (numbers(value, f"{name}.{key}") for key, value in vars(signals).items())
    return {key: value for part in parts for key, value in part.items()}


@pytest.mark.usefixtures("_apart")
def test_a_song_that_crashes_its_process_costs_itself_alone(tmp_path: Path) -> None:
    songs = [Found(name) for name in small_songs(tmp_path, 3)]
    told = []
    for heard in hear_all(songs, Wanted(), 1, lambda _heard: None):
        told.append(heard)
        if len(told) == 1:
            for process in psutil.Process().children():
                if "spawn_main" in " ".join(process.cmdline()):
                    process.kill()
    assert [heard.path for heard in told] == [song.path for song in songs]
    assert [heard.error is None for heard in told] == [True, False, True]
    assert "crashed the process that heard it" in str(told[1].error)


@pytest.mark.usefixtures("_apart")
def test_many_places_that_are_no_songs_hold_nothing_up(tmp_path: Path) -> None:
    (name,) = small_songs(tmp_path, 1)
    songs = [*(Found(f"{i}", "is none") for i in range(5 * LOOK_AHEAD)), Found(name)]
    heard = list(hear_all(songs, Wanted(), 1, lambda _heard: None))
    assert [one.error for one in heard] == ["is none"] * (5 * LOOK_AHEAD) + [None]
    assert list(hear_all([], Wanted(), 1, lambda _heard: None)) == []
