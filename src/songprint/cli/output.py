"""Files that a command is told to write: refused before the work if they cannot be, whole or not.

A file that stands in the way is replaced only when its successor is complete, so that neither a
full disk nor an interrupt leaves half a picture.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from songprint.errors import SongprintError, UsageError
from songprint.files import replacing


def require_suffix(out: Path, suffixes: Sequence[str]) -> str:
    """Return the suffix of a file, in lower case and without its dot.

    Parameters
    ----------
    out
        The file.
    suffixes
        Those that are known.

    Raises
    ------
    UsageError
        If it is none of these.
    """
    suffix = out.suffix.lower().removeprefix(".")
    if suffix not in suffixes:
        known = ", ".join(f".{name}" for name in suffixes)
        raise UsageError(f"{out}: the file's name must end in one of {known}")
    return suffix


def require_place(out: Path) -> None:
    """Make sure that a file can be written, as far as that can be told beforehand.

    Raises
    ------
    UsageError
        If it is a folder, or its folder is not there.
    SongprintError
        If its folder may not be written to.
    """
    if out.is_dir():
        raise UsageError(f"{out}: is a folder; --out takes the name of a file")
    folder = Path(os.path.realpath(out)).parent
    if not folder.is_dir():
        raise UsageError(f"{out}: there is no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SongprintError(f"{out}: cannot be written: its folder is write-protected")


def write_whole(out: Path, data: bytes) -> None:
    """Write a file beside its place and move it there.

    Raises
    ------
    SongprintError
        If it cannot be written; what was there before is still there.
    """
    try:
        with replacing(out) as part:
            part.write_bytes(data)
    except OSError as error:
        raise SongprintError(f"{out}: cannot be written: {error.strerror or error}") from error


def hush_matplotlib() -> None:
    """Keep off stderr that it builds a cache of fonts, or cannot keep one; before its import."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
