"""The library on disk: a folder of LanceDB tables, written by one process and read by any.

A commit to a table is whole or not there, so that a process may be killed at any moment. Two
tables are never committed together: songs are written before the files that hold them, and a song
without a file is found again by its content hash.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from songprint.errors import LibraryError, UsageError
from songprint.files import bytes_in
from songprint.library.catalogue import Vocabulary
from songprint.library.guards import FOLDER as GUARDS
from songprint.library.guards import damaged, glance, keep_guards
from songprint.library.interrupts import uninterrupted
from songprint.library.locks import held
from songprint.library.making import connect_to, create_folder, take_back_torn_commits
from songprint.library.objects import is_object, real
from songprint.library.places import library_path
from songprint.library.reading import (
    CATALOGUE_COLUMNS,
    SONG_COLUMNS,
    catalogue_from,
    file_rows,
    song_rows,
)
from songprint.library.refusals import advised, reason, refusing
from songprint.library.schema import (
    FORMAT,
    FORMAT_KEY,
    TABLES,
    VECTORS,
    FileRow,
    SongRow,
    quoted,
    read_path,
    written_path,
)
from songprint.library.writer import OLD_VERSIONS, Writer

if TYPE_CHECKING:
    import lancedb
    from lancedb.table import Table

    from songprint.library.catalogue import Catalogue

Verdict = Literal["like", "dislike", "skip", "never"]

NOTES_WAIT_SECONDS = 10.0
"""How long a note waits for another process's note, which takes milliseconds."""

NOTES_A_TIDYING = 50

MOST_LISTED = 1000
"""Content hashes in a condition; of more, all rows are read and sifted here."""

SONGS_AT_ONCE = 1024
"""LanceDB reads sixteen such batches ahead."""

ALL = 1 << 31
"""A limit that is none; LanceDB's full-text search has ten where there is none."""


class Library:
    """Songs, files, feedback and stations, kept in a folder; see :meth:`open`.

    A library that is open sees what others write to it from their next commit on.

    Attributes
    ----------
    path : Path
        The folder; of a library in an object store, the one in which this machine keeps what it
        can compute again.
    place : str
        What a person calls it: the folder, or a URI.
    """

    def __init__(self, path: Path, connection: lancedb.DBConnection) -> None:
        self.path = path
        self.place = str(path)
        self._connection = connection
        self._tables: dict[str, Table] = {}
        self._models: tuple[int, list[dict[str, Any]]] | None = None

    @classmethod
    def open(cls, path: Path | str | None = None, *, create: bool = False) -> Library:
        """Open a library.

        Parameters
        ----------
        path : Path or str, optional
            Its folder, or its URI in an object store; ``SONGPRINT_LIBRARY`` or one in the
            platform's data folder if left out.
        create : bool
            Make an empty one where there is none.

        Raises
        ------
        LibraryError
            If there is none, or it is damaged or cannot be read, or another version of songprint
            made it.

        Examples
        --------
        >>> from songprint import Library
        >>> library = Library.open()  # doctest: +SKIP
        >>> library.find("tempo_bpm > 120", text="piano")  # doctest: +SKIP
        """
        path = path or library_path()
        if is_object(path):
            from songprint.library.remote import StoreLibrary

            return StoreLibrary.open_store(str(path), create=create)
        folder = Path(os.path.abspath(path))  # noqa: PTH100 - need not be there
        with refusing(folder, "be opened"):  # by a name that is too long, or what may not be read
            is_there = (folder / "songs.lance").is_dir() or (folder / GUARDS).is_dir()
        if not is_there:
            if not create:
                raise LibraryError(
                    f"{folder}: there is no library here; songprint add FOLDER makes one"
                )
            create_folder(folder)
        with refusing(folder, "be opened"):
            take_back_torn_commits(folder)
            if damage := glance(folder, TABLES):
                raise damaged(folder, damage)
            library = cls(folder, connect_to(folder))
            found = (library.table("songs").schema.metadata or {}).get(FORMAT_KEY, b"?").decode()
        if found != str(FORMAT):
            raise LibraryError(
                f"{folder}: the library's format is {found}, and this songprint reads {FORMAT}"
            )
        return library

    def table(self, name: str) -> Table:
        """Return one of the tables of :data:`~songprint.library.schema.TABLES`."""
        if name not in self._tables:
            self._tables[name] = self._connection.open_table(name)
        return self._tables[name]

    def _has(self, name: str) -> bool:
        """Tell whether a table is there; one that an older songprint did not know is not."""
        return (self.path / f"{name}.lance").is_dir()

    def written_times(self, name: str) -> list[float]:
        """Return when the versions of a table that are still there were written."""
        return [v.stat().st_mtime for v in (self.path / f"{name}.lance" / "_versions").iterdir()]

    def n_bytes(self) -> int:
        """Return what it takes where it lies."""
        return bytes_in(self.path)

    def require_writer(self) -> None:
        """Make sure that this process, which is writing, is still the only one that may.

        Raises
        ------
        LibraryError
            If it is not; in a folder that cannot be.
        """

    def _held(self, name: str, wait_seconds: float = 0.0) -> AbstractContextManager[None]:
        """Hold a lock of the library for the length of a block."""
        return held(self.path, name, wait_seconds)

    def read(self, name: str, *columns: str, where: str | None = None) -> pa.Table:
        """Return rows of a table as they are now.

        Parameters
        ----------
        name : str
            Of the table.
        *columns : str
            Those wanted; all if none is named.
        where : str, optional
            SQL.

        Raises
        ------
        LibraryError
            If it cannot be read.
        """
        if not self._has(name):
            return TABLES[name].empty_table().select(list(columns or TABLES[name].names))
        with refusing(self.place, "be read"):
            query = self.table(name).search()
            if where is not None:
                query = query.where(where)
            return query.select(list(columns or TABLES[name].names)).limit(ALL).to_arrow()

    def read_songs(self, hashes: Collection[str], *columns: str) -> pa.Table:
        """Return rows of `songs` by content hash, as :meth:`read` does."""
        if len(hashes) <= MOST_LISTED:
            listed = ", ".join(map(quoted, hashes)) or "''"
            return self.read("songs", *columns, where=f"content_hash in ({listed})")
        rows = self.read("songs", "content_hash", *columns)
        return rows.filter(pc.is_in(rows["content_hash"], pa.array(hashes))).select(list(columns))

    # Songs

    def __len__(self) -> int:
        """Return how many songs there are, of any model."""
        hashes = self.read("songs", "content_hash")["content_hash"]
        return int(pc.count_distinct(hashes).as_py())

    @property
    def model(self) -> str | None:
        """The model version that the library answers with: that of most of its own songs.

        Imported songs count only where there are no others: without audio they would keep the
        library with a model for ever.
        """
        return chosen_model(self.models(own=True) or self.models())

    def models(self, *, own: bool = False) -> dict[str, int]:
        """Return how many songs there are of each model version; if `own`, none that came in."""
        with refusing(self.place, "be read"):
            version = self.table("songs").version
        if self._models is None or self._models[0] != version:
            kinds = self.read("songs", "model", "imported").group_by(["model", "imported"])
            self._models = version, kinds.aggregate([([], "count_all")]).to_pylist()
        counts: dict[str, int] = {}
        for kind in self._models[1]:
            if not (own and kind["imported"]):
                counts[kind["model"]] = counts.get(kind["model"], 0) + kind["count_all"]
        return counts

    def vocabulary(self, model: str) -> Vocabulary:
        """Return the names of a model's probabilities.

        Raises
        ------
        LibraryError
            If no song of this model was ever added.
        """
        rows = self.read("models", where=f"model = {quoted(model)}").to_pylist()
        if not rows:
            raise LibraryError(f"{self.place}: the library does not know the model {model}")
        return Vocabulary(*(tuple(rows[-1][name]) for name in VECTORS))

    def catalogue(self, hashes: Collection[str] | None = None) -> Catalogue:
        """Return songs of the library's model, in the order of their content hashes.

        Songs that only another model has heard are left out; :meth:`models` tells how many.

        Parameters
        ----------
        hashes : collection of str, optional
            Content hashes; all songs if left out.

        Raises
        ------
        LibraryError
            If there is no song.
        """
        model = self.model
        if model is None:
            raise LibraryError(
                f"{self.place}: there are no songs in the library; songprint add FOLDER adds some"
            )
        listed = ", ".join(map(quoted, hashes or [""]))
        where = "true" if hashes is None else f"content_hash in ({listed})"
        with self.songs_of(model, where) as songs:
            names = songs.select(["content_hash"]).to_arrow()["content_hash"]
            batches = songs.select(list(CATALOGUE_COLUMNS)).to_batches(SONGS_AT_ONCE)
            vocabulary = self.vocabulary(model)
            return catalogue_from(names, batches, vocabulary, model, self.path)

    @contextmanager
    def songs_of(self, model: str, where: str = "true") -> Iterator[Any]:
        """Hold the songs of a model as they are now: a query, which may be asked several times.

        Parameters
        ----------
        model : str
            The model version.
        where : str
            SQL.
        """
        with refusing(self.place, "be read"):
            songs = self._connection.open_table("songs")
            songs.checkout(songs.version)  # what is written from here on is not seen
            yield songs.search().where(f"model = {quoted(model)} and {where}").limit(ALL)

    def find(
        self, where: str | None = None, text: str | None = None, limit: int | None = None
    ) -> list[SongRow]:
        """Return songs that a filter and words fit.

        Parameters
        ----------
        where : str, optional
            An SQL condition on the columns of :class:`~songprint.library.schema.SongRow` and the
            descriptors, such as ``"genre = 'jazz' and tempo_bpm > 120"``.
        text : str, optional
            Words, all of which occur in the title, artist, album, path or in what is heard.
        limit : int, optional
            The most songs.

        Returns
        -------
        list of SongRow
            The best fit first if there is `text`, else by path.

        Raises
        ------
        UsageError
            If `where` is no condition on these columns.
        """
        model = self.model
        if model is None:
            return []
        condition = f"model = {quoted(model)}" + (f" and ({where})" if where else "")
        try:
            columns = list(SONG_COLUMNS)
            if text is None:
                query = self.table("songs").search()
            else:
                query = self.table("songs").search(_all_of(text), query_type="fts")
                columns.append("_score")
            found = query.where(condition).select(columns).limit(ALL).to_arrow()
        except ValueError as error:
            if where is None:
                raise LibraryError(f"{self.place}: cannot be searched: {reason(error)}") from error
            raise UsageError(f"{where}: is no condition: {reason(error)}") from error
        except (OSError, RuntimeError) as error:
            raise LibraryError(f"{self.place}: cannot be searched: {advised(error)}") from error
        if text is None:
            found = found.sort_by([("path", "ascending"), ("content_hash", "ascending")])
        return song_rows(found.slice(0, limit))

    def row_of(self, song: str) -> SongRow | None:
        """Return a song of the library by its content hash or by the path of any of its files."""
        content_hash = song if re.fullmatch("[0-9a-f]{32}", song) else None
        if content_hash is None:
            path = quoted(written_path(real(song)))
            rows = self.read("files", "content_hash", where=f"path = {path}").to_pylist()
            content_hash = rows[0]["content_hash"] if rows else None
        if content_hash is None:
            return None
        # During an upgrade a song may have two rows, or one that is not of the library's model.
        rows = self.read("songs", *SONG_COLUMNS, where=f"content_hash = {quoted(content_hash)}")
        found = sorted(song_rows(rows), key=lambda row: row.model == self.model)
        return found[-1] if found else None

    def files(self, where: str | None = None) -> list[FileRow]:
        """Return files by path; `where` is SQL on the columns of FileRow."""
        return file_rows(self.read("files", where=where).sort_by("path"))

    def failed(self) -> list[FileRow]:
        """Return the files in which no song could be heard."""
        return self.files("error is not null")

    def folders(self) -> list[str]:
        """Return the folders that were added, in the order of their adding."""
        rows = self.read("folders").sort_by("added")
        return [read_path(path) for path in rows["path"].to_pylist()]

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Be the one that writes songs and files, for as long as the block runs.

        Raises
        ------
        LibraryError
            If another process is, or the folder cannot be written to.
        """
        with self._held("writer"):
            self._complete()
            writer = Writer(self)
            yield writer
            writer.flush()

    def _complete(self) -> None:
        """Make what is missing: tables that an older songprint did not know, the index of words."""
        from lancedb.index import FTS

        with refusing(self.place, "be written"):
            for name in TABLES:
                if not self._has(name):
                    self._connection.create_table(name, schema=TABLES[name], exist_ok=True)
            if not self.table("songs").list_indices():
                # Words as Unicode parts them, so that those of languages without spaces are found.
                words = FTS(base_tokenizer="icu/split", stem=False, remove_stop_words=False)
                self.table("songs").create_index("words", config=words)

    def set_plays(self, plays: Mapping[str, float]) -> None:
        """Say how often songs were played: content hash to count; unknown hashes are passed over.

        Raises
        ------
        LibraryError
            If another process is writing.
        """
        with self.writing() as writer:
            writer.set_plays(plays)

    # What a person says of songs

    def save_station(self, name: str, station: dict[str, Any]) -> None:
        """Keep a station, anything that JSON can hold, under a name; it replaces one before."""
        text = json.dumps(station, ensure_ascii=True, allow_nan=False)
        row = {"name": name, "station": text, "changed": datetime.now(UTC)}
        with self._noting("stations") as table:
            table.merge_insert(
                "name"
            ).when_matched_update_all().when_not_matched_insert_all().execute(
                pa.Table.from_pylist([row], schema=TABLES["stations"])
            )

    def drop_station(self, name: str) -> None:
        """Forget a station; what was said of songs there is kept, should it come back."""
        with self._noting("stations") as table:
            table.delete(f"name = {quoted(name)}")

    def station(self, name: str) -> dict[str, Any] | None:
        """Return the station of a name."""
        rows = self.read("stations", "station", where=f"name = {quoted(name)}").to_pylist()
        station: dict[str, Any] | None = json.loads(rows[0]["station"]) if rows else None
        return station

    def station_names(self) -> list[str]:
        """Return the names of all stations that were kept."""
        return sorted(self.read("stations", "name")["name"].to_pylist())

    def add_feedback(self, station: str, content_hash: str, verdict: Verdict) -> None:
        """Remember what was said of a song on a station."""
        if verdict not in get_args(Verdict):
            raise ValueError(f"{verdict!r} is none of {get_args(Verdict)}")
        with self._noting("feedback") as table:
            # The last word is the one that was said last, also by a clock that was set back.
            now = datetime.now(UTC)
            last = pc.max(self.read("feedback", "time")["time"]).as_py()
            row = {
                "station": station,
                "content_hash": content_hash,
                "verdict": verdict,
                "time": now if last is None else max(now, last + timedelta(microseconds=1)),
            }
            table.add(pa.Table.from_pylist([row], schema=TABLES["feedback"]))

    def feedback(self, station: str | None = None) -> dict[str, str]:
        """Return the last verdict on each song, by content hash.

        Parameters
        ----------
        station : str, optional
            Only what was said there, and "never", which holds everywhere; all if left out.
        """
        said = self.read("feedback").sort_by("time").to_pylist()
        last: dict[tuple[str, str], str] = {}
        for row in said:
            key = row["station"], row["content_hash"]
            last.pop(key, None)  # so that the order is that of the last words
            last[key] = row["verdict"]
        verdicts = {
            song: verdict for (where, song), verdict in last.items() if station in (None, where)
        }
        return verdicts | {song: "never" for (_, song), v in last.items() if v == "never"}

    @contextmanager
    def _noting(self, name: str) -> Iterator[Table]:
        """Write a note, also while songs are being added; keep few old versions of the table."""
        lock = self._held("notes", NOTES_WAIT_SECONDS)
        with lock, uninterrupted(), refusing(self.place, "be written"):
            table = self.table(name)
            yield table
            if table.version % NOTES_A_TIDYING == 0:
                table.optimize(cleanup_older_than=OLD_VERSIONS)
            keep_guards(self.path, [name])


def chosen_model(counts: Mapping[str, int]) -> str | None:
    """Return the model of most songs; on a tie this songprint's own, if it is one of them."""
    if len(counts) <= 1:
        return next(iter(counts), None)
    from songprint.fingerprints import default_fingerprinter

    current = default_fingerprinter().model_version
    return max(counts, key=lambda model: (counts[model], model == current, model))


def _all_of(text: str) -> Any:
    from lancedb.query import FullTextOperator, MatchQuery

    query: Any = MatchQuery  # a pydantic dataclass, whose defaults mypy does not see
    return query(text, "words", operator=FullTextOperator.AND)
