"""Play counts from what players and services export, matched to songs of the library.

Known are CSV files with a header that has a count (``plays``, ``playcount`` …), or with a row for
each listen (``artist, album, title, date``, as Last.fm's exporters write them, with a header or
without), and the JSON of ListenBrainz and Last.fm: a list, or a line, for each listen or track.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songprint.errors import SongprintError, UsageError

if TYPE_CHECKING:
    from songprint.library.catalogue import Catalogue

LARGEST_BYTES = 2 << 30

_COUNTS = ("plays", "playcount", "play_count", "play count", "listens", "count", "scrobbles")
_TITLES = ("title", "track", "track_name", "name", "song")
_ARTISTS = ("artist", "artist_name", "artists")
_PATHS = ("path", "file", "filename", "location")


@dataclass(frozen=True)
class Played:
    """A song of an export, and how often it was played.

    Attributes
    ----------
    count : float
        Plays.
    artist, title, path : str or None
        What it is known by.
    """

    count: float
    artist: str | None = None
    title: str | None = None
    path: str | None = None


def read_plays(file: Path) -> list[Played]:
    """Read an export.

    Raises
    ------
    UsageError
        If nothing in it can be understood.
    SongprintError
        If it cannot be read.
    """
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise SongprintError(f"{file}: is larger than {LARGEST_BYTES >> 30} GiB")
        text = file.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise SongprintError(f"{file}: cannot be read: {error.strerror or error}") from error
    try:
        found = list(_from_json(text) if text.lstrip()[:1] in ("{", "[") else _from_csv(text))
    except (ValueError, csv.Error, RecursionError) as error:
        raise UsageError(f"{file}: holds no play counts: {error}") from error
    if not found:
        raise UsageError(
            f"{file}: holds no play counts that songprint understands: a CSV with the columns"
            " artist, title and plays, or an export of ListenBrainz or Last.fm"
        )
    return found


def plays_of(catalogue: Catalogue, played: Iterable[Played]) -> dict[str, float]:
    """Return plays by content hash for the songs of the library that an export names.

    A song is known by its path, or by its artist and title, whatever their case and accents.
    """
    from songprint.kinship.neighbours import fold

    by_path = {
        os.path.realpath(path): row for row, path in enumerate(catalogue.paths) if path is not None
    }
    by_name: dict[tuple[str | None, str | None], list[int]] = {}
    for row, (artist, title) in enumerate(zip(catalogue.artists, catalogue.titles, strict=True)):
        if title:
            by_name.setdefault((fold(artist or ""), fold(title)), []).append(row)
    plays: dict[str, float] = {}
    for one in played:
        found = by_path.get(os.path.realpath(one.path)) if one.path else None
        if found is not None:
            rows = [found]
        else:
            rows = by_name.get((fold(one.artist or ""), fold(one.title or "")), [])
        for row in rows:
            content = str(catalogue.hashes[row])
            plays[content] = plays.get(content, 0.0) + one.count
    return plays


def _from_csv(text: str) -> Iterator[Played]:
    lines = text.splitlines()
    if not lines:
        return
    dialect: Any = csv.excel
    if lines[0].count("\t") > lines[0].count(","):
        dialect = csv.excel_tab
    elif lines[0].count(";") > lines[0].count(","):
        dialect = type("semicolons", (csv.excel,), {"delimiter": ";"})
    rows = csv.reader(io.StringIO(text), dialect)
    first = next(rows)
    header = [cell.strip().casefold() for cell in first]
    if set(header) & set(_TITLES) or set(header) & set(_PATHS):
        for row in rows:
            yield from _played(dict(zip(header, row, strict=False)))
        return
    # Last.fm's exporters write a listen a row, without a header: artist, album, title, date.
    for row in (first, *rows):
        if len(row) >= 3:
            yield Played(1.0, artist=row[0], title=row[2])


def _from_json(text: str) -> Iterator[Played]:
    try:
        document = json.loads(text)
    except ValueError:
        document = [json.loads(line) for line in text.splitlines() if line.strip()]
    yield from _listens(document)


def _listens(document: Any) -> Iterator[Played]:
    """Yield what lists hold, wherever they lie: exports wrap them in pages and payloads."""
    if isinstance(document, list):
        for item in document:
            yield from _listens(item)
    elif isinstance(document, dict):
        names = {str(key).casefold(): value for key, value in document.items()}
        if "track_metadata" in names and isinstance(names["track_metadata"], dict):
            inner = {str(key).casefold(): value for key, value in names["track_metadata"].items()}
            yield from _played(inner)
        elif any(isinstance(names.get(key), str) for key in _TITLES):
            yield from _played(names)
        else:
            for value in document.values():
                if isinstance(value, list | dict):
                    yield from _listens(value)


def _played(names: Mapping[str, Any]) -> Iterator[Played]:
    title, path = _text(names, _TITLES), _text(names, _PATHS)
    count = next((names[key] for key in _COUNTS if names.get(key) not in (None, "")), 1)
    try:
        number = float(count)
    except (TypeError, ValueError):
        return
    if (title or path) and 0 <= number < 1e9:
        yield Played(number, _text(names, _ARTISTS), title, path)


def _text(names: Mapping[str, Any], keys: Iterable[str]) -> str | None:
    for key in keys:
        value = names.get(key)
        if isinstance(value, dict):  # Last.fm: {"artist": {"#text": …}} or {"name": …}
            value = value.get("#text") or value.get("name")
        if isinstance(value, str) and value.strip():
            return value
    return None
