"""A small disk of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.requiring import do_without


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """Mount a file system of its own at a place, or skip the test where one may not."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        do_without("there is no mount here")
    if done.returncode != 0:
        do_without("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
