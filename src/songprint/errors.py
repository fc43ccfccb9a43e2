"""The one hierarchy of errors; the command line turns each into a line and an exit code."""

from __future__ import annotations

from pathlib import Path


class SongprintError(Exception):
    """Anything that songprint refuses to do, in one line that a person can act on."""


class DecodeError(SongprintError):
    """A file from which no song can be heard.

    Parameters
    ----------
    path
        The file, as the caller named it.
    reason
        Why, in lower case, without the path and without a closing full stop.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = Path(path)
        self.reason = " ".join(reason.split())

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class PortableError(SongprintError):
    """A file of songs that cannot be imported.

    Parameters
    ----------
    path
        The file.
    reason
        Why, in lower case, without the path; names the row and the column where it can.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = Path(path)
        self.reason = " ".join(reason.split())

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class LibraryError(SongprintError):
    """The library cannot be opened, read or written."""


class ModelError(SongprintError):
    """The encoder's or the genre head's weights are missing, damaged or do not fit the code."""


class UsageError(SongprintError):
    """The caller asked for something that cannot be."""
