"""Where a library lies that nobody gave a place."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from songprint.library.objects import is_object


def library_path() -> Path:
    """Return the library's folder: ``SONGPRINT_LIBRARY``, or one in the platform's data folder."""
    if named := os.environ.get("SONGPRINT_LIBRARY"):
        return Path(named)
    return data_folder() / "library"


def is_new(path: Path | str | None) -> bool:
    """Tell at a glance whether there is no library yet in a folder, or where one lies by itself.

    Of an object store nothing can be told at a glance.
    """
    path = path or library_path()
    # Unlike Path.exists, it does not mind a name that is too long.
    return not is_object(path) and not os.path.exists(Path(path) / "songs.lance")  # noqa: PTH110


def data_folder() -> Path:
    """Return the folder in which the platform wants a program's data to lie."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "songprint"
