"""How fast are songs imported and exported, and in how much memory? songs/s, MB.

A file of made-up songs, as ``songprint export`` writes it, is imported into a new library, and
exported again. In the same run PyArrow alone reads the file and writes it again: the limit.

Run: python benchmarks/portable.py [--songs 100000]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from songprint import Library, export_songs, import_songs
from songprint.fingerprints import default_fingerprinter
from songprint.library.catalogue import NUMBERS
from songprint.library.exporting import GROUP_SONGS
from songprint.library.portable import LISTS, names_of, portable_schema
from songprint.library.schema import vocabulary_of_taxonomy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=100_000)
    songs = parser.parse_args().songs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = made_up_file(folder / "made-up.parquet", songs)
        print(f"{songs:,} songs, {file.stat().st_size / songs:,.0f} bytes each")
        read = timed(lambda: [None for _ in pq.ParquetFile(file).iter_batches(512)])
        library = Library.open(folder / "library", create=True)
        memory = Memory()
        imported = timed(lambda: import_songs(library, file))
        print(
            f"import: {songs / imported:,.0f} songs/s, {imported / read:.1f} times PyArrow's"
            f" reading, {memory.own_mb:,.0f} MB, its reader {memory.reader_mb:,.0f} MB"
        )
        library.table("songs").update(values={"imported": False})
        table = pq.read_table(file)
        written = timed(lambda: pq.write_table(table, folder / "again.parquet", compression="zstd"))
        exported = timed(lambda: export_songs(library, folder / "exported.parquet"))
        print(
            f"export: {songs / exported:,.0f} songs/s,"
            f" {exported / written:.1f} times PyArrow's writing"
        )


def made_up_file(path: Path, songs: int) -> Path:
    vocabulary, model = vocabulary_of_taxonomy(), default_fingerprinter().model_version
    schema = portable_schema(vocabulary, model)
    rng = np.random.default_rng(0)
    with pq.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=["model"], write_page_checksum=True
    ) as writer:
        for start in range(0, songs, GROUP_SONGS):
            numbers = range(start, min(start + GROUP_SONGS, songs))
            n = len(numbers)
            columns: dict[str, pa.Array] = {
                "title": pa.array([f"song {number}" for number in numbers]),
                "seconds": pa.array(rng.uniform(60, 300, n), pa.float32()),
                "content_hash": pa.array([f"{number:032x}" for number in numbers]),
                "model": pa.array([model] * n),
                "unsure": pa.array([False] * n),
            }
            for column, names in names_of(vocabulary).items():
                p = rng.dirichlet(np.ones(len(names)), n).astype(np.float32)
                columns[column] = struct(schema, column, list(p.T))
            values = rng.uniform(0, 1, (len(NUMBERS), n)).astype(np.float32)
            columns["descriptors"] = struct(
                schema, "descriptors", [*values, [None] * n, [None] * n]
            )
            for column, width in LISTS.items():
                vectors = rng.standard_normal((n, width)).astype(np.float32)
                vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
                kind = schema.field(column).type
                columns[column] = pa.FixedSizeListArray.from_arrays(vectors.reshape(-1), type=kind)
            rows = [columns.get(f.name, pa.nulls(n, f.type)) for f in schema]
            writer.write_batch(pa.RecordBatch.from_arrays(rows, schema=schema))
    return path


def struct(schema: pa.Schema, column: str, values: list[object]) -> pa.Array:
    fields = list(schema.field(column).type)
    arrays = [pa.array(v, f.type) for v, f in zip(values, fields, strict=True)]
    return pa.StructArray.from_arrays(arrays, fields=fields)


class Memory:
    """Watches this process and the one that reads."""

    def __init__(self) -> None:
        self.own_mb = self.reader_mb = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        process = psutil.Process()
        while True:
            self.own_mb = max(self.own_mb, process.memory_info().rss / 1e6)
            for child in process.children():
                try:
                    self.reader_mb = max(self.reader_mb, child.memory_info().rss / 1e6)
                except psutil.NoSuchProcess:
                    continue
            time.sleep(0.02)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
