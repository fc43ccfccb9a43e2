"""What the one writer of a library may do; see :meth:`Library.writing`."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from songprint.library.catalogue import Vocabulary
from songprint.library.durable import Flusher
from songprint.library.guards import damaged, examine, keep_guards
from songprint.library.interrupts import uninterrupted
from songprint.library.refusals import refusing
from songprint.library.schema import SONGS, TABLES, VECTORS, FileRow, quoted, written_path

if TYPE_CHECKING:
    from songprint.library.store import Library

OLD_VERSIONS = timedelta(minutes=10)
"""How long what was replaced is kept for those who are still reading it."""

MOST_PIECES = 8
"""Of a table, or old versions of it, before it is tidied."""

MOST_PIECES_OF_LANDMARKS = 200
"""They are ten times as large as all else together, and read as a whole only to identify clips."""

TIDIED = ("songs", "files", "models", "folders", "landmarks")

KEYS_A_STATEMENT = 1000


class Writer:
    """Writes songs and files; valid inside ``with library.writing()``."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._flusher = Flusher(library.path / f"{name}.lance" for name in TIDIED)

    def flush(self) -> None:
        """Wait until what was written is on the disk, and guard it from then on."""
        with refusing(self._library.place, "be written"):
            self._flusher.flush()
            keep_guards(self._library.path, TIDIED)

    def put_model(self, model: str, vocabulary: Vocabulary) -> None:
        """Keep the names of a model's probabilities; before the first song of it."""
        names = {name: list(getattr(vocabulary, name)) for name in VECTORS}
        self._upsert("models", ["model"], [{"model": model, **names}])

    def put_songs(self, songs: pa.Table | Sequence[Mapping[str, Any]]) -> None:
        """Add songs, or replace those of the same content hash and model.

        Parameters
        ----------
        songs : pyarrow.Table or sequence of mapping
            Columns of :data:`~songprint.library.schema.SONGS`.
        """
        self._upsert("songs", ["content_hash", "model"], songs)

    def put_landmarks(self, landmarks: Sequence[Mapping[str, Any]]) -> None:
        """Add what songs are identified by, or replace it; before the songs.

        Parameters
        ----------
        landmarks : sequence of mapping
            Columns of :data:`~songprint.library.schema.LANDMARKS`.
        """
        self._upsert("landmarks", ["content_hash"], landmarks)

    def drop_landmarks(self, hashes: Iterable[str]) -> None:
        """Forget what songs are identified by."""
        self._delete("landmarks", "content_hash", hashes)

    def add_songs(self, songs: Iterator[pa.RecordBatch]) -> None:
        """Add songs that the library does not have: all in one commit, or none if `songs` raises.

        Parameters
        ----------
        songs : iterator of pyarrow.RecordBatch
            Columns of :data:`~songprint.library.schema.SONGS`; read as it is written.
        """
        with refusing(self._library.place, "be written"):
            self._library.table("songs").add(pa.RecordBatchReader.from_batches(SONGS, songs))

    def drop_model(self, model: str) -> None:
        """Forget the names of a model's probabilities; not its songs."""
        self._delete("models", "model", [model])

    def change_songs(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """Write some columns, the same in every mapping, of songs that are there, of any model."""
        if not changes:
            return
        schema = pa.schema([SONGS.field(name) for name in changes[0]])
        rows = pa.Table.from_pylist(list(changes), schema=schema)
        with self.committing():
            table = self._library.table("songs")
            table.merge_insert("content_hash").when_matched_update_all().execute(rows)

    def drop_songs(self, hashes: Iterable[str], *, but_of: str | None = None) -> None:
        """Forget songs; with `but_of`, only their fingerprints by other models than this."""
        kept = f" and model != {quoted(but_of)}" if but_of is not None else ""
        self._delete("songs", "content_hash", hashes, kept)

    def drop_songs_of(self, model: str) -> None:
        """Forget the fingerprints by a model, also of songs that no other has heard."""
        self._delete("songs", "model", [model])

    def drop_imported(self, origin: str) -> None:
        """Forget the songs that were imported from a file of a name."""
        self._delete("songs", "origin", [origin], " and imported")

    def set_plays(self, plays: Mapping[str, float]) -> None:
        """Say how often songs were played; unknown content hashes are passed over."""
        self.change_songs([{"content_hash": song, "plays": n} for song, n in plays.items()])

    def put_files(self, files: Sequence[FileRow]) -> None:
        """Add files, or replace those of the same path."""
        self._upsert("files", ["path"], _file_records(files))

    def add_files(self, files: Sequence[FileRow]) -> None:
        """Add files that the library does not know: nothing is read for it."""
        if files:
            rows = pa.Table.from_pylist(_file_records(files), schema=TABLES["files"])
            with self.committing():
                self._library.table("files").add(rows)

    def drop_files(self, paths: Iterable[str]) -> None:
        """Forget files, not their songs."""
        self._delete("files", "path", map(written_path, paths))

    def put_folders(self, folders: Collection[str]) -> None:
        """Remember folders that were added."""
        now = datetime.now(UTC)
        known = set(self._library.folders())
        new = [path for path in dict.fromkeys(folders) if path not in known]
        rows = [
            {"path": written_path(path), "added": now + n * timedelta(microseconds=1)}
            for n, path in enumerate(new)  # so that they stay in their order
        ]
        self._upsert("folders", ["path"], rows)

    def drop_folders(self, folders: Iterable[str]) -> None:
        """Do not look again at folders that were added, unless they are named."""
        self._delete("folders", "path", map(written_path, folders))

    def tidy(self, tables: Iterable[str] = TIDIED, *, alone: bool = True) -> None:
        """Put small pieces together, index new words, and let go of what was replaced.

        Parameters
        ----------
        tables : iterable of str
            Their names.
        alone : bool
            What a killed writer left behind goes, too, as nobody else writes to these tables; not
            while actors of a cluster write what has not been committed yet.

        Raises
        ------
        LibraryError
            If a table is damaged: written anew, nobody could tell its damage from what was heard.
        """
        with self.committing("be tidied"):
            for name in tables:
                for damage in examine(self._library.path, [name]).damages:
                    raise damaged(self._library.path, damage)
                self._library.table(name).optimize(
                    cleanup_older_than=OLD_VERSIONS, delete_unverified=alone
                )
        # The commit still names the index that it replaced: gone while guarded, it would be damage.
        self.flush()

    def tidy_if_needed(self, *, alone: bool = True) -> None:
        """Tidy the tables that have many pieces or old versions; it writes them anew."""
        self.tidy([name for name in TIDIED if self._is_untidy(name)], alone=alone)

    def _is_untidy(self, name: str) -> bool:
        with refusing(self._library.place, "be read"):
            stats: Any = self._library.table(name).stats()  # a dict, whatever its annotation says
            written = self._library.written_times(name)
        most = MOST_PIECES_OF_LANDMARKS if name == "landmarks" else MOST_PIECES
        replaced_before = time.time() - OLD_VERSIONS.total_seconds()
        return stats["fragment_stats"]["num_fragments"] > most or (
            len(written) > most and min(written) < replaced_before
        )

    @contextmanager
    def committing(self, what: str = "be written") -> Iterator[None]:
        """Hold Ctrl-C back while something is committed, and refuse in a line what goes wrong."""
        self._library.require_writer()
        with uninterrupted(), refusing(self._library.place, what):
            yield

    def _upsert(
        self, name: str, keys: list[str], rows: pa.Table | Sequence[Mapping[str, Any]]
    ) -> None:
        if len(rows) == 0:
            return
        if not isinstance(rows, pa.Table):
            rows = pa.Table.from_pylist(list(rows), schema=TABLES[name])
        with self.committing():
            merge = self._library.table(name).merge_insert(keys)
            merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)

    def _delete(self, name: str, column: str, values: Iterable[str], condition: str = "") -> None:
        with self.committing():
            for some in _batches(values):
                listed = ", ".join(map(quoted, some))
                self._library.table(name).delete(f"{column} in ({listed}){condition}")


def _file_records(files: Iterable[FileRow]) -> list[dict[str, Any]]:
    return [asdict(file) | {"path": written_path(file.path)} for file in files]


def _batches(values: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(values)
    while some := list(islice(waiting, KEYS_A_STATEMENT)):
        yield some
