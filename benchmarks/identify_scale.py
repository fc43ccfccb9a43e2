"""What identification costs: while adding, on the disk, and to ask at 1,000 and 100,000 songs.

Adding: songs are fingerprinted as a worker does it, with the peaks and without, in turn. Large
libraries are made of real songs whose peaks are shifted in pitch and cut anew to four minutes, so
that landmarks are as common and as rare as in music; of the segments of 4,096 songs that a hundred
thousand need, `--segments` are made and each is copied until there are 25. Comparing: songs are
compared with all of the large library, as `songprint duplicates` does.

Run: python benchmarks/identify_scale.py [--parts adding,1k,100k,comparing] [--segments 3]
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from identify import CACHE, Plan, Songs, mixed
from songprint.audio.decode import SAMPLE_RATE_HZ
from songprint.audio.peaks import (
    FRAMES_PER_SECOND,
    HIGHEST_BIN,
    LOWEST_BIN,
    PeakMeter,
    Peaks,
)
from songprint.fingerprints import default_fingerprinter
from songprint.identify.duplicates import pairs_of
from songprint.identify.index import SONGS_A_SEGMENT, Part
from songprint.identify.matching import best_match
from songprint.identify.segment import Segment

SECONDS = 240
SONGS_ADDED = 8
FOLDER = CACHE / "scale"


def adding(songs: Songs) -> None:
    fingerprinter = default_fingerprinter()
    paths = [p for p in songs.paths if "emotify" in p][:: 237 // SONGS_ADDED][:SONGS_ADDED]

    def hear(*, peaks: bool) -> float:
        started = time.process_time()
        for path in paths:
            meter = PeakMeter()
            fingerprinter.fingerprint(path, on_samples=meter.add if peaks else None)
            meter.finish()
        return time.process_time() - started

    hear(peaks=True)
    ratios = [hear(peaks=True) / hear(peaks=False) for _ in range(5)]
    print(
        f"adding: {len(paths)} songs take {np.median(ratios):.3f} times as long with peaks"
        f" (from {min(ratios):.3f} to {max(ratios):.3f})"
    )


def synthetic(peaks: list[Peaks], rng: np.random.Generator) -> np.ndarray:
    """Return the packed peaks of four minutes that resemble songs and are none."""
    pieces, frames = [], 0
    while frames < SECONDS * FRAMES_PER_SECOND:
        piece = peaks[int(rng.integers(len(peaks)))]
        if len(piece) < 100:
            continue
        bins = piece.bins * 2 ** rng.uniform(-0.5, 0.5) + rng.normal(0, 0.5, len(piece))
        later = np.rint(piece.frames * rng.uniform(0.8, 1.25) + frames)
        inside = (bins >= LOWEST_BIN) & (bins < HIGHEST_BIN)
        packed = Peaks(later[inside].astype(np.float32), bins[inside].astype(np.float32)).packed()
        pieces.append(np.sort(packed))
        frames = int(later.max()) + 1
    song = np.concatenate(pieces)
    return song[song < np.uint32(int(SECONDS * FRAMES_PER_SECOND) << 12)]


def segment_of(count: int, peaks: list[Peaks], seed: int, folder: Path) -> Segment:
    if not folder.exists():
        rng = np.random.default_rng(seed)
        packed = [synthetic(peaks, rng) for _ in range(count)]
        started = time.process_time()
        made = Segment.build([f"{seed:016x}{n:016x}" for n in range(count)], packed)
        print(f"a segment of {count} songs: {time.process_time() - started:.0f} s", flush=True)
        made.save(folder)
    return Segment.load(folder)


def asking(
    parts: list[Part], real: Segment, songs: Songs, names: list[int], clips: int, label: str
) -> None:
    everything = [*parts, Part(real)]
    count = sum(len(part.segment) for part in everything)
    stored = sum(part.segment.bytes for part in parts)
    per_song = stored / max(1, sum(len(part.segment) for part in parts))
    plan = Plan(songs)
    for kind, asked in (
        ("in the library", plan.queries(names, clips, 21)),
        ("not in it", plan.queries(plan.absent, clips, 22)),
    ):
        for seconds, level in ((3, 5), (5, 5), (10, 0)):
            times, named, wrong, evidence = [], 0, 0, []
            for query in asked:
                length = seconds * SAMPLE_RATE_HZ
                clip = mixed(query.clip[:length], query.noise[:length], level)
                started = time.process_time()
                match = best_match(everything, clip)
                times.append(time.process_time() - started)
                query.forget()
                told = match is not None and match.convinces
                right = told and match is not None and match.song == str(query.song)
                named += right
                wrong += told and not right
                evidence.append(match.evidence if match else 0.0)
            ms = 1000 * np.array(times)
            print(
                f"{label}: {count:,} songs, {per_song / 1000:.0f} kB a song of four minutes;"
                f" {kind}, {seconds} s at {level} dB: median {np.median(ms):.0f} ms, p95"
                f" {np.quantile(ms, 0.95):.0f} ms of a processor; {named} of {clips} named,"
                f" {wrong} wrongly;"
                f" most evidence {max(evidence):.1f}",
                flush=True,
            )


def comparing(parts: list[Part], real: Segment) -> None:
    everything = [*parts, Part(real)]
    for what, part in (("real songs, 41 s on average", everything[-1]), ("4 minutes", parts[0])):
        times, found = [], []
        for row in range(0, 60, 3):
            song = str(part.segment.songs[row]), Peaks.unpacked(part.segment.packed_peaks(row))
            started = time.process_time()
            found.append(len(list(pairs_of(everything, song, own=(part, row)))))
            times.append(time.process_time() - started)
        print(
            f"comparing: {what}: median {1000 * np.median(times):.0f} ms of a processor;"
            f" {np.mean(found):.1f} copies found"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default="adding,1k,100k,comparing")
    parser.add_argument("--segments", type=int, default=3)
    parser.add_argument("--clips", type=int, default=25)
    options = parser.parse_args()
    songs = Songs()
    packed = songs.packed_peaks(range(len(songs)))
    plan = Plan(songs)
    names = plan.library.tolist()
    outside = {*names, *plan.absent, *plan.ambient}  # noise is no song of the library, either
    peaks = [Peaks.unpacked(packed[n]) for n in range(len(songs)) if n not in outside]
    real = Segment.build([str(n) for n in names[:300]], [packed[n] for n in names[:300]])
    for part in options.parts.split(","):
        if part == "adding":
            adding(songs)
        elif part == "1k":
            made = [Part(segment_of(1000, peaks, 1, FOLDER / "1k"))]
            asking(made, real, songs, names[:300], options.clips, part)
        elif part == "100k":
            made = hundred_thousand(peaks, options.segments)
            asking(made, real, songs, names[:300], options.clips, part)
        elif part == "comparing":
            comparing(hundred_thousand(peaks, options.segments), real)


def hundred_thousand(peaks: list[Peaks], segments: int) -> list[Part]:
    made = []
    for number in range(100_000 // SONGS_A_SEGMENT + 1):
        folder = FOLDER / f"100k-{number}"
        if number >= segments and not folder.exists():
            part = folder.with_suffix(".part")
            shutil.copytree(FOLDER / f"100k-{number % segments}", part, dirs_exist_ok=True)
            part.rename(folder)
        made.append(Part(segment_of(SONGS_A_SEGMENT, peaks, 100 + number, folder)))
    return made


if __name__ == "__main__":
    main()
