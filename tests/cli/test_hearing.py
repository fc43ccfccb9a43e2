from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any

from songprint.cli.hearing import LOOK_AHEAD, hear_all
from songprint.errors import DecodeError
from songprint.fingerprints import Fingerprint
from songprint.library.scan import Found
from support.classifying import classify, documents
from support.madeup import made_up


def test_results_come_in_the_order_of_the_arguments(pretend: Any) -> None:
    def hear(_path: str) -> Fingerprint:
        time.sleep(random.random() / 50)
        return made_up()

    pretend(hear)
    paths = [f"{i}.mp3" for i in range(40)]
    items = documents(classify("--json", "--workers", "8", *paths).stdout)
    assert [item["path"] for item in items] == paths


def test_hearing_does_not_run_far_ahead_of_what_is_taken() -> None:
    songs = iter([Found(f"{i}.mp3") for i in range(1000)])

    def hear(_path: str) -> Fingerprint:
        return made_up(n=1)

    results = hear_all(songs, hear, 2, lambda _heard: None)
    assert next(results).path == "0.mp3"
    results.close()
    assert len(list(songs)) >= 1000 - 2 * LOOK_AHEAD - 1


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
