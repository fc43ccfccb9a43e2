"""Linear probes: how much genre a fixed representation holds.

A probe is a standardised multinomial logistic regression whose L2 strength is chosen inside the
training data by cross-validation, never on the songs it is measured on. Genres count alike in both,
however many songs they have: how common a genre is in the training data says nothing of how common
it is elsewhere (in GTZAN's training clips pop is a seventh, in its validation clips a hundredth).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songprint.evaluate.metrics import Labels, balanced_accuracy

Features = NDArray[np.floating[Any]]

STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
"""Candidates for scikit-learn's C, the inverse of the L2 penalty."""

SVM_STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)
"""Candidates for the C of the support vector machine."""

_INNER_FOLDS = 5
_IMPROBABLE = 1e-6


def fit_probe(features: Features, labels: Labels, groups: Labels | None = None) -> Any:
    """Fit a probe.

    Parameters
    ----------
    features : ndarray [shape=(n, d)]
        One row a song.
    labels : ndarray [shape=(n,)]
        Its genre.
    groups : ndarray [shape=(n,)], optional
        Its artist; songs of one artist stay together when the strength is chosen.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With ``predict`` and ``predict_proba``.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def make(strength: float) -> Any:
        regression = LogisticRegression(C=strength, max_iter=3000, class_weight="balanced")
        return make_pipeline(StandardScaler(), regression)

    songs = np.arange(len(labels)) if groups is None else groups
    losses = np.zeros(len(STRENGTHS))
    for train, test in _inner_folds(labels, songs):
        for i, strength in enumerate(STRENGTHS):
            model = make(strength).fit(features[train], labels[train])
            losses[i] += _log_loss(model, features[test], labels[test])
    return make(STRENGTHS[int(losses.argmin())]).fit(features, labels)


def _log_loss(model: Any, features: Features, labels: Labels) -> float:
    """Return the log loss, summed over songs so that each class weighs as much as any other.

    A class that the training part lacks counts as improbable.
    """
    probabilities = np.maximum(model.predict_proba(features), _IMPROBABLE)
    columns = np.searchsorted(model.classes_, labels).clip(max=len(model.classes_) - 1)
    known = model.classes_[columns] == labels
    rows = np.arange(len(labels))
    losses = -np.log(np.where(known, probabilities[rows, columns], _IMPROBABLE))
    return sum(float(losses[labels == name].mean()) for name in np.unique(labels))


def _inner_folds(
    labels: Labels, groups: NDArray[Any]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield five folds, or fewer for the sake of the rarest class, each trained on two classes."""
    names, members = np.unique(labels, return_inverse=True)
    rarest = min(len(np.unique(groups[members == i])) for i in range(len(names)))
    folds = max(2, min(_INNER_FOLDS, rarest))
    if len(np.unique(groups)) < folds or np.bincount(members).max() < folds:
        return  # nothing to choose by: the strongest penalty stays
    for train, test in artist_folds(labels, groups, folds):
        if len(np.unique(labels[train])) > 1:
            yield train, test


def fit_svm(features: Features, labels: Labels, groups: Labels | None = None) -> Any:
    """Fit a standardised support vector machine with a radial kernel, the classic on MFCCs.

    See :func:`fit_probe`; what is chosen is the machine's C, by balanced accuracy, and the result
    has ``predict`` alone.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    def make(strength: float) -> Any:
        return make_pipeline(StandardScaler(), SVC(C=strength, class_weight="balanced"))

    songs = np.arange(len(labels)) if groups is None else groups
    found = np.zeros(len(SVM_STRENGTHS))
    for train, test in _inner_folds(labels, songs):
        for i, strength in enumerate(SVM_STRENGTHS):
            model = make(strength).fit(features[train], labels[train])
            found[i] += balanced_accuracy(labels[test], model.predict(features[test]))
    return make(SVM_STRENGTHS[int(found.argmax())]).fit(features, labels)


def artist_folds(
    labels: Labels, groups: Labels, folds: int = 10, seed: int = 0
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield the training and test rows of each of `folds` folds that share no group.

    Genres are spread over the folds as evenly as their artists allow; `seed` decides which artists
    share a fold.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # of a genre that is not in every fold
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        splits = list(splitter.split(labels, labels, groups))
    yield from splits
