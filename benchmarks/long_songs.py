"""What songs of hours cost ``songprint add``: the memory of the command and its workers, and time.

Songs are pieces that songprint composes itself, over and over: of three hours in mp3 and in FLAC,
which two workers hear at once, and one of ten hours, which is longer than any that is heard.

Run: python benchmarks/long_songs.py [--hours 3]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np
import psutil

from songprint.pieces import PIECES

RATE_HZ = 22_050
LONGEST_HOURS = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=3.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        two, one = Path(place) / "two", Path(place) / "one"
        write_long(two / "long.mp3", "libmp3lame", arguments.hours)
        write_long(two / "long.flac", "flac", arguments.hours)
        write_long(one / "longest.flac", "flac", LONGEST_HOURS, silent=True)
        for name, music in ((f"two of {arguments.hours:g} h", two), ("one of 10 h", one)):
            seconds, peak, code, said = add(music, Path(place) / "library")
            print(f"{name}: {seconds:.0f} s, {peak >> 20} MiB together at most, exit code {code}")
            print(f"  {said}")


def write_long(path: Path, codec: str, hours: float, *, silent: bool = False) -> None:
    path.parent.mkdir(exist_ok=True)
    piece = PIECES[4].render(sample_rate_hz=RATE_HZ)
    if silent:
        piece = np.zeros_like(piece)
    samples = np.ascontiguousarray((piece * 32767).astype(np.int16).reshape(1, -1))
    with av.open(str(path), "w") as container:
        sound = container.add_stream(codec, rate=RATE_HZ, layout="stereo")
        at = 0
        while at < hours * 3600 * RATE_HZ:
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            frame.sample_rate, frame.pts = RATE_HZ, at
            container.mux(sound.encode(frame))
            at += frame.samples
            if codec == "libmp3lame":  # whose frames may be repeated as they are
                break
        container.mux(sound.encode(None))
    if codec == "libmp3lame":
        once = path.read_bytes()
        path.write_bytes(once * round(hours * 3600 * RATE_HZ / at))


def add(music: Path, library: Path) -> tuple[float, int, int, str]:
    """Add a folder with two workers; return seconds, bytes at most, the exit code, and words."""
    command = [sys.executable, "-m", "songprint", "add", "--workers", "2", str(music)]
    started = time.monotonic()
    running = subprocess.Popen(
        [*command, "--library", str(library)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    process, peak = psutil.Process(running.pid), 0
    while running.poll() is None:
        together = 0
        for each in [process, *process.children(recursive=True)]:
            try:
                together += each.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak = max(peak, together)
        time.sleep(0.1)
    assert running.stdout is not None
    said = running.stdout.read().splitlines()
    return time.monotonic() - started, peak, running.returncode, said[0]


if __name__ == "__main__":
    main()
