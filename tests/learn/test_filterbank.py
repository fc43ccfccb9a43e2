"""A filter bank is its teacher made small: the same when nothing is left out, near when much is."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from songprint.learn.filterbank import FilterBank, FilterBankConfig, ReadOut, teacher_order
from songprint.learn.mixed_maximum import MixedMaximum
from songprint.learn.networks import count_macs
from songprint.learn.reduced_rank import fit_filter_bank
from songprint.learn.student import mean_and_maximum
from songprint.learn.teacher import FEATURES, MusiCNN, pool_segments
from support.encoders import TINY
from support.musicnn import random_weights


@pytest.fixture(scope="module")
def teachers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teachers")
    for seed in range(2):
        np.savez(folder / f"{seed}.npz", **random_weights(seed))
    return [MusiCNN(folder / f"{seed}.npz") for seed in range(2)]


def some_windows(n, seed):
    """Smooth noise, as spectra are, at several levels."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(n, 1, 187, 96, generator=generator)
    smooth = F.avg_pool2d(noise, (5, 5), 1, 2)[:, 0] * 4
    return (smooth + 4 * torch.rand(n, 1, 1, generator=generator)).clamp_min(0)


def test_mixing_and_maximum_are_those_of_a_convolution_and_a_pool():
    torch.manual_seed(0)
    basis = torch.randn(3, 5, 7, 9, requires_grad=True)
    layer = MixedMaximum(5, 11, 9)
    ours = layer(basis)
    theirs = F.conv2d(basis, layer.weight[:, :, None, None]).amax(3)
    torch.testing.assert_close(ours, theirs)
    upstream = torch.randn_like(ours)
    for a, b in zip(
        torch.autograd.grad(ours, (basis, layer.weight), upstream),
        torch.autograd.grad(theirs, (basis, layer.weight), upstream),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def missed(trunk, teachers, windows):
    """Share of the variance of the front end's pooled features that the trunk misses."""
    with torch.inference_mode():
        ours = mean_and_maximum(trunk(windows)).view(len(windows), 2, -1)[:, :, teacher_order()]
        ours = ours.view(len(windows), 2, 2, FEATURES)
        theirs = torch.stack([pool_segments(t.segments(windows)).flip(1) for t in teachers], 2)
    error = (ours - theirs).square().mean(0)[..., :561]
    return float(error.sum() / theirs.var(0)[..., :561].sum())


def test_closed_form_filters_are_near_and_nearer_with_more_of_them(teachers):
    music, other = some_windows(24, 1), some_windows(12, 2)
    shapes = {"timbral_strides": (6, 6), "temporal_stride": (4, 12)}
    few = FilterBank(FilterBankConfig(2, (2, 2), temporal_rank=1, narrow=4, **shapes)).eval()
    many = FilterBank(FilterBankConfig(7, (64, 64), temporal_rank=32, narrow=4, **shapes)).eval()
    untrained = missed(few, teachers, other)
    for trunk in (few, many):
        fit_filter_bank(trunk, teachers, music)
    assert missed(many, teachers, other) < missed(few, teachers, other) < untrained
    assert missed(many, teachers, other) < 0.5


def test_the_read_out_as_a_matrix_is_the_read_out():
    torch.manual_seed(1)
    read = ReadOut(3)
    read.widen.weight.data.normal_()
    read.own.scale.data.uniform_(0.5, 2)
    read.own.shift.data.normal_()
    pooled = torch.randn(4, 4 * FEATURES)
    torch.testing.assert_close(
        F.linear(pooled, read.weight, read.bias), read(pooled), atol=1e-3, rtol=1e-3
    )


def test_the_read_out_finds_what_is_there():
    torch.manual_seed(2)
    read = ReadOut(0)
    pooled = torch.randn(64, 4 * FEATURES)
    features = pooled[:, read.order] * 3 - 1
    read.fit(pooled, features)
    torch.testing.assert_close(read(pooled), features, atol=1e-4, rtol=1e-4)


def test_the_mixing_layers_count_in_the_cost():
    with_few = count_macs(FilterBank(TINY))
    with_more = count_macs(FilterBank(FilterBankConfig(1, (2, 2), (2, 2), 1, (4, 12), 4, 2)))
    more_places = (30 - 10) + (15 - 5)
    assert with_more - with_few >= more_places * 94 * 408 * 2
