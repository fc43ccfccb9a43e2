"""Accuracy with an interval, and class-balanced accuracy.

Conventions: labels are strings. Songs of one artist are no independent trials: where artists are
known, an interval is that of as many independent songs as would tell as much, Wilson's at the
effective sample size [2]_, which holds its level in small clustered samples as few others do [3]_.

References
----------
.. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
       Journal of the American Statistical Association, 1927.
.. [2] E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with small expected
       number of positive counts estimated from survey data", Survey Methodology 24, 1998.
.. [3] N. Dean and M. Pagano, "Evaluating confidence interval methods for binomial proportions in
       clustered surveys", Journal of Survey Statistics and Methodology 3, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.str_]


@dataclass(frozen=True)
class Share:
    """A share of successes and its interval."""

    successes: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself, 0 to 1."""
        return self.successes / self.trials

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"


def wilson(
    successes: int, trials: int, confidence: float = 0.95, effective: float | None = None
) -> Share:
    """Return a share with its Wilson score interval [1]_.

    Parameters
    ----------
    successes, trials : int
        Counts, 0 ≤ successes ≤ trials, trials > 0.
    confidence : float
        Coverage of the interval, between 0 and 1.
    effective : float, optional
        How many independent trials would tell as much; all by default.

    Raises
    ------
    ValueError
        If the counts or the confidence are out of range.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} successes of {trials} trials")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / trials
    n = trials if effective is None else effective
    centre = share + z * z / (2 * n)
    spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # Rounding must not put the interval's end on the wrong side of the share.
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return Share(successes, trials, max(0.0, min(low, share)), min(1.0, max(high, share)))


def share_of(
    right: NDArray[np.bool_] | NDArray[np.floating[Any]], groups: Labels | None = None
) -> Share:
    """Return the share of songs that are right, with an interval that respects their artists.

    Parameters
    ----------
    right : ndarray [shape=(n,)]
        Whether each is, or in which share of several answers, n > 0.
    groups : ndarray [shape=(n,)], optional
        Artist of each; without, each song is taken for one by an artist of its own.

    Raises
    ------
    ValueError
        If there is no song, or another number of artists.
    """
    values = np.asarray(right, np.float64)
    if groups is not None and groups.shape != values.shape:
        raise ValueError(f"{len(values)} songs by {len(groups)} artists")
    successes = round(float(values.sum()))
    return wilson(successes, len(values), effective=effective_songs(values, groups))


def effective_songs(values: NDArray[np.float64], groups: Labels | None) -> float:
    """Return how many independent songs tell as much of a share as these [shape=(n,)].

    At most all, and at least one: a single artist says nothing of others. Where all songs are
    right, or none is, nothing varies that could be measured, and each counts.
    """
    n, share = len(values), float(values.mean()) if len(values) else 0.0
    names, members = np.unique(np.arange(n) if groups is None else groups, return_inverse=True)
    if len(names) in (0, n) or not 0 < share < 1:
        return float(n)
    if len(names) == 1:
        return 1.0
    # The variance of a mean over artists drawn again, with all their songs.
    together = np.square(np.bincount(members, values - share)).sum() / n**2
    variance = float(together) * len(names) / (len(names) - 1)
    return min(float(n), max(1.0, share * (1 - share) / max(variance, 1e-12)))


def accuracy(truth: Labels, predicted: Labels, groups: Labels | None = None) -> Share:
    """Return the share of right predictions, [shape=(n,)] each, n > 0; see :func:`share_of`."""
    _validate(truth, predicted)
    return share_of(truth == predicted, groups)


def balanced_accuracy(truth: Labels, predicted: Labels) -> float:
    """Return the mean over the true classes of the share of each that is found."""
    _validate(truth, predicted)
    return float(np.mean([(predicted[truth == name] == name).mean() for name in np.unique(truth)]))


def _validate(truth: Labels, predicted: Labels) -> None:
    if truth.shape != predicted.shape or truth.ndim != 1 or len(truth) == 0:
        raise ValueError(f"truth has shape {truth.shape}, predictions {predicted.shape}")
