"""Adds folders to a library: only what is new or has changed is heard, in worker processes.

A file whose size and time are those of last time is not opened. Any other is identified by its
content hash, which costs a twentieth of hearing it: if the song is known, the file was moved,
copied or tagged, and is not heard again. The order of all this does not matter, so that what a
killed process left undone is done by the next.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from songprint.library.batch import Batch
from songprint.library.holdings import Holdings
from songprint.library.interrupts import uninterrupted
from songprint.library.listen import Wanted
from songprint.library.pool import WorkerPool
from songprint.library.scan import FileOnDisk, Found, Scan, scan
from songprint.library.settle import settle_files, settle_songs
from songprint.library.worker import Identified, Job, Outcome

if TYPE_CHECKING:
    from songprint.library.store import Library
    from songprint.library.writer import Writer


@dataclass
class Added:
    """What adding folders did.

    Attributes
    ----------
    added : int
        Songs that the library did not have.
    updated : int
        Files that hold another song, or other tags, than before.
    unchanged : int
        Files that are as they were.
    moved : int
        Files whose song was known from a place where it is no longer.
    duplicates : int
        New files of songs that the library also has in another place.
    renewed : int
        Songs that an older model, or somebody else, had heard, and that were heard anew.
    failed : list of Found
        Files in which no song could be heard, and places that could not be read.
    unread : int
        How many of these are such places: no file of the library is behind them.
    failed_before : int
        Files that failed once and have not changed since; they were not tried again.
    missing : list of str
        Files that are gone.
    pruned : int
        Files that are gone and that the library has forgotten.
    heard : int
        Songs that were heard.
    heard_seconds : float
        What they last, together.
    seconds : float
        What it took.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    moved: int = 0
    duplicates: int = 0
    renewed: int = 0
    failed: list[Found] = field(default_factory=list)
    unread: int = 0
    failed_before: int = 0
    missing: list[str] = field(default_factory=list)
    pruned: int = 0
    heard: int = 0
    heard_seconds: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Step:
    """How far adding has come.

    Attributes
    ----------
    added : Added
        What has happened until now.
    left : int
        Files that are still to be looked into.
    outcome : Outcome or None
        What has just become of a file.
    """

    added: Added
    left: int
    outcome: Outcome | None


class Pool(Protocol):
    """Whoever hears songs; see :class:`~songprint.library.pool.WorkerPool`."""

    def run(
        self, next_job: Callable[[], Job | None], is_wanted: Callable[[Job, Identified], bool]
    ) -> Iterator[Outcome | None]:
        """Do jobs until there are none."""


class Workplace(Protocol):
    """Where songs are heard: on this machine, or on others."""

    def batch(self, library: Library, writer: Writer, holdings: Holdings) -> Batch:
        """Return what collects and writes."""

    def pool(
        self, library: Library, holdings: Holdings, batch: Batch
    ) -> AbstractContextManager[Pool]:
        """Return who hears, for the length of a block."""


@dataclass(frozen=True)
class Here:
    """Hearing on the machine that this runs on.

    Attributes
    ----------
    workers : WorkerPool
        The processes that hear.
    """

    workers: WorkerPool

    def batch(self, library: Library, writer: Writer, holdings: Holdings) -> Batch:
        """Return what collects and writes."""
        return Batch(library, writer, holdings)

    def pool(self, _library: Library, _holdings: Holdings, _batch: Batch) -> WorkerPool:
        """Return processes of this machine."""
        return self.workers


def add_folders(
    library: Library,
    places: Sequence[str],
    *,
    workers: int = 1,
    prune: bool = False,
    retry: bool = False,
    thorough: bool = False,
    time_limit_seconds: float | None = None,
    workplace: Workplace | None = None,
    on_plan: Callable[[list[FileOnDisk]], None] | None = None,
    on_step: Callable[[Step], None] | None = None,
) -> Added:
    """Add what lies in folders to a library, and notice what no longer does.

    Parameters
    ----------
    library : Library
        The library.
    places : sequence of str
        Folders, in which every audio file is taken, and files; or prefixes of an object store.
    workers : int
        Songs heard at once, each by a process of this machine.
    prune : bool
        Forget the files that are gone; else they are kept, and told of.
    retry : bool
        Also try the files again that failed before.
    thorough : bool
        Hear all windows of songs, and not a third of long ones.
    time_limit_seconds : float, optional
        What a file may take before it is given up; by its size and duration if left out.
    workplace : Workplace, optional
        Where songs are heard, if not by these workers: a
        :class:`~songprint.cluster.workplace.Cluster`.
    on_plan : callable, optional
        Is told which files will be looked into, before that begins.
    on_step : callable, optional
        Is told of each file, and twice a second.

    Returns
    -------
    Added
        What happened.

    Raises
    ------
    LibraryError
        If another process is writing, or the library cannot be written.
    KeyboardInterrupt
        If it is interrupted; what was heard is kept.
    """
    from songprint.fingerprints import default_fingerprinter

    started = time.monotonic()
    workplace = workplace or Here(WorkerPool(workers, time_limit_seconds))
    model = default_fingerprinter().model_version
    added = Added()
    with library.writing() as writer:
        seen = scan(places)
        writer.put_folders(seen.roots)
        holdings = Holdings(library, model)
        batch = workplace.batch(library, writer, holdings)
        ingest = _Ingest(holdings, batch, added, retry=retry, thorough=thorough)
        ingest.plan(seen)
        if on_plan is not None:
            on_plan(list(ingest.waiting))
        with workplace.pool(library, holdings, batch) as pool:
            try:
                for outcome in pool.run(ingest.next_job, ingest.is_wanted):
                    if outcome is not None:
                        ingest.take(outcome)
                    if batch.is_due:
                        batch.write()
                    added.seconds = time.monotonic() - started
                    if on_step is not None:
                        on_step(Step(added, ingest.left, outcome))
            finally:
                with uninterrupted():  # by whoever presses Ctrl-C twice
                    batch.write()
        ingest.finish()
        settle_files(writer, holdings, seen, added, ingest.strangers, prune=prune)
        settle_songs(library, writer, holdings, model)
        writer.tidy_if_needed()
    added.seconds = time.monotonic() - started
    return added


class _Ingest:
    """Decides what is to be done with each file, and counts."""

    def __init__(
        self, holdings: Holdings, batch: Batch, added: Added, *, retry: bool, thorough: bool
    ) -> None:
        self.waiting: deque[FileOnDisk] = deque()
        self.strangers: set[str] = set()  # new files of songs that were known
        self._holdings = holdings
        self._batch = batch
        self._added = added
        self._retry = retry
        self._wanted = Wanted(thorough, peaks=True)
        self._at_work = 0
        self._hearing: dict[str, str] = {}  # song to the file in which it is being heard
        self._same: defaultdict[str, list[Outcome]] = defaultdict(list)  # other files of these
        self._touched: list[str] = []  # files that have changed, but not in their sound

    @property
    def left(self) -> int:
        """How many files are still to be dealt with."""
        return len(self.waiting) + self._at_work + sum(map(len, self._same.values()))

    def plan(self, seen: Scan) -> None:
        """Tell the files that must be opened from those that need not be."""
        self._added.failed += seen.problems
        self._added.unread = len(seen.problems)
        for path in self._holdings.files.keys() - seen.files.keys():
            seen.look_for(path)
        for file in sorted(seen.files.values(), key=lambda file: file.path):
            known = self._holdings.files.get(file.path)
            if known is None or (known.size, known.mtime_ns) != (file.size, file.mtime_ns):
                self.waiting.append(file)
            elif known.error is not None:
                if self._retry:
                    self.waiting.append(file)
                else:
                    self._added.failed_before += 1
            elif known.content_hash is None or known.content_hash not in self._holdings.current:
                self.waiting.append(file)
            else:
                self._added.unchanged += 1
                if known.missing is not None:
                    self._batch.add_file(file, known.content_hash, None)

    def next_job(self) -> Job | None:
        """Return the next file to be opened."""
        if not self.waiting:
            return None
        self._at_work += 1
        return Job(self.waiting.popleft(), self._wanted)

    def is_wanted(self, job: Job, identified: Identified) -> bool:
        """Say whether a song is to be heard: unless it was, or is being heard."""
        song = identified.content_hash
        if song in self._holdings.current or song in self._hearing:
            return False
        self._hearing[song] = job.file.path
        return True

    def take(self, outcome: Outcome) -> None:
        """Enter what became of a file."""
        self._at_work -= 1
        file, identified = outcome.job.file, outcome.identified
        if identified is None or outcome.error is not None:
            self._added.failed.append(Found(file.path, outcome.error))
            self._batch.add_failure(file, outcome)
        elif outcome.heard_seconds is not None:
            self._enter_song(file, identified, outcome, outcome.heard_seconds)
        elif identified.content_hash in self._holdings.current:
            self._enter_file(file, identified)
        elif identified.content_hash in self._hearing:
            self._same[identified.content_hash].append(outcome)
        else:  # another file of this song could not be heard after all
            self.waiting.append(file)
        if identified and self._hearing.get(identified.content_hash) == file.path:
            self._enter_same(identified.content_hash)

    def finish(self) -> None:
        """Count what is only known when all is written."""
        retagged = sum(path in self._batch.retagged for path in self._touched)
        self._added.updated += retagged
        self._added.unchanged += len(self._touched) - retagged

    def _enter_same(self, song: str) -> None:
        """Enter the other files of a song that was being heard, or try the next of them."""
        del self._hearing[song]
        for outcome in self._same.pop(song, ()):
            if outcome.identified and song in self._holdings.current:
                self._enter_file(outcome.job.file, outcome.identified)
            else:
                self.waiting.append(outcome.job.file)

    def _enter_song(
        self, file: FileOnDisk, identified: Identified, outcome: Outcome, seconds: float
    ) -> None:
        before = self._holdings.files.get(file.path)
        was_old = identified.content_hash in self._holdings.old
        if outcome.sounds is None:
            self._batch.add_written(file, identified.content_hash)
        else:
            heard = outcome.sounds
            self._batch.add_song(file, heard.fingerprint, identified.tags, heard.peaks)
        self._added.heard += 1
        self._added.heard_seconds += seconds
        if was_old:
            self._added.renewed += 1
        elif before is None or before.content_hash in (None, identified.content_hash):
            self._added.added += 1
        else:
            self._added.updated += 1

    def _enter_file(self, file: FileOnDisk, identified: Identified) -> None:
        before = self._holdings.files.get(file.path)
        if before is None:
            self._added.duplicates += 1  # or it was moved: that shows at the end
            self.strangers.add(file.path)
        elif before.content_hash == identified.content_hash:
            self._touched.append(file.path)
        else:
            self._added.updated += 1
        self._batch.add_file(file, identified.content_hash, identified.tags)
