"""What an evaluation found, as plain values, and the same as JSON.

Shares carry Wilson's interval for as many songs as theirs are worth, artists considered
(:func:`songprint.evaluate.metrics.share_of`), means a bootstrap interval over artists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from songprint.evaluate.calibration import Bin, Selection
from songprint.evaluate.confusion import GenreScore
from songprint.evaluate.intervals import Interval, McNemar
from songprint.evaluate.leaks import LeakReport
from songprint.evaluate.metrics import Share


@dataclass(frozen=True)
class Accuracy:
    """One system on one set of songs.

    Attributes
    ----------
    system, classifier : str
        What hears, and what judges.
    accuracy : Share
        Over all shuffles of the folds, the successes rounded to whole songs.
    spread : tuple of float
        Least and greatest accuracy of a single shuffle.
    macro_f1 : float
        Mean over shuffles.
    difference : Interval or None
        This accuracy minus the reference's on the same songs, bootstrap over artists.
    mcnemar : McNemar or None
        The same comparison song by song, where there is one answer a song.
    """

    system: str
    classifier: str
    accuracy: Share
    spread: tuple[float, float]
    macro_f1: float
    difference: Interval | None = None
    mcnemar: McNemar | None = None


@dataclass(frozen=True)
class Comparison:
    """All systems on one set of songs.

    Attributes
    ----------
    title, split : str
        What was measured, and how it was kept apart from the training.
    songs, artists : int
        How many; 0 artists where they are not known.
    rows : tuple of Accuracy
        One a system.
    reference : str or None
        The system that the differences are to.
    """

    title: str
    split: str
    songs: int
    artists: int
    rows: tuple[Accuracy, ...]
    reference: str | None


@dataclass(frozen=True)
class Retrieval:
    """One system's neighbourhoods.

    Attributes
    ----------
    system : str
        What hears.
    precision : Interval
        Genre precision at 10 among other artists' songs.
    precision_all : float
        The same, the artist's own songs included.
    mean_average_precision, mean_average_precision_all : Interval, float
        Likewise of the whole ranking.
    hub_skew, never_reached : float
        Skewness of the 10-occurrences, and the share of songs that are in nobody's ten; all songs
        are candidates.
    hub_skew_others, never_reached_others : float
        The same among other artists' songs only.
    difference : Interval or None
        Precision minus the reference's.
    """

    system: str
    precision: Interval
    precision_all: float
    mean_average_precision: Interval
    mean_average_precision_all: float
    hub_skew: float
    never_reached: float
    hub_skew_others: float
    never_reached_others: float
    difference: Interval | None = None


@dataclass(frozen=True)
class Neighbourhoods:
    """All systems' neighbourhoods among one set of songs; see :class:`Comparison`."""

    title: str
    songs: int
    artists: int
    rows: tuple[Retrieval, ...]
    reference: str | None


@dataclass(frozen=True)
class HeadScore:
    """The genre head on songs of artists that it was not fitted on.

    Attributes
    ----------
    title : str
        Which songs.
    accuracy : Share
        Of the most probable genre.
    macro_f1, ece : float
        Mean F1 of the genres that the songs have; expected calibration error in ten bins of equal
        count.
    ece_chance : float
        The mean error that a perfectly calibrated head with these confidences would show on so
        few songs.
    sure : Selection
        What is left where the head abstains when unsure.
    reliability : tuple of Bin
        Promised and kept, least confident first.
    genres : tuple of GenreScore
        One a genre.
    confusion_genres : tuple of str
        Rows and columns of the matrix.
    confusion : tuple of tuple of int
        Row: what songs are; column: what they are called.
    """

    title: str
    accuracy: Share
    macro_f1: float
    ece: float
    ece_chance: float
    sure: Selection
    reliability: tuple[Bin, ...]
    genres: tuple[GenreScore, ...]
    confusion_genres: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class SeedScore:
    """The seed network under one split."""

    split: str
    snippets: Share
    songs: Share
    known_songs: float


@dataclass(frozen=True)
class Cost:
    """What a window costs, ours beside the teacher's.

    Attributes
    ----------
    ours_macs, teacher_macs : int
        Multiply-accumulates of one window, counted alike in both ONNX graphs; 0: not measured.
    ours_per_second, teacher_per_second : float
        Windows a second on one thread of ONNX Runtime, median over rounds.
    ratio : Interval
        Ours by the teacher's: median, least and greatest over rounds in which both ran.
    teacher_form : str
        Which way of writing the teacher was the faster.
    rounds, batch_windows : int
        How it was measured.
    """

    ours_macs: int
    teacher_macs: int
    ours_per_second: float
    teacher_per_second: float
    ratio: Interval | None
    teacher_form: str
    rounds: int
    batch_windows: int


@dataclass(frozen=True)
class Vote:
    """One way from windows to a song, on one set of songs."""

    title: str
    way: str
    accuracy: Share


@dataclass(frozen=True)
class Card:
    """Everything that the accuracy card says.

    Attributes
    ----------
    date : str
        When it was measured.
    command : str
        What measured it.
    versions : mapping of str to str
        Of the model, the libraries and the machine.
    model : mapping
        Facts of the encoder's own card.
    comparisons : tuple of Comparison
        Accuracy, by songs.
    retrieval : tuple of Neighbourhoods
        Genre among neighbours, hubs.
    head : tuple of HeadScore
        The genre head.
    votes : tuple of Vote
        Windows to songs.
    seed : tuple of SeedScore
        The seed experiment.
    leaks : mapping of str to LeakReport
        By the split that was checked.
    cost : Cost or None
        None if it was not measured.
    notes : tuple of str
        What was left out, and why.
    """

    date: str
    command: str
    versions: Mapping[str, str]
    model: Mapping[str, Any]
    comparisons: tuple[Comparison, ...]
    retrieval: tuple[Neighbourhoods, ...]
    head: tuple[HeadScore, ...]
    votes: tuple[Vote, ...]
    seed: tuple[SeedScore, ...]
    leaks: Mapping[str, LeakReport]
    cost: Cost | None
    notes: tuple[str, ...]


def as_json(value: Any) -> Any:
    """Return dataclasses, tuples and numbers as what :mod:`json` can write; NaN becomes null."""
    if isinstance(value, Share):
        return {
            "value": round(value.value, 4),
            "low": round(value.low, 4),
            "high": round(value.high, 4),
            "successes": value.successes,
            "songs": value.trials,
        }
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 6) if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value
