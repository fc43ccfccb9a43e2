"""The neural fingerprint of recordings: pairs are drawn alike, training learns and resumes."""

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from songprint.audio.mel import SAMPLE_RATE_HZ, log_mel
from songprint.errors import UsageError
from songprint.learn.identity import (
    WINDOW_FRAMES,
    WINDOW_SAMPLES,
    IdentityConfig,
    IdentityNetwork,
    IdentityTrainer,
    Pairs,
    Places,
    contrast,
    export,
)

CPU = torch.device("cpu")
TINY = IdentityConfig(
    steps=30,
    warmup_steps=3,
    cooling_steps=5,
    pairs=8,
    remembered=16,
    stem=8,
    stages=((16, 1),),
    size=32,
)


def melody(rng):
    """Return five seconds of notes of a tenth of a second."""
    hz = np.repeat(rng.uniform(100, 4000, 50), SAMPLE_RATE_HZ // 10)
    samples = 0.3 * np.sin(2 * np.pi * np.cumsum(hz) / SAMPLE_RATE_HZ)
    return (32767 * samples).astype(np.int16)


@pytest.fixture(scope="module")
def places():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(2 * WINDOW_SAMPLES).astype(np.float32)
    room = (rng.standard_normal(4000) * np.exp(-np.arange(4000) / 800)).astype(np.float32)
    return Places([noise], [room])


@pytest.fixture(scope="module")
def pairs(places):
    rng = np.random.default_rng(0)
    return Pairs([melody(rng) for _ in range(12)], places, seed=3)


def test_a_step_has_the_same_pairs_whenever_it_comes(pairs):
    first = pairs.batch(5, 8)
    pairs.batch(2, 8)
    for again, before in zip(pairs.batch(5, 8), first, strict=True):
        assert again.shape == (8, WINDOW_FRAMES, 96)
        assert torch.equal(again, before)


def test_all_songs_have_a_turn_before_one_has_another():
    quiet = Places([np.ones(2 * WINDOW_SAMPLES, np.float32)], [np.ones(1, np.float32)])
    tones = [np.full(5 * SAMPLE_RATE_HZ, 0.1 * (n + 1), np.float32) for n in range(8)]
    clean, _ = Pairs(tones, quiet, seed=0).batch(0, 8)
    assert len(np.unique(clean[:, 30, 0].numpy().round(3))) == 8


def test_a_spoiled_window_still_has_what_sounds(places):
    rng = np.random.default_rng(2)
    song = melody(rng).astype(np.float32) / 32768
    samples = song[: SAMPLE_RATE_HZ + WINDOW_SAMPLES]
    clean = log_mel(samples[SAMPLE_RATE_HZ:])
    alike = [
        np.corrcoef(clean.ravel(), log_mel(places.spoil(samples, rng)).ravel())[0, 1]
        for _ in range(20)
    ]
    assert min(alike) > 0.1
    assert max(alike) < 0.999


def test_pairs_that_are_alike_cost_less():
    prints = torch.eye(8)
    nothing = torch.empty(0, 8)
    matched = contrast(prints, prints, nothing, 0.1)
    crossed = contrast(prints, prints.roll(1, 0), nothing, 0.1)
    assert matched < 0.01 < crossed
    assert contrast(prints, prints, prints, 0.1) > matched


def test_training_learns_to_find_a_window_again(pairs, tmp_path):
    # With so few songs a remembered window is often one that should be found.
    config = replace(TINY, steps=60, remembered=0)
    IdentityTrainer(config, pairs, tmp_path, CPU).run(every=20)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [20, 40, 60]
    assert lines[-1]["loss"] < 0.8 * lines[0]["loss"]


def test_an_interrupted_run_ends_as_an_undisturbed_one(pairs, tmp_path, monkeypatch):
    config = replace(TINY, steps=8)
    whole = IdentityTrainer(config, pairs, tmp_path / "whole", CPU).run(every=4)
    broken = IdentityTrainer(config, pairs, tmp_path / "broken", CPU)
    monkeypatch.setattr(broken, "_log", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        broken.run(every=4)
    resumed = IdentityTrainer(config, pairs, tmp_path / "broken", CPU)
    assert resumed.step == 4
    ends = resumed.run(every=4).state_dict()
    for name, value in whole.state_dict().items():
        assert torch.equal(value, ends[name]), name


def test_no_more_windows_are_remembered_than_asked_for(pairs, tmp_path):
    for remembered in (0, 10):
        config = replace(TINY, steps=3, remembered=remembered)
        trainer = IdentityTrainer(config, pairs, tmp_path / str(remembered), CPU)
        trainer.run()
        assert len(trainer.memory) == remembered


def test_a_folder_of_another_run_is_refused(pairs, tmp_path):
    IdentityTrainer(TINY, pairs, tmp_path, CPU)
    with pytest.raises(UsageError, match="another configuration"):
        IdentityTrainer(replace(TINY, steps=31), pairs, tmp_path, CPU)


def test_level_is_not_heard():
    torch.manual_seed(0)
    network = IdentityNetwork(TINY).eval()
    rng = np.random.default_rng(4)
    samples = melody(rng)[:WINDOW_SAMPLES].astype(np.float32) / 32768
    with torch.inference_mode():
        loud, soft = network(
            torch.from_numpy(np.stack([log_mel(samples), log_mel(samples * np.float32(0.1))]))
        )
    assert float(loud @ soft) > 0.999


def test_the_export_is_the_network(tmp_path):
    torch.manual_seed(0)
    network = IdentityNetwork(TINY).eval()
    export(network, tmp_path / "identity.onnx")
    windows = torch.rand(5, WINDOW_FRAMES, 96) * 4
    session = onnxruntime.InferenceSession(tmp_path / "identity.onnx")
    prints = session.run(None, {"windows": windows.numpy()})[0]
    with torch.inference_mode():
        np.testing.assert_allclose(prints, network(windows).numpy(), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(prints, axis=1), 1, atol=1e-5)
