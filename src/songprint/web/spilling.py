"""Columns that are seldom asked for, kept on the disk instead of in memory.

Kinship computes with its own columns; a library's embeddings and patterns are only read a few rows
at a time after that. Of 100,000 songs they are 134 MB.
"""

from __future__ import annotations

import mmap
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from songprint.library.catalogue import Catalogue

FEWEST_SONGS = 20_000
"""A smaller library stays in memory."""

SPILLED = ("embeddings", "patterns")


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
        return replace(
            catalogue,
            embeddings=_mapped(catalogue.embeddings, folder),
            patterns=_mapped(catalogue.patterns, folder),
        )
    except OSError:
        return catalogue


def _mapped(column: np.ndarray[Any, Any], folder: Path) -> np.ndarray[Any, Any]:
    with tempfile.TemporaryFile(dir=folder) as file:
        np.ascontiguousarray(column).tofile(file)
        return np.memmap(file, column.dtype, "r", shape=column.shape)


def let_go(catalogue: Catalogue) -> None:
    """Give back the memory of what was read of such columns; it is read again when needed."""
    for name in SPILLED:
        pages = getattr(getattr(catalogue, name), "_mmap", None)
        if isinstance(pages, mmap.mmap):
            with suppress(OSError, AttributeError):  # where the system knows no such advice
                pages.madvise(mmap.MADV_DONTNEED)
