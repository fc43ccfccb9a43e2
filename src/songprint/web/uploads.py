"""Files that are sent to be heard: bounded while they come, gone when they were heard."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from songprint.web.refusal import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from songprint.web.tasks import Heard

AT_ONCE = 2
MOST_REMEMBERED = 500


class Uploads:
    """Takes files in, and remembers what was heard in the last of them.

    Parameters
    ----------
    most_bytes : int
        Of a file.
    most_seconds : float
        That sending one may take.
    """

    def __init__(self, most_bytes: int, most_seconds: float) -> None:
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._heard: OrderedDict[str, Heard] = OrderedDict()

    @asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[Path]:
        """Store a request's body in a file that is gone after the block.

        Raises
        ------
        Refusal
            If it is too large, empty, or too slow, or others are being heard.
        """
        if not self._turns.acquire(blocking=False):
            raise Refusal(429, "others are being heard", {"Retry-After": "2"})
        try:
            with tempfile.TemporaryDirectory(prefix="songprint-") as folder:
                path = Path(folder) / "song"  # whatever it is called: its bytes tell what it is
                try:
                    async with asyncio.timeout(self._most_seconds):
                        await self._store(request, path)
                except TimeoutError:
                    raise Refusal(408, "the file came too slowly") from None
                except ClientDisconnect:
                    raise Refusal(413, "the file is too large, or its sending broke off") from None
                yield path
        finally:
            self._turns.release()

    async def _store(self, request: Request, path: Path) -> None:
        n_bytes = 0
        with path.open("wb") as file:
            async for piece in request.stream():
                n_bytes += len(piece)
                if n_bytes > self._most_bytes:
                    most = self._most_bytes >> 20
                    raise Refusal(413, f"the file is larger than {most} MiB")
                file.write(piece)
        if not n_bytes:
            raise Refusal(422, "the file is empty")

    def remember(self, heard: Heard) -> None:
        """Keep what was heard, so that genres can be learnt from it; no audio is kept."""
        self._heard[heard.fingerprint.content_hash] = heard
        while len(self._heard) > MOST_REMEMBERED:
            self._heard.popitem(last=False)

    def recall(self, song: str) -> Heard | None:
        """Return what was heard in a file, by its content hash."""
        return self._heard.get(song)
