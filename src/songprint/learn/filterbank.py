"""A student shaped like its teacher: the same filters, made of few.

MusiCNN's first layer is nine tenths of its cost: 561 filters that are as tall as a chord or as
long as a bar, at every band and frame, each followed by a maximum over all bands. Most of them are
dead (:mod:`.living`), and the answers of the others are far from independent. So here a *basis* of
two dozen filters is convolved, its channels are mixed into the filters that live, and both are done
at every other frame only. What follows, three convolutions over time, works at that frame rate.

The basis is fitted in closed form to what the teachers' filters answer (:mod:`.reduced_rank`); then
all is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES
from songprint.learn.mixed_maximum import MixedMaximum

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
"""Channels of each of one teacher's convolutions over time."""

MIDDLE_TAPS = 7
"""Their length."""


@dataclass(frozen=True)
class FilterBankConfig:
    """Shape of a filter bank.

    Attributes
    ----------
    filters
        Filters of each part of the front end, both teachers' together: of the two heights of
        timbral ones, and of those over time alone.
    first_channels
        Channels of the first convolution over time, both teachers' together.
    time_rank
        Shapes over time of the timbral basis filters.
    time_strides
        Frames from one answer of theirs to the next, of each height.
    timbral_ranks
        Basis filters of each height.
    timbral_strides
        Bands from one answer of theirs to the next.
    temporal_rank, temporal_frames
        Basis filters over time alone, and how long they are.
    temporal_stride
        Frames and bands from one answer of the temporal filters to the next.
    refinement
        Rank of the correction by which the pooled features are read out while training.
    dropout
        Share of the pooled features that a training step leaves out.
    """

    filters: tuple[int, int, int] = (80, 80, 80)
    first_channels: int = 48
    time_rank: int = 3
    time_strides: tuple[int, int] = (1, 1)
    timbral_ranks: tuple[int, int] = (28, 24)
    timbral_strides: tuple[int, int] = (1, 1)
    temporal_rank: int = 16
    temporal_frames: int = 48
    temporal_stride: tuple[int, int] = (2, 1)
    refinement: int = 256
    dropout: float = 0.0

    @property
    def channels(self) -> int:
        """Channels that are pooled, of all layers."""
        return sum(self.filters) + self.first_channels + 2 * TEACHERS * MIDDLE_CHANNELS


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
    """Filters `bands` high and seven frames long; [n, 1, 187, 96] → [n, filters, frames]."""

    def __init__(
        self, bands: int, time_rank: int, rank: int, strides: tuple[int, int], filters: int
    ) -> None:
        super().__init__()
        time_stride, band_stride = strides
        self.over_time = nn.Conv2d(
            1,
            time_rank,
            (TIMBRAL_FRAMES, 1),
            (time_stride, 1),
            (TIMBRAL_FRAMES // 2, 0),
            bias=False,
        )
        self.basis = nn.Conv2d(time_rank, rank, (1, bands), (1, band_stride), bias=False)
        places = (MEL_BANDS - bands) // band_stride + 1
        self.rectify = Rectified(rank, filters, places)

    def forward(self, x: Tensor) -> Tensor:
        """Apply them."""
        found: Tensor = self.rectify(self.answers(x))
        return found

    def answers(self, x: Tensor) -> Tensor:
        """Return what the basis finds [n, rank, frames, bands]."""
        found: Tensor = self.basis(self.over_time(x))
        return found


class TemporalFilters(nn.Module):
    """Filters one band high; [n, 1, 187, 96] → [n, c, frames]."""

    def __init__(self, frames: int, rank: int, stride: tuple[int, int], filters: int) -> None:
        super().__init__()
        self.frames = frames
        self.basis = nn.Conv2d(1, rank, (frames, 1), stride, bias=False)
        places = (MEL_BANDS - 1) // stride[1] + 1
        self.rectify = Rectified(rank, filters, places)

    def forward(self, x: Tensor) -> Tensor:
        """Apply them."""
        found: Tensor = self.rectify(self.answers(x))
        return found

    def answers(self, x: Tensor) -> Tensor:
        """Return what the basis finds [n, rank, frames, bands].

        As much silence is put round a window as the teacher puts there.
        """
        before = self.frames // 2 - 1
        found: Tensor = self.basis(F.pad(x, (0, 0, before, self.frames - 1 - before)))
        return found


class MiddleLayers(nn.Module):
    """Both teachers' convolutions over time; front end → [n, first, 187], twice [n, 128, 187].

    The teachers add up what these find. Of each one's first layer only living channels are there,
    which are the first of its other layers'.
    """

    def __init__(self, config: FilterBankConfig) -> None:
        super().__init__()
        first, outputs = config.first_channels, TEACHERS * MIDDLE_CHANNELS
        shapes = ((sum(config.filters), first, 1), (first, outputs, 2), (outputs, outputs, 2))
        self.layers = nn.ModuleList(
            nn.Conv1d(inputs, found, MIDDLE_TAPS, padding=MIDDLE_TAPS // 2, groups=groups)
            for inputs, found, groups in shapes
        )
        self.finish = nn.ModuleList(Affine(found) for _, found, _ in shapes)

    def forward(self, front: Sequence[Tensor]) -> list[Tensor]:
        """Apply them."""
        x, found = self.joined(front), []
        for number, (layer, finish) in enumerate(zip(self.layers, self.finish, strict=True)):
            y = finish(F.relu(layer(x)))
            x = y if number == 0 else self.add(x, y)
            found.append(x)
        return found

    @staticmethod
    def add(x: Tensor, y: Tensor) -> Tensor:
        """Add what a layer was given to what it found, teacher by teacher."""
        if x.shape[1] == y.shape[1]:
            return x + y
        halves = zip(x.chunk(TEACHERS, 1), y.chunk(TEACHERS, 1), strict=True)
        return torch.cat(
            [part for a, b in halves for part in (a + b[:, : a.shape[1]], b[:, a.shape[1] :])], 1
        )

    @staticmethod
    def joined(front: Sequence[Tensor]) -> Tensor:
        """Return all that the front end finds [n, c, t]; what is slower is repeated."""
        return torch.cat([_repeated(part) for part in front], 1)


def _repeated(part: Tensor) -> Tensor:
    slower = -(-WINDOW_FRAMES // part.shape[2])
    repeated: Tensor = torch.stack([part] * slower, 3).flatten(2)[:, :, :WINDOW_FRAMES]
    return repeated if slower > 1 else part


class FilterBank(nn.Module):
    """The trunk: windows of log-mel frames to the teachers' features at half their frame rate."""

    input_scale: Tensor
    input_shift: Tensor

    def __init__(self, config: FilterBankConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("input_scale", torch.ones(()))
        self.register_buffer("input_shift", torch.zeros(()))
        *timbral, temporal = config.filters
        self.timbral = nn.ModuleList(
            TimbralFilters(bands, config.time_rank, rank, (frames_on, bands_on), filters)
            for bands, rank, frames_on, bands_on, filters in zip(
                TIMBRAL_BANDS,
                config.timbral_ranks,
                config.time_strides,
                config.timbral_strides,
                timbral,
                strict=True,
            )
        )
        self.temporal = TemporalFilters(
            config.temporal_frames, config.temporal_rank, config.temporal_stride, temporal
        )
        self.middle = MiddleLayers(config)
        self.channels = config.channels

    def forward(self, windows: Tensor) -> list[Tensor]:
        """Map [n, 187, 96] log-mel windows to both teachers' features, a layer [n, c, t] each.

        The temporal filters', whose stride may be longer, are as many frames fewer.
        """
        front = self.front(windows)
        return [*front, *self.middle(front)]

    def front(self, windows: Tensor) -> list[Tensor]:
        """Return what the filters of each height, and those over time alone, find."""
        x = (windows * self.input_scale + self.input_shift)[:, None]
        return [*(filters(x) for filters in self.timbral), self.temporal(x)]


class ReadOut(nn.Module):
    """Reads the teachers' pooled features out of the student's: each its own, and corrections.

    Maps normalised [n, features] to as many.

    Parameters
    ----------
    features : int
        How many there are.
    rank : int
        Of the corrections; 0 for none.
    """

    def __init__(self, features: int, rank: int) -> None:
        super().__init__()
        self.own = Affine(features)
        self.narrow = nn.Linear(features, rank, bias=False) if rank else None
        self.widen = nn.Linear(rank, features, bias=False) if rank else None
        if self.widen is not None:
            nn.init.zeros_(self.widen.weight)

    def forward(self, pooled: Tensor) -> Tensor:
        """Apply it."""
        read: Tensor = self.own(pooled)
        if self.narrow is not None and self.widen is not None:
            read = read + self.widen(self.narrow(pooled))
        return read

    def fit(self, pooled: Tensor, features: Tensor) -> None:
        """Regress each of the teachers' features [n, features] on the student's own."""
        with torch.no_grad():
            centred = pooled - pooled.mean(0)
            slope = (centred * features).mean(0) / centred.square().mean(0).clamp_min(1e-6)
            self.own.scale.copy_(slope)
            self.own.shift.copy_(features.mean(0) - slope * pooled.mean(0))

    @property
    def weight(self) -> Tensor:
        """The same as a matrix [features, features]."""
        weight = torch.diag(self.own.scale.detach())
        if self.narrow is not None and self.widen is not None:
            weight += self.widen.weight.detach() @ self.narrow.weight.detach()
        return weight

    @property
    def bias(self) -> Tensor:
        """What is added to the matrix's product [features]."""
        return self.own.shift.detach()
