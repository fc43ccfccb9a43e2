"""Which songs of a library are known to be one recording, as they are kept beside its tables.

``identify/recordings.py`` finds that out and writes it; it is read here with the catalogue, so that
a station does not play a recording twice, nor an excerpt of its seed. A file that is not there or
not whole tells nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

FILE = "recordings.npz"
SONGS, NUMBERS = "grouped", "recording"
"""Arrays of the file: content hashes in order [shape=(n,)], and the number of each's recording."""

FIRST, SECOND, KIND = "first", "second", "kind"
"""Arrays of the file: pairs of content hashes [shape=(m,)], and the number of each's kind."""

EXCERPT = 1
"""The number of pairs of which the first is an excerpt of the second."""

UNREADABLE = (OSError, ValueError, LookupError, EOFError, BadZipFile)


def changed(folder: Path) -> int:
    """Return a number that is another once other songs of a library are known to be one."""
    try:
        return (folder / FILE).stat().st_mtime_ns
    except OSError:
        return 0


def recordings_of(folder: Path, hashes: NDArray[np.str_]) -> NDArray[np.int32]:
    """Return the number of the recording that each song is of.

    Parameters
    ----------
    folder : Path
        Of the library.
    hashes : ndarray of str [shape=(n,)]
        Content hashes, in order.

    Returns
    -------
    ndarray of int32 [shape=(n,)]
        The same above 0 for songs that are one recording; 0 where no other one is known.
    """
    numbers = np.zeros(len(hashes), np.int32)
    songs, recording = _read(folder, SONGS, NUMBERS)
    if len(songs) == len(recording):
        rows, there = _rows(hashes, songs)
        numbers[rows[there]] = recording[there]
    return numbers


def excerpts_of(folder: Path, hashes: NDArray[np.str_]) -> NDArray[np.object_]:
    """Return the songs that are excerpts of each [shape=(n,)], however short.

    As :func:`recordings_of`, but a tuple of content hashes; None where no excerpt is known.
    """
    found = np.full(len(hashes), None, object)
    parts, songs, kinds = _read(folder, FIRST, SECOND, KIND)
    if len(parts) == len(songs) == len(kinds):
        rows, there = _rows(hashes, songs)
        chosen = there & (kinds == EXCERPT)
        for row, part in zip(rows[chosen].tolist(), parts[chosen].tolist(), strict=True):
            found[row] = (*(found[row] or ()), part)
    return found


def _read(folder: Path, *names: str) -> list[NDArray[Any]]:
    """Return arrays of the file, content hashes as text; empty ones where it cannot be read."""
    try:
        with (folder / FILE).open("rb") as file, np.load(file) as kept:
            arrays = [kept[name] for name in names]
            return [a.astype(np.str_) if a.dtype.kind == "S" else a for a in arrays]
    except UNREADABLE:
        return [np.empty(0, np.str_)] * len(names)


def _rows(
    hashes: NDArray[np.str_], songs: NDArray[np.str_]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return where songs are among content hashes in order, and whether they are there at all."""
    if not len(hashes):
        return np.zeros(len(songs), np.intp), np.zeros(len(songs), bool)
    rows = np.minimum(np.searchsorted(hashes, songs), len(hashes) - 1)
    return rows, hashes[rows] == songs
