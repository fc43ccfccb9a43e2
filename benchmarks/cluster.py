"""How fast ``songprint add`` is on a Ray cluster of this machine, against its own workers.

Each run is a process of its own with a new library, in turn: this machine's workers, then a cluster
that is started for the run, with as many actors. Two figures each: songs a second of all the time,
its start and end included, and what more songs come to, by the fastest run of all of them and of a
sixth: the rate of a long run. Ray's workers are here as nice to others as ours are, which is not at
all: by Ray's default (``RAY_worker_niceness``, 15) they wait for whatever else the machine does.

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
from songprint.library.pool import WorkerPool
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
    few = arguments.songs // 6
    took: dict[tuple[str, int, int], list[float]] = {}
    for _ in range(arguments.rounds):
        for workers in arguments.workers:
            for songs in (few, arguments.songs):
                for place in ("here", "ray"):
                    seconds = seconds_of(place, workers, arguments.folder, songs)
                    took.setdefault((place, workers, songs), []).append(seconds)
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"{arguments.songs} songs, {arguments.rounds} rounds, {cores} cores, load {load:.1f}")
    print("songs a second                 all the time: least, median, most   a song more, at best")
    for workers in arguments.workers:
        more = []
        for place in ("here", "ray"):
            all_songs = np.array(took[place, workers, arguments.songs])
            least, median, most = np.percentile(arguments.songs / all_songs, (0, 50, 100))
            seconds = all_songs.min() - min(took[place, workers, few])
            more.append((arguments.songs - few) / seconds)
            told = f"{least:6.2f} {median:6.2f} {most:6.2f}"
            print(f"{workers} workers, {place:24s} {told:>34s} {more[-1]:23.2f}")
        print(f"{workers} workers, ray to here {'':35s} {more[1] / more[0]:23.2f}")


def seconds_of(place: str, workers: int, folder: str, songs: int) -> float:
    """Return what adding songs takes, in a process of its own."""
    command = [sys.executable, __file__, folder, "--once", place]
    options = ["--workers", str(workers), "--songs", str(songs)]
    told = subprocess.run([*command, *options], stdout=subprocess.PIPE, check=True).stdout
    return float(told.splitlines()[-1])


def once(place: str, workers: int, files: list[str]) -> float:
    """Add files and return the seconds that it takes."""
    workplace = Here(WorkerPool(workers))
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


if __name__ == "__main__":
    main()
