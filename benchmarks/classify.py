"""What does ``songprint classify`` cost beside decoding alone? Songs a second, peak memory, JSON.

Runs the command as its user would, then decodes the same files in as many processes, whose start is
not counted; checks every document against the schema. Memory is that of the largest process.

Run: python benchmarks/classify.py FOLDER [FOLDER ...] [--first N] [--workers 2]
Without a folder it hears the synthetic pieces.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import resources
from multiprocessing import get_context

import jsonschema
import numpy as np
import onnxruntime

from songprint.audio.decode import decode
from songprint.library.scan import find_songs


def run_classify(paths: list[str], workers: int) -> tuple[list[dict], int, float, float]:
    """Return the document, the exit code, wall-clock seconds and peak memory in MB."""
    command = [sys.executable, "-m", "songprint", "classify", "--json", "--workers", str(workers)]
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen([*command, *paths], stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        output.seek(0)
        return json.load(output), os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss / 1024


def run_decode(paths: list[str], workers: int) -> float:
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        list(pool.map(decoded_samples, paths[:workers]))
        start = time.perf_counter()
        list(pool.map(decoded_samples, paths))
        return time.perf_counter() - start


def decoded_samples(path: str) -> int:
    return len(decode(path))


def synthetic_folder() -> str:
    folder = tempfile.mkdtemp(prefix="songprint-bench-")
    command = [sys.executable, "-m", "songprint.pieces", "--out", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="*")
    parser.add_argument("--first", type=int, help="only so many songs of each folder")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()

    songs: list[str] = []
    for folder in arguments.folder or [synthetic_folder()]:
        songs += [found.path for found in find_songs([folder])][: arguments.first]
    document, code, seconds, megabytes = run_classify(songs, arguments.workers)
    schema = resources.files("songprint.cli") / "schemas" / "classify.json"
    jsonschema.validate(document, json.loads(schema.read_text("utf-8")))
    heard = [item for item in document if "error" not in item]
    music_seconds = sum(item["seconds"] for item in heard)
    decode_seconds = run_decode([item["path"] for item in heard], arguments.workers)
    print(
        f"{platform.machine()}, {arguments.workers} workers; numpy {np.__version__}, "
        f"onnxruntime {onnxruntime.__version__}, Python {platform.python_version()}"
    )

    print(
        f"classify: {len(heard)} heard, {len(document) - len(heard)} failed, exit code {code}, "
        f"{seconds:.1f} s = {len(heard) / seconds:.1f} songs/s = {music_seconds / seconds:.0f} x "
        f"real time, peak memory {megabytes:.0f} MB"
    )
    print(
        f"decode alone: {decode_seconds:.1f} s = {music_seconds / decode_seconds:.0f} x real time"
    )
    print(f"ratio: classify runs at {100 * decode_seconds / seconds:.0f} % of decoding's speed")


if __name__ == "__main__":
    main()
