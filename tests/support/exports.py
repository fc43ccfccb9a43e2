"""Files of songs as strangers may write them: good ones, and every kind of bad one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from songprint.library.portable import FORMAT_KEY

Change = Callable[[dict[str, list[Any]]], None]


def rewritten(good: Path, bad: Path, change: Change) -> Path:
    """Write a file of songs again, some of its values changed."""
    table = pq.read_table(good)
    columns = table.to_pydict()
    change(columns)
    pq.write_table(pa.table(columns, schema=table.schema), bad)
    return bad


def retyped(good: Path, bad: Path, column: str, kind: pa.DataType) -> Path:
    """Write a file of songs again, one column as nothing but nulls of another type."""
    table = pq.read_table(good)
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, pa.nulls(len(table), kind)), bad)
    return bad


def renamed(good: Path, bad: Path, names: dict[str, str]) -> Path:
    """Write a file of songs again, some of its columns with other names."""
    table = pq.read_table(good)
    strange = table.rename_columns([names.get(name, name) for name in table.column_names])
    pq.write_table(strange.replace_schema_metadata(table.schema.metadata), bad)
    return bad


def remarked(good: Path, bad: Path, metadata: dict[bytes, str]) -> Path:
    """Write a file of songs again that says other things of itself."""
    table = pq.read_table(good)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, **metadata}), bad)
    return bad


def in_groups_of(good: Path, bad: Path, songs: int, times: int) -> Path:
    """Write the songs of a file so many times over, so many to a row group."""
    table = pa.concat_tables([pq.read_table(good)] * times)
    pq.write_table(table, bad, row_group_size=songs)
    return bad


def with_one_text(good: Path, bad: Path, column: str, n_bytes: int) -> Path:
    """Write a file in which every song has the same long text, which takes next to no space."""
    table = pq.read_table(good)
    text = pa.DictionaryArray.from_arrays(pa.array([0] * len(table)), pa.array(["a" * n_bytes]))
    bomb = table.set_column(table.schema.get_field_index(column), column, text)
    schema = pq.ParquetFile(good).metadata.metadata[b"ARROW:schema"]  # which says: a plain text
    with pq.ParquetWriter(
        bad,
        bomb.schema,
        compression="zstd",
        dictionary_pagesize_limit=2 * n_bytes,
        store_schema=False,
    ) as writer:
        writer.write_table(bomb)
        writer.add_key_value_metadata({"ARROW:schema": schema})
    return bad


STRANGE_METADATA = (
    ({FORMAT_KEY: "2"}, "its format is '2', and this songprint reads 1"),
    ({FORMAT_KEY: "\x1b[31m1"}, "its format is"),
    ({b"songprint_model": "2-../../x"}, "is the name of no model"),
    ({b"songprint_model": ""}, "is the name of no model"),
)


def hang(*_: object) -> None:
    """Stand in for a reader that never answers."""
    time.sleep(60)


def die(*_: object) -> None:
    """Stand in for a reader that its file kills."""
    os.kill(os.getpid(), 9)
