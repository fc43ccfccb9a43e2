"""Intervals that respect artists, and comparisons of two systems on the same songs.

Songs of one artist are no independent trials, so what is drawn again with replacement is artists
(the cluster bootstrap [1]_), each with all its songs.

References
----------
.. [1] A. C. Davison and D. V. Hinkley, "Bootstrap methods and their application", Cambridge
       University Press, 1997, section 3.8.
.. [2] Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
       percentages", Psychometrika 12, 1947 (here in its exact, binomial form).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songprint.evaluate.metrics import Labels

DRAWS = 2000


@dataclass(frozen=True)
class Interval:
    """A mean and its bootstrap interval, in the unit of the values."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap_mean(
    values: NDArray[np.floating[Any]],
    groups: Labels,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """Return the mean over songs with a bootstrap interval over their groups [1]_.

    Parameters
    ----------
    values : ndarray [shape=(n,)]
        One a song; NaN (not measurable) is left out. At least one number.
    groups : ndarray [shape=(n,)]
        Artist of each song.
    confidence : float
        Coverage of the percentile interval, between 0 and 1.
    draws : int
        Bootstrap samples.
    seed : int
        Of the draws.

    Returns
    -------
    Interval
        Mean, low and high.

    Raises
    ------
    ValueError
        If shapes differ, nothing is measurable, or a parameter is out of range.
    """
    if values.ndim != 1 or values.shape != groups.shape:
        raise ValueError(f"values have shape {values.shape}, groups {groups.shape}")
    if not 0 < confidence < 1 or draws < 1:
        raise ValueError(f"confidence {confidence}, {draws} draws")
    known = np.isfinite(values)
    if not known.any():
        raise ValueError("nothing to average")
    kept = np.asarray(values, np.float64)[known]
    names, members = np.unique(groups[known], return_inverse=True)
    sums = np.bincount(members, kept)
    sizes = np.bincount(members)
    drawn = np.random.default_rng(seed).integers(len(names), size=(draws, len(names)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(kept.mean()), float(low), float(high))


def bootstrap_difference(
    ours: NDArray[np.floating[Any]],
    theirs: NDArray[np.floating[Any]],
    groups: Labels,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """Return the mean of `ours` minus `theirs` on the same songs; see :func:`bootstrap_mean`."""
    if ours.shape != theirs.shape:
        raise ValueError(f"{ours.shape} values against {theirs.shape}")
    differences = np.asarray(ours, np.float64) - np.asarray(theirs, np.float64)
    return bootstrap_mean(differences, groups, confidence, draws, seed)


@dataclass(frozen=True)
class McNemar:
    """Songs that only one of two systems has right, and how surprising their imbalance is."""

    only_ours: int
    only_theirs: int
    p: float


def mcnemar(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> McNemar:
    """Compare two systems on the same songs by McNemar's exact test [2]_.

    Parameters
    ----------
    ours, theirs : ndarray [shape=(n,)]
        Whether each system is right, n > 0.

    Returns
    -------
    McNemar
        With the two-sided probability of such an imbalance between equally good systems.

    Raises
    ------
    ValueError
        If the arrays are empty or of different shapes.
    """
    if ours.shape != theirs.shape or ours.ndim != 1 or len(ours) == 0:
        raise ValueError(f"{ours.shape} answers against {theirs.shape}")
    only_ours = int((ours & ~theirs).sum())
    only_theirs = int((theirs & ~ours).sum())
    n = only_ours + only_theirs
    tail = sum(comb(n, i) for i in range(min(only_ours, only_theirs) + 1))
    return McNemar(only_ours, only_theirs, min(1.0, 2 * tail / 2**n))
