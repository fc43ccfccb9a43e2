"""How good songprint is on a data set of the user's: the genre head as it is, and a probe.

The probe is trained on the data set's own labels, by its official split where it has one, else in
folds that share no artist. The leak check runs over the same split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from songprint.audio.peaks import Peaks
from songprint.evaluate.head_check import score_head
from songprint.evaluate.intervals import bootstrap_mean
from songprint.evaluate.leaks import (
    Item,
    LeakReport,
    find_leaks,
    find_leaks_across,
    normalised_artist,
)
from songprint.evaluate.metrics import Labels
from songprint.evaluate.probe import artist_folds, fit_probe
from songprint.evaluate.results import HeadScore, Retrieval
from songprint.evaluate.retrieval import (
    average_precision,
    cosine_similarity,
    hub_skew,
    k_occurrence,
    precision_at_k,
    share_never_reached,
)
from songprint.fingerprints import Fingerprint

MOST_FOLDS = 10
FEWEST_SONGS = 20
FEWEST_ARTISTS = 3
NEIGHBOURS = 10

TAUGHT_ON = (
    "the shipped genre head was taught on Emotify and on GTZAN's training and validation clips: on "
    "those songs its score would be a memory"
)
NO_SKLEARN = "the probe needs scikit-learn: pip install 'songprint[train]'"


@dataclass(frozen=True, eq=False)
class Measured:
    """A labelled song and its fingerprint; `artist` and `split` are empty where unknown."""

    name: str
    label: str
    artist: str
    split: str
    fingerprint: Fingerprint
    peaks: Peaks | None = None


@dataclass(frozen=True)
class DatasetReport:
    """What was found on a data set.

    Attributes
    ----------
    dataset : str
        Its name.
    model : str
        The model version.
    songs : int
        How many were heard.
    genres : mapping of str to int
        Songs of each label, most first.
    artists_known : bool
        Whether every song names an artist.
    split : str
        How training and test songs were kept apart.
    head, probe : HeadScore or None
        The shipped genre head on the songs whose label it knows (of the test part, if there is an
        official split), and the probe on its test songs; None where a note says why.
    neighbours : Retrieval or None
        Neighbourhoods among all songs.
    leaks : LeakReport or None
        Of the probe's split.
    notes : tuple of str
        What could not be measured, and what flatters.
    """

    dataset: str
    model: str
    songs: int
    genres: Mapping[str, int]
    artists_known: bool
    split: str
    head: HeadScore | None
    probe: HeadScore | None
    neighbours: Retrieval | None
    leaks: LeakReport | None
    notes: tuple[str, ...]


Split = tuple[NDArray[np.intp], NDArray[np.intp]]


def evaluate_songs(dataset: str, songs: Sequence[Measured]) -> DatasetReport:
    """Measure songprint on labelled songs.

    Parameters
    ----------
    dataset : str
        What they are called.
    songs : sequence of Measured
        At least one, all heard by the shipped model.

    Raises
    ------
    ValueError
        If there is no song.
    """
    if not songs:
        raise ValueError("no song to measure")
    labels = np.array([song.label for song in songs])
    artists = np.array([normalised_artist(song.artist) for song in songs])
    artists_known = bool((artists != "").all())
    groups = np.array([name or f"\0{i}" for i, name in enumerate(artists)])
    embeddings = np.stack([song.fingerprint.embedding for song in songs])
    notes: list[str] = []
    if not artists_known:
        missing = int((artists == "").sum())
        notes.append(
            f"{missing} of {len(songs)} songs name no artist, so songs of one artist may be on "
            "both sides of the split, which flatters the probe"
        )
    splits, split, parts = _split(songs, labels, groups, notes)
    return DatasetReport(
        dataset,
        songs[0].fingerprint.model,
        len(songs),
        dict(Counter(labels.tolist()).most_common()),
        artists_known,
        split,
        _head(songs, labels, groups, _judged(parts), notes),
        _probe(embeddings, labels, groups, splits, notes),
        _neighbours(embeddings, labels, groups),
        _leaks(songs, parts),
        tuple(notes),
    )


def _split(
    songs: Sequence[Measured], labels: Labels, groups: Labels, notes: list[str]
) -> tuple[list[Split], str, list[str]]:
    """Return the splits, how they were made, and the part that each song is in ("": none)."""
    names = {song.split for song in songs}
    test = "test" if "test" in names else "valid"
    if "train" in names and test in names:
        parts = [song.split if song.split in ("train", test) else "" for song in songs]
        column = np.array(parts)
        split = np.flatnonzero(column == "train"), np.flatnonzero(column == test)
        return [split], f"the official split: {len(split[0])} train, {len(split[1])} {test}", parts
    artists = {name: len(np.unique(groups[labels == name])) for name in np.unique(labels).tolist()}
    few = [name for name, count in artists.items() if count < FEWEST_ARTISTS]
    rows = np.flatnonzero(~np.isin(labels, few))
    if len(artists) - len(few) < 2 or len(rows) < FEWEST_SONGS:
        notes.append(
            f"too little for a probe: it takes {FEWEST_SONGS} songs, two genres, and "
            f"{FEWEST_ARTISTS} artists of each"
        )
        return [], "none", ["all"] * len(songs)
    if few:
        notes.append(f"the probe leaves out {', '.join(few)}: fewer than {FEWEST_ARTISTS} artists")
    if find_spec("sklearn") is None:
        return [], "none", ["all"] * len(songs)
    folds = min(MOST_FOLDS, *(count for name, count in artists.items() if name not in few))
    within = artist_folds(labels[rows], groups[rows], folds)
    splits = [(rows[train], rows[test]) for train, test in within]
    parts = [""] * len(songs)
    for number, (_, fold) in enumerate(splits):
        for row in fold:
            parts[row] = f"fold {number + 1}"
    return splits, f"{folds} folds that share no artist, as far as artists are known", parts


def _judged(parts: Sequence[str]) -> NDArray[np.bool_]:
    """Tell which songs the head is judged on: those of the test part, or all."""
    column = np.array(parts)
    if "train" not in parts:
        return np.ones(len(parts), bool)
    judged: NDArray[np.bool_] = ~np.isin(column, ["train", ""])
    return judged


def _head(
    songs: Sequence[Measured],
    labels: Labels,
    groups: Labels,
    judged: NDArray[np.bool_],
    notes: list[str],
) -> HeadScore | None:
    """Score what the fingerprints themselves say, as `songprint classify` shows it."""
    genres = [genre.name for genre in songs[0].fingerprint.genres]
    known = np.isin(labels, genres) & judged
    outside = judged & ~known
    if outside.any():
        names = ", ".join(sorted(set(labels[outside].tolist())))
        notes.append(
            f"the genre head has no {names}: {int(outside.sum())} songs were left out of its score"
        )
    if not known.any():
        return None
    notes.append(TAUGHT_ON)
    heard = [song.fingerprint for song, named in zip(songs, known, strict=True) if named]
    called = np.array([fingerprint.genres[0].name for fingerprint in heard])
    confidence = np.array([fingerprint.genres[0].p for fingerprint in heard])
    sure = np.array([not fingerprint.unsure for fingerprint in heard])
    title = "genre head, as shipped"
    return score_head(title, labels[known], called, confidence, sure, groups[known])


def _probe(
    embeddings: NDArray[np.float32],
    labels: Labels,
    groups: Labels,
    splits: Sequence[Split],
    notes: list[str],
) -> HeadScore | None:
    if find_spec("sklearn") is None:
        notes.append(NO_SKLEARN)
        return None
    called = np.array(labels, dtype=object)
    confidence = np.zeros(len(labels))
    tested = np.zeros(len(labels), bool)
    for train, test in splits:
        if len(np.unique(labels[train])) < 2:
            notes.append("too little for a probe: a single genre to train on")
            return None
        probe = fit_probe(embeddings[train], labels[train], groups[train])
        probabilities = probe.predict_proba(embeddings[test])
        called[test] = probe.classes_[probabilities.argmax(axis=1)]
        confidence[test] = probabilities.max(axis=1)
        tested[test] = True
    if not tested.any():
        return None
    names = np.array([str(name) for name in called[tested]])
    sure = np.ones(int(tested.sum()), bool)
    title = "probe of the embedding"
    return score_head(title, labels[tested], names, confidence[tested], sure, groups[tested])


def _neighbours(
    embeddings: NDArray[np.float32], labels: Labels, groups: Labels
) -> Retrieval | None:
    if len(np.unique(groups)) < 2:
        return None
    similarity = cosine_similarity(embeddings)
    others = average_precision(similarity, labels, groups)
    if not np.isfinite(others).any():
        return None
    everybody = k_occurrence(similarity, NEIGHBOURS)
    filtered = k_occurrence(similarity, NEIGHBOURS, groups)
    return Retrieval(
        "songprint",
        bootstrap_mean(precision_at_k(similarity, labels, NEIGHBOURS, groups), groups),
        float(np.nanmean(precision_at_k(similarity, labels, NEIGHBOURS))),
        bootstrap_mean(others, groups),
        float(np.nanmean(average_precision(similarity, labels))),
        hub_skew(everybody),
        share_never_reached(everybody),
        hub_skew(filtered),
        share_never_reached(filtered),
    )


def _leaks(songs: Sequence[Measured], parts: Sequence[str]) -> LeakReport | None:
    items = [as_item(song) for song in songs]
    if "train" in parts:
        train = [item for item, part in zip(items, parts, strict=True) if part == "train"]
        test = [item for item, part in zip(items, parts, strict=True) if part not in ("", "train")]
        return find_leaks(train, test)
    used = [(part, item) for part, item in zip(parts, items, strict=True) if part]
    return find_leaks_across(*zip(*used, strict=True)) if len(used) > 1 else None


def as_item(song: Measured) -> Item:
    """Return what the leak check wants to know of a song: level and genres are its course."""
    fingerprint = song.fingerprint
    course = None
    if fingerprint.timeline:
        names = sorted(genre.name for genre in fingerprint.timeline[0].genres)
        rows = []
        for segment in fingerprint.timeline:
            genres = {genre.name: genre.p for genre in segment.genres}
            logs = [np.log10(genres.get(name, 0.0) + 1e-3) for name in names]
            rows.append([segment.level_dbfs / 10, *logs])
        course = np.array(rows)
    return Item(
        song.name,
        fingerprint.embedding,
        fingerprint.content_hash,
        song.artist,
        course=course,
        peaks=song.peaks,
    )
