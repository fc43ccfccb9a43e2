"""The founder's seed experiment, repeated to show how a leaking split flatters.

One convolution of four filters and one dense layer of 512 units on the spectrogram of ten seconds
of a song. Cut songs into such snippets, shuffle all snippets, hold a fifth back: the network then
meets most test songs in training, and its accuracy is that of a memory. Split by artist instead and
the same network shows what it knows of genre. (The founder read raw magnitude spectrograms; here
they come from the log-mel frames, turned back into magnitudes, since the audio of GTZAN is not at
hand: 96 mel bands instead of linear ones.)

PyTorch, of the extra ``[train]``, is imported only when the network is trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import FRAMES_PER_SECOND, LOG_GAIN, MEL_BANDS
from songprint.evaluate.metrics import Labels

if TYPE_CHECKING:
    import torch

SNIPPET_SECONDS = 10
SNIPPET_FRAMES = int(SNIPPET_SECONDS * FRAMES_PER_SECOND)
FILTERS = 4
DENSE_UNITS = 512
STEP = (10, 4)
"""Frames and bands by which the convolution moves: what keeps the dense layer to 3 M weights."""

_FLOOR = 1e-4

Snippets = NDArray[np.float16]


@dataclass(frozen=True)
class SeedConfig:
    """How the seed network is trained.

    Attributes
    ----------
    epochs : int
        Passes over the training snippets.
    batch_snippets : int
        Snippets a step.
    learning_rate : float
        Of Adam.
    seed : int
        Of weights and order.
    """

    epochs: int = 8
    batch_snippets: int = 32
    learning_rate: float = 5e-4
    seed: int = 0


def cut_snippets(frames: NDArray[np.float32]) -> Snippets:
    """Cut a song into snippets of ten seconds, end to end.

    Parameters
    ----------
    frames : ndarray [shape=(n, 96)]
        Log-mel frames, n ≥ 1; fewer than a snippet's are repeated until they fill one.

    Returns
    -------
    ndarray [shape=(m, 625, 96)]
        Magnitudes, relative to the loudest of the snippet; the end that fills no snippet is left.

    Raises
    ------
    ValueError
        If there is no frame.
    """
    if frames.ndim != 2 or len(frames) == 0:
        raise ValueError(f"frames have shape {frames.shape}, not [n, {MEL_BANDS}]")
    if len(frames) < SNIPPET_FRAMES:
        frames = np.resize(frames, (SNIPPET_FRAMES, frames.shape[1]))
    count = len(frames) // SNIPPET_FRAMES
    power = (np.power(10.0, frames[: count * SNIPPET_FRAMES]) - 1) / LOG_GAIN
    magnitude = np.sqrt(np.maximum(power, 0)).reshape(count, SNIPPET_FRAMES, -1)
    loudest = np.maximum(magnitude.max(axis=(1, 2), keepdims=True), _FLOOR)
    return np.asarray(magnitude / loudest, np.float16)


def fit_predict(
    train: Snippets, labels: Labels, test: Snippets, classes: Sequence[str], config: SeedConfig
) -> NDArray[np.float64]:
    """Train the network and judge other snippets.

    Parameters
    ----------
    train : ndarray [shape=(n, 625, 96)]
        Training snippets, n ≥ 1.
    labels : ndarray [shape=(n,)]
        Their genres, all of `classes`.
    test : ndarray [shape=(m, 625, 96)]
        Snippets to be judged.
    classes : sequence of str
        Genres, in the order of the result's columns.
    config : SeedConfig
        How to train.

    Returns
    -------
    ndarray [shape=(m, C)]
        Probabilities.

    Raises
    ------
    ValueError
        If there is nothing to train on or labels do not fit.
    """
    import torch
    import torch.nn.functional as F

    if len(train) == 0 or len(train) != len(labels):
        raise ValueError(f"{len(train)} snippets with {len(labels)} labels")
    names = list(classes)
    if missing := set(labels.tolist()) - set(names):
        raise ValueError(f"not among the classes: {', '.join(sorted(missing))}")
    targets = torch.tensor([names.index(name) for name in labels.tolist()])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = _network(train.shape[1:], len(names))
        optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate)
        for _ in range(config.epochs):
            order = torch.randperm(len(train))
            for start in range(0, len(order), config.batch_snippets):
                rows = order[start : start + config.batch_snippets]
                loss = F.cross_entropy(network(_tensor(train[rows.numpy()])), targets[rows])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    network.eval()
    with torch.inference_mode():
        parts = [
            network(_tensor(test[i : i + config.batch_snippets])).softmax(1).numpy()
            for i in range(0, len(test), config.batch_snippets)
        ]
    return np.concatenate(parts, dtype=np.float64) if parts else np.empty((0, len(names)))


@dataclass(frozen=True, eq=False)
class SnippetSet:
    """All snippets of some songs.

    Attributes
    ----------
    snippets : ndarray [shape=(n, 625, 96)]
        Of :func:`cut_snippets`.
    songs : ndarray [shape=(n,)]
        Number of the song that each is of.
    labels, artists : ndarray [shape=(S,)]
        Of each song.
    """

    snippets: Snippets
    songs: NDArray[np.intp]
    labels: Labels
    artists: Labels

    @classmethod
    def of(
        cls, frames: Sequence[NDArray[np.float32]], labels: Labels, artists: Labels
    ) -> SnippetSet:
        """Cut songs, each log-mel frames [shape=(m, 96)]."""
        parts = [cut_snippets(song) for song in frames]
        songs = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return cls(np.concatenate(parts), songs, labels, artists)


@dataclass(frozen=True, eq=False)
class SeedJudgement:
    """What the network said of every snippet when it was in the held-back part.

    Attributes
    ----------
    probabilities : ndarray [shape=(n, C)]
        One row a snippet.
    classes : tuple of str
        Of the columns.
    known_songs : float
        Share of the test snippets of whose song another snippet was in the training part.
    """

    probabilities: NDArray[np.float64]
    classes: tuple[str, ...]
    known_songs: float


def judge_folds(
    data: SnippetSet, *, by_artist: bool, folds: int = 5, config: SeedConfig | None = None
) -> SeedJudgement:
    """Judge every snippet by a network trained on the other folds.

    Parameters
    ----------
    data : SnippetSet
        Snippets with songs, genres and artists.
    by_artist : bool
        Keep an artist's snippets in one fold; otherwise snippets are shuffled, which leaks.
    folds : int
        Number of parts.
    config : SeedConfig, optional
        How to train.
    """
    config = config or SeedConfig()
    classes = tuple(str(name) for name in np.unique(data.labels))
    labels = data.labels[data.songs]
    probabilities = np.zeros((len(labels), len(classes)))
    known = 0
    for train, test in _splits(data, by_artist, folds, config.seed):
        probabilities[test] = fit_predict(
            data.snippets[train], labels[train], data.snippets[test], classes, config
        )
        known += int(np.isin(data.songs[test], data.songs[train]).sum())
    return SeedJudgement(probabilities, classes, known / len(labels))


def song_labels(
    judged: NDArray[np.float64], songs: NDArray[np.intp], classes: Sequence[str]
) -> Labels:
    """Return each song's genre [shape=(S,)] by the mean of its snippets' probabilities."""
    sums = np.zeros((int(songs.max()) + 1, judged.shape[1]))
    np.add.at(sums, songs, judged)
    labels: Labels = np.array(classes)[sums.argmax(axis=1)]
    return labels


def _splits(
    data: SnippetSet, by_artist: bool, folds: int, seed: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    labels, artists = data.labels[data.songs], data.artists[data.songs]
    if by_artist:
        grouped = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        yield from grouped.split(labels, labels, artists)
    else:
        yield from StratifiedKFold(folds, shuffle=True, random_state=seed).split(labels, labels)


def _network(shape: tuple[int, ...], classes: int) -> torch.nn.Module:
    from torch import nn

    flat = FILTERS * (shape[0] // STEP[0]) * (shape[1] // STEP[1])
    return nn.Sequential(
        nn.Conv2d(1, FILTERS, STEP, STEP),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(flat, DENSE_UNITS),
        nn.ReLU(),
        nn.Linear(DENSE_UNITS, classes),
    )


def _tensor(snippets: NDArray[Any]) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.asarray(snippets, np.float32))[:, None]
