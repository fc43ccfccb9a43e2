"""Notices that something has changed in folders.

It looks again every few seconds rather than asking the system to be told: that works on network
drives, on which other machines write, needs no package and no limit raised, and a look at 100,000
files takes about a second of which it never takes more than a fiftieth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from songprint.library.scan import FileOnDisk, scan

PAUSE_SECONDS = 5.0
LEAST_SHARE = 50
"""How many times as long as it takes to look is waited until the next look."""


def changes(
    places: Sequence[str],
    *,
    pause_seconds: float = PAUSE_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Yield at once, and whenever something has changed in some places and come to rest.

    Parameters
    ----------
    places : sequence of str
        Files and folders.
    pause_seconds : float
        The least time between two looks; what is the same in both has come to rest.
    sleep : callable
        Waits.
    """
    settled = before = _look(places)
    yield
    while True:
        started = time.monotonic()
        now = _look(places)
        took = time.monotonic() - started
        if now == before != settled:  # nothing is being copied any more
            settled = now
            yield
        before = now
        sleep(max(pause_seconds, LEAST_SHARE * took))


def _look(places: Sequence[str]) -> dict[str, FileOnDisk]:
    return scan(places).files
