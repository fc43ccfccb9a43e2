"""Which songs of a library are known to be one recording, as they are kept beside its tables.

``identify/recordings.py`` finds that out and writes it; it is read here with the catalogue, so that
a station does not play a recording twice, nor an excerpt of its seed. A file that is not there or
not whole tells nothing.
"""

from __future__ import annotations

from pathlib import Path
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
    try:
        with (folder / FILE).open("rb") as file, np.load(file) as kept:
            songs, recording = kept[SONGS].astype(np.str_), kept[NUMBERS].astype(np.int32)
    except UNREADABLE:
        return numbers
    if len(songs) != len(recording) or not len(hashes):
        return numbers
    rows = np.minimum(np.searchsorted(hashes, songs), len(hashes) - 1)
    there = hashes[rows] == songs
    numbers[rows[there]] = recording[there]
    return numbers


def excerpts_of(folder: Path, hashes: NDArray[np.str_]) -> NDArray[np.object_]:
    """Return the songs that are excerpts of each, however short.

    Parameters
    ----------
    folder : Path
        Of the library.
    hashes : ndarray of str [shape=(n,)]
        Content hashes, in order.

    Returns
    -------
    ndarray of object [shape=(n,)]
        A tuple of content hashes; None where no excerpt is known.
    """
    found = np.full(len(hashes), None, object)
    try:
        with (folder / FILE).open("rb") as file, np.load(file) as kept:
            chosen = kept[KIND] == EXCERPT
            parts, songs = (kept[name][chosen].astype(np.str_) for name in (FIRST, SECOND))
    except UNREADABLE:
        return found
    if not len(hashes):
        return found
    rows = np.minimum(np.searchsorted(hashes, songs), len(hashes) - 1)
    for row, song, part in zip(rows.tolist(), songs.tolist(), parts.tolist(), strict=True):
        if hashes[row] == song:
            found[row] = (*(found[row] or ()), part)
    return found
