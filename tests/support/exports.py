"""Files of songs as strangers may write them: good ones, and every kind of bad one."""

from __future__ import annotations

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
    pq.write_table(table.rename_columns([names.get(n, n) for n in table.column_names]), bad)
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


def with_one_song_of(good: Path, bad: Path, column: str, n_bytes: int) -> Path:
    """Write a file in which a text of so many bytes takes next to none, and every song has it."""
    table = pq.read_table(good)
    text = pa.DictionaryArray.from_arrays(pa.array([0] * len(table)), pa.array(["a" * n_bytes]))
    at = table.schema.get_field_index(column)
    bomb = table.set_column(at, pa.field(column, pa.string()), text.cast(pa.string()))
    pq.write_table(bomb, bad, compression="zstd", dictionary_pagesize_limit=2 * n_bytes)
    return bad


STRANGE_METADATA = (
    ({FORMAT_KEY: "2"}, "its format is '2', and this songprint reads 1"),
    ({FORMAT_KEY: "\x1b[31m1"}, "its format is"),
    ({b"songprint_model": "2-../../x"}, "is the name of no model"),
    ({b"songprint_model": ""}, "is the name of no model"),
)
