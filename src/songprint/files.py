"""Files that are written whole: beside their place, and moved there when they are complete."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PART = ".songprint-{}.part{}"
_LEFT_AFTER_SECONDS = 24 * 3600.0


@contextmanager
def replacing(place: Path) -> Iterator[Path]:
    """Yield where to write a file's successor, and let it take the file's place afterwards.

    Neither a full disk nor an interrupt, nor a power cut on a file system that keeps the order of
    writing, leaves half a file. If the block raises, what was there before is still there.

    Parameters
    ----------
    place
        The file; of a link the target is replaced, not the link. It need not be there.

    Yields
    ------
    Path
        A name that nothing has, in the same folder, with the same suffix.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    place = Path(os.path.realpath(place))
    part = place.with_name(_PART.format(f"{os.getpid()}-{os.urandom(4).hex()}", place.suffix))
    try:
        yield part
        flush(part)
        part.replace(place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        flush(place.parent)


def sweep(folder: Path) -> None:
    """Remove what :func:`replacing` left in a folder when it was killed, a day ago or more."""
    for part in folder.glob(_PART.format("*", "*")):
        with suppress(FileNotFoundError):  # it has just taken its place, or somebody else sweeps
            if time.time() - part.lstat().st_ctime > _LEFT_AFTER_SECONDS:
                part.unlink()


def bytes_in(folder: Path) -> int:
    """Return how much the files in a folder take, also while some of them come and go."""
    n_bytes = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                n_bytes += Path(place, name).stat().st_size
    return n_bytes


def flush(path: Path) -> None:
    """Wait until a file, or on POSIX what a folder lists, is on the disk."""
    # Windows flushes only what is open for writing.
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
