"""Large arrays in a file without a name, so that one process writes and another maps them.

Objects are pickled with their large arrays outside: these are written to the file, each at a page
of its own, and mapped from there by whoever reads the pickle. Pages of a mapped file are shared,
are read again when needed, and can be given back at any time.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
import tempfile
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from songprint.library.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from songprint.kinship.distance import Space

FEWEST_SONGS = 20_000
"""A smaller library stays in memory."""

MANY_BYTES = 1 << 16
"""A smaller array is pickled with the object that it belongs to."""

SPARSE = ("embeddings", "patterns")
"""Columns of which only a few rows are read at a time once kinship has its own."""

_PAGE_BYTES = 1 << 16  # no system has larger pages
_ROWS_AT_ONCE = 16

Place = tuple[int, str, tuple[int, ...]]


class Mapped(Catalogue):
    """A catalogue that does not stay in memory by being read."""

    def take(self, rows: NDArray[np.intp] | Sequence[int]) -> Self:
        """Return the catalogue of some of the songs, in memory."""
        index = np.asarray(rows, np.intp)
        pieces = []
        for start in range(0, max(len(index), 1), _ROWS_AT_ONCE):
            pieces.append(super().take(index[start : start + _ROWS_AT_ONCE]))
            let_go(self)  # around each row that is touched a system maps sixteen pages
        if len(pieces) == 1:
            return pieces[0]
        columns = {
            field.name: np.concatenate([getattr(piece, field.name) for piece in pieces])
            for field in fields(self)
            if field.name not in ("vocabulary", "model")
        }
        return type(self)(vocabulary=self.vocabulary, model=self.model, **columns)


class Spill:
    """A file that arrays are written to.

    Parameters
    ----------
    file : int
        Its descriptor, open for reading and writing; closed by whoever opened it.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._size = 0
        self._places: dict[int, tuple[Place, NDArray[Any]]] = {}

    def room(self, shape: tuple[int, ...], dtype: Any = np.float32) -> NDArray[Any]:
        """Return an array of zeros that lies in the file.

        Raises
        ------
        OSError
            If the disk is full.
        """
        kind = np.dtype(dtype)
        n_bytes = kind.itemsize * int(np.prod(shape))
        start = -(-self._size // _PAGE_BYTES) * _PAGE_BYTES
        if hasattr(os, "posix_fallocate"):  # a full disk says so now, and not by a bus error
            os.posix_fallocate(self._file, start, n_bytes)
        self._size = start + n_bytes
        with os.fdopen(os.dup(self._file), "r+b") as file:
            array = np.memmap(file, kind, "r+", start, shape)
        self._places[id(array)] = (start, kind.str, shape), array
        return array

    def put(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return a copy that lies in the file."""
        copy = self.room(array.shape, array.dtype)
        copy[...] = array
        return copy

    def dump(self, value: Any) -> int:
        """Pickle an object into the file, its large arrays beside it; return where it begins.

        Raises
        ------
        OSError
            If the disk is full.
        """
        text = io.BytesIO()
        _Pickler(text, self._place).dump(value)
        with os.fdopen(os.dup(self._file), "r+b") as file:
            file.seek(self._size)
            file.write(text.getbuffer())
        start, self._size = self._size, self._size + text.tell()
        return start

    def _place(self, value: Any) -> Place | None:
        if not isinstance(value, np.ndarray) or value.dtype.hasobject:
            return None
        if id(value) not in self._places:
            if value.nbytes < MANY_BYTES:
                return None
            copy = self.put(value)
            # Kept, so that no other array is given its address while this lasts.
            self._places[id(value)] = self._places[id(copy)][0], value
        return self._places[id(value)][0]


class _Pickler(pickle.Pickler):
    def __init__(self, text: IO[bytes], place: Callable[[Any], Place | None]) -> None:
        super().__init__(text, pickle.HIGHEST_PROTOCOL)
        self.persistent_id = place  # type: ignore[method-assign]


class _Unpickler(pickle.Unpickler):
    def __init__(self, text: mmap.mmap, file: int) -> None:
        super().__init__(text)
        self._file = file

    def persistent_load(self, pid: Place) -> NDArray[Any]:
        start, kind, shape = pid
        with os.fdopen(os.dup(self._file), "rb") as file:
            return np.memmap(file, np.dtype(kind), "r", start, shape)


def load(file: int, start: int) -> Any:
    """Return an object that :meth:`Spill.dump` pickled; its large arrays can only be read.

    Parameters
    ----------
    file : int
        The descriptor of the file, which may be closed after that. A process of our own wrote it:
        what a pickle says is done.
    start : int
        Where the object begins.
    """
    # Mapped, as all descriptors of a file share one place of reading.
    with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as text:
        text.seek(start)
        return _Unpickler(text, file).load()


def room_for(shape: tuple[int, int], folder: Path) -> NDArray[np.float32]:
    """Return an empty array for the columns that kinship computes with; a large one in a file.

    A library that nobody asks any more, because its successor is being made ready, then takes no
    memory.
    """
    if shape[0] >= FEWEST_SONGS:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                return Spill(file.fileno()).room(shape)
    return np.empty(shape, np.float32)


def let_go(catalogue: Catalogue, space: Space | None = None) -> None:
    """Give back the memory of what was read of such columns; it is read again when needed."""
    columns = [getattr(catalogue, name) for name in SPARSE]
    if space is not None:
        columns.append(space.columns)
    for column in columns:
        pages = getattr(column, "_mmap", None)
        if isinstance(pages, mmap.mmap):
            with suppress(OSError, AttributeError):  # where the system knows no such advice
                pages.madvise(mmap.MADV_DONTNEED)
