"""Fitting the genre head: strength, temperature and threshold by songs that it did not see.

The regression's strength is chosen by cross-validation over artists. Temperature and threshold come
from songs whose artists a regression did not see: GTZAN's validation clips, and the others out of
fold. GTZAN names no artists, but an artist's clips lie side by side (Sturm 2013 [1]_), so ten
neighbours count as one. The regression that ships then sees every song, validation clips included:
half of GTZAN's country and metal is among them. Its accuracy is that of regressions that saw fewer.

References
----------
.. [1] B. L. Sturm, "The GTZAN dataset: its contents, its faults, their effects on evaluation, and
       its future use", arXiv:1306.1461, 2013.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import log_mel
from songprint.encoder.inference import Encoder
from songprint.encoder.windows import cut_windows, pool_embeddings
from songprint.evaluate.calibration import expected_calibration_error
from songprint.evaluate.metrics import accuracy
from songprint.genre.head import GenreHead
from songprint.genre.taxonomy import GENRES, NOT_MUSIC, canonical_genre
from songprint.learn.corpus import Corpus, Song
from songprint.learn.negatives import Clip, speech_clips, synthetic_clips

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3)
SYNTHETIC_CLIPS = 40
NOISE_CLIPS = 120
"""Of the other synthetic kinds and of noise, which is of more kinds than they."""
SPEECH_CLIPS_PER_VOICE = 30
SURE_ACCURACY = 0.8
"""The threshold is the lowest at which this share of the held-out songs called sure is right."""


@dataclass(frozen=True)
class Labelled:
    """Song embeddings with labels.

    Attributes
    ----------
    embeddings : ndarray [shape=(n, 256)]
        One unit-length row a song.
    labels, groups, sources : ndarray [shape=(n,)]
        Class, artist (or kind of sound) and data set of each.
    held_out : ndarray [shape=(n,)]
        Songs that the measured regressions never see.
    windows : ndarray [shape=(n,)]
        How many windows of each were heard.
    """

    embeddings: NDArray[np.float32]
    labels: NDArray[np.str_]
    groups: NDArray[np.str_]
    sources: NDArray[np.str_]
    held_out: NDArray[np.bool_]
    windows: NDArray[np.intp]


def embed_song(encoder: Encoder, frames: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """Return the song embedding [shape=(256,)] of log-mel frames [shape=(n, 96)], of m windows."""
    batches = [encoder.encode(windows).embeddings for windows in cut_windows([frames])]
    embeddings = np.concatenate(batches)
    return pool_embeddings(embeddings), len(embeddings)


def _group(song: Song) -> str:
    """Return what must not lie on both sides: an artist or, of GTZAN, ten neighbouring clips."""
    if song.source != "gtzan":
        return song.artist
    genre, number = song.name.split(".")[:2]
    return f"gtzan {genre} {int(number) // 10}"


def gather(encoder: Encoder, corpus: Corpus, speech: Path | None) -> Labelled:
    """Embed every labelled song of the corpus and everything that is not music.

    Parameters
    ----------
    encoder : Encoder
        The encoder that the head will belong to.
    corpus : Corpus
        Songs; those whose genre is not in the taxonomy are left out.
    speech : Path, optional
        Recordings of speech, one folder a voice.
    """
    rows = []
    for song in corpus.songs:
        if (genre := canonical_genre(song.genre)) in GENRES:
            heard = embed_song(encoder, corpus.frames(song))
            rows.append((*heard, genre, _group(song), song.source, song.split == "valid"))
    clips: list[Clip] = [
        *synthetic_clips(NOISE_CLIPS, 1, "noise"),
        *synthetic_clips(SYNTHETIC_CLIPS, 1, "tone", "clicks", "silence"),
    ]
    if speech is not None:
        clips += speech_clips(speech, SPEECH_CLIPS_PER_VOICE, seed=1)
    rows += [
        (*embed_song(encoder, log_mel(clip.samples)), NOT_MUSIC, clip.group, clip.kind, False)
        for clip in clips
    ]
    embeddings, windows, labels, groups, sources, held_out = zip(*rows, strict=True)
    return Labelled(
        np.stack(embeddings),
        np.array(labels),
        np.array(groups),
        np.array(sources),
        np.array(held_out),
        np.array(windows),
    )


def fit(data: Labelled, encoder_sha256: str) -> tuple[GenreHead, dict[str, Any]]:
    """Fit the head.

    Parameters
    ----------
    data : Labelled
        What :func:`gather` returned.
    encoder_sha256 : str
        The encoder that made the embeddings.

    Returns
    -------
    head : GenreHead
        Calibrated, with its threshold.
    report : dict
        Held-out figures for the model card.
    """
    train = ~data.held_out
    embeddings, labels, groups = data.embeddings[train], data.labels[train], data.groups[train]
    classes = (*(name for name in GENRES if name in labels), NOT_MUSIC)
    strength = _best_strength(embeddings, labels, groups, classes)
    head = _regress(embeddings, labels, classes, strength, encoder_sha256)

    probabilities = np.empty((len(data.labels), len(classes)))
    probabilities[data.held_out] = head.class_probabilities(data.embeddings[data.held_out])
    probabilities[train] = _unseen(embeddings, labels, groups, classes, strength)
    truth = np.array([classes.index(name) for name in data.labels])

    music = data.labels != NOT_MUSIC
    temperature, brevity = _temperature(probabilities[music], truth[music], data.windows[music])
    calibrated = _soften(probabilities, temperature * (1 + brevity / data.windows))
    threshold, kept = _threshold(calibrated[music], truth[music])
    right = calibrated.argmax(1) == truth
    report = {
        "C": strength,
        "temperature": round(temperature, 3),
        "brevity": round(brevity, 3),
        "threshold": round(threshold, 3),
        "held_out_songs": int(music.sum()),
        "held_out_accuracy": str(accuracy(truth[music], calibrated.argmax(1)[music])),
        "held_out_ece": round(
            expected_calibration_error(calibrated.max(1)[music], right[music]), 3
        ),
        "called_sure": round(kept, 3),
        "not_music_found": _share(right[data.labels == NOT_MUSIC]),
        "music_called_not_music": _share(calibrated.argmax(1)[music] == classes.index(NOT_MUSIC)),
    }
    every = _regress(data.embeddings, data.labels, classes, strength, encoder_sha256)
    fitted = replace(every, temperature=temperature, brevity=brevity, threshold=threshold)
    return fitted, report


def _share(flags: NDArray[np.bool_]) -> str:
    return f"{int(flags.sum())} of {len(flags)}"


def _folds(embeddings: Any, labels: Any, groups: Any) -> Any:
    from sklearn.model_selection import StratifiedGroupKFold

    return StratifiedGroupKFold(8, shuffle=True, random_state=0).split(embeddings, labels, groups)


def _pipeline(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, max_iter=3000, class_weight="balanced")
    )


def _best_strength(embeddings: Any, labels: Any, groups: Any, classes: tuple[str, ...]) -> float:
    """Return the strength whose probabilities are best, by log loss, on artists not seen."""
    truth = np.array([classes.index(name) for name in labels])

    def loss(strength: float) -> float:
        unseen = _unseen(embeddings, labels, groups, classes, strength)
        return float(-np.log(np.maximum(unseen[np.arange(len(truth)), truth], 1e-12)).mean())

    return min(STRENGTHS, key=loss)


def _unseen(
    embeddings: Any, labels: Any, groups: Any, classes: tuple[str, ...], strength: float
) -> NDArray[np.float64]:
    """Return the classes' probabilities [shape=(n, C)] for each song, its artist left out."""
    probabilities = np.empty((len(labels), len(classes)))
    for fold, test in _folds(embeddings, labels, groups):
        part = _regress(embeddings[fold], labels[fold], classes, strength, "")
        probabilities[test] = part.class_probabilities(embeddings[test])
    return probabilities


def _regress(
    embeddings: Any, labels: Any, classes: tuple[str, ...], strength: float, sha256: str
) -> GenreHead:
    """Fit the regression and fold its standardisation into its weights."""
    scaler, regression = (step for _, step in _pipeline(strength).fit(embeddings, labels).steps)
    weights = (regression.coef_ / scaler.scale_).T
    bias = regression.intercept_ - scaler.mean_ @ weights
    order = [list(regression.classes_).index(name) for name in classes]
    return GenreHead(classes, weights[:, order], bias[order], 1.0, 0.0, sha256)


def _soften(
    probabilities: NDArray[np.float64], temperature: NDArray[np.float64]
) -> NDArray[np.float64]:
    powered = np.maximum(probabilities, 1e-12) ** (1 / temperature[:, None])
    softened: NDArray[np.float64] = powered / powered.sum(axis=1, keepdims=True)
    return softened


def _temperature(
    probabilities: NDArray[np.float64], truth: NDArray[np.intp], windows: NDArray[np.intp]
) -> tuple[float, float]:
    """Return the temperature of long songs, and brevity, that make the truth most probable."""
    from scipy.optimize import minimize

    def loss(parameters: NDArray[np.float64]) -> float:
        temperature = np.exp(parameters[0]) * (1 + parameters[1] / windows)
        softened = _soften(probabilities, temperature)
        return float(-np.log(softened[np.arange(len(truth)), truth]).mean())

    found = minimize(loss, [0.0, 0.5], method="L-BFGS-B", bounds=[(-2, 2), (0, 10)])
    return float(np.exp(found.x[0])), float(found.x[1])


def _threshold(probabilities: NDArray[np.float64], truth: NDArray[np.intp]) -> tuple[float, float]:
    """Return the lowest threshold whose sure songs are right often enough, and how many pass."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    for threshold in np.arange(0.2, 0.95, 0.01):
        sure = confidence >= threshold
        if sure.any() and right[sure].mean() >= SURE_ACCURACY:
            return float(threshold), float(sure.mean())
    return 0.95, float((confidence >= 0.95).mean())
