"""Fine-tuning learns, stays near, and is kept only where held-out artists gain by it."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from songprint.learn.finetune import (
    Comparison,
    FinetuneConfig,
    Finetuner,
    gather,
    song_windows,
)
from support.encoders import tiny_encoder

QUICK = FinetuneConfig(epochs=3, batch_windows=8, learning_rate=5e-5)


@pytest.fixture(scope="module")
def windows():
    """Two sounds that flicker at different speeds, of three artists each, at any loudness."""
    rng = np.random.default_rng(0)
    parts, labels, artists = [], [], []
    for label, period in (("quick", 6), ("slow", 40)):
        for artist in range(3):
            for _ in range(4):
                level = rng.uniform(40, 120)
                beat = np.sin(2 * np.pi * np.arange(187) / period + rng.uniform(0, 6)) > 0
                frames = level * (0.6 + 0.4 * beat)[None, :, None] * rng.uniform(0, 1, (3, 187, 96))
                parts.append(frames.astype(np.uint8))
                labels.append(label)
                artists.append(f"{label} {artist}")
    return gather(parts, np.array(labels), np.array(artists))


def spread(examples):
    """How much nearer to each other are songs of one label than of two?"""
    cosines = examples.embeddings @ examples.embeddings.T
    same = examples.labels[:, None] == examples.labels[None]
    return cosines[same].mean() - cosines[~same].mean()


def test_it_learns_and_stays_near(windows):
    epochs = []
    tuner = Finetuner(tiny_encoder(), windows, QUICK, lambda: epochs.append(1))
    before = {k: v.clone() for k, v in tuner.encoder.state_dict().items()}
    tuned = tuner.finetune(np.ones(len(windows.labels), bool))
    assert len(epochs) == QUICK.epochs
    moved = tuner.embed(tuned)
    assert spread(moved) > spread(tuner.frozen)
    assert (moved.embeddings * tuner.frozen.embeddings).sum(axis=1).mean() > 0.9
    for name, value in tuner.encoder.state_dict().items():  # the original stays as it was
        torch.testing.assert_close(value, before[name])


def test_the_penalty_keeps_it_nearer(windows):
    everything = np.ones(len(windows.labels), bool)

    def nearness(weight):
        tuner = Finetuner(tiny_encoder(), windows, replace(QUICK, nearness_weight=weight))
        tuned = tuner.embed(tuner.finetune(everything))
        return (tuned.embeddings * tuner.frozen.embeddings).sum(axis=1).mean()

    assert nearness(20) > nearness(0)


def test_songs_that_are_held_out_have_no_say(windows):
    learnt_from = np.array([not artist.endswith("2") for artist in windows.artists])
    other = windows.windows.copy()
    other[~learnt_from[windows.songs]] = 7
    a, b = (
        Finetuner(tiny_encoder(), w, QUICK).finetune(learnt_from)
        for w in (windows, replace(windows, windows=other))
    )
    for ours, theirs in zip(a.state_dict().values(), b.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_both_are_measured_on_every_song_and_one_is_kept(windows):
    tuner = Finetuner(tiny_encoder(), windows, QUICK)
    assert tuner.runs == 3
    assert tuner.estimate_seconds() > 0
    result = tuner.compare()
    for probabilities in (result.frozen, result.finetuned):
        assert probabilities.shape == (24, 2)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert result.nearness > 0.9
    finetuned, frozen = result.right
    assert result.kept == (finetuned.sum() > frozen.sum())


def test_without_learning_it_is_declined(windows):
    still = replace(QUICK, epochs=1, learning_rate=0.0, head_rate=0.0)
    result = Finetuner(tiny_encoder(), windows, still).compare()
    np.testing.assert_allclose(result.finetuned, result.frozen, atol=1e-9)
    assert result.nearness == pytest.approx(1)
    assert not result.kept


@pytest.mark.parametrize(("nearness", "kept"), [(0.95, True), (0.85, False)])
def test_it_is_kept_only_if_kin_stay_kin(nearness, kept):
    right, truth = np.eye(2), np.array([0, 1])
    result = Comparison(right[::-1], right, truth, nearness, 0.01)
    assert [right.sum() for right in result.right] == [2, 0]
    assert result.kept == kept


def test_windows_are_spread_over_the_song(tmp_path):
    rate = 16_000
    noise = np.random.default_rng(0).standard_normal(30 * rate) * 0.1
    soundfile.write(tmp_path / "song.wav", noise * np.linspace(0, 1, len(noise)), rate)
    few, all_of_it = song_windows(tmp_path / "song.wav", 3), song_windows(tmp_path / "song.wav")
    assert few.shape == (3, 187, 96)
    assert len(all_of_it) == 10
    np.testing.assert_array_equal(few[[0, -1]], all_of_it[[0, -1]])
    short = noise[: 2 * rate]
    soundfile.write(tmp_path / "short.wav", short, rate)
    assert len(song_windows(tmp_path / "short.wav")) == 1
