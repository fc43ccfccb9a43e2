"""What ``songprint add`` ends with, however often it is killed: the same library.

A folder of small songs is added once undisturbed. Then libraries of the same folder are made in
runs that SIGKILL stops at random moments, and ended by a run that is left alone; each must hold,
to the bit, what the undisturbed one holds. Commits are of two songs, and tables are tidied every
third commit, so that most moments lie in the middle of writing.

Run: python benchmarks/kill_add.py [--kills 30] [--songs 16] [--seed N]
"""

from __future__ import annotations

import argparse
import platform
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.killing import contents, kill_and_finish, run_add
from support.shelves import small_song


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--songs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        music = Path(place) / "music"
        for number in range(arguments.songs):
            small_song(music / f"{number}.flac", number, title=f"Song {number}")
        shutil.copy(music / "0.flac", music / "copy.flac")
        started = time.monotonic()
        run_add(music, Path(place) / "undisturbed")
        seconds = time.monotonic() - started
        wanted = contents(Path(place) / "undisturbed")
        print(f"{platform.processor() or platform.machine()}, seed {seed}")
        print(f"undisturbed: {len(wanted['songs'])} songs in {seconds:.1f} s")
        kills = libraries = 0
        while kills < arguments.kills:
            library = Path(place) / f"library{libraries}"
            kills += kill_and_finish(music, library, seconds, rng)
            libraries += 1
            if contents(library) != wanted:
                sys.exit(f"library {libraries} differs after {kills} kills: seed {seed}")
            shutil.rmtree(library)
        print(f"{kills} kills, {libraries} libraries: all the same as the undisturbed one")


if __name__ == "__main__":
    main()
