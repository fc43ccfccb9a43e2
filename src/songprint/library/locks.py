"""One writer at a time, across processes.

The lock is the operating system's, on a file: it ends with its process, however that ends.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from songprint.errors import LibraryError
from songprint.library.refusals import reason


@contextmanager
def held(folder: Path, name: str, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold a lock of a library; the block is entered by one process at a time.

    Parameters
    ----------
    folder
        The library.
    name
        Of the lock.
    wait_seconds
        How long another holder is waited for.

    Raises
    ------
    LibraryError
        If another process holds it all the while, or the folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / f"{name}.lock")
    holder = folder / f"{name}.json"
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise LibraryError(f"{folder}: {_who(holder)} is writing to the library; wait") from None
    except (OSError, NotImplementedError) as error:  # the latter where files cannot be locked
        raise LibraryError(f"{folder}: the library cannot be written: {reason(error)}") from error
    try:
        with suppress(OSError):  # it only serves the message
            holder.write_text(json.dumps({"pid": os.getpid(), "since": time.time()}))
        yield
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()


def _who(holder: Path) -> str:
    try:
        told = json.loads(holder.read_text())
        since = time.strftime("%H:%M", time.localtime(told["since"]))
        return f"process {int(told['pid'])} (since {since})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
