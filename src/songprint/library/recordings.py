"""Which songs of a library are known to be one recording, as they are kept beside its tables.

``identify/recordings.py`` finds that out and writes it; it is read here with the catalogue, so that
a station does not play a recording twice. A file that is not there or not whole tells nothing.
"""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

FILE = "recordings.npz"
SONGS, NUMBERS = "grouped", "recording"
"""Arrays of the file: content hashes in order [shape=(n,)], and the number of each's recording."""

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
