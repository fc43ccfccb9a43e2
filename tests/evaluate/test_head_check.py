"""The genre head is measured on artists that it was not fitted on."""

import numpy as np
import pytest

pytest.importorskip("torch")

from songprint.evaluate.head_check import check_head, judge_all
from songprint.genre.head import GenreHead, Verdict
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


class Memory:
    """A head that knows by heart what it was fitted on, and is wrong on all else."""

    genres = ("jazz", "rock")

    def __init__(self, data, truth):
        assert not data.held_out.any()  # temperatures would be fitted on these
        self.truth = truth
        self.known = {
            row.tobytes(): label for row, label in zip(data.embeddings, data.labels, strict=True)
        }

    def judge(self, embedding, _windows):
        called = self.known.get(embedding.tobytes(), "")
        wrong = {"jazz": "rock", "rock": "jazz"}[self.truth[embedding.tobytes()]]
        return Verdict(np.array([g == (called or wrong) for g in self.genres], float), 1.0, False)


def test_a_head_that_learns_by_heart_tells_nothing_right(monkeypatch):
    data = labelled()
    truth = {row.tobytes(): label for row, label in zip(data.embeddings, data.labels, strict=True)}
    monkeypatch.setattr("songprint.learn.heads.fit", lambda data, _: (Memory(data, truth), {}))
    for score in check_head(data, frozenset(), lambda _: None):
        assert score.accuracy.successes == 0, score.title


def test_a_verdict_is_told_song_by_song():
    head = GenreHead(("jazz", "rock", NOT_MUSIC), np.eye(3), np.zeros(3), 1.0, 0.5, "sha")
    embeddings = np.array([[9, 0, 0], [0, 9, 0], [1, 0.9, 9]], np.float32)
    called, confidence, sure = judge_all(head, embeddings, np.array([1, 2, 3]))
    assert called.tolist() == ["jazz", "rock", "jazz"]
    assert sure.tolist() == [True, True, False]
    assert confidence[0] > 0.99
