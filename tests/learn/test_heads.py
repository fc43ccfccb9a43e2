"""The head is fitted on some songs, and calibrated and reported on others."""

import numpy as np
import pytest

from songprint.genre.taxonomy import GENRES, NOT_MUSIC
from songprint.learn.heads import Labelled, fit
from songprint.learn.negatives import CLIP_SECONDS, synthetic_clips


def labelled(spread, seed=0):
    """Songs around one direction a genre; a third are held out."""
    rng = np.random.default_rng(seed)
    classes = [*GENRES, NOT_MUSIC]
    centres = np.eye(32)[: len(classes)]
    labels = np.repeat(classes, 30)
    embeddings = np.repeat(centres, 30, axis=0) + spread * rng.standard_normal((len(labels), 32))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    number = np.arange(len(labels))
    held_out = (number % 3 == 0) & (labels != NOT_MUSIC)
    groups = np.array([f"artist {n // 2}" for n in number])
    sources = np.where(held_out, "gtzan", "emotify")
    windows = np.full(len(labels), 20)
    return Labelled(embeddings.astype(np.float32), labels, groups, sources, held_out, windows)


def test_what_can_be_told_apart_is_told_apart():
    data = labelled(0.1)
    head, report = fit(data, "sha")
    assert head.genres == GENRES
    right = [
        head.genres[head.judge(e).probabilities.argmax()] == label
        for e, label in zip(data.embeddings, data.labels, strict=True)
        if label != NOT_MUSIC
    ]
    assert np.mean(right) > 0.97
    assert head.encoder_sha256 == "sha"
    assert report["not_music_found"] == "30 of 30"


def test_confidence_is_what_the_held_out_songs_bear_out():
    _, report = fit(labelled(0.35), "sha")
    assert report["held_out_songs"] == 330
    assert report["held_out_ece"] < 0.08


def test_hard_genres_are_called_unsure():
    _, easy = fit(labelled(0.1), "sha")
    _, hard = fit(labelled(0.5), "sha")
    assert easy["called_sure"] > 0.95
    assert hard["called_sure"] < easy["called_sure"]


def test_synthetic_sounds_are_nine_seconds_within_full_scale():
    clips = list(synthetic_clips(3, seed=0))
    assert {clip.kind for clip in clips} == {"noise", "tone", "clicks", "silence"}
    for clip in clips:
        assert clip.samples.dtype == np.float32
        assert len(clip.samples) == CLIP_SECONDS * 16_000
        assert np.abs(clip.samples).max() <= 1


@pytest.mark.parametrize("seed", [0, 1])
def test_synthetic_sounds_are_reproducible(seed):
    first, second = (list(synthetic_clips(1, seed)) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.samples, b.samples)


def test_short_songs_that_are_often_wrong_are_less_sure():
    """What is heard of half of the songs is short, and says little of them."""
    clear, vague = labelled(0.05, seed=1), labelled(0.35, seed=2)
    data = Labelled(
        *(
            np.concatenate([getattr(clear, name), getattr(vague, name)])
            for name in ("embeddings", "labels", "groups", "sources", "held_out")
        ),
        np.repeat([20, 1], len(clear.labels)),
    )
    head, report = fit(data, "sha")
    assert report["brevity"] > 0.1
    embedding = clear.embeddings[0]
    short, long = (head.judge(embedding, n).probabilities.max() for n in (1, 20))
    assert short < long
