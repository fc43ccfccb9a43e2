"""How good a neighbourhood is: genre precision, hubs, and songs that nothing leads to.

Conventions: a similarity is a square matrix, larger is nearer, row the query and column the
candidate; a song is never its own candidate. Where `artists` are given, songs of the query's artist
are no candidates either (the artist filter [1]_): otherwise a measure of genre becomes one of
recording studio and voice. Equally near candidates keep their order.

References
----------
.. [1] E. Pampalk, A. Flexer, G. Widmer, "Improvements of audio-based music similarity and genre
       classification", ISMIR 2005.
.. [2] M. Radovanović, A. Nanopoulos, M. Ivanović, "Hubs in space: popular nearest neighbors in
       high-dimensional data", Journal of Machine Learning Research 11, 2010.
.. [3] C. D. Manning, P. Raghavan, H. Schütze, "Introduction to information retrieval", Cambridge
       University Press, 2008, chapter 8.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from songprint.evaluate.metrics import Labels

Similarity = NDArray[np.float64]
Counts = NDArray[np.int64]

NOBODY = -1
"""Stands for a neighbour where a query has fewer candidates than were asked for."""


def cosine_similarity(embeddings: NDArray[np.floating[Any]]) -> Similarity:
    """Return the cosine between all pairs of rows [shape=(n, d)] as [shape=(n, n)].

    Raises
    ------
    ValueError
        If the embeddings are no finite matrix or one of them has no direction.
    """
    rows = np.asarray(embeddings, np.float64)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ValueError(f"embeddings must be a finite matrix, not of shape {rows.shape}")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if (lengths == 0).any():
        raise ValueError("an embedding of zeros has no direction")
    unit = rows / lengths
    similarity: Similarity = unit @ unit.T
    return similarity


def validate(similarity: Similarity, *columns: Labels | None, k: int = 1) -> None:
    """Check what every measure here is given.

    Parameters
    ----------
    similarity : ndarray [shape=(n, n)]
        n ≥ 2, without NaN.
    columns : ndarray [shape=(n,)]
        Labels or artists, one a song; None is passed over.
    k : int
        Neighbours asked for, at least one.

    Raises
    ------
    ValueError
        If one of them is something else.
    """
    if similarity.ndim != 2 or similarity.shape[0] != similarity.shape[1] or len(similarity) < 2:
        raise ValueError(f"similarity has shape {similarity.shape}, not [n, n] with n of 2 or more")
    if np.isnan(similarity).any():
        raise ValueError("similarity has NaN in it")
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    for column in columns:
        if column is not None and column.shape != (len(similarity),):
            raise ValueError(f"{column.shape} labels for {len(similarity)} songs")


def rank(similarity: Similarity, artists: Labels | None = None) -> NDArray[np.int64]:
    """Rank every query's candidates, nearest first.

    Parameters
    ----------
    similarity : ndarray [shape=(n, n)]
        Larger is nearer.
    artists : ndarray [shape=(n,)], optional
        Leaves out candidates of the query's artist.

    Returns
    -------
    ndarray [shape=(n, n)]
        Candidates of each row's query, then :data:`NOBODY`.
    """
    validate(similarity, artists)
    allowed = _candidates(len(similarity), artists)
    order = np.argsort(np.where(allowed, -similarity, np.inf), axis=1, kind="stable")
    # Candidates at minus infinity would tie with those left out, so the latter are put last.
    left_out = ~np.take_along_axis(allowed, order, axis=1)
    last = np.argsort(left_out, axis=1, kind="stable")
    ranked = np.take_along_axis(order, last, axis=1).astype(np.int64)
    ranked[np.arange(len(ranked)) >= allowed.sum(axis=1, keepdims=True)] = NOBODY
    return ranked


def precision_at_k(
    similarity: Similarity, labels: Labels, k: int = 10, artists: Labels | None = None
) -> NDArray[np.float64]:
    """Return for each query the share of its k nearest candidates that have its label.

    Parameters
    ----------
    similarity : ndarray [shape=(n, n)]
        Larger is nearer.
    labels : ndarray [shape=(n,)]
        Genre of each song.
    k : int
        Neighbours; where a query has fewer candidates, the share is of those.
    artists : ndarray [shape=(n,)], optional
        Leaves out candidates of the query's artist.

    Returns
    -------
    ndarray [shape=(n,)]
        0 to 1; NaN for a query without candidates.
    """
    validate(similarity, labels, artists, k=k)
    nearest = rank(similarity, artists)[:, :k]
    there = nearest != NOBODY
    hits = ((labels[nearest] == labels[:, None]) & there).sum(axis=1)
    return _divide(hits, there.sum(axis=1))


def average_precision(
    similarity: Similarity, labels: Labels, artists: Labels | None = None
) -> NDArray[np.float64]:
    """Return for each query the average precision [3]_ of its whole ranking.

    Parameters
    ----------
    similarity : ndarray [shape=(n, n)]
        Larger is nearer.
    labels : ndarray [shape=(n,)]
        Genre of each song; candidates that share the query's are relevant.
    artists : ndarray [shape=(n,)], optional
        Leaves out candidates of the query's artist.

    Returns
    -------
    ndarray [shape=(n,)]
        Precision at the rank of each relevant candidate, averaged over these; NaN for a query
        without any. The mean over queries is the mean average precision (MAP).
    """
    validate(similarity, labels, artists)
    ranked = rank(similarity, artists)
    relevant = (labels[ranked] == labels[:, None]) & (ranked != NOBODY)
    precision = relevant.cumsum(axis=1) / np.arange(1, len(ranked) + 1)
    return _divide((precision * relevant).sum(axis=1), relevant.sum(axis=1))


def k_occurrence(similarity: Similarity, k: int = 10, artists: Labels | None = None) -> Counts:
    """Count how often each song is among the k nearest of another.

    Parameters
    ----------
    similarity : ndarray [shape=(n, n)]
        Larger is nearer.
    k : int
        Neighbours.
    artists : ndarray [shape=(n,)], optional
        Leaves out candidates of the query's artist.

    Returns
    -------
    ndarray [shape=(n,)]
        Its mean is k, unless queries have fewer candidates.
    """
    validate(similarity, artists, k=k)
    nearest = rank(similarity, artists)[:, :k]
    return np.bincount(nearest[nearest != NOBODY], minlength=len(similarity)).astype(np.int64)


def hub_skew(occurrences: Counts) -> float:
    """Return the skewness of the k-occurrence distribution [2]_; 0 where all are equal.

    Above zero, few songs are neighbours of many; random neighbours give about 1/√k.
    """
    _validate_occurrences(occurrences)
    deviations = occurrences - occurrences.mean()
    spread = float(np.sqrt(np.mean(deviations**2)))
    return float(np.mean(deviations**3)) / spread**3 if spread > 0 else 0.0


def share_never_reached(occurrences: Counts) -> float:
    """Return the share of anti-hubs: songs that are nobody's neighbour [2]_."""
    _validate_occurrences(occurrences)
    return float((occurrences == 0).mean())


def mutual_proximity(similarity: Similarity) -> Similarity:
    """Reduce hubs: how probable it is that two songs are nearer to each other than others are.

    The empirical form of Schnitzer et al., "Local and global scaling reduce hubs in space",
    Journal of Machine Learning Research 13, 2012, with independence assumed.

    Parameters
    ----------
    similarity : ndarray [shape=(n, n)]
        Larger is nearer; symmetric.

    Returns
    -------
    ndarray [shape=(n, n)]
        0 to 1; the diagonal is 1.
    """
    validate(similarity)
    n = len(similarity)
    others = ~np.eye(n, dtype=bool)
    ranks = np.where(others, similarity, -np.inf).argsort(axis=1).argsort(axis=1)
    nearer_than = ranks / (n - 1)
    proximity: Similarity = np.where(others, nearer_than * nearer_than.T, 1.0)
    return proximity


def _candidates(n: int, artists: Labels | None) -> NDArray[np.bool_]:
    allowed = ~np.eye(n, dtype=bool)
    return allowed if artists is None else allowed & (artists[:, None] != artists[None, :])


def _divide(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=shares, where=denominator > 0)
    return shares


def _validate_occurrences(occurrences: Counts) -> None:
    if occurrences.ndim != 1 or len(occurrences) == 0 or (occurrences < 0).any():
        raise ValueError("occurrences must be counts, one a song")
