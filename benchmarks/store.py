"""What does a large library cost? Bytes a song, time and memory to load it, time to change it.

The songs are made up: embeddings, probabilities and patterns are noise, so that nothing of them
compresses, and titles, artists and paths are as long as usual. What reads runs in a process of its
own, so that its memory is its own.

Run: python benchmarks/store.py [--songs 100000]
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import lancedb
import numpy as np
import pyarrow as pa

from songprint import Library
from songprint.library import writer as library_writer
from songprint.library.schema import SONGS, VECTORS, FileRow, song_record, vocabulary_of
from songprint.library.tags import SongTags
from support.shelves import NOW, made_up_hash, made_up_song

SONGS_AT_ONCE = 20_000
SONGS_OF_A_BATCH = 64


def made_up_songs(numbers: range, rng: np.random.Generator) -> pa.Table:
    """Return rows of songs that differ in all that is large."""
    n = len(numbers)
    one = song_record(made_up_song(0), SongTags("", "", "", None, 1990), "", NOW)
    table = pa.Table.from_pylist([one], schema=SONGS).take(pa.array([0] * n))
    texts = {
        "content_hash": [made_up_hash(number) for number in numbers],
        "path": [
            f"/home/somebody/Music/Artist {number // 30}/Album {number // 12}/{number}.mp3"
            for number in numbers
        ],
        "title": [f"A song of number {number}" for number in numbers],
        "artist": [f"Artist {number // 30}" for number in numbers],
        "album": [f"Album {number // 12}" for number in numbers],
    }
    texts["words"] = [
        f"{title} {artist} {album}"
        for title, artist, album in zip(
            texts["title"], texts["artist"], texts["album"], strict=True
        )
    ]
    columns: dict[str, Any] = {name: pa.array(values) for name, values in texts.items()}
    for name in ("embedding", "pattern"):
        values = rng.standard_normal((n, SONGS.field(name).type.list_size)).astype(np.float32)
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        columns[name] = pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
    for name in VECTORS:
        width = len(one[name])
        ends = pa.array(np.arange(n + 1, dtype=np.int32) * width)
        columns[name] = pa.ListArray.from_arrays(ends, rng.random(n * width).astype(np.float32))
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return table.cast(SONGS)


def fill(library: Library, songs: int) -> None:
    rng = np.random.default_rng(0)
    with library.writing() as writer:
        writer.put_model("2-test", vocabulary_of(made_up_song(0)))
        for start in range(0, songs, SONGS_AT_ONCE):
            table = made_up_songs(range(start, min(start + SONGS_AT_ONCE, songs)), rng)
            writer.put_songs(table)
            pairs = zip(table["path"].to_pylist(), table["content_hash"].to_pylist(), strict=True)
            writer.put_files(
                [FileRow(path, song, 5_000_000, 1, None, None, NOW) for path, song in pairs]
            )
        writer.tidy()


def timed(what: str, do: Callable[[], Any], rounds: int = 5) -> Any:
    """Do something several times; print how long it takes, and how long the CPU: the medians."""
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        result = do()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    wall, cpu = (1000 * float(np.median(seconds)) for seconds in (walls, cpus))
    print(f"{what:<44} {wall:8.1f} ms {cpu:8.1f} ms of CPU")
    return result


def memory_mib(name: str) -> float:
    """Return what Linux says of this process; getrusage would tell of the one that started it."""
    found = re.search(rf"^{name}:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else float("nan")


def read(place: str) -> None:
    library = timed("open", lambda: Library.open(place))
    before = memory_mib("VmRSS")
    catalogue = timed("catalogue, the first time", library.catalogue, 1)
    print(f"{'memory of the process without it':<44} {before:8.1f} MiB")
    print(f"{'with it, at most':<44} {memory_mib('VmHWM'):8.1f} MiB")
    arrays = sum(getattr(column, "nbytes", 0) for column in vars(catalogue).values())
    print(f"{'of which its arrays':<44} {arrays / 2**20:8.1f} MiB")
    path = str(catalogue.paths[len(catalogue) // 2])
    timed("row_of a path", lambda: library.row_of(path))
    timed("find by SQL, one song", lambda: library.find("title = 'A song of number 7'"))
    timed("find by words, 30 songs", lambda: library.find(text="artist 77"))
    timed("len", lambda: len(library))


def change(library: Library) -> None:
    songs = [made_up_song(10_000_000 + number) for number in range(SONGS_OF_A_BATCH)]
    records = [
        song_record(song, SongTags("T", "A"), f"/new/{song.content_hash}.mp3", NOW)
        for song in songs
    ]
    files = [
        FileRow(record["path"], record["content_hash"], 1, 1, None, None, NOW) for record in records
    ]
    with library.writing() as writer:
        timed(f"write {SONGS_OF_A_BATCH} songs", lambda: writer.put_songs(records))
        timed("and their files", lambda: writer.put_files(files))
        moved = [replace(file, changed=NOW + timedelta(1)) for file in files]
        timed("write the files again", lambda: writer.put_files(moved))
        timed("tidy", writer.tidy, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=100_000)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        read(arguments.read)
        return
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f};"
        f" Python {platform.python_version()}, lancedb {lancedb.__version__}"
    )
    library_writer.OLD_VERSIONS = timedelta(0.5 / 86400)  # so that the size is that of the songs
    with tempfile.TemporaryDirectory() as place:
        library = Library.open(place, create=True)
        fill(library, arguments.songs)
        time.sleep(1)
        with library.writing() as writer:
            writer.tidy()
        for name in ("songs", "files"):
            pieces = (Path(place) / f"{name}.lance").rglob("*")
            size = sum(piece.stat().st_size for piece in pieces if piece.is_file())
            print(f"{name + ', bytes each':<44} {size / arguments.songs:8.1f}")
        subprocess.run([sys.executable, __file__, "--read", place], check=True)
        change(library)


if __name__ == "__main__":
    main()
