"""What LanceDB refuses, in one line that a person can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from songprint.errors import LibraryError, SongprintError

_KNOWN = {
    r"os error (28|112|122)\b|No space left|quota exceeded": "the disk is full",
    r"os error 27\b|File too large": "the file system takes no larger files",
    r"os error (13|1)\b|Permission denied": "permission denied",
    r"os error 30\b|Read-only file system": "its file system is read-only",
    r"os error 36\b|File name too long": "its name is too long",
    r"os error 24\b|Too many open files": "this process has too many files open",
    r"kind: Connect\b|error sending request|kind: Timeout": "the object store does not answer",
    r"Missing ?AccessKeyId|credentials|token request|Account must be specified": (
        "the environment has no key to the object store"
    ),
    r"BadScheme": "the object store is not encrypted, which AWS_ALLOW_HTTP=true allows",
}
_NO_TEXT = "a name in it is not UTF-8"
_STORES_OWN = re.compile("<Message>(.*?)</Message>", re.DOTALL)


@contextmanager
def refusing(path: Path | str, what: str) -> Iterator[None]:
    """Turn what goes wrong inside the block into a `LibraryError`.

    Parameters
    ----------
    path
        The library, as a person calls it.
    what
        What is being tried, to follow "cannot": "be read".
    """
    try:
        yield
    except SongprintError:
        raise
    # LanceDB has no errors of its own: it raises these three, and OSError's children.
    except (OSError, RuntimeError, ValueError) as error:
        raise LibraryError(f"{path}: the library cannot {what}: {advised(error)}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what Rust raises is no Exception
            raise
        raise LibraryError(f"{path}: the library cannot {what}: {advised(error)}") from error


def advised(error: BaseException) -> str:
    """Return why, and what to do if it may be damage."""
    text = reason(error)
    if text in (*_KNOWN.values(), _NO_TEXT) or _STORES_OWN.search(str(error)):
        return text
    return f"{text}; songprint doctor tells if it is damaged"


def reason(error: BaseException) -> str:
    """Return why, without Rust's own account of where."""
    if isinstance(error, UnicodeEncodeError):
        return _NO_TEXT
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if told := _STORES_OWN.search(text):
        return " ".join(told[1].split())[:200]
    for pattern, meaning in _KNOWN.items():
        if re.search(pattern, text, re.IGNORECASE):
            return meaning
    text = re.sub(r"(Error performing|Debug source:).*", "", " ".join(text.split()))
    text = re.sub(r",? ?/\S+\.rs:\d+(:\d+)?.*", "", text)
    return text[:200].rstrip(" :") or type(error).__name__
