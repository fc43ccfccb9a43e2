"""Playlists as files that players open: M3U8, UTF-8, with paths relative to the playlist."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from songprint.cli.asked import label
from songprint.cli.output import require_place, require_suffix, write_whole
from songprint.cli.text import complain, printable
from songprint.library.objects import is_object

if TYPE_CHECKING:
    from songprint.library.catalogue import Catalogue

SUFFIXES = ("m3u8", "m3u")


def write_playlist(
    place: Path | None,
) -> Callable[[Catalogue, Sequence[int], str | None], None]:
    """Make sure that a playlist can be written, and return what writes it and says so.

    Parameters
    ----------
    place : Path or None
        The file; None for no playlist.

    Raises
    ------
    UsageError
        If it is of another kind, or has no folder.
    SongprintError
        If it cannot be written.
    """
    if place is not None:
        require_suffix(place, SUFFIXES)
        require_place(place)

    def write(catalogue: Catalogue, rows: Sequence[int], name: str | None) -> None:
        if place is None:
            return
        write_whole(place, playlist(catalogue, rows, place, name))
        silent = sum(catalogue.paths[row] is None for row in rows)
        without = f", without {silent} songs that have no audio here" if silent else ""
        complain(f"wrote {place}{without}")

    return write


def playlist(
    catalogue: Catalogue, rows: Sequence[int], place: Path | None, name: str | None
) -> bytes:
    """Return a playlist's file; songs without audio are left out.

    Parameters
    ----------
    catalogue : Catalogue
        Holds the songs.
    rows : sequence of int
        Their order.
    place : Path or None
        Where the file will lie; None if nobody knows, and its paths must be absolute.
    name : str or None
        Of the playlist.
    """
    lines = ["#EXTM3U"]
    if name:
        lines.append(f"#PLAYLIST:{_one_line(name)}")
    folder = None if place is None else os.path.realpath(place.parent)
    for row in rows:
        path = catalogue.paths[row]
        if path is None:
            continue
        seconds = round(float(catalogue.seconds[row]))
        lines.append(f"#EXTINF:{seconds},{_one_line(label(catalogue, row))}")
        lines.append(location(str(path), folder))
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def location(path: str, folder: str | None) -> str:
    """Return how a playlist in a folder, or anywhere, names a file.

    A relative path, with slashes; a ``file:`` address for what a line of UTF-8 cannot hold or what
    lies on another drive; the URI of an object.
    """
    if is_object(path):
        return path
    absolute = os.path.abspath(path)  # noqa: PTH100 - a Path would follow links
    try:
        absolute.encode("utf-8")
        if folder is None:
            relative = absolute.replace(os.sep, "/")
        else:
            relative = os.path.relpath(absolute, folder).replace(os.sep, "/")
    except (UnicodeEncodeError, ValueError):
        return _address(absolute)
    if any(c in relative for c in "\r\n") or relative != relative.strip():
        return _address(absolute)
    return f"./{relative}" if relative.startswith("#") else relative


def _address(path: str) -> str:
    root = "" if path.startswith("/") else "/"
    return f"file://{root}{quote(os.fsencode(path.replace(os.sep, '/')), safe='/:')}"


def _one_line(text: str) -> str:
    """Return a title as it may stand in a line: one line, of what UTF-8 can hold."""
    return printable(" ".join(text.split())) if text.strip() else ""
