"""What tags said before songprint wrote them: one log a run, in the library's folder ``tagged``.

A line is written, and is on the disk, before its file is replaced: a run that is killed may have
noted one file more than it changed, never one less.
"""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import Any, Self

from songprint.errors import LibraryError
from songprint.files import flush
from songprint.library.refusals import refusing
from songprint.library.schema import FileRow

FOLDER = "tagged"
_TIME = "%Y-%m-%dT%H-%M-%S.%f"

Texts = dict[str, list[str]]


@dataclass(frozen=True)
class Noted:
    """A file's fields before and after a run.

    Attributes
    ----------
    path, content_hash : str
        The file and its song.
    before, after : dict of str to list of str
        By field.
    had_tags : bool
        Whether there were any tags at all.
    """

    path: str
    content_hash: str
    before: Texts
    after: Texts
    had_tags: bool


class TagLog:
    """The log of one run.

    Parameters
    ----------
    path : Path
        Where it lies; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: FileIO | None = None

    @classmethod
    def new(cls, library: Path) -> Self:
        """Return the log of a run that begins now: the latest, whatever the clock says."""
        now = datetime.now(UTC)
        for path in _logs(library)[:1]:
            with suppress(ValueError):
                last = datetime.strptime(path.stem, _TIME).replace(tzinfo=UTC)
                now = max(now, last + timedelta(microseconds=1))
        return cls(library / FOLDER / f"{now.strftime(_TIME)}.jsonl")

    def note(self, file: FileRow, before: Texts, after: Texts, *, had_tags: bool) -> None:
        """Note what is about to change in a file."""
        noted = Noted(file.path, file.content_hash or "", before, after, had_tags)
        self._write({"noted": asdict(noted)})

    def close_entry(self, number: int) -> None:
        """Note that an entry was taken back."""
        self._write({"undone": number})

    def leave_entry(self, number: int) -> None:
        """Note that an entry cannot be taken back now, as its file is out of reach."""
        self._write({"left": number})

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def open_entries(self) -> dict[int, Noted]:
        """Return what was noted and not taken back, by number, the last first.

        Raises
        ------
        LibraryError
            If the log cannot be read.
        """
        return self._read()[0]

    def can_go_on(self) -> bool:
        """Tell whether an entry may be taken back now: none that was left and is out of reach.

        Raises
        ------
        LibraryError
            If the log cannot be read.
        """
        entries, left = self._read()
        return any(number not in left or within_reach(n.path) for number, n in entries.items())

    def _read(self) -> tuple[dict[int, Noted], set[int]]:
        noted: dict[int, Noted] = {}
        left = set()
        try:
            for number, line in enumerate(self.path.read_text("utf-8").splitlines()):
                entry = _parsed(line)
                if "noted" in entry:
                    noted[number] = Noted(**entry["noted"])
                noted.pop(entry.get("undone", -1), None)
                left.add(entry.get("left", -1))
        except (OSError, ValueError, TypeError) as error:
            raise LibraryError(f"{self.path}: cannot be read: {error}") from error
        return dict(reversed(noted.items())), left

    def _write(self, entry: dict[str, Any]) -> None:
        # Escapes for all that is not ASCII: they alone can hold a file name that is not UTF-8.
        line = json.dumps(entry, ensure_ascii=True) + "\n"
        with refusing(self.path.parent.parent, "be written"):
            if self._file is None:
                self.path.parent.mkdir(exist_ok=True)
                cut_short = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
                line = "\n" * cut_short + line
                self._file = self.path.open("ab", buffering=0)
                if os.name == "posix":
                    flush(self.path.parent)
            if self._file.write(line.encode("ascii")) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())


def last_log(library: Path) -> TagLog | None:
    """Return the log of the last run of which something can be taken back, if there is any."""
    return next((log for log in map(TagLog, _logs(library)) if log.can_go_on()), None)


def within_reach(path: str) -> bool:
    """Tell whether a file is there and may be written."""
    return os.access(path, os.W_OK)


def _logs(library: Path) -> list[Path]:
    """Return where logs lie, the last first."""
    return sorted((library / FOLDER).glob("*.jsonl"), reverse=True)


def _parsed(line: str) -> dict[str, Any]:
    """Return a line's entry; nothing for the last line of a run that was killed while writing."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
