"""Hears many songs at once and hands them back in order.

A few are heard by threads of this process, which need no time to start; many by processes, which do
not wait for each other, and of which one that a song crashes, hangs or bloats costs that song
alone.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from songprint.errors import DecodeError, SongprintError
from songprint.library.scan import FileOnDisk, Found

if TYPE_CHECKING:
    from songprint.fingerprints import Fingerprint, Fingerprinter
    from songprint.library.listen import Sounds, Wanted
    from songprint.library.worker import Job, Outcome

MANY_SONGS = 24
"""From so many on, processes are worth the second that they take to start: threads get a fifth more
out of a second core, processes nine tenths, which an hour of music makes up for."""

LOOK_AHEAD = 16
"""Songs a worker may be ahead of the one that is waited for; bounds the memory."""


@dataclass(frozen=True, eq=False)
class Heard:
    """A song that was heard, or why not.

    Attributes
    ----------
    path : str
        The file, as it was named.
    sounds : Sounds or None
        What was heard.
    error : str or None
        Why it could not be heard: one line, without the path.
    """

    path: str
    sounds: Sounds | None
    error: str | None

    @property
    def fingerprint(self) -> Fingerprint | None:
        """What the song is, if it was heard."""
        return self.sounds.fingerprint if self.sounds else None


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def hear_all(
    songs: Sequence[Found], wanted: Wanted, workers: int, on_heard: Callable[[Heard], None]
) -> Generator[Heard]:
    """Hear songs in parallel.

    Parameters
    ----------
    songs
        What to hear.
    wanted
        What to hear of it.
    workers
        How many songs are heard at once.
    on_heard
        Called for each song as soon as it is heard, in no order, from any thread.

    Yields
    ------
    Heard
        One for each song, in the order of `songs`.

    Raises
    ------
    SongprintError
        If the model, or the file of genres to judge by, cannot be used.
    """
    from songprint.library.listen import fingerprinter_of

    fingerprinter = fingerprinter_of(wanted.genres)  # what is wrong with it is no song's fault
    if len(songs) >= MANY_SONGS:
        return _hear_apart(songs, wanted, workers, on_heard)
    return _hear_here(songs, partial(_hear, wanted, fingerprinter), workers, on_heard)


def _hear_here(
    songs: Sequence[Found],
    hear_one: Callable[[Found], Heard],
    workers: int,
    on_heard: Callable[[Heard], None],
) -> Generator[Heard]:
    """Hear songs in threads."""

    def hear(song: Found) -> Heard:
        heard = hear_one(song)
        on_heard(heard)
        return heard

    pool = ThreadPoolExecutor(workers, thread_name_prefix="songprint")
    waiting: deque[Future[Heard]] = deque()
    finished = False
    try:
        for song in songs:
            waiting.append(pool.submit(hear, song))
            if len(waiting) > workers * LOOK_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        finished = True
    finally:
        pool.shutdown(wait=finished, cancel_futures=True)


def _hear(wanted: Wanted, fingerprinter: Fingerprinter, song: Found) -> Heard:
    from songprint.library.listen import listen_to

    if song.problem is not None:
        return Heard(song.path, None, song.problem)
    try:
        return Heard(song.path, listen_to(song.path, wanted, fingerprinter), None)
    except DecodeError as error:
        reason = error.reason
    except SongprintError as error:
        reason = str(error)
    except MemoryError:
        reason = "there is not enough memory to hear it"
    except Exception as error:  # a bug must not stop the other songs, nor go unseen
        reason = f"internal error: {type(error).__name__}: {error}; please report it"
    return Heard(song.path, None, " ".join(reason.split()))


def _hear_apart(
    songs: Sequence[Found], wanted: Wanted, workers: int, on_heard: Callable[[Heard], None]
) -> Generator[Heard]:
    """Hear songs in processes."""
    from songprint.library.pool import WorkerPool

    line = _Line(songs, wanted, workers * LOOK_AHEAD, on_heard)
    with WorkerPool(workers) as pool:
        while not line.is_over:  # a run ends early where all that may be handed out is no song
            for outcome in pool.run(line.next_job, lambda _job, _identified: True):
                if outcome is not None:
                    line.take(outcome)
                yield from line.ready()
            yield from line.ready()


class _Line:
    """Songs in a line: handed out from its front, and back in the same order.

    Parameters
    ----------
    songs
        All of them.
    wanted
        What to hear of each.
    longest
        How far what is handed out may be ahead of what was handed back.
    on_heard
        Is told of each that is heard.
    """

    def __init__(
        self,
        songs: Sequence[Found],
        wanted: Wanted,
        longest: int,
        on_heard: Callable[[Heard], None],
    ) -> None:
        self._songs = songs
        self._wanted = wanted
        self._longest = longest
        self._on_heard = on_heard
        self._out = self._back = 0
        self._done: dict[int, Heard] = {}
        self._places: defaultdict[str, deque[int]] = defaultdict(deque)  # of what is being heard

    @property
    def is_over(self) -> bool:
        return self._back == len(self._songs)

    def next_job(self) -> Job | None:
        from songprint.library.worker import Job

        while self._out < min(len(self._songs), self._back + self._longest):
            place, song = self._out, self._songs[self._out]
            self._out += 1
            if song.problem is None:
                self._places[song.path].append(place)
                return Job(_file(song.path), self._wanted)
            self._put(place, Heard(song.path, None, song.problem))
        return None

    def take(self, outcome: Outcome) -> None:
        path = outcome.job.file.path
        self._put(self._places[path].popleft(), Heard(path, outcome.sounds, outcome.error))

    def _put(self, place: int, heard: Heard) -> None:
        self._done[place] = heard
        self._on_heard(heard)

    def ready(self) -> Generator[Heard]:
        """Hand back what is next in the line, as far as it is there."""
        while (heard := self._done.pop(self._back, None)) is not None:
            self._back += 1
            yield heard


def _file(path: str) -> FileOnDisk:
    try:
        status = os.stat(path)  # noqa: PTH116 (of any bytes)
    except OSError:  # whoever opens it says why
        return FileOnDisk(path, 0, 0)
    return FileOnDisk(path, status.st_size, status.st_mtime_ns)
