"""Object stores: what lies under ``s3://bucket/prefix``, songs and libraries alike.

Where the store is and who may enter is told by the environment alone, in the variables that the
stores' own tools read: ``AWS_REGION``, ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, or the
role of the machine; for a store that is not Amazon's ``AWS_ENDPOINT_URL``, and where that is not
encrypted ``AWS_ALLOW_HTTP=true``. Lance reads the same, so that no key is ever in songprint's
hands.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from songprint.audio.suffixes import AUDIO_SUFFIXES
from songprint.errors import LibraryError, SongprintError
from songprint.library.refusals import reason

SCHEMES = ("s3", "gs", "az")

_URI = re.compile(rf"({'|'.join(SCHEMES)}):/{{1,2}}([^/]+)/*(.*?)/*")


def is_object(place: str | Path) -> bool:
    """Tell whether a place is in an object store.

    Examples
    --------
    >>> is_object("s3://bucket/music"), is_object("/home/ann/s3")
    (True, False)
    """
    return _URI.fullmatch(str(place)) is not None


def uri_of(place: str | Path) -> str:
    """Return the one way of writing a place in an object store.

    Examples
    --------
    >>> uri_of(Path("s3://bucket/music/"))  # as a path it has lost a slash
    's3://bucket/music'
    """
    scheme, bucket, key = _parts(place)
    return f"{scheme}://{bucket}/{key}".rstrip("/")


def real(place: str) -> str:
    """Return a place absolute, links resolved; as it is if it lies in an object store."""
    return uri_of(place) if is_object(place) else os.path.realpath(place)


def exists(path: str) -> bool:
    """Tell whether there is something at a path, or an object of a URI."""
    if not is_object(path):
        return os.path.lexists(path)
    return look_at_object(path) is not None


def open_bucket(bucket: str) -> Any:
    """Return a store, as obstore has them.

    Parameters
    ----------
    bucket : str
        Such as ``s3://bucket``, or a prefix in it.

    Raises
    ------
    LibraryError
        If obstore is not installed or the environment does not tell enough.
    """
    return _opened(bucket, os.environ.get("AWS_ENDPOINT_URL"))


class _UnopenedError(LibraryError):
    """A store that cannot be asked for anything: for whatever was to be asked of it."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.reason = reason


@cache
def _opened(bucket: str, endpoint: str | None) -> Any:
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError:
        raise _UnopenedError(
            bucket,
            "object stores need songprint's extra [cluster]: pip install 'songprint[cluster]'",
        ) from None
    if endpoint and not re.match(r"https?://[^/]", endpoint):
        raise _UnopenedError(bucket, f"AWS_ENDPOINT_URL is no address: {endpoint}")
    try:
        return from_url(bucket)
    except (BaseError, ValueError) as error:
        raise _UnopenedError(bucket, f"cannot be opened: {reason(error)}") from error


@contextmanager
def refusing_store(uri: str, what: str) -> Iterator[None]:
    """Turn what an object store refuses inside the block into one line; what is not there, not.

    Parameters
    ----------
    uri : str
        What it is about.
    what : str
        What is being tried, to follow "cannot be".

    Raises
    ------
    LibraryError
        If it is refused.
    FileNotFoundError
        If an object is not there.
    """
    try:
        yield
    except _UnopenedError as error:
        raise LibraryError(f"{uri}: {error.reason}") from error
    except (SongprintError, FileNotFoundError):
        raise
    except Exception as error:  # obstore's errors are of a class that need not be installed
        if not type(error).__module__.startswith("obstore") and not isinstance(error, OSError):
            raise
        raise LibraryError(f"{uri}: cannot be {what}: {reason(error)}") from error


def look_at_object(uri: str) -> tuple[int, int] | None:
    """Return an object's size in bytes and when it was written, in ns; None if it is not there."""
    bucket, key = _bucket_and_key(uri)
    try:
        with refusing_store(uri, "read"):
            return _status(open_bucket(bucket).head(key))
    except FileNotFoundError:
        return None


def songs_under(uri: str) -> Iterator[tuple[str, int, int]]:
    """Yield the URI, size and time of every song under a prefix, in the order of the listing.

    What is hidden, or not named like a song, is no song.

    Raises
    ------
    LibraryError
        If it cannot be listed.
    """
    bucket, prefix = _bucket_and_key(uri)
    with refusing_store(uri, "listed"):
        for found in open_bucket(bucket).list(prefix or None):
            for one in found:
                inside = PurePosixPath(one["path"]).relative_to(prefix or ".")
                if inside.suffix.lower() in AUDIO_SUFFIXES and not _is_hidden(inside):
                    yield (f"{bucket}/{one['path']}", *_status(one))


@contextmanager
def at_hand(path: str, size: int, mtime_ns: int) -> Iterator[str]:
    """Have a file on this machine: itself, or a copy of an object for as long as the block runs.

    Parameters
    ----------
    path : str
        A path or a URI.
    size, mtime_ns : int
        What it was when it was listed; an object that is another now is not taken for it.

    Raises
    ------
    SongprintError
        If an object has changed, is gone or cannot be read.
    """
    if not is_object(path):
        yield path
        return
    bucket, key = _bucket_and_key(path)
    with tempfile.NamedTemporaryFile(prefix="songprint-", suffix=PurePosixPath(key).suffix) as copy:
        try:
            with refusing_store(path, "fetched"):
                found = open_bucket(bucket).get(key)
                if _status(found.meta) != (size, mtime_ns):
                    raise SongprintError("changed while it was being heard")
                for piece in found:
                    copy.write(piece)
        except FileNotFoundError:
            raise SongprintError("is no longer there") from None
        copy.flush()
        yield copy.name


def _is_hidden(path: PurePosixPath) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _status(meta: Any) -> tuple[int, int]:
    return int(meta["size"]), round(meta["last_modified"].timestamp() * 1e9)


def _parts(place: str | Path) -> tuple[str, str, str]:
    found = _URI.fullmatch(str(place))
    if found is None:
        raise ValueError(f"{place} is in no object store")
    return found[1], found[2], found[3]


def _bucket_and_key(uri: str) -> tuple[str, str]:
    scheme, bucket, key = _parts(uri)
    return f"{scheme}://{bucket}", key
