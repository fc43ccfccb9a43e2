"""How fast ``songprint add`` is on a Ray cluster of this machine, against its own workers.

Each run is a process of its own with a new library, in turn: this machine's workers, then a cluster
that is started for the run, with as many actors. Two figures each: songs a second of all the time,
Ray's start and end included, and from when the first songs were told of until the last were, which
is what a long run comes to.

Run: python benchmarks/cluster.py FOLDER [--songs 160] [--workers 1 2] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from songprint import Library
from songprint.library.ingest import Here, Step, add_folders
from songprint.library.scan import scan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--songs", type=int, default=160)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", choices=("here", "ray"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        files = sorted(scan([arguments.folder]).files)[: arguments.songs]
        print(json.dumps(once(arguments.once, arguments.workers[0], files)))
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
    """Return both figures of a run in a process of its own."""
    command = [sys.executable, __file__, folder, "--once", place]
    options = ["--workers", str(workers), "--songs", str(songs)]
    told = subprocess.run([*command, *options], stdout=subprocess.PIPE, check=True).stdout
    all_the_time, running = json.loads(told.splitlines()[-1])
    return all_the_time, running


def once(place: str, workers: int, files: list[str]) -> tuple[float, float]:
    """Add files, and return songs a second of all the time, and once it runs."""
    workplace = Here(workers, None)
    if place == "ray":
        from songprint.cluster.workplace import Cluster

        workplace = Cluster("local", workers)
    told: list[float] = []

    def on_step(step: Step) -> None:
        if step.outcome is not None and step.outcome.heard_seconds is not None:
            told.append(time.monotonic())

    with tempfile.TemporaryDirectory() as folder:
        library = Library.open(Path(folder) / "library", create=True)
        start = time.monotonic()
        added = add_folders(library, files, workplace=workplace, on_step=on_step)
        seconds = time.monotonic() - start
    later = [at for at in told if at - told[0] > 0.5]  # than the block that was told of first
    return added.heard / seconds, len(later) / (told[-1] - told[0])


def spread(values: object) -> str:
    least, median, most = np.percentile(np.asarray(values, float), (0, 50, 100))
    return f"{least:.2f} {median:.2f} {most:.2f}"


if __name__ == "__main__":
    main()
