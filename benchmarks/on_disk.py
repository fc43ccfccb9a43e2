"""What ``similar --on-disk`` misses, takes and needs, against every song judged in memory.

Made-up songs (as in ``search.py``) are written as a library; the index is made, and asked for the
kin of songs, whose ten are compared with those of :class:`~songprint.kinship.neighbours.Kinship`
over the whole library, all songs judged.

Run: python benchmarks/on_disk.py [--songs 100000] [--queries 100]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time

import numpy as np

from made_up_rows import rows_of
from search import made_up, nearest, peak_mb, resident_mb, shared_songs, timed
from songprint import Library
from songprint.kinship.distance import DEFAULT_WEIGHTS, Weights
from songprint.kinship.neighbours import COPIES, Kinship
from songprint.kinship.ondisk import KinshipIndex
from songprint.library.catalogue import Catalogue

COUNTS = (100, 300, 1000, 3000)
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=100)
    arguments = parser.parse_args()
    songs = made_up(shared_songs().catalogue, arguments.songs)
    with tempfile.TemporaryDirectory() as folder:
        library = Library.open(folder, create=True)
        with library.writing() as writer:
            writer.put_model(songs.model, songs.vocabulary)
            writer.add_songs(batch for rows in rows_of(songs) for batch in rows.to_batches())
        measure(library, songs, arguments.queries)


def measure(library: Library, songs: Catalogue, queries: int) -> None:
    index = KinshipIndex(library)
    before, start = library.n_bytes(), time.perf_counter()
    index.update()
    built = time.perf_counter() - start
    taken = (library.n_bytes() - before) / len(songs)
    print(f"{len(songs):,} songs: index made in {built:.0f} s, {taken:,.0f} bytes a song")
    start = time.perf_counter()
    index.update()
    print(f"nothing new: {time.perf_counter() - start:.2f} s; resident {resident_mb():,.0f} MB")
    for options in (["--on-disk"], []):
        start, song = time.perf_counter(), str(songs.hashes[0])
        command = [sys.executable, "-m", "songprint", "similar", "--json", song, *options]
        # By a process in between: what is forked begins with the peak of whom it was forked from.
        looking = [sys.executable, "-c", PEAK, *command, "--library", str(library.path)]
        peak = int(subprocess.run(looking, stdout=subprocess.PIPE, check=True).stdout) / 1024
        seconds = time.perf_counter() - start
        print(f"songprint {' '.join(['similar', *options])}: {seconds:.1f} s, {peak:,.0f} MB")
    seeds = np.random.default_rng(1).choice(len(songs), queries, replace=False)
    kinship = Kinship(songs)
    kinship.prepare()
    for name, weights in (
        ("default weights", DEFAULT_WEIGHTS),
        ("beat 1, rhythm 0.7", Weights(beat=1.0, rhythm=0.7)),
        ("beat 1, genre 0", Weights(beat=1.0, genre=0.0)),
    ):
        exact = {int(seed): best(kinship, int(seed), weights) for seed in seeds}
        print(f"recall of ten, {name}: candidates, all that the exact ten have; judged, ours")
        for count in COUNTS:
            inside, scaled, plain = [], [], []
            for seed, truth in exact.items():
                found = index.candidates(songs.take([seed]), count)
                near = library.catalogue(found)
                inside.append(len(truth & set(found)) / 10)
                for correct, results in ((True, scaled), (False, plain)):
                    judge = Kinship(near, correct_hubs=correct)
                    ours = judge.neighbours(near.index(str(songs.hashes[seed])), 10, weights)
                    results.append(len(truth & {str(near.hashes[n.row]) for n in ours}) / 10)
            means = "  ".join(f"{np.mean(some):.3f}" for some in (inside, scaled, plain))
            print(f"  {count:5d} candidates: inside, judged scaled, judged unscaled  {means}")

    def ask(i: int) -> object:
        one = songs.take([int(seeds[i])])
        near = library.catalogue(index.candidates(one))
        return Kinship(near).neighbours(near.index(str(one.hashes[0])), 10)

    p50, p95, *_ = timed(ask, queries)
    print(f"ask, judge and explain: p50 {p50:.0f} ms, p95 {p95:.0f} ms; peak {peak_mb():,.0f} MB")


def best(kinship: Kinship, seed: int, weights: Weights) -> set[str]:
    """Return the ten kin of a song, every song judged."""
    raw = kinship.space.distances(kinship.space.queries([seed]), weights)[0]
    raw[seed] = np.inf
    near = nearest(raw, COPIES)
    raw[near[kinship.same_recording(np.array([seed]), near)[0]]] = np.inf
    scaled = kinship.scaled(raw, np.arange(len(kinship)), weights)
    return {str(kinship.catalogue.hashes[row]) for row in nearest(scaled, 10)}


if __name__ == "__main__":
    main()
