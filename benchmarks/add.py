"""What does ``songprint add`` cost? Songs a second, memory of each process, bytes a song.

Runs the command as its user would, in a process of its own, and looks at it and its workers four
times a second; then runs it again, which finds that nothing has changed. Real time a core is
seconds of sound by seconds of CPU, of all its processes together: what else runs on the machine
slows the run, not this figure by much.

With several numbers of workers each hears the folders ``--rounds`` times in turn, and their speeds
are compared, round by round.

Run: python benchmarks/add.py FOLDER [FOLDER ...] [--workers 1 2] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import lancedb
import onnxruntime
import psutil

from songprint import Library
from songprint.library import writer as library_writer


def run_add(library: Path, folders: list[str], workers: int) -> dict[str, float]:
    """Return what the command says of itself, and what it cost."""
    command = [sys.executable, "-m", "songprint", "add", "--json", "--library", str(library)]
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen([*command, "--workers", str(workers), *folders], stdout=output)
        parent = psutil.Process(process.pid)
        peaks = {"parent_mb": 0.0, "worker_mb": 0.0}
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            try:
                note(peaks, "parent_mb", parent)
                for child in parent.children():
                    note(peaks, "worker_mb", child)
            except psutil.Error:
                pass
            time.sleep(0.25)
        seconds = time.perf_counter() - start
        _, status, usage = ended
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        told = json.load(output)
    return {
        "exit_code": process.returncode,
        "wall_seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        **peaks,
        **{name: told[name] for name in ("added", "unchanged", "songs_per_second")},
        "failed": len(told["failed"]),
        "heard_seconds": told["times_real_time"] * told["seconds"],
    }


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def tidy(library: Path) -> None:
    """Leave of a library what it needs, and nothing for those who are still reading the rest."""
    library_writer.OLD_VERSIONS = timedelta(seconds=0.5)
    with Library.open(library).writing() as writer:
        for _ in range(2):  # what the first replaces, the second lets go
            time.sleep(1)
            writer.tidy()


def note(peaks: dict[str, float], name: str, process: psutil.Process) -> None:
    peaks[name] = max(peaks[name], process.memory_info().rss / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument("--rounds", type=int, default=3, help="of several numbers of workers")
    arguments = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before;"
        f" Python {platform.python_version()}, lancedb {lancedb.__version__},"
        f" onnxruntime {onnxruntime.__version__}"
    )
    if len(arguments.workers) == 1:
        measure(arguments.folders, arguments.workers[0])
    else:
        scale(arguments.folders, arguments.workers, arguments.rounds)


def scale(folders: list[str], workers: list[int], rounds: int) -> None:
    """Print how much faster more workers are."""
    speeds: dict[int, list[float]] = {count: [] for count in workers}
    for _ in range(rounds):
        for count in workers:
            with tempfile.TemporaryDirectory() as place:
                run = run_add(Path(place) / "library", folders, count)
            speeds[count].append(run["heard_seconds"] / run["wall_seconds"])
    least = speeds[workers[0]]
    for count, values in speeds.items():
        ratios = [more / one for more, one in zip(values, least, strict=True)]
        print(
            f"{count} workers: {statistics.median(values):.0f} ({min(values):.0f} to"
            f" {max(values):.0f}) x real time, {statistics.median(ratios):.2f}"
            f" ({min(ratios):.2f} to {max(ratios):.2f}) times {workers[0]}"
        )


def measure(folders: list[str], workers: int) -> None:
    """Print all about one number of workers."""
    with tempfile.TemporaryDirectory() as place:
        library = Path(place) / "library"
        first = run_add(library, folders, workers)
        songs = len(Library.open(library))
        n_bytes = size(library)
        second = run_add(library, folders, workers)
        tidy(library)
        tables = {table.stem: size(table) for table in sorted(library.glob("*.lance"))}
    print(f"{workers} workers")
    for name, run in (("first", first), ("second", second)):
        print(f"{name}: " + ", ".join(f"{key} {value:,.2f}" for key, value in run.items()))
    heard = first["heard_seconds"]
    print(
        f"{heard / 3600:.1f} hours of sound: {heard / first['wall_seconds']:.0f}x real time,"
        f" {heard / first['cpu_seconds']:.0f}x a core;"
        f" {songs / first['cpu_seconds']:.1f} songs a CPU second"
    )
    print(f"{songs} songs, {n_bytes / songs:.0f} bytes each at first; when tidied:")
    for name, left in tables.items():
        print(f"  {name}: {left / songs:.0f} bytes a song, {left / heard:.1f} a second of sound")


if __name__ == "__main__":
    main()
