"""What is compared: songs of the corpus as songprint, the baseline and the teacher see them.

The teacher's embeddings take long on a CPU, so they are kept in a file (``teacher_songs.npz``):
key ``source/name``, value 500 floats: the mean over windows of the MSD network's 200-d embedding,
the MTT network's, and of their 50 + 50 tag probabilities.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songprint.encoder.windows import cut_windows, pool_embeddings
from songprint.evaluate.baseline import mfcc_statistics
from songprint.evaluate.retrieval import Similarity, cosine_similarity

if TYPE_CHECKING:
    from songprint.encoder.inference import Encoder
    from songprint.learn.corpus import Corpus, Song

TEACHERS = ("MSD_musicnn", "MTT_musicnn")
TEACHER_NAME = "MusiCNN MSD+MTT"
OURS = "songprint"
CACHE_NAME = "teacher_songs.npz"

_EMBEDDING = 200
_TEACHER_WINDOWS = 8  # a batch that stays in the cache
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Representation:
    """Songs as one system sees them.

    Attributes
    ----------
    name : str
        The system.
    features : ndarray [shape=(n, d)]
        One row a song.
    standardised : bool
        Whether nearness is cosine of the standardised columns rather than of the rows as they
        are: whichever finds more genre (MFCCs: 0.54 against 0.52 of ten neighbours on Emotify;
        the teacher, the other way round: 0.738 against 0.745).
    """

    name: str
    features: NDArray[Any]
    standardised: bool

    def rows(self, chosen: NDArray[Any]) -> Representation:
        """Return the same of some songs only."""
        return Representation(self.name, self.features[chosen], self.standardised)

    def similarity(self) -> Similarity:
        """Return the nearness of all pairs [shape=(n, n)]."""
        if not self.standardised:
            return cosine_similarity(self.features)
        spread = self.features.std(axis=0)
        centred = self.features - self.features.mean(axis=0)
        return cosine_similarity(centred / np.where(spread > 0, spread, 1.0))


def encode_songs(
    encoder: Encoder, corpus: Corpus, songs: Sequence[Song], tell: Callable[[str], None]
) -> list[NDArray[np.float32]]:
    """Return the window embeddings [shape=(m, 256)] of each song."""
    encoded = []
    for number, song in enumerate(songs):
        if number % 100 == 0:
            tell(f"hearing song {number} of {len(songs)}")
        batches = [encoder.encode(windows) for windows in cut_windows([corpus.frames(song)])]
        encoded.append(np.concatenate([batch.embeddings for batch in batches]))
    return encoded


def our_representation(windows: Sequence[NDArray[np.float32]]) -> Representation:
    """Return songprint's, from the window embeddings of each song."""
    return Representation(OURS, np.stack([pool_embeddings(song) for song in windows]), False)


def mfcc_representation(corpus: Corpus, songs: Sequence[Song]) -> Representation:
    """Return the classic baseline's."""
    rows = [mfcc_statistics(corpus.frames(song)) for song in songs]
    return Representation("MFCC statistics", np.stack(rows), True)


def teacher_representations(songs_500: NDArray[np.float32]) -> list[Representation]:
    """Return the teacher's two, from rows [shape=(n, 500)] of :func:`teacher_songs`."""
    return [
        Representation("MusiCNN MSD", songs_500[:, :_EMBEDDING], False),
        Representation(TEACHER_NAME, songs_500[:, : 2 * _EMBEDDING], False),
    ]


def teacher_songs(
    corpus: Corpus,
    songs: Sequence[Song],
    weights: Path | None,
    cache: Path,
    tell: Callable[[str], None],
) -> NDArray[np.float32] | None:
    """Return what the teacher makes of each song, from the cache as far as it reaches.

    Parameters
    ----------
    corpus : Corpus
        Holds the songs.
    songs : sequence of Song
        Which ones.
    weights : Path or None
        Folder with the teacher's ``.npz`` files.
    cache : Path
        The file of known songs; made or completed.
    tell : callable
        Told of progress.

    Returns
    -------
    ndarray [shape=(n, 500)] or None
        None where songs are missing from the cache and there are no weights to make them with.
    """
    known: dict[str, NDArray[np.float32]] = {}
    if cache.exists():
        with np.load(cache) as archive:
            known = {name: archive[name] for name in archive.files}
    keys = [f"{song.source}/{song.name}" for song in songs]
    missing = [(key, song) for key, song in zip(keys, songs, strict=True) if key not in known]
    if missing and not has_teachers(weights):
        return None
    if missing and weights is not None:
        known |= _hear(corpus, missing, weights, tell)
        partial = cache.with_suffix(".partial.npz")
        np.savez(partial, **known)  # type: ignore[arg-type]
        partial.replace(cache)
    return np.stack([known[key] for key in keys])


def has_teachers(weights: Path | None) -> bool:
    """Tell whether a folder holds the weights of both teachers."""
    return weights is not None and all((weights / f"{name}.npz").exists() for name in TEACHERS)


def _hear(
    corpus: Corpus, missing: Sequence[tuple[str, Song]], weights: Path, tell: Callable[[str], None]
) -> dict[str, NDArray[np.float32]]:
    import torch

    from songprint.learn.teacher import MusiCNN

    networks = [MusiCNN(weights / f"{name}.npz", torch.bfloat16) for name in TEACHERS]
    made = {}
    with torch.inference_mode():
        for number, (key, song) in enumerate(missing):
            if number % 20 == 0:
                tell(f"the teacher hears song {number} of {len(missing)}")
            windows = torch.from_numpy(np.concatenate([*cut_windows([corpus.frames(song)])]))
            batches = torch.split(windows, _TEACHER_WINDOWS)
            heard = [[network(batch) for batch in batches] for network in networks]
            embeddings = [torch.cat([e for e, _ in parts]).mean(0) for parts in heard]
            tags = [torch.cat([t for _, t in parts]).sigmoid().mean(0) for parts in heard]
            made[key] = torch.cat([*embeddings, *tags]).numpy()
    return made
