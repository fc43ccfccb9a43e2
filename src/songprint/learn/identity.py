"""A neural fingerprint of recordings: the same second, heard in noise and in rooms, stays near.

After Chang et al. [1]_: windows of one second of the front end's log-mel become points on a
sphere, and a network learns that a window is nearer to itself, as a microphone elsewhere would
hear it, than to any other. What is compared with the whole batch [2]_ is compared with the last
batches' clean windows, too [3]_, which a small machine's batches leave too few of.

References
----------
.. [1] S. Chang et al., "Neural audio fingerprint for high-specific audio retrieval based on
       contrastive learning", ICASSP 2021.
.. [2] T. Chen et al., "A simple framework for contrastive learning of visual representations",
       ICML 2020.
.. [3] X. Wang et al., "Cross-batch memory for embedding learning", CVPR 2020.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from songprint.audio.mel import (
    FFT_SAMPLES,
    HOP_SAMPLES,
    LOG_GAIN,
    MEL_BANDS,
    SAMPLE_RATE_HZ,
    log_mel,
)
from songprint.errors import ModelError
from songprint.learn import runs
from songprint.learn.export import PARITY_TOLERANCE, parity, to_onnx

WINDOW_SAMPLES = SAMPLE_RATE_HZ
WINDOW_FRAMES = 1 + WINDOW_SAMPLES // HOP_SAMPLES
HOP_FRAMES = 32
"""Between the windows of a song: 0.512 s."""

MOST_SHIFT_SAMPLES = HOP_FRAMES * HOP_SAMPLES // 2
"""How far a clip's window lies from the nearest one of its song, at most."""

QUIETEST = 1e-3
"""Root mean square of the softest window that is learnt from."""

_FLOOR = 1e-5
_EDGE = FFT_SAMPLES // 2
_BEFORE = SAMPLE_RATE_HZ
"""What is heard of a room is what sounded up to a second ago."""

_TRANSFORM = 1 << 15

Samples = NDArray[np.float32]
Windows = NDArray[np.float32]


@dataclass(frozen=True)
class IdentityConfig:
    """Everything that decides a run besides its data.

    Attributes
    ----------
    steps, warmup_steps, cooling_steps, pairs
        Steps of the run, of its linear warm-up and of its linear end, and pairs of windows a step.
    learning_rate, weight_decay
        Of AdamW; the rate is the same between warm-up and end, so that the beginning of a run does
        not depend on its length.
    average_decay
        Of the moving average of the weights, which is the result.
    temperature
        What cosines are divided by.
    remembered
        Clean windows of earlier steps that each spoiled one is compared with, too.
    stem
        Channels of the first convolution.
    stages
        One tuple a stage: channels, and blocks, of which the first halves time and frequency.
    size
        Of a fingerprint.
    seed
        Of the weights, the order of the songs and what befalls them.
    """

    steps: int = 3600
    warmup_steps: int = 100
    cooling_steps: int = 800
    pairs: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    average_decay: float = 0.995
    temperature: float = 0.05
    remembered: int = 2048
    stem: int = 32
    stages: tuple[tuple[int, int], ...] = ((64, 2), (112, 2), (224, 2))
    size: int = 128
    seed: int = 1


class Separable(nn.Module):
    """Filter each channel in time and frequency, then mix them; [n, c, t, f] to [n, c', t', f']."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y: Tensor = self.body(x)
        return F.relu(x + y if self.residual else y)


class IdentityNetwork(nn.Module):
    """Windows of log-mel frames to fingerprints of unit length."""

    def __init__(self, config: IdentityConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(2, config.stem, 5, 2, 2, bias=False),
            nn.BatchNorm2d(config.stem),
            nn.ReLU(),
        ]
        channels = config.stem
        for outputs, blocks in config.stages:
            for block in range(blocks):
                layers.append(Separable(channels, outputs, 1 if block else 2))
                channels = outputs
        self.map = nn.Sequential(*layers)
        with torch.no_grad():
            inputs = self.map.eval()(torch.zeros(1, 2, WINDOW_FRAMES, MEL_BANDS)).numel()
        self.map.train()
        self.project = nn.Linear(inputs, config.size)

    def forward(self, windows: Tensor) -> Tensor:
        """Map [n, 63, 96] log-mel windows to [n, size]."""
        return F.normalize(self.project(self.map(relative(windows)).flatten(1)), dim=1)


def relative(windows: Tensor) -> Tensor:
    """Take level and colour away.

    Parameters
    ----------
    windows : Tensor [shape=(n, t, f)]
        Log-mel, as the front end makes it.

    Returns
    -------
    Tensor [shape=(n, 2, t, f)]
        The logarithm of power relative to the window's mean; and the same relative to each band's.
    """
    power = (torch.pow(10.0, windows) - 1) / LOG_GAIN
    level = power.mean(dim=(1, 2), keepdim=True) + 1e-12
    log = torch.log10(power / level + _FLOOR)
    return torch.stack([log + 1.5, log - log.mean(dim=1, keepdim=True)], dim=1)


class Places:
    """What befalls a clip: noise, rooms, narrow loudspeakers, clipping, and what is not heard.

    Parameters
    ----------
    noises : sequence of ndarray
        Mono samples at 16 kHz, two seconds or more of each.
    rooms : sequence of ndarray
        Impulse responses of at most a second.
    """

    def __init__(self, noises: Sequence[Samples], rooms: Sequence[Samples]) -> None:
        self._noises = list(noises)
        self._rooms = [np.fft.rfft(room, _TRANSFORM).astype(np.complex64) for room in rooms]
        self._hz = np.fft.rfftfreq(_TRANSFORM, 1 / SAMPLE_RATE_HZ)

    def spoil(self, samples: Samples, rng: Generator) -> Samples:
        """Return a window as it may be heard there.

        Parameters
        ----------
        samples : ndarray [shape=(n,)]
            The window, and a second or more of what went before.
        """
        from scipy.fft import irfft, rfft

        length = len(samples) - _BEFORE
        answer: NDArray[Any] | None = None
        if rng.random() < 0.5:
            answer = self._rooms[int(rng.integers(len(self._rooms)))]
        if rng.random() < 0.4:
            band = self._band(rng)
            answer = band if answer is None else answer * band
        if answer is not None:
            samples = irfft(rfft(samples, _TRANSFORM) * answer, _TRANSFORM)
        heard = samples[_BEFORE : _BEFORE + length]
        power = float(np.mean(np.square(heard)))
        if rng.random() < 0.1:
            most = np.quantile(np.abs(heard), rng.uniform(0.85, 0.98))
            heard = np.clip(heard, -most, most)
        if rng.random() < 0.9:
            noise = self._noise(length, rng)
            share = 10 ** (-rng.uniform(-3, 13) / 10)
            scale = math.sqrt(power * share / (float(np.mean(np.square(noise))) + 1e-12))
            heard = heard + noise * np.float32(scale)
        level = math.sqrt(power) + 1e-9
        wanted = max(level, QUIETEST) * 10 ** (rng.uniform(-12, 6) / 20)
        spoiled: Samples = (heard * np.float32(wanted / level)).astype(np.float32)
        return spoiled

    def _noise(self, length: int, rng: Generator) -> Samples:
        noise = self._noises[int(rng.integers(len(self._noises)))]
        start = int(rng.integers(0, len(noise) - length + 1))
        return noise[start : start + length]

    def _band(self, rng: Generator) -> NDArray[np.float32]:
        low, high = 2 ** rng.uniform(5, 8.6), 2 ** rng.uniform(11.3, 13)
        below, above = (self._hz / low) ** 8, (self._hz / high) ** 8
        band: NDArray[np.float32] = np.sqrt(below / (1 + below) / (1 + above)).astype(np.float32)
        return band


def cut_out(window: Windows, rng: Generator) -> Windows:
    """Silence some frames and some bands (SpecAugment, Park et al., Interspeech 2019)."""
    window = window.copy()
    for axis, longest in enumerate((12, 16)):
        if rng.random() < 0.5:
            first = int(rng.integers(window.shape[axis]))
            np.moveaxis(window, axis, 0)[first : first + int(rng.integers(1, longest))] = 0
    return window


class Pairs:
    """Seconds of songs: as they are, and as somebody else would hear them.

    Parameters
    ----------
    songs : sequence of ndarray
        Samples at 16 kHz, float32 or 16-bit, of at least four seconds each.
    places : Places
        Where they are heard.
    seed : int
        Of all that is drawn.
    """

    def __init__(self, songs: Sequence[NDArray[Any]], places: Places, seed: int) -> None:
        self._songs, self._places, self._seed = songs, places, seed
        self._epoch, self._order = -1, np.empty(0, np.intp)

    def batch(self, step: int, count: int) -> tuple[Tensor, Tensor]:
        """Return pairs of a step: clean windows and spoiled ones [shape=(count, 63, 96)].

        The same step gives the same pairs. All songs have had a turn before one has another.
        """
        rng = np.random.default_rng((self._seed, step))
        pairs = [self.pair(self._turn(step * count + n), rng) for n in range(count)]
        clean, spoiled = (torch.from_numpy(np.stack(side)) for side in zip(*pairs, strict=True))
        return clean, spoiled

    def _turn(self, turn: int) -> NDArray[Any]:
        epoch, place = divmod(turn, len(self._songs))
        if self._epoch != epoch:
            rng = np.random.default_rng((self._seed, epoch, 1))
            self._epoch, self._order = epoch, rng.permutation(len(self._songs))
        song: NDArray[Any] = self._songs[int(self._order[place])]
        return song

    def pair(self, song: NDArray[Any], rng: Generator) -> tuple[Windows, Windows]:
        """Return a clean window of a song and a spoiled one, at most a quarter second apart."""
        reach = _EDGE + MOST_SHIFT_SAMPLES
        for _ in range(8):
            start = int(rng.integers(_BEFORE + reach, len(song) - WINDOW_SAMPLES - reach + 1))
            clean = _cut(song, start - _EDGE, WINDOW_SAMPLES + 2 * _EDGE)
            if np.sqrt(np.mean(np.square(clean))) >= QUIETEST:
                break
        shift = int(rng.integers(-MOST_SHIFT_SAMPLES, MOST_SHIFT_SAMPLES + 1))
        length = _BEFORE + WINDOW_SAMPLES + 2 * _EDGE
        heard = self._places.spoil(_cut(song, start + shift - _EDGE - _BEFORE, length), rng)
        if rng.random() < 0.5:  # a clip's first window has nothing before it
            heard[:_EDGE] = heard[-_EDGE:] = 0
        return log_mel(clean)[1:-1], cut_out(log_mel(heard)[1:-1], rng)


def _cut(song: NDArray[Any], start: int, length: int) -> Samples:
    samples = song[start : start + length]
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / np.float32(32768)
    return samples.astype(np.float32)


def contrast(clean: Tensor, spoiled: Tensor, others: Tensor, temperature: float) -> Tensor:
    """Return how badly pairs find each other among all others, in nats.

    Parameters
    ----------
    clean, spoiled : Tensor [shape=(n, size)]
        Fingerprints of unit length, in pairs.
    others : Tensor [shape=(m, size)]
        Clean windows of earlier batches.
    temperature : float
        What cosines are divided by.
    """
    target = torch.arange(len(clean), device=clean.device)
    to_clean = spoiled @ torch.cat([clean, others]).T / temperature
    to_spoiled = clean @ spoiled.T / temperature
    return (F.cross_entropy(to_clean, target) + F.cross_entropy(to_spoiled, target)) / 2


class IdentityTrainer:
    """A run in a folder: ``config.json``, ``log.jsonl`` and ``checkpoint.pt``.

    Parameters
    ----------
    config : IdentityConfig
        Decides the run.
    pairs : Pairs
        What is learnt from.
    folder : Path
        Where the run lives; an existing checkpoint there is resumed.
    device : torch.device
        Where to train.

    Raises
    ------
    UsageError
        If `folder` holds a run of another configuration.
    """

    def __init__(
        self, config: IdentityConfig, pairs: Pairs, folder: Path, device: torch.device
    ) -> None:
        self.config, self.pairs, self.folder, self.device = config, pairs, folder, device
        runs.claim(folder, asdict(config))
        torch.manual_seed(config.seed)
        self.step = 0
        self.model = IdentityNetwork(config).to(device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model)
        self.memory = torch.empty(0, config.size, device=device)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        state = runs.load_checkpoint(folder, device)
        if state is not None:
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.memory = state["step"], state["memory"]

    def save(self) -> None:
        """Write the checkpoint, replacing the last one only once it is whole."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "memory": self.memory,
        }
        runs.save_checkpoint(self.folder, state)

    def run(self, every: int = 100) -> IdentityNetwork:
        """Train to the configured step; save and log after so many steps, and at the end.

        Returns
        -------
        IdentityNetwork
            The averaged network, in evaluation mode.
        """
        self.model.train()
        recent: list[tuple[float, float]] = []
        started = time.process_time()
        while self.step < self.config.steps:
            recent.append(self._advance())
            if self.step % every == 0 or self.step == self.config.steps:
                self.save()
                loss, found = np.mean(recent, axis=0)
                spent = (time.process_time() - started) / len(recent)
                figures = {"loss": loss, "found": found, "seconds_a_step": spent}
                self._log({name: round(float(x), 4) for name, x in figures.items()})
                recent, started = [], time.process_time()
        return self.average.eval()

    def _advance(self) -> tuple[float, float]:
        config = self.config
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        clean, spoiled = self.pairs.batch(self.step, config.pairs)
        clean, spoiled = self.model(torch.cat([clean, spoiled]).to(self.device)).chunk(2)
        loss = contrast(clean, spoiled, self.memory, config.temperature)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        runs.follow(self.average, self.model, config.average_decay, self.step)
        with torch.no_grad():
            memory = torch.cat([self.memory, clean])
            self.memory = memory[max(0, len(memory) - config.remembered) :]
            nearest = (spoiled @ clean.T).argmax(dim=1)
            found = (nearest == torch.arange(len(clean), device=self.device)).float().mean()
        return float(loss.detach()), float(found)

    def _learning_rate(self) -> float:
        config = self.config
        warm = (self.step + 1) / config.warmup_steps
        left = (config.steps - self.step) / config.cooling_steps
        return config.learning_rate * min(warm, left, 1.0)

    def _log(self, figures: dict[str, float]) -> None:
        runs.log(self.folder, {"step": self.step, **figures})


def export(network: IdentityNetwork, path: Path) -> None:
    """Write the network as ONNX: ``windows`` [n, 63, 96] to ``prints`` [n, size].

    Raises
    ------
    ModelError
        If ONNX Runtime's fingerprints differ from PyTorch's by more than 1e-4; nothing is written.
    """
    partial = path.with_suffix(".partial")
    example = torch.rand(3, WINDOW_FRAMES, MEL_BANDS) * 3
    network = copy.deepcopy(network).cpu().eval()
    to_onnx(network, example, partial, ["prints"])
    difference = parity(network, partial, example)
    if difference > PARITY_TOLERANCE:
        partial.unlink()
        raise ModelError(f"the ONNX network differs from PyTorch's by {difference:.2g}")
    partial.replace(path)
