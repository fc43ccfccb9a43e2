"""How often is a clip's song found, how often is one found that is not there? Beside two rivals.

The library is some 820 songs of ../shared/data; 168 more are kept out of it, half of them to set
the threshold and half to count false accepts, and an album of ambience is noise. Queries are drawn
from the songs at random places; a query's clips of 1, 2, 3, 5 and 10 s start at the same place, and
noise of a query (pink, babble or ambience, in turn) is the same at each level. Songs of one artist,
source and title are one song: game developers ship several encodings of a track. Songs whose
artist and title, without numbers, are those of a song in the library are no absent ones.

Rivals in the same run: landmarks as in Wang's paper, without what ours adds (`plain_landmarks`),
the windows of songprint's own encoder (`encoder_windows`), and Chromaprint (`fpcalc -raw`, all
songs at all offsets compared bit by bit), which is made for whole files and says so.

Run: python benchmarks/identify.py [--queries 2000] [--every-level] [--minutes 60] [--parts ...]
Each query is asked at every length, and of the levels at one in turn or at every one. Queries come
in random order; when a part's minutes are up, what was asked until then is counted.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import soundfile
from numpy.typing import NDArray

import encoder_windows
import plain_landmarks
from songprint.audio.decode import SAMPLE_RATE_HZ, decode
from songprint.audio.peaks import PEAKS_VERSION, song_peaks
from songprint.identify.index import Part
from songprint.identify.matching import best_match, least_evidence
from songprint.identify.segment import Segment
from spoiled import (
    at_speed,
    babble,
    by_telephone,
    clipped,
    coded,
    in_room,
    mixed,
    pink,
    room,
    unit,
)

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
CACHE = ROOT / "runs" / "identify"

SECONDS = (1, 2, 3, 5, 10)
LEVELS_DB = (None, 10, 5, 0, -5)
LONGEST = 10 * SAMPLE_RATE_HZ
SPARE = SAMPLE_RATE_HZ // 2
PLACE_SECONDS = 0.1
AMBIENCE = "phonograph_album_diarmuid"
KEPT_OUT = 168
QUIETEST = 1e-3
NOISE_SECONDS = 120

Samples = NDArray[np.float32]


class Songs:
    """All songs, decoded once and kept as 16-bit samples; who they are by their tables."""

    def __init__(self) -> None:
        CACHE.mkdir(parents=True, exist_ok=True)
        index = CACHE / "songs.json"
        if not index.exists():
            self._decode(index)
        told = json.loads(index.read_text())
        self.paths, self._places = told["paths"], told["pos"]
        self._samples = np.memmap(CACHE / "songs.i16", np.int16, "r")
        rows = {}
        for name in ("open", "emotify"):
            with (DATA / f"{name}.csv").open(newline="", encoding="utf-8") as file:
                rows |= {f"{name}/{row['id']}": row for row in csv.DictReader(file)}
        self.rows = [rows[f"{Path(p).parent.name}/{Path(p).stem}"] for p in self.paths]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> Samples:
        start, stop = self._places[number : number + 2]
        return self._samples[start:stop].astype(np.float32) / 32768

    def source(self, number: int) -> str:
        """Return the album or the repository of a song."""
        row = self.rows[number]
        return row.get("album_or_source") or row.get("album") or ""

    def same(self) -> list[str]:
        """Return a name of each song that its other encodings have, too."""
        titles = [re.sub(r"\W+", " ", row["title"]).strip().lower() for row in self.rows]
        return [
            f"{row['artist']}|{self.source(n)}|{title}"
            for n, (row, title) in enumerate(zip(self.rows, titles, strict=True))
        ]

    def kin(self) -> list[str]:
        """Return a name of each song that its other versions and revisions have, too."""
        titles = [re.sub(r"[\W_\d]+", " ", row["title"]).lower().split() for row in self.rows]
        return [
            " ".join([row["artist"], *(word for word in title if len(word) > 1)])
            for row, title in zip(self.rows, titles, strict=True)
        ]

    def packed_peaks(self, numbers: Iterable[int]) -> list[NDArray[np.uint32]]:
        """Return the packed peaks of songs."""
        cache = CACHE / f"peaks-{PEAKS_VERSION}.npz"
        if not cache.exists():
            np.savez(cache, *(song_peaks(self[n]).packed() for n in range(len(self))))
        with np.load(cache) as kept:
            return [kept[f"arr_{n}"] for n in numbers]

    @staticmethod
    def _decode(index: Path) -> None:
        paths = sorted(DATA.glob("open/*")) + sorted(DATA.glob("emotify/*"))
        places = [0]
        with (CACHE / "songs.i16").open("wb") as file:
            for path in paths:
                samples = np.clip(decode(path), -1, 1) * 32767
                file.write(samples.astype(np.int16).tobytes())
                places.append(places[-1] + len(samples))
        index.write_text(json.dumps({"paths": list(map(str, paths)), "pos": places}))


@dataclass(frozen=True, eq=False)
class Query:
    """A place of a song, and where the noise for it is taken from."""

    song: int
    start: int
    cut_clip: Callable[[], Samples]
    cut_noise: Callable[[], Samples]

    @cached_property
    def clip(self) -> Samples:
        """What sounds there, a little longer than the longest clip."""
        return self.cut_clip()

    @cached_property
    def noise(self) -> Samples:
        """As much noise."""
        return self.cut_noise()

    def forget(self) -> None:
        """Let go of the samples."""
        self.__dict__.pop("clip", None)
        self.__dict__.pop("noise", None)


class Plan:
    """Which songs are in the library, and what is asked."""

    def __init__(self, songs: Songs) -> None:
        self._songs = songs
        self._rng = np.random.default_rng(7)
        everything = np.arange(len(songs))
        ambient = np.array([AMBIENCE in songs.source(n) for n in everything])
        self.ambient = everything[ambient]
        order = self._rng.permutation(everything[~ambient])
        self.library = np.sort(order[KEPT_OUT:])
        names = songs.same()
        inside = {names[n] for n in self.library}
        absent = [n for n in order[:KEPT_OUT].tolist() if names[n] not in inside]
        kin = songs.kin()
        inside = {kin[n] for n in self.library}
        self.absent, self.tune = (
            [n for n in half if kin[n] not in inside]
            for half in (absent[: len(absent) // 2], absent[len(absent) // 2 :])
        )
        self._pink = pink(NOISE_SECONDS * SAMPLE_RATE_HZ, self._rng)
        self._babble = [babble(NOISE_SECONDS * SAMPLE_RATE_HZ, self._rng) for _ in range(4)]

    def queries(self, songs: NDArray[np.int64] | list[int], count: int, seed: int) -> list[Query]:
        """Return queries from songs in turn, at random places where there is sound."""
        rng = np.random.default_rng(seed)
        order = rng.permutation(np.asarray(songs))
        asked: list[Query] = []
        turn = 0
        while len(asked) < count:
            number = int(order[turn % len(order)])
            turn += 1
            samples = self._songs[number]
            start = int(rng.integers(0, max(1, len(samples) - LONGEST - SPARE)))
            first = samples[start : start + SAMPLE_RATE_HZ]
            if len(samples) < LONGEST + SPARE or np.sqrt(np.mean(np.square(first))) < QUIETEST:
                continue
            kind = ("pink", "babble", "ambience")[len(asked) % 3]
            cut_clip = partial(self._cut, number, start, LONGEST + SPARE)
            asked.append(Query(number, start, cut_clip, self._noise(kind, rng)))
        return asked

    def _cut(self, number: int, start: int, length: int) -> Samples:
        return self._songs[number][start : start + length]

    def _noise(self, kind: str, rng: np.random.Generator) -> Callable[[], Samples]:
        if kind == "ambience":
            number = int(rng.choice(self.ambient))
            start = int(rng.integers(0, len(self._songs[number]) - LONGEST))
            return lambda: unit(self._cut(number, start, LONGEST))
        noise = self._pink if kind == "pink" else self._babble[int(rng.integers(4))]
        start = int(rng.integers(0, len(noise) - LONGEST))
        return lambda: unit(noise[start : start + LONGEST])


class Tally:
    """Counts what was asked and what was answered, by cell."""

    def __init__(self, songs: Songs) -> None:
        self._names = songs.same()
        self.cells: defaultdict[str, list[tuple[float, ...]]] = defaultdict(list)

    def add(
        self, cell: str, query: Query, song: int | None, seconds: float, score: float, told: bool
    ) -> None:
        """Take an answer: a song or none, where, with what score, and whether it is told."""
        right = song is not None and self._names[song] == self._names[query.song]
        place = right and abs(seconds - query.start / SAMPLE_RATE_HZ) < PLACE_SECONDS
        self.cells[cell].append((right, place, score, told))

    def table(self, prefix: str, rows: list[str], columns: list[str]) -> Iterator[str]:
        """Yield a table: per cent told and right (best guess right; told and wrong), and n."""
        yield f"{prefix:<26}" + "".join(f"{column:>22}" for column in columns)
        for row in rows:
            told = []
            for column in columns:
                cell = np.array(self.cells.get(f"{prefix} {row} {column}", []), float)
                if not len(cell):
                    told.append(f"{'-':>22}")
                    continue
                right, _, _, said = cell.T
                shares = (said * right, right, said * (1 - right))
                text = "{:.1f} ({:.1f}; {:.1f})".format(*(100 * each.mean() for each in shares))
                told.append(f"{text:>22}")
            count = len(self.cells.get(f"{prefix} {row} {columns[0]}", []))
            yield f"{row:<26}" + "".join(told) + f"  n={count}"


def level_name(level_db: int | None) -> str:
    return "clean" if level_db is None else f"{level_db} dB"


def spoil(query: Query, samples: Samples, level_db: int | None) -> Samples:
    if level_db is None:
        return samples
    return mixed(samples, query.noise[: len(samples)], level_db)


Ask = Callable[[Samples], tuple[int | None, float, float, bool]]


class Ours:
    """songprint's own identification."""

    def __init__(self, songs: Songs, library: NDArray[np.int64]) -> None:
        packed = songs.packed_peaks(library)
        self.segment = Segment.build([str(n) for n in library], packed)
        self._parts = [Part(self.segment)]

    def ask(self, clip: Samples) -> tuple[int | None, float, float, bool]:
        """Return the best guess: song, place in seconds, score; and whether it is told."""
        match = best_match(self._parts, clip)
        if match is None:
            return None, 0.0, 0.0, False
        return int(match.song), match.offset_seconds, match.evidence, match.convinces


class Chromaprint:
    """fpcalc's raw fingerprint, compared with all songs at all offsets."""

    ITEM_SECONDS = 4096 / 3 / 11025
    LEAST_ITEMS = 4
    MOST_ERRORS = 0.35

    def __init__(self, songs: Songs, library: NDArray[np.int64]) -> None:
        self._prints = {n: self._items(songs[n]) for n in library.tolist()}

    @staticmethod
    def _items(samples: Samples) -> NDArray[np.uint32]:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            soundfile.write(file.name, np.clip(samples, -1, 1), SAMPLE_RATE_HZ)
            told = subprocess.run(
                ["fpcalc", "-raw", "-json", "-length", "0", file.name],
                capture_output=True,
                check=False,
            )
        if not told.stdout.strip():  # its exit code is 3 at the end of any file
            return np.empty(0, np.uint32)
        return np.array(json.loads(told.stdout)["fingerprint"], np.int64).astype(np.uint32)

    def ask(self, clip: Samples) -> tuple[int | None, float, float, bool]:
        """Return the best guess: song, place in seconds, score; and whether it is told."""
        items = self._items(clip)
        best: tuple[float, int | None, float] = (1.0, None, 0.0)
        if len(items) >= self.LEAST_ITEMS:
            for number, song in self._prints.items():
                if len(song) < len(items):
                    continue
                windows = np.lib.stride_tricks.sliding_window_view(song, len(items))
                errors = np.bitwise_count(windows ^ items).mean(axis=1) / 32
                offset = int(errors.argmin())
                if errors[offset] < best[0]:
                    best = float(errors[offset]), number, offset * self.ITEM_SECONDS
        return best[1], best[2], 1 - best[0], best[0] <= self.MOST_ERRORS


EFFECTS: dict[str, Callable[[Samples], Samples]] = {
    "telephone": by_telephone,
    "clipping": clipped,
    "mp3 32 kbit/s": lambda clip: coded(clip, "mp3"),
    "opus 32 kbit/s": lambda clip: coded(clip, "opus"),
    "2% too fast": lambda clip: at_speed(clip, 1.02),
    "2% too slow": lambda clip: at_speed(clip, 0.98),
    "-20 dB": lambda clip: clip * np.float32(0.1),
}


class Run:
    """Asks one part's queries until its time is up."""

    def __init__(self, songs: Songs, minutes: float, *, every_level: bool) -> None:
        self._until = time.monotonic() + 60 * minutes
        self._every_level = every_level
        self.tally = Tally(songs)

    def _each(self, queries: list[Query]) -> Iterator[tuple[int, Query]]:
        for turn, query in enumerate(queries):
            if time.monotonic() > self._until:
                return
            yield turn, query
            query.forget()

    def _levels(self, turn: int, levels: Sequence[int | None]) -> Sequence[int | None]:
        return levels if self._every_level else [levels[turn % len(levels)]]

    def cells(
        self, name: str, ask: Ask, queries: list[Query], seconds: tuple[int, ...] = SECONDS
    ) -> None:
        """Ask at all lengths, and at all levels or one in turn."""
        for turn, query in self._each(queries):
            for step, length in enumerate(seconds):
                clip = query.clip[: length * SAMPLE_RATE_HZ]
                for level in self._levels(turn + step, LEVELS_DB):
                    answer = ask(spoil(query, clip, level))
                    self.tally.add(f"{name} {level_name(level)} {length} s", query, *answer)

    def absent(
        self, name: str, ask: Ask, queries: list[Query], seconds: tuple[int, ...] = SECONDS
    ) -> None:
        """Ask for songs that are not there."""
        self.cells(name, ask, queries, seconds)
        scores = [row for cell in self.tally.cells.values() for row in cell]
        _, _, score, told = np.array(scores, float).T
        print(
            f"{name}: {int(told.sum())} of {len(told)} told ({100 * told.mean():.2f}%); scores of"
            " the last 5%, 1%, 0.5% and of all:",
            np.quantile(score, [0.95, 0.99, 0.995, 1]).round(2),
        )

    def rooms(self, ask: Ask, queries: list[Query]) -> None:
        """Ask what is heard in a room, in which there is noise."""
        rng = np.random.default_rng(3)
        responses = [room(rng) for _ in range(20)]
        times = np.array([t60 for _, t60 in responses])
        print(f"20 rooms, T60 by Sabine {times.min():.2f} to {times.max():.2f} s")
        for turn, query in self._each(queries):
            heard = in_room(query.clip, responses[turn % 20][0])
            for step, length in enumerate(SECONDS):
                for level in self._levels(turn + step, LEVELS_DB[:-1]):
                    answer = ask(spoil(query, heard[: length * SAMPLE_RATE_HZ], level))
                    self.tally.add(f"room {level_name(level)} {length} s", query, *answer)

    def effects(self, ask: Ask, queries: list[Query]) -> None:
        """Ask what came through telephones, codecs and so on."""
        for turn, query in self._each(queries):
            for name, effect in EFFECTS.items():
                for step, length in enumerate((1, 3, 5)):
                    for level in self._levels(turn + step, (None, 10)):
                        clip = query.clip[: round(length * SAMPLE_RATE_HZ * 1.02)]
                        heard = spoil(query, effect(clip)[: length * SAMPLE_RATE_HZ], level)
                        cell = f"effect {name} {length} s {level_name(level)}"
                        self.tally.add(cell, query, *ask(heard))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--first", type=int, default=0, help="of the grid's queries")
    parser.add_argument("--every-level", action="store_true")
    parser.add_argument("--parts", default="absent,rooms,effects,plain,encoder,chromaprint,grid")
    parser.add_argument("--out", type=Path, default=CACHE / "results.json")
    options = parser.parse_args()
    parts = options.parts.split(",")
    songs = Songs()
    plan = Plan(songs)
    hours = sum(len(songs[n]) for n in plan.library) / SAMPLE_RATE_HZ / 3600
    ours = Ours(songs, plan.library)
    names = songs.same()
    print(
        f"{len(plan.library)} songs in the library, {hours:.1f} h; {len(plan.tune)} and"
        f" {len(plan.absent)} kept out; {len(plan.library) - len({names[n] for n in plan.library})}"
        " songs have another encoding beside them; least evidence"
        f" {least_evidence(1):.1f} for 1 s, {least_evidence(10):.1f} for 10 s;"
        f" {ours.segment.postings.nbytes / hours / 3600:.0f} bytes of postings"
        f" and {ours.segment.peaks.nbytes / hours / 3600:.0f} of peaks a second of song"
    )
    asked = plan.queries(plan.library, options.queries, 11)
    levels = [level_name(level) for level in LEVELS_DB]
    lengths = [f"{length} s" for length in SECONDS]
    started = time.process_time()
    for part in parts:
        run = Run(songs, options.minutes, every_level=options.every_level)
        rows, columns, prefix = levels, lengths, part
        if part in ("absent", "tune"):
            out = plan.absent if part == "absent" else plan.tune
            run.absent(part, ours.ask, plan.queries(out, max(528, options.queries // 4), 12))
        elif part == "rooms":
            prefix, rows = "room", levels[:-1]
            run.rooms(ours.ask, asked[: options.queries // 4])
        elif part == "effects":
            prefix, rows, columns = "effect", list(EFFECTS), []
            for length in (1, 3, 5):
                columns += [f"{length} s clean", f"{length} s 10 dB"]
            run.effects(ours.ask, asked[: options.queries // 16])
        elif part in ("plain", "encoder"):
            inside = {n: songs[n] for n in plan.library.tolist()}
            made = {
                "plain": plain_landmarks.PlainLandmarks,
                "encoder": encoder_windows.EncoderWindows,
            }
            ask: Ask = made[part](inside).ask
            false = Run(songs, options.minutes, every_level=options.every_level)
            heard = SECONDS if part == "plain" else SECONDS[2:]  # the encoder's windows last 3 s
            absent = plan.queries(plan.absent, 528, 12)
            false.absent(f"{part}, absent", ask, absent, heard)
            run.cells(part, ask, asked[: options.queries // 5], heard)
        elif part == "chromaprint" and shutil.which("fpcalc"):
            rival = Chromaprint(songs, plan.library)
            run.cells(part, rival.ask, asked[: options.queries // 16], (3, 5, 10))
        elif part == "grid":
            run.cells(part, ours.ask, asked[options.first :])
        print("\n".join(run.tally.table(prefix, rows, columns)))
        told = json.loads(options.out.read_text()) if options.out.exists() else {}
        told |= run.tally.cells
        options.out.write_text(json.dumps(told))
        print(f"{part}: {time.process_time() - started:.0f} s of processor time so far", flush=True)


if __name__ == "__main__":
    main()
