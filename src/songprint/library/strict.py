"""Reads a stranger's file of songs and believes nothing: every value is looked at.

What is read is what :func:`~songprint.library.portable.to_portable` writes, and nothing else.
Only some hundred songs are in memory at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from songprint.errors import PortableError
from songprint.library.catalogue import KEYS, NUMBERS, Vocabulary
from songprint.library.portable import (
    FORMAT,
    FORMAT_KEY,
    LISTS,
    MODEL_KEY,
    MOST_PATH_CHARACTERS,
    STRUCTS,
    TEXTS,
    matrix_of,
    portable_schema,
)
from songprint.library.tags import MAX_CHARACTERS

MOST_SONGS = 2_000_000
MOST_GROUPS = 5_000
MOST_GROUP_SONGS = 1 << 17
MOST_GROUP_BYTES = 512 << 20
"""Songs and row groups of a file, and songs and bytes of a row group, that are read."""

SONGS_AT_ONCE = 512
BUFFER_BYTES = 1 << 16

MOST_NAMES = 1000
MOST_NAME_CHARACTERS = 64
MOST_SECONDS = 24 * 3600.0
MOST_PLAYS = 1e9
MOST_SHOWN = 80

TOLERANCE = 1e-3
"""Of a length or a sum of one: rounding to float32 takes a thousandth of this."""

HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of control characters and of other line breaks."""

HASH = re.compile("[0-9a-f]{32}")
MODEL = re.compile("[0-9]{1,4}-[0-9a-z]{1,32}")

RANGES = {
    "tempo_bpm": (0.0, 1000.0),
    "tempo_confidence": (0.0, 1.0),
    "beat_strength": (0.0, 1.0),
    "loudness_lufs": (-300.0, 300.0),
    "loudness_range_lu": (0.0, 300.0),
    "dynamic_range_db": (-300.0, 300.0),
    "crest_factor_db": (-300.0, 300.0),
    "onset_rate_hz": (0.0, 100.0),
    "pulse_clarity": (0.0, 1.0),
    "swing": (0.0, 1.0),
    "brightness_hz": (0.0, 24_000.0),
    "rolloff_hz": (0.0, 24_000.0),
    "flatness": (0.0, 1.0),
    "percussiveness": (0.0, 1.0),
    "roughness": (0.0, 1000.0),
    "stereo_width": (0.0, 1.0),
    "key_confidence": (0.0, 1.0),
}
"""Beyond which no descriptor can be; many are far from it."""


@dataclass(frozen=True)
class Head:
    """What a file of songs says of itself.

    Attributes
    ----------
    model : str
        The model version that heard its songs.
    vocabulary : Vocabulary
        Names of its probabilities.
    songs : int
        How many there are, if it does not lie.
    """

    model: str
    vocabulary: Vocabulary
    songs: int


class StrictReader:
    """A stranger's file of songs, open.

    Parameters
    ----------
    path : Path
        What to call it.
    file : BinaryIO
        It.

    Attributes
    ----------
    head : Head
        What it says of itself.

    Raises
    ------
    PortableError
        If it is no file of songs, or another songprint's.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        try:
            self._parquet = pq.ParquetFile(
                file,
                buffer_size=BUFFER_BYTES,  # read by the page, not by the column of a row group
                pre_buffer=False,
                page_checksum_verification=True,
                arrow_extensions_enabled=False,
            )
            self._schema = self._parquet.schema_arrow
            self._schema.to_string()  # decodes all names
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._refusal("is no Parquet file, or a damaged one") from error
        self.head = self._read_head()
        self._require_schema(portable_schema(self.head.vocabulary, self.head.model))
        self._require_bounds()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the songs, some at a time, each of which was looked at.

        Raises
        ------
        PortableError
            At the first value that cannot be, by its row, counted from 1, and its column.
        """
        seen: set[bytes] = set()
        first = 1
        batches = self._parquet.iter_batches(SONGS_AT_ONCE, use_threads=False)
        while True:
            try:
                batch = next(batches, None)
                if batch is not None:
                    batch.validate(full=True)  # Arrow takes texts for UTF-8 unseen
            except MemoryError as error:  # Arrow's own is an ArrowException, too
                raise self._refusal(f"from row {first} on is too large to be read") from error
            except (pa.ArrowException, OSError, ValueError) as error:
                raise self._refusal(f"cannot be read from row {first} on: is damaged") from error
            if batch is None:
                break
            self._check(batch, first, seen)
            first += len(batch)
            yield batch
        if first - 1 != self.head.songs:
            raise self._refusal(f"has {first - 1} songs where it says {self.head.songs}")

    def _refusal(self, reason: str) -> PortableError:
        return PortableError(self._path, reason)

    def _read_head(self) -> Head:
        told = self._schema.metadata or {}
        if FORMAT_KEY not in told:
            raise self._refusal("is no file that songprint export wrote")
        if told[FORMAT_KEY] != str(FORMAT).encode():
            theirs = _shown(told[FORMAT_KEY].decode("utf-8", "replace"))
            raise self._refusal(f"its format is {theirs}, and this songprint reads {FORMAT}")
        model = told.get(MODEL_KEY, b"").decode("utf-8", "replace")
        if not MODEL.fullmatch(model):
            raise self._refusal(f"{_shown(model)} is the name of no model")
        names = (self._names(column) for column in STRUCTS)
        return Head(model, Vocabulary(*names), self._parquet.metadata.num_rows)

    def _names(self, column: str) -> tuple[str, ...]:
        kinds = [field.type for field in self._schema if field.name == column]
        if len(kinds) != 1 or not pa.types.is_struct(kinds[0]):
            raise self._refusal(f"column {column}: is not there as a struct of probabilities")
        names = tuple(field.name for field in kinds[0])
        if not 1 <= len(names) <= MOST_NAMES or len(set(names)) < len(names):
            raise self._refusal(f"column {column}: has {len(names)} names, or one of them twice")
        for name in names:
            if len(name) > MOST_NAME_CHARACTERS or not _is_line(name):
                raise self._refusal(f"column {column}: {_shown(name)} is no name")
        return names

    def _require_schema(self, expected: pa.Schema) -> None:
        for name in self._schema.names:
            if name not in expected.names or self._schema.names.count(name) > 1:
                raise self._refusal(f"column {_shown(name)}: is not one of songprint's")
        for field in expected:
            if field.name not in self._schema.names:
                raise self._refusal(f"column {field.name}: is missing")
            found = self._schema.field(field.name)
            if not found.equals(field):
                raise self._refusal(f"column {_shown(found)}: is not {_shown(field)}")

    def _require_bounds(self) -> None:
        metadata = self._parquet.metadata
        if not 1 <= metadata.num_rows <= MOST_SONGS:
            raise self._refusal(f"has {metadata.num_rows:,} songs, not 1 to {MOST_SONGS:,}")
        if metadata.num_row_groups > MOST_GROUPS:
            raise self._refusal(
                f"has {metadata.num_row_groups:,} row groups, not up to {MOST_GROUPS:,}"
            )
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            if not 0 <= group.num_rows <= MOST_GROUP_SONGS:
                raise self._refusal(
                    f"row group {number + 1} has {group.num_rows:,} songs, not up to"
                    f" {MOST_GROUP_SONGS:,}"
                )
            chunks = (group.column(column) for column in range(group.num_columns))
            n_bytes = max(group.total_byte_size, sum(c.total_uncompressed_size for c in chunks))
            if not 0 <= n_bytes <= MOST_GROUP_BYTES:
                raise self._refusal(
                    f"row group {number + 1} has {n_bytes / 1e6:,.0f} MB, not up to"
                    f" {MOST_GROUP_BYTES / 1e6:,.0f}"
                )

    def _check(self, songs: pa.RecordBatch, first: int, seen: set[bytes]) -> None:
        for column, wrong, why in _faults(songs, self.head.model):
            if wrong.any():
                row = int(wrong.argmax())
                raise self._refusal(f"row {first + row}, column {column}: {why(row)}")
        for row, content_hash in enumerate(songs["content_hash"].to_pylist()):
            digest = bytes.fromhex(content_hash)
            if digest in seen:
                raise self._refusal(
                    f"row {first + row}, column content_hash: {content_hash} was there before"
                )
            seen.add(digest)


Faults = Iterator[tuple[str, NDArray[np.bool_], Any]]
"""A column, which rows of it are wrong, and what says why for a row."""


def _faults(songs: pa.RecordBatch, model: str) -> Faults:
    for field in songs.schema:
        if not field.nullable:
            yield field.name, _nulls(songs[field.name]), lambda _: "is missing"
    yield from _text_faults(songs, model)
    yield from _number_faults(songs)
    for column in STRUCTS:
        yield from _probability_faults(songs, column)
    yield from _descriptor_faults(songs)
    for column in LISTS:
        yield from _vector_faults(songs, column)


def _text_faults(songs: pa.RecordBatch, model: str) -> Faults:
    kinds: dict[str, tuple[Callable[[str], object], str]] = {
        **dict.fromkeys(TEXTS, (_is_line, "a short line of text")),
        "path": (_is_path, "a short path within a folder"),
        "content_hash": (HASH.fullmatch, "32 hexadecimal digits"),
        "model": (model.__eq__, f"the file's model {model}"),
    }
    for column, (is_right, what) in kinds.items():
        values = songs[column].to_pylist()
        wrong = np.array([value is not None and not is_right(value) for value in values])
        yield column, wrong, lambda row, v=values, w=what: f"{_shown(v[row])} is not {w}"


def _is_line(text: str) -> bool:
    return 0 < len(text) <= MAX_CHARACTERS and text == text.strip() and _is_harmless(text)


def _is_path(path: str) -> bool:
    steps = re.split(r"[/\\]", path)
    return 0 < len(path) <= MOST_PATH_CHARACTERS and ".." not in steps and _is_harmless(path)


def _is_harmless(text: str) -> bool:
    """Tell whether nothing in a text breaks or reverses the line.

    A letter that a newer Unicode knows is harmless, although it is not printable here.
    """
    return text.isprintable() or not any(unicodedata.category(c) in HARMFUL for c in text)


def _number_faults(songs: pa.RecordBatch) -> Faults:
    for column, least, most in (
        ("year", 1000, 2999),
        ("plays", 0, MOST_PLAYS),
        ("seconds", 0, MOST_SECONDS),
    ):
        yield _range_faults(column, songs[column], least, most)


def _range_faults(
    column: str, array: pa.Array, least: float, most: float
) -> tuple[str, NDArray[np.bool_], Any]:
    values = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    wrong = ~_nulls(array) & ~((values >= least) & (values <= most))  # NaN is wrong, too
    return column, wrong, lambda row: f"{values[row]:g} is not from {least:g} to {most:g}"


def _probability_faults(songs: pa.RecordBatch, column: str) -> Faults:
    kind = songs.schema.field(column).type
    fields = songs[column].flatten()
    names = [field.name for field in kind]
    for name, field in zip(names, fields, strict=True):
        yield f"{column}.{name}", _nulls(field), lambda _: "is missing"
    values = matrix_of(songs[column])
    wrong = ~((values >= -TOLERANCE) & (values <= 1 + TOLERANCE))
    for index, name in enumerate(names):
        column_values = values[:, index]
        yield (
            f"{column}.{name}",
            wrong[:, index],
            lambda row, v=column_values: f"{v[row]:g} is no probability",
        )
    if column == "genres":
        sums = values.sum(axis=1, dtype=np.float64)
        off: NDArray[np.bool_] = np.abs(sums - 1) > TOLERANCE
        yield column, off, lambda row: f"probabilities sum to {sums[row]:.4g}, not to 1"


def _descriptor_faults(songs: pa.RecordBatch) -> Faults:
    kind = songs.schema.field("descriptors").type
    fields = dict(zip((f.name for f in kind), songs["descriptors"].flatten(), strict=True))
    for name in NUMBERS:
        yield _range_faults(f"descriptors.{name}", fields[name], *RANGES[name])
    keys, modes = fields["key"].to_pylist(), fields["mode"].to_pylist()
    known = {(None, None), *product(KEYS, ("major", "minor"))}
    wrong = np.array([named not in known for named in zip(keys, modes, strict=True)])
    yield (
        "descriptors.key",
        wrong,
        lambda row: f"{_shown(keys[row])} {_shown(modes[row])} is no key",
    )


def _vector_faults(songs: pa.RecordBatch, column: str) -> Faults:
    flat = songs[column].flatten()
    values = flat.to_numpy(zero_copy_only=False).reshape(len(songs), -1).astype(np.float64)
    missing = np.asarray(_nulls(flat).reshape(len(songs), -1).any(axis=1))
    yield column, missing, lambda _: "a number is missing"
    infinite = np.asarray(~np.isfinite(values).all(axis=1))
    yield column, infinite, lambda _: "a number is not finite"
    lengths = np.sqrt(np.square(values).sum(axis=1))
    wrong = np.asarray(np.abs(lengths - 1) > TOLERANCE)
    if column == "rhythm_pattern":  # of a song without one it is all 0
        wrong &= lengths > 0
    yield column, wrong, lambda row: f"is of length {lengths[row]:.4g}, not 1"


def _nulls(array: pa.Array) -> NDArray[np.bool_]:
    nulls: NDArray[np.bool_] = array.is_null().to_numpy(zero_copy_only=False)
    return nulls


def _shown(value: object) -> str:
    """Return a stranger's value for a line that a person reads."""
    text = str(value)
    return repr(text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…")
