"""What a hostile file may make a decoder do; run in the process that hears songs."""

from __future__ import annotations

import os
import time
from pathlib import Path

from songprint.errors import DecodeError


def double(number: int) -> int:
    return 2 * number


def process() -> int:
    return os.getpid()


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def spin() -> None:
    while True:
        pass


def bloat() -> int:
    return len(bytearray(4 << 30))


def die() -> None:
    os._exit(3)


def write(place: str) -> None:
    Path(place).write_bytes(bytes(100_000))


def fail() -> None:
    raise DecodeError("/tmp/secret/song", "has no sound in it")


def bug() -> None:
    raise RuntimeError("of ours")
