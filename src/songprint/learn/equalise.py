"""Brings the channels of a filter bank to one range, which leaves what it computes as it is.

Eight bits have one step for all channels of a layer, and the teachers' channels differ in size by
orders of magnitude: without this, most would be rounded to nothing. A channel is divided by its
largest value, and what reads it multiplies by it (Nagel et al. 2019 [1]_).

References
----------
.. [1] M. Nagel et al., "Data-free quantization through weight equalization and bias correction",
       ICCV 2019.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from songprint.learn.filterbank import (
    TEACHERS,
    Affine,
    FilterBank,
    TemporalFilters,
    TimbralFilters,
)
from songprint.learn.student import Encoder

_SMALLEST = 1e-6


def equalise(encoder: Encoder, windows: Tensor) -> None:
    """Equalise an encoder in place; one whose trunk is no filter bank is left as it is.

    Parameters
    ----------
    encoder : Encoder
        In evaluation mode.
    windows : Tensor [shape=(n, 187, 96)]
        Music that shows each channel's range; some dozen windows do.
    """
    trunk = encoder.trunk
    if not isinstance(trunk, FilterBank):
        return
    with torch.no_grad():
        x = (windows * trunk.input_scale + trunk.input_shift)[:, None]
        for filters in trunk.timbral:
            assert isinstance(filters, TimbralFilters)
            ranges = _range(filters.over_time(x))
            filters.over_time.weight.div_(_outputs(ranges, 4))
            filters.basis.weight.mul_(_inputs(ranges, 4))
            _equalise_filters(filters, x)
        _equalise_filters(trunk.temporal, x)
        front = trunk.front(windows)
        layers = [_range(layer) for layer in (*front, *trunk.middle(front))]
        # What the convolutions over time find is added up, so it shares a range.
        *found, first, second, third = layers
        shared = torch.maximum(second, third).view(TEACHERS, -1)
        first = first.view(TEACHERS, -1)
        living = shared[:, : first.shape[1]]
        living.copy_(torch.maximum(living, first))
        ranges_of = [*found, living.flatten(), shared.flatten(), shared.flatten()]
        _equalise_middle(trunk, ranges_of)
        _follow(encoder.pooled_norm, ranges_of)


def _range(layer: Tensor) -> Tensor:
    """Return each channel's largest magnitude in [n, c, ...]."""
    return layer.transpose(0, 1).flatten(1).abs().amax(1).clamp_min(_SMALLEST)


def _outputs(ranges: Tensor, dimensions: int) -> Tensor:
    return ranges.view(-1, *[1] * (dimensions - 1))


def _inputs(ranges: Tensor, dimensions: int) -> Tensor:
    return ranges.view(1, -1, *[1] * (dimensions - 2))


def _equalise_filters(filters: TimbralFilters | TemporalFilters, x: Tensor) -> None:
    mix = filters.rectify.largest
    ranges = _range(filters.answers(x))
    filters.basis.weight.div_(_outputs(ranges, 4))
    mix.weight.mul_(ranges)
    answers = [F.conv2d(one[None], mix.weight[:, :, None, None]) for one in filters.answers(x)]
    largest = torch.stack([_range(answer) for answer in answers]).amax(0)
    mix.weight.div_(largest[:, None])
    filters.rectify.turn.scale.mul_(largest)


def _equalise_middle(trunk: FilterBank, ranges: Sequence[Tensor]) -> None:
    middle, fronts = trunk.middle, len(trunk.timbral) + 1
    for filters, part in zip((*trunk.timbral, trunk.temporal), ranges, strict=False):
        assert isinstance(filters, TimbralFilters | TemporalFilters)
        _divide(filters.rectify.finish, part)
    inputs = torch.cat(list(ranges[:fronts]))
    layers = zip(middle.layers, middle.finish, ranges[fronts:], strict=True)
    for layer, finish, outputs in layers:
        assert isinstance(layer, nn.Conv1d)
        assert isinstance(finish, Affine)
        groups = zip(layer.weight.chunk(layer.groups), inputs.chunk(layer.groups), strict=True)
        for weight, part in groups:
            weight.mul_(_inputs(part, 3))
        _divide(finish, outputs)
        inputs = outputs


def _divide(affine: Affine, ranges: Tensor) -> None:
    affine.scale.div_(ranges)
    affine.shift.div_(ranges)


def _follow(norm: nn.BatchNorm1d, ranges: Sequence[Tensor]) -> None:
    """Let the norm of pooled features, means and then maxima, know the new ranges."""
    every = torch.cat([*ranges, *ranges])
    assert norm.running_mean is not None
    assert norm.running_var is not None
    # The norm adds epsilon to the variance, which is not divided: it goes into the weight.
    before = (norm.running_var + norm.eps).sqrt()
    norm.running_mean.div_(every)
    norm.running_var.div_(every.square())
    norm.weight.mul_(every * (norm.running_var + norm.eps).sqrt() / before)
