"""What tags said before songprint wrote them: one log a run, in the library's folder ``tagged``.

A line is written, and is on the disk, before its file is replaced: a run that is killed may have
noted one file more than it changed, never one less.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

from songprint.errors import LibraryError
from songprint.files import flush
from songprint.library.schema import FileRow

FOLDER = "tagged"

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
        self._file: IO[str] | None = None

    @classmethod
    def new(cls, library: Path) -> Self:
        """Return the log of a run that begins now."""
        name = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")
        return cls(library / FOLDER / f"{name}.jsonl")

    def note(self, file: FileRow, before: Texts, after: Texts, *, had_tags: bool) -> None:
        """Note what is about to change in a file."""
        noted = Noted(file.path, file.content_hash or "", before, after, had_tags)
        self._write({"noted": asdict(noted)})

    def close_entry(self, number: int) -> None:
        """Note that an entry was taken back."""
        self._write({"undone": number})

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
        noted: dict[int, Noted] = {}
        try:
            for number, line in enumerate(self.path.read_text("utf-8").splitlines()):
                entry = _parsed(line)
                if "noted" in entry:
                    noted[number] = Noted(**entry["noted"])
                noted.pop(entry.get("undone", -1), None)
        except (OSError, ValueError, TypeError) as error:
            raise LibraryError(f"{self.path}: cannot be read: {error}") from error
        return dict(reversed(noted.items()))

    def _write(self, entry: dict[str, Any]) -> None:
        if self._file is None:
            self.path.parent.mkdir(exist_ok=True)
            cut_short = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
            self._file = self.path.open("a", encoding="ascii")
            self._file.write("\n" * cut_short)
            if os.name == "posix":
                flush(self.path.parent)
        # Escapes for all that is not ASCII: they alone can hold a file name that is not UTF-8.
        self._file.write(json.dumps(entry, ensure_ascii=True) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def last_log(library: Path) -> TagLog | None:
    """Return the log of the last run that was not taken back, if there is any."""
    for path in sorted((library / FOLDER).glob("*.jsonl"), reverse=True):
        log = TagLog(path)
        if log.open_entries():
            return log
    return None


def _parsed(line: str) -> dict[str, Any]:
    """Return a line's entry; nothing for the last line of a run that was killed while writing."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
