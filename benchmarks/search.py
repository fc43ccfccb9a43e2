"""How fast is ``similar`` in large libraries, what does it take, what does it miss? p50, p95, MB.

Libraries of made-up songs: each lies between a real song (``shared_songs.py``) and one of its
neighbours, beyond them or beside them, in every feature, so that there are clusters, hubs and
copies as in real ones. In the same run numpy's exact product over the same columns, without hubs,
filters or reasons, is the limit that is compared to.

Run: python benchmarks/search.py [--songs 10000 100000] [--queries 200] [--rivals]
A million songs take some 8 GB and minutes: --songs 1000000. With ``--rivals`` the indices of
usearch, if it is installed, and LanceDB are built over the same songs.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import psutil
from numpy.typing import NDArray

from shared_songs import shared_songs
from songprint.kinship.distance import DEFAULT_WEIGHTS, Weights
from songprint.kinship.neighbours import COPIES, Kinship, nearest
from songprint.kinship.station import grow
from songprint.library.catalogue import Catalogue

ACROSS = 0.35
BESIDE = 0.3
AT_ONCE = 50_000

Teller = Callable[[str, float, Callable[[int], list[int]]], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rivals", action="store_true", help="usearch and LanceDB, too")
    arguments = parser.parse_args()
    real = shared_songs().catalogue
    for songs in arguments.songs:
        measure(made_up(real, songs), arguments.queries, arguments.rivals)


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


def measure(catalogue: Catalogue, queries: int, rivals: bool) -> None:
    songs = len(catalogue)
    start = time.perf_counter()
    kinship = Kinship(catalogue)
    built = time.perf_counter() - start
    start = time.perf_counter()
    kinship.prepare()
    prepared = time.perf_counter() - start
    columns = kinship.space.columns
    print(f"\n{songs:,} songs in {columns.shape[1]} columns, {columns.nbytes / 1e6:,.0f} MB")
    print(f"laid out in {built:.1f} s, prepared in {prepared:.1f} s;", end=" ")
    print(
        f"resident {resident_mb():,.0f} MB, peak {peak_mb():,.0f} MB with the making of the songs"
    )
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

    print(f"{'ms':38s}    p50     p95   of numpy's p50   processor: p50     p95")
    limit = None
    for name, run, count in (
        ("numpy's product and partition", product, queries),
        ("similar, ten neighbours with reasons", similar, queries),
        ("similar, other weights, artist cap 1", weighted, queries),
        ("station of 25 songs", station, max(queries // 10, 10)),
    ):
        p50, p95, busy50, busy95 = timed(run, count)
        limit = limit or p50
        busy = f"{busy50:15.1f}  {busy95:6.1f}"
        print(f"{name:38s} {p50:6.1f}  {p95:6.1f}   {p50 / limit:14.2f} {busy}")
    found = [[near.row for near in kinship.neighbours(int(seed), 10)] for seed in seeds]
    print(f"recall of ten against all songs judged: {recall(kinship, seeds, found):.4f}")
    if rivals:
        measure_rivals(kinship, seeds)


def recall(kinship: Kinship, seeds: NDArray[np.intp], found: list[list[int]]) -> float:
    """Return which share of the truly nearest is found, copies of the recording aside."""
    everything = np.arange(len(kinship))
    hits = []
    for seed, rows in zip(seeds, found, strict=True):
        raw = kinship.space.distances(kinship.space.queries([seed]))[0]
        raw[seed] = np.inf
        near = nearest(raw, COPIES)
        raw[near[kinship.same_recording(np.array([seed]), near)[0]]] = np.inf
        scaled = kinship.scaled(raw, everything, DEFAULT_WEIGHTS)
        hits.append(len(set(nearest(scaled, len(rows)).tolist()) & set(rows)) / len(rows))
    return float(np.mean(hits))


def measure_rivals(kinship: Kinship, seeds: NDArray[np.intp]) -> None:
    """Measure indices of others on the same coordinates: no weights, hubs, filters or reasons."""
    points = np.ascontiguousarray(kinship.space.points())
    exact = []
    for seed in seeds:
        squares = np.square(points - points[seed]).sum(axis=1)
        exact.append(set(nearest(squares, 11)[1:].tolist()))

    def tell(name: str, built: float, find: Callable[[int], list[int]]) -> None:
        p50, p95, *_ = timed(find, len(seeds))
        rows = [[row for row in find(i) if row != seed][:10] for i, seed in enumerate(seeds)]
        share = np.mean([len(truth & set(r)) / 10 for truth, r in zip(exact, rows, strict=True)])
        print(f"{name:38s} {p50:6.1f}  {p95:6.1f}   recall {share:.4f}  built in {built:.0f} s")

    measure_usearch(points, seeds, tell)
    measure_lancedb(points, seeds, tell)


def measure_usearch(points: NDArray[np.float32], seeds: NDArray[np.intp], tell: Teller) -> None:
    try:
        from usearch.index import Index, search
    except ImportError:
        print("usearch is not installed: left out")
        return

    def exact(i: int) -> list[int]:
        return search(points, points[seeds[i]], 11, "l2sq", exact=True).keys.tolist()

    tell("usearch, exact", 0.0, exact)
    for kind in ("f16", "i8"):
        start = time.perf_counter()
        index = Index(ndim=points.shape[1], metric="l2sq", dtype=kind)
        index.add(np.arange(len(points)), points)
        built = time.perf_counter() - start

        def find(i: int, index: Index = index) -> list[int]:
            return index.search(points[seeds[i]], 11).keys.tolist()

        tell(f"usearch, HNSW of {kind}", built, find)


def measure_lancedb(points: NDArray[np.float32], seeds: NDArray[np.intp], tell: Teller) -> None:
    import lancedb
    import pyarrow as pa
    from lancedb.index import IvfPq

    width = points.shape[1] // 8 * 8  # what its product quantisation divides
    with tempfile.TemporaryDirectory() as folder:
        values = pa.array(points[:, :width].ravel())
        table = pa.table({"vector": pa.FixedSizeListArray.from_arrays(values, width)})
        table = table.append_column("row", pa.array(np.arange(len(points))))
        songs = lancedb.connect(folder).create_table("songs", table)
        start = time.perf_counter()
        songs.create_index("vector", config=IvfPq(distance_type="l2"))
        built = time.perf_counter() - start

        def find(i: int) -> list[int]:
            query = songs.search(points[seeds[i], :width]).nprobes(20).refine_factor(10)
            return query.select(["row", "_distance"]).limit(11).to_arrow()["row"].to_pylist()

        tell("LanceDB, IVF_PQ, refined", built, find)


def timed(run: Callable[[int], object], count: int) -> tuple[float, ...]:
    """Return the median and the 95th percentile of times in ms, after a first that warms up.

    First of the clock, then of the processor, which other work on the machine delays less.
    """
    times = []
    for i in range(-1, count):
        start, busy = time.perf_counter(), time.process_time()
        run(max(i, 0))
        times.append((1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - busy)))
    found = np.percentile(times[1:], (50, 95), axis=0)
    return tuple(float(value) for value in found.T.ravel())


def resident_mb() -> float:
    return psutil.Process().memory_info().rss / 2**20


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
