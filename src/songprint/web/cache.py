"""What was computed from songs and can be computed again: files of so many bytes in all."""

from __future__ import annotations

import gzip
import os
import threading
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 256 << 20


class Cache:
    """A folder of JSON texts by name; what was not used for longest goes first.

    Parameters
    ----------
    folder : Path
        Made when something is kept.
    most_bytes : int
        What all files together may take.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._bytes: int | None = None

    def get(self, name: str) -> bytes | None:
        """Return a text, or None if it is not kept."""
        path = self._path(name)
        try:
            text = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, gzip.BadGzipFile):
            return None
        with suppress(OSError):
            os.utime(path)
        return text

    def put(self, name: str, text: bytes) -> None:
        """Keep a text; a full or forbidden disk only means that it is computed again."""
        packed = gzip.compress(text, 5)
        path = self._path(name)
        part = path.with_suffix(f".{threading.get_ident()}.part")
        with suppress(OSError), self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(packed)
            part.replace(path)
            self._trim(len(packed))

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json.gz"

    def _trim(self, new: int) -> None:
        if self._bytes is not None and self._bytes + new <= self._most_bytes:
            self._bytes += new
            return
        self._bytes = let_oldest_go(self._folder, round(0.9 * self._most_bytes))


def let_oldest_go(folder: Path, most_bytes: int, newest: Path | None = None) -> int:
    """Remove files that were not used for longest until the others take so much; return how much.

    Parameters
    ----------
    folder : Path
        Its files, what was never finished among them.
    most_bytes : int
        What they may take.
    newest : Path, optional
        One that stays, however large it is.

    Raises
    ------
    OSError
        If a file cannot be looked at or removed.
    """
    files = sorted(((file.stat(), file) for file in folder.iterdir()), key=lambda f: f[0].st_mtime)
    total = sum(status.st_size for status, _ in files)
    for status, file in files:
        if total > most_bytes and file != newest:
            file.unlink(missing_ok=True)
            total -= status.st_size
    return total
