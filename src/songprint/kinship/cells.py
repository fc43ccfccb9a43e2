"""Cells: a large library divided by nearness, so that what is near a song is sought in a few.

The cells are those of k-means over the songs' coordinates under the default weights (an inverted
file [1]_). Since distances are linear in a song's columns, the mean distance to a cell's songs is
one product with the mean of their columns, under any weights.

References
----------
.. [1] H. Jégou, M. Douze, C. Schmid, "Product quantization for nearest neighbor search", IEEE
       Trans. Pattern Analysis and Machine Intelligence 33(1), 2011.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from songprint.kinship.distance import Floats, Queries, Rows, Space, Weights
from songprint.kinship.parts import coefficients_of

FEWEST_SONGS = 5_000
"""Below, everything is measured against everything."""

_SONGS_A_CELL = 300
_MOST_CELLS = 2_500
_FITTED_ON_A_CELL = 20
_ROUNDS = 8
_AT_ONCE = 5_000


def centres_of(points: Floats, count: int, *, rounds: int = _ROUNDS) -> Floats:
    """Return centres of k-means [shape=(count, d)], the same for the same points.

    Lloyd's rounds from points drawn by lot: cells need not be the best, only near and even. It is
    our own as scikit-learn, once imported, takes 90 MB.

    Parameters
    ----------
    points : ndarray [shape=(n, d)]
        n ≥ count; there may be copies among them, and then centres are equal.
    count : int
        How many cells.
    rounds : int
        How many rounds.
    """
    drawn = np.random.default_rng(0).choice(len(points), count, replace=False)
    centres: Floats = np.array(points[np.sort(drawn)], np.float32)
    for _ in range(rounds):
        own = nearest_centres(points, centres)
        order = np.argsort(own, kind="stable")
        cells, starts = np.unique(own[order], return_index=True)
        sizes = np.diff(np.append(starts, len(points)))
        # A centre that is nobody's stays where it is.
        centres[cells] = np.add.reduceat(points[order], starts) / sizes[:, None]
    return centres


def nearest_centres(points: Floats, centres: Floats) -> NDArray[np.intp]:
    """Return the nearest centre [shape=(count, d)] of each point [shape=(n, d)]."""
    nearness = points @ centres.T - np.square(centres).sum(axis=1) / 2
    return np.asarray(nearness.argmax(axis=1))


class Cells:
    """The cells of a space.

    Parameters
    ----------
    space : Space
        n songs, one or more.
    """

    def __init__(self, space: Space) -> None:
        songs = len(space)
        count = int(np.clip(songs // _SONGS_A_CELL, 1, _MOST_CELLS))
        sample = np.random.default_rng(0).permutation(songs)[: count * _FITTED_ON_A_CELL]
        centres = centres_of(space.points(rows=np.sort(sample)), count)
        self.of_song: NDArray[np.int32] = np.empty(songs, np.int32)
        for start in range(0, songs, _AT_ONCE):
            rows = np.arange(start, min(start + _AT_ONCE, songs))
            self.of_song[rows] = nearest_centres(space.points(rows=rows), centres)
        self._order: Rows = np.argsort(self.of_song, kind="stable")
        self._starts = np.searchsorted(self.of_song[self._order], np.arange(count + 1))
        self._space = space
        self._centres = self._means(count)
        self._own = coefficients_of(self._centres, space.layout)

    def members(self, cell: int) -> Rows:
        """Return the songs of a cell, in the order of rows."""
        return self._order[self._starts[cell] : self._starts[cell + 1]]

    def middle(self, cell: int) -> Queries:
        """Return the mean of a cell's songs as a query."""
        return Queries(*(part[[cell]] for part in self._own))

    def nearest_cells(self, queries: Queries, weights: Weights) -> NDArray[np.intp]:
        """Return all cells for each query, the nearest first [shape=(m, cells)]."""
        shares = self._space.shares_of_columns(weights)
        found = (queries.coefficients * shares) @ self._centres.T
        # The mean distance to a cell's songs less their spread is that to their middle.
        coefficients, offsets = self._own
        spread = np.einsum("ck,ck->c", coefficients * shares, self._centres)
        found -= (spread + offsets @ weights.shares()) / 2
        found[:, np.diff(self._starts) == 0] = np.inf
        order: NDArray[np.intp] = np.argsort(found, axis=1, kind="stable")
        return order

    def candidates(self, queries: Queries, weights: Weights, songs: int) -> Rows:
        """Return the songs of the cells nearest to one query, at least so many if there are."""
        cells = self.nearest_cells(queries, weights)[0]
        sizes = np.diff(self._starts)[cells]
        enough = int(np.searchsorted(np.cumsum(sizes), songs)) + 1
        return np.concatenate([self.members(int(cell)) for cell in cells[:enough]])

    def _means(self, count: int) -> Floats:
        means = np.zeros((count, self._space.columns.shape[1]), np.float32)
        for cell in range(count):
            if len(members := self.members(cell)):
                means[cell] = self._space.columns[members].mean(axis=0)
        return means


class CellsLater:
    """Makes a space's cells when they are first asked for.

    Whoever needs them holds this, and not what holds him in turn: a library that is no longer used
    is to be gone at once. It can be pickled.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._cells: Cells | None = None

    def __call__(self) -> Cells:
        """Return the cells."""
        if self._cells is None:
            self._cells = Cells(self._space)
        return self._cells
