"""Equalised, an encoder computes what it computed, and bears eight bits."""

import numpy as np
import pytest
import torch

from songprint.encoder.inference import Encoder as OnnxEncoder
from songprint.learn.equalise import equalise
from songprint.learn.export import export_encoder, quantise
from songprint.learn.student import Encoder
from support.encoders import TINY, tiny_encoder


@pytest.fixture
def windows():
    return torch.rand(12, 187, 96, generator=torch.Generator().manual_seed(3)) * 4


@pytest.fixture
def encoder():
    """Half of the filters are dead, and channels differ in size by orders of magnitude."""
    encoder = tiny_encoder()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for filters in (*encoder.trunk.timbral, encoder.trunk.temporal):
            rectify = filters.rectify
            rectify.turn.shift[::2] = -1e4
            size = 10 ** torch.empty(len(rectify.finish.scale)).uniform_(-2, 2, generator=generator)
            rectify.finish.scale.mul_(size)
            rectify.finish.shift.copy_(torch.randn(len(size), generator=generator))
            rectify.finish.scale[1::4] *= -1
    return encoder


def compare(ours, theirs, windows, tolerance=1e-3):
    with torch.inference_mode():
        for a, b in zip(ours(windows), theirs(windows), strict=True):
            torch.testing.assert_close(a, b, atol=tolerance, rtol=tolerance)


def test_equalised_channels_have_one_range_and_nothing_changes(encoder, windows):
    before = Encoder(TINY).eval()
    before.load_state_dict(encoder.state_dict())
    equalise(encoder, windows)
    compare(encoder, before, windows)
    with torch.inference_mode():
        for layer in encoder.trunk.front(windows):
            largest = layer.abs().amax((0, 2))
            assert largest.max() == pytest.approx(1, abs=1e-3)
            assert (largest[largest > 1e-3] > 0.99).all()


def test_equalised_it_bears_eight_bits(encoder, windows, tmp_path):
    equalise(encoder, windows)
    export_encoder(encoder, tmp_path, {})
    exact = OnnxEncoder(tmp_path).encode(windows.numpy()).embeddings
    quantise(tmp_path, windows.numpy())
    rounded = OnnxEncoder(tmp_path).encode(windows.numpy()).embeddings
    assert np.mean((exact * rounded).sum(axis=1)) > 0.995


def test_a_network_of_another_kind_is_left_as_it_is(windows):
    from songprint.learn.networks import NetworkConfig

    other = Encoder(NetworkConfig(4, ((8, 1, 1, 2, 2, True),), 16)).eval()
    weights = {name: value.clone() for name, value in other.state_dict().items()}
    equalise(other, windows)
    for name, value in other.state_dict().items():
        torch.testing.assert_close(value, weights[name])
