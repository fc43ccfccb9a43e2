"""Everything at once on one library, for as long as one likes: it must never fail.

``songprint add`` adds new songs again and again, ``songprint serve`` answers two visitors who look
at songs, save stations and say what they like, and ``songprint similar`` and ``songprint station``
are run one after the other, all on one library and as processes of their own. Every exit code but
0, every traceback, every answer but 200 and 204, every song that is lost and every byte that is
not as it was written is an error.

Run: python benchmarks/soak.py [--minutes 10]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.soaking import soak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        found = soak(Path(place), 60 * arguments.minutes)
    print(f"{os.cpu_count()} cores, {arguments.minutes:g} minutes, load {os.getloadavg()[0]:.1f}")
    print(", ".join(f"{n:,} {what}" for what, n in sorted(found.done.items())))
    print(f"{found.songs:,} songs, {len(found.errors)} errors")
    for error in found.errors[:20]:
        print(f"ERROR: {error}")
    if found.errors:
        sys.exit(1)


if __name__ == "__main__":
    main()
