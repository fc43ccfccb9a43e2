"""Songs and a card that nobody measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from songprint.evaluate.dataset import Measured
from songprint.evaluate.head_check import score_head
from songprint.evaluate.intervals import Interval, McNemar
from songprint.evaluate.leaks import Item, find_leaks
from songprint.evaluate.metrics import wilson
from songprint.evaluate.results import (
    Accuracy,
    Card,
    Comparison,
    Cost,
    Neighbourhoods,
    Retrieval,
    SeedScore,
    Vote,
)
from songprint.fingerprints import Probability
from support.madeup import made_up

GENRES = ("jazz", "rock")


def song(i, label=None, artist=None, split="", seed=0):
    """Song `i`, jazz if that is even, and heard so, by an artist of two songs or so."""
    number = i % 2
    rng = np.random.default_rng([seed, i])
    embedding = np.zeros(256)
    embedding[:8] = 0.1 * rng.normal(size=8)
    embedding[number] += 3
    embedding /= np.linalg.norm(embedding)
    fingerprint = made_up(n=6)
    heard = sorted(fingerprint.genres, key=lambda genre: genre.name != GENRES[number])
    fingerprint = replace(
        fingerprint,
        embedding=embedding.astype(np.float32),
        genres=tuple(
            Probability(genre.name, p.p) for genre, p in zip(heard, fingerprint.genres, strict=True)
        ),
        content_hash=f"{seed}-{i}",
    )
    name = f"artist {i // 4}-{number}" if artist is None else artist
    return Measured(f"{i}.mp3", label or GENRES[number], name, split, fingerprint)


TRUTH = np.array(["jazz"] * 20 + ["rock"] * 20)
CALLED = np.array(["jazz"] * 15 + ["pop"] * 5 + ["rock"] * 20)


def head_score(title="both"):
    """A head that takes some jazz for pop."""
    rng = np.random.default_rng(0)
    return score_head(title, TRUTH, CALLED, rng.uniform(0.3, 1, 40), rng.random(40) > 0.3)


def small_card(**changes):
    """Every part of the card, each as small as can be."""
    interval = Interval(0.5, 0.4, 0.6)
    ours = Accuracy("songprint", "linear probe", wilson(70, 109), (0.6, 0.66), 0.61, interval)
    teacher = Accuracy("MusiCNN MSD", "linear probe", wilson(76, 109), (0.7, 0.7), 0.7)
    tested = Accuracy(
        "MFCC", "SVM (RBF)", wilson(55, 109), (0.5, 0.5), 0.48, interval, McNemar(3, 9, 0.146)
    )
    rows = (ours, tested, teacher)
    comparison = Comparison("GTZAN valid", "the split", 109, 0, rows, "MusiCNN MSD")
    near = Retrieval("songprint", interval, 0.7, interval, 0.6, 1.2, 0.01, 0.9, 0.02)
    leaks = find_leaks(
        [Item("a", np.array([1.0, 0]), "hash", "x")], [Item("b", np.array([1.0, 0]), "hash", "y")]
    )
    fields = {
        "date": "2026-11-23",
        "command": "songprint evaluate developers",
        "versions": {"songprint": "0.1.0", "torch": "2.13"},
        "model": {"parameters": 1234, "trained": {"held_out_artists": ["Somebody"]}},
        "comparisons": (comparison,),
        "retrieval": (Neighbourhoods("Emotify", 237, 63, (near,), None),),
        "head": (head_score("part"), head_score()),
        "votes": (Vote("Emotify", "majority of windows", wilson(3, 4)),),
        "seed": (SeedScore("artists kept apart", wilson(5, 9), wilson(2, 4), 0.0),),
        "leaks": {"train against valid": leaks},
        "cost": Cost(96_000_000, 1_400_000_000, 120.0, 7.5, Interval(16, 15, 17), "a form", 7, 16),
        "notes": ("The teacher was left out.",),
    }
    return Card(**(fields | changes))
