"""Distillation targets: what the teachers make of augmented windows, written in shards.

A shard is made from its number alone (and the corpus), so an interrupted run goes on where it
stopped, several processes can share the work, and two runs give the same shards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from songprint.audio.mel import WINDOW_FRAMES
from songprint.learn import augment
from songprint.learn.corpus import FRAME_SCALE, Corpus, Song, fill_window, quantise
from songprint.learn.teacher import MusiCNN

SHARD_WINDOWS = 1024
TEACHERS = ("MSD_musicnn", "MTT_musicnn")
# GTZAN has a fortieth of the frames but most of the genres; with its fair share of the windows the
# student misses the teachers there by half of the variance, on music that it was trained on.
SOURCE_WEIGHTS = {"open": 1.0, "emotify": 3.0, "gtzan": 7.0, "music": 0.8}
_BATCH_WINDOWS = 8  # the unfolded patches of more windows leave the cache


@dataclass(frozen=True)
class Shard:
    """Windows and what the teachers say of them.

    Attributes
    ----------
    windows : ndarray [shape=(n, 187, 96)], uint8
        Quantised log-mel frames.
    features : ndarray [shape=(n, 4, 2, 2, 753)], float16
        What the MSD and the MTT network's layers before pooling find in each quarter of a window:
        teacher, maximum and mean, channel. Their embeddings and tags follow from it.
    songs : ndarray [shape=(n,)], int32
        Index of each window's song in the corpus; -1 for a mix of two.
    """

    windows: NDArray[np.uint8]
    features: NDArray[np.float16]
    songs: NDArray[np.int32]

    def save(self, path: Path) -> None:
        """Write the shard so that a killed process leaves either all of it or none."""
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(file, **vars(self))
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Shard:
        """Read a shard that :meth:`save` wrote."""
        with np.load(path) as archive:
            return cls(**{name: archive[name] for name in archive.files})


class Distiller:
    """Makes shards from a corpus and the teachers' weights.

    Parameters
    ----------
    corpus : Corpus
        The songs to draw from.
    teachers : Path
        Folder with ``MSD_musicnn.npz`` and ``MTT_musicnn.npz``.
    held_out : set of str
        Artists (see :class:`~songprint.learn.corpus.Song`) never drawn from.
    shard_windows : int
        Windows in a shard.
    """

    def __init__(
        self,
        corpus: Corpus,
        teachers: Path,
        held_out: frozenset[str],
        shard_windows: int = SHARD_WINDOWS,
    ) -> None:
        self._corpus = corpus
        self._shard_windows = shard_windows
        self._teachers = [MusiCNN(teachers / f"{name}.npz", torch.bfloat16) for name in TEACHERS]
        self._indices = np.array(
            [
                i
                for i, song in enumerate(corpus.songs)
                if song.split != "valid" and song.artist not in held_out
            ]
        )
        weights = np.array([self._weight(corpus.songs[i]) for i in self._indices])
        self._weights = weights / weights.sum()

    @staticmethod
    def _weight(song: Song) -> float:
        # A song of a minute is worth more windows than an excerpt of two seconds, but not 30 times.
        return SOURCE_WEIGHTS[song.source] * math.sqrt(min(song.frames / WINDOW_FRAMES, 12.0))

    def shard(self, number: int) -> Shard:
        """Draw, augment and label the windows of shard `number`."""
        rng = np.random.default_rng([20261123, number])
        drawn = [self._draw(rng) for _ in range(self._shard_windows)]
        windows = np.stack([quantise(window) for window, _ in drawn])
        songs = np.array([song for _, song in drawn], np.int32)
        features = []
        with torch.inference_mode():
            for start in range(0, self._shard_windows, _BATCH_WINDOWS):
                batch = torch.from_numpy(windows[start : start + _BATCH_WINDOWS]) / FRAME_SCALE
                heard = torch.stack([teacher.segments(batch) for teacher in self._teachers], 2)
                features.append(heard.half())
        return Shard(windows, torch.cat(features).numpy(), songs)

    def _crop(self, song: Song, rng: Generator) -> NDArray[np.float32]:
        stretch = rng.random() < 0.3
        wanted = int(WINDOW_FRAMES * 1.16) if stretch else WINDOW_FRAMES
        if rng.random() < 0.15:  # an excerpt too short for a window, which is heard repeated
            wanted = int(rng.integers(WINDOW_FRAMES // 2, WINDOW_FRAMES))
        first = int(rng.integers(0, max(song.frames - wanted, 0) + 1))
        frames = fill_window(self._corpus.frames(song)[first : first + wanted])
        if stretch:
            return augment.change_tempo(frames, WINDOW_FRAMES, rng)
        return frames[:WINDOW_FRAMES]

    def _draw(self, rng: Generator) -> tuple[NDArray[np.float32], int]:
        index = int(rng.choice(self._indices, p=self._weights))
        window = self._crop(self._corpus.songs[index], rng)
        if rng.random() < 0.25:  # as recorded: what the encoder is asked to hear most
            return window, index
        power = augment.to_power(window)
        # A thousand songs are few; their mixtures are many, and the teachers judge them as well.
        for combine, probability in ((augment.mix, 0.5), (augment.splice, 0.25)):
            if rng.random() < probability:
                other = self._corpus.songs[int(rng.choice(self._indices, p=self._weights))]
                power = combine(power, augment.to_power(self._crop(other, rng)), rng)
                index = -1
        for change, probability in (
            (augment.reverse, 0.15),
            (augment.change_pitch, 0.4),
            (augment.equalise, 0.5),
            (augment.limit_band, 0.1),
            (augment.add_noise, 0.1),
            (augment.gain, 0.7),
        ):
            if rng.random() < probability:
                power = change(power, rng)
        return augment.to_log(power), index
