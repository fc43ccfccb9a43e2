"""Keeps the server's process small.

GNU's C library keeps freed blocks for each thread, and the more, the larger they were: after a
while a server whose forty threads compute with large arrays would hold several times what it uses.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE_BYTES = 1 << 20
_ARENAS = 2


def give_large_blocks_back() -> None:
    """Let blocks of a megabyte or more go as soon as they are freed; called once, at the start."""
    with suppress(OSError, AttributeError):  # the C library is another than GNU's
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        library.mallopt(_M_ARENA_MAX, _ARENAS)


class _WithoutPandas(MetaPathFinder):
    """Finds no pandas."""

    @staticmethod
    def find_spec(fullname: str, path: Sequence[str] | None, target: object = None) -> None:
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is not needed here", name=fullname)


def leave_pandas_out() -> None:
    """Import pyarrow as if there were no pandas; called once, before anything else imports it.

    It takes pandas, of 37 MB, wherever that happens to be installed, to know its columns when it
    sees them: nobody here has any.
    """
    finder = _WithoutPandas()
    sys.meta_path.insert(0, finder)
    try:
        import pyarrow.dataset  # noqa: F401
    finally:
        sys.meta_path.remove(finder)


def trim() -> None:
    """Give memory back to the system that was freed, or that only refers to itself."""
    gc.collect()  # it counts objects, not their size: a few large arrays do not make it run
    with suppress(OSError, AttributeError):  # the C library is another than GNU's
        ctypes.CDLL(None).malloc_trim(0)
