"""A neural fingerprint after Chang et al., trained here, beside the landmarks on the same clips.

`prepare` decodes the music that the encoder was taught with (runs/music, CONTRIBUTING.md) and finds,
by landmarks, which of it the benchmark's songs have, too: a game of which any song is there is left out
whole, so that none is on both sides, and so are accompaniments that share a passage. `train` trains
`songprint.learn.identity` on the rest; noises and rooms are made as the benchmark's, but are others,
and the ambience is recorded wind, rain and water of the same folders. `measure` asks for the same
clips as identify.py, of landmarks, of the network and of both.

Run: python benchmarks/neural_fingerprint.py prepare|train|measure [--steps N] [--queries N]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray

from identify import ROOT, Songs
from songprint.audio.decode import SAMPLE_RATE_HZ, decode
from songprint.audio.peaks import clip_peaks
from songprint.audio.suffixes import AUDIO_SUFFIXES
from songprint.errors import DecodeError
from songprint.identify.index import Part
from songprint.identify.matching import match_peaks
from songprint.identify.segment import Segment
from songprint.learn.identity import IdentityConfig, IdentityTrainer, Pairs, Places
from spoiled import babble, pink, room, unit

HERE = ROOT / "runs" / "identity"
MUSIC = ROOT / "runs" / "music"
ROOMS = 100
ACCOMPANIMENTS = "mma-"
MUSIC_SECONDS, LEAST_SECONDS = 90, 20
CHECKED_SECONDS = 10

Samples = NDArray[np.float32]


def prepare() -> None:
    """Decode the music to train on, and say which of it the benchmark's songs have, too."""
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


NOISE = re.compile(r"wind(?!ing)|rain|storm|water|cricket", re.IGNORECASE)


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


def train(config: IdentityConfig) -> None:
    """Train, or go on training."""
    torch.set_num_threads(1)
    songs, names, ambience = corpus()
    (HERE / "trained_on.json").write_text(json.dumps(names, indent=1))
    hours = sum(map(len, songs)) / SAMPLE_RATE_HZ / 3600
    print(f"{len(songs)} songs, {hours:.1f} h; {len(ambience)} of ambience", flush=True)
    pairs = Pairs(songs, surroundings(ambience), config.seed)
    IdentityTrainer(config, pairs, HERE / "run").run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("prepare", "train", "measure"))
    parser.add_argument("--steps", type=int, default=IdentityConfig.steps)
    parser.add_argument("--queries", type=int, default=1000)
    options = parser.parse_args()
    if options.part == "prepare":
        prepare()
    elif options.part == "train":
        train(IdentityConfig(steps=options.steps))


if __name__ == "__main__":
    main()
