"""The leak check: finds what of the test is in the training data.

A classifier that has met a test song, or another song of its artist, is measured on its memory
(the "album effect" [1]_; GTZAN's replicas [2]_). Three things are looked for on both sides of a
split: the same audio (equal content hash), the same recording (by spectral peaks, as
``songprint duplicates`` finds them, whatever the encoding, level or cut; and by embeddings nearer
than almost any two songs of different artists), and the same artist (tags equal but for case,
accents, articles and guests).

References
----------
.. [1] A. Flexer and D. Schnitzer, "Effects of album and artist filters in audio similarity computed
       for very large music databases", Computer Music Journal 34, 2010.
.. [2] B. L. Sturm, "The GTZAN dataset: its contents, its faults, their effects on evaluation, and
       its future use", arXiv:1306.1461, 2013.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songprint.audio.peaks import Peaks
from songprint.identify.duplicates import Pair, pairs_of
from songprint.identify.index import Part
from songprint.identify.segment import Segment

CHANCE = 1e-4
"""Share of pairs of different artists that are as near as what is called the same recording."""

MIN_CALIBRATION_PAIRS = 200
MOST_CALIBRATION_SONGS = 2000
FALLBACK_COSINE = 0.98
"""Nearness of the same recording where too few pairs of different artists are there to tell."""

CONFIRMING_CORRELATION = 0.7
"""Least correlation of two songs' courses that confirms that they are one recording."""

MIN_CONFIRMING_STEPS = 4

SAME_AUDIO = "same audio"
SAME_RECORDING = "same recording"
SOUNDS_THE_SAME = "sounds the same"
SAME_ARTIST = "same artist"
REASONS = (SAME_AUDIO, SAME_RECORDING, SOUNDS_THE_SAME, SAME_ARTIST)
"""Reasons, gravest first; all but the third are leaks, the third is to be listened to."""


@dataclass(frozen=True, eq=False)
class Item:
    """What the leak check knows of a song.

    Attributes
    ----------
    name : str
        Path or other name.
    embedding : ndarray [shape=(d,)]
        Of the song, with a direction.
    content_hash, artist, title : str
        Empty where unknown.
    course : ndarray [shape=(m, f)], optional
        Any features in the order of time, evenly spaced: window embeddings, levels.
    peaks : Peaks, optional
        Of its spectrum; None where there is no audio.
    """

    name: str
    embedding: NDArray[np.floating[Any]]
    content_hash: str = ""
    artist: str = ""
    title: str = ""
    course: NDArray[np.floating[Any]] | None = None
    peaks: Peaks | None = None


@dataclass(frozen=True)
class Leak:
    """One pair across the split, and why it is suspect.

    Attributes
    ----------
    train, test : str
        Names of the songs.
    reason : str
        One of :data:`REASONS`.
    cosine : float
        Between their embeddings.
    correlation : float or None
        Between their courses, where both are known and long enough.
    detail : str
        For a person: the artist, the title, or nothing.
    agreement : float or None
        Of their spectral peaks, beyond chance, where these are of one recording.
    common_seconds : float or None
        How long the two go together, by their peaks.
    """

    train: str
    test: str
    reason: str
    cosine: float
    correlation: float | None = None
    detail: str = ""
    agreement: float | None = None
    common_seconds: float | None = None


@dataclass(frozen=True)
class LeakReport:
    """What the leak check found.

    Attributes
    ----------
    leaks : tuple of Leak
        Gravest first, then nearest first; one a pair, by its gravest reason.
    cosine_threshold : float
        From here on two songs are taken for one recording.
    calibration_pairs : int
        Pairs of different artists that set the threshold; 0 if it is the fallback.
    train_songs, test_songs : int
        How many were compared.
    artists_known : bool
        Whether every song names an artist; if not, shared artists may have been missed.
    peaks_known : bool
        Whether every song was compared by its spectral peaks; if not, recordings on both sides may
        have been missed.
    """

    leaks: tuple[Leak, ...]
    cosine_threshold: float
    calibration_pairs: int
    train_songs: int
    test_songs: int
    artists_known: bool
    peaks_known: bool

    def counts(self) -> dict[str, int]:
        """Return how many pairs there are for each reason."""
        return {reason: sum(leak.reason == reason for leak in self.leaks) for reason in REASONS}


def find_leaks(train: Sequence[Item], test: Sequence[Item]) -> LeakReport:
    """Compare all training songs with all test songs.

    Parameters
    ----------
    train, test : sequence of Item
        At least one each, embeddings of one length.

    Returns
    -------
    LeakReport
        Pairs and the threshold that found them.

    Raises
    ------
    ValueError
        If a side is empty or an embedding has no direction.
    """
    if not train or not test:
        raise ValueError(f"{len(train)} training and {len(test)} test songs")
    return _search(train, test, np.ones((len(train), len(test)), bool), [*train, *test])


def find_leaks_across(parts: Sequence[object], items: Sequence[Item]) -> LeakReport:
    """Compare all songs of different parts, such as folds, or artists.

    Parameters
    ----------
    parts : sequence [shape=(n,)]
        What part each song is in.
    items : sequence of Item
        The songs, at least two.

    Returns
    -------
    LeakReport
        Each pair once, the song that comes first as ``train``.

    Raises
    ------
    ValueError
        If there are fewer songs or another number of parts, or an embedding has no direction.
    """
    if len(items) < 2 or len(parts) != len(items):
        raise ValueError(f"{len(items)} songs in {len(parts)} parts")
    numbers = _codes([str(part) for part in parts])
    return _search(items, items, np.triu(numbers[:, None] != numbers[None, :]), items)


def _search(
    train: Sequence[Item],
    test: Sequence[Item],
    across: NDArray[np.bool_],
    everybody: Sequence[Item],
) -> LeakReport:
    threshold, pairs = calibrate(everybody)
    cosines = _unit(train) @ _unit(test).T
    hashes = [item.content_hash for item in (*train, *test)]
    artists = [normalised_artist(item.artist) for item in (*train, *test)]
    same_audio, same_artist = _equal(hashes, len(train)), _equal(artists, len(train))
    suspects = across & (same_audio | same_artist | (cosines >= threshold))
    recordings = _same_recordings(train, test)
    for both in recordings:
        suspects[both] |= across[both]
    leaks = []
    for i, j in zip(*np.nonzero(suspects), strict=True):
        cosine, pair = float(cosines[i, j]), recordings.get((i, j))
        leak = _judge(train[i], test[j], cosine, threshold, same_artist[i, j], pair)
        leaks += [leak] if leak else []
    leaks.sort(key=lambda leak: (REASONS.index(leak.reason), -leak.cosine, leak.train, leak.test))
    return LeakReport(
        tuple(leaks),
        threshold,
        pairs,
        len(train),
        len(test),
        artists_known=all(artists),
        peaks_known=all(item.peaks is not None for item in (*train, *test)),
    )


def _same_recordings(train: Sequence[Item], test: Sequence[Item]) -> dict[tuple[int, int], Pair]:
    """Return the pairs, by their places, whose spectral peaks are of one recording.

    Between songs of one list each asks for the others: a mix finds a dozen of its tracks, but each
    of these finds the mix. The first song of a pair is then the one that comes first.
    """
    known = [i for i, item in enumerate(train) if item.peaks is not None]
    packed = [peaks.packed() for item in train if (peaks := item.peaks) is not None]
    part = Part(Segment.build([str(i) for i in known], packed))
    rows = {i: row for row, i in enumerate(known)}
    found: dict[tuple[int, int], Pair] = {}
    for j, item in enumerate(test):
        if item.peaks is None:
            continue
        own = (part, rows[j]) if train is test else None
        song = "", Peaks.unpacked(item.peaks.packed())
        for pair in pairs_of([part], song, own=own, overlaps=True):
            i = int(pair.first or pair.second)
            both = (j, i) if train is test and j < i else (i, j)
            if both not in found or pair.agreement > found[both].agreement:
                found[both] = pair
    return found


def _equal(names: Sequence[str], split_at: int) -> NDArray[np.bool_]:
    """Tell for each of the first names and each of the others whether both are known and equal."""
    codes = _codes(names)
    known = np.array([bool(name) for name in names])
    first, second = slice(None, split_at), slice(split_at, None)
    same: NDArray[np.bool_] = codes[first, None] == codes[None, second]
    same &= known[first, None] & known[None, second]
    return same


def _codes(names: Sequence[str]) -> NDArray[np.intp]:
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], np.intp)


def calibrate(items: Sequence[Item]) -> tuple[float, int]:
    """Find the cosine that one in ten thousand pairs of different artists reaches.

    That quantile is read from the pairs, and from a normal tail through the median and the 99th
    percentile of their Fisher transforms; the lesser counts. Duplicates under two artists' names
    raise the first, in a small collection above themselves, and leave the second alone.

    Parameters
    ----------
    items : sequence of Item
        All songs; of more than two thousand, a fixed choice is taken.

    Returns
    -------
    threshold : float
        At most 0.9999.
    pairs : int
        How many pairs it rests on; 0 if they were too few, and it is the fallback.
    """
    if len(items) > MOST_CALIBRATION_SONGS:
        chosen = np.random.default_rng(0).permutation(len(items))[:MOST_CALIBRATION_SONGS]
        items = [items[i] for i in chosen]
    unit = _unit(items)
    # An artist that is not known may be any: each such song counts as an artist of its own.
    artists = _codes([normalised_artist(item.artist) or f"\0{i}" for i, item in enumerate(items)])
    hashes = _codes([item.content_hash or f"\0{i}" for i, item in enumerate(items)])
    apart = (artists[:, None] != artists[None, :]) & (hashes[:, None] != hashes[None, :])
    cosines = (unit @ unit.T)[np.triu(apart, 1)]
    if len(cosines) < MIN_CALIBRATION_PAIRS:
        return FALLBACK_COSINE, 0
    transformed = np.arctanh(np.clip(cosines, -0.999999, 0.999999))
    centre, upper = np.quantile(transformed, [0.5, 0.99])
    normal = NormalDist()
    reach = normal.inv_cdf(1 - CHANCE) / normal.inv_cdf(0.99)
    tail = float(np.tanh(centre + (upper - centre) * reach))
    return min(0.9999, float(np.quantile(cosines, 1 - CHANCE)), tail), len(cosines)


def course_correlation(first: NDArray[Any], second: NDArray[Any]) -> float | None:
    """Correlate two songs' courses at the offset where they agree best.

    Parameters
    ----------
    first, second : ndarray [shape=(m, f)]
        Features in the order of time; each song's own mean is taken away first, so that two songs
        of one style do not agree by that alone.

    Returns
    -------
    float or None
        -1 to 1, over an overlap of at least half the shorter course; None if a course has fewer
        than four steps or does not vary.
    """
    a, b = (np.asarray(course, np.float64) for course in (first, second))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"courses have shapes {a.shape} and {b.shape}")
    if min(len(a), len(b)) < MIN_CONFIRMING_STEPS:
        return None
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    shortest = max(MIN_CONFIRMING_STEPS, min(len(a), len(b)) // 2)
    best: float | None = None
    for offset in range(shortest - len(b), len(a) - shortest + 1):
        start, stop = max(0, offset), min(len(a), offset + len(b))
        left, right = a[start:stop], b[start - offset : stop - offset]
        scale = np.linalg.norm(left) * np.linalg.norm(right)
        if scale > 1e-12:
            best = max(-1.0 if best is None else best, float((left * right).sum() / scale))
    return best


def normalised_artist(tag: str) -> str:
    """Return an artist's name without case, accents, punctuation, leading article and guests.

    Examples
    --------
    >>> normalised_artist("The Béatles (feat. Ringo)") == normalised_artist("beatles")
    True
    """
    # Compatibility caseless matching of the Unicode Standard (definition D146): a mathematical
    # capital, say, has a case only once it is decomposed.
    folded = unicodedata.normalize("NFD", tag).casefold()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", folded).casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    alone = re.split(r"\W+(?:feat|ft|featuring)\b", plain, maxsplit=1)[0]
    words = re.findall(r"\w+", alone.replace("&", " and "))
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    return " ".join(words)


def _judge(
    train: Item,
    test: Item,
    cosine: float,
    threshold: float,
    same_artist: np.bool_,
    pair: Pair | None,
) -> Leak | None:
    if train.content_hash and train.content_hash == test.content_hash:
        return Leak(train.name, test.name, SAME_AUDIO, cosine)
    if pair is not None:
        return Leak(
            train.name,
            test.name,
            SAME_RECORDING,
            cosine,
            detail=pair.kind,
            agreement=pair.agreement,
            common_seconds=pair.common_seconds,
        )
    if cosine >= threshold:
        correlation = None
        if train.course is not None and test.course is not None:
            correlation = course_correlation(train.course, test.course)
        detail = train.artist if same_artist else ""
        if correlation is None or correlation >= CONFIRMING_CORRELATION:
            return Leak(train.name, test.name, SAME_RECORDING, cosine, correlation, detail)
        if not same_artist:
            return Leak(train.name, test.name, SOUNDS_THE_SAME, cosine, correlation)
    if same_artist:
        title = normalised_artist(train.title)
        same_title = bool(title) and title == normalised_artist(test.title)
        detail = f"{train.artist}: {train.title}" if same_title else train.artist
        return Leak(train.name, test.name, SAME_ARTIST, cosine, None, detail)
    return None


def _unit(items: Sequence[Item]) -> NDArray[np.float64]:
    rows = np.stack([np.asarray(item.embedding, np.float64) for item in items])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(rows).all() or (lengths == 0).any():
        raise ValueError("an embedding has no direction")
    unit: NDArray[np.float64] = rows / lengths
    return unit
