"""How far songs are from each other, part by part, under any weights.

Distances are squared, in units of the mean over pairs of songs of the reference: 0 is the same
song, 1 as far as two songs at random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from songprint.errors import UsageError
from songprint.kinship.parts import PARTS, coefficients_of, columns_of, layout_of
from songprint.kinship.reference import load_reference

if TYPE_CHECKING:
    from songprint.kinship.reference import Reference
    from songprint.library.catalogue import Catalogue

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]

_AT_ONCE = 8192

_KEPT_BYTES = 16 << 20
"""What the distances of the last points in each part may take: of eight among 100,000 songs."""


@dataclass(frozen=True)
class Weights:
    """How much each part counts; their ratios matter, not their sum.

    The defaults let genre decide, and the others among songs of a genre.

    Raises
    ------
    UsageError
        If one is negative or no number, or all are 0.
    """

    beat: float = 0.2
    intensity: float = 0.2
    rhythm: float = 0.2
    timbre: float = 0.2
    genre: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (np.isfinite(value) and value >= 0):
                raise UsageError(f"the weight of {field.name} must be 0 or more, not {value:g}")
        if not any(getattr(self, field.name) for field in fields(self)):
            raise UsageError("one of the weights must be more than 0")

    def shares(self) -> Floats:
        """Return them in the order of :data:`PARTS`, with a sum of one [shape=(5,)]."""
        values = np.array([getattr(self, part) for part in PARTS], np.float64)
        shares: Floats = (values / values.sum()).astype(np.float32)
        return shares

    @classmethod
    def of(cls, given: Mapping[str, float | None]) -> Self:
        """Return the defaults, but for the parts that are given a number."""
        return cls(**{part: value for part, value in given.items() if value is not None})


DEFAULT_WEIGHTS = Weights()


@dataclass(frozen=True, eq=False)
class Queries:
    """What to find the distance from: one or several points.

    Attributes
    ----------
    coefficients : ndarray [shape=(m, columns)]
        On the columns of the songs.
    offsets : ndarray [shape=(m, parts)]
        What does not depend on the song.
    """

    coefficients: Floats
    offsets: Floats

    def __len__(self) -> int:
        return len(self.coefficients)

    def one(self, place: int) -> Queries:
        """Return one of them."""
        return Queries(self.coefficients[[place]], self.offsets[[place]])

    def combined(self, shares: Sequence[float] | NDArray[np.floating]) -> Queries:
        """Return one point whose distance to any song is the sum of these distances by shares.

        Parameters
        ----------
        shares : [shape=(m,)]
            Of each query, with a sum of one; negative ones lead away. The distance to the point
            ``Σ share · song`` is this sum but for a constant.
        """
        row = np.asarray(shares, np.float32)[None, :]
        return Queries(row @ self.coefficients, row @ self.offsets)


class Space:
    """A catalogue's songs as points, ready for queries.

    Parameters
    ----------
    catalogue : Catalogue
        n songs.
    reference : Reference, optional
        The units; those that ship with the package by default.
    room : callable, optional
        Makes the array of float32 of a shape that :attr:`columns` is laid out in.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        reference: Reference | None = None,
        *,
        room: Callable[[tuple[int, int]], Floats] | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.reference = reference or load_reference()
        self.layout = layout_of(catalogue)
        self._kept: tuple[tuple[bytes, Floats], ...] = ()
        shape = len(catalogue), self.layout.total
        self.columns: Floats = np.empty(shape, np.float32) if room is None else room(shape)
        # In pieces: what is in between takes several times the memory of the columns.
        for start in range(0, len(catalogue), _AT_ONCE):
            rows = np.arange(start, min(start + _AT_ONCE, len(catalogue)))
            self.columns[rows] = columns_of(catalogue.take(rows), self.reference, self.layout)

    def __len__(self) -> int:
        return len(self.columns)

    def queries(self, songs: Catalogue | Sequence[int] | Rows) -> Queries:
        """Return queries for songs: rows of the catalogue, or a catalogue of other songs.

        Raises
        ------
        UsageError
            If another model heard the other songs.
        """
        if isinstance(songs, Sequence | np.ndarray):
            rows = self.columns[np.asarray(songs, np.intp)]
        else:
            if songs.model != self.catalogue.model or layout_of(songs) != self.layout:
                raise UsageError("the song and the library were heard by different models")
            rows = columns_of(songs, self.reference, self.layout)
        return Queries(*coefficients_of(rows, self.layout))

    def distances(
        self, queries: Queries, weights: Weights = DEFAULT_WEIGHTS, rows: Rows | None = None
    ) -> Floats:
        """Return the distance of every query to every song, or to some.

        Parameters
        ----------
        queries : Queries
            m of them.
        weights : Weights
            Of the parts.
        rows : ndarray [shape=(k,)], optional
            Songs; all by default.

        Returns
        -------
        ndarray [shape=(m, n or k)]
            float32, not below 0 for queries that are songs.
        """
        coefficients = queries.coefficients * self.shares_of_columns(weights)
        songs = self.columns if rows is None else self.columns[rows]
        found: Floats = np.empty((len(queries), len(songs)), np.float32)
        if len(queries) == 1:  # twice as fast as a product of matrices
            np.matmul(songs, coefficients[0], out=found[0])
        else:
            np.matmul(coefficients, songs.T, out=found)
        found += (queries.offsets @ weights.shares())[:, None]
        np.maximum(found, 0.0, out=found)
        return found

    def reweighed(self, queries: Queries, weights: Weights) -> Floats:
        """Return what :meth:`distances` does; under other weights at once, for the last points.

        Their distances part by part are kept, as long as these are not too large.
        """
        most = _KEPT_BYTES // (20 * max(len(self), 1))
        if not 0 < len(queries) <= most:
            return self.distances(queries, weights)
        found: Floats = np.empty((len(queries), len(self)), np.float32)
        kept = dict(self._kept)
        for place in range(len(queries)):
            one = queries.one(place)
            name = one.coefficients.tobytes() + one.offsets.tobytes()
            parts = kept.pop(name) if name in kept else self._in_parts(one)
            kept[name] = parts  # the last one asked for
            np.matmul(weights.shares(), parts, out=found[place])
        self._kept = tuple(kept.items())[-most:]  # another thread's may be lost, and is made again
        np.maximum(found, 0.0, out=found)
        return found

    def _in_parts(self, one: Queries) -> Floats:
        """Return a point's distances to all songs in each part [shape=(5, n)]."""
        found: Floats = np.empty((len(PARTS), len(self)), np.float32)
        for part, place in enumerate(self.layout.parts):
            np.matmul(self.columns[:, place], one.coefficients[0, place], out=found[part])
        found += one.offsets[0][:, None]
        return found

    def points(self, weights: Weights = DEFAULT_WEIGHTS, rows: Rows | None = None) -> Floats:
        """Return coordinates of songs, of all by default, whose squared distances are about ours.

        What is unknown lies in the middle, where it is too near to everything.
        """
        values = self.layout.values
        songs = self.columns if rows is None else self.columns[rows]
        points: Floats = songs[:, values] * np.sqrt(self.shares_of_columns(weights)[values])
        return points

    def by_part(self, queries: Queries, rows: Rows) -> Floats:
        """Return the distances in each part, without weights [shape=(m, k, 5)]."""
        songs = self.columns[rows]
        found = [
            queries.coefficients[:, place] @ songs[:, place].T + queries.offsets[:, [part]]
            for part, place in enumerate(self.layout.parts)
        ]
        return np.asarray(np.maximum(np.stack(found, axis=2), 0.0))

    def shares_of_columns(self, weights: Weights) -> Floats:
        """Return each part's share, repeated for all its columns [shape=(columns,)]."""
        widths = [place.stop - place.start for place in self.layout.parts]
        return np.repeat(weights.shares(), widths)
