"""Do stations stay true, and is every song reached? Purity, hubs, smoothness, popularity, reach.

All on the developers' music (``shared_songs.py``), whose songs are 60 s or shorter:

1. hubs and songs that nothing leads to, at ten neighbours: cosine of the embeddings, kinship
   without correction, kinship as it is; and the genre of the neighbours;
2. station purity: 50 stations of 25 songs each from Emotify's 237, the seed's own artist left out,
   at most two songs of any other: the share of songs that people gave the seed's genre, after 5,
   10 and 25; beside cosine of songprint's and of MusiCNN's embeddings, and random songs;
3. how much tempo and loudness vary in a station and from one song to the next;
4. ``--unpopular 1``: the mean rank of play counts, drawn for each artist, and purity;
5. stations from every song of all 1,029: how many are complete, and how many songs none contains;
6. paths between songs at random: how even their steps are, and how small.

Run: python benchmarks/stations.py [--stations 50] [--held-out]
With ``--held-out`` the seeds are songs by artists whom the encoder never heard.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shared_songs import SharedSongs, shared_songs, teacher_embeddings
from songprint.evaluate.retrieval import cosine_similarity, precision_at_k
from songprint.fingerprints import default_fingerprinter
from songprint.kinship.distance import DEFAULT_WEIGHTS, Weights
from songprint.kinship.hubs import reach_of
from songprint.kinship.neighbours import Kinship
from songprint.kinship.path import travel
from songprint.kinship.station import Wishes, grow

AFTER = (5, 10, 25)
Grower = Callable[[int], Sequence[int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stations", type=int, default=50)
    parser.add_argument("--held-out", action="store_true")
    arguments = parser.parse_args()
    everything = shared_songs()
    emotify = everything.take(everything.labelled)
    print(f"model {default_fingerprinter().model_version}; numpy {np.__version__}")
    print_hubs(emotify, everything)
    print_precision(emotify)

    able = (
        np.flatnonzero(emotify.held_out) if arguments.held_out else np.arange(len(emotify.genres))
    )
    count = min(arguments.stations, len(able))
    seeds = np.sort(np.random.default_rng(0).choice(able, count, replace=False))
    whose = " by artists whom the encoder never heard" if arguments.held_out else ""
    print(f"\n{count} stations of 25 songs; seeds of Emotify{whose}")
    kinship = Kinship(emotify.catalogue)
    growers = growers_of(kinship, emotify)
    print_purity(emotify, seeds, growers)
    print_smoothness(kinship, seeds, growers)
    print_unpopular(emotify, seeds)
    print_reach(Kinship(everything.catalogue))
    print_paths(Kinship(everything.catalogue))


def print_hubs(emotify: SharedSongs, everything: SharedSongs) -> None:
    print("\nten neighbours                       songs   skew  never reached  greatest hub")
    for songs in (emotify, everything):
        catalogue = songs.catalogue
        cosine = catalogue.embeddings @ catalogue.embeddings.T
        np.fill_diagonal(cosine, -np.inf)
        nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :10]
        for name, reach in (
            ("cosine of embeddings", reach_of(nearest, len(catalogue))),
            ("kinship, uncorrected", Kinship(catalogue, correct_hubs=False).reach()),
            ("kinship", Kinship(catalogue).reach()),
        ):
            figures = f"{reach.skew:6.2f} {reach.never:14d} {reach.most:13d}"
            print(f"{name:34s} {len(catalogue):7d} {figures}")


def print_precision(songs: SharedSongs) -> None:
    """Print the share of the ten nearest songs of other artists that have the query's genre."""
    catalogue = songs.catalogue
    similarities = {"cosine of embeddings": cosine_similarity(catalogue.embeddings)}
    teacher = teacher_embeddings(songs)
    if teacher is not None:
        similarities["cosine of MusiCNN's, both"] = cosine_similarity(teacher)
    rows = np.arange(len(catalogue))
    for name, correct in (("kinship, uncorrected", False), ("kinship", True)):
        kinship = Kinship(catalogue, correct_hubs=correct)
        raw = kinship.space.distances(kinship.space.queries(rows))
        similarities[name] = -kinship.scaled(raw, rows, DEFAULT_WEIGHTS).astype(np.float64)
    print("\ngenre of the ten nearest songs of other artists, %    all   held-out queries")
    for name, similarity in similarities.items():
        found = 100 * precision_at_k(similarity, songs.genres, 10, kinship.artists)
        print(f"{name:50s} {np.nanmean(found):6.1f} {np.nanmean(found[songs.held_out]):18.1f}")


def growers_of(kinship: Kinship, songs: SharedSongs) -> dict[str, Grower]:
    """Return what is compared, by name: each makes a station of a seed."""
    ours = songs.catalogue.embeddings
    growers: dict[str, Grower] = {
        "random songs": lambda seed: ranked(kinship, seed, luck(seed, len(kinship))),
        "cosine of songprint's embedding": lambda seed: ranked(kinship, seed, ours @ ours[seed]),
    }
    teacher = teacher_embeddings(songs)
    if teacher is not None:
        unit = teacher / np.linalg.norm(teacher, axis=1, keepdims=True)
        growers["cosine of MusiCNN's, both"] = lambda seed: ranked(kinship, seed, unit @ unit[seed])
    else:
        print("MusiCNN's weights are not there: left out")
    growers["station, --any-genre"] = grower(kinship, Wishes(any_genre=True))
    growers["station"] = grower(kinship, Wishes())
    growers["station, --same-genre"] = grower(kinship, Wishes(same_genre=True))
    even = Weights(beat=1.0, intensity=1.0)
    growers["station, --beat 1 --intensity 1"] = grower(kinship, Wishes(weights=even))
    return growers


def luck(seed: int, songs: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).random(songs)


def ranked(kinship: Kinship, seed: int, nearness: NDArray[np.floating]) -> list[int]:
    order = np.argsort(-nearness, kind="stable")
    others = order[kinship.artists[order] != kinship.artists[seed]]
    return kinship.capped(others, 25, 2)


def grower(kinship: Kinship, wishes: Wishes) -> Grower:
    """Grow stations without the seed's own artist."""

    def make(seed: int) -> list[int]:
        own = np.flatnonzero(kinship.artists == kinship.artists[seed])
        never = tuple(int(row) for row in own if row != seed)
        return [song.row for song in grow(kinship, [seed], replace(wishes, never=never)).songs]

    return make


def print_purity(songs: SharedSongs, seeds: NDArray[np.intp], growers: dict[str, Grower]) -> None:
    print("of the seed's genre, %               after 5     after 10     after 25   songs")
    for name, make in growers.items():
        stations = [make(int(seed)) for seed in seeds]
        cells = []
        for after in AFTER:
            hits = [
                np.mean(songs.genres[station[:after]] == songs.genres[seed])
                for seed, station in zip(seeds, stations, strict=True)
                if station
            ]
            error = np.std(hits, ddof=1) / np.sqrt(len(hits))
            cells.append(f"{100 * np.mean(hits):5.1f} ±{196 * error:4.1f}")
        length = np.mean([len(station) for station in stations])
        print(f"{name:33s} {cells[0]}  {cells[1]}  {cells[2]}   {length:5.1f}")


def print_smoothness(kinship: Kinship, seeds: NDArray[np.intp], growers: dict[str, Grower]) -> None:
    octaves = np.log2(kinship.catalogue.number("tempo_bpm"))
    loudness = kinship.catalogue.number("loudness_lufs")
    print(
        "\nmean of stations             spread: tempo, octaves  loudness, LU   step: octaves   LU"
    )
    for name in ("random songs", "station", "station, --beat 1 --intensity 1"):
        rows = [list(growers[name](int(seed))) for seed in seeds]
        spread = [(octave_spread(octaves[r]), np.nanstd(loudness[r])) for r in rows]
        step = [
            (np.nanmean(octave_steps(octaves[r])), np.nanmean(np.abs(np.diff(loudness[r]))))
            for r in rows
        ]
        (tempo, lu), (tempo_step, lu_step) = np.mean(spread, axis=0), np.mean(step, axis=0)
        print(f"{name:32s} {tempo:18.2f} {lu:13.1f} {tempo_step:15.2f} {lu_step:4.1f}")


def octave_spread(octaves: NDArray[np.floating]) -> float:
    """Return the circular standard deviation of tempos, half and double being the same."""
    length = np.abs(np.nanmean(np.exp(2j * np.pi * octaves)))
    return float(np.sqrt(-2 * np.log(max(length, 1e-9))) / (2 * np.pi))


def octave_steps(octaves: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return steps of tempo, in which half and double are the same."""
    steps = np.diff(octaves)
    return np.abs(steps - np.round(steps))


def print_unpopular(songs: SharedSongs, seeds: NDArray[np.intp]) -> None:
    rng = np.random.default_rng(1)
    artists, of_artist = np.unique(songs.catalogue.artists.astype(str), return_inverse=True)
    plays = rng.lognormal(3, 1.5, len(artists))[of_artist] * rng.lognormal(0, 0.5, len(of_artist))
    kinship = Kinship(replace(songs.catalogue, plays=plays.astype(np.float32)))
    rank = plays.argsort().argsort() / (len(plays) - 1)
    print("\nplay counts, drawn for each artist    mean rank   of the seed's genre, %")
    for unpopular in (0.0, 0.5, 1.0):
        make = grower(kinship, Wishes(unpopular=unpopular))
        stations = [make(int(seed)) for seed in seeds]
        heard = np.mean([rank[station].mean() for station in stations])
        pure = np.mean(
            [
                np.mean(songs.genres[station] == songs.genres[seed])
                for seed, station in zip(seeds, stations, strict=True)
            ]
        )
        print(f"--unpopular {unpopular:<22g} {heard:13.2f} {100 * pure:24.1f}")


def print_reach(kinship: Kinship) -> None:
    songs = len(kinship)
    heard = np.zeros(songs, bool)
    complete = widened = 0
    for seed in range(songs):
        station = grow(kinship, [seed])
        heard[[song.row for song in station.songs]] = True
        complete += station.complete
        widened += bool(station.widened)
    print(f"\na station of 25 from each of {songs} songs: {complete} complete, {widened} of them")
    print(f"beyond a guard, and said so; {songs - heard.sum()} songs are in no station")


def print_paths(kinship: Kinship, paths: int = 100, length: int = 10) -> None:
    """Measure paths between songs drawn at random."""
    rng = np.random.default_rng(2)
    errors, backward, steps, direct = [], [], [], []
    for _ in range(paths):
        ends = rng.choice(len(kinship), 2, replace=False)
        found = travel(kinship, kinship.catalogue.take(ends), length)
        progress = np.array([step.progress for step in found.steps])
        errors.append(np.abs(progress - np.arange(1, length + 1) / (length + 1)).mean())
        backward.append((np.diff(progress) < 0).mean())
        rows = np.array([ends[0], *(step.row for step in found.steps), ends[1]])
        between = kinship.space.distances(kinship.space.queries(rows), rows=rows)
        steps.append(np.diag(between, 1).mean())
        direct.append(found.distance)
    print(f"\n{paths} paths of {length} songs between songs at random: off an even step by")
    print(
        f"{np.mean(errors):.3f} of the way, {100 * np.mean(backward):.0f} % of steps backward;",
        end=" ",
    )
    print(f"distance of a step {np.mean(steps):.2f}, of the ends {np.mean(direct):.2f}")


if __name__ == "__main__":
    main()
