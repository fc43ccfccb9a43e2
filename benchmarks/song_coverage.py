"""How many of a song's windows must be heard? Fidelity and accuracy against song coverage.

Emotify's songs last a minute, twenty windows. Each is heard whole, and then with every second,
third, fourth or fifth window, or with a stretch from its middle. Printed are the cosine of the
song's embedding to the whole song's (median, and what one song in twenty stays below), how many
of the whole song's ten nearest are still among the ten nearest, and the differences, in points, of
a linear probe's accuracy in ten folds that share no artist and of genre precision at ten, with
intervals over artists. What is left out weighs less the longer a song is: a third of four minutes
are 27 windows.

Run: python benchmarks/song_coverage.py [--corpus runs/corpus]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songprint.encoder.inference import Encoder
from songprint.evaluate.intervals import bootstrap_difference
from songprint.evaluate.protocols import NEIGHBOURS, Songs, on_folds
from songprint.evaluate.representations import Representation, encode_songs, our_representation
from songprint.evaluate.retrieval import precision_at_k, rank
from songprint.learn.corpus import Corpus

Chosen = Callable[[int], NDArray[np.intp]]


def every(step: int) -> Chosen:
    return lambda count: np.arange(0, count, step)


def middle(windows: int) -> Chosen:
    def chosen(count: int) -> NDArray[np.intp]:
        first = max(0, (count - windows) // 2)
        return np.arange(first, min(count, first + windows))

    return chosen


COVERAGES: dict[str, Chosen] = {
    "every window": every(1),
    "every second": every(2),
    "every third": every(3),
    "every fourth": every(4),
    "every fifth": every(5),
    "middle 30 s": middle(10),
    "middle 15 s": middle(5),
}


class Judged:
    """What a representation is worth, song by song."""

    def __init__(self, representation: Representation, songs: Songs, shuffles: int) -> None:
        (outcome,) = on_folds(representation, songs, shuffles)
        self.features = representation.features
        self.right = (outcome.predicted == songs.labels).mean(axis=0)
        similarity = representation.similarity()
        self.nearest = rank(similarity)[:, :NEIGHBOURS]
        self.precision = precision_at_k(similarity, songs.labels, NEIGHBOURS, songs.artists)


def kept(ours: NDArray[np.int64], whole: NDArray[np.int64]) -> float:
    """Return the share of the nearest that are the same."""
    same = [len(np.intersect1d(a, b)) for a, b in zip(ours, whole, strict=True)]
    return float(np.mean(same)) / NEIGHBOURS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("runs/corpus"))
    parser.add_argument("--shuffles", type=int, default=3)
    options = parser.parse_args()
    corpus = Corpus(options.corpus)
    entries = [song for song in corpus.songs if song.source == "emotify" and song.genre]
    songs = Songs(
        np.array([song.genre for song in entries]), np.array([song.artist for song in entries])
    )
    windows = encode_songs(Encoder(), corpus, entries, lambda text: print(text, file=sys.stderr))
    print(
        f"{len(entries)} songs of {len(np.unique(songs.artists))} artists, {options.shuffles} times"
    )
    print(f"{'':14}windows  cosine: median, 5 %  nearest kept   probe, points       P@10, points")
    whole = None
    for name, choose in COVERAGES.items():
        heard = [song[choose(len(song))] for song in windows]
        judged = Judged(our_representation(heard), songs, options.shuffles)
        whole = whole or judged
        cosine = np.einsum("nd,nd->n", judged.features, whole.features)
        probe = bootstrap_difference(judged.right, whole.right, songs.artists)
        precision = bootstrap_difference(judged.precision, whole.precision, songs.artists)
        differences = [
            f"{100 * d.value:+5.1f} ({100 * d.low:+.1f} to {100 * d.high:+.1f})"
            for d in (probe, precision)
        ]
        print(
            f"{name:14}{np.mean([len(song) for song in heard]):7.1f}"
            f"  {np.median(cosine):14.4f} {np.quantile(cosine, 0.05):.4f}"
            f"  {100 * kept(judged.nearest, whole.nearest):10.0f} %  " + "  ".join(differences)
        )


if __name__ == "__main__":
    main()
