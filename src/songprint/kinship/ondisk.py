"""Candidates for kinship from an index on the disk, for libraries that do not fit into memory.

The songs' coordinates (:meth:`~songprint.kinship.distance.Space.points`), whose squared distances
are those of kinship under the default weights but for what is unknown of a song, lie in a table of
LanceDB in a folder of this machine; its index (IVF-PQ) finds the nearest some hundreds, which are
then read from the library and judged like a small library: by all five parts, any weights and
local scaling among themselves. The table can be computed again, and is where the model changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from functools import cache
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from songprint.kinship.distance import Space
from songprint.kinship.reference import load_reference
from songprint.library.catalogue import Catalogue
from songprint.library.lance import import_lancedb
from songprint.library.locks import held
from songprint.library.reading import CATALOGUE_COLUMNS, catalogue_from
from songprint.library.refusals import refusing
from songprint.library.schema import quoted

if TYPE_CHECKING:
    from songprint.library.store import Library

FOLDER, FORMAT = "kinship", 1

CANDIDATES = 1000
"""Songs that are read and judged. More find little: see docs/scale.md."""

INDEXED_FROM = 10_000
"""Fewer songs than these are all looked at, and so are as many that are new."""

VALUES_A_CODE = 4
PROBED = 40
REFINED = 4
"""Values that a byte stands for; lists that are looked into; how many times what is asked for is
found by bytes, to be chosen from by coordinates."""

WAIT_SECONDS = 600.0

_SONGS_AT_ONCE, _MOST_LISTED = 1024, 1000
_SAMPLES_A_CENTRE, _ROUNDS = 64, 20


class KinshipIndex:
    """The songs of a library's model, by where they lie.

    Parameters
    ----------
    library : Library
        Has songs.

    Examples
    --------
    >>> from songprint import Library
    >>> library = Library.open()  # doctest: +SKIP
    >>> index = KinshipIndex(library)  # doctest: +SKIP
    >>> index.update()  # doctest: +SKIP
    >>> near = library.catalogue(index.candidates(song))  # doctest: +SKIP
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._model = library.model or ""
        self._home = library.path / FOLDER
        self._name = f"{self._model}-{FORMAT}"
        self._table: Any = None

    def update(self, on_step: Callable[[int, int], None] | None = None) -> None:
        """Take in the songs that are new, and forget those that are gone.

        Parameters
        ----------
        on_step : callable, optional
            Is told how many songs were laid out, and of how many.

        Raises
        ------
        LibraryError
            If the library cannot be read or the table not be written.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        with held(self._home, "index", WAIT_SECONDS), refusing(self._home, "be written"):
            connection = import_lancedb().connect(
                self._home, read_consistency_interval=timedelta(0)
            )
            tables = connection.list_tables().tables
            for other in set(tables) - {self._name}:
                connection.drop_table(other)  # of a model that is no longer the library's
            table: Any = connection.open_table(self._name) if self._name in tables else None
            with self._library.songs_of(self._model) as songs:
                wanted = _hashes(songs)
                known = _hashes(table.search().limit(1 << 31)) if table else set()
                new = wanted - known
                rows = self._laid_out(songs, new, on_step)
                if table is None and new:
                    table = connection.create_table(self._name, self._reader(rows, next(rows)))
                elif new:
                    table.add(self._reader(rows, next(rows)))
            gone = sorted(known - wanted)
            for start in range(0, len(gone), _MOST_LISTED):
                listed = ", ".join(map(quoted, gone[start : start + _MOST_LISTED]))
                table.delete(f"content_hash in ({listed})")
            _index(table)
            self._table = table

    def candidates(self, song: Catalogue, count: int = CANDIDATES) -> list[str]:
        """Return the content hashes of the songs nearest to one, nearest first.

        As of the last :meth:`update`, which comes first.

        Parameters
        ----------
        song : Catalogue
            One song, of the library or not.
        count : int
            The most.
        """
        with refusing(self._home, "be read"):
            query = self._table.search(_points(song)[0], vector_column_name="point")
            query = query.distance_type("l2").nprobes(PROBED).refine_factor(REFINED)
            found: list[str] = (
                query.select(["content_hash", "_distance"]).limit(count).to_arrow()["content_hash"]
            ).to_pylist()
        return found

    def _laid_out(
        self, songs: Any, new: Collection[str], on_step: Callable[[int, int], None] | None
    ) -> Iterator[pa.RecordBatch]:
        vocabulary, done = self._library.vocabulary(self._model), 0
        columns = list(CATALOGUE_COLUMNS)
        if len(new) <= _MOST_LISTED:
            listed = ", ".join(map(quoted, new)) or "''"
            songs = songs.where(f"model = {quoted(self._model)} and content_hash in ({listed})")
        for batch in songs.select(columns).to_batches(_SONGS_AT_ONCE):
            fresh = batch.filter(pa.array([h in new for h in batch["content_hash"].to_pylist()]))
            if not len(fresh):
                continue
            some = catalogue_from(fresh["content_hash"], [fresh], vocabulary, self._model)
            points = _points(some)
            values = pa.FixedSizeListArray.from_arrays(pa.array(points.ravel()), points.shape[1])
            names = pa.array(some.hashes.tolist())
            yield pa.record_batch([names, values], names=["content_hash", "point"])
            done += len(some)
            if on_step is not None:
                on_step(done, len(new))

    @staticmethod
    def _reader(rows: Iterator[pa.RecordBatch], first: pa.RecordBatch) -> pa.RecordBatchReader:
        def all_of() -> Iterator[pa.RecordBatch]:
            yield first
            yield from rows

        return pa.RecordBatchReader.from_batches(first.schema, all_of())


def _hashes(query: Any) -> set[str]:
    return set(query.select(["content_hash"]).to_arrow()["content_hash"].to_pylist())


def _points(songs: Catalogue) -> NDArray[np.float32]:
    """Return coordinates, of a width that codes divide, turned so that each tells as much."""
    points = Space(songs, load_reference()).points()
    turn = _turn(points.shape[1] + -points.shape[1] % (2 * VALUES_A_CODE))
    turned: NDArray[np.float32] = points @ turn[: points.shape[1]]
    return turned


@cache
def _turn(width: int) -> NDArray[np.float32]:
    """Return a rotation [shape=(width, width)], the same everywhere."""
    turn, upper = np.linalg.qr(np.random.default_rng(0).standard_normal((width, width)))
    return np.asarray(turn * np.sign(np.diag(upper)), np.float32)


def _index(table: Any) -> None:
    """Make the index, or let it take in what is new, where there is enough of it."""
    from lancedb.index import IvfPq

    if table is None:
        return
    songs = table.count_rows()
    indices = table.list_indices()
    if not indices and songs >= INDEXED_FROM:
        config = IvfPq(
            distance_type="l2",
            num_partitions=isqrt(songs),
            num_sub_vectors=table.schema.field("point").type.list_size // VALUES_A_CODE,
            sample_rate=_SAMPLES_A_CENTRE,
            max_iterations=_ROUNDS,
        )
        table.create_index("point", config=config)
    elif indices and table.index_stats(indices[0].name).num_unindexed_rows >= INDEXED_FROM:
        table.optimize()
