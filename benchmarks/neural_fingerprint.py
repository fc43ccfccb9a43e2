"""A neural fingerprint after Chang et al., trained here, beside the landmarks on the same clips.

`prepare` decodes the music that the encoder was taught with (runs/music, CONTRIBUTING.md) and finds
by landmarks which of it the benchmark's songs have, too: a game of which any song is there is left
out whole, so that none is on both sides, and so are accompaniments that share a passage. `train`
trains `songprint.learn.identity` on the rest; noises and rooms are made as the benchmark's are, but
others, and the ambience is wind, rain and water recorded for these games. `measure` asks for the
clips of identify.py, of landmarks, of the network and of both; `adding` says what songs cost.

Run: python benchmarks/neural_fingerprint.py prepare|train|measure|adding [--queries 1000]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray

from identify import (
    LEVELS_DB,
    ROOT,
    SECONDS,
    Ours,
    Plan,
    Query,
    Songs,
    Tally,
    level_name,
    spoil,
)
from neural_windows import NeuralWindows, Place
from songprint.audio.decode import SAMPLE_RATE_HZ, decode
from songprint.audio.mel import log_mel
from songprint.audio.peaks import FRAMES_PER_SECOND, clip_peaks, song_peaks
from songprint.audio.suffixes import AUDIO_SUFFIXES
from songprint.errors import DecodeError
from songprint.identify.agreement import ClipGrid
from songprint.identify.index import Part
from songprint.identify.matching import least_evidence, match_peaks
from songprint.identify.segment import Segment
from songprint.learn.identity import (
    IdentityConfig,
    IdentityNetwork,
    IdentityTrainer,
    Pairs,
    Places,
    export,
)
from spoiled import babble, in_room, pink, room, unit

HERE = ROOT / "runs" / "identity"
MUSIC = ROOT / "runs" / "music"
ROOMS = 100
ACCOMPANIMENTS = "mma-"
NOISE = re.compile(r"wind(?!ing)|rain|storm|water|cricket", re.IGNORECASE)
"""Names of what is taken for noise; of the eight that are left, two are a train and "training"."""

MUSIC_SECONDS, LEAST_SECONDS = 90, 20
CHECKED_SECONDS = 10
PLACES = 10
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
WEIGHTS = (0, 5, 10, 20, 40, 80, 1000)
WEIGHT = 5.0
"""Of a cosine, in units of evidence; of those above, best on `--seed 21 --queries 160`."""

Samples = NDArray[np.float32]


def prepare() -> None:
    """Decode the music to train on, and say which of it the benchmark's songs have, too."""
    HERE.mkdir(parents=True, exist_ok=True)
    songs = Songs()
    everything = list(range(len(songs)))
    part = Part(Segment.build([str(n) for n in everything], songs.packed_peaks(everything)))
    told, place = [], 0
    with (HERE / "songs.i16").open("wb") as file:
        for path in sorted(MUSIC.rglob("*")):
            if path.suffix.lower() not in AUDIO_SUFFIXES:
                continue
            try:
                samples = decode(path)
            except DecodeError as error:
                print(error, file=sys.stderr)
                continue
            if len(samples) < LEAST_SECONDS * SAMPLE_RATE_HZ or not samples.any():
                continue
            kept = MUSIC_SECONDS * SAMPLE_RATE_HZ
            samples = samples[max(0, (len(samples) - kept) // 2) :][:kept]
            known = set()
            length = CHECKED_SECONDS * SAMPLE_RATE_HZ
            for start in np.linspace(0, len(samples) - length, 4).astype(int):
                found = match_peaks([part], clip_peaks(samples[start : start + length]), 10.0)
                if found is not None and found.convinces:
                    known.add(int(found.song))
            file.write((np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes())
            told.append(
                {
                    "name": str(path.relative_to(MUSIC)),
                    "start": place,
                    "samples": len(samples),
                    "known": [songs.paths[n] for n in sorted(known)],
                }
            )
            place += len(samples)
    (HERE / "songs.json").write_text(json.dumps(told, indent=1))


def corpus() -> tuple[list[NDArray[np.int16]], list[str], list[Samples]]:
    """Return the songs to train on, their names, and recorded wind, rain and water."""
    told = json.loads((HERE / "songs.json").read_text())
    games = {Path(song["name"]).parts[0] for song in told if song["known"]}
    games -= {folder for folder in games if folder.startswith(ACCOMPANIMENTS)}
    samples = np.memmap(HERE / "songs.i16", np.int16, "r")
    songs, names, noises = [], [], []
    for song in told:
        if song["known"] or Path(song["name"]).parts[0] in games:
            continue
        heard = samples[song["start"] : song["start"] + song["samples"]]
        if NOISE.search(Path(song["name"]).stem):
            noises.append(unit(heard.astype(np.float32)))
        else:
            songs.append(heard)
            names.append(song["name"])
    return songs, names, noises


def surroundings(ambience: list[Samples]) -> Places:
    """Return noises, a third of each kind, and rooms; none of them is the benchmark's."""
    rng = np.random.default_rng(100)
    count = 60 * SAMPLE_RATE_HZ
    noises = [pink(count, rng) for _ in range(len(ambience))]
    noises += [babble(count, rng) for _ in range(len(ambience))]
    return Places(noises + ambience, [room(rng)[0] for _ in range(ROOMS)])


def train(config: IdentityConfig) -> IdentityNetwork:
    """Train, or go on training."""
    torch.set_num_threads(1)
    songs, names, ambience = corpus()
    (HERE / "trained_on.json").write_text(json.dumps(names, indent=1))
    hours = sum(map(len, songs)) / SAMPLE_RATE_HZ / 3600
    print(f"{len(songs)} songs, {hours:.1f} h; {len(ambience)} of ambience", flush=True)
    pairs = Pairs(songs, surroundings(ambience), config.seed)
    return IdentityTrainer(config, pairs, HERE / "run", DEVICE).run()


class Both:
    """Landmarks and the network, and what they say together, of the same clips."""

    def __init__(self, songs: Songs, plan: Plan, network: Path) -> None:
        library = plan.library
        self.landmarks = Ours(songs, library)
        self.neural = NeuralWindows(network, {n: songs[n] for n in library.tolist()})
        self._segment = self.landmarks.segment
        self._row = {name: row for row, name in enumerate(self._segment.songs.tolist())}
        self.seconds = Counter[str]()

    def ask(self, clip: Samples) -> Answers:
        """Ask each by itself; then weigh the places of both by what both say of them."""
        clock = time.process_time()
        song, seconds, evidence, _ = self.landmarks.ask(clip)
        clock = self._spent("landmarks", clock)
        likeness = self.neural.likeness(clip)
        places = self.neural.places(likeness, PLACES)
        clock = self._spent("neural", clock)
        answers = {
            "landmarks": [(evidence, 0.0, song, seconds)] if song is not None else [],
            "neural": [(0.0, place.cosine, place.song, place.seconds) for place in places],
        }
        grid = ClipGrid(clip_peaks(clip), len(clip) / SAMPLE_RATE_HZ)
        both = []
        if song is not None:
            cosine = self.neural.cosine_at(likeness, song, seconds)
            both.append((evidence, cosine, song, seconds))
        both += [(self._evidence(grid, p), p.cosine, p.song, p.seconds) for p in places]
        self._spent("both", clock)
        return answers | {"both": both}

    def _spent(self, name: str, since: float) -> float:
        now = time.process_time()
        self.seconds[name] += now - since
        return now

    def _evidence(self, grid: ClipGrid, place: Place) -> float:
        row = self._row[str(place.song)]
        start = place.seconds * FRAMES_PER_SECOND
        packed = self._segment.packed_within(row, start - 5, start + grid.frames + 5)
        found = grid.best([packed] * 3, [start - 3, start, start + 3])
        return -20.0 if found is None else max(found[1].evidence, -20.0)


Answer = tuple[float, float, int, float]
"""Evidence, cosine, song, place in seconds."""
Answers = dict[str, list[Answer]]


@dataclass(frozen=True)
class Asked:
    """A clip, and what was answered."""

    query: Query
    level_db: int | None
    seconds: int
    answers: Answers


def ask_all(both: Both, queries: list[Query], minutes: float, rooms: int = 0) -> list[Asked]:
    """Ask each query at all lengths, of the levels at one in turn, as identify.py does."""
    until = time.monotonic() + 60 * minutes
    rng = np.random.default_rng(3)
    responses = [room(rng)[0] for _ in range(rooms)]
    asked = []
    for turn, query in enumerate(queries):
        if time.monotonic() > until:
            break
        clip = in_room(query.clip, responses[turn % rooms]) if rooms else query.clip
        for step, length in enumerate(SECONDS):
            level = LEVELS_DB[(turn + step) % len(LEVELS_DB)]
            heard = spoil(query, clip[: length * SAMPLE_RATE_HZ], level)
            asked.append(Asked(query, level, length, both.ask(heard)))
        query.forget()
    return asked


def scored(asked: Asked, kind: str, weight: float = WEIGHT) -> tuple[float, Answer] | None:
    """Return the best answer of a kind and its score: beyond the least evidence, or a cosine."""
    least = least_evidence(asked.seconds)
    scores = {
        "landmarks": lambda evidence, _: evidence - least,
        "neural": lambda _, cosine: cosine,
        "both": lambda evidence, cosine: evidence - least + weight * cosine,
    }
    answers = asked.answers[kind]
    if not answers:
        return None
    return max((scores[kind](*answer[:2]), answer) for answer in answers)


def table(songs: Songs, kind: str, asked: list[Asked], least: dict[int, float]) -> Iterator[str]:
    """Yield per cent told and right (best guess right; told and wrong) of each cell."""
    tally = Tally(songs)
    for each in asked:
        cell = f"{kind} {level_name(each.level_db)} {each.seconds} s"
        best = scored(each, kind)
        if best is None:
            tally.add(cell, each.query, None, 0.0, 0.0, False)
        else:
            score, (_, _, song, seconds) = best
            tally.add(cell, each.query, song, seconds, score, score >= least[each.seconds])
    yield from tally.table(kind, list(map(level_name, LEVELS_DB)), [f"{s} s" for s in SECONDS])


def weights(songs: Songs, asked: list[Asked]) -> Iterator[str]:
    """Yield, by the weight of a cosine, how often both name the song of a clip in noise."""
    names = songs.same()
    for weight in WEIGHTS:
        cells = []
        for seconds in SECONDS:
            noisy = [a for a in asked if a.seconds == seconds and a.level_db is not None]
            best = [(a.query.song, scored(a, "both", weight)) for a in noisy]
            right = [b is not None and names[b[1][2]] == names[song] for song, b in best]
            cells.append(f"{100 * np.mean(right):.1f}")
        yield f"weight {weight:>4}: best guess right of {', '.join(cells)}% of noisy clips"


def thresholds(kind: str, asked: list[Asked]) -> dict[int, float]:
    """Return for each length what one in two hundred clips of songs that are not there reach."""
    least = {}
    for seconds in SECONDS:
        best = [scored(each, kind) for each in asked if each.seconds == seconds]
        least[seconds] = float(np.quantile([b[0] for b in best if b is not None], 0.995))
    return least


def measure(network: Path, queries: int, seed: int, minutes: float, rooms: int) -> None:
    """Ask, and print a table for each."""
    songs = Songs()
    plan = Plan(songs)
    both = Both(songs, plan, network)
    away = plan.queries(plan.tune, queries // 4, 13) + plan.queries(plan.absent, queries // 4, 12)
    not_there = ask_all(both, away, minutes)
    both.seconds.clear()
    asked = ask_all(both, plan.queries(plan.library, queries, seed), minutes, rooms)
    clips = len(asked)
    told = {name: f"{1000 * spent / clips:.0f} ms" for name, spent in both.seconds.items()}
    print(f"{clips} clips; a clip takes {told}; {both.neural.bytes_a_second:.0f} bytes a second")
    print("\n".join(weights(songs, asked)))
    for kind in ("landmarks", "neural", "both"):
        least = thresholds(kind, not_there)
        print(f"{kind}: told from {least}")
        print("\n".join(table(songs, kind, asked, least)), flush=True)


def adding(network: Path) -> None:
    """Say how long the fingerprints of songs take beside their log-mel frames and their peaks."""
    songs = Songs()
    some = [songs[n] for n in range(0, len(songs), 40)]
    neural = NeuralWindows(network, {0: some[0]})
    frames = [log_mel(samples) for samples in some]
    minutes = sum(map(len, some)) / SAMPLE_RATE_HZ / 60
    for name, work, inputs in (
        ("log-mel", log_mel, some),
        ("peaks", song_peaks, some),
        ("fingerprints", neural.song_prints, frames),
    ):
        clock = time.process_time()
        for each in inputs:
            work(each)
        print(f"{name}: {1000 * (time.process_time() - clock) / minutes:.0f} ms a minute of song")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("prepare", "train", "measure", "adding"))
    parser.add_argument("--steps", type=int, default=IdentityConfig.steps)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=11, help="of the queries; 11 is identify.py's")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rooms", type=int, default=0, help="that the clips are heard in")
    options = parser.parse_args()
    network = HERE / "identity.onnx"
    if options.part == "prepare":
        prepare()
    elif options.part == "train":
        export(train(IdentityConfig(steps=options.steps)), network)
    elif options.part == "measure":
        measure(network, options.queries, options.seed, options.minutes, options.rooms)
    else:
        adding(network)


if __name__ == "__main__":
    main()
