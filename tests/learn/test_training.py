"""Training: shards are reproducible, a run resumes exactly, and the export is the network."""

import json

import numpy as np
import pytest
import torch

from songprint.encoder.inference import Encoder as OnnxEncoder
from songprint.errors import UsageError
from songprint.learn.distil import Shard
from songprint.learn.export import TAG_NAMES, export_encoder
from songprint.learn.networks import NetworkConfig, Student, count_macs
from songprint.learn.train import Encoder, TrainConfig, Trainer, perturb

TINY = NetworkConfig(4, ((8, 1, 1, 2, 2, True), (8, 1, 2, 2, 2, False)), 16, 16)
CPU = torch.device("cpu")


def config(steps):
    return TrainConfig(steps=steps, warmup_steps=2, batch_windows=8, network=TINY)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Three batches of windows whose teacher says how loud they are."""
    folder = tmp_path_factory.mktemp("shards")
    rng = np.random.default_rng(0)
    level = rng.uniform(0.2, 1, 24)
    windows = (level[:, None, None] * rng.uniform(0, 140, (24, 187, 96))).astype(np.uint8)
    embeddings = np.outer(level - 0.6, rng.standard_normal(400)).astype(np.float16)
    logits = np.outer(level - 0.6, rng.standard_normal(100)).astype(np.float16)
    Shard(windows, embeddings, logits, np.zeros(24, np.int32)).save(folder / "00000.npz")
    return folder


def test_a_shard_is_read_as_it_was_written(shards):
    shard = Shard.load(shards / "00000.npz")
    assert shard.windows.shape == (24, 187, 96)
    assert shard.logits.dtype == np.float16
    assert not list(shards.glob("*.partial"))


def test_training_learns(shards, tmp_path):
    Trainer(config(60), shards, tmp_path, CPU).run(every=15)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [15, 30, 45, 60]
    assert lines[-1]["embedding"] < 0.7 * lines[0]["embedding"]


def test_an_interrupted_run_ends_as_an_undisturbed_one(shards, tmp_path):
    whole = Trainer(config(10), shards, tmp_path / "whole", CPU).run(every=5)

    class StoppedError(Exception):
        pass

    def stop(_encoder):
        raise StoppedError

    broken = Trainer(config(10), shards, tmp_path / "broken", CPU)
    with pytest.raises(StoppedError):
        broken.run(stop, every=5)
    resumed = Trainer(config(10), shards, tmp_path / "broken", CPU)
    assert resumed.step == 5
    for a, b in zip(
        whole.state_dict().values(), resumed.run(every=5).state_dict().values(), strict=True
    ):
        torch.testing.assert_close(a, b)


def test_a_folder_of_another_run_is_refused(shards, tmp_path):
    Trainer(config(10), shards, tmp_path, CPU)
    with pytest.raises(UsageError, match="another configuration"):
        Trainer(config(11), shards, tmp_path, CPU)


def test_training_without_shards_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no distillation shards"):
        Trainer(config(10), tmp_path, tmp_path / "run", CPU)


def test_perturbing_only_moves_and_masks():
    windows = torch.rand(6, 187, 96) + 1
    perturbed = perturb(windows, torch.Generator().manual_seed(0))
    for before, after in zip(windows, perturbed, strict=True):
        kept = after != 0
        assert kept.float().mean() > 0.7
        frame, band = kept.any(1).nonzero()[0, 0], kept.any(0).nonzero()[0, 0]
        start = (before[:, band] == after[frame, band]).nonzero()[0, 0] - frame
        rolled = before.roll(-int(start), 0)
        torch.testing.assert_close(after[kept], rolled[kept])


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


def test_macs_of_the_shipped_configuration_are_within_the_bound():
    from pathlib import Path

    import songprint.learn.train as train

    shipped = TrainConfig.load(Path(train.__file__).with_name("encoder.toml"))
    assert count_macs(Student(shipped.network)) <= 120_000_000


@pytest.mark.parametrize("text", ["steps = ", "colour = 3", "[network]\nfoo = 1"])
def test_a_wrong_configuration_is_refused(tmp_path, text):
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(UsageError, match="not a training configuration"):
        TrainConfig.load(tmp_path / "wrong.toml")
