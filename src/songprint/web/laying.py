"""Reading a large library beside the server, which then only maps what was laid out.

What is read and what is computed from it take several times the memory of what is left in the end,
and none of it comes back to a process that has once had it.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from dataclasses import fields
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songprint.errors import SongprintError
from songprint.kinship.neighbours import Kinship
from songprint.library.store import Library
from songprint.web.beside import Tell, run_beside
from songprint.web.jobs import Job
from songprint.web.spilling import FEWEST_SONGS, SPARSE, Mapped, Spill, load

if TYPE_CHECKING:
    from songprint.library.catalogue import Catalogue
    from songprint.web.shelf import Snapshot

BESIDE = sys.platform != "win32"
"""Whether a file without a name can be given to another process."""

log = logging.getLogger("songprint.web")


def read(library: Library, cache: Path, version: int, *, warm: bool) -> Snapshot:
    """Return a library's songs as they are now; those of a large one mapped from the disk.

    Parameters
    ----------
    library : Library
        One that has songs.
    cache : Path
        On whose disk a large library's columns lie.
    version : int
        Of the library's table of songs, by which the snapshot is known.
    warm : bool
        Whether what a first request would wait for is done already, if the library is large.

    Raises
    ------
    SongprintError
        If it cannot be read.
    """
    from songprint.web.shelf import Snapshot

    songs = int(library.table("songs").count_rows())
    if BESIDE and songs >= FEWEST_SONGS:
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=cache) as file:
                place = str(library.path)
                start = run_beside(Job("reading"), _Laying(file.fileno()), place, version, warm)
                snapshot: Snapshot = load(file.fileno(), start)
                return snapshot
        except OSError as error:
            log.warning("%s: cannot be written: %s", cache, error.strerror)
    # By a library of its own, whose caches go with it: they would take as much again.
    return Snapshot(Library.open(library.path).catalogue(), version, cache)


class _Laying:
    """What the other process does; takes a file's descriptor there."""

    def __init__(self, file: int) -> None:
        self._file = file

    def __getstate__(self) -> Any:
        return DupFd(self._file)

    def __setstate__(self, file: Any) -> None:
        self._file = file.detach()

    def __call__(self, tell: Tell, place: str, version: int, warm: bool) -> int:
        del tell
        try:
            return _lay_out(Path(place), version, Spill(self._file), warm=warm)
        except OSError as error:
            raise SongprintError(f"{place}: cannot be laid out: {error.strerror}") from error


def _lay_out(place: Path, version: int, spill: Spill, *, warm: bool) -> int:
    from songprint.web.shelf import Snapshot, cache_of

    snapshot = Snapshot(_mapped(Library.open(place).catalogue(), spill), version, cache_of(place))
    if warm:
        snapshot.lay(Kinship(snapshot.catalogue, room=spill.room))
        snapshot.warm()
        snapshot.map(cache_of(place))
    return spill.dump(snapshot)


def _mapped(catalogue: Catalogue, spill: Spill) -> Mapped:
    columns = {field.name: getattr(catalogue, field.name) for field in fields(catalogue)}
    said: dict[str, str] = {}  # what is said twice is kept once
    for name in ("artists", "albums"):
        texts = columns[name]
        texts[:] = [text and said.setdefault(text, text) for text in texts]
    return Mapped(**columns | {name: spill.put(columns[name]) for name in SPARSE})
