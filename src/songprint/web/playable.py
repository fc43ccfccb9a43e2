"""Songs that browsers cannot play, as files that they can: FLAC, made once and kept for a while.

A process that hears songs makes them, whose memory and time are bounded and that can write no
larger file than is allowed; what was not played for longest goes first.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from songprint.web import tasks
from songprint.web.cache import let_oldest_go

if TYPE_CHECKING:
    from songprint.web.hearing import Hearer

MOST_BYTES = 1 << 30
"""What all of them together may take."""

MOST_FILE_BYTES = 512 << 20
"""Of one: an hour and a half of stereo, or more."""

LIMIT_SECONDS = 110.0

PLAYED = frozenset(
    {".aac", ".flac", ".m4a", ".m4b", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".wav", ".wave",
     ".weba", ".webm"}
)  # fmt: skip
"""What Chromium and Firefox play as it is, as a rule; the page asks again for what they do not."""


class Playable:
    """A folder of songs that were converted.

    Parameters
    ----------
    folder : Path
        Made when something is kept.
    most_bytes : int
        What all files together may take.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()

    def of(self, song: str, path: str, hearer: Hearer) -> Path:
        """Return a song's converted file.

        Parameters
        ----------
        song
            Its content hash, by which the file is found again.
        path
            Its own file.
        hearer
            Makes it, if need be.

        Raises
        ------
        Refusal
            If it cannot be made.
        """
        place = self._folder / f"{song}.flac"
        if not place.is_file():
            self._folder.mkdir(parents=True, exist_ok=True)
            hearer.run(tasks.convert, path, str(place), limit_seconds=LIMIT_SECONDS)
            with self._lock, suppress(OSError):
                let_oldest_go(self._folder, self._most_bytes, newest=place)
        with suppress(OSError):
            os.utime(place)
        return place
