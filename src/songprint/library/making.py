"""Makes a library's folder, and opens it as a power cut may have left it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from songprint.errors import LibraryError
from songprint.library.durable import Flusher, torn_commits
from songprint.library.guards import guard_of, keep_guards
from songprint.library.lance import import_lancedb
from songprint.library.locks import held
from songprint.library.refusals import reason, refusing
from songprint.library.schema import TABLES

if TYPE_CHECKING:
    import lancedb

WAIT_SECONDS = 10.0


def connect_to(folder: Path) -> lancedb.DBConnection:
    """Return LanceDB's connection to a folder."""
    # Every read looks for the latest version, as another process may have written it.
    connect = import_lancedb().connect
    connection: lancedb.DBConnection = connect(folder, read_consistency_interval=timedelta(0))
    return connection


def take_back_torn_commits(folder: Path) -> None:
    """Take back what a power cut left half done of the latest commits."""
    if _torn(folder):
        with held(folder, "writer", WAIT_SECONDS):
            for manifest in _torn(folder):
                manifest.unlink()


def _torn(folder: Path) -> list[Path]:
    """Return the commits that were never whole: one that is guarded was, and is damaged."""
    torn = torn_commits(folder / f"{name}.lance" for name in TABLES)
    return [manifest for manifest in torn if not guard_of(folder, manifest).exists()]


def create_folder(folder: Path) -> None:
    """Make an empty library.

    Raises
    ------
    LibraryError
        If it cannot be made, or something else lies there.
    """
    import_lancedb()  # if it can be, before anything is made
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strange = [entry for entry in folder.iterdir() if not _is_ours(entry.name)]
    except OSError as error:
        raise LibraryError(f"{folder}: no library can be made here: {reason(error)}") from error
    if strange:
        raise LibraryError(
            f"{folder}: there is no library here, and none is made among other files "
            f"({strange[0].name})"
        )
    with held(folder, "writer"), held(folder, "notes"), refusing(folder, "be made"):
        connection = connect_to(folder)
        flusher = Flusher(folder / f"{name}.lance" for name in TABLES)
        for name, schema in TABLES.items():
            connection.create_table(name, schema=schema, exist_ok=True)
        flusher.flush()  # what is guarded must outlive a power cut
        keep_guards(folder, TABLES)


def _is_ours(name: str) -> bool:
    """Tell whether it may be left of a library whose making was cut short."""
    locks = {f"{lock}.{kind}" for lock in ("writer", "notes") for kind in ("lock", "json")}
    return name.endswith(".lance") or name in locks
