"""Whether copies of a recording are found, and nothing else is taken for one.

All songs of ../shared/data but the ambience are a library. Some get four copies each: mp3 at 128
and at 64 kbit/s, aac at 96 kbit/s, opus at 48 kbit/s, the second with two seconds of silence before
it and the third without its first second; and three that must be kept apart: a remaster (equaliser,
compressor, limiter), the song with voices over it, and another take, whose time sways by a tenth of
a second as no two performances are the same. What songprint calls copies is compared with what are.
Developers ship a track in several encodings: of songs of one artist, source and title, pairs that
are found count as right and pairs that are not are not missed.

Run: python benchmarks/duplicates.py [--songs 60] [--seed 5]
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable
from itertools import combinations

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.signal import butter, lfilter

from identify import Plan, Songs
from songprint.audio.decode import SAMPLE_RATE_HZ
from songprint.audio.peaks import song_peaks
from songprint.descriptors.core import describe
from songprint.identify.duplicates import Sound, find_pairs, group_copies, told_apart
from songprint.identify.index import Index, Part
from songprint.identify.segment import Segment
from spoiled import Samples, babble, coded, unit


def remastered(song: Samples) -> Samples:
    treble = butter(1, 2500, "high", fs=SAMPLE_RATE_HZ)
    bass = butter(1, 150, fs=SAMPLE_RATE_HZ)
    bright = song + 0.6 * lfilter(*treble, song) + 0.3 * lfilter(*bass, song)
    level = np.sqrt(lfilter([0.002], [1, -0.998], np.square(bright)) + 1e-6)
    threshold = np.quantile(level, 0.4)
    loud = bright * np.minimum(1.0, (level / threshold) ** -0.5)
    return np.tanh(2.0 * loud / np.abs(loud).max()).astype(np.float32)


def sung_over(song: Samples) -> Samples:
    voice = babble(len(song), np.random.default_rng(0))
    return (song + 0.7 * np.std(song) * unit(voice)).astype(np.float32)


def another_take(song: Samples) -> Samples:
    time_samples = np.arange(len(song))
    sway = 0.1 * SAMPLE_RATE_HZ * np.sin(2 * np.pi * time_samples / (9 * SAMPLE_RATE_HZ))
    return np.interp(time_samples + sway, time_samples, song).astype(np.float32)


def sound_of(song: Samples) -> Sound:
    heard = describe(song)
    return Sound(heard.intensity.dynamic_range_db, heard.timbre.brightness_hz)


SILENCE = np.zeros(2 * SAMPLE_RATE_HZ, np.float32)

COPIES: dict[str, Callable[[Samples], Samples]] = {
    "mp3 128": lambda song: coded(song, "mp3", 128_000),
    "mp3 64, silence": lambda song: coded(np.concatenate([SILENCE, song]), "mp3", 64_000),
    "aac 96, trimmed": lambda song: coded(song[SAMPLE_RATE_HZ:], "aac", 96_000),
    "opus 48": lambda song: coded(song, "opus", 48_000),
}
OTHERS: dict[str, Callable[[Samples], Samples]] = {
    "remaster": remastered,
    "voice over it": sung_over,
    "another take": another_take,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=5, help="of the choice of songs")
    options = parser.parse_args()
    songs = Songs()
    plan = Plan(songs)
    everything = sorted([*plan.library.tolist(), *plan.tune, *plan.absent])
    chosen = np.random.default_rng(options.seed).permutation(plan.library)
    chosen = chosen[: options.songs].tolist()
    names, packed, sounds = [], [], {}

    for number, peaks in zip(everything, songs.packed_peaks(everything), strict=True):
        names.append(f"{number}/original")
        packed.append(peaks)
    for number in chosen:
        sounds[f"{number}/original"] = sound_of(songs[number])
        for kind, change in (COPIES | OTHERS).items():
            changed = change(songs[number])
            names.append(f"{number}/{kind}")
            packed.append(song_peaks(changed).packed())
            sounds[names[-1]] = sound_of(changed)
    index = Index([Part(Segment.build(names, packed))])
    started = time.process_time()
    pairs = find_pairs(index, {})
    seconds = time.process_time() - started
    for name in {name for pair in pairs for name in (pair.first, pair.second)} - set(sounds):
        sounds[name] = sound_of(songs[int(name.split("/")[0])])
    pairs = told_apart(pairs, sounds)
    found = {frozenset((p.first, p.second)) for p in pairs if p.kind == "copy"}
    same = songs.same()
    truly = {"original", *COPIES}
    wanted = {
        frozenset((f"{n}/{a}", f"{n}/{b}")) for n in chosen for a in truly for b in truly if a < b
    }

    def alike(pair: frozenset[str]) -> bool:
        first, second = (same[int(name.split("/")[0])] for name in pair)
        return first == second

    def is_right(pair: frozenset[str]) -> bool:
        first, second = pair
        kinds = {name.split("/")[1] for name in pair}
        return pair in wanted or (first.split("/")[0] != second.split("/")[0] and kinds <= truly)

    right = {pair for pair in found if alike(pair) and is_right(pair)}
    missed = wanted - found
    together = {frozenset(pair) for group in group_copies(pairs) for pair in combinations(group, 2)}
    truly_together = {pair for pair in together if alike(pair) and is_right(pair)}
    masters = Counter(p.kind for p in pairs if "remaster" in p.first + p.second)
    print(
        f"{len(names)} songs, {len(wanted)} pairs of copies: precision"
        f" {len(right) / max(1, len(found)):.4f} of {len(found)}, recall"
        f" {1 - len(missed) / len(wanted):.4f}; {seconds:.1f} s"
    )
    print(
        f"in one group: precision {len(truly_together) / max(1, len(together)):.4f} of"
        f" {len(together)}, recall {len(wanted & together) / len(wanted):.4f}"
    )
    for pair in pairs:
        if pair.kind != "copy" and frozenset((pair.first, pair.second)) in wanted:
            print(f"{pair.first} and {pair.second} are called {pair.kind}", vars(pair))
    wrong = Counter(" + ".join(sorted(n.split("/")[1] for n in pair)) for pair in found - right)
    print("wrong:", dict(wrong))
    print(
        "missed:",
        dict(Counter(" + ".join(sorted(n.split("/")[1] for n in pair)) for pair in missed)),
    )
    print("of pairs with a remaster are called:", dict(masters))


if __name__ == "__main__":
    main()
