"""A library in an object store: the same tables, under a prefix instead of in a folder.

A store keeps what it has taken, whole and with checksums of its own, so that what a folder needs
against power cuts and flipped bits is not needed here; a store holds no locks, so that a
:class:`~songprint.library.lease.Lease` stands for them. What can be computed again (the index that
identifies clips) lies in a folder of this machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from songprint.errors import LibraryError
from songprint.library.lance import import_lancedb
from songprint.library.lease import Lease, leased
from songprint.library.objects import open_bucket, refusing_store, uri_of
from songprint.library.places import data_folder
from songprint.library.refusals import refusing
from songprint.library.schema import TABLES
from songprint.library.store import Library

_LOCKS = ("writer.lock", "notes.lock")


class StoreLibrary(Library):
    """A library under a prefix of an object store; see :meth:`Library.open`."""

    def __init__(self, uri: str) -> None:
        name = uri.split("/")[-1]
        key = hashlib.blake2b(uri.encode(), digest_size=8).hexdigest()
        cache = data_folder() / "stores" / f"{name}-{key}"
        connect = import_lancedb().connect
        super().__init__(cache, connect(uri, read_consistency_interval=timedelta(0)))
        self.place = uri
        self._there: set[str] = set()
        self._lease: Lease | None = None

    @classmethod
    def open_store(cls, place: str, *, create: bool) -> StoreLibrary:
        """Open the library at a URI, or make an empty one.

        Raises
        ------
        LibraryError
            If there is none, or the store does not answer.
        """
        uri = uri_of(place)
        open_bucket(uri)  # whose refusals are clearer
        with refusing(uri, "be opened"):
            library = cls(uri)
            if not library._has("songs"):  # the last table that is made
                if not create:
                    raise LibraryError(
                        f"{uri}: there is no library here; songprint add FOLDER makes one"
                    )
                library._make()
        return library

    def _has(self, name: str) -> bool:
        if name not in self._there and next(iter(self._objects(f"{name}.lance")), None):
            self._there.add(name)
        return name in self._there

    def written_times(self, name: str) -> list[float]:
        """Return when each kept state of a table was written, in seconds."""
        return [
            one["last_modified"].timestamp() for one in self._objects(f"{name}.lance/_versions")
        ]

    def n_bytes(self) -> int:
        """Return how much the library takes."""
        return sum(int(one["size"]) for one in self._objects(None))

    def require_writer(self) -> None:
        """Refuse to write once the lease is another's."""
        if self._lease is not None:
            self._lease.require()

    @contextmanager
    def _held(self, name: str, wait_seconds: float = 0.0) -> Iterator[None]:
        with leased(self.place, name, wait_seconds) as lease:
            if name == "writer":
                self._lease = lease
            try:
                yield
            finally:
                if self._lease is lease:
                    self._lease = None

    def _objects(self, prefix: str | None) -> Iterator[Any]:
        with refusing_store(self.place, "listed"):
            for some in open_bucket(self.place).list(prefix):
                yield from some

    def _make(self) -> None:
        strange = [one["path"] for one in self._objects(None) if not _is_ours(one["path"])]
        if strange:
            raise LibraryError(
                f"{self.place}: there is no library here, and none is made among other objects "
                f"({strange[0]})"
            )
        with self._held("writer"):
            for name, schema in TABLES.items():
                self._connection.create_table(name, schema=schema, exist_ok=True)


def _is_ours(key: str) -> bool:
    """Tell whether it may be left of a library whose making was cut short."""
    return key.split("/")[0] in {f"{name}.lance" for name in TABLES} or key.startswith(_LOCKS)
