"""What a stranger's file may not be: each fault in one line, and the library as it was."""

from __future__ import annotations

import io
import math
import os
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from songprint import Library
from songprint.errors import PortableError
from songprint.fingerprints import default_fingerprinter
from songprint.library import importing, strict
from songprint.library.exporting import export_songs
from songprint.library.importing import import_songs
from songprint.library.strict import StrictReader
from support.exports import (
    STRANGE_METADATA,
    die,
    hang,
    in_groups_of,
    remarked,
    renamed,
    retyped,
    rewritten,
    with_one_text,
)
from support.kin import kin_library

CURRENT = default_fingerprinter().model_version
BAD_ROW = 5


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of eight songs as songprint writes it."""
    folder = tmp_path_factory.mktemp("good")
    library = kin_library(folder / "library", each=2, model=CURRENT)
    return export_songs(library, folder / "good.parquet").path


def refusal(file: Path) -> str:
    """Read a file to its end, which must be refused, and return why."""
    with pytest.raises(PortableError) as refused, file.open("rb") as opened:
        for _ in StrictReader(file, opened).batches():
            pass
    line = str(refused.value)
    assert line.startswith(f"{file}: ")
    assert line.isprintable()
    assert len(line) < 500 + len(str(file))
    return refused.value.reason


def read(data: bytes) -> list[dict[str, Any]]:
    reader = StrictReader(Path("some.parquet"), io.BytesIO(data))
    return [song for batch in reader.batches() for song in batch.to_pylist()]


def test_a_good_file_is_read_as_it_is(good: Path) -> None:
    assert read(good.read_bytes()) == pq.read_table(good).to_pylist()


def cell(column: str, value: Any) -> Callable[[dict[str, list[Any]]], None]:
    """Return what puts a value into a column, or a field of one, of the bad row."""

    def change(columns: dict[str, list[Any]]) -> None:
        name, _, field = column.partition(".")
        if field:
            columns[name][BAD_ROW - 1] = {**columns[name][BAD_ROW - 1], field: value}
        else:
            columns[name][BAD_ROW - 1] = value

    return change


LONG = "a" * 301
VALUES = [
    ("title", LONG, "is not a short line of text"),
    ("artist", "two\nlines", "is not a short line of text"),
    ("album", "\x1b]0;mine\x07", "is not a short line of text"),
    ("album_artist", "abc\u202egpj", "is not a short line of text"),
    ("title", "", "is not a short line of text"),
    ("title", " spaced ", "is not a short line of text"),
    ("path", "../../etc/passwd", "is not a short path within a folder"),
    ("path", "a\\..\\b", "is not a short path within a folder"),
    ("path", "a\0b", "is not a short path within a folder"),
    ("path", "a/" * 3000, "is not a short path within a folder"),
    ("content_hash", "0" * 31, "is not 32 hexadecimal digits"),
    ("content_hash", "' or 1=1 --" + "0" * 21, "is not 32 hexadecimal digits"),
    ("content_hash", "A" * 32, "is not 32 hexadecimal digits"),
    ("model", "9-other", "is not the file's model"),
    ("year", 3000, "3000 is not from 1000 to 2999"),
    ("year", -1, "-1 is not from 1000 to 2999"),
    ("seconds", math.nan, "nan is not from 0 to 86400"),
    ("seconds", -1.0, "-1 is not from 0 to 86400"),
    ("seconds", math.inf, "inf is not from 0 to 86400"),
    ("plays", math.inf, "inf is not from 0 to 1e+09"),
    ("genres.jazz", math.nan, "nan is no probability"),
    ("genres.jazz", 1.5, "1.5 is no probability"),
    ("era.70s", -0.5, "-0.5 is no probability"),
    ("instruments.guitar", math.inf, "inf is no probability"),
    ("descriptors.tempo_bpm", math.nan, "nan is not from 0 to 1000"),
    ("descriptors.loudness_lufs", 1e30, "1e+30 is not from -300 to 300"),
    ("descriptors.key", "H", "'H' 'minor' is no key"),
    ("descriptors.key", None, "'None' 'minor' is no key"),
    ("descriptors.mode", "dorian", "'A' 'dorian' is no key"),
    ("embedding", [0.0] * 256, "is of length 0, not 1"),
    ("embedding", [1.0] * 256, "is of length 16, not 1"),
    ("embedding", [math.nan] * 256, "a number is not finite"),
    ("embedding", [3e38] * 256, "is of length"),
    ("rhythm_pattern", [math.inf] + [0.0] * 79, "a number is not finite"),
    ("rhythm_pattern", [0.5] + [0.0] * 79, "is of length 0.5, not 1"),
]


@pytest.mark.parametrize(("column", "value", "why"), VALUES)
def test_a_value_that_cannot_be_is_refused_by_row_and_column(
    good: Path, tmp_path: Path, column: str, value: Any, why: str
) -> None:
    said = refusal(rewritten(good, tmp_path / "bad.parquet", cell(column, value)))
    named = "descriptors.key" if column == "descriptors.mode" else column
    assert said.startswith(f"row {BAD_ROW}, column {named}: ")
    assert why in said


def test_probabilities_of_genres_must_sum_to_one(good: Path, tmp_path: Path) -> None:
    def halve(columns: dict[str, list[Any]]) -> None:
        genres = columns["genres"][2]
        columns["genres"][2] = {name: p / 2 for name, p in genres.items()}

    said = refusal(rewritten(good, tmp_path / "bad.parquet", halve))
    assert said == "row 3, column genres: probabilities sum to 0.5, not to 1"


def test_a_song_may_not_come_twice(good: Path, tmp_path: Path) -> None:
    def repeat(columns: dict[str, list[Any]]) -> None:
        columns["content_hash"][6] = columns["content_hash"][1]

    said = refusal(rewritten(good, tmp_path / "bad.parquet", repeat))
    assert said.startswith("row 7, column content_hash: ")
    assert said.endswith(" was there before")


@pytest.mark.parametrize("column", ["title", "embedding", "genres", "content_hash", "seconds"])
@pytest.mark.parametrize("kind", [pa.int64(), pa.list_(pa.list_(pa.string())), pa.binary()])
def test_columns_of_other_types_are_refused(
    good: Path, tmp_path: Path, column: str, kind: pa.DataType
) -> None:
    assert f"column {column}" in refusal(
        retyped(good, tmp_path / "bad.parquet", column, kind)
    ).replace("'", "").replace("pyarrow.Field<", "")


def test_an_embedding_of_another_length_is_refused(good: Path, tmp_path: Path) -> None:
    kind = pa.list_(pa.field("element", pa.float32(), nullable=False), 255)
    assert "embedding" in refusal(retyped(good, tmp_path / "bad.parquet", "embedding", kind))


def test_columns_that_are_missing_or_strange_are_named(good: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.parquet"
    assert refusal(renamed(good, bad, {"album": "Album\x1b"})).startswith("column 'Album")
    assert "twice" not in refusal(renamed(good, bad, {"album": "artist"}))
    table = pq.read_table(good)
    pq.write_table(table.drop_columns(["year"]), bad)
    assert refusal(bad) == "column year: is missing"
    pq.write_table(table.drop_columns(["moods"]), bad)
    assert "column moods: is not there" in refusal(bad)


def test_text_and_names_that_are_not_utf8_are_refused(good: Path, tmp_path: Path) -> None:
    bad, table = tmp_path / "bad.parquet", pq.read_table(good)
    latin = pa.array([b"caf\xe9"] * len(table), pa.binary())
    spoilt = pa.StringArray.from_buffers(len(latin), *latin.buffers()[1:])
    at = table.schema.get_field_index("title")
    pq.write_table(table.set_column(at, "title", spoilt), bad)
    assert refusal(bad) == "cannot be read from row 1 on: is damaged"
    strange = pa.nulls(len(table), pa.int8())
    pq.write_table(table.append_column(pa.field(b"caf\xe9", pa.int8()), strange), bad)
    assert refusal(bad) == "is no Parquet file, or a damaged one"


def test_letters_that_are_newer_than_this_python_are_text(good: Path, tmp_path: Path) -> None:
    newer = cell("title", "a \U0003fffd letter")
    assert len(read(rewritten(good, tmp_path / "good.parquet", newer).read_bytes())) == 8


@pytest.mark.parametrize(("metadata", "why"), STRANGE_METADATA)
def test_a_file_that_says_strange_things_of_itself_is_refused(
    good: Path, tmp_path: Path, metadata: dict[bytes, str], why: str
) -> None:
    assert why in refusal(remarked(good, tmp_path / "bad.parquet", metadata))


@pytest.mark.parametrize("names", [["jazz\n"], ["x" * 65], [str(n) for n in range(1001)]])
def test_names_of_genres_are_few_and_short(good: Path, tmp_path: Path, names: list[str]) -> None:
    kind = pa.struct([(name, pa.float32()) for name in names])
    assert "column genres" in refusal(retyped(good, tmp_path / "bad.parquet", "genres", kind))


def test_parquet_of_others_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "theirs.parquet"
    pq.write_table(pa.table({"title": ["a"]}), file)
    assert refusal(file) == "is no file that songprint export wrote"


@pytest.mark.parametrize(
    "data", [b"", b"PAR1", b"PAR1PAR1", b"x" * 1000, b"PAR1" + b"\xff" * 100 + b"PAR1"]
)
def test_what_is_no_parquet_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "bad.parquet"
    file.write_bytes(data)
    assert refusal(file) == "is no Parquet file, or a damaged one"


def test_a_file_without_songs_is_refused(good: Path, tmp_path: Path) -> None:
    pq.write_table(pq.read_table(good).slice(0, 0), tmp_path / "bad.parquet")
    assert "has 0 songs" in refusal(tmp_path / "bad.parquet")


def test_more_songs_than_anybody_has_are_refused_unread(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = in_groups_of(good, tmp_path / "bad.parquet", 16, 5)
    monkeypatch.setattr(strict, "MOST_GROUP_SONGS", 15)
    assert refusal(bad) == "row group 1 has 16 songs, not up to 15"
    monkeypatch.undo()
    monkeypatch.setattr(strict, "MOST_GROUP_BYTES", 10_000)
    assert refusal(bad).startswith("row group 1 has 0 MB")
    monkeypatch.undo()
    monkeypatch.setattr(strict, "MOST_SONGS", 39)
    assert refusal(bad) == "has 40 songs, not 1 to 39"
    monkeypatch.undo()
    monkeypatch.setattr(strict, "MOST_GROUPS", 2)
    assert refusal(bad) == "has 3 row groups, not up to 2"


def test_rows_are_counted_over_row_groups(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strict, "SONGS_AT_ONCE", 3)
    assert len(read(good.read_bytes())) == 8
    said = refusal(in_groups_of(good, tmp_path / "bad.parquet", 5, 2))
    assert said.startswith("row 9, column content_hash: ")


@settings(max_examples=60)
@given(st.data())
def test_a_file_with_other_bytes_is_refused_or_the_same(good: Path, data: st.DataObject) -> None:
    whole = good.read_bytes()
    changed = bytearray(whole)
    footer = st.integers(len(whole) - 6000, len(whole) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1) | footer)
        changed[place] ^= data.draw(st.integers(1, 255))
    with suppress(PortableError):
        assert len(read(bytes(changed))) == 8


@settings(max_examples=20)
@given(st.floats(0, 1, exclude_max=True))
@example(0.999)
def test_a_file_that_is_cut_short_is_refused(good: Path, share: float) -> None:
    whole = good.read_bytes()
    with pytest.raises(PortableError):
        read(whole[: int(share * len(whole))])


# Through the process that reads


def versions(library: Library) -> dict[str, int]:
    with library.writing():  # the first one makes the index of words
        pass
    return {name: library.table(name).version for name in ("songs", "files", "models")}


def refused_import(library: Library, file: Path) -> str:
    before = versions(library)
    with pytest.raises(PortableError) as refused:
        import_songs(library, file)
    assert versions(library) == before
    return refused.value.reason


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open(tmp_path / "library", create=True)


def test_nothing_is_written_if_the_last_song_is_bad(
    good: Path, tmp_path: Path, library: Library
) -> None:
    def spoil(columns: dict[str, list[Any]]) -> None:
        columns["embedding"][-1] = [0.0] * 256

    bad = rewritten(good, tmp_path / "bad.parquet", spoil)
    assert refused_import(library, bad) == "row 8, column embedding: is of length 0, not 1"
    assert len(library) == 0


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, str])
def test_only_an_ordinary_file_is_opened(
    tmp_path: Path, library: Library, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "bad.parquet")
    assert refused_import(library, tmp_path / "bad.parquet") in (
        "is no ordinary file",
        "cannot be read: No such file or directory",
    )


def test_a_text_that_unfolds_to_gigabytes_is_refused_in_bounded_memory(
    good: Path, tmp_path: Path, library: Library
) -> None:
    many = in_groups_of(good, tmp_path / "many.parquet", 4096, 60)
    bomb = with_one_text(many, tmp_path / "bomb.parquet", "title", 20 << 20)
    assert bomb.stat().st_size < 2e6
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = refused_import(library, bomb)
    assert "too large to be read" in said or "MB" in said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - own < 200_000  # kB
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 3_000_000


def test_a_reader_that_dies_is_told(
    good: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_read", die)
    assert refused_import(library, good) == "is damaged: it ended the process that read it"


def test_a_reader_that_hangs_is_given_up(
    good: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_read", hang)
    monkeypatch.setattr(importing, "LONGEST_SECONDS", 0.2)
    assert refused_import(library, good) == "gave up: no song came for 0.2 s"


def test_a_bug_of_the_reader_is_told(
    good: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "origin_of", lambda _: 3)  # no text: no column takes it
    assert refused_import(library, good).startswith("internal error: ")
