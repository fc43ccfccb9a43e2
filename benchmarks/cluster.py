"""How fast ``songprint add`` is on a Ray cluster of this machine, against its own workers.

Each run is a process of its own with a new library, in turn: this machine's workers, then a cluster
that is started for the run, with as many actors. Two figures each: songs a second of all the time,
its start and end included, and what more songs come to, from a second run of a sixth of them: the
rate of a long run. Ray's workers are here as nice to others as ours are, which is not at all: by
Ray's default (``RAY_worker_niceness``, 15) they wait for whatever else the machine does.

Run: python benchmarks/cluster.py FOLDER [--songs 96] [--workers 1 2] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["RAY_worker_niceness"] = "0"  # before Ray is there  # noqa: SIM112 - Ray's spelling

import numpy as np

from songprint import Library
from songprint.library.ingest import Here, add_folders
from songprint.library.scan import scan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--songs", type=int, default=96)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", choices=("here", "ray"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        files = sorted(scan([arguments.folder]).files)[: arguments.songs]
        print(once(arguments.once, arguments.workers[0], files))
        return
    found: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for _ in range(arguments.rounds):
        for workers in arguments.workers:
            for place in ("here", "ray"):
                rates = run(place, workers, arguments.folder, arguments.songs)
                found.setdefault((workers, place), []).append(rates)
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"{arguments.songs} songs, {arguments.rounds} rounds, {cores} cores, load {load:.1f}")
    print(f"{'songs/s (least, median, most)':32s} {'all the time':>20s} {'once it runs':>20s}")
    for (workers, place), rates in found.items():
        told = [spread(column) for column in zip(*rates, strict=True)]
        print(f"{f'{workers} workers, {place}':32s} {told[0]:>20s} {told[1]:>20s}")
    for workers in arguments.workers:
        here, ray = (np.array(found[workers, place]) for place in ("here", "ray"))
        told = [spread(column) for column in (ray / here).T]
        print(f"{f'{workers} workers, ray to here':32s} {told[0]:>20s} {told[1]:>20s}")


def run(place: str, workers: int, folder: str, songs: int) -> tuple[float, float]:
    """Return both figures, from two runs: of all songs, and of the first few of them."""
    few = songs // 6
    start, seconds = (seconds_of(place, workers, folder, n) for n in (few, songs))
    return songs / seconds, (songs - few) / max(seconds - start, 1e-3)


def seconds_of(place: str, workers: int, folder: str, songs: int) -> float:
    """Return what adding songs takes, in a process of its own."""
    command = [sys.executable, __file__, folder, "--once", place]
    options = ["--workers", str(workers), "--songs", str(songs)]
    told = subprocess.run([*command, *options], stdout=subprocess.PIPE, check=True).stdout
    return float(told.splitlines()[-1])


def once(place: str, workers: int, files: list[str]) -> float:
    """Add files and return the seconds that it takes."""
    workplace = Here(workers, None)
    if place == "ray":
        from songprint.cluster.workplace import Cluster

        workplace = Cluster("local", workers)
    with tempfile.TemporaryDirectory() as folder:
        library = Library.open(Path(folder) / "library", create=True)
        start = time.monotonic()
        added = add_folders(library, files, workplace=workplace)
        if added.heard < len(files):
            raise SystemExit(f"{added.heard} of {len(files)} songs were heard")
        return time.monotonic() - start


def spread(values: object) -> str:
    least, median, most = np.percentile(np.asarray(values, float), (0, 50, 100))
    return f"{least:.2f} {median:.2f} {most:.2f}"


if __name__ == "__main__":
    main()
