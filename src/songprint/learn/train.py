"""Training of the encoder on distillation shards: resumable, logged, on a CPU or a GPU."""

from __future__ import annotations

import copy
import math
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from songprint.errors import UsageError
from songprint.learn import runs
from songprint.learn.corpus import FRAME_SCALE
from songprint.learn.distil import Shard
from songprint.learn.filterbank import FilterBankConfig
from songprint.learn.networks import NetworkConfig
from songprint.learn.projection import fit_projection
from songprint.learn.student import EMBEDDING_SIZE, Distillation, Encoder, roots
from songprint.learn.teacher import MusiCNN

PROJECTION_WINDOWS = 4096
START_WINDOWS = 2048
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
    masking
        Whether bands and frames of some windows are masked (see :func:`perturb`).
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
    masking: bool = True
    feature_weight: float = 0.5
    tag_weight: float = 1.0
    relation_weight: float = 2.0
    seed: int = 1
    network: NetworkConfig | FilterBankConfig = field(default_factory=FilterBankConfig)

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
            network = network_config(values.pop("network", {}))
            if "cycles" in values:
                values["cycles"] = tuple(values["cycles"])
            return cls(**values, network=network)
        except (OSError, TypeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{path}: not a training configuration: {error}") from error


def network_config(values: dict[str, Any]) -> NetworkConfig | FilterBankConfig:
    """Make a network's configuration of its attributes, as TOML and JSON hold them.

    Raises
    ------
    TypeError
        If there is no network with just these.
    """

    def frozen(value: Any) -> Any:
        return tuple(frozen(item) for item in value) if isinstance(value, list) else value

    values = {name: frozen(value) for name, value in values.items()}
    kind = NetworkConfig if "stages" in values else FilterBankConfig
    return kind(**values)


class Windows:
    """All windows of the shards that were there when it was made, in memory as uint8."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        shards = [Shard.load(folder / name) for name in names]
        self.windows = torch.from_numpy(np.concatenate([s.windows for s in shards]))
        self.features = torch.from_numpy(np.concatenate([s.features for s in shards]))

    def __len__(self) -> int:
        return len(self.windows)

    def sample(self, count: int = 512) -> NDArray[np.float32]:
        """Return the first `count` windows [shape=(n, 187, 96)]."""
        return self.windows[:count].numpy().astype(np.float32) / np.float32(FRAME_SCALE)

    def batch(self, rows: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return windows and what the teachers find in them, as float32."""
        return (
            self.windows[rows].to(device).float() / FRAME_SCALE,
            self.features[rows].to(device).float(),
        )


def perturb(windows: Tensor, generator: torch.Generator) -> Tensor:
    """Mask some bands of half of the windows, and some frames of half: the targets stay the same.

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
        runs.claim(folder, asdict(config))
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
        state = runs.load_checkpoint(folder, device)
        if state is not None:
            self._resume(state)
        else:
            windows, segments = self.data.batch(
                torch.arange(min(len(self.data), START_WINDOWS)), device
            )
            self.model.start(windows, segments, [teacher.to(device) for teacher in teachers])
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

    def _order(self) -> Tensor:
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.epoch)
        return torch.randperm(len(self.data), generator=generator)

    def save(self) -> None:
        """Write the checkpoint, replacing the last one only once it is whole."""
        runs.save_checkpoint(
            self.folder,
            {
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "epoch": self.epoch,
                "position": self.position,
                "names": self.names,
            },
        )

    def _resume(self, state: dict[str, Any]) -> None:
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
            heard = perturb(windows, generator) if self.config.masking else windows
            terms = self.model.losses(heard, segments)
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
        runs.follow(self.average, self.model, config.average_decay, self.step)
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
        with torch.no_grad():
            hidden = torch.cat(
                [
                    encoder.hear(self.data.batch(part, self.device)[0])
                    for part in torch.split(rows, self.config.batch_windows)
                ]
            )
            tags = torch.sigmoid(encoder.tags(hidden))
            weight, bias = fit_projection(
                roots(tags), hidden, self.average.hidden_scale, EMBEDDING_SIZE
            )
        encoder.embedding.weight.data, encoder.embedding.bias.data = weight, bias
        return encoder

    def _log(self, figures: dict[str, float]) -> None:
        known = {"step": self.step, "epoch": self.epoch, "windows": len(self.data)}
        runs.log(self.folder, known | figures)
