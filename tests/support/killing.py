"""``songprint add``, killed: the command with many small commits, and what a library holds."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from songprint import Library

# Commits of two songs and frequent tidying, so that most moments are in the middle of writing.
COMMAND = """
import sys
from songprint.library import batch, writer
batch.MOST_SONGS, batch.TIDY_EVERY = 2, 3
writer.MOST_PIECES = writer.MOST_PIECES_OF_LANDMARKS = 2
from songprint.cli.app import main
main()
"""

GONE_WITHIN_SECONDS = 10.0

KEYS = {
    "songs": "content_hash",
    "landmarks": "content_hash",
    "files": "path",
    "models": "model",
}
"""Tables that adding writes, and the column by which their rows can be put in order."""


def start_add(music: Path, library: Path, *options: str) -> subprocess.Popen[str]:
    """Start ``songprint add --json`` on two workers, in a process group of its own."""
    arguments = ["add", "--json", "--workers", "2", "--library", str(library), str(music)]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def run_add(music: Path, library: Path, *options: str) -> tuple[int, str, str]:
    """Run it to its end; return its exit code, stdout and stderr."""
    process = start_add(music, library, *options)
    out, err = process.communicate()
    return process.returncode, out, err


def kill_add(music: Path, library: Path, after_seconds: float) -> bool:
    """Kill it, and it alone, after some seconds; tell whether it was still running.

    Its workers must end by themselves.
    """
    process = start_add(music, library)
    time.sleep(after_seconds)
    children = psutil.Process(process.pid).children(recursive=True)
    was_running = process.poll() is None
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, GONE_WITHIN_SECONDS)
    assert not alive, f"workers outlive the run: {alive}"
    return was_running


def kill_and_finish(music: Path, library: Path, seconds: float, rng: random.Random) -> int:
    """Kill the making of a library at one to three moments, then let it end; return the kills."""
    moments = [rng.uniform(0, seconds) for _ in range(rng.randint(1, 3))]
    kills = sum(kill_add(music, library, moment) for moment in moments)
    code, _, err = run_add(music, library)
    assert code == 0, err
    return kills


def contents(library: Path) -> dict[str, Any]:
    """Return all that a library says of its songs and files, but when it was written."""
    opened = Library.open(library)
    tables = {}
    for name, key in KEYS.items():
        rows = opened.read(name).sort_by(key)
        times = [column for column in ("added", "changed") if column in rows.column_names]
        tables[name] = rows.drop_columns(times).to_pylist()
    tables["folders"] = opened.folders()
    tables["words"] = sorted(row.content_hash for row in opened.find(text="flac"))
    return tables


def stillborn(_connection: Connection, _early: bool) -> None:
    """Be a worker that ends before it is ready."""
    os._exit(7)
