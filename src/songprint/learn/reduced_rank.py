"""Fits a filter bank to what the teachers' filters answer, in closed form.

Reduced-rank regression (Izenman 1975 [1]_): of all banks of *r* basis filters, mixed into as many
filters as the teachers have, the one whose answers on given music miss the teachers' by least, each
filter counting by the same variance.

References
----------
.. [1] A. J. Izenman, "Reduced-rank regression for the multivariate linear model", Journal of
       Multivariate Analysis 5, 1975.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES
from songprint.learn.filterbank import (
    FRONT_FILTERS,
    MIDDLE_CHANNELS,
    MIDDLE_TAPS,
    TEACHERS,
    TEMPORAL_FRAMES,
    TIMBRAL_FRAMES,
    TIME_STRIDE,
    Affine,
    FilterBank,
    MiddleLayers,
    Rectified,
    TemporalFilters,
    TimbralFilters,
)
from songprint.learn.teacher import MusiCNN

PATCHES = 40_000


def fit_filter_bank(trunk: FilterBank, teachers: Sequence[MusiCNN], windows: Tensor) -> None:
    """Give a trunk the filters that come nearest to the teachers' on some windows.

    Parameters
    ----------
    trunk : FilterBank
        Filled in place.
    teachers : sequence of MusiCNN
        The MSD and the MTT network.
    windows : Tensor [shape=(n, 187, 96)]
        Log-mel frames.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        # Each teacher has a scale and shift of its own for its input; one serves both here, and
        # what differs goes into the filters and their biases.
        trunk.input_scale.copy_(torch.stack([t.scale_0.mean() for t in teachers]).mean())
        trunk.input_shift.copy_(torch.stack([t.shift_0.mean() for t in teachers]).mean())
        x = windows * trunk.input_scale + trunk.input_shift
        for number, filters in enumerate(trunk.timbral):
            assert isinstance(filters, TimbralFilters)
            _fit_timbral(filters, trunk, teachers, number, x, generator)
        _fit_temporal(trunk.temporal, trunk, teachers, x, generator)
        for index, teacher in enumerate(teachers):
            found = [
                torch.cat(parts)
                for parts in zip(*map(teacher.layers, torch.split(windows, 8)), strict=True)
            ]
            _fit_front(trunk, index, windows, found[0])
            _fit_middle(trunk.middle, index, teacher, trunk.front(windows), found)


def _kernels(
    trunk: FilterBank, teacher: MusiCNN, index: int, kernel: Tensor
) -> tuple[Tensor, Tensor]:
    """Return a layer's kernels [out, taps], signs turned, and its bias, of the trunk's input."""
    scale = teacher.scale_0.mean() / trunk.input_scale
    shift = teacher.shift_0.mean() - scale * trunk.input_shift
    sign: Tensor = teacher.get_buffer(f"sign_{index}")
    bias = teacher.get_buffer(f"bias_{index}") + sign * kernel.sum(1) * shift
    return kernel * scale, bias


def _fit_timbral(
    filters: TimbralFilters,
    trunk: FilterBank,
    teachers: Sequence[MusiCNN],
    number: int,
    x: Tensor,
    generator: torch.Generator,
) -> None:
    bands = filters.basis.kernel_size[1]
    kernels, biases = [], []
    for teacher in teachers:
        # The teacher keeps its kernels unfolded band by band.
        flat: Tensor = teacher.get_buffer(f"kernel_{number}")
        flat = flat.view(-1, bands, TIMBRAL_FRAMES).transpose(1, 2).flatten(1)
        kernel, bias = _kernels(trunk, teacher, number, flat.float())
        kernels.append(kernel)
        biases.append(bias)
    kernel = torch.cat(kernels).double()
    places = _places(len(x), WINDOW_FRAMES, MEL_BANDS - bands + 1, generator)
    strips = F.pad(x, (0, 0, 3, 3)).unfold(1, TIMBRAL_FRAMES, 1)  # [n, 187, 96, 7]
    along = torch.arange(bands)
    n, frame, band = places
    patches = strips[n[:, None], frame[:, None], band[:, None] + along]  # [p, bands, 7]
    patches = patches.transpose(1, 2).flatten(1)
    mean, covariance = _moments(patches)
    kernel_unit = kernel / _deviations(kernel, covariance)[:, None]

    # The shapes over time that the filters' answers need most.
    over_time = covariance.view(TIMBRAL_FRAMES, bands, TIMBRAL_FRAMES, bands)
    root = _root(over_time.diagonal(dim1=1, dim2=3).mean(-1))
    shapes = torch.linalg.svd(
        kernel_unit.view(-1, TIMBRAL_FRAMES, bands).transpose(1, 2).flatten(0, 1) @ root,
        full_matrices=False,
    )[2][: filters.basis.in_channels] @ torch.linalg.inv(root)
    reduce = torch.kron(shapes, torch.eye(bands, dtype=shapes.dtype))
    mix, basis = _reduced_rank(kernel, reduce, covariance, filters.rectify.largest.weight.shape[1])
    own = slice(number * len(shapes), (number + 1) * len(shapes))
    trunk.over_time.weight[own] = shapes.view(-1, 1, TIMBRAL_FRAMES, 1).float()
    filters.basis.weight.copy_(basis.view(-1, len(shapes), 1, bands))
    missed = (kernel - mix @ basis @ reduce) @ mean
    _rectify(filters.rectify, mix, missed, torch.cat(biases), teachers, (number,))


def _fit_temporal(
    filters: TemporalFilters,
    trunk: FilterBank,
    teachers: Sequence[MusiCNN],
    x: Tensor,
    generator: torch.Generator,
) -> None:
    kernels, biases = [], []
    for teacher in teachers:
        for index in (2, 3, 4):
            flat: Tensor = teacher.get_buffer(f"kernel_{index}")
            margin = TEMPORAL_FRAMES - flat.shape[1]
            flat = F.pad(flat.float(), (margin // 2, margin - margin // 2))
            kernel, bias = _kernels(trunk, teacher, index, flat)
            kernels.append(kernel)
            biases.append(bias)
    kernel = torch.cat(kernels).double()
    before = TEMPORAL_FRAMES // 2 - 1
    padded = F.pad(x, (0, 0, before, TEMPORAL_FRAMES - 1 - before)).unfold(1, TEMPORAL_FRAMES, 1)
    patches = padded[_places(len(x), WINDOW_FRAMES, MEL_BANDS, generator)]
    mean, covariance = _moments(patches)
    whole = torch.eye(TEMPORAL_FRAMES, dtype=covariance.dtype)
    mix, basis = _reduced_rank(kernel, whole, covariance, filters.rectify.largest.weight.shape[1])
    filters.basis.weight.copy_(basis.view(-1, 1, TEMPORAL_FRAMES, 1))
    missed = (kernel - mix @ basis) @ mean
    _rectify(filters.rectify, mix, missed, torch.cat(biases), teachers, (2, 3, 4))


def _places(
    windows: int, frames: int, bands: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    n, frame, band = (
        torch.randint(size, (PATCHES,), generator=generator) for size in (windows, frames, bands)
    )
    return n, frame, band


def _moments(patches: Tensor) -> tuple[Tensor, Tensor]:
    patches = patches.double()
    mean = patches.mean(0)
    centred = patches - mean
    covariance = centred.T @ centred / len(patches)
    # What hardly varies cannot be told from noise.
    ridge = 1e-5 * covariance.diagonal().mean()
    return mean, covariance + ridge * torch.eye(len(covariance), dtype=covariance.dtype)


def _deviations(kernel: Tensor, covariance: Tensor) -> Tensor:
    return (kernel @ covariance * kernel).sum(1).sqrt()


def _root(covariance: Tensor) -> Tensor:
    values, axes = torch.linalg.eigh(covariance)
    root: Tensor = axes * values.clamp_min(1e-12).sqrt() @ axes.T
    return root


def _reduced_rank(
    kernel: Tensor, reduce: Tensor, covariance: Tensor, rank: int
) -> tuple[Tensor, Tensor]:
    """Return mix [out, rank] and basis [rank, k] of what `reduce` [k, taps] makes of patches."""
    seen = reduce @ covariance @ reduce.T
    best = torch.linalg.solve(seen, reduce @ covariance @ kernel.T).T  # [out, k]
    root = _root(seen)
    weight = 1 / _deviations(kernel, covariance)
    left, values, right = torch.linalg.svd(weight[:, None] * (best @ root), full_matrices=False)
    mix = left[:, :rank] * values[:rank] / weight[:, None]
    return mix, torch.linalg.solve(root, right[:rank].T).T


def _rectify(
    layer: Rectified,
    mix: Tensor,
    missed: Tensor,
    bias: Tensor,
    teachers: Sequence[MusiCNN],
    indices: Sequence[int],
) -> None:
    """Fill a mixing layer; what the mean patch gives beyond the basis goes into its bias."""
    pairs = [(teacher, index) for teacher in teachers for index in indices]
    sign = torch.cat([t.get_buffer(f"sign_{i}") for t, i in pairs])
    layer.largest.weight.copy_(mix)
    layer.turn.scale.copy_(sign)
    layer.turn.shift.copy_(bias + sign * missed)
    layer.finish.scale.copy_(torch.cat([t.get_buffer(f"scale_{i + 1}") for t, i in pairs]))
    layer.finish.shift.copy_(torch.cat([t.get_buffer(f"shift_{i + 1}") for t, i in pairs]))


def _fit_front(trunk: FilterBank, index: int, windows: Tensor, target: Tensor) -> None:
    """Give each filter the scale and shift with which it comes nearest to its teacher's."""
    layers = [filters.rectify for filters in (*trunk.timbral, trunk.temporal)]
    start = 0
    for part, layer in zip(trunk.front(windows), layers, strict=True):
        count = part.shape[1] // TEACHERS
        own = slice(index * count, (index + 1) * count)
        ours = part[:, own].transpose(0, 1).flatten(1)
        stride = round(WINDOW_FRAMES / part.shape[2])
        theirs = target[:, start : start + count, ::stride].transpose(0, 1).flatten(1)
        centred = ours - ours.mean(1, keepdim=True)
        slope = (centred * theirs).mean(1) / centred.square().mean(1).clamp_min(1e-6)
        slope = slope.clamp(0.0, 3.0)
        shift = theirs.mean(1) - slope * ours.mean(1)
        layer.finish.scale[own] *= slope
        layer.finish.shift[own] = layer.finish.shift[own] * slope + shift
        start += count


def _fit_middle(
    middle: MiddleLayers,
    index: int,
    teacher: MusiCNN,
    front: Sequence[Tensor],
    found: Sequence[Tensor],
) -> None:
    """Fit the convolutions over time, each to what the teacher's answers before it rectifies."""
    frames = front[0].shape[2]
    x = torch.cat(
        [
            part.chunk(TEACHERS, 1)[index].repeat_interleave(-(-frames // part.shape[2]), 2)[
                :, :, :frames
            ]
            for part in front
        ],
        1,
    )
    own = slice(index * MIDDLE_CHANNELS, (index + 1) * MIDDLE_CHANNELS)
    for number, (layer, finish) in enumerate(zip(middle.layers, middle.finish, strict=True)):
        assert isinstance(layer, nn.Conv1d)
        assert isinstance(finish, Affine)
        assert layer.bias is not None
        before: Tensor = teacher.get_buffer(f"kernel_{5 + number}")
        answers = F.conv1d(
            F.pad(found[number], (3, 3)), before, teacher.get_buffer(f"bias_{5 + number}")
        )
        kernel, bias = _ridge(x, answers[:, :, ::TIME_STRIDE])
        if number == 0:
            kernel, seen = _narrow(middle, index, kernel, x)
        else:
            seen = x
        layer.weight[own], layer.bias[own] = kernel.float(), bias.float()
        finish.scale[own] = teacher.get_buffer(f"scale_{6 + number}")
        finish.shift[own] = teacher.get_buffer(f"shift_{6 + number}")
        rectified = F.relu(
            F.conv1d(seen, layer.weight[own], layer.bias[own], padding=MIDDLE_TAPS // 2)
        )
        y = rectified * finish.scale[own, None] + finish.shift[own, None]
        x = y if number == 0 else x + y


def _ridge(x: Tensor, target: Tensor, strength: float = 1e-3) -> tuple[Tensor, Tensor]:
    """Regress `target` [n, out, t] on five frames of `x` [n, in, t]: a kernel and its bias."""
    half = MIDDLE_TAPS // 2
    taps = F.pad(x, (half, half)).unfold(2, MIDDLE_TAPS, 1)  # [n, in, t, 5]
    rows = taps.permute(0, 2, 1, 3).flatten(2).flatten(0, 1).double()
    wanted = target.transpose(1, 2).flatten(0, 1).double()
    mean, middle = rows.mean(0), wanted.mean(0)
    rows = rows - mean
    gram = rows.T @ rows
    gram.diagonal().add_(strength * gram.diagonal().mean())
    weight = torch.linalg.solve(gram, rows.T @ (wanted - middle)).T
    return weight.view(-1, x.shape[1], MIDDLE_TAPS), middle - weight @ mean


def _narrow(
    middle: MiddleLayers, index: int, kernel: Tensor, front: Tensor
) -> tuple[Tensor, Tensor]:
    """Set the channels that the first layer is to see; return its kernel on these, and these."""
    _, covariance = _moments(front.transpose(1, 2).flatten(0, 1))
    root = _root(covariance)
    outputs, _, taps = kernel.shape
    flat = kernel.transpose(1, 2).flatten(0, 1)  # [out · taps, in]
    left, values, right = torch.linalg.svd(flat @ root, full_matrices=False)
    layers = [layer for layer in middle.narrow if isinstance(layer, nn.Conv1d)]
    rank = layers[0].out_channels // TEACHERS
    weight = torch.linalg.solve(root, right[:rank].T).T.float()
    for layer, part in zip(layers, weight.split(FRONT_FILTERS, 1), strict=True):
        layer.weight[index * rank : (index + 1) * rank] = part[:, :, None]
        assert layer.bias is not None
        layer.bias.zero_()
    narrowed = (left[:, :rank] * values[:rank]).view(outputs, taps, rank).transpose(1, 2)
    return narrowed, F.conv1d(front, weight[:, :, None])
