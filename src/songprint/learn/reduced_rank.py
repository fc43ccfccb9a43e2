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
    TEMPORAL_FRAMES,
    TIMBRAL_FRAMES,
    Affine,
    FilterBank,
    MiddleLayers,
    Rectified,
    TemporalFilters,
    TimbralFilters,
)
from songprint.learn.living import Living
from songprint.learn.teacher import MusiCNN

PATCHES = 40_000


def fit_filter_bank(
    trunk: FilterBank, teachers: Sequence[MusiCNN], windows: Tensor, living: Living
) -> None:
    """Give a trunk the filters that come nearest to the teachers' on some windows.

    Parameters
    ----------
    trunk : FilterBank
        Filled in place.
    teachers : sequence of MusiCNN
        The MSD and the MTT network.
    windows : Tensor [shape=(n, 187, 96)]
        Log-mel frames.
    living : Living
        Which of the teachers' channels the trunk has.
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
            _fit_timbral(filters, trunk, teachers, living, number, x, generator)
        _fit_temporal(trunk.temporal, trunk, teachers, living, x, generator)
        heard = [
            [
                torch.cat(parts)
                for parts in zip(*map(t.layers, torch.split(windows, 8)), strict=True)
            ]
            for t in teachers
        ]
        _fit_front(trunk, windows, [layers[0] for layers in heard], living)
        _fit_middle(trunk, teachers, windows, heard, living)


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
    living: Living,
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
    rows = living.front[number]
    kernel = torch.cat(kernels)[rows].double()
    places = _places(len(x), WINDOW_FRAMES, MEL_BANDS - bands + 1, generator)
    strips = F.pad(x, (0, 0, 3, 3)).unfold(1, TIMBRAL_FRAMES, 1)  # [n, 187, 96, 7]
    along = torch.arange(bands)
    n, frame, band = places
    patches = strips[n[:, None], frame[:, None], band[:, None] + along]  # [p, bands, 7]
    patches = patches.transpose(1, 2).flatten(1)
    mean, covariance = _moments(patches)
    weight = _weights(living, number)

    # The shapes over time that the filters' answers need most.
    over_time = covariance.view(TIMBRAL_FRAMES, bands, TIMBRAL_FRAMES, bands)
    root = _root(over_time.diagonal(dim1=1, dim2=3).mean(-1))
    shapes = torch.linalg.svd(
        (kernel * weight[:, None]).view(-1, TIMBRAL_FRAMES, bands).transpose(1, 2).flatten(0, 1)
        @ root,
        full_matrices=False,
    )[2][: filters.basis.in_channels] @ torch.linalg.inv(root)
    reduce = torch.kron(shapes, torch.eye(bands, dtype=shapes.dtype))
    rank = filters.basis.out_channels
    mix, basis = _reduced_rank(kernel, reduce, covariance, weight, rank)
    filters.over_time.weight.copy_(shapes.view(-1, 1, TIMBRAL_FRAMES, 1))
    filters.basis.weight.copy_(basis.view(-1, len(shapes), 1, bands))
    missed = (kernel - mix @ basis @ reduce) @ mean
    _rectify(filters.rectify, mix, missed, torch.cat(biases), teachers, (number,), rows)


def _fit_temporal(
    filters: TemporalFilters,
    trunk: FilterBank,
    teachers: Sequence[MusiCNN],
    living: Living,
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
    rows = living.front[2]
    kernel = torch.cat(kernels)[rows].double()
    before = TEMPORAL_FRAMES // 2 - 1
    padded = F.pad(x, (0, 0, before, TEMPORAL_FRAMES - 1 - before)).unfold(1, TEMPORAL_FRAMES, 1)
    patches = padded[_places(len(x), WINDOW_FRAMES, MEL_BANDS, generator)]
    mean, covariance = _moments(patches)
    # What the longest filters find beyond the student's length, these guess.
    first = (TEMPORAL_FRAMES - filters.frames) // 2
    middle = torch.eye(TEMPORAL_FRAMES, dtype=covariance.dtype)[first : first + filters.frames]
    rank = filters.basis.out_channels
    mix, basis = _reduced_rank(kernel, middle, covariance, _weights(living, 2), rank)
    filters.basis.weight.copy_(basis.view(-1, 1, filters.frames, 1))
    missed = (kernel - mix @ basis @ middle) @ mean
    _rectify(filters.rectify, mix, missed, torch.cat(biases), teachers, (2, 3, 4), rows)


def _weights(living: Living, part: int) -> Tensor:
    """Return how much the hidden layers change with each filter's answer."""
    slopes = living.slopes[part].double().sqrt()
    return slopes.clamp_min(float(slopes.max()) * 1e-4)


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


def _root(covariance: Tensor) -> Tensor:
    values, axes = torch.linalg.eigh(covariance)
    root: Tensor = axes * values.clamp_min(1e-12).sqrt() @ axes.T
    return root


def _reduced_rank(
    kernel: Tensor, reduce: Tensor, covariance: Tensor, weight: Tensor, rank: int
) -> tuple[Tensor, Tensor]:
    """Return mix [out, rank] and basis [rank, k] of what `reduce` [k, taps] makes of patches."""
    seen = reduce @ covariance @ reduce.T
    best = torch.linalg.solve(seen, reduce @ covariance @ kernel.T).T  # [out, k]
    root = _root(seen)
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
    rows: Tensor,
) -> None:
    """Fill a mixing layer; what the mean patch gives beyond the basis goes into its bias."""
    pairs = [(teacher, index) for teacher in teachers for index in indices]

    def both(name: str, later: int = 0) -> Tensor:
        return torch.cat([t.get_buffer(f"{name}_{i + later}") for t, i in pairs])[rows]

    sign = both("sign")
    layer.largest.weight.copy_(mix)
    layer.turn.scale.copy_(sign)
    layer.turn.shift.copy_(bias[rows] + sign * missed)
    layer.finish.scale.copy_(both("scale", 1))
    layer.finish.shift.copy_(both("shift", 1))


def _fit_front(
    trunk: FilterBank, windows: Tensor, targets: Sequence[Tensor], living: Living
) -> None:
    """Give each filter the scale and shift with which it comes nearest to its teacher's."""
    layers = [filters.rectify for filters in (*trunk.timbral, trunk.temporal)]
    heard = _front(trunk, windows)
    start = 0
    for part, layer, rows, size in zip(heard, layers, living.front, FRONT_FILTERS, strict=True):
        both = torch.cat([target[:, start : start + size] for target in targets], 1)
        stride = round(WINDOW_FRAMES / part.shape[2])
        theirs = both[:, rows, ::stride].transpose(0, 1).flatten(1)
        ours = part.transpose(0, 1).flatten(1)
        centred = ours - ours.mean(1, keepdim=True)
        slope = (centred * theirs).mean(1) / centred.square().mean(1).clamp_min(1e-6)
        slope = slope.clamp(0.0, 3.0)
        shift = theirs.mean(1) - slope * ours.mean(1)
        layer.finish.scale.mul_(slope)
        layer.finish.shift.mul_(slope).add_(shift)
        start += size


def _front(trunk: FilterBank, windows: Tensor) -> list[Tensor]:
    parts = [trunk.front(part) for part in torch.split(windows, 32)]
    return [torch.cat(layers) for layers in zip(*parts, strict=True)]


def _fit_middle(
    trunk: FilterBank,
    teachers: Sequence[MusiCNN],
    windows: Tensor,
    heard: Sequence[Sequence[Tensor]],
    living: Living,
) -> None:
    """Fit the convolutions over time, each to what the teachers answer before they rectify."""
    middle: MiddleLayers = trunk.middle
    x = middle.joined(_front(trunk, windows))
    for number, (layer, finish) in enumerate(zip(middle.layers, middle.finish, strict=True)):
        assert isinstance(layer, nn.Conv1d)
        assert isinstance(finish, Affine)
        assert layer.bias is not None
        rows = living.first if number else living.living_first(layer.out_channels)
        answers = torch.cat(
            [
                F.conv1d(
                    F.pad(layers[number], (3, 3)),
                    teacher.get_buffer(f"kernel_{5 + number}"),
                    teacher.get_buffer(f"bias_{5 + number}"),
                )
                for teacher, layers in zip(teachers, heard, strict=True)
            ],
            1,
        )[:, rows]
        groups = zip(x.chunk(layer.groups, 1), answers.chunk(layer.groups, 1), strict=True)
        fitted = [_ridge(inputs, wanted, layer.kernel_size[0]) for inputs, wanted in groups]
        layer.weight.copy_(torch.cat([kernel for kernel, _ in fitted]))
        layer.bias.copy_(torch.cat([bias for _, bias in fitted]))
        for name, parameter in (("scale", finish.scale), ("shift", finish.shift)):
            both = torch.cat([t.get_buffer(f"{name}_{6 + number}") for t in teachers])
            parameter.copy_(both[rows])
        y = finish(F.relu(layer(x)))
        x = y if number == 0 else middle.add(x, y)


def _ridge(x: Tensor, target: Tensor, length: int, strength: float = 1e-3) -> tuple[Tensor, Tensor]:
    """Regress `target` [n, out, t] on some frames of `x` [n, in, t]: a kernel and its bias."""
    half = length // 2
    taps = F.pad(x, (half, half)).unfold(2, length, 1)  # [n, in, t, length]
    rows = taps.permute(0, 2, 1, 3).flatten(2).flatten(0, 1).double()
    wanted = target.transpose(1, 2).flatten(0, 1).double()
    mean, middle = rows.mean(0), wanted.mean(0)
    rows -= mean
    gram = rows.T @ rows
    gram.diagonal().add_(strength * gram.diagonal().mean())
    weight = torch.linalg.solve(gram, rows.T @ (wanted - middle)).T
    return weight.view(-1, x.shape[1], length), middle - weight @ mean
