"""Training of the encoder on distillation shards: resumable, logged, on a CPU or a GPU.

The student learns what the teachers find before they pool (after FitNets [1]_), in each quarter of
a window and in the whole of it; the teachers' own last layers, frozen, read their embeddings and
tags out of what it guesses. So the mapping from sounds to genre, which the teachers learnt from
hundreds of thousands of songs, is not learnt anew from two thousand. For inference that read-out is
folded into one layer of the student. A relational term after Park et al. [2]_ makes cosine between
two students' guesses follow cosine between the teachers', which is what kinship uses.

References
----------
.. [1] A. Romero et al., "FitNets: hints for thin deep nets", ICLR 2015.
.. [2] W. Park et al., "Relational knowledge distillation", CVPR 2019.
"""

from __future__ import annotations

import copy
import json
import math
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from songprint.errors import UsageError
from songprint.learn.corpus import FRAME_SCALE
from songprint.learn.distil import Shard
from songprint.learn.networks import NetworkConfig, Student
from songprint.learn.projection import fit_projection
from songprint.learn.teacher import FEATURES, SEGMENT_FRAMES, MusiCNN, pool_segments

EMBEDDING_SIZE = 256
TEACHER_EMBEDDING_SIZE = 400
TEACHER_TAGS = 100
PROJECTION_WINDOWS = 4096
MASKED_BANDS, MASKED_FRAMES = 12, 16


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run besides its data.

    Attributes
    ----------
    cycles, warmup_steps, batch_windows
        Steps of each cycle of the learning rate (Loshchilov and Hutter, "SGDR", ICLR 2017) and of
        the linear warm-up in each, and windows a step.
    learning_rate, weight_decay
        Of AdamW, at the peak of the first cycle.
    average_decay
        Of the exponential moving average of the weights, which is what is exported.
    feature_weight, tag_weight, relation_weight
        Of their terms beside the embedding's mean squared error.
    seed
        Of the weights and of the order of the windows.
    network
        The student's shape.
    """

    cycles: tuple[int, ...] = (12_000,)
    warmup_steps: int = 300
    batch_windows: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    average_decay: float = 0.999
    feature_weight: float = 0.5
    tag_weight: float = 1.0
    relation_weight: float = 2.0
    seed: int = 1
    network: NetworkConfig = field(default_factory=NetworkConfig)

    @property
    def steps(self) -> int:
        """Length of the run."""
        return sum(self.cycles)

    @classmethod
    def load(cls, path: Path) -> TrainConfig:
        """Read a TOML file whose keys are the attributes.

        Raises
        ------
        UsageError
            If the file cannot be read or names something unknown.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
            network = values.pop("network", {})
            if "cycles" in values:
                values["cycles"] = tuple(values["cycles"])
            for blocks in {"stages", "temporal"} & network.keys():
                network[blocks] = tuple(tuple(block) for block in network[blocks])
            return cls(**values, network=NetworkConfig(**network))
        except (OSError, TypeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{path}: not a training configuration: {error}") from error


class Encoder(nn.Module):
    """What is exported: windows to unit embeddings and tag probabilities."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.trunk = Student(config)
        self.pooled_norm = nn.BatchNorm1d(2 * config.collapsed)
        self.dropout = nn.Dropout(config.dropout)
        self.hidden = nn.Linear(2 * config.collapsed, TEACHER_EMBEDDING_SIZE)
        self.tags = nn.Linear(TEACHER_EMBEDDING_SIZE, TEACHER_TAGS)
        self.embedding = nn.Linear(TEACHER_EMBEDDING_SIZE, EMBEDDING_SIZE)

    def pool(self, over_time: Tensor) -> Tensor:
        """Pool features [n, c, t] over time: mean and maximum [n, 2c]."""
        pooled = torch.cat([over_time.mean(2), over_time.amax(2)], 1)
        normal: Tensor = self.dropout(self.pooled_norm(pooled))
        return normal

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """[n, 187, 96] → embedding [n, 256] of unit length, tag probabilities [n, 100]."""
        hidden = self.hear(windows)
        return F.normalize(self.embedding(hidden), dim=1), torch.sigmoid(self.tags(hidden))

    def hear(self, windows: Tensor) -> Tensor:
        """[n, 187, 96] → [n, 400]: the hidden layer, the teachers' as the student guesses it."""
        return F.relu(self.hidden(self.pool(self.trunk(windows))))


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
    hidden_mean: Tensor
    hidden_scale: Tensor

    def __init__(self, config: NetworkConfig, teachers: Sequence[MusiCNN]) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.features = nn.Linear(2 * config.collapsed, len(teachers) * 2 * FEATURES)
        self.segment_norm = nn.BatchNorm1d(2 * config.collapsed)
        self.segment_features = nn.Linear(2 * config.collapsed, len(teachers) * 2 * FEATURES)
        dense = torch.stack([teacher.dense_0 for teacher in teachers])
        importance = dense.square().sum(1)
        for name, value in {
            "pooled_scale": torch.stack([teacher.get_buffer("scale_9") for teacher in teachers]),
            "pooled_shift": torch.stack([teacher.get_buffer("shift_9") for teacher in teachers]),
            "dense": dense,
            "dense_bias": torch.stack([teacher.dense_bias_0 for teacher in teachers]),
            "importance": importance / importance.mean(1, keepdim=True),
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
        self.register_buffer("hidden_mean", torch.zeros(TEACHER_EMBEDDING_SIZE))
        self.register_buffer("hidden_scale", torch.ones(TEACHER_EMBEDDING_SIZE))

    def read_out(self, normal: Tensor) -> Tensor:
        """Return the teachers' hidden layers [n, 400] of normalised features [n, 2, 1506]."""
        hidden = torch.einsum("ntc,thc->nth", normal, self.dense) + self.dense_bias
        return F.relu(hidden).flatten(1)

    def normalise(self, features: Tensor) -> Tensor:
        """Apply the teachers' batch norm to pooled features [..., 2, 2, 753] → [..., 2, 1506]."""
        flat = features.transpose(-1, -2).flatten(-2)
        return flat * self.pooled_scale + self.pooled_shift

    def targets(self, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Return normalised features of a window [n, 2, 1506] and its teachers' hidden layers."""
        n, s = segments.shape[:2]
        pooled = pool_segments(segments.transpose(2, 3).reshape(n, s, 2, -1))
        normal = self.normalise(pooled.view(n, 2, 2, FEATURES).transpose(1, 2))
        return normal, self.read_out(normal)

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
        guess = self.features(self.encoder.pool(over_time)).float().view(n, 2, -1)
        pieces = over_time.split(SEGMENT_FRAMES // self.encoder.trunk.time_stride, 2)
        pooled = torch.stack([torch.cat([p.mean(2), p.amax(2)], 1) for p in pieces], 1)
        segment_guess = self.segment_features(self.segment_norm(pooled.flatten(0, 1)))
        guessed = self.read_out(guess)
        kinship, teacher_kinship = (
            unit @ unit.t()
            for unit in (F.normalize(self.standardise(h), dim=1) for h in (guessed, hidden))
        )
        logits = torch.einsum("nth,tkh->ntk", hidden.view(n, 2, -1), self.tag_dense)
        tags = (logits + self.tag_bias).flatten(1).sigmoid()
        return {
            "features": self._weighted(guess, normal),
            "segments": self._weighted(
                segment_guess.float().view(n, len(pieces), 2, -1), self.normalise(segments)
            ),
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
        return ((guess - target.clamp(-6, 6)).square() * self.importance).mean()

    def fold(self) -> Encoder:
        """Return a copy of the encoder with the teachers' read-out folded into its own layers."""
        encoder = copy.deepcopy(self.encoder)
        readout = self.features.weight.view(2, 2 * FEATURES, -1)
        bias = torch.einsum("thc,tc->th", self.dense, self.features.bias.view(2, -1))
        encoder.hidden.weight.data = torch.einsum("thc,tci->thi", self.dense, readout).flatten(0, 1)
        encoder.hidden.bias.data = (bias + self.dense_bias).flatten()
        return encoder.eval()


class Windows:
    """All windows of the shards that were there when it was made, in memory as uint8."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        shards = [Shard.load(folder / name) for name in names]
        self.windows = torch.from_numpy(np.concatenate([s.windows for s in shards]))
        self.features = torch.from_numpy(np.concatenate([s.features for s in shards]))

    def __len__(self) -> int:
        return len(self.windows)

    def batch(self, rows: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return windows and what the teachers find in them, as float32."""
        return (
            self.windows[rows].to(device).float() / FRAME_SCALE,
            self.features[rows].to(device).float(),
        )


def perturb(windows: Tensor, generator: torch.Generator) -> Tensor:
    """Mask some bands and some frames of half of the windows: the targets stay as they were.

    After SpecAugment (Park et al., Interspeech 2019), without its time warping.
    """
    n, frames, bands = windows.shape

    def draw(high: int) -> Tensor:
        return torch.randint(high, (n, 1), generator=generator).to(windows.device)

    def stretch(length: int, longest: int) -> Tensor:
        first, width = draw(length), draw(longest) * draw(2)
        position = torch.arange(length, device=windows.device)
        return (position >= first) & (position < first + width)

    masked = stretch(bands, MASKED_BANDS)[:, None] | stretch(frames, MASKED_FRAMES)[..., None]
    return windows.masked_fill(masked, 0.0)


Probe = Callable[[Encoder], dict[str, float]]


class Trainer:
    """A run in a folder: ``config.json``, ``log.jsonl`` and ``checkpoint.pt``.

    Parameters
    ----------
    config : TrainConfig
        Decides the run.
    shards : Path
        Folder of distillation shards; new ones join at the next epoch.
    teachers : sequence of MusiCNN
        Whose last layers read the student out.
    folder : Path
        Where the run lives; an existing checkpoint there is resumed.
    device : torch.device
        Where to train.

    Raises
    ------
    UsageError
        If there are no shards, or `folder` holds a run of another configuration.
    """

    def __init__(
        self,
        config: TrainConfig,
        shards: Path,
        teachers: Sequence[MusiCNN],
        folder: Path,
        device: torch.device,
    ) -> None:
        self.config, self.shards, self.folder, self.device = config, shards, folder, device
        folder.mkdir(parents=True, exist_ok=True)
        described = json.dumps(asdict(config), indent=1)
        path = folder / "config.json"
        if path.exists() and path.read_text(encoding="utf-8") != described:
            raise UsageError(f"{folder}: holds a run of another configuration")
        path.write_text(described, encoding="utf-8")
        torch.manual_seed(config.seed)
        self.step, self.epoch, self.position = 0, 0, 0
        self.names = self._shard_names()
        self.data = Windows(shards, self.names)
        self.model = Distillation(config.network, teachers).to(device)
        # Convolutions over channels that lie side by side are twice as fast on a CPU.
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(
            self._parameter_groups(), lr=config.learning_rate, betas=(0.9, 0.98)
        )
        if (folder / "checkpoint.pt").exists():
            self._resume()
        else:
            self._standardise()
            self.average = copy.deepcopy(self.model)

    def _parameter_groups(self) -> list[dict[str, object]]:
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        vectors = [p for p in self.model.parameters() if p.ndim <= 1]
        return [
            {"params": matrices, "weight_decay": self.config.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]

    def _shard_names(self) -> list[str]:
        names = sorted(path.name for path in self.shards.glob("*.npz"))
        if not names:
            raise UsageError(f"{self.shards}: no distillation shards here")
        return names

    def _standardise(self) -> None:
        rows = torch.arange(min(len(self.data), 2048))
        windows, segments = self.data.batch(rows, self.device)
        trunk = self.model.encoder.trunk
        trunk.input_mean.copy_(windows.mean((0, 1)))
        trunk.input_scale.copy_(1 / windows.std((0, 1)).clamp_min(0.1))
        hidden = self.model.targets(segments)[1]
        self.model.hidden_mean.copy_(hidden.mean(0))
        # A unit of the teacher that hardly ever fires has no say.
        self.model.hidden_scale.copy_(
            1 / hidden.std(0).clamp_min(float(hidden.std(0).median()) / 4)
        )

    def _order(self) -> Tensor:
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.epoch)
        return torch.randperm(len(self.data), generator=generator)

    def save(self) -> None:
        """Write the checkpoint, replacing the last one only once it is whole."""
        partial = self.folder / "checkpoint.partial"
        torch.save(
            {
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "epoch": self.epoch,
                "position": self.position,
                "names": self.names,
            },
            partial,
        )
        partial.replace(self.folder / "checkpoint.pt")

    def _resume(self) -> None:
        state = torch.load(self.folder / "checkpoint.pt", map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.average = copy.deepcopy(self.model)
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.epoch = state["step"], state["epoch"]
        self.position, self.names = state["position"], state["names"]
        self.data = Windows(self.shards, self.names)

    def _learning_rate(self) -> float:
        """Warm up, then fall as a cosine; again from half the height in each further cycle."""
        config, peak, step = self.config, self.config.learning_rate, self.step
        for length in config.cycles[:-1]:
            if step < length:
                break
            step, peak = step - length, peak / 2
        else:
            length = config.cycles[-1]
        if step < config.warmup_steps:
            return peak * (step + 1) / config.warmup_steps
        progress = (step - config.warmup_steps) / (length - config.warmup_steps)
        return peak * max(0.5 * (1 + math.cos(math.pi * progress)), 1e-3)

    def _advance(self, rows: Tensor) -> dict[str, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        windows, segments = self.data.batch(rows, self.device)
        generator = torch.Generator().manual_seed(self.config.seed * 7_919 + self.step)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            terms = self.model.losses(perturb(windows, generator), segments)
        config = self.config
        loss = (
            terms["embedding"]
            + config.feature_weight * (terms["features"] + terms["segments"])
            + config.tag_weight * terms["tag"]
            + config.relation_weight * terms["relation"]
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.optimizer.step()
        self.step += 1
        decay = min(config.average_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            pairs = zip(
                self.average.state_dict().values(), self.model.state_dict().values(), strict=True
            )
            for average, value in pairs:
                if average.is_floating_point():
                    average.lerp_(value, 1 - decay)
                else:
                    average.copy_(value)
        return {name: float(term.detach()) for name, term in terms.items()}

    def run(self, probe: Probe | None = None, every: int = 500) -> Encoder:
        """Train to the configured step.

        Parameters
        ----------
        probe : callable, optional
            Measures the averaged encoder; its figures are logged.
        every : int
            Steps between checkpoints, log lines and probes.

        Returns
        -------
        Encoder
            The averaged encoder, in evaluation mode.
        """
        self.model.train()
        recent: list[dict[str, float]] = []
        started = time.monotonic()
        size = self.config.batch_windows
        order = self._order()
        while self.step < self.config.steps:
            if self.position + size > len(order):
                self.epoch, self.position = self.epoch + 1, 0
                if (names := self._shard_names()) != self.names:
                    self.names, self.data = names, Windows(self.shards, names)
                order = self._order()
            recent.append(self._advance(order[self.position : self.position + size]))
            self.position += size
            if self.step % every == 0 or self.step == self.config.steps:
                self.save()
                figures = {k: float(np.mean([r[k] for r in recent])) for k in recent[0]}
                figures["windows_per_second"] = len(recent) * size / (time.monotonic() - started)
                if probe is not None:
                    figures |= probe(self.averaged_encoder())
                self._log(figures)
                recent, started = [], time.monotonic()
        return self.averaged_encoder()

    def averaged_encoder(self) -> Encoder:
        """Return the encoder whose weights are averaged over the last steps, for inference.

        Its embedding is fitted on the first windows of the data.
        """
        encoder: Encoder = self.average.fold()
        rows = torch.arange(min(len(self.data), PROJECTION_WINDOWS))
        with torch.inference_mode():
            hidden = torch.cat(
                [
                    encoder.hear(self.data.batch(part, self.device)[0])
                    for part in torch.split(rows, self.config.batch_windows)
                ]
            )
        weight, bias = fit_projection(hidden, self.average.hidden_scale, EMBEDDING_SIZE)
        encoder.embedding.weight.data, encoder.embedding.bias.data = weight, bias
        return encoder

    def _log(self, figures: dict[str, float]) -> None:
        line = {"step": self.step, "epoch": self.epoch, "windows": len(self.data), **figures}
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
