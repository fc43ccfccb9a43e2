"""Which genres are found, which are mistaken for which.

Precision: of the songs called a genre, the share that is. Recall: of the songs of a genre, the
share that is called so. F1: their harmonic mean.

References
----------
.. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
       Journal of the American Statistical Association, 1927.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songprint.evaluate.intervals import Interval
from songprint.evaluate.metrics import Labels, Share, share_of


@dataclass(frozen=True)
class GenreScore:
    """How well one genre is found.

    Attributes
    ----------
    name : str
        The genre.
    precision, recall : Share or None
        With Wilson intervals; None where nothing was called so, or nothing is so.
    f1 : Interval
        With the image of the Wilson interval [1]_ of the share of the songs that are the genre,
        or are called so, which are both (F1 grows with that share J as 2J / (1 + J)).
    songs : int
        How many are of this genre.
    """

    name: str
    precision: Share | None
    recall: Share | None
    f1: Interval
    songs: int


def genres_of(truth: Labels, predicted: Labels) -> tuple[str, ...]:
    """Return every genre in either, in alphabetical order."""
    return tuple(str(name) for name in np.union1d(truth, predicted))


def confusion_matrix(
    truth: Labels, predicted: Labels, genres: Sequence[str] | None = None
) -> NDArray[np.int64]:
    """Count songs by what they are and what they are called.

    Parameters
    ----------
    truth, predicted : ndarray [shape=(n,)]
        Genres, n > 0.
    genres : sequence of str, optional
        Order of rows and columns; :func:`genres_of` by default.

    Returns
    -------
    ndarray [shape=(G, G)]
        Row: what they are; column: what they are called.

    Raises
    ------
    ValueError
        If the arrays are empty or of different shapes, or hold a genre not in `genres`.
    """
    _validate(truth, predicted)
    order = tuple(genres) if genres is not None else genres_of(truth, predicted)
    index = {name: i for i, name in enumerate(order)}
    if len(index) != len(order):
        raise ValueError("a genre is named twice")
    if missing := set(genres_of(truth, predicted)) - set(index):
        raise ValueError(f"not among the genres: {', '.join(sorted(missing))}")
    matrix = np.zeros((len(order), len(order)), np.int64)
    rows = [index[str(name)] for name in truth]
    columns = [index[str(name)] for name in predicted]
    np.add.at(matrix, (rows, columns), 1)
    return matrix


def genre_scores(
    truth: Labels, predicted: Labels, groups: Labels | None = None
) -> list[GenreScore]:
    """Return the scores of every genre in either, in alphabetical order.

    `groups` [shape=(n,)] names the artist of each song, for the intervals.
    """
    _validate(truth, predicted)

    def share(of: NDArray[np.bool_]) -> Share | None:
        theirs = None if groups is None else groups[of]
        return share_of(both[of], theirs) if of.any() else None

    scores = []
    for name in genres_of(truth, predicted):
        is_so, called_so = truth == name, predicted == name
        both = is_so & called_so
        jaccard = share_of(both[of := is_so | called_so], None if groups is None else groups[of])
        f1 = Interval(_f1(jaccard.value), _f1(jaccard.low), _f1(jaccard.high))
        scores.append(GenreScore(name, share(called_so), share(is_so), f1, int(is_so.sum())))
    return scores


def macro_f1(truth: Labels, predicted: Labels) -> float:
    """Return the mean F1 over the genres that there are, so that small ones count as large ones.

    A genre that no song has, but some are called, costs the genres of those songs their recall; a
    mean over it as well would fall with every genre that a head knows and the songs have not.
    """
    return float(
        np.mean([score.f1.value for score in genre_scores(truth, predicted) if score.songs])
    )


def _f1(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)


def _validate(truth: Labels, predicted: Labels) -> None:
    if truth.shape != predicted.shape or truth.ndim != 1 or len(truth) == 0:
        raise ValueError(f"truth has shape {truth.shape}, predictions {predicted.shape}")
