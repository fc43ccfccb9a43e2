"""A personal genre head: the user's own labels, learnt on frozen embeddings in seconds.

A standardised multinomial logistic regression with an L2 penalty. Its penalty is chosen, and its
temperature and threshold are fitted, on songs by artists that the regression did not see: a head
that has learnt to know a voice or a studio would otherwise seem to know a genre [1]_.

References
----------
.. [1] A. Flexer, "A closer look on artist filters for musical genre classification", ISMIR 2007.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songprint.encoder.inference import Encoder
from songprint.errors import ModelError, UsageError
from songprint.genre.head import GenreHead

MIN_SONGS = 8
"""Of each label; with fewer, the interval of its recall is wider than half of all there is."""

MIN_ARTISTS = 2
"""Of each label: one to learn from and another to measure on."""

MOST_NAMED = 3
"""Labels that a refusal names; those that lack most."""

OTHER = "other"
"""The label of the background: songs that are none of the user's genres."""

FOLDS = 5
STRENGTHS = (0.001, 0.01, 0.1)
"""Candidates for the inverse of the L2 penalty."""

OUTDATED = "learnt with another version of songprint: train it again"

SURE_ACCURACY = 0.75
"""The threshold is the lowest at which this share of the songs called sure is right."""

Embeddings = NDArray[np.float32]
Probabilities = NDArray[np.float64]
Texts = NDArray[np.str_]


@dataclass(frozen=True)
class Examples:
    """Songs to learn from.

    Attributes
    ----------
    embeddings : ndarray [shape=(n, d)]
        One unit-length row a song.
    labels, artists : ndarray [shape=(n,)]
        Label of each, and the name that it shares with the songs of the same artist alone.
    """

    embeddings: Embeddings
    labels: Texts
    artists: Texts

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, in alphabetical order, the background last."""
        names = sorted({str(label) for label in self.labels})
        return (*(n for n in names if n != OTHER), *(n for n in names if n == OTHER))

    def select(self, rows: NDArray[Any]) -> Examples:
        """Return some of the songs."""
        return Examples(self.embeddings[rows], self.labels[rows], self.artists[rows])


@dataclass(frozen=True)
class PersonalHead:
    """A head and what it was learnt from.

    Attributes
    ----------
    name : str
        What the user calls it.
    head : GenreHead
        Calibrated; its classes are the user's labels.
    songs, artists : mapping of str to int
        How many of each label it was learnt from.
    accuracy : mapping or None
        ``right``, ``songs``, ``low`` and ``high`` on artists that were not learnt from.
    sha256 : str
        Checksum of the file that it was read from; empty if it was not.
    encoder : str
        Folder of the fine-tuned encoder that it belongs to, relative to the file's own; empty if
        it belongs to the package's.
    """

    name: str
    head: GenreHead
    songs: Mapping[str, int]
    artists: Mapping[str, int]
    accuracy: Mapping[str, float] | None = None
    sha256: str = ""
    encoder: str = ""

    def to_json(self) -> str:
        """Serialise: what :meth:`GenreHead.to_json` writes, and the facts, one a line."""
        facts = {
            "personal": self.name,
            "songs": dict(self.songs),
            "artists": dict(self.artists),
            "accuracy": self.accuracy and dict(self.accuracy),
        }
        if self.encoder:
            facts["encoder"] = self.encoder
        lines = (f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in facts.items())
        return "{\n" + "".join(lines) + self.head.to_json().removeprefix("{\n")

    @classmethod
    def from_json(cls, text: str) -> PersonalHead:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ModelError
            If the text is no personal head.
        """
        head = GenreHead.from_json(text)
        fields = json.loads(text)
        try:
            name, songs, artists = fields["personal"], fields["songs"], fields["artists"]
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            return cls(
                str(name),
                head,
                dict(songs),
                dict(artists),
                fields["accuracy"],
                sha256,
                str(fields.get("encoder", "")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"not a personal genre head: {error}") from error


def load_personal(path: Path, encoder_sha256: str) -> PersonalHead:
    """Load a personal head.

    Parameters
    ----------
    path : Path
        What ``songprint train`` wrote.
    encoder_sha256 : str
        The encoder whose embeddings it will judge.

    Raises
    ------
    UsageError
        If there is no such file.
    ModelError
        If it is no personal head, or was learnt on another encoder's embeddings.
    """
    personal = _read(path)
    if personal.encoder:
        raise ModelError(f"{path}: belongs to an encoder of its own, which cannot be used here")
    if personal.head.encoder_sha256 != encoder_sha256:
        raise ModelError(f"{path}: {OUTDATED}")
    return personal


def load_with_encoder(path: Path, shipped: Encoder) -> tuple[PersonalHead, Encoder]:
    """Load a personal head and the encoder that it belongs to.

    Parameters
    ----------
    path : Path
        What ``songprint train`` wrote.
    shipped : Encoder
        The encoder that ships with the package.

    Returns
    -------
    personal : PersonalHead
        The head.
    encoder : Encoder
        The shipped one, or the one that ``songprint train --finetune`` made of it.

    Raises
    ------
    UsageError
        If there is no such file.
    ModelError
        If it is no personal head, or it or its encoder was learnt from another encoder than the
        shipped one.
    """
    personal = _read(path)
    if not personal.encoder:
        return load_personal(path, shipped.sha256), shipped
    place = PurePosixPath(personal.encoder)
    if place.is_absolute() or ".." in place.parts:  # a file from elsewhere must not look around
        raise ModelError(f"{path}: its encoder must lie beside it")
    encoder = Encoder(path.parent / place)
    if encoder.card.get("finetuned_from") != shipped.sha256:
        raise ModelError(f"{path}: {OUTDATED}")
    if personal.head.encoder_sha256 != encoder.sha256:
        raise ModelError(f"{path}: belongs to another encoder than the one beside it")
    return personal, encoder


def _read(path: Path) -> PersonalHead:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text"
        raise UsageError(f"{path}: no personal genres can be read here: {reason}") from error
    try:
        return PersonalHead.from_json(text)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def apply(personal: PersonalHead, embedding: NDArray[np.floating[Any]]) -> dict[str, float]:
    """Return the probability of each label for an embedding [shape=(d,)], the highest first.

    Examples
    --------
    >>> apply(load_personal(path, encoder.sha256), heard.embedding)  # doctest: +SKIP
    {'grunge': 0.87, 'other': 0.13}
    """
    probabilities = personal.head.class_probabilities(embedding[None])[0]
    pairs = zip(personal.head.classes, probabilities.tolist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1]))


def shortcomings(examples: Examples) -> dict[str, str]:
    """Return what each label lacks to be learnt, of those that lack something; the worst first."""
    lacks: list[tuple[int, str, str]] = []
    for label in examples.classes:
        of_label = examples.labels == label
        songs, artists = int(of_label.sum()), len(np.unique(examples.artists[of_label]))
        if songs < MIN_SONGS:
            told = f"{songs} song{'s' * (songs != 1)}, {MIN_SONGS} are needed"
            lacks.append((songs, label, told))
        elif artists < MIN_ARTISTS:
            told = "all songs are by one artist, whose voice would be learnt instead"
            lacks.append((songs, label, told))
    return {label: told for _, label, told in sorted(lacks)}


def refuse_unlearnable(examples: Examples) -> None:
    """Raise `UsageError`, in one line, if the songs cannot support a head."""
    if lacks := shortcomings(examples):
        told = [f"{label}: {what}" for label, what in list(lacks.items())[:MOST_NAMED]]
        if more := len(lacks) - len(told):
            told.append(f"{more} more of {len(examples.classes)} genres lack songs or artists")
        raise UsageError("; ".join(told))
    if len(examples.classes) < 2:
        only = "".join(examples.classes) or "none"
        raise UsageError(f"at least two labels are needed to tell apart, there is {only}")


def learn(examples: Examples, name: str, encoder_sha256: str) -> tuple[PersonalHead, Probabilities]:
    """Learn a head.

    Parameters
    ----------
    examples : Examples
        Songs, of two labels or more.
    name : str
        What the user calls it.
    encoder_sha256 : str
        The encoder that made the embeddings.

    Returns
    -------
    personal : PersonalHead
        Learnt from all songs; its accuracy is left to be measured.
    held_out : ndarray [shape=(n, C)]
        Calibrated probabilities of each song, from a head that did not see its artist.

    Raises
    ------
    UsageError
        If the songs cannot support a head.
    """
    refuse_unlearnable(examples)
    strength = choose_strength(examples)
    return conclude(examples, name, encoder_sha256, out_of_fold(examples), strength)


def conclude(
    examples: Examples, name: str, encoder_sha256: str, held_out: Probabilities, strength: float
) -> tuple[PersonalHead, Probabilities]:
    """Learn from all songs, and calibrate by what is held of those whose artist was not seen.

    Parameters
    ----------
    examples, name, encoder_sha256
        As :func:`learn` takes them.
    held_out : ndarray [shape=(n, C)]
        Probabilities of each song, not calibrated, from a head that did not see its artist.
    strength : float
        Inverse of the L2 penalty.

    Returns
    -------
    personal, held_out
        As :func:`learn` returns them.
    """
    classes = examples.classes
    truth = np.array([classes.index(str(label)) for label in examples.labels])
    temperature = _fit_temperature(held_out, truth)
    held_out = _soften(held_out, temperature)
    weights, bias = regress(examples, classes, strength)
    threshold = _fit_threshold(held_out, truth)
    head = GenreHead(classes, weights, bias, temperature, threshold, encoder_sha256)
    counts = {label: examples.labels == label for label in classes}
    personal = PersonalHead(
        name,
        head,
        songs={label: int(rows.sum()) for label, rows in counts.items()},
        artists={label: len(np.unique(examples.artists[rows])) for label, rows in counts.items()},
    )
    return personal, held_out


def with_accuracy(
    personal: PersonalHead, right: int, songs: int, low: float, high: float
) -> PersonalHead:
    """Return the head with its measured accuracy, and the interval of that, written down."""
    measured = {"right": right, "songs": songs, "low": round(low, 4), "high": round(high, 4)}
    return replace(personal, accuracy=measured)


def out_of_fold(examples: Examples) -> Probabilities:
    """Predict every song by a regression, and a penalty, that never met its artist.

    Parameters
    ----------
    examples : Examples
        Songs, of two labels or more.

    Returns
    -------
    ndarray [shape=(n, C)]
        Probabilities of ``examples.classes``, not calibrated; rows sum to one.
    """
    probabilities = np.zeros((len(examples.labels), len(examples.classes)))
    for test in artist_folds(examples):
        rest = examples.select(~test)
        weights, bias = regress(rest, examples.classes, choose_strength(rest))
        probabilities[test] = softmax(examples.embeddings[test] @ weights + bias)
    return probabilities


def artist_folds(examples: Examples, count: int = FOLDS) -> Iterator[NDArray[np.bool_]]:
    """Yield the songs of each fold: no artist in two, each label spread over as many as it can.

    Labels with few artists deal theirs out first; an artist of several labels stays together.
    """
    artists_of = {
        label: np.unique(examples.artists[examples.labels == label], return_counts=True)
        for label in examples.classes
    }
    fold_of: dict[str, int] = {}
    for label in sorted(artists_of, key=lambda label: len(artists_of[label][0])):
        names, songs = artists_of[label]
        load = np.zeros(count)
        # Those that another label has dealt out come first: a fold that they fill is not empty.
        dealt = np.array([str(name) in fold_of for name in names])
        for i in np.lexsort((-songs, ~dealt)):
            fold = fold_of.setdefault(str(names[i]), int(load.argmin()))
            load[fold] += songs[i]
    folds = np.array([fold_of[str(artist)] for artist in examples.artists])
    for fold in np.unique(folds):
        yield folds == fold


def choose_strength(examples: Examples) -> float:
    """Return the strength with the least loss on artists that were not learnt from."""
    classes = examples.classes
    truth = np.array([classes.index(str(label)) for label in examples.labels])
    losses = np.zeros(len(STRENGTHS))
    for test in artist_folds(examples):
        if test.all():
            return STRENGTHS[0]
        rest = examples.select(~test)
        for i, strength in enumerate(STRENGTHS):
            weights, bias = regress(rest, classes, strength)
            p = softmax(examples.embeddings[test] @ weights + bias)
            losses[i] -= np.log(np.maximum(p[np.arange(len(p)), truth[test]], 1e-6)).sum()
    return STRENGTHS[int(losses.argmin())]


def regress(
    examples: Examples, classes: Sequence[str], strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights [shape=(d, C)] and bias [shape=(C,)]; a class without songs is never said."""
    from sklearn.linear_model import LogisticRegression

    embeddings = np.asarray(examples.embeddings, np.float64)
    mean, scale = embeddings.mean(axis=0), embeddings.std(axis=0)
    # What hardly varies over a dozen songs may vary a lot over the next.
    scale = np.maximum(scale, max(np.median(scale), 1e-9))
    weights = np.zeros((embeddings.shape[1], len(classes)))
    bias = np.full(len(classes), -1e3)
    known = sorted(set(examples.labels))
    columns = [classes.index(str(label)) for label in known]
    if len(known) == 1:
        bias[columns] = 0.0
        return weights, bias
    regression = LogisticRegression(C=strength, max_iter=3000, class_weight="balanced")
    regression.fit((embeddings - mean) / scale, examples.labels)
    slopes, offsets = regression.coef_, regression.intercept_
    if len(known) == 2:  # scikit-learn keeps the second of two classes alone
        slopes, offsets = np.vstack([0 * slopes, slopes]), np.append(0.0, offsets)
    weights[:, columns] = slopes.T / scale[:, None]
    bias[columns] = offsets - mean @ weights[:, columns]
    return weights, bias


def softmax(logits: NDArray[np.float64]) -> Probabilities:
    """Return the classes' probabilities for logits [shape=(n, C)]."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def _soften(probabilities: Probabilities, temperature: float) -> Probabilities:
    return softmax(np.log(np.maximum(probabilities, 1e-12)) / temperature)


def _fit_temperature(probabilities: Probabilities, truth: NDArray[np.int64]) -> float:
    """Return the temperature of least loss, as if one more song of each class had been seen.

    So that a few songs that are all told right do not make the head certain of everything.
    """
    from scipy.optimize import minimize_scalar

    n, classes = probabilities.shape
    targets = np.full((n, classes), 1 / (n + classes))
    targets[np.arange(n), truth] = (n + 1) / (n + classes)

    def loss(log_temperature: float) -> float:
        softened = _soften(probabilities, float(np.exp(log_temperature)))
        return float(-(targets * np.log(np.maximum(softened, 1e-12))).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def _fit_threshold(probabilities: Probabilities, truth: NDArray[np.int64]) -> float:
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    for threshold in np.arange(1 / probabilities.shape[1], 0.95, 0.01):
        sure = confidence >= threshold
        if sure.any() and right[sure].mean() >= SURE_ACCURACY:
            return float(threshold)
    return 0.95
