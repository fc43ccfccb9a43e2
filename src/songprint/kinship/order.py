"""The order of a station: smooth in tempo and intensity, an artist never twice in a row.

The nearest songs still come first: only blocks of a few songs are put in order, each from where the
one before ended, by the nearest neighbour and then by turning stretches round while that helps
(2-opt, Croes 1958).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.kinship.parts import PARTS

if TYPE_CHECKING:
    from songprint.kinship.distance import Queries
    from songprint.kinship.neighbours import Kinship

BLOCK = 10
SMOOTH_PARTS = ("beat", "intensity")
_CLASH = 100.0

Costs = NDArray[np.floating]


def smooth_order(
    kinship: Kinship, start: Queries, rows: Sequence[int], after: int | None = None
) -> list[int]:
    """Put a station's songs in order.

    Parameters
    ----------
    kinship : Kinship
        Knows the songs.
    start : Queries
        What is played before: the seeds.
    rows : sequence of int
        The songs, nearest first.
    after : int, optional
        A song that is played before instead.
    """
    ordered: list[int] = []
    for first in range(0, len(rows), BLOCK):
        block = list(rows[first : first + BLOCK])
        before = ordered[-1] if ordered else after
        costs = _transitions(kinship, start, before, block)
        ordered += [block[i - 1] for i in shortest_path(costs)[1:]]
    return ordered


def shortest_path(costs: Costs) -> list[int]:
    """Return a short path that starts at 0 and visits all [shape=(n, n)], each once."""
    between = costs.tolist()  # of so few faster than an array
    path, left = [0], set(range(1, len(costs)))
    while left:
        here = path[-1]
        path.append(min(left, key=lambda there: (between[here][there], there)))
        left.remove(path[-1])
    length, improved = _length(between, path), True
    while improved:
        improved = False
        for i in range(1, len(path) - 1):
            for j in range(i + 1, len(path)):
                turned = path[:i] + path[i : j + 1][::-1] + path[j + 1 :]
                shorter = _length(between, turned)
                if shorter < length - 1e-6:
                    path, length, improved = turned, shorter, True
    return path


def _length(between: list[list[float]], path: list[int]) -> float:
    return sum(between[here][there] for here, there in pairwise(path))


def _transitions(kinship: Kinship, start: Queries, before: int | None, block: list[int]) -> Costs:
    """Return what it costs to play a song after another; row 0 is what came before."""
    smooth = [PARTS.index(part) for part in SMOOTH_PARTS]
    everything = np.array(block)
    within = kinship.space.by_part(kinship.space.queries(everything), everything)
    first = start if before is None else kinship.space.queries([before])
    entry = kinship.space.by_part(first, everything).mean(axis=0)
    costs = np.zeros((len(block) + 1,) * 2)
    costs[1:, 1:] = within[:, :, smooth].sum(axis=2)
    costs[0, 1:] = entry[:, smooth].sum(axis=1)
    played = everything if before is None else np.array([before, *block])
    clash = kinship.same_recording(played, everything)
    for i, row in enumerate(played):
        artist = kinship.artists[row]
        if artist is not None:
            clash[i] |= kinship.artists[everything] == artist
    costs[len(costs) - len(played) :, 1:][clash] += _CLASH
    np.fill_diagonal(costs, 0.0)
    return costs
