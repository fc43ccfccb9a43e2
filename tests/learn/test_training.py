"""Training: shards are reproducible, a run resumes exactly, and the export is the network."""

import json

import numpy as np
import pytest
import torch

from songprint.encoder.inference import Encoder as OnnxEncoder
from songprint.errors import UsageError
from songprint.learn.distil import Shard
from songprint.learn.export import TAG_NAMES, export_encoder, quantise
from songprint.learn.networks import NetworkConfig, count_macs
from songprint.learn.student import Distillation, Encoder
from songprint.learn.teacher import FEATURES, MusiCNN
from songprint.learn.train import TrainConfig, Trainer, perturb
from support.musicnn import random_weights

TINY = NetworkConfig(4, ((8, 1, 1, 2, 2, True), (8, 1, 2, 2, 2, False)), 16, ((8, 3),))
CPU = torch.device("cpu")


def config(steps):
    return TrainConfig(cycles=(steps,), warmup_steps=2, batch_windows=8, network=TINY)


@pytest.fixture(scope="module")
def teachers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teachers")
    for seed in range(2):
        np.savez(folder / f"{seed}.npz", **random_weights(seed))
    return [MusiCNN(folder / f"{seed}.npz") for seed in range(2)]


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Three batches of windows whose teachers say how loud they are."""
    folder = tmp_path_factory.mktemp("shards")
    rng = np.random.default_rng(0)
    level = rng.uniform(0.2, 1, 24)
    windows = (level[:, None, None] * rng.uniform(0, 140, (24, 187, 96))).astype(np.uint8)
    features = np.multiply.outer(2 * level - 1.2, rng.standard_normal((4, 2, 2, FEATURES)))
    Shard(windows, features.astype(np.float16), np.zeros(24, np.int32)).save(folder / "00000.npz")
    return folder


def test_a_shard_is_read_as_it_was_written(shards):
    shard = Shard.load(shards / "00000.npz")
    assert shard.windows.shape == (24, 187, 96)
    assert shard.features.dtype == np.float16
    assert not list(shards.glob("*.partial"))


def test_targets_are_what_the_teachers_say_of_the_window(teachers):
    windows = torch.rand(3, 187, 96, generator=torch.Generator().manual_seed(1)) * 4
    segments = torch.stack([teacher.segments(windows) for teacher in teachers], 2)
    hidden = Distillation(TINY, teachers).targets(segments)[1].view(3, 2, 200)
    for i, teacher in enumerate(teachers):
        embedding = hidden[:, i] * teacher.get_buffer("scale_10") + teacher.get_buffer("shift_10")
        torch.testing.assert_close(embedding, teacher(windows)[0], atol=1e-3, rtol=1e-3)


def test_folding_keeps_what_was_learnt(teachers):
    torch.manual_seed(0)
    model = Distillation(TINY, teachers).eval()
    windows = torch.rand(3, 187, 96) * 4
    with torch.inference_mode():
        pooled = model.encoder.pool(model.encoder.trunk(windows))
        hidden = model.read_out(model.features(pooled))
        tags = torch.sigmoid(model.encoder.tags(hidden))
        torch.testing.assert_close(model.fold()(windows)[1], tags, atol=1e-5, rtol=1e-4)


def test_training_learns(shards, teachers, tmp_path):
    Trainer(config(160), shards, teachers, tmp_path, CPU).run(every=40)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [40, 80, 120, 160]
    assert lines[-1]["embedding"] < 0.7 * lines[0]["embedding"]


def test_an_interrupted_run_ends_as_an_undisturbed_one(shards, teachers, tmp_path):
    whole = Trainer(config(10), shards, teachers, tmp_path / "whole", CPU).run(every=5)

    class StoppedError(Exception):
        pass

    def stop(_encoder):
        raise StoppedError

    broken = Trainer(config(10), shards, teachers, tmp_path / "broken", CPU)
    with pytest.raises(StoppedError):
        broken.run(stop, every=5)
    resumed = Trainer(config(10), shards, teachers, tmp_path / "broken", CPU)
    assert resumed.step == 5
    for a, b in zip(
        whole.state_dict().values(), resumed.run(every=5).state_dict().values(), strict=True
    ):
        torch.testing.assert_close(a, b)


def test_a_folder_of_another_run_is_refused(shards, teachers, tmp_path):
    Trainer(config(10), shards, teachers, tmp_path, CPU)
    with pytest.raises(UsageError, match="another configuration"):
        Trainer(config(11), shards, teachers, tmp_path, CPU)


def test_training_without_shards_is_refused(teachers, tmp_path):
    with pytest.raises(UsageError, match="no distillation shards"):
        Trainer(config(10), tmp_path, teachers, tmp_path / "run", CPU)


def test_perturbing_only_masks():
    windows = torch.rand(6, 187, 96) + 1
    perturbed = perturb(windows, torch.Generator().manual_seed(0))
    kept = perturbed != 0
    assert 0.7 < kept.float().mean() < 1
    torch.testing.assert_close(perturbed[kept], windows[kept])


def test_the_export_is_the_network(tmp_path):
    torch.manual_seed(0)
    encoder = Encoder(TINY).eval()
    export_encoder(encoder, tmp_path, {"trained": {}})
    onnx = OnnxEncoder(tmp_path)
    assert onnx.tag_names == TAG_NAMES
    windows = torch.rand(5, 187, 96) * 4
    encoded = onnx.encode(windows.numpy())
    with torch.inference_mode():
        embeddings, tags = encoder(windows)
    np.testing.assert_allclose(encoded.embeddings, embeddings.numpy(), atol=1e-4)
    np.testing.assert_allclose(encoded.tags, tags.numpy(), atol=1e-4)


def test_eight_bits_keep_the_direction(tmp_path):
    torch.manual_seed(0)
    encoder = Encoder(TINY).eval()
    export_encoder(encoder, tmp_path, {"trained": {}})
    exact = OnnxEncoder(tmp_path)
    windows = (torch.rand(64, 187, 96) * torch.rand(64, 1, 1) * 4).numpy()
    before = exact.encode(windows).embeddings
    quantise(tmp_path, windows)
    rounded = OnnxEncoder(tmp_path)
    assert rounded.sha256 != exact.sha256
    assert rounded.card["fp32"]["sha256"] == exact.sha256
    cosines = (before * rounded.encode(windows).embeddings).sum(axis=1)
    assert cosines.mean() > 0.995


def test_macs_of_the_shipped_configuration_are_within_the_bound():
    from pathlib import Path

    import songprint.learn.train as train

    shipped = TrainConfig.load(Path(train.__file__).with_name("encoder.toml"))
    assert 50_000_000 < count_macs(Encoder(shipped.network)) <= 120_000_000


@pytest.mark.parametrize("text", ["steps = ", "colour = 3", "[network]\nfoo = 1"])
def test_a_wrong_configuration_is_refused(tmp_path, text):
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(UsageError, match="not a training configuration"):
        TrainConfig.load(tmp_path / "wrong.toml")
