"""A filter bank is its teacher made small: the same when nothing is left out, near when much is."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from songprint.learn.filterbank import FilterBank, FilterBankConfig, ReadOut
from songprint.learn.living import find_living
from songprint.learn.mixed_maximum import MixedMaximum
from songprint.learn.networks import count_macs
from songprint.learn.reduced_rank import fit_filter_bank
from songprint.learn.student import mean_and_maximum
from songprint.learn.teacher import MusiCNN, pool_segments
from support.encoders import TINY
from support.musicnn import random_weights


@pytest.fixture
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


def hear(trunk, teachers, music, windows):
    """Fit a trunk on some music; return its front end's features of windows, and the teachers'."""
    living = find_living(teachers, music, trunk.config)
    fit_filter_bank(trunk, teachers, music, living)
    with torch.inference_mode():
        ours = mean_and_maximum(trunk(windows))
        theirs = torch.stack([pool_segments(t.segments(windows)) for t in teachers], 1)
        theirs = theirs.transpose(2, 3).flatten(1)[:, living.features(trunk.config.first_channels)]
    front = torch.arange(sum(trunk.config.filters))
    front = torch.cat([front, front + trunk.config.channels])
    return ours[:, front], theirs[:, front]


def missed(ours, theirs):
    """Share of the variance of the front end's pooled features that is missed."""
    return float((ours - theirs).square().mean(0).sum() / theirs.var(0).sum())


def test_with_every_filter_it_is_its_teachers(teachers):
    """All ranks are full and nothing is left out."""
    with torch.no_grad():
        # One teacher's input is another's: else no single scale and shift would do.
        for name in ("scale_0", "shift_0"):
            mean = torch.stack([t.get_buffer(name) for t in teachers]).mean()
            for teacher in teachers:
                teacher.get_buffer(name).fill_(mean)
    config = FilterBankConfig((408, 408, 306), 128, 7, (1, 1), (266, 408), (1, 1), 128, 128, (1, 1))
    ours, theirs = hear(FilterBank(config), teachers, some_windows(12, 1), some_windows(4, 2))
    assert missed(ours, theirs) < 1e-3


def test_closed_form_filters_are_nearer_with_more_of_them(teachers):
    music, other = some_windows(24, 1), some_windows(12, 2)
    shapes = {"filters": (64, 64, 64), "time_strides": (2, 2), "timbral_strides": (6, 6)}
    shapes |= {"temporal_stride": (4, 12)}
    few, many = (
        FilterBank(FilterBankConfig(time_rank=t, timbral_ranks=(r, r), temporal_rank=r, **shapes))
        for t, r in ((1, 1), (7, 32))
    )
    nearer, near = (missed(*hear(trunk, teachers, music, other)) for trunk in (many, few))
    assert nearer < near
    assert nearer < 0.5


def test_only_what_the_hidden_layer_hears_of_lives(teachers):
    deaf = copy.deepcopy(teachers)
    for teacher in deaf:
        teacher.get_buffer("bias_0")[50:] = -1e4  # they never answer
        teacher.get_buffer("scale_1").abs_()
        teacher.get_buffer("sign_0").abs_()
    config = replace(TINY, filters=(32, 16, 16))
    living = find_living(deaf, some_windows(8, 3), config)
    assert (living.front[0] % 204 < 50).all()
    assert {int(row) // 204 for row in living.front[0]} == {0, 1}
    assert len(living.features(16)) == 2 * config.channels
    assert living.living_first(16).tolist() == [
        *living.first[:8].tolist(),
        *living.first[64:72].tolist(),
    ]


def test_the_read_out_as_a_matrix_is_the_read_out():
    torch.manual_seed(1)
    read = ReadOut(24, 3)
    read.widen.weight.data.normal_()
    read.own.scale.data.uniform_(0.5, 2)
    read.own.shift.data.normal_()
    pooled = torch.randn(4, 24)
    torch.testing.assert_close(
        F.linear(pooled, read.weight, read.bias), read(pooled), atol=1e-3, rtol=1e-3
    )


def test_the_read_out_finds_what_is_there():
    torch.manual_seed(2)
    read = ReadOut(24, 0)
    pooled = torch.randn(64, 24)
    features = pooled * 3 - 1
    read.fit(pooled, features)
    torch.testing.assert_close(read(pooled), features, atol=1e-4, rtol=1e-4)


def test_the_mixing_layers_count_in_the_cost():
    with_few = count_macs(FilterBank(TINY))
    with_more = count_macs(FilterBank(replace(TINY, timbral_strides=(4, 4))))
    more_places = (15 - 10) + (8 - 5)
    assert with_more - with_few >= more_places * 94 * 16 * 2
