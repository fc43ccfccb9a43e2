from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from songprint.kinship.neighbours import Kinship
from songprint.kinship.order import BLOCK, shortest_path, smooth_order
from support.kin import kin_catalogue


def length(costs: np.ndarray, path: list[int]) -> float:
    return sum(float(costs[a, b]) for a, b in pairwise(path))


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_a_path_visits_all_once_and_is_near_the_shortest(seed: int, n: int) -> None:
    points = np.random.default_rng(seed).random((n, 2))
    costs = np.linalg.norm(points[:, None] - points[None], axis=2)
    path = shortest_path(costs)
    assert path[0] == 0
    assert sorted(path) == list(range(n))
    best = min(length(costs, [0, *rest]) for rest in permutations(range(1, n)))
    assert length(costs, path) <= 1.5 * best + 1e-9


@given(st.integers(0, 10_000), st.integers(4, 9))
def test_no_stretch_of_a_path_is_better_turned_round(seed: int, n: int) -> None:
    points = np.random.default_rng(seed).random((n, 2))
    costs = np.linalg.norm(points[:, None] - points[None], axis=2)
    path = shortest_path(costs)
    for i in range(1, n - 1):
        for j in range(i + 2, n + 1):
            turned = [*path[:i], *path[i:j][::-1], *path[j:]]
            assert length(costs, path) <= length(costs, turned) + 1e-5


def test_points_on_a_line_are_visited_in_order() -> None:
    places = np.array([0.0, 3.0, 1.0, 4.0, 2.0])
    assert shortest_path(np.abs(places[:, None] - places[None])) == [0, 2, 4, 1, 3]


def test_songs_do_not_leave_their_block() -> None:
    kinship = Kinship(kin_catalogue("rock", each=30))
    rows = [near.row for near in kinship.neighbours(0, 25)]
    ordered = smooth_order(kinship, kinship.space.queries([0]), rows)
    assert set(ordered[:BLOCK]) == set(rows[:BLOCK])
    assert sorted(ordered) == sorted(rows)


def test_nothing_to_order_is_no_order() -> None:
    kinship = Kinship(kin_catalogue("rock", each=3))
    assert smooth_order(kinship, kinship.space.queries([0]), []) == []
    assert smooth_order(kinship, kinship.space.queries([0]), [2]) == [2]
