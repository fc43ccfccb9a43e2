"""The genre head on artists that neither its regression, its temperature nor its threshold met.

The shipped head is fitted on all labelled songs, so it cannot be measured on them. The same fitting
(:mod:`songprint.learn.heads`) is therefore repeated without a fifth of the artists at a time, and
without GTZAN's validation clips, and what it gives is measured on what it was not given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.evaluate.calibration import (
    expected_calibration_error,
    reliability_table,
    select,
)
from songprint.evaluate.confusion import confusion_matrix, genre_scores, genres_of, macro_f1
from songprint.evaluate.metrics import Labels, accuracy
from songprint.evaluate.probe import artist_folds
from songprint.evaluate.results import HeadScore
from songprint.genre.head import GenreHead
from songprint.genre.taxonomy import NOT_MUSIC

if TYPE_CHECKING:
    from songprint.learn.heads import Labelled

OUTER_FOLDS = 5
_SIMULATIONS = 500


def check_head(
    data: Labelled, held_out_artists: frozenset[str], tell: Callable[[str], None]
) -> list[HeadScore]:
    """Fit heads without some artists and measure them there.

    Parameters
    ----------
    data : Labelled
        Every labelled song and everything that is not music.
    held_out_artists : frozenset of str
        Artists whose audio the encoder never heard; they are also reported alone.
    tell : callable
        Told of progress.

    Returns
    -------
    list of HeadScore
        Emotify, GTZAN's validation clips, both, and Emotify's held-out artists, as far as `data`
        holds them.
    """
    from songprint.learn.heads import fit

    songs = data.labels != NOT_MUSIC
    folded = np.flatnonzero(songs & (data.sources == "emotify"))
    valid = np.flatnonzero(songs & data.held_out)
    parts: list[NDArray[np.intp]] = [valid] if len(valid) else []
    if len(folded):
        folds = artist_folds(data.labels[folded], data.groups[folded], OUTER_FOLDS)
        parts += [folded[test] for _, test in folds]

    called = np.array(data.labels, dtype=object)
    confidence = np.zeros(len(data.labels))
    sure = np.zeros(len(data.labels), bool)
    for number, part in enumerate(parts):
        tell(f"fitting genre head {number + 1} of {len(parts)}")
        kept = np.ones(len(data.labels), bool)
        kept[part] = False
        kept[valid] = False  # in every fold, since temperatures are fitted on these clips
        head, _ = fit(_rows(data, kept), "evaluation")
        called[part], confidence[part], sure[part] = judge_all(
            head, data.embeddings[part], data.windows[part]
        )

    called = np.array([str(name) for name in called])
    unheard = folded[np.isin(data.groups[folded], sorted(held_out_artists))]
    sets = {
        "Emotify, unseen artists": folded,
        "GTZAN valid": valid,
        "Emotify and GTZAN valid": np.concatenate([folded, valid])
        if len(folded) and len(valid)
        else folded[:0],
        "Emotify, artists that the encoder never heard either": unheard,
    }
    return [
        score_head(
            title, data.labels[rows], called[rows], confidence[rows], sure[rows], data.groups[rows]
        )
        for title, rows in sets.items()
        if len(rows)
    ]


def judge_all(
    head: GenreHead, embeddings: NDArray[np.float32], windows: NDArray[np.intp]
) -> tuple[Labels, NDArray[np.float64], NDArray[np.bool_]]:
    """Return the most probable genre of each row [shape=(n, d)], its probability, and sureness.

    `windows` [shape=(n,)] says how many windows of each were heard.
    """
    verdicts = [head.judge(row, int(n)) for row, n in zip(embeddings, windows, strict=True)]
    best = [int(verdict.probabilities.argmax()) for verdict in verdicts]
    return (
        np.array([head.genres[i] for i in best]),
        np.array([v.probabilities[i] for v, i in zip(verdicts, best, strict=True)]),
        np.array([not verdict.unsure for verdict in verdicts]),
    )


def score_head(
    title: str,
    truth: Labels,
    called: Labels,
    confidence: NDArray[np.float64],
    sure: NDArray[np.bool_],
    groups: Labels | None = None,
) -> HeadScore:
    """Score what a head said of songs, [shape=(n,)] each; `groups` are their artists."""
    right = truth == called
    genres = genres_of(truth, called)
    matrix = confusion_matrix(truth, called, genres)
    return HeadScore(
        title,
        accuracy(truth, called, groups),
        macro_f1(truth, called),
        expected_calibration_error(confidence, right),
        ece_by_chance(confidence),
        select(right, sure, groups),
        tuple(reliability_table(confidence, right, groups=groups)),
        tuple(genre_scores(truth, called, groups)),
        genres,
        tuple(tuple(int(n) for n in row) for row in matrix),
    )


def ece_by_chance(confidence: NDArray[np.float64], seed: int = 0) -> float:
    """Return the mean calibration error of a perfectly calibrated head with these confidences.

    Bins of few songs scatter about their confidence, so the error of few songs is never 0; this is
    what to compare it with.
    """
    rng = np.random.default_rng(seed)
    draws = rng.random((_SIMULATIONS, len(confidence))) < confidence
    return float(np.mean([expected_calibration_error(confidence, draw) for draw in draws]))


def _rows(data: Labelled, kept: NDArray[np.bool_]) -> Labelled:
    return replace(
        data,
        embeddings=data.embeddings[kept],
        labels=data.labels[kept],
        groups=data.groups[kept],
        sources=data.sources[kept],
        held_out=data.held_out[kept],
        windows=data.windows[kept],
    )
