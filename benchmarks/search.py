"""How fast is ``similar`` in large libraries, what does it take, what does it miss? p50, p95, MB.

Libraries of made-up songs: each lies between a real song (``shared_songs.py``) and one of its
neighbours, beyond them or beside them, in every feature, so that there are clusters, hubs and
copies as in real ones. In the same run numpy's exact product over the same columns, without hubs,
filters or reasons, is the limit that is compared to.

Run: python benchmarks/search.py [--songs 10000 100000] [--queries 200]
A million songs take some 8 GB and minutes: --songs 1000000
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shared_songs import shared_songs
from songprint.kinship.distance import Weights
from songprint.kinship.neighbours import Kinship, nearest
from songprint.kinship.station import grow
from songprint.library.catalogue import Catalogue

ACROSS = 0.35
BESIDE = 0.3
AT_ONCE = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--queries", type=int, default=200)
    arguments = parser.parse_args()
    real = shared_songs().catalogue
    for songs in arguments.songs:
        measure(made_up(real, songs), arguments.queries)


def made_up(real: Catalogue, songs: int, seed: int = 0) -> Catalogue:
    """Return a catalogue of songs between real ones."""
    kinship = Kinship(real)
    near = np.array([[n.row for n in kinship.neighbours(row, 10)] for row in range(len(real))])
    rng = np.random.default_rng(seed)
    one = rng.integers(len(real), size=songs)
    other = near[one, rng.integers(near.shape[1], size=songs)]
    share = rng.normal(0.0, ACROSS, songs).astype(np.float32)

    def between(column: NDArray[np.float32], noise: float) -> NDArray[np.float32]:
        spread = noise * np.nan_to_num(np.ma.masked_invalid(column).std(axis=0).filled(0.0))
        rows = np.empty((songs, *column.shape[1:]), np.float32)
        for start in range(0, songs, AT_ONCE):
            piece = slice(start, start + AT_ONCE)
            t = share[piece].reshape(-1, *[1] * (column.ndim - 1))
            a, b = column[one[piece]], column[other[piece]]
            luck = rng.standard_normal(a.shape, dtype=np.float32)
            rows[piece] = a + t * (b - a) + spread * luck
        return rows

    def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return rows

    genres = np.maximum(between(real.genres, 0.02), 1e-4)
    genres /= genres.sum(axis=1, keepdims=True)
    numbers = between(real.numbers, 0.1)
    numbers = np.clip(numbers, np.fmin.reduce(real.numbers), np.fmax.reduce(real.numbers))
    opinions = {
        name: np.clip(between(getattr(real, name), 0.1), 0.0, 1.0)
        for name in ("eras", "moods", "styles", "instruments")
    }
    names = np.array([f"{i:032x}" for i in range(songs)])
    artists = [f"artist {i}" for i in rng.integers(max(songs // 12, 1), size=songs)]
    return replace(
        real.take(one),
        hashes=names,
        embeddings=unit(between(real.embeddings, BESIDE)),
        genres=genres,
        numbers=numbers,
        patterns=unit(between(real.patterns, BESIDE)),
        artists=np.array(artists, object),
        titles=names.astype(object),
        paths=names.astype(object),
        **opinions,
    )


def measure(catalogue: Catalogue, queries: int) -> None:
    songs = len(catalogue)
    start = time.perf_counter()
    kinship = Kinship(catalogue)
    built = time.perf_counter() - start
    start = time.perf_counter()
    kinship.prepare()
    prepared = time.perf_counter() - start
    columns = kinship.space.columns
    print(f"\n{songs:,} songs in {columns.shape[1]} columns, {columns.nbytes / 1e6:,.0f} MB")
    print(f"laid out in {built:.1f} s, prepared in {prepared:.1f} s; peak {peak_mb():,.0f} MB")
    seeds = np.random.default_rng(1).choice(songs, queries, replace=False)
    rows = kinship.space.queries(seeds).coefficients * 0.2

    def product(i: int) -> object:
        return nearest(columns @ rows[i], 10)

    def similar(i: int) -> object:
        return kinship.neighbours(int(seeds[i]), 10)

    dance = Weights(beat=1.0, rhythm=0.7)

    def weighted(i: int) -> object:
        return kinship.neighbours(int(seeds[i]), 10, dance, artist_cap=1)

    def station(i: int) -> object:
        return grow(kinship, [int(seeds[i])])

    limit = None
    print(f"{'ms':38s}    p50     p95   of numpy's p50")
    for name, run, count in (
        ("numpy's product and partition", product, queries),
        ("similar, ten neighbours with reasons", similar, queries),
        ("similar, other weights, artist cap 1", weighted, queries),
        ("station of 25 songs", station, max(queries // 10, 10)),
    ):
        p50, p95 = timed(run, count)
        limit = limit or p50
        print(f"{name:38s} {p50:6.1f}  {p95:6.1f}   {p50 / limit:6.2f}")
    del catalogue


def timed(run: Callable[[int], object], count: int) -> tuple[float, float]:
    """Return the median and the 95th percentile of times in ms, after a first that warms up."""
    times = []
    for i in range(-1, count):
        start = time.perf_counter()
        run(max(i, 0))
        times.append(1e3 * (time.perf_counter() - start))
    p50, p95 = np.percentile(times[1:], (50, 95))
    return float(p50), float(p95)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
