"""Fine-tuning: the whole encoder learns the user's own genres, and is kept only if that helps.

The linear layer starts as the frozen head, so that its first steps do not distort what the encoder
knows [1]_. A penalty keeps embeddings and tags near those of the encoder that it starts from, on
which kinship, moods and the rejection of what is not music rest. Batch norms stay as they are: the
songs are too few to estimate them anew.

References
----------
.. [1] A. Kumar et al., "Fine-tuning can distort pretrained features and underperform
       out-of-distribution", ICLR 2022.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from songprint.audio.decode import stream
from songprint.audio.mel import stream_log_mel
from songprint.encoder.windows import cut_windows, pool_embeddings
from songprint.genre.personal import (
    Examples,
    Probabilities,
    Texts,
    artist_folds,
    choose_strength,
    regress,
    softmax,
)
from songprint.learn.corpus import FRAME_SCALE, quantise
from songprint.learn.student import Encoder
from songprint.learn.train import perturb

WINDOWS_PER_SONG = 16
"""Spread over the song; more would cost minutes and tell little."""

MIN_NEARNESS = 0.9
"""The least mean cosine of songs' embeddings before and after, so that kin stay kin."""

EpochDone = Callable[[], None]


@dataclass(frozen=True)
class FinetuneConfig:
    """What decides a run besides its songs.

    Attributes
    ----------
    epochs, batch_windows
        Passes over as many windows as there are, and windows a step.
    learning_rate, weight_decay
        Of AdamW for the encoder; its rate falls to nothing as a cosine.
    head_rate
        Learning rate of the linear layer.
    nearness_weight
        Of the penalty beside the cross-entropy.
    folds
        Groups of artists, each of which is left out once when it is measured.
    seed
        Of the windows' order and masks.
    """

    epochs: int = 4
    batch_windows: int = 32
    learning_rate: float = 3e-5
    weight_decay: float = 0.01
    head_rate: float = 1e-3
    nearness_weight: float = 2.0
    folds: int = 3
    seed: int = 1


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of labelled songs.

    Attributes
    ----------
    windows : ndarray [shape=(n, 187, 96)]
        Log-mel frames in eight bits.
    songs : ndarray [shape=(n,)]
        The song of each; songs count from 0, and each has a window.
    labels, artists : ndarray [shape=(m,)]
        Of each song.
    """

    windows: NDArray[np.uint8]
    songs: NDArray[np.intp]
    labels: Texts
    artists: Texts

    def batch(self, rows: NDArray[np.intp]) -> Tensor:
        """Return some windows as the encoder takes them."""
        return torch.from_numpy(self.windows[rows]).float() / FRAME_SCALE


@dataclass(frozen=True, eq=False)
class Comparison:
    """The frozen and the fine-tuned encoder on artists that neither head nor network had met.

    Attributes
    ----------
    frozen, finetuned : ndarray [shape=(m, C)]
        Probabilities of each song, not calibrated.
    truth : ndarray [shape=(m,)]
        The class of each.
    nearness : float
        Mean cosine of these songs' embeddings before and after.
    strength : float
        Inverse of the L2 penalty that suits all songs.
    """

    frozen: Probabilities
    finetuned: Probabilities
    truth: NDArray[np.intp]
    nearness: float
    strength: float

    @property
    def right(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which songs the fine-tuned and the frozen encoder's heads tell right."""
        told = (self.finetuned.argmax(axis=1), self.frozen.argmax(axis=1))
        return told[0] == self.truth, told[1] == self.truth

    @property
    def kept(self) -> bool:
        """Whether fine-tuning tells more songs right, and leaves kin kin."""
        finetuned, frozen = self.right
        return int(finetuned.sum()) > int(frozen.sum()) and self.nearness >= MIN_NEARNESS


def song_windows(path: str | Path, count: int = WINDOWS_PER_SONG) -> NDArray[np.uint8]:
    """Return up to `count` windows [shape=(n, 187, 96)], spread evenly over a song.

    Raises
    ------
    DecodeError
        If no song can be heard in the file.
    """
    cut = [quantise(batch) for batch in cut_windows(stream_log_mel(stream(path)))]
    windows = np.concatenate(cut)
    return windows[np.unique(np.linspace(0, len(windows) - 1, count).round().astype(np.intp))]


def gather(parts: list[NDArray[np.uint8]], labels: Texts, artists: Texts) -> Windows:
    """Return the windows of songs, one array a song, as one."""
    songs = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return Windows(np.concatenate(parts), songs, labels, artists)


class Finetuner:
    """Fine-tunes copies of an encoder on songs.

    Parameters
    ----------
    encoder : Encoder
        Where each copy starts, in evaluation mode; stays as it is.
    windows : Windows
        Of all songs.
    config : FinetuneConfig
        How.
    on_epoch : callable
        Called after each epoch.
    """

    def __init__(
        self,
        encoder: Encoder,
        windows: Windows,
        config: FinetuneConfig,
        on_epoch: EpochDone = lambda: None,
    ) -> None:
        self.encoder, self.windows, self.config, self.on_epoch = encoder, windows, config, on_epoch
        self.before, self.tags_before = self._hear(encoder)
        self.frozen = self._pool(self.before)

    def embed(self, encoder: Encoder) -> Examples:
        """Return the songs with an encoder's embeddings of their windows, pooled."""
        return self._pool(self._hear(encoder)[0])

    def _hear(self, encoder: Encoder, size: int = 64) -> tuple[Tensor, Tensor]:
        """Return embedding and tags of every window."""
        parts = np.array_split(
            np.arange(len(self.windows.windows)), -(-len(self.windows.windows) // size)
        )
        with torch.no_grad():
            heard = [encoder(self.windows.batch(rows)) for rows in parts]
        return torch.cat([pair[0] for pair in heard]), torch.cat([pair[1] for pair in heard])

    def _pool(self, embeddings: Tensor) -> Examples:
        labels, artists = self.windows.labels, self.windows.artists
        of_songs = [embeddings[self.windows.songs == i].numpy() for i in range(len(labels))]
        return Examples(np.stack([pool_embeddings(e) for e in of_songs]), labels, artists)

    def finetune(self, learnt_from: NDArray[np.bool_]) -> Encoder:
        """Teach a copy of the encoder to tell the genres of some of the songs [shape=(m,)]."""
        run = _Run(self, learnt_from)
        for _ in range(self.config.epochs):
            for _ in range(run.steps_per_epoch):
                run.step()
            self.on_epoch()
        return run.encoder

    def compare(self) -> Comparison:
        """Measure on held-out artists whether fine-tuning helps.

        The penalty of each head is chosen on frozen embeddings of songs that are not in its fold:
        the fine-tuned ones have met them all, and would call for too weak a penalty.
        """
        frozen, classes = self.frozen, self.frozen.classes
        told = np.zeros((2, len(frozen.labels), len(classes)))
        nearness = np.zeros(len(frozen.labels))
        for test in artist_folds(frozen, self.config.folds):
            strength = choose_strength(frozen.select(~test))
            moved = self.embed(self.finetune(~test))
            for songs, probabilities in zip((frozen, moved), told, strict=True):
                weights, bias = regress(songs.select(~test), classes, strength)
                probabilities[test] = softmax(songs.embeddings[test] @ weights + bias)
            nearness[test] = (moved.embeddings[test] * frozen.embeddings[test]).sum(axis=1)
        truth = np.array([classes.index(str(label)) for label in frozen.labels])
        return Comparison(told[0], told[1], truth, float(nearness.mean()), choose_strength(frozen))

    @property
    def runs(self) -> int:
        """How often :meth:`compare` fine-tunes: once for each fold of artists."""
        return sum(1 for _ in artist_folds(self.frozen, self.config.folds))

    def estimate_seconds(self) -> float:
        """Estimate, by timing a step, how long :meth:`compare` and a last run over all take."""
        run = _Run(self, np.ones(len(self.windows.labels), np.bool_))
        run.step()  # the first is slower
        started = time.perf_counter()
        run.step()
        seconds = time.perf_counter() - started
        # A fold's run leaves its fold out: all runs together see all songs as often as there are
        # folds. To hear them with the result costs a third of an epoch each time.
        return seconds * run.steps_per_epoch * self.runs * (self.config.epochs + 1 / 3)


class _Run:
    def __init__(self, tuner: Finetuner, learnt_from: NDArray[np.bool_]) -> None:
        self.tuner, config, windows = tuner, tuner.config, tuner.windows
        self.encoder = copy.deepcopy(tuner.encoder).eval()  # no dropout, fixed batch norms
        known = tuner.frozen.select(learnt_from)
        self.songs_of = [
            [np.flatnonzero(windows.songs == song) for song in np.flatnonzero(of_class)]
            for of_class in (learnt_from & (windows.labels == name) for name in known.classes)
        ]
        weights, bias = regress(known, known.classes, choose_strength(known))
        self.head = nn.Linear(*weights.shape)
        self.head.weight.data = torch.from_numpy(weights.T.copy()).float()
        self.head.bias.data = torch.from_numpy(bias).float()
        self.optimizer = torch.optim.AdamW(
            [
                {"params": list(self.encoder.parameters()), "lr": config.learning_rate},
                {"params": list(self.head.parameters()), "lr": config.head_rate},
            ],
            weight_decay=config.weight_decay,
        )
        windows_known = int(learnt_from[windows.songs].sum())
        self.steps_per_epoch = -(-windows_known // config.batch_windows)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            self.optimizer, config.epochs * self.steps_per_epoch
        )
        self.random = np.random.default_rng(config.seed)
        self.masks = torch.Generator().manual_seed(config.seed)

    def draw(self) -> tuple[NDArray[np.intp], Tensor]:
        """Draw windows, of each genre as many, of each of its songs as many; and their genres."""
        labels = self.random.integers(len(self.songs_of), size=self.tuner.config.batch_windows)
        rows = []
        for label in labels:
            songs = self.songs_of[label]
            rows.append(self.random.choice(songs[self.random.integers(len(songs))]))
        return np.array(rows), torch.from_numpy(labels)

    def step(self) -> None:
        rows, labels = self.draw()
        embedding, tags = self.encoder(perturb(self.tuner.windows.batch(rows), self.masks))
        away = (1 - (embedding * self.tuner.before[rows]).sum(1)).mean()
        away = away + F.mse_loss(tags, self.tuner.tags_before[rows])
        told = F.cross_entropy(self.head(embedding), labels)
        loss = told + self.tuner.config.nearness_weight * away
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.encoder.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()


def facts(encoder: Encoder, original_sha256: str, windows: Windows) -> dict[str, Any]:
    """Return what the card of a fine-tuned encoder says of its origin."""
    return {
        "finetuned_from": original_sha256,
        "finetuned_on": {"songs": len(windows.labels), "windows": len(windows.windows)},
        "network": asdict(encoder.trunk.config),
    }
