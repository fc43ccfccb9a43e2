"""What docs/library.md says of the API is so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from songprint.library.schema import SongRow
from support.shelves import made_up_library

PAGE = (Path(__file__).parents[2] / "docs" / "library.md").read_text(encoding="utf-8")


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up_library(tmp_path, 3)
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path))
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    assert len(names["songs"]) == 3


def test_all_columns_of_find_are_named(tmp_path: Path) -> None:
    (listed,) = re.findall(r"`find` knows `([^`]+)`", PAGE)
    columns = listed.replace("\n", " ").split(", ")
    told = {field.name for field in fields(SongRow)} - {"tempo_bpm", "loudness_lufs"}
    assert told <= set(columns)
    library = made_up_library(tmp_path, 1)
    for column in columns:
        assert library.find(f"{column} is not null or {column} is null")
