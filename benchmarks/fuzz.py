"""Spoiled songs and spoiled exports without end: what songprint makes of them.

1. Songs: pieces that songprint composes itself, in two dozen formats, spoiled by bits flipped,
   blocks zeroed, repeated or exchanged, headers swapped, durations forged and so on, are added to a
   library by real worker processes. Each must become a song or one line that says why not.
2. Exports: files of songs (``songprint export``), spoiled alike, are imported. Each must be
   refused in one line, or bring in all its songs.

Anything else is a fault, and the file is kept in ``--keep``. The same seed makes the same files.

Run: python benchmarks/fuzz.py [--count 5000] [--imports 200] [--seed N] [--workers 1] [--keep DIR]
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from songprint import Library
from songprint.errors import PortableError
from songprint.fingerprints import default_fingerprinter
from songprint.library.exporting import export_songs
from songprint.library.importing import import_songs
from support.faults import MOST_REASON_CHARACTERS, Ordeal, undergo, write_all
from support.kin import kin_library
from support.mutants import FORMATS, STROKES, mutants, spoiled

AT_ONCE = 1000
SLOWEST_SECONDS = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--imports", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None)
    arguments = parser.parse_args()
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"{os.cpu_count()} cores; {len(FORMATS)} formats; seed {seed}")
    faults = spoil_songs(arguments.count, seed, arguments.workers, arguments.keep)
    faults += spoil_exports(arguments.imports, seed, arguments.keep)
    if faults:
        sys.exit(f"{faults} faults")


def spoil_songs(count: int, seed: int, workers: int, keep: Path | None) -> int:
    """Add spoiled songs; return the faults."""
    whole = Ordeal()
    with tempfile.TemporaryDirectory() as place:
        for number, first in enumerate(range(0, count, AT_ONCE)):
            folder, library = Path(place) / "music", Path(place) / "library"
            write_all(mutants(min(AT_ONCE, count - first), seed + number), folder)
            part = undergo(folder, library, workers=workers, slowest_seconds=SLOWEST_SECONDS)
            for fault in part.faults:
                print(f"FAULT (seed {seed + number}): {fault}")
                if keep is not None and (folder / fault.partition(": ")[0]).is_file():
                    keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(folder / fault.partition(": ")[0], keep)
            add_up(whole, part)
            shutil.rmtree(folder)
            shutil.rmtree(library)
    refused = len(whole.refusals)
    print(f"{whole.files:,} files in {whole.seconds:.0f} s:", end=" ")
    print(f"{whole.heard:,} heard, {refused:,} refused")
    print(f"slowest {whole.slowest_seconds:.1f} s, a worker's peak {whole.peak_bytes >> 20} MiB")
    reasons = Counter(re.sub(r"[\d.]+", "N", reason) for reason in whole.refusals.values())
    for reason, n in reasons.most_common():
        print(f"{n:7,}  {reason}")
    return len(whole.faults)


def add_up(whole: Ordeal, part: Ordeal) -> None:
    whole.files += part.files
    whole.heard += part.heard
    whole.refusals |= {f"{len(whole.refusals)} {k}": v for k, v in part.refusals.items()}
    whole.faults += part.faults
    whole.seconds += part.seconds
    whole.slowest_seconds = max(whole.slowest_seconds, part.slowest_seconds)
    whole.peak_bytes = max(whole.peak_bytes, part.peak_bytes)


def spoil_exports(count: int, seed: int, keep: Path | None) -> int:
    """Import spoiled exports; return the faults."""
    reasons: Counter[str] = Counter()
    taken = faults = 0
    with tempfile.TemporaryDirectory() as place:
        model = default_fingerprinter().model_version
        kin = kin_library(Path(place) / "theirs", each=20, model=model)
        whole = export_songs(kin, Path(place) / "whole.parquet").path.read_bytes()
        songs = len(kin)
        library = Library.open(Path(place) / "ours", create=True)
        file = Path(place) / "spoiled.parquet"
        started = time.monotonic()
        for number in range(count):
            rng = random.Random(f"{seed}-{number}")
            file.write_bytes(spoiled(whole, rng.choice(list(STROKES)), rng))
            fault = None
            try:
                done = import_songs(library, file)
                taken += 1
                if done.songs != songs:
                    fault = f"{done.songs} songs imported of {songs}"
            except PortableError as refusal:
                reasons[re.sub(r"[\d.]+", "N", refusal.reason)[:60]] += 1
                line = refusal.reason
                if "internal" in line or "gave up" in line or not line.isprintable():
                    fault = line
                if len(line) > MOST_REASON_CHARACTERS:
                    fault = line
            except Exception as error:
                fault = f"{type(error).__name__}: {error}"
            if fault is not None:
                faults += 1
                print(f"FAULT (import {number}, seed {seed}): {fault}")
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(file, keep / f"import-{number}.parquet")
        seconds = time.monotonic() - started
    print(f"{count:,} exports in {seconds:.0f} s: {taken:,} as they were, the others refused")
    for reason, n in reasons.most_common(12):
        print(f"{n:7,}  {reason}")
    return faults


if __name__ == "__main__":
    main()
