"""Hears many songs at once and hands them back in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from songprint.errors import DecodeError, SongprintError
from songprint.library.scan import Found

if TYPE_CHECKING:
    from songprint.fingerprints import Fingerprint

LOOK_AHEAD = 16
"""Songs a worker may be ahead of the one that is waited for; bounds the memory."""


@dataclass(frozen=True, eq=False)
class Heard:
    """A song that was heard, or why not.

    Attributes
    ----------
    path : str
        The file, as it was named.
    fingerprint : Fingerprint or None
        What it is.
    error : str or None
        Why it could not be heard: one line, without the path.
    """

    path: str
    fingerprint: Fingerprint | None
    error: str | None


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def hear_all(
    songs: Iterable[Found],
    fingerprint: Callable[[str], Fingerprint],
    workers: int,
    on_heard: Callable[[Heard], None],
) -> Generator[Heard]:
    """Hear songs in parallel.

    Parameters
    ----------
    songs
        What to hear.
    fingerprint
        Hears one file; called from several threads.
    workers
        How many songs are heard at once.
    on_heard
        Called for each song as soon as it is heard, in no order, from any thread.

    Yields
    ------
    Heard
        One for each song, in the order of `songs`.
    """

    def hear(song: Found) -> Heard:
        heard = _hear(song, fingerprint)
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


def _hear(song: Found, fingerprint: Callable[[str], Fingerprint]) -> Heard:
    if song.problem is not None:
        return Heard(song.path, None, song.problem)
    try:
        return Heard(song.path, fingerprint(song.path), None)
    except DecodeError as error:
        reason = error.reason
    except SongprintError as error:
        reason = str(error)
    except MemoryError:
        reason = "there is not enough memory to hear it"
    except Exception as error:  # a bug must not stop the other songs, nor go unseen
        reason = f"internal error: {type(error).__name__}: {error}; please report it"
    return Heard(song.path, None, " ".join(reason.split()))
