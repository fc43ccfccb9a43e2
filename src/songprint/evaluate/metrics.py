"""Accuracy with an interval, and class-balanced accuracy.

Conventions: labels are strings.

References
----------
.. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
       Journal of the American Statistical Association, 1927.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.str_]


@dataclass(frozen=True)
class Share:
    """A share of successes and its Wilson score interval [1]_."""

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


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Share:
    """Return a share with its Wilson score interval.

    Parameters
    ----------
    successes, trials : int
        Counts, 0 ≤ successes ≤ trials, trials > 0.
    confidence : float
        Coverage of the interval, between 0 and 1.

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
    centre = share + z * z / (2 * trials)
    spread = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # Rounding must not put the interval's end on the wrong side of the share.
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return Share(successes, trials, max(0.0, min(low, share)), min(1.0, max(high, share)))


def accuracy(truth: Labels, predicted: Labels) -> Share:
    """Return the share of right predictions, [shape=(n,)] each, n > 0."""
    _validate(truth, predicted)
    return wilson(int((truth == predicted).sum()), len(truth))


def balanced_accuracy(truth: Labels, predicted: Labels) -> float:
    """Return the mean over the true classes of the share of each that is found."""
    _validate(truth, predicted)
    return float(np.mean([(predicted[truth == name] == name).mean() for name in np.unique(truth)]))


def _validate(truth: Labels, predicted: Labels) -> None:
    if truth.shape != predicted.shape or truth.ndim != 1 or len(truth) == 0:
        raise ValueError(f"truth has shape {truth.shape}, predictions {predicted.shape}")
