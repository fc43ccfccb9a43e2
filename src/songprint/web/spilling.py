"""Columns of a large library, kept on the disk and mapped instead of in memory.

Kinship computes with its own columns; a library's embeddings and patterns are only read a few rows
at a time after that. Of 100,000 songs they are 134 MB, and kinship's own as much again.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from songprint.library.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from songprint.kinship.distance import Space

FEWEST_SONGS = 20_000
"""A smaller library stays in memory."""

MANY_ROWS = 1_000
"""Whoever takes so many at once goes through all, and does not come back to them soon."""

SPILLED = ("embeddings", "patterns")


class _Spilled(Catalogue):
    """A catalogue that does not stay in memory by being read through."""

    def take(self, rows: NDArray[np.intp] | Sequence[int]) -> Self:
        taken = super().take(rows)
        if len(rows) >= MANY_ROWS:
            let_go(self)
        return taken


def spilled(catalogue: Catalogue, folder: Path) -> Catalogue:
    """Return a catalogue some of whose columns lie in files that nobody else can see.

    Parameters
    ----------
    catalogue : Catalogue
        In memory; returned as it is if it is small, or the disk is full.
    folder : Path
        On whose disk they lie. The files have no names: they are gone with the process.
    """
    if len(catalogue) < FEWEST_SONGS:
        return catalogue
    try:
        folder.mkdir(parents=True, exist_ok=True)
        columns = {field.name: getattr(catalogue, field.name) for field in fields(catalogue)}
        columns |= {name: _mapped(columns[name], folder) for name in SPILLED}
        return _Spilled(**columns)
    except OSError:
        return catalogue


def room_for(shape: tuple[int, int], folder: Path) -> NDArray[np.float32]:
    """Return an empty array for the columns that kinship computes with; a large one in a file.

    Whoever asks reads them from the system's cache; a library that nobody asks any more, because
    its successor is being made ready, then takes no memory.
    """
    if shape[0] >= FEWEST_SONGS:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                return _reserved(file, shape)
    return np.empty(shape, np.float32)


def _reserved(file: IO[bytes], shape: tuple[int, int]) -> NDArray[np.float32]:
    n_bytes = 4 * shape[0] * shape[1]
    if hasattr(os, "posix_fallocate"):  # a disk that is full says so now, and not by a bus error
        os.posix_fallocate(file.fileno(), 0, n_bytes)
    return np.memmap(file, np.float32, "w+", shape=shape)


def _mapped(column: np.ndarray[Any, Any], folder: Path) -> np.ndarray[Any, Any]:
    with tempfile.TemporaryFile(dir=folder) as file:
        np.ascontiguousarray(column).tofile(file)
        return np.memmap(file, column.dtype, "r", shape=column.shape)


def let_go(catalogue: Catalogue, space: Space | None = None) -> None:
    """Give back the memory of what was read of such columns; it is read again when needed."""
    columns = [getattr(catalogue, name) for name in SPILLED]
    if space is not None:
        columns.append(space.columns)
    for column in columns:
        pages = getattr(column, "_mmap", None)
        if isinstance(pages, mmap.mmap):
            with suppress(OSError, AttributeError):  # where the system knows no such advice
                pages.madvise(mmap.MADV_DONTNEED)
