"""What makes the library outlive a power cut, which LanceDB leaves to the file system.

A commit writes its pieces and then the *manifest* that names them, in files of new names, and asks
for none of them to be on the disk. So they are flushed when the commit is done; and a manifest that
a power cut tore all the same is taken back, which leaves the commit before it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

MANIFEST_END = b"LANC"


class Flusher:
    """Waits until what was written to tables since it was made is on the disk.

    Parameters
    ----------
    tables : iterable of Path
        Their folders. No file in them is ever changed: there are only new ones.
    """

    def __init__(self, tables: Iterable[Path]) -> None:
        self._tables = list(tables)
        self._known = {path for files in self._files().values() for path in files}

    def flush(self) -> None:
        """Wait."""
        for folder, paths in self._files().items():
            if new := paths - self._known:
                for path in (*new, folder):
                    flush(path)
                self._known |= new

    def _files(self) -> dict[str, set[str]]:
        """Return the files that a commit needs, by folder."""
        needed: dict[str, set[str]] = {}
        for table in self._tables:
            for folder, folders, names in os.walk(table):
                folders[:] = [name for name in folders if name != "_transactions"]
                paths = (os.path.join(folder, n) for n in names if not n.endswith(".json"))  # noqa: PTH118
                needed[folder] = set(paths)
        return needed


def flush(path: str) -> None:
    """Wait until a file or a folder is on the disk; one that is gone by now need not be."""
    if os.name != "posix":  # elsewhere what is open for reading cannot be flushed
        return
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # it was replaced, and tidied away
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def torn_commits(tables: Iterable[Path]) -> list[Path]:
    """Return the manifests of the latest commits that are not whole, latest first."""
    return [manifest for table in tables for manifest in _torn(table / "_versions")]


def _torn(versions: Path) -> Iterable[Path]:
    for manifest in sorted(versions.glob("*.manifest")):  # numbered downwards
        with manifest.open("rb") as file:
            file.seek(-min(len(MANIFEST_END), manifest.stat().st_size), os.SEEK_END)
            if file.read() == MANIFEST_END:
                return
        yield manifest
