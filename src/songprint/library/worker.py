"""A process that hears songs, one at a time, for :mod:`songprint.library.pool`.

A conversation: a :class:`Job` comes; :class:`Identified` goes out; if the answer is True the song
is heard; an :class:`Outcome` goes out. Nothing heavy is imported before the first job's turn, but
by who is started early.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING

from songprint.errors import DecodeError, SongprintError
from songprint.library.interrupts import leave_interrupts_to_parent
from songprint.library.listen import Sounds, Wanted, get_ready, listen
from songprint.library.objects import at_hand
from songprint.library.scan import FileOnDisk
from songprint.threads import require_one_thread

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from songprint.audio.container import Song
    from songprint.fingerprints import Fingerprint
    from songprint.library.tags import SongTags

RETIRES_AT_BYTES = 600 << 20
"""Peak memory after which a worker makes room for a fresh one."""

MOST_BYTES = 2 << 30
"""Memory that a worker may ask for, far more than any song needs: what wants more is a bomb."""

READY = "ready"

STATUS = "/proc/self/status"


@dataclass(frozen=True)
class Job:
    """A file to be identified and perhaps heard.

    Attributes
    ----------
    file : FileOnDisk
        The file.
    wanted : Wanted
        What is to be heard of it.
    """

    file: FileOnDisk
    wanted: Wanted


@dataclass(frozen=True)
class Identified:
    """What a song is called, before it is heard.

    Attributes
    ----------
    content_hash : str
        Its identity.
    tags : SongTags
        What its file says of it.
    claimed_seconds : float
        How long the file says that it is; 0 where it is silent.
    """

    content_hash: str
    tags: SongTags
    claimed_seconds: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    job : Job
        The job.
    identified : Identified or None
        The song, if the file holds any.
    sounds : Sounds or None
        What was heard, if it was to be heard.
    error : str or None
        Why not.
    passing : bool
        The fault lies not with the file: it is worth another try next time.
    retires : bool
        This was the worker's last job.
    written_seconds : float or None
        How long the song is, if it was heard and its rows lie where they belong already: they need
        only be committed, and what was heard has stayed where that was.
    """

    job: Job
    identified: Identified | None = None
    sounds: Sounds | None = None
    error: str | None = None
    passing: bool = False
    retires: bool = False
    written_seconds: float | None = None

    @property
    def fingerprint(self) -> Fingerprint | None:
        """The song's, if it was heard."""
        return self.sounds.fingerprint if self.sounds else None

    @property
    def heard_seconds(self) -> float | None:
        """How long the song is, if it was heard."""
        return self.fingerprint.seconds if self.fingerprint else self.written_seconds


def serve(connection: Connection, early: bool) -> None:
    """Do jobs until the other side hangs up; who was started early gets ready for the first."""
    leave_interrupts_to_parent()
    require_one_thread()
    threading.Thread(target=end_with_parent, daemon=True).start()
    limit_memory()
    with suppress(_HungUpError, EOFError, BrokenPipeError, ConnectionResetError):
        connection.send(READY)
        if early:
            get_ready()
        while True:
            outcome = _do(connection.recv(), connection)
            connection.send(outcome)
            if outcome.retires:
                return


class _HungUpError(Exception):
    """The other side is gone, which is no fault of the file that is open."""


def end_with_parent() -> None:
    """Wait for the parent's end, however it ends, and follow it."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(job: Job, connection: Connection) -> Outcome:
    from songprint.audio.container import open_song

    identified = sounds = error = None
    passing = False
    try:
        with (
            at_hand(job.file.path, job.file.size, job.file.mtime_ns) as path,
            open_song(path) as song,
        ):
            identified = _identify(song)
            if _is_wanted(identified, connection):
                sounds = listen(song, identified.content_hash, job.wanted)
                if path == job.file.path:
                    _require_unchanged(job.file)
    except DecodeError as refusal:
        error, passing = refusal.reason, _is_passing(refusal)
    except SongprintError as refusal:
        error, passing = str(refusal), True
    except MemoryError:
        error = "there is not enough memory to hear it"
    except _HungUpError:
        raise
    except Exception as bug:  # it must not stop the other songs, nor go unseen
        text = " ".join(f"{type(bug).__name__}: {bug}".split())
        error = f"internal error: {text[:300]}; please report it"
    if error is not None:
        sounds = None
    retires = _peak_bytes() > RETIRES_AT_BYTES
    return Outcome(job, identified, sounds, error, passing, retires)


def _is_wanted(identified: Identified, connection: Connection) -> bool:
    try:
        connection.send(identified)
        return bool(connection.recv())
    except (EOFError, OSError) as error:
        raise _HungUpError from error


def identify(path: str) -> Identified:
    """Say which song a file holds, without decoding it.

    Raises
    ------
    DecodeError
        If it holds none.
    """
    from songprint.audio.container import open_song

    with open_song(path) as song:
        return _identify(song)


def _identify(song: Song) -> Identified:
    from songprint.audio.hash import song_hash
    from songprint.library.tags import song_tags

    tags = song_tags(song)
    claimed_seconds = (song.container.duration or 0) / 1e6
    return Identified(song_hash(song, keep=True), tags, claimed_seconds)


def _require_unchanged(file: FileOnDisk) -> None:
    status = os.stat(file.path)  # noqa: PTH116
    if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
        raise SongprintError("changed while it was being heard")


def _is_passing(refusal: DecodeError) -> bool:
    """Tell whether the disk or a permission is at fault, not what is in the file."""
    import av

    cause = refusal.__cause__
    return isinstance(cause, OSError) and not isinstance(cause, av.FFmpegError)


def limit_memory() -> None:
    """Let this process ask for no more than :data:`MOST_BYTES`, where that can be had."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(MOST_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _peak_bytes() -> int:
    if sys.platform == "win32":
        return 0
    with suppress(OSError):  # what the system counts began with the memory of the parent
        told = re.search(r"^VmHWM:\s*(\d+) kB$", Path(STATUS).read_text("ascii"), re.MULTILINE)
        if told:
            return int(told[1]) << 10
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
