"""Collects what was heard and writes it in batches: one commit for many songs, seconds apart."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from songprint.audio.peaks import Peaks
from songprint.library.objects import exists
from songprint.library.schema import (
    FileRow,
    landmarks_record,
    read_path,
    song_record,
    tag_columns,
    vocabulary_of,
)
from songprint.library.tags import SongTags

if TYPE_CHECKING:
    from songprint.fingerprints import Fingerprint
    from songprint.library.holdings import Holdings
    from songprint.library.scan import FileOnDisk
    from songprint.library.store import Library
    from songprint.library.worker import Outcome
    from songprint.library.writer import Writer

MOST_SONGS = 64
MOST_SECONDS = 5.0
"""How much, or how long, a killed process may have heard in vain."""

TIDY_EVERY = 100
"""Batches, after which small pieces are put together; each is a file or two."""

TAGGED = ("title", "artist", "album", "album_artist", "year")

_OWN = {"imported": False, "origin": None}


class Batch:
    """What is to be written to a library next.

    Parameters
    ----------
    library, writer : Library, Writer
        The library, and the right to write to it.
    holdings : Holdings
        Is told of everything at once, before it is written.
    """

    def __init__(self, library: Library, writer: Writer, holdings: Holdings) -> None:
        self.retagged: set[str] = set()  # files whose tags are others than their song's were
        self._library = library
        self._writer = writer
        self._holdings = holdings
        self._heard: dict[str, tuple[Fingerprint, SongTags, str]] = {}
        self._landmarks: dict[str, dict[str, Any]] = {}
        self._tags: dict[str, tuple[SongTags, str]] = {}
        self._files: dict[str, FileRow] = {}
        self._models: set[str] = set()
        self._since = time.monotonic()
        self._written = 0

    @property
    def is_due(self) -> bool:
        """Whether it is time to write."""
        if not self._files:
            return False
        waited = time.monotonic() - self._since
        return len(self._files) >= MOST_SONGS or waited >= MOST_SECONDS

    def add_song(
        self,
        file: FileOnDisk,
        fingerprint: Fingerprint,
        tags: SongTags,
        peaks: Peaks | None = None,
    ) -> None:
        """Add a song that was heard, and its file; without peaks it is not identified by a clip."""
        self._heard[fingerprint.content_hash] = fingerprint, tags, file.path
        self._landmarks[fingerprint.content_hash] = landmarks_record(
            fingerprint.content_hash, peaks or Peaks.none()
        )
        self.add_file(file, fingerprint.content_hash, tags)
        self._holdings.heard(fingerprint.content_hash)

    def add_written(self, file: FileOnDisk, song: str) -> None:
        """Add a song whose row whoever heard it has written, and its file."""
        self.add_file(file, song, None)
        self._holdings.heard(song)

    def add_file(self, file: FileOnDisk, song: str, tags: SongTags | None) -> None:
        """Add a file of a song that is known; its tags are the song's if it is the main one."""
        self._put(FileRow(file.path, song, file.size, file.mtime_ns, None, None, _now()))
        there = [path for path in self._holdings.paths_of(song) if exists(path)]
        if tags is not None and self._holdings.main_path([*there, file.path]) == file.path:
            self._tags[song] = tags, file.path

    def add_failure(self, file: FileOnDisk, outcome: Outcome) -> None:
        """Add a file in which no song could be heard.

        One whose fault is passing is kept with a time at which nothing was ever written, so that
        it looks changed the next time. What was heard in it before stays, unless it is certain
        that it now holds something else.
        """
        before = self._holdings.files.get(file.path)
        known = before.content_hash if before else None
        same = outcome.identified is not None and outcome.identified.content_hash == known
        song = known if outcome.passing or same else None
        mtime_ns = -1 if outcome.passing else file.mtime_ns
        self._put(FileRow(file.path, song, file.size, mtime_ns, outcome.error, None, _now()))

    def write(self) -> None:
        """Write what there is: songs before files, so that no file is without its song.

        Landmarks come before songs, for the same reason.
        """
        self._since = time.monotonic()
        if not self._files:
            return
        now = _now()
        for fingerprint, _, _ in self._heard.values():
            if fingerprint.model not in self._models:
                self._writer.put_model(fingerprint.model, vocabulary_of(fingerprint))
                self._models.add(fingerprint.model)
        before = self._rows_before()
        self._writer.put_landmarks(list(self._landmarks.values()))
        self._writer.put_songs([self._record(song, before.get(song), now) for song in self._heard])
        self._retag(before, now)
        self._write_files(list(self._files.values()))
        self._writer.flush()
        self._heard.clear()
        self._landmarks.clear()
        self._tags.clear()
        self._files.clear()
        self._written += 1
        if self._written % TIDY_EVERY == 0:
            self._tidy()

    def _write_files(self, files: list[FileRow]) -> None:
        self._writer.put_files(files)

    def _tidy(self) -> None:
        self._writer.tidy_if_needed()

    def _put(self, file: FileRow) -> None:
        if not self._files:
            self._since = time.monotonic()
        self._holdings.put(file)
        self._files[file.path] = file

    def _rows_before(self) -> dict[str, dict[str, Any]]:
        """Return what the library says of the songs at hand, by content hash."""
        if not (self._heard or self._tags):
            return {}
        columns = ("content_hash", "path", *TAGGED, "plays", "heard", "added")
        rows = self._library.read_songs([*self._heard, *self._tags], *columns)
        return {row["content_hash"]: row for row in rows.sort_by("added").to_pylist()}

    def _record(self, song: str, before: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
        """Return the row of a song that was heard; what it keeps of itself if it was before."""
        fingerprint, tags, path = self._heard[song]
        if song in self._tags:
            tags, path = self._tags[song]
        elif before is not None and before["path"] is not None:  # another file speaks for it
            tags = SongTags(**{name: before[name] for name in (*TAGGED, "plays")})
            path = read_path(before["path"])
        record = song_record(fingerprint, tags, path, now)
        if before is not None:
            record["added"] = before["added"]
            record["plays"] = before["plays"] if tags.plays is None else tags.plays
        return record

    def _retag(self, before: Mapping[str, Mapping[str, Any]], now: datetime) -> None:
        """Write the tags of songs that were not heard, if they are others than before."""
        changes = []
        for song, (tags, path) in self._tags.items():
            row = before.get(song)
            if row is None or song in self._heard:
                continue
            new = tag_columns(tags, path, row["heard"])
            new["plays"] = row["plays"] if tags.plays is None else tags.plays
            if any(row[name] != new[name] for name in ("path", *TAGGED, "plays")):
                changes.append({"content_hash": song, **new, **_OWN, "changed": now})
                if any(row[name] != new[name] for name in (*TAGGED, "plays")):
                    self.retagged.add(path)
        self._writer.change_songs(changes)


def _now() -> datetime:
    return datetime.now(UTC)
