"""Makes a sound library of a damaged one, which is kept.

What the guards know is restored to the byte; of the rest every row that is certainly as it was is
saved (:mod:`~songprint.library.salvage`). The new library is made beside the old one and takes its
place in one step, when it is whole and on the disk; a run that is killed leaves the old one where
it was. What is lost is heard again by the next ``songprint add``.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from songprint.audio.peaks import PEAKS_VERSION
from songprint.errors import LibraryError
from songprint.library.guards import FOLDER as GUARDS
from songprint.library.guards import examine, keep_guards
from songprint.library.lance import import_lancedb
from songprint.library.locks import held
from songprint.library.objects import is_object, uri_of
from songprint.library.refusals import reason
from songprint.library.salvage import Restored, restore, salvage
from songprint.library.schema import (
    FORMAT,
    FORMAT_KEY,
    TABLES,
    FileRow,
    read_path,
    vocabulary_of_taxonomy,
)
from songprint.library.taglog import FOLDER as TAG_LOGS

if TYPE_CHECKING:
    import pyarrow as pa

    from songprint.library.store import Library

WAIT_SECONDS = 10.0

UNFINISHED = "unfinished"
"""A file in a library that is being made; what has it may be cleared away."""

LOOKS_CHANGED_NS = -1
"""A time at which no file was written, so that the next ``songprint add`` looks into it."""

LATER = ("landmarks",)
"""Tables that a library which an older songprint made need not have."""

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@dataclass
class Repaired:
    """What a repair did.

    Attributes
    ----------
    library : Path
        The library, sound now.
    aside : Path or None
        The library as it was; None if nothing had to be repaired.
    restored : list of str
        Files that were restored to the byte, relative to the library.
    lost : dict of str to int
        Rows that are lost, by table.
    set_back : dict of str to int
        Latest commits of which nothing can be read, by table; an earlier one was read.
    emptied : list of str
        Tables of which nothing could be read, so that nobody knows how many rows are lost.
    songs : int
        How many the library has.
    to_hear : int
        Songs of known files that the next ``songprint add`` will hear again.
    """

    library: Path
    aside: Path | None = None
    restored: list[str] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    set_back: dict[str, int] = field(default_factory=dict)
    emptied: list[str] = field(default_factory=list)
    songs: int = 0
    to_hear: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost."""
        return not (self.lost or self.set_back or self.emptied)


def repair(library: Path) -> Repaired:
    """Put a sound library in the place of a damaged one.

    Parameters
    ----------
    library : Path
        Its folder. Nobody should be reading from it; nobody may be writing to it.

    Raises
    ------
    LibraryError
        If there is no library, or another process is writing to it, or the folder that it lies in
        cannot be written to. Then nothing has changed.
    """
    if is_object(library):
        uri = uri_of(library)
        raise LibraryError(f"{uri}: is in an object store, which guards its bytes itself")
    library = Path(os.path.realpath(library))
    if not any((library / part).is_dir() for part in (GUARDS, *(f"{t}.lance" for t in TABLES))):
        raise LibraryError(f"{library}: there is no library here")
    with ExitStack() as locks:
        for lock in ("writer", "notes"):
            locks.enter_context(held(library, lock, WAIT_SECONDS))
        _clear(library)
        done = Repaired(library)
        new = library.with_name(f"{library.name}.repair-{secrets.token_hex(4)}")
        try:
            new.mkdir()
            (new / UNFINISHED).touch()
            if _make(library, new, done):
                (new / UNFINISHED).unlink()
                if os.name == "nt":  # where a folder that holds an open file cannot be moved
                    locks.close()
                done.aside = _put_in_place(new, library)
        except OSError as error:
            raise LibraryError(f"{library}: cannot be repaired: {reason(error)}") from error
        finally:
            if (new / UNFINISHED).exists():
                shutil.rmtree(new, ignore_errors=True)
    return done


def _clear(library: Path) -> None:
    """Remove what repairs that were killed had begun to make."""
    for left in library.parent.glob(f"{library.name}.repair-*"):
        if (left / UNFINISHED).exists():
            shutil.rmtree(left, ignore_errors=True)


def _make(library: Path, new: Path, done: Repaired) -> bool:
    """Make a sound library; tell whether it differs from what there was."""
    from songprint.library.store import Library

    examined = examine(library, TABLES)
    unsure = {file.relative_to(library).parts[0] for file in examined.unguarded}
    gone = [name for name in TABLES if not (library / f"{name}.lance").is_dir()]
    differs = bool(examined.damages)
    for name in TABLES:
        copy = new / f"{name}.lance"
        restored = Restored()
        if name not in gone or (library / GUARDS / copy.name).is_dir():
            restored = restore(library, name, copy)
        done.restored += [f"{copy.name}/{file.as_posix()}" for file in restored.files]
        if restored.lost or copy.name in unsure or not copy.is_dir():
            differs |= _save_rows(library, new, name, restored, done)
    if (library / TAG_LOGS).is_dir():
        shutil.copytree(library / TAG_LOGS, new / TAG_LOGS)
    kept = Library.open(new)
    _reconcile(kept, done, mend=not done.is_whole)
    if differs:
        keep_guards(new, TABLES)
        if hasattr(os, "sync"):
            os.sync()
    return differs


def _save_rows(library: Path, new: Path, name: str, restored: Restored, done: Repaired) -> bool:
    """Write a table anew with the rows that can be read; tell whether that was needed."""
    copy = new / f"{name}.lance"
    rows = TABLES[name].empty_table()
    if copy.is_dir():
        _require_format(library, copy)
        saved = salvage(library, name, restored, copy)
        if saved.is_all and not restored.lost:
            return False
        rows = saved.rows
        if saved.count is None:
            done.emptied.append(name)
        elif saved.commits_back:
            done.set_back[name] = saved.commits_back
        if missing := (saved.count or 0) - len(rows):
            done.lost[name] = missing
        shutil.rmtree(copy)
    elif (library / GUARDS).is_dir() or name not in LATER:
        done.emptied.append(name)
    import_lancedb().connect(new).create_table(name, rows, schema=TABLES[name])
    return True


def _require_format(library: Path, copy: Path) -> None:
    """Refuse a library of another songprint, as far as its format can be read."""
    with suppress(OSError, RuntimeError, ValueError):
        table = import_lancedb().connect(copy.parent).open_table(copy.stem)
        found = (table.schema.metadata or {}).get(FORMAT_KEY, b"%d" % FORMAT).decode()
        if found != str(FORMAT):
            raise LibraryError(
                f"{library}: the library's format is {found}, and this songprint repairs {FORMAT}"
            )


def _reconcile(library: Library, done: Repaired, *, mend: bool) -> None:
    """Make tables that have lost something fit each other, and count what is to be heard."""
    songs = library.read("songs", "content_hash", "model", "path", "imported")
    files = library.files()
    if mend:
        _mend(library, songs, files)
        songs, files = library.read("songs", "content_hash", "model"), library.files()
    peaks = library.read("landmarks", "content_hash", where=f"version = {PEAKS_VERSION}")
    known = set(songs["content_hash"].to_pylist())
    heard = known & set(peaks["content_hash"].to_pylist())
    done.songs = len(known)
    done.to_hear = len({file.content_hash for file in files if file.content_hash} - heard)


def _mend(library: Library, songs: pa.Table, files: list[FileRow]) -> None:
    from songprint.fingerprints import default_fingerprinter

    current = default_fingerprinter().model_version
    named = set(library.read("models", "model")["model"].to_pylist())
    held_songs = {file.content_hash for file in files}
    now = datetime.now(UTC)
    with library.writing() as writer:
        for model in set(songs["model"].to_pylist()) - named:
            if model == current:
                writer.put_model(model, vocabulary_of_taxonomy())
            else:  # nobody knows any more what its probabilities are of
                writer.drop_songs_of(model)
        # A song whose file is forgotten would be forgotten, too, were its disk not here.
        writer.put_files(
            [
                FileRow(
                    read_path(row["path"]),
                    row["content_hash"],
                    0,
                    LOOKS_CHANGED_NS,
                    None,
                    None,
                    now,
                )
                for row in songs.to_pylist()
                if row["path"] is not None
                and not row["imported"]
                and row["content_hash"] not in held_songs
            ]
        )


def _put_in_place(new: Path, library: Path) -> Path:
    """Let a library take the place of another, in one step where there is one; return the other."""
    stem = f"{library.name}.damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    aside = library.with_name(stem)
    number = 1
    while aside.exists():
        number += 1
        aside = library.with_name(f"{stem}-{number}")
    if _exchanged(new, library):
        new.rename(aside)
    else:
        library.rename(aside)
        new.rename(library)
    return aside


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders, if the system can, so that at no moment either is not there."""
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    failed = rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    return bool(failed == 0)
