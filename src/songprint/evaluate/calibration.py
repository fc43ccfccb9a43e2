"""Whether a classifier knows how sure it may be: reliability, and accuracy where it speaks.

Conventions as in :mod:`songprint.evaluate.metrics`. Bins are of equal count, which unlike bins of
equal width are never almost empty.

References
----------
.. [1] A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with supervised learning",
       ICML 2005.
.. [2] R. El-Yaniv and Y. Wiener, "On the foundations of noise-free selective classification",
       Journal of Machine Learning Research 11, 2010.
.. [3] M. P. Naeini, G. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using
       Bayesian binning", AAAI 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songprint.evaluate.metrics import Labels, Share, share_of

Confidence = NDArray[np.float64]
Right = NDArray[np.bool_]


@dataclass(frozen=True)
class Bin:
    """Songs of similar confidence: what was promised and what was kept."""

    confidence: float
    accuracy: Share

    @property
    def count(self) -> int:
        """How many songs are in the bin."""
        return self.accuracy.trials


@dataclass(frozen=True)
class Selection:
    """What remains where a classifier may abstain: how much, and how right (None: nothing)."""

    coverage: Share
    accuracy: Share | None


def validate(confidence: Confidence, right: Right) -> None:
    """Check confidences [shape=(n,)], 0 to 1, and whether each prediction was right, n > 0.

    Raises
    ------
    ValueError
        If they are something else.
    """
    if confidence.shape != right.shape or confidence.ndim != 1 or len(right) == 0:
        raise ValueError(f"{confidence.shape} confidences for {right.shape} predictions")
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError("confidences must lie between 0 and 1")


def reliability_table(
    confidence: Confidence, right: Right, bins: int = 10, groups: Labels | None = None
) -> list[Bin]:
    """Sort predictions into bins by confidence [1]_.

    Parameters
    ----------
    confidence : ndarray [shape=(n,)]
        Probability of each prediction, 0 to 1.
    right : ndarray [shape=(n,)]
        Whether it was right.
    bins : int
        Bins of equal count (to within one); as many as there are songs at most.
    groups : ndarray [shape=(n,)], optional
        Artist of each song, for the intervals.

    Returns
    -------
    list of Bin
        Least confident first, none empty.
    """
    validate(confidence, right)
    if bins < 1:
        raise ValueError(f"{bins} bins")
    order = np.argsort(confidence, kind="stable")
    return [
        Bin(
            float(confidence[part].mean()),
            share_of(right[part], None if groups is None else groups[part]),
        )
        for part in np.array_split(order, min(bins, len(order)))
    ]


def expected_calibration_error(confidence: Confidence, right: Right, bins: int = 10) -> float:
    """Return how far confidence is from the share that is right, averaged over songs [3]_.

    Parameters
    ----------
    confidence : ndarray [shape=(n,)]
        Probability of each prediction, 0 to 1.
    right : ndarray [shape=(n,)]
        Whether it was right.
    bins : int
        Bins of equal count.

    Returns
    -------
    float
        0 for perfect calibration, at most 1.

    Raises
    ------
    ValueError
        If the arrays are empty or of different lengths, or a confidence is no probability.
    """
    table = reliability_table(confidence, right, bins)
    gaps = [b.count * abs(b.confidence - b.accuracy.value) for b in table]
    return sum(gaps) / len(right)


def select(right: Right, kept: Right, groups: Labels | None = None) -> Selection:
    """Return how many songs a classifier speaks on (`kept`), and how many of these are right [2]_.

    `groups` names the artist of each song, for the intervals.

    Raises
    ------
    ValueError
        If the arrays are empty or of different shapes.
    """
    if right.shape != kept.shape or right.ndim != 1 or len(right) == 0:
        raise ValueError(f"{kept.shape} choices for {right.shape} predictions")
    theirs = None if groups is None else groups[kept]
    correct = share_of(right[kept], theirs) if kept.any() else None
    return Selection(share_of(kept, groups), correct)
