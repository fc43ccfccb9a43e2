from __future__ import annotations

import importlib
import multiprocessing
import signal
import sys
from pathlib import Path

import psutil
import pytest

from songprint.library.interrupts import (
    leave_interrupts_to_parent,
    start_uninterrupted,
)
from songprint.library.listen import Wanted
from songprint.library.pool import WorkerPool
from songprint.library.scan import look_at
from songprint.library.worker import Job
from support.shelves import small_song

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT")


def test_an_interrupt_while_a_process_starts_is_left_to_its_parent() -> None:
    process = multiprocessing.get_context("spawn").Process(target=leave_interrupts_to_parent)
    start_uninterrupted(process)
    psutil.Process(process.pid).send_signal(signal.SIGINT)
    process.join()
    assert process.exitcode == 0


def test_an_interrupt_while_a_process_starts_waits_until_it_is_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "letting.py").write_text(
        "import sys\n"
        "from songprint.library.interrupts import let_interrupts_in\n"
        "def let_in():\n"
        "    try:\n"
        "        let_interrupts_in()\n"
        "    except KeyboardInterrupt:\n"
        "        sys.exit(42)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    target = importlib.import_module("letting").let_in
    process = multiprocessing.get_context("spawn").Process(target=target)
    start_uninterrupted(process)
    psutil.Process(process.pid).send_signal(signal.SIGINT)
    process.join()
    assert process.exitcode == 42


def test_whoever_starts_a_process_is_interrupted_as_before() -> None:
    process = multiprocessing.get_context("spawn").Process(target=leave_interrupts_to_parent)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    start_uninterrupted(process)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    process.join()


def test_a_worker_that_an_interrupt_reaches_while_it_starts_hears_its_song(tmp_path: Path) -> None:
    jobs = [Job(look_at(str(small_song(tmp_path / "a.flac"))), Wanted())]

    def next_job() -> Job | None:
        for process in psutil.Process().children():
            if "spawn_main" in " ".join(process.cmdline()):
                process.send_signal(signal.SIGINT)
        return jobs.pop() if jobs else None

    with WorkerPool(2) as pool:
        outcomes = [outcome for outcome in pool.run(next_job, lambda *_: True) if outcome]
    assert [outcome.error for outcome in outcomes] == [None]
