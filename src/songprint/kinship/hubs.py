"""Hubs: songs that are neighbours of too many, and anti-hubs, which nothing leads to.

In many dimensions some points are near to everything and others to nothing [1]_. Local scaling [2]_
judges a distance by what either song is used to: it is divided by the root of the product of both
songs' *scales*, the mean distance to their ten nearest songs (NICDM [3]_). A scale is kept for each
part, so that it follows the weights. What is still nobody's neighbour is lifted just so far that it
is somebody's.

References
----------
.. [1] M. Radovanović, A. Nanopoulos, M. Ivanović, "Hubs in space: popular nearest neighbors in
       high-dimensional data", Journal of Machine Learning Research 11, 2010.
.. [2] L. Zelnik-Manor and P. Perona, "Self-tuning spectral clustering", NIPS 2004.
.. [3] D. Schnitzer, A. Flexer, M. Schedl, G. Widmer, "Local and global scaling reduce hubs in
       space", Journal of Machine Learning Research 13, 2012.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songprint.kinship.cells import FEWEST_SONGS
from songprint.kinship.distance import DEFAULT_WEIGHTS, Floats, Queries, Rows, Space, Weights

if TYPE_CHECKING:
    from songprint.kinship.cells import Cells

NEAREST = 10
SMALLEST_SCALE = 0.02
"""Below the distance of most copies of a recording; keeps them from being next to nothing else."""

CELLS_AROUND = 6
"""In a large library a song's nearest are sought in so many cells, its own and those beside it."""

_VALUES_AT_ONCE = 16_000_000
# Nearest songs that are kept while songs are lifted, and how many in a large library.
_LISTED, _LISTED_OF_MANY = 100, 32
_ROUNDS_OF_LIFTING = 20


class Scales:
    """How far each song's nearest songs are, part by part; measured when first asked for.

    Safe to share between threads.

    Parameters
    ----------
    space : Space
        The songs.
    cells : callable
        Returns the space's cells: in a large library the nearest are sought in a few of them.
    """

    def __init__(self, space: Space, cells: Callable[[], Cells]) -> None:
        self._space = space
        self._cells = cells
        self._small = len(space) < FEWEST_SONGS
        self._by_part = np.full((len(space), len(space.layout.parts)), np.nan, np.float32)
        self._lift = np.ones(len(space), np.float32)
        self._prepared = False
        self._lock = RLock()

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the lock, for another process."""
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = RLock()

    def of(self, weights: Weights, rows: Rows | None = None) -> Floats:
        """Return the scales of all songs [shape=(n,)], or of some [shape=(k,)].

        The nearest are those under the default weights, whatever the weights are.
        """
        chosen = np.arange(len(self._space)) if rows is None else rows
        if self._small:
            self.prepare()
        elif np.isnan(self._by_part[chosen, 0]).any():
            with self._lock:
                self._measure(self._groups(chosen[np.isnan(self._by_part[chosen, 0])]))
        return self._known(weights, chosen)

    def _known(self, weights: Weights, rows: Rows) -> Floats:
        scales = np.maximum(self._by_part[rows] @ weights.shares(), SMALLEST_SCALE)
        return np.asarray(scales * self._lift[rows], np.float32)

    def prepare(self) -> None:
        """Measure all songs, and lift those that would be nobody's neighbour.

        What is never among the ten nearest of another gets the least scale at which it is.
        """
        with self._lock:
            if not self._prepared:
                self._prepare()
                self._prepared = True

    def _prepare(self) -> None:
        songs = len(self._space)
        listed = min(_LISTED if self._small else _LISTED_OF_MANY, songs - 1)
        if listed < 1:
            self._by_part[:] = 1.0
            return
        near = np.zeros((songs, listed), np.int32)
        distances = np.full((songs, listed), np.inf, np.float32)
        for block, among, queries, found in self._distances(self._groups(np.arange(songs))):
            self._by_part[block] = scales_by_part(self._space, queries, found, among)
            width = min(listed, found.shape[1])
            nearest = np.argpartition(found, width - 1, axis=1)[:, :width]
            near[block, :width] = among[nearest]
            distances[block, :width] = np.take_along_axis(found, nearest, axis=1)
        for _ in range(_ROUNDS_OF_LIFTING):
            if not self._lift_unreached(near, distances):
                break

    def _groups(self, rows: Rows) -> Iterator[tuple[Rows, Rows]]:
        """Yield rows in groups, each with the songs among which their nearest are."""
        if self._small:
            yield rows, np.arange(len(self._space))
            return
        cells = self._cells()
        own = cells.of_song[rows]
        for cell in np.unique(own):
            # What is near the middle of a cell is near its songs.
            around = cells.nearest_cells(cells.middle(int(cell)), DEFAULT_WEIGHTS)[0, :CELLS_AROUND]
            yield rows[own == cell], np.concatenate([cells.members(int(c)) for c in around])

    def _distances(
        self, groups: Iterable[tuple[Rows, Rows]]
    ) -> Iterator[tuple[Rows, Rows, Queries, Floats]]:
        """Yield pieces of groups with their distances, infinite to themselves."""
        for rows, among in groups:
            at_once = max(1, _VALUES_AT_ONCE // len(among))
            for start in range(0, len(rows), at_once):
                block = rows[start : start + at_once]
                queries = self._space.queries(block)
                distances = self._space.distances(queries, rows=among)
                distances[among[None, :] == block[:, None]] = np.inf
                yield block, among, queries, distances

    def _measure(self, groups: Iterable[tuple[Rows, Rows]]) -> None:
        for block, among, queries, distances in self._distances(groups):
            self._by_part[block] = scales_by_part(self._space, queries, distances, among)

    def _lift_unreached(self, near: NDArray[np.int32], distances: Floats) -> bool:
        """Raise the scales of songs that are nobody's neighbour until each is; tell if any was.

        `near` has the nearest songs of each, in no order, and `distances` theirs [shape=(n, m)].
        """
        scales = self._known(DEFAULT_WEIGHTS, np.arange(len(near)))
        scaled = distances / np.sqrt(scales[near])
        last = min(NEAREST, near.shape[1]) - 1
        first = np.argpartition(scaled, last, axis=1)[:, : last + 1]
        tenth = np.take_along_axis(scaled, first[:, last:], axis=1)[:, 0]
        neighbours = np.take_along_axis(near, first, axis=1)
        unreached = np.bincount(neighbours.ravel(), minlength=len(near)) == 0
        # Song q has c among its ten if d(q, c) / √scale is below what its tenth has.
        theirs = np.maximum(tenth[near[unreached]], 1e-6)
        needed = np.square(distances[unreached] / theirs).min(axis=1)
        self._lift[unreached] *= np.maximum(1.001 * needed / scales[unreached], 1.0)
        return bool(unreached.any())


def scales_by_part(
    space: Space, queries: Queries, distances: Floats, among: Rows | None = None
) -> Floats:
    """Return the mean distance to the nearest songs in each part [shape=(m, 5)].

    Parameters
    ----------
    space : Space
        The songs.
    queries : Queries
        m points.
    distances : ndarray [shape=(m, k)]
        Theirs, infinite where a song does not count: the point itself, its copies.
    among : ndarray [shape=(k,)], optional
        The songs that these are the distances to; all by default.
    """
    count = min(NEAREST, distances.shape[1] - 1)
    if count < 1:
        return np.ones((len(queries), len(space.layout.parts)), np.float32)
    # Row by row: the places of all songs, for many queries at once, would take much memory.
    nearest = np.empty((len(distances), count), np.intp)
    for i, row in enumerate(distances):
        nearest[i] = np.argpartition(row, count - 1)[:count]
    counted = np.isfinite(np.take_along_axis(distances, nearest, axis=1))
    if among is not None:
        nearest = among[nearest]
    # Distances are linear in the columns: their mean is the distance to the mean of the columns.
    if counted.all():
        centres = space.columns[nearest].mean(axis=1)
    else:
        shares = counted / np.maximum(counted.sum(axis=1, keepdims=True), 1)
        centres = np.einsum("mk,mkc->mc", shares.astype(np.float32), space.columns[nearest])
    found = [
        np.einsum("mk,mk->m", queries.coefficients[:, place], centres[:, place])
        for place in space.layout.parts
    ]
    scales = np.maximum(np.stack(found, axis=1) + queries.offsets, 0.0)
    return np.where(counted.any(axis=1, keepdims=True), scales, np.float32(1.0))


@dataclass(frozen=True)
class Reach:
    """Which songs lists of neighbours lead to.

    Attributes
    ----------
    skew : float
        Skewness of how often each song is a neighbour; above 0, few are neighbours of many [1]_.
    never : int
        Songs that are nobody's neighbour.
    most : int
        How often the greatest hub is one.
    share : float
        Of the songs, those that are somebody's neighbour.
    """

    skew: float
    never: int
    most: int
    share: float


def reach_of(neighbours: NDArray[np.integer], songs: int) -> Reach:
    """Measure lists of neighbours.

    Parameters
    ----------
    neighbours : ndarray [shape=(m, k)]
        A song's neighbours a row; -1 where there is none.
    songs : int
        How many there are in all.
    """
    counts = np.bincount(neighbours[neighbours >= 0].ravel(), minlength=songs)
    deviations = counts - counts.mean()
    spread = float(np.sqrt(np.mean(deviations**2)))
    return Reach(
        skew=float(np.mean(deviations**3)) / spread**3 if spread > 0 else 0.0,
        never=int((counts == 0).sum()),
        most=int(counts.max(initial=0)),
        share=float((counts > 0).mean()) if songs else 0.0,
    )
