"""A table of songs: a CSV file with the columns ``path`` and ``label``, ``artist``, ``split``.

Paths are relative to the table. Commas, semicolons or tabs part the columns, whose order is free;
other columns are passed over. A bad row costs its own song alone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from songprint.datasets.core import SPLITS, About, Dataset, LeftOut, Split, Track
from songprint.errors import UsageError
from songprint.genre.taxonomy import canonical_genre

ABOUT = About(
    title="a table of songs",
    licence="the user's own files",
    citation="",
    where="Write a CSV file whose first line is path,label or path,label,artist,split.",
)

_SPLITS: Mapping[str, Split] = {
    **{split: split for split in SPLITS},
    "training": "train",
    "validation": "valid",
}


def open_table(path: Path) -> Dataset:
    """Open a table.

    Parameters
    ----------
    path : Path
        A CSV file in UTF-8, with a header.

    Raises
    ------
    UsageError
        If it cannot be read or its header lacks ``path`` or ``label``.
    """
    if not path.is_file():
        trouble = "is not a file" if path.exists() else "there is no such file"
        raise UsageError(f"{path}: {trouble}; a table is expected. {ABOUT.where}")
    for _ in _rows(path):  # the header at least must be as it should
        break
    return Dataset("table", path, ABOUT, partial(_entries, path))


def _rows(table: Path) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Yield the line of each row and its fields by column, or none if it has too many or few."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=first.count)
            reader = csv.reader(file, delimiter=delimiter)
            columns = [name.strip().lower() for name in next(reader, [])]
            missing = [name for name in ("path", "label") if name not in columns]
            if missing:
                trouble = f"the header lacks {' and '.join(missing)}"
                raise UsageError(f"{table}: line 1: {trouble}. {ABOUT.where}")
            for row in reader:
                if any(field.strip() for field in row):
                    whole = len(row) == len(columns)
                    fields = dict(zip(columns, map(str.strip, row), strict=True)) if whole else None
                    yield reader.line_num, fields
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{table}: cannot be read as a table: {error}") from error


def _entries(table: Path) -> Iterator[Track | LeftOut]:
    seen: dict[Path, int] = {}
    for line, fields in _rows(table):
        track = _track(table, fields)
        if isinstance(track, Track):
            first = seen.setdefault(track.path, line)
            if first == line:
                yield track
                continue
            track = f"is the song of line {first} again"
        yield LeftOut(f"line {line}", track)


def _track(table: Path, fields: dict[str, str] | None) -> Track | str:
    """Return the track of a row, or what is wrong with it."""
    if fields is None:
        return "has not as many fields as the header (a comma in a field needs quotes)"
    for name in ("path", "label"):
        if not fields[name]:
            return f"has no {name}"
    split = fields.get("split", "").lower()
    if split and split not in _SPLITS:
        return f"{fields['split']} is no split: {', '.join(SPLITS)} are"
    path = table.parent / fields["path"]
    if "\0" in fields["path"] or not path.is_file():
        return f"there is no file {fields['path']}"
    label = canonical_genre(fields["label"])
    artist = fields.get("artist") or None
    return Track(fields["path"], path, (label,), artist, _SPLITS.get(split))
