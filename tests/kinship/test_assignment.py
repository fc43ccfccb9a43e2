from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from songprint.kinship.assignment import Assignment

NEVER = 100.0


def cost(assignment: Assignment) -> float:
    rows = np.arange(len(assignment.columns))
    return float(assignment.costs[rows, assignment.columns].sum())


def least(costs: np.ndarray) -> float:
    return float(costs[linear_sum_assignment(costs)].sum())


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    rows = draw(st.integers(0, 8))
    columns = draw(st.integers(max(rows, 1), 16))
    # Whole numbers, few of them: many ways cost the same.
    cells = st.integers(-3, 6)
    count = rows * columns
    values = draw(st.lists(cells, min_size=count, max_size=count))
    return np.array(values, float).reshape(rows, columns)


@given(tables())
def test_each_row_gets_a_column_of_its_own_at_the_least_cost(costs: np.ndarray) -> None:
    found = Assignment(costs)
    assert len(set(found.columns.tolist())) == len(costs)
    assert cost(found) == pytest.approx(least(costs))


@given(tables(), st.lists(st.sets(st.integers(0, 15)), max_size=4))
def test_what_is_forbidden_afterwards_is_dealt_anew_at_the_least_cost(
    costs: np.ndarray, forbidden: list[set[int]]
) -> None:
    found = Assignment(costs)
    for each in forbidden:
        columns = [column for column in each if column < costs.shape[1]]
        costs[:, columns] = NEVER
        found.raise_costs(columns, NEVER)
        assert len(set(found.columns.tolist())) == len(costs)
        assert cost(found) == pytest.approx(least(costs))


def test_large_tables_of_any_numbers_are_dealt_at_the_least_cost() -> None:
    costs = np.random.default_rng(0).standard_normal((60, 900))
    assert cost(Assignment(costs)) == pytest.approx(least(costs))


def test_more_rows_than_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="3 rows cannot have a column each of 2"):
        Assignment(np.zeros((3, 2)))
