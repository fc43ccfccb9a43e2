"""Which of the teachers' channels are alive, and how much their hidden layers depend on each.

Most of MusiCNN's filters died in its own training: whatever they hear, they answer the same, and
what they answer is a constant that later layers can add by themselves. Of the 561 filters of the
network trained on the Million Song Dataset 64 are alive, of MagnaTagATune's 200. Of these again a
few decide: a filter counts here by the variance of its answers times the squared slope of the
hidden layer over them (after the saliency of LeCun et al. [1]_).

References
----------
.. [1] Y. LeCun, J. Denker and S. Solla, "Optimal brain damage", NeurIPS 1989.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from songprint.learn.filterbank import (
    FRONT_FILTERS,
    MIDDLE_CHANNELS,
    TEACHERS,
    FilterBankConfig,
)
from songprint.learn.teacher import FEATURES, MusiCNN

_PROJECTIONS = 4
"""Random sums of hidden units over which slopes are taken, a batch."""

_BATCH = 16


@dataclass(frozen=True)
class Living:
    """The teachers' channels that a filter bank has, in its order.

    Attributes
    ----------
    front
        Filters of each part; those of the second teacher count on from the first's.
    slopes
        Of the hidden layer over one answer of each of these: the mean square.
    first
        All channels of the first convolutions over time, each teacher's most living ones first.
    """

    front: tuple[Tensor, ...]
    slopes: tuple[Tensor, ...]
    first: Tensor

    def features(self, first_channels: int) -> Tensor:
        """Return where the teachers keep what the filter bank pools: its means, then maxima.

        An index is that of the flattened features of both teachers, each channel's maximum and mean
        side by side [2 · 1506].
        """
        places, start = [], 0
        for rows, size in zip(self.front, FRONT_FILTERS, strict=True):
            places.append(rows // size * FEATURES + start + rows % size)
            start += size
        for layer in range(3):
            rows = self.living_first(first_channels) if layer == 0 else self.first
            places.append(rows // MIDDLE_CHANNELS * FEATURES + start + rows % MIDDLE_CHANNELS)
            start += MIDDLE_CHANNELS
        channels = torch.cat(places)
        return torch.cat([2 * channels + 1, 2 * channels])

    def living_first(self, count: int) -> Tensor:
        """Return as many living channels of the first convolutions, half of each teacher's."""
        return torch.cat([own[: count // TEACHERS] for own in self.first.chunk(TEACHERS)])


def find_living(teachers: Sequence[MusiCNN], windows: Tensor, config: FilterBankConfig) -> Living:
    """Choose the channels that weigh most in the teachers' hidden layers.

    Parameters
    ----------
    teachers : sequence of MusiCNN
        The MSD and the MTT network.
    windows : Tensor [shape=(n, 187, 96)]
        Music, some hundred windows.
    config : FilterBankConfig
        Says how many there shall be of each part.
    """
    if len(teachers) != TEACHERS:
        raise ValueError(f"{len(teachers)} teachers, not {TEACHERS}")
    found = [_weigh(teacher, windows) for teacher in teachers]
    front, slopes = [], []
    for part, count in enumerate(config.filters):
        slope = torch.cat([one[0][part] for one in found])
        weight = slope * torch.cat([one[1][part] for one in found])
        rows = weight.argsort(descending=True)[:count].sort().values
        front.append(rows)
        slopes.append(slope[rows])
    first = torch.cat(
        [one[2].argsort(descending=True) + n * MIDDLE_CHANNELS for n, one in enumerate(found)]
    )
    return Living(tuple(front), tuple(slopes), first)


def _weigh(teacher: MusiCNN, windows: Tensor) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """Return slopes squared and variances of each part's answers, variances of the first layer."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        hidden = [teacher.hidden(_pool(teacher.layers(p))) for p in torch.split(windows, _BATCH)]
    spread = torch.cat(hidden).std(0)
    # A unit that hardly ever fires has no say.
    scale = 1 / spread.clamp_min(float(spread.median()) / 4)
    squares: list[Tensor] = []
    heard: list[list[Tensor]] = []
    for part in torch.split(windows, _BATCH):
        with torch.no_grad():
            answers = teacher.answers(part)
        answers = [answer.requires_grad_() for answer in answers]
        with torch.enable_grad():
            layers = teacher.layers_after(answers)
            scaled = teacher.hidden(_pool(layers)) * scale
        for number in range(_PROJECTIONS):
            signs = torch.randint(0, 2, scaled.shape, generator=generator) * 2.0 - 1
            slopes = torch.autograd.grad(
                scaled, answers, signs.to(scaled.device), retain_graph=number + 1 < _PROJECTIONS
            )
            new = [slope.square().sum((0, 1)) for slope in slopes]
            squares = new if not squares else [a + b for a, b in zip(squares, new, strict=True)]
        heard.append([*(a.detach().flatten(0, 1) for a in answers), layers[1].detach()])
    total = _PROJECTIONS * sum(len(part[0]) for part in heard)
    *fronts, firsts = zip(*heard, strict=True)
    variances = [torch.cat(part).var(0) for part in fronts]
    first = torch.cat(firsts).transpose(0, 1).flatten(1).var(1)
    return _by_part([s / total for s in squares]), _by_part(variances), first


def _pool(layers: Sequence[Tensor]) -> Tensor:
    features = torch.cat(list(layers), 1)
    return torch.stack([features.amax(2), features.mean(2)], 1)


def _by_part(layers: list[Tensor]) -> list[Tensor]:
    """Join the temporal filters of all lengths."""
    return [layers[0], layers[1], torch.cat(layers[2:])]
