"""Makes GNU's C library give memory back that numpy has freed.

It keeps freed blocks for each thread, and the more, the larger they were: after a while a server
whose forty threads compute with large arrays holds several times what it uses.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE_BYTES = 1 << 20
_ARENAS = 2


def give_large_blocks_back() -> None:
    """Let blocks of a megabyte or more go as soon as they are freed; called once, at the start."""
    with suppress(OSError, AttributeError):  # the C library is another than GNU's
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        library.mallopt(_M_ARENA_MAX, _ARENAS)


def trim() -> None:
    """Give memory back to the system that was freed, or that only refers to itself."""
    gc.collect()  # it counts objects, not their size: a few large arrays do not make it run
    with suppress(OSError, AttributeError):  # the C library is another than GNU's
        ctypes.CDLL(None).malloc_trim(0)
