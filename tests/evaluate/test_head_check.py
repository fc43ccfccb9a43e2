"""The genre head is measured on artists that it was not fitted on."""

import numpy as np
import pytest

pytest.importorskip("torch")

from songprint.evaluate.head_check import check_head, judge_all
from songprint.genre.head import GenreHead
from songprint.genre.taxonomy import NOT_MUSIC
from songprint.learn.heads import Labelled


def labelled():
    """Songs of two genres, and noise, each with its own direction."""
    rng = np.random.default_rng(0)
    kinds = ["jazz", "rock", NOT_MUSIC]
    rows = []
    for i in range(180):
        kind = i % 3
        embedding = np.eye(3)[kind] + 0.3 * rng.normal(size=3)
        source = "negatives" if kind == 2 else ("gtzan" if i % 5 == 0 else "emotify")
        held_out = source == "gtzan" and i % 2 == 0
        rows.append((embedding, kinds[kind], f"artist {i // 6}-{kind}", source, held_out))
    embeddings, labels, groups, sources, held_out = zip(*rows, strict=True)
    return Labelled(
        np.stack(embeddings).astype(np.float32),
        np.array(labels),
        np.array(groups),
        np.array(sources),
        np.array(held_out),
        np.full(len(labels), 20),
    )


def test_every_song_is_judged_once_by_a_head_that_does_not_know_its_artist():
    data = labelled()
    told = []
    unheard = frozenset({"artist 0-0", "artist 1-1"})
    scores = {score.title: score for score in check_head(data, unheard, told.append)}
    folded = int(((data.sources == "emotify") & (data.labels != NOT_MUSIC)).sum())
    valid = int((data.held_out & (data.labels != NOT_MUSIC)).sum())
    assert scores["Emotify, unseen artists"].accuracy.trials == folded
    assert scores["GTZAN valid"].accuracy.trials == valid
    assert scores["Emotify and GTZAN valid"].accuracy.trials == folded + valid
    assert scores["Emotify and GTZAN valid"].accuracy.value > 0.85
    assert scores["Emotify and GTZAN valid"].ece < 0.15
    assert len(scores) == 4
    assert told


def test_a_verdict_is_told_song_by_song():
    head = GenreHead(("jazz", "rock", NOT_MUSIC), np.eye(3), np.zeros(3), 1.0, 0.5, "sha")
    embeddings = np.array([[9, 0, 0], [0, 9, 0], [1, 0.9, 9]], np.float32)
    called, confidence, sure = judge_all(head, embeddings, np.array([1, 2, 3]))
    assert called.tolist() == ["jazz", "rock", "jazz"]
    assert sure.tolist() == [True, True, False]
    assert confidence[0] > 0.99
