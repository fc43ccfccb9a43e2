"""The teacher computes what its published description says, weight for weight."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from songprint.errors import ModelError
from songprint.learn.teacher import BATCH_NORM_EPSILON, MusiCNN
from support.musicnn import KERNELS, random_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("teacher") / "random.npz"
    np.savez(path, **random_weights())
    return path


def as_published(arrays, windows):
    """The network with one library convolution a layer, as TensorFlow would run it."""

    def norm(x, i):
        name = "batch_normalization" + (f"_{i}" if i else "")
        shape = (1, -1) + (1,) * (x.ndim - 2)
        part = {k: torch.from_numpy(arrays[f"{name}/{k}"]).view(shape) for k in PARTS}
        scale = part["gamma"] / torch.sqrt(part["moving_variance"] + BATCH_NORM_EPSILON)
        return (x - part["moving_mean"]) * scale + part["beta"]

    def convolve(x, i):
        name = "conv2d" + (f"_{i}" if i else "")
        kernel = torch.from_numpy(arrays[f"{name}/kernel"].transpose(3, 2, 0, 1).copy())
        return F.relu(F.conv2d(x, kernel, torch.from_numpy(arrays[f"{name}/bias"])))

    x = norm(windows[:, None], 0)
    blocks = []
    for i in range(5):
        length = KERNELS[i][0]
        before, after = (3, 3) if i < 2 else ((length - 1) // 2, length // 2)
        block = norm(convolve(F.pad(x, (0, 0, before, after)), i), i + 1)
        blocks.append(block.amax(3))
    front = torch.cat(blocks, 1)

    def middle(x, i):  # [n, c, t] as an image of one channel, c wide
        y = convolve(F.pad(x.transpose(1, 2)[:, None], (0, 0, 3, 3)), i)[..., 0]
        return norm(y, i + 1)

    first = middle(front, 5)
    second = middle(first, 6) + first
    third = middle(second, 7) + second
    features = torch.cat([front, first, second, third], 1)
    pooled = torch.stack([features.amax(2), features.mean(2)], 2).flatten(1)
    dense, bias = (torch.from_numpy(arrays[f"dense/{k}"]) for k in ("kernel", "bias"))
    embedding = norm(F.relu(norm(pooled, 9) @ dense + bias), 10)
    dense, bias = (torch.from_numpy(arrays[f"dense_1/{k}"]) for k in ("kernel", "bias"))
    return embedding, embedding @ dense + bias


PARTS = ("gamma", "beta", "moving_mean", "moving_variance")


def test_equals_the_published_network(weights):
    windows = torch.rand(2, 187, 96, generator=torch.Generator().manual_seed(1)) * 4
    with torch.inference_mode():
        ours = MusiCNN(weights)(windows)
        theirs = as_published(random_weights(), windows)
    for a, b in zip(ours, theirs, strict=True):
        assert (a - b).abs().max() < 1e-3 * b.abs().max()


def test_bfloat16_keeps_the_direction(weights):
    windows = torch.rand(2, 187, 96, generator=torch.Generator().manual_seed(2)) * 4
    with torch.inference_mode():
        exact, _ = MusiCNN(weights)(windows)
        fast, _ = MusiCNN(weights, torch.bfloat16)(windows)
    assert F.cosine_similarity(exact, fast).min() > 0.999


def test_other_windows_are_refused(weights):
    with pytest.raises(ValueError, match="95 mel bands"):
        MusiCNN(weights)(torch.zeros(1, 187, 95))


def test_missing_weights_are_a_model_error(tmp_path):
    with pytest.raises(ModelError, match="cannot read"):
        MusiCNN(tmp_path / "missing.npz")


def test_other_weights_are_a_model_error(tmp_path):
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    with pytest.raises(ModelError, match="not a MusiCNN"):
        MusiCNN(tmp_path / "other.npz")
