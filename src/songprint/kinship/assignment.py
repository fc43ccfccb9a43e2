"""Dealing columns to rows at the least sum of costs: the linear assignment problem.

Shortest augmenting paths [1]_ [2]_, a row at a time. What was found is kept, so that after some
columns are forbidden only the rows that had them are dealt anew. It is our own as
``scipy.optimize``, once imported, takes 30 MB and a quarter of a second.

References
----------
.. [1] R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
       assignment problems", Computing 38, 1987.
.. [2] D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Transactions on
       Aerospace and Electronic Systems 52, 2016.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOBODY = -1

Costs = NDArray[np.float64]
Places = NDArray[np.intp]


class Assignment:
    """Rows with a column each, none with the same, such that the sum of their costs is least.

    Parameters
    ----------
    costs : ndarray [shape=(m, n)]
        Finite; m ≤ n.

    Attributes
    ----------
    costs : ndarray [shape=(m, n)]
        A copy, in float64, as they are now.
    columns : ndarray [shape=(m,)]
        Each row's column.

    Raises
    ------
    ValueError
        If there are more rows than columns.
    """

    def __init__(self, costs: NDArray[np.floating]) -> None:
        rows, columns = costs.shape
        if rows > columns:
            raise ValueError(f"{rows} rows cannot have a column each of {columns}")
        self.costs: Costs = np.array(costs, np.float64)
        self._start()

    def raise_costs(self, columns: NDArray[np.integer] | list[int], cost: float) -> None:
        """Make some columns cost so much in every row, not less than before, and deal anew."""
        self.costs[:, columns] = cost
        if (self._of_rows > cost).any():  # prices that are too high for what now costs this
            self._start()
            return
        owners = self._owners[columns]
        without = owners[owners != NOBODY]
        self._owners[columns], self.columns[without] = NOBODY, NOBODY
        self._of_columns[columns] = 0.0
        for row in without.tolist():
            self._deal(row)

    def _start(self) -> None:
        """Deal each row its cheapest column, and if another has it already, what is best then."""
        rows, columns = self.costs.shape
        self.columns: Places = np.full(rows, NOBODY, np.intp)
        self._owners: Places = np.full(columns, NOBODY, np.intp)
        # Prices: no cost is below the sum of its row's and its column's, those dealt equal it, and
        # the price of nobody's column is 0. So no other way to deal costs less in all.
        self._of_rows: Costs = self.costs.min(axis=1) if rows else np.zeros(0)
        self._of_columns: Costs = np.zeros(columns)
        without = []
        for row, column in enumerate(self.costs.argmin(axis=1).tolist() if rows else []):
            if self._owners[column] == NOBODY:
                self._owners[column], self.columns[row] = row, column
            else:
                without.append(row)
        for row in without:
            self._deal(row)

    def _deal(self, first: int) -> None:
        """Deal a column to a row, for which others may have to take their next best."""
        # What a row more costs at least if it takes each column, and from which row that is taken.
        least = np.full(len(self._owners), np.inf)
        via = np.full(len(self._owners), NOBODY, np.intp)
        done = np.zeros(len(self._owners), bool)
        spent, row, seen = 0.0, first, [first]
        while True:
            more = self.costs[row] - (self._of_rows[row] - spent) - self._of_columns
            better = (more < least) & ~done
            least[better] = more[better]
            via[better] = row
            column = int(np.where(done, np.inf, least).argmin())
            spent = float(least[column])
            done[column] = True
            row = int(self._owners[column])
            if row == NOBODY:
                break
            seen.append(row)
        self._of_rows[first] += spent
        for other in seen[1:]:
            self._of_rows[other] += spent - least[self.columns[other]]
        self._of_columns[done] -= spent - least[done]
        while True:  # along the path each row takes the column by which it was reached
            row = int(via[column])
            self._owners[column] = row
            self.columns[row], column = column, int(self.columns[row])
            if row == first:
                break
