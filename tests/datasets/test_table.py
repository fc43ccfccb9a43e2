from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.datasets.core import sort_out
from songprint.datasets.table import open_table
from songprint.errors import UsageError
from support.datasets import make_table, sound


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    for name in ("a.wav", "b.wav"):
        sound(folder / name)
    table = folder / "t.csv"
    table.write_text(text, encoding=encoding)
    return table


def test_columns_give_label_artist_and_split(tmp_path: Path) -> None:
    assert {t.id: (t.label, t.artist, t.split) for t in open_table(make_table(tmp_path))} == {
        "a.wav": ("hip-hop", "Somebody", "train"),
        "b.wav": ("grunge", None, "valid"),
        "sub/c.wav": ("grunge", "Else", None),
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_signs_that_spreadsheets_use_part_the_columns(tmp_path: Path, delimiter: str) -> None:
    text = "Label,Path,remark\nrock,a.wav,\npop,b.wav,good\n".replace(",", delimiter)
    tracks = list(open_table(write(tmp_path, text, "utf-8-sig")))
    assert [(track.id, track.label) for track in tracks] == [("a.wav", "rock"), ("b.wav", "pop")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.wav", "line 3: has not as many fields as the header"),
        ("a.wav,rock,x,train,more", "line 3: has not as many fields as the header"),
        (",rock,x,train", "line 3: has no path"),
        ("a.wav,,x,train", "line 3: has no label"),
        ("a.wav,rock,x,later", "line 3: later is no split: train, valid, test are"),
        ("gone.wav,rock,x,train", "line 3: there is no file gone.wav"),
        ("./b.wav,rock,x,train", "line 3: is the song of line 2 again"),
    ],
)
def test_a_bad_row_is_told_by_its_line_and_costs_no_other(
    tmp_path: Path, row: str, reason: str
) -> None:
    table = write(tmp_path, f"path,label,artist,split\nb.wav,rock,x,train\n{row}\n")
    tracks, left_out = sort_out(open_table(table).entries())
    assert len(tracks) == 1
    (item,) = left_out
    assert f"{item.id}: {item.reason}".startswith(reason)
    assert not item.expected


def test_empty_lines_are_passed_over(tmp_path: Path) -> None:
    entries = list(open_table(write(tmp_path, "path,label\n\na.wav,rock\n,\n")).entries())
    assert [entry.id for entry in entries] == ["a.wav"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.wav,rock\n", "line 1: the header lacks path and label"),
        ("path,genre\na.wav,rock\n", "line 1: the header lacks label"),
        ("", "line 1: the header lacks path and label"),
    ],
)
def test_a_header_is_required(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_table(write(tmp_path, text))


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(b"path,label\n\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read as a table"):
        list(open_table(table))


@given(st.binary(max_size=200))
def test_any_bytes_give_entries_or_a_usage_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    table = tmp_path_factory.getbasetemp() / "any.csv"
    table.write_bytes(b"path,label\n" + content)
    with suppress(UsageError):
        for entry in open_table(table).entries():
            assert entry.id
