"""One writer at a time in an object store, where no operating system holds a lock.

The lock is an object, which is only made if there is none, and only changed by whoever knows its
last state: both are conditional puts, which S3 has had since 2024. Its holder renews it; one that
was not renewed for a while is of a process that ended, and may be taken over. A holder that was
stopped for longer than that loses it, and is told so before its next commit.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from songprint.errors import LibraryError
from songprint.library.objects import open_bucket, refusing_store

RENEWED_EVERY_SECONDS = 10.0
LASTS_SECONDS = 60.0
POLL_SECONDS = 0.5


def _clock() -> float:
    """Return seconds since some time, those included in which the machine was suspended."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class Lease:
    """The right to write, for as long as it is renewed.

    Parameters
    ----------
    uri : str
        The library.
    name : str
        Of the lock.
    """

    def __init__(self, uri: str, name: str) -> None:
        self._uri = uri
        self._key = f"{name}.lock"
        self._store = open_bucket(uri)
        self._id = uuid.uuid4().hex
        self._me = {"host": socket.gethostname(), "pid": os.getpid(), "id": self._id}
        self._tag: dict[str, Any] | None = None
        self._renewed = 0.0
        self._stop = threading.Event()
        self._renewer = threading.Thread(target=self._keep_renewing, daemon=True)

    def acquire(self, wait_seconds: float) -> None:
        """Take it.

        Raises
        ------
        LibraryError
            If another holds it all the while.
        """
        until = time.monotonic() + wait_seconds
        self._renewed = _clock()
        while not self._take():
            if time.monotonic() >= until:
                raise LibraryError(f"{self._uri}: {self._who()} is writing to the library; wait")
            time.sleep(POLL_SECONDS)
        self._renewer.start()

    def require(self) -> None:
        """Make sure that it is still held.

        Raises
        ------
        LibraryError
            If this process was stopped for so long that another may write now.
        """
        if self._tag is None or _clock() - self._renewed > LASTS_SECONDS:
            raise LibraryError(
                f"{self._uri}: this process could not say for {LASTS_SECONDS:.0f} s that it is"
                " writing, and another may be; add again"
            )

    def release(self) -> None:
        """Let others have it."""
        self._stop.set()
        self._renewer.join()
        with suppress(Exception):  # else it runs out by itself
            # Renewed first, which only its holder can: it may be another's by now.
            if self._tag is not None and self._renew():
                self._store.delete(self._key)

    def _take(self) -> bool:
        """Make the object, or take over one that has run out; tell whether it is ours."""
        if self._put("create"):
            return True
        with suppress(FileNotFoundError), refusing_store(self._uri, "locked"):
            held = self._store.get(self._key)
            if self._is_mine(held):
                return True
            age = self._now() - held.meta["last_modified"].timestamp()
            return age > LASTS_SECONDS and self._put({"e_tag": held.meta["e_tag"]})
        return False

    def _now(self) -> float:
        """Return the time by the store's clock, which need not be ours."""
        self._store.put(f"{self._key}.clock", b"")
        return float(self._store.head(f"{self._key}.clock")["last_modified"].timestamp())

    def _put(self, mode: Any) -> bool:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        told = json.dumps(self._me | {"since": time.time()}).encode()
        started = _clock()
        with refusing_store(self._uri, "locked"), suppress(AlreadyExistsError, PreconditionError):
            self._tag = {"e_tag": self._store.put(self._key, told, mode=mode)["e_tag"]}
            self._renewed = started
            return True
        return False

    def _keep_renewing(self) -> None:
        while not self._stop.wait(RENEWED_EVERY_SECONDS):
            # A passing fault is tried again.
            with suppress(LibraryError, FileNotFoundError), refusing_store(self._uri, "locked"):
                if not self._renew():
                    self._tag = None
                    return

    def _renew(self) -> bool:
        return self._put(self._tag) or self._is_mine(self._store.get(self._key))

    def _is_mine(self, held: Any) -> bool:
        """Tell whether it is ours after all: a put may be done, and its answer be lost."""
        if self._id.encode() not in bytes(held.bytes()):
            return False
        self._tag = {"e_tag": held.meta["e_tag"]}
        return True

    def _who(self) -> str:
        try:
            told = json.loads(bytes(self._store.get(self._key).bytes()))
            return f"process {int(told['pid'])} on {str(told['host'])[:100]}"
        except Exception:  # it only serves the message
            return "another process"


@contextmanager
def leased(uri: str, name: str, wait_seconds: float = 0.0) -> Iterator[Lease]:
    """Hold a lock of a library in an object store; the block is entered by one process at a time.

    Parameters
    ----------
    uri : str
        The library.
    name : str
        Of the lock.
    wait_seconds : float
        How long another holder is waited for.

    Raises
    ------
    LibraryError
        If another holds it all the while, or the store cannot be written to.
    """
    lease = Lease(uri, name)
    lease.acquire(wait_seconds)
    try:
        yield lease
    finally:
        lease.release()
