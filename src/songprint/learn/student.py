"""The encoder, and what it is taught by: the teachers' features, read out by their own layers.

The student learns what the teachers find before they pool (after FitNets [1]_), in each quarter of
a window and in the whole of it; the teachers' own last layers, frozen, read their embeddings and
tags out of what it guesses. So the mapping from sounds to genre, which the teachers learnt from
hundreds of thousands of songs, is not learnt anew from two thousand. For inference that read-out is
folded into one layer of the student. A relational term after Park et al. [2]_ makes cosine between
two of the student's guesses follow cosine between the teachers', which is what kinship uses.

References
----------
.. [1] A. Romero et al., "FitNets: hints for thin deep nets", ICLR 2015.
.. [2] W. Park et al., "Relational knowledge distillation", CVPR 2019.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from songprint.audio.mel import WINDOW_FRAMES
from songprint.learn.filterbank import FilterBank, FilterBankConfig, ReadOut
from songprint.learn.living import find_living
from songprint.learn.networks import NetworkConfig, Student
from songprint.learn.reduced_rank import fit_filter_bank
from songprint.learn.teacher import FEATURES, SEGMENT_FRAMES, MusiCNN, pool_segments

EMBEDDING_SIZE = 256
TEACHER_EMBEDDING_SIZE = 400
TEACHER_TAGS = 100
FIT_WINDOWS = 384
"""Windows from which a filter bank's first filters are fitted."""

LIVING_WINDOWS = 128
"""Windows on which the teachers show which of their channels live."""


def _trunk(config: NetworkConfig | FilterBankConfig) -> Student | FilterBank:
    return FilterBank(config) if isinstance(config, FilterBankConfig) else Student(config)


class Encoder(nn.Module):
    """What is exported: windows to unit embeddings and tag probabilities."""

    def __init__(self, config: NetworkConfig | FilterBankConfig) -> None:
        super().__init__()
        self.trunk = _trunk(config)
        pooled = 2 * self.trunk.channels
        self.pooled_norm = nn.BatchNorm1d(pooled)
        self.dropout = nn.Dropout(config.dropout)
        self.hidden = nn.Linear(pooled, TEACHER_EMBEDDING_SIZE)
        self.tags = nn.Linear(TEACHER_EMBEDDING_SIZE, TEACHER_TAGS)
        self.embedding = nn.Linear(TEACHER_TAGS + TEACHER_EMBEDDING_SIZE, EMBEDDING_SIZE)

    def pool(self, over_time: Sequence[Tensor]) -> Tensor:
        """Pool layers of features [n, c, t] over time and normalise them [n, 2 · all c]."""
        normal: Tensor = self.dropout(self.pooled_norm(mean_and_maximum(over_time)))
        return normal

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """[n, 187, 96] → embedding [n, 256] of unit length, tag probabilities [n, 100]."""
        hidden = self.hear(windows)
        tags = torch.sigmoid(self.tags(hidden))
        known = torch.cat([roots(tags), hidden], 1)
        return F.normalize(self.embedding(known), dim=1), tags

    def hear(self, windows: Tensor) -> Tensor:
        """[n, 187, 96] → [n, 400]: the hidden layer, the teachers' as the student guesses it."""
        return F.relu(self.hidden(self.pool(self.trunk(windows))))


def mean_and_maximum(over_time: Sequence[Tensor]) -> Tensor:
    """Pool layers of features [n, c, t] over time: all means, then all maxima [n, 2 · all c]."""
    means = [layer.mean(2) for layer in over_time]
    return torch.cat(means + [layer.amax(2) for layer in over_time], 1)


def roots(probabilities: Tensor) -> Tensor:
    """Return square roots, with a slope that stays finite where a probability is 0."""
    return probabilities.clamp_min(1e-6).sqrt()


class Distillation(nn.Module):
    """The encoder while it learns: read out by the teachers' own, frozen, last layers.

    Parameters
    ----------
    config : NetworkConfig
        The student's shape.
    teachers : sequence of MusiCNN
        The MSD and the MTT network.
    """

    pooled_scale: Tensor
    pooled_shift: Tensor
    dense: Tensor
    dense_bias: Tensor
    tag_dense: Tensor
    tag_bias: Tensor
    importance: Tensor
    heard: Tensor
    unheard: Tensor
    hidden_mean: Tensor
    hidden_scale: Tensor

    def __init__(
        self, config: NetworkConfig | FilterBankConfig, teachers: Sequence[MusiCNN]
    ) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        pooled, found = 2 * self.encoder.trunk.channels, len(teachers) * 2 * FEATURES
        is_bank = isinstance(config, FilterBankConfig)
        self.features: nn.Linear | ReadOut
        self.segment_features: nn.Linear | ReadOut
        if isinstance(config, FilterBankConfig):
            self.features = ReadOut(pooled, config.refinement)
            self.segment_features = ReadOut(pooled, 0)
        else:
            self.features, self.segment_features = (nn.Linear(pooled, found) for _ in range(2))
        self.segment_norm = nn.BatchNorm1d(pooled)
        dense = torch.stack([teacher.dense_0 for teacher in teachers])
        weight = dense.square().sum(1)
        for name, value in {
            "pooled_scale": torch.stack([teacher.get_buffer("scale_9") for teacher in teachers]),
            "pooled_shift": torch.stack([teacher.get_buffer("shift_9") for teacher in teachers]),
            "dense": torch.block_diag(*dense),  # type: ignore[no-untyped-call]
            "dense_bias": torch.cat([teacher.dense_bias_0 for teacher in teachers]),
            "importance": (weight / weight.mean(1, keepdim=True)).flatten(),
            "tag_dense": torch.stack(
                [teacher.dense_1 * teacher.get_buffer("scale_10") for teacher in teachers]
            ),
            "tag_bias": torch.stack(
                [
                    teacher.dense_bias_1 + teacher.dense_1 @ teacher.get_buffer("shift_10")
                    for teacher in teachers
                ]
            ),
        }.items():
            self.register_buffer(name, value, persistent=False)
        # Which of the teachers' features the student has, and what the others add to their hidden
        # layers: a constant, for they hardly vary.
        self.register_buffer("heard", torch.arange(pooled if is_bank else found))
        self.register_buffer("unheard", torch.zeros(TEACHER_EMBEDDING_SIZE))
        self.register_buffer("hidden_mean", torch.zeros(TEACHER_EMBEDDING_SIZE))
        self.register_buffer("hidden_scale", torch.ones(TEACHER_EMBEDDING_SIZE))

    def start(self, windows: Tensor, segments: Tensor, teachers: Sequence[MusiCNN]) -> None:
        """Fit in closed form what can be, before any step of training.

        Parameters
        ----------
        windows, segments : Tensor
            As for :meth:`losses`.
        teachers : sequence of MusiCNN
            Those that this was made with.
        """
        normal, hidden = self.targets(segments)
        self.hidden_mean.copy_(hidden.mean(0))
        # A unit of the teacher that hardly ever fires has no say.
        spread = hidden.std(0)
        self.hidden_scale.copy_(1 / spread.clamp_min(float(spread.median()) / 4))
        trunk = self.encoder.trunk
        if isinstance(trunk, Student):
            trunk.input_mean.copy_(windows.mean((0, 1)))
            trunk.input_scale.copy_(1 / windows.std((0, 1)).clamp_min(0.1))
            return
        living = find_living(teachers, windows[:LIVING_WINDOWS], trunk.config)
        self.heard.copy_(living.features(trunk.config.first_channels))
        constant = normal.mean(0)
        constant[self.heard] = 0
        self.unheard.copy_(self.dense @ constant)
        fit_filter_bank(trunk, teachers, windows[:FIT_WINDOWS], living)
        with torch.no_grad():
            heard = [trunk(part) for part in torch.split(windows, 64)]
        whole = torch.cat([mean_and_maximum(layers) for layers in heard])
        parts = torch.cat([self._pool_segments(layers) for layers in heard])
        for norm, pooled, read, target in (
            (self.encoder.pooled_norm, whole, self.features, normal),
            (self.segment_norm, parts, self.segment_features, self.normalise(segments)),
        ):
            assert isinstance(read, ReadOut)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.copy_(pooled.mean(0))
            norm.running_var.copy_(pooled.var(0))
            read.fit(
                (pooled - norm.running_mean) / (norm.running_var + norm.eps).sqrt(),
                target.reshape(len(pooled), -1)[:, self.heard].clamp(-6, 6),
            )

    def _pool_segments(self, over_time: Sequence[Tensor]) -> Tensor:
        """Pool each quarter of windows, as :func:`mean_and_maximum` does [n · 4, 2 · all c]."""
        strides = [round(WINDOW_FRAMES / layer.shape[2]) for layer in over_time]
        pieces = [
            torch.split(layer, SEGMENT_FRAMES // stride, 2)
            for layer, stride in zip(over_time, strides, strict=True)
        ]
        pooled = [mean_and_maximum(layers) for layers in zip(*pieces, strict=True)]
        return torch.stack(pooled, 1).flatten(0, 1)

    def read_out(self, features: Tensor) -> Tensor:
        """Return the teachers' hidden layers [n, 400] of the normalised features that are heard."""
        hidden = F.linear(features, self.dense[:, self.heard], self.dense_bias + self.unheard)
        return F.relu(hidden)

    def normalise(self, features: Tensor) -> Tensor:
        """Apply the teachers' batch norm to pooled features [..., 2, 2, 753] → [..., 3012].

        In the order in which the teachers flatten theirs: teacher, channel, [maximum, mean].
        """
        flat = features.transpose(-1, -2).flatten(-2)
        return (flat * self.pooled_scale + self.pooled_shift).flatten(-2)

    def targets(self, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Return normalised features of a window [n, 3012] and its teachers' hidden layers."""
        n, s = segments.shape[:2]
        pooled = pool_segments(segments.transpose(2, 3).reshape(n, s, 2, -1))
        normal = self.normalise(pooled.view(n, 2, 2, FEATURES).transpose(1, 2))
        return normal, F.relu(F.linear(normal, self.dense, self.dense_bias))

    def losses(self, windows: Tensor, segments: Tensor) -> dict[str, Tensor]:
        """Return the unweighted terms for a batch and what the teachers find in it.

        Parameters
        ----------
        windows : Tensor [shape=(n, 187, 96)]
            Log-mel frames.
        segments : Tensor [shape=(n, 4, 2, 2, 753)]
            See :class:`~songprint.learn.distil.Shard`.
        """
        n = len(windows)
        normal, hidden = self.targets(segments)
        over_time = self.encoder.trunk(windows)
        guess = self.features(self.encoder.pool(over_time)).float()
        pieces = self.segment_norm(self._pool_segments(over_time))
        segment_guess = self.segment_features(pieces).float().view(n, segments.shape[1], -1)
        guessed = self.read_out(guess)
        kinship, teacher_kinship = (
            unit @ unit.t()
            for unit in (F.normalize(self.standardise(h), dim=1) for h in (guessed, hidden))
        )
        logits = torch.einsum("nth,tkh->ntk", hidden.view(n, 2, -1), self.tag_dense)
        tags = (logits + self.tag_bias).flatten(1).sigmoid()
        return {
            "features": self._weighted(guess, normal),
            "segments": self._weighted(segment_guess, self.normalise(segments)),
            "embedding": F.mse_loss(
                self.standardise(guessed).clamp(-6, 6), self.standardise(hidden).clamp(-6, 6)
            ),
            "tag": F.binary_cross_entropy_with_logits(self.encoder.tags(guessed).float(), tags)
            - F.binary_cross_entropy(tags, tags),
            "relation": F.mse_loss(kinship, teacher_kinship) * 10,
        }

    def standardise(self, hidden: Tensor) -> Tensor:
        """Give each of the teachers' hidden values mean 0 and deviation 1."""
        return (hidden - self.hidden_mean) * self.hidden_scale

    def _weighted(self, guess: Tensor, target: Tensor) -> Tensor:
        """Return the squared error of features, each as it weighs in the teacher's next layer."""
        missed = (guess - target[..., self.heard].clamp(-6, 6)).square()
        return (missed * self.importance[self.heard]).sum(-1).mean() / len(self.importance)

    def fold(self) -> Encoder:
        """Return a copy of the encoder with the teachers' read-out folded into its own layers."""
        encoder = copy.deepcopy(self.encoder)
        dense = self.dense[:, self.heard]
        encoder.hidden.weight.data = dense @ self.features.weight
        encoder.hidden.bias.data = dense @ self.features.bias + self.dense_bias + self.unheard
        return encoder.eval()
