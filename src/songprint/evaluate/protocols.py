"""The developers' protocols: which songs, split how, judged by what.

GTZAN: a classifier trained on the 271 training clips is measured on the 109 validation clips of the
fault-filtered split. Emotify: ten folds that share no artist, the folds drawn several times.
Nothing about a classifier is chosen on the songs that it is measured on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songprint.evaluate import voting
from songprint.evaluate.confusion import macro_f1
from songprint.evaluate.intervals import bootstrap_difference, bootstrap_mean, mcnemar
from songprint.evaluate.metrics import Labels, accuracy, share_of
from songprint.evaluate.probe import artist_folds, fit_probe, fit_svm
from songprint.evaluate.representations import Representation
from songprint.evaluate.results import Accuracy, Comparison, Neighbourhoods, Retrieval, Vote
from songprint.evaluate.retrieval import (
    Similarity,
    average_precision,
    hub_skew,
    k_occurrence,
    mutual_proximity,
    precision_at_k,
    share_never_reached,
)

FOLDS = 10
SHUFFLES = 5
NEIGHBOURS = 10

LINEAR = "linear probe"
SVM = "SVM (RBF)"

Fit = Callable[..., Any]
_FITS: dict[str, Fit] = {LINEAR: fit_probe, SVM: fit_svm}


@dataclass(frozen=True, eq=False)
class Songs:
    """Songs with what is known of them, row by row with their representations."""

    labels: Labels
    artists: Labels

    def rows(self, chosen: NDArray[Any]) -> Songs:
        """Return some of the songs."""
        return Songs(self.labels[chosen], self.artists[chosen])


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one system called each song [shape=(shuffles, n)]."""

    system: str
    classifier: str
    predicted: Labels


def classifiers_for(representation: Representation) -> tuple[str, ...]:
    """Return what judges a representation: MFCCs also have the machine that is usual for them."""
    return (SVM, LINEAR) if representation.name.startswith("MFCC") else (LINEAR,)


def on_split(
    representation: Representation, labels: Labels, train: NDArray[np.bool_]
) -> list[Outcome]:
    """Train on some songs, judge all the others.

    Parameters
    ----------
    representation : Representation
        Of n songs.
    labels : ndarray [shape=(n,)]
        Their genres.
    train : ndarray [shape=(n,)]
        Which are to be trained on.
    """
    features = representation.features
    return [
        Outcome(
            representation.name,
            name,
            _FITS[name](features[train], labels[train]).predict(features[~train])[None],
        )
        for name in classifiers_for(representation)
    ]


def on_folds(
    representation: Representation, songs: Songs, shuffles: int = SHUFFLES
) -> list[Outcome]:
    """Judge every song by a classifier that never met its artist, once a shuffle of the folds."""
    features, labels, artists = representation.features, songs.labels, songs.artists
    outcomes = []
    for name in classifiers_for(representation):
        predicted = np.empty((shuffles, len(labels)), labels.dtype)
        for shuffle in range(shuffles):
            for train, test in artist_folds(labels, artists, FOLDS, shuffle):
                model = _FITS[name](features[train], labels[train], artists[train])
                predicted[shuffle, test] = model.predict(features[test])
        outcomes.append(Outcome(representation.name, name, predicted))
    return outcomes


def compare(
    outcomes: Sequence[Outcome],
    songs: Songs,
    *,
    title: str,
    split: str,
    references: Sequence[str] = (),
    artists_known: bool = True,
) -> Comparison:
    """Score systems on the same songs.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One a system and classifier, over the same songs and shuffles.
    songs : Songs
        What the songs are.
    title, split : str
        For the reader.
    references : sequence of str
        Systems of which the most accurate is what the others are compared with.
    artists_known : bool
        Whether `songs` names artists; if not, each song counts as an artist.
    """
    right = [outcome.predicted == songs.labels for outcome in outcomes]
    candidates = [i for i, outcome in enumerate(outcomes) if outcome.system in references]
    best = max(candidates, key=lambda i: float(right[i].mean()), default=None)
    rows = []
    for i, outcome in enumerate(outcomes):
        row = _score(outcome, right[i], songs)
        if best is not None and i != best:
            single = len(right[i]) == len(right[best]) == 1
            row = replace(
                row,
                difference=bootstrap_difference(
                    right[i].mean(axis=0), right[best].mean(axis=0), songs.artists
                ),
                mcnemar=mcnemar(right[i][0], right[best][0]) if single else None,
            )
        rows.append(row)
    return Comparison(
        title,
        split,
        len(songs.labels),
        len(np.unique(songs.artists)) if artists_known else 0,
        tuple(rows),
        None if best is None else outcomes[best].system,
    )


def only(outcomes: Sequence[Outcome], chosen: NDArray[np.bool_]) -> list[Outcome]:
    """Return the outcomes of some of the songs."""
    return [replace(outcome, predicted=outcome.predicted[:, chosen]) for outcome in outcomes]


def _score(outcome: Outcome, right: NDArray[np.bool_], songs: Songs) -> Accuracy:
    shares = right.mean(axis=1)
    return Accuracy(
        outcome.system,
        outcome.classifier,
        share_of(right.mean(axis=0), songs.artists),
        (float(shares.min()), float(shares.max())),
        float(np.mean([macro_f1(songs.labels, called) for called in outcome.predicted])),
    )


def measure_retrieval(
    title: str,
    representations: Sequence[Representation],
    songs: Songs,
    references: Sequence[str] = (),
) -> Neighbourhoods:
    """Measure the neighbourhoods of each representation, and of the first with hubs reduced.

    Parameters
    ----------
    title : str
        For the reader.
    representations : sequence of Representation
        Over the same songs.
    songs : Songs
        What the songs are.
    references : sequence of str
        Systems of which the one of greatest precision is what the others are compared with.
    """
    similarities: list[tuple[str, Similarity]] = [(r.name, r.similarity()) for r in representations]
    if similarities:
        name, similarity = similarities[0]
        similarities.insert(1, (f"{name}, mutual proximity", mutual_proximity(similarity)))
    precisions = [
        precision_at_k(similarity, songs.labels, NEIGHBOURS, songs.artists)
        for _, similarity in similarities
    ]
    candidates = [i for i, (name, _) in enumerate(similarities) if name in references]
    best = max(candidates, key=lambda i: float(np.nanmean(precisions[i])), default=None)
    rows = []
    for i, (name, similarity) in enumerate(similarities):
        row = _neighbourhood(name, similarity, songs)
        if best is not None and i != best:
            difference = bootstrap_difference(precisions[i], precisions[best], songs.artists)
            row = replace(row, difference=difference)
        rows.append(row)
    return Neighbourhoods(
        title,
        len(songs.labels),
        len(np.unique(songs.artists)),
        tuple(rows),
        None if best is None else similarities[best][0],
    )


def _neighbourhood(name: str, similarity: Similarity, songs: Songs) -> Retrieval:
    labels, artists = songs.labels, songs.artists
    everybody = k_occurrence(similarity, NEIGHBOURS)
    others = k_occurrence(similarity, NEIGHBOURS, artists)
    return Retrieval(
        name,
        bootstrap_mean(precision_at_k(similarity, labels, NEIGHBOURS, artists), artists),
        float(np.nanmean(precision_at_k(similarity, labels, NEIGHBOURS))),
        bootstrap_mean(average_precision(similarity, labels, artists), artists),
        float(np.nanmean(average_precision(similarity, labels))),
        hub_skew(everybody),
        share_never_reached(everybody),
        hub_skew(others),
        share_never_reached(others),
    )


def measure_votes(
    title: str,
    windows: Sequence[NDArray[np.float32]],
    features: NDArray[np.float32],
    labels: Labels,
    splits: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    artists: Labels | None = None,
) -> list[Vote]:
    """Compare the ways from windows to a song, with linear probes of song embeddings.

    Parameters
    ----------
    title : str
        Which songs.
    windows : sequence of ndarray [shape=(m, d)]
        Window embeddings of each song.
    features : ndarray [shape=(n, d)]
        Song embeddings.
    labels, artists : ndarray [shape=(n,)]
        Of the songs; without artists each song is one.
    splits : sequence of tuple
        Training and test rows; every song that counts is in one test part.
    """
    predicted = {way: np.array(labels) for way in voting.WAYS}
    tested = np.concatenate([test for _, test in splits])
    for train, test in splits:
        groups = None if artists is None else artists[train]
        probe = fit_probe(features[train], labels[train], groups)
        for way, vote in voting.WAYS.items():
            called = [int(vote(windows[i], probe.predict_proba).argmax()) for i in test]
            predicted[way][test] = probe.classes_[called]
    of_tested = None if artists is None else artists[tested]
    return [
        Vote(title, way, accuracy(labels[tested], called[tested], of_tested))
        for way, called in predicted.items()
    ]
