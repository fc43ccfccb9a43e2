from __future__ import annotations

import multiprocessing
import sys
import time
from pathlib import Path

import psutil
import pytest

from songprint.library.listen import Wanted
from songprint.library.pool import WorkerPool
from songprint.library.scan import look_at
from songprint.library.worker import Job
from support.shelves import small_song


def workers() -> set[int | None]:
    return {process.pid for process in multiprocessing.active_children()}


def test_workers_started_early_do_the_jobs_and_are_no_more_than_asked_for(tmp_path: Path) -> None:
    jobs = [Job(look_at(str(small_song(tmp_path / f"{n}.flac"))), Wanted()) for n in range(3)]
    with WorkerPool(2) as pool:
        pool.start_early(5)
        early = workers()
        run = pool.run(lambda: jobs.pop() if jobs else None, lambda *_: True)
        outcomes = [outcome for outcome in run if outcome]
        assert workers() == early
    assert len(early) == 2
    assert [outcome.error for outcome in outcomes] == [None] * 3
    assert not workers()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process has loaded")
def test_workers_started_early_have_loaded_the_encoder_before_there_is_a_song() -> None:
    with WorkerPool(1) as pool:
        pool.start_early(1)
        [pid] = workers()
        worker = psutil.Process(pid)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if any("onnxruntime" in loaded.path for loaded in worker.memory_maps()):
                return
            time.sleep(0.05)
    pytest.fail("not loaded within a minute")
