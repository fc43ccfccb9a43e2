"""A student shaped like its teacher: the same filters, made of few.

MusiCNN's first layer is nine tenths of its cost: 561 filters that are as tall as a chord or as
long as a bar, at every band and frame, each followed by a maximum over all bands. Their answers are
far from independent: two dozen *basis* filters explain 94 % of the variance of the 408 filters of
one height. So here a basis is convolved, its channels are mixed into the filters, and both are done
at every other band and frame only. What follows, three convolutions over time, works at half of the
teacher's frame rate.

The basis is fitted in closed form to what the teachers' filters answer (:mod:`.reduced_rank`); then
all is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from songprint.audio.mel import MEL_BANDS
from songprint.learn.mixed_maximum import MixedMaximum
from songprint.learn.teacher import FEATURES

TEACHERS = 2
TIMBRAL_BANDS = (38, 67)
"""Heights of the teacher's timbral filters; all are seven frames long."""

TIMBRAL_FRAMES = 7
TIMBRAL_FILTERS = 204
"""Filters of each height in one teacher."""

TEMPORAL_FRAMES = 128
"""Length of the longest temporal filters; the teacher has 51 each of 128, 64 and 32."""

TEMPORAL_FILTERS = 153
FRONT_FILTERS = (TIMBRAL_FILTERS, TIMBRAL_FILTERS, TEMPORAL_FILTERS)
"""Channels of each part of one teacher's front end."""

MIDDLE_CHANNELS = 64
MIDDLE_TAPS = 5
TIME_STRIDE = 2


@dataclass(frozen=True)
class FilterBankConfig:
    """Shape of a filter bank.

    Attributes
    ----------
    time_rank
        Shapes over time of the timbral basis filters.
    timbral_ranks
        Basis filters of each height.
    timbral_strides
        Bands from one answer of theirs to the next.
    temporal_rank
        Basis filters over time alone.
    temporal_stride
        Frames and bands from one answer of the temporal filters to the next.
    narrow
        Channels of each teacher's front end before the convolutions over time.
    refinement
        Rank of the correction by which the pooled features are read out while training.
    dropout
        Share of the pooled features that a training step leaves out.
    kept
        Filters of each part of the front end, both teachers' together, once those that never
        answer are gone (:mod:`.prune`); None while all are there.
    """

    time_rank: int = 4
    timbral_ranks: tuple[int, int] = (24, 24)
    timbral_strides: tuple[int, int] = (2, 2)
    temporal_rank: int = 12
    temporal_stride: tuple[int, int] = (4, 2)
    narrow: int = 96
    refinement: int = 256
    dropout: float = 0.0
    kept: tuple[int, int, int] | None = None

    @property
    def front_filters(self) -> tuple[int, int, int]:
        """Filters of each part of the front end, both teachers' together."""
        if self.kept is not None:
            return self.kept
        first, second, third = (TEACHERS * filters for filters in FRONT_FILTERS)
        return first, second, third


class Affine(nn.Module):
    """Scale and shift each channel; [n, c, ...] → the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        shape = (1, -1) + (1,) * (x.ndim - 2)
        return x * self.scale.view(shape) + self.shift.view(shape)


class Rectified(nn.Module):
    """Mix a basis into filters and keep the largest answer of each; [n, r, t, bands] → [n, c, t].

    The teacher rectifies and normalises before it takes the maximum. Both are monotonic, so they
    may come after it; where the norm turns an answer round, the maximum would be a minimum, and
    `turn` has the mixed filter's sign changed back.
    """

    def __init__(self, rank: int, filters: int, bands: int) -> None:
        super().__init__()
        self.largest = MixedMaximum(rank, filters, bands)
        self.turn = Affine(filters)
        self.finish = Affine(filters)

    def forward(self, basis: Tensor) -> Tensor:
        """Apply it."""
        found: Tensor = self.finish(F.relu(self.turn(self.largest(basis))))
        return found


class TimbralFilters(nn.Module):
    """Filters `bands` high over shapes in time; [n, time_rank, 94, 96] → [n, 408, 94]."""

    def __init__(self, bands: int, time_rank: int, rank: int, stride: int, filters: int) -> None:
        super().__init__()
        self.basis = nn.Conv2d(time_rank, rank, (1, bands), (1, stride), bias=False)
        places = (MEL_BANDS - bands) // stride + 1
        self.rectify = Rectified(rank, filters, places)

    def forward(self, shapes: Tensor) -> Tensor:
        """Apply them."""
        found: Tensor = self.rectify(self.basis(shapes))
        return found


class TemporalFilters(nn.Module):
    """Filters one band high and up to 128 frames long; [n, 1, 187, 96] → [n, 306, 94]."""

    def __init__(self, rank: int, stride: tuple[int, int], filters: int) -> None:
        super().__init__()
        self.basis = nn.Conv2d(1, rank, (TEMPORAL_FRAMES, 1), stride, bias=False)
        places = (MEL_BANDS - 1) // stride[1] + 1
        self.rectify = Rectified(rank, filters, places)

    def forward(self, x: Tensor) -> Tensor:
        """Apply them."""
        found: Tensor = self.rectify(self.basis(self.pad(x)))
        return found

    @staticmethod
    def pad(x: Tensor) -> Tensor:
        """Put as much silence round a window as the teacher does."""
        before = TEMPORAL_FRAMES // 2 - 1
        return F.pad(x, (0, 0, before, TEMPORAL_FRAMES - 1 - before))


class MiddleLayers(nn.Module):
    """Each teacher's convolutions over time, side by side; front end → three of [n, 128, t]."""

    def __init__(self, config: FilterBankConfig) -> None:
        super().__init__()
        narrow = config.narrow
        # What is left of pruned filters no longer lies teacher by teacher.
        groups = TEACHERS if config.kept is None else 1
        self.narrow = nn.ModuleList(
            nn.Conv1d(filters, TEACHERS * narrow, 1, groups=groups)
            for filters in config.front_filters
        )
        outputs = TEACHERS * MIDDLE_CHANNELS
        self.layers = nn.ModuleList(
            nn.Conv1d(inputs, outputs, MIDDLE_TAPS, padding=MIDDLE_TAPS // 2, groups=TEACHERS)
            for inputs in (TEACHERS * narrow, outputs, outputs)
        )
        self.finish = nn.ModuleList(Affine(outputs) for _ in self.layers)

    def forward(self, front: Sequence[Tensor]) -> list[Tensor]:
        """Apply them."""
        x = self.narrowed(front)
        found = []
        for number, (layer, finish) in enumerate(zip(self.layers, self.finish, strict=True)):
            y = finish(F.relu(layer(x)))
            x = y if number == 0 else y + x
            found.append(x)
        return found

    def narrowed(self, front: Sequence[Tensor]) -> Tensor:
        """Return the channels that the first layer sees [n, 2 * narrow, t]."""
        first, second, third = (n(part) for n, part in zip(self.narrow, front, strict=True))
        frames = first.shape[2]
        slower = -(-frames // third.shape[2])
        repeated = torch.stack([third] * slower, 3).flatten(2)
        x: Tensor = first + second + repeated[:, :, :frames]
        return x


class FilterBank(nn.Module):
    """The trunk: windows of log-mel frames to the teachers' features at half their frame rate."""

    input_scale: Tensor
    input_shift: Tensor
    time_stride = TIME_STRIDE

    def __init__(self, config: FilterBankConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("input_scale", torch.ones(()))
        self.register_buffer("input_shift", torch.zeros(()))
        self.over_time = nn.Conv2d(
            1,
            len(TIMBRAL_BANDS) * config.time_rank,
            (TIMBRAL_FRAMES, 1),
            (TIME_STRIDE, 1),
            (TIMBRAL_FRAMES // 2, 0),
            bias=False,
        )
        first, second, third = config.front_filters
        self.timbral = nn.ModuleList(
            TimbralFilters(bands, config.time_rank, rank, stride, filters)
            for bands, rank, stride, filters in zip(
                TIMBRAL_BANDS,
                config.timbral_ranks,
                config.timbral_strides,
                (first, second),
                strict=True,
            )
        )
        self.temporal = TemporalFilters(config.temporal_rank, config.temporal_stride, third)
        self.middle = MiddleLayers(config)
        self.channels = first + second + third + 3 * TEACHERS * MIDDLE_CHANNELS

    def forward(self, windows: Tensor) -> list[Tensor]:
        """Map [n, 187, 96] log-mel windows to both teachers' features, a layer [n, c, 94] each.

        The temporal filters', whose stride may be longer, are as many frames fewer.
        """
        front = self.front(windows)
        return [*front, *self.middle(front)]

    def front(self, windows: Tensor) -> list[Tensor]:
        """Return what the filters of each height, and those over time alone, find."""
        x = (windows * self.input_scale + self.input_shift)[:, None]
        shapes = self.over_time(x).chunk(len(self.timbral), 1)
        found = [filters(part) for filters, part in zip(self.timbral, shapes, strict=True)]
        return [*found, self.temporal(x)]


def teacher_order() -> Tensor:
    """Return where the trunk keeps each of the teachers' channels, teacher by teacher [1506]."""
    sizes = [*FRONT_FILTERS, MIDDLE_CHANNELS, MIDDLE_CHANNELS, MIDDLE_CHANNELS]
    places, start = [], 0
    for size in sizes:
        places.append(torch.arange(TEACHERS * size).view(TEACHERS, size) + start)
        start += TEACHERS * size
    return torch.cat(places, 1).flatten()


class ReadOut(nn.Module):
    """Reads the teachers' pooled features out of the student's: each its own, and corrections.

    Maps normalised [n, 2·1506], means then maxima, to [n, 2·1506] in the order in which the
    teachers flatten theirs: teacher, channel, [maximum, mean].

    Parameters
    ----------
    rank : int
        Of the corrections; 0 for none.
    """

    order: Tensor

    def __init__(self, rank: int) -> None:
        super().__init__()
        channels = TEACHERS * FEATURES
        means = teacher_order()
        self.register_buffer("order", torch.stack([means + channels, means], 1).flatten())
        self.own = Affine(2 * channels)
        self.narrow = nn.Linear(2 * channels, rank, bias=False) if rank else None
        self.widen = nn.Linear(rank, 2 * channels, bias=False) if rank else None
        if self.widen is not None:
            nn.init.zeros_(self.widen.weight)

    def forward(self, pooled: Tensor) -> Tensor:
        """Apply it."""
        read: Tensor = self.own(pooled[:, self.order])
        if self.narrow is not None and self.widen is not None:
            read = read + self.widen(self.narrow(pooled))
        return read

    def fit(self, pooled: Tensor, features: Tensor) -> None:
        """Regress each of the teachers' features [n, 3012] on the student's own [n, 3012]."""
        with torch.no_grad():
            own = pooled[:, self.order]
            centred = own - own.mean(0)
            slope = (centred * features).mean(0) / centred.square().mean(0).clamp_min(1e-6)
            self.own.scale.copy_(slope)
            self.own.shift.copy_(features.mean(0) - slope * own.mean(0))

    @property
    def weight(self) -> Tensor:
        """The same as a matrix [3012, 3012]."""
        weight = torch.zeros(len(self.order), len(self.order))
        if self.narrow is not None and self.widen is not None:
            weight = self.widen.weight.detach() @ self.narrow.weight.detach()
        weight[torch.arange(len(self.order)), self.order] += self.own.scale.detach()
        return weight

    @property
    def bias(self) -> Tensor:
        """What is added to the matrix's product [3012]."""
        return self.own.shift.detach()
