"""Reads what can still be read of a damaged table, and nothing that is not certain.

A table of which some bytes are lost for good is read several times, with other bytes in their
place each time. A row that reads the same whatever stands there does not depend on what was lost;
all others are left out. LanceDB reads, in a process of its own with a limit to its memory, as what
stands there may lead it anywhere.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from songprint.errors import SongprintError
from songprint.library.guards import (
    Guard,
    guard_of,
    guarded_files,
    latest_manifest,
    named_in,
    needs,
)
from songprint.library.interrupts import leave_interrupts_to_parent, start_uninterrupted
from songprint.library.lance import import_lancedb
from songprint.library.schema import TABLES
from songprint.library.worker import READY, end_with_parent, limit_memory

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

FILLS = (b"\x00", b"\xff", bytes(range(1, 252)))
"""What stands in turn for what was lost."""

VERSIONS = "_versions"

ROWS_AT_ONCE = 256
SLOWEST_SECONDS = 60.0
MOST_DEATHS = 20
"""How often the reading process may die or hang before the rest of the table is given up."""


@dataclass
class Restored:
    """A table as far as its guards can restore it.

    Attributes
    ----------
    files : list of Path
        Those that were restored to the byte, relative to the table.
    lost : dict of Path to Guard or None
        Those that were not, relative to the table, and their guards, if they have any.
    """

    files: list[Path] = field(default_factory=list)
    lost: dict[Path, Guard | None] = field(default_factory=dict)


def restore(library: Path, name: str, to: Path) -> Restored:
    """Make a copy of a table in which whatever its guards know is as it was.

    Files that are well are linked, where links can be had: LanceDB changes none.

    Parameters
    ----------
    library : Path
        The damaged library.
    name : str
        The table's name.
    to : Path
        A folder that is not there yet.
    """
    table = library / f"{name}.lance"
    guards = guarded_files(guard_of(library, table))
    known = {file: guard_of(library, file) for file in guarded_files(table)}
    known |= {table / guard.relative_to(guard_of(library, table)): guard for guard in guards}
    latest = latest_manifest(library, name)
    done = Restored()
    manifests = [file for file in known if file == latest]
    for file in (*manifests, *sorted(known.keys() - set(manifests))):
        place = file.relative_to(table)
        copy = to / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            guard = Guard.load(known[file])
        except (OSError, ValueError):
            link(file, copy)
            continue
        if guard.is_whole(file):
            link(file, copy)
        elif not file.exists() and not _is_missed(to, latest, table, file):
            continue  # it was tidied away
        elif guard.restore(file, copy).any():
            copy.unlink()
            if _is_missed(to, latest, table, file):
                done.lost[place] = guard
        else:
            done.files.append(place)
    if latest is not None:  # it may name what is gone together with its guard
        for named in named_in(to / latest.relative_to(table)):
            place = named.relative_to(to)
            if not named.exists() and place not in done.lost:
                done.lost[place] = None
    return done


def _is_missed(copy: Path, latest: Path | None, table: Path, file: Path) -> bool:
    """Tell whether the latest commit, whose manifest was restored first, needs a file."""
    manifest = None if latest is None else copy / latest.relative_to(table)
    return needs(manifest, copy / file.relative_to(table))


def link(file: Path, to: Path) -> None:
    """Give a file that never changes a second name, or a copy where that cannot be."""
    try:
        os.link(file, to)
    except OSError:
        shutil.copy2(file, to)


@dataclass(frozen=True)
class Salvaged:
    """What was read of a damaged table.

    Attributes
    ----------
    rows : pyarrow.Table
        Those that are certain.
    count : int or None
        How many there were; None if no commit can be read.
    commits_back : int
        How many later commits there were, of which nothing can be read.
    """

    rows: pa.Table
    count: int | None
    commits_back: int

    @property
    def is_all(self) -> bool:
        """Whether nothing is lost."""
        return len(self.rows) == self.count and not self.commits_back


def salvage(library: Path, name: str, restored: Restored, copy: Path) -> Salvaged:
    """Read the rows of a table that are certain.

    Parameters
    ----------
    library : Path
        The damaged library.
    name : str
        The table's name.
    restored : Restored
        What :func:`restore` could and could not do.
    copy : Path
        Where it did; commits that cannot be read are removed from there.
    """
    table = library / f"{name}.lance"
    lost = {place: guard for place, guard in restored.lost.items() if place.parts[0] != VERSIONS}
    fills = FILLS if any(lost.values()) else FILLS[:1]
    commits_back = len(restored.lost) - len(lost)
    for manifest in sorted((copy / VERSIONS).glob("*.manifest")):  # the latest first
        readings: list[dict[int, dict[str, Any]]] = []
        for fill in fills:
            for place, guard in lost.items():
                (copy / place).unlink(missing_ok=True)
                if guard is not None and (table / place).exists():
                    guard.restore(table / place, copy / place, fill)
            with _Reader(copy.parent, name) as reader:
                if reader.rows is None:
                    break
                readings.append(dict(reader.read_all()))
                rows = reader.rows
        else:
            return Salvaged(_agreed(name, readings), rows, commits_back)
        manifest.unlink()  # so that the one before is the latest
        commits_back += 1
    return Salvaged(TABLES[name].empty_table(), None, commits_back)


def _agreed(name: str, readings: list[dict[int, dict[str, Any]]]) -> pa.Table:
    first, *others = readings
    # As text, since what is not a number is not equal to itself.
    same = [row for at, row in first.items() if all(repr(row) == repr(o.get(at)) for o in others)]
    return pa.Table.from_pylist(same, schema=TABLES[name])


class _Reader:
    """A process that reads rows of a table by their number; it is replaced when it dies.

    Attributes
    ----------
    rows : int or None
        How many there are; None if the table cannot be opened.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._deaths = 0
        self._start()
        self.rows: int | None = self._hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def read_all(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the numbers of the rows that can be read, and the rows."""
        waiting = [
            (start, min(start + ROWS_AT_ONCE, self.rows or 0))
            for start in range(0, self.rows or 0, ROWS_AT_ONCE)
        ]
        waiting.reverse()
        while waiting and self._deaths < MOST_DEATHS:
            start, stop = waiting.pop()
            rows = self._read(start, stop)
            if rows is not None:
                yield from enumerate(rows, start)
            elif stop - start > 1 and self._is_worth_more(start, stop):
                middle = (start + stop) // 2
                waiting += [(middle, stop), (start, middle)]

    def _is_worth_more(self, start: int, stop: int) -> bool:
        """Tell whether any of some rows among many can be read."""
        probes = {start, (start + stop) // 2, stop - 1}
        return stop - start <= 4 or any(self._read(at, at + 1) is not None for at in probes)

    def _read(self, start: int, stop: int) -> list[dict[str, Any]] | None:
        with suppress(OSError):
            self._connection.send((start, stop))
        rows: list[dict[str, Any]] | None = self._hear()
        return rows if rows is not None and len(rows) == stop - start else None

    def _hear(self) -> Any:
        with suppress(EOFError, OSError):
            if self._connection.poll(SLOWEST_SECONDS):
                return self._connection.recv()
        self._deaths += 1
        self._end()
        self._start()
        with suppress(EOFError, OSError):
            if self._connection.poll(SLOWEST_SECONDS):
                self._connection.recv()
        return None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        arguments = (theirs, self._folder, self._name)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        start_uninterrupted(self._process)
        theirs.close()
        with suppress(EOFError, OSError):
            if self._connection.poll(SLOWEST_SECONDS) and self._connection.recv() == READY:
                return
        # Else the whole table would pass for unreadable where it is the machine that is at fault.
        raise SongprintError("the process that reads tables does not start; see songprint doctor")

    def _end(self) -> None:
        self._connection.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()


def _serve(connection: Connection, folder: Path, name: str) -> None:
    """Say how many rows there are, then answer ranges with rows, or None."""
    leave_interrupts_to_parent()
    threading.Thread(target=end_with_parent, daemon=True).start()
    limit_memory()
    with suppress(OSError):  # what Rust says of a panic is for nobody
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    table: Any = None
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send(READY)
        try:
            table = import_lancedb().connect(folder).open_table(name)
            connection.send(table.count_rows())
        except BaseException:  # whatever the bytes led to, a panic of Rust's included
            connection.send(None)
        while True:
            start, stop = connection.recv()
            try:
                query = table.search().select(TABLES[name].names)
                rows = query.offset(start).limit(stop - start).to_arrow()
                answer = rows.cast(TABLES[name]).to_pylist()
            except BaseException:
                answer = None
            connection.send(answer)
