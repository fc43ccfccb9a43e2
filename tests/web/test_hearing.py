"""The process that hears songs: what crashes, hangs or bloats it harms nothing else."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from songprint.web.hearing import MOST_WAITING, Hearer
from songprint.web.refusal import Refusal
from support.hostile import bloat, bug, die, double, fail, process, sleep, spin, write


@pytest.fixture(scope="module")
def hearer() -> Iterator[Hearer]:
    hearer = Hearer(cpu_seconds=3.0)
    yield hearer
    hearer.close()


def refusal(hearer: Hearer, *arguments: object, **options: float) -> str:
    with pytest.raises(Refusal) as refused:
        hearer.run(*arguments, **options)  # type: ignore[arg-type]
    assert refused.value.status == 422
    return refused.value.detail


def test_one_process_does_one_task_after_another(hearer: Hearer) -> None:
    assert hearer.run(double, 21) == 42
    assert hearer.run(process) == hearer.run(process) != os.getpid()


def test_what_takes_too_long_is_given_up(hearer: Hearer) -> None:
    assert "took more than" in refusal(hearer, sleep, 60.0, limit_seconds=0.3)
    assert hearer.run(double, 2) == 4


def test_what_takes_too_much_of_a_core_is_ended(hearer: Hearer) -> None:
    assert "ended" in refusal(hearer, spin, limit_seconds=60.0)
    assert hearer.run(double, 2) == 4


def test_what_crashes_takes_its_process_along(hearer: Hearer) -> None:
    assert "ended" in refusal(hearer, die)
    assert hearer.run(double, 2) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_what_wants_too_much_memory_is_refused(hearer: Hearer) -> None:
    assert "not enough memory" in refusal(hearer, bloat)


@pytest.mark.skipif(sys.platform != "linux", reason="writing is limited on Linux alone")
def test_it_can_write_no_file(hearer: Hearer, tmp_path: Path) -> None:
    assert "internal error" in refusal(hearer, write, str(tmp_path / "file"))
    assert not (tmp_path / "file").read_bytes()


def test_too_many_are_not_kept_waiting(hearer: Hearer) -> None:
    hearer.run(double, 1)
    refused: list[int] = []

    def ask() -> None:
        try:
            hearer.run(sleep, 0.2)
        except Refusal as refusal:
            refused.append(refusal.status)

    threads = [threading.Thread(target=ask) for _ in range(MOST_WAITING + 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == [429] * 3


def test_a_refusal_names_no_path_of_the_server(hearer: Hearer) -> None:
    assert refusal(hearer, fail) == "has no sound in it"


def test_a_bug_is_told_without_its_details(hearer: Hearer) -> None:
    assert refusal(hearer, bug) == "internal error: RuntimeError; please report it"
