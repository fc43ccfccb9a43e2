"""The library as the page sees it: a snapshot in memory that follows what is on the disk.

A request works on one snapshot. When songs were added, by this server or by any other process, a
new one is read in the background and takes its place.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songprint.cli.hearing import usable_cores
from songprint.errors import SongprintError
from songprint.kinship.neighbours import Kinship
from songprint.library.recordings import changed
from songprint.library.store import Library
from songprint.web.heap import trim
from songprint.web.laying import read
from songprint.web.map import Axes, axes_for, packed, place
from songprint.web.refusal import Refusal
from songprint.web.spilling import FEWEST_SONGS, let_go, room_for
from songprint.web.table import SORTS, Table

if TYPE_CHECKING:
    from songprint.library.catalogue import Catalogue

LOOK_SECONDS = 1.0
"""How often it is asked whether the library has changed."""

PATIENCE = 20
"""How many times as long as it took to read a large library it is used, however much is added."""

MOST_TURNS = 4
"""How many may seek kin at once: each takes some 10 MB among 100,000 songs, and the threads of the
library that multiplies matrices."""

MOST_POINTS = 10
"""Whoever asks by more songs than this does so alone: of each there is a distance to all others."""

log = logging.getLogger("songprint.web")


class Snapshot:
    """The songs of a library at one moment.

    Parameters
    ----------
    catalogue : Catalogue
        The songs.
    version : int
        Of the library's table of songs.
    cache : Path
        The folder on whose disk large columns lie.
    """

    def __init__(self, catalogue: Catalogue, version: int, cache: Path) -> None:
        self._cache = cache
        self.catalogue = catalogue
        self.version = version
        self.table = Table(catalogue)
        self._lock = threading.Lock()
        self._kinship: Kinship | None = None
        self._map: tuple[Axes, bytes] | None = None

    def __len__(self) -> int:
        return len(self.catalogue)

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the lock, for another process."""
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    @property
    def kinship(self) -> Kinship:
        """How alike the songs are; laid out when first asked for."""
        with self._lock:
            if self._kinship is None:
                self._kinship = Kinship(
                    self.catalogue, room=lambda shape: room_for(shape, self._cache)
                )
                let_go(self.catalogue)
            return self._kinship

    def lay(self, kinship: Kinship) -> None:
        """Take kinship that was laid out already."""
        self._kinship = kinship

    def warm(self) -> None:
        """Do beforehand what whoever asks first would wait for."""
        self.table.warm(SORTS if len(self) >= FEWEST_SONGS else ("title",))
        self.kinship.prepare()
        _ = self.kinship.artists, self.kinship.works, self.kinship.popularity
        trim()

    def rest(self) -> None:
        """Give back memory until somebody asks again."""
        kinship = self._kinship
        let_go(self.catalogue, kinship.space if kinship is not None else None)
        trim()

    def map(self, folder: Path) -> tuple[Axes, bytes]:
        """Return the map's axes, kept in a folder, and its points as a browser reads them."""
        kinship = self.kinship
        with self._lock:
            if self._map is None:
                axes = axes_for(kinship.space, folder)
                places = place(kinship.space, axes)
                catalogue = self.catalogue
                points = packed(catalogue.hashes, places, self.table.genre, catalogue.unsure)
                self._map = axes, points
            return self._map

    @cached_property
    def genre_counts(self) -> dict[str, int]:
        """How many songs there are of each genre, most first, the unsure left out."""
        sure = self.table.genre[~self.catalogue.unsure]
        names = self.catalogue.vocabulary.genres
        counts = np.bincount(sure, minlength=len(names)).tolist()
        ranked = sorted(zip(names, counts, strict=True), key=lambda pair: -pair[1])
        return {name: count for name, count in ranked if count}

    def row_of(self, song: str) -> int | None:
        """Return a song's row by its content hash."""
        hashes = self.catalogue.hashes  # in order
        row = int(np.searchsorted(hashes, song))
        return row if row < len(hashes) and hashes[row] == song else None

    def row(self, song: str) -> int:
        """Return a song's row by its content hash.

        Raises
        ------
        Refusal
            If it is not in the library.
        """
        row = self.row_of(song)
        if row is None:
            raise Refusal(404, f"there is no song {song} in the library")
        return row

    def rows(self, songs: Sequence[str]) -> list[int]:
        """Return rows as :meth:`row` does, each once."""
        return list(dict.fromkeys(self.row(song) for song in songs))


class Shelf:
    """A library that is open, and its latest snapshot.

    Parameters
    ----------
    path : Path
        The library's folder; made if there is none.

    Attributes
    ----------
    library : Library
        The library on the disk.
    """

    def __init__(self, path: Path) -> None:
        self.library = Library.open(path, create=True)
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._recordings = 0
        self._looked = 0.0
        self._not_before = 0.0
        self._reading = False
        self._first = threading.Condition()
        self._turns = min(max(2, usable_cores()), MOST_TURNS)
        self._turn = threading.BoundedSemaphore(self._turns)
        self._all_turns = threading.Lock()

    @property
    def cache(self) -> Path:
        """The folder beside the library for what can be computed again."""
        return cache_of(self.library.path)

    def current(self) -> Snapshot:
        """Return the latest snapshot.

        Raises
        ------
        Refusal
            If the library is empty.
        """
        snapshot = self.current_or_none()
        if snapshot is None:
            raise Refusal(409, "there are no songs in the library yet")
        return snapshot

    def current_or_none(self) -> Snapshot | None:
        """Return the latest snapshot, or None if the library is empty."""
        now = time.monotonic()
        with self._lock:
            first = self._snapshot is None
            due = not self._reading and now - self._looked >= LOOK_SECONDS
            due = due and (first or now >= self._not_before)
            if due:
                self._looked = now
                self._reading = True
        if due:
            if first:
                self._read()
            else:
                threading.Thread(target=self._read, name="reading the library").start()
        elif first:  # another thread may be reading it for the first time
            with self._first:
                self._first.wait_for(lambda: not self._reading)
        return self._snapshot

    @contextmanager
    def turn(self, points: int = 1) -> Iterator[Snapshot]:
        """Wait for one's turn to seek kin, in the latest snapshot.

        More at once than there are cores would only take more memory.

        Parameters
        ----------
        points : int
            Songs by whose distances it is sought.

        Raises
        ------
        Refusal
            If the library is empty.
        """
        self.current()  # the first is read without a turn
        if points <= MOST_POINTS:
            with self._turn:
                yield self.current()
            return
        with self._alone():
            yield self.current()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until nobody seeks kin, and let nobody begin."""
        with self._all_turns, ExitStack() as turns:  # two who each had some would wait for ever
            for _ in range(self._turns):
                turns.enter_context(self._turn)
            yield

    def _put(self, snapshot: Snapshot) -> None:
        """Put a snapshot in the place of the one before, in which nobody seeks kin any more.

        Else the columns of both would be in memory at once.
        """
        with self._alone():
            before, self._snapshot = self._snapshot, snapshot
            if before is not None:
                before.rest()

    def refresh(self) -> None:
        """Read the library anew now, if it has changed; for when songs were just added."""
        with self._lock:
            if self._reading:
                self._not_before = 0.0
                return
            self._reading = True
        self._read()

    def _read(self) -> None:
        try:
            version = int(self.library.table("songs").version)
            recordings = changed(self.library.path)
            before = self._snapshot
            same = before is not None and before.version == version
            if same and self._recordings == recordings:
                return
            self._recordings = recordings
            if self.library.model is None:
                self._snapshot = None
                return
            started = time.monotonic()
            large = before is not None and len(before) >= FEWEST_SONGS
            # Of a large library kin are sought in the one before until they can be in this one.
            self._put(read(self.library, self.cache, version, warm=large))
            took = time.monotonic() - started
            self._not_before = time.monotonic() + (PATIENCE if large else 1) * took
            del before
            trim()
            if not large:
                threading.Thread(target=self._warm, name="warming", daemon=True).start()
        except SongprintError as error:
            log.warning("%s", error)
        finally:
            with self._first:
                self._reading = False
                self._first.notify_all()

    def _warm(self) -> None:
        """Make the first snapshot, or one of a small library, ready for what is asked of it."""
        snapshot = self._snapshot
        if snapshot is None:
            return
        if len(snapshot) < FEWEST_SONGS:
            snapshot.warm()
            return
        try:
            warmed = read(self.library, self.cache, snapshot.version, warm=True)
        except SongprintError as error:
            log.warning("%s", error)
        else:
            if self._snapshot is snapshot:
                self._put(warmed)
            del snapshot, warmed
            trim()


def cache_of(library: Path) -> Path:
    """Return the folder beside a library for what can be computed again."""
    return library.with_name(f"{library.name}.cache")
