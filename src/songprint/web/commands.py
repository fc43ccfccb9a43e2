"""Commands of the command line as jobs: what they print as JSON is the job's result.

So the page can do what the command line can, with the same words, and neither has to follow the
other.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

from songprint.cli.text import printable
from songprint.errors import SongprintError
from songprint.web.beside import Tell, run_beside
from songprint.web.jobs import Job

MOST_LINES = 200
"""Of what a command says beside its result; the last ones are told."""

TELL_SECONDS = 0.2

SOME_FAILED = 1


def run_command(job: Job, arguments: Sequence[str]) -> Any:
    """Run a command in a process of its own; the work of a job.

    Parameters
    ----------
    job : Job
        Its progress becomes ``done`` and ``total``, as a bar in a terminal would show them, and
        ``lines``, what the command says beside its result.
    arguments : sequence of str
        Of ``songprint``, the command first, ``--json`` among them.

    Returns
    -------
    Any
        The JSON document that it prints, whose texts may be shown; None if the job was stopped.

    Raises
    ------
    SongprintError
        If the command could not do it; the last line that it said.
    """
    return run_beside(job, _run, list(arguments))


def _run(tell: Tell, arguments: list[str]) -> Any:
    from songprint.cli.app import app
    from songprint.cli.progress import telling

    said = _Said(tell)
    with redirect_stdout(StringIO()) as out, redirect_stderr(said), telling(said.move):
        code = app(arguments, standalone_mode=False)
    if code == SOME_FAILED or not code:
        try:
            return in_print(json.loads(out.getvalue()))
        except ValueError:
            pass  # it failed before there was a document
    raise SongprintError(said.last or "the command failed")


class _Said(StringIO):
    """Stands for stderr, and tells what is said there and how far bars have come."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell
        self._lock = threading.Lock()
        self._told = -TELL_SECONDS
        self._part = ""
        self._progress: dict[str, Any] = {}
        self._lines: list[str] = []

    @property
    def last(self) -> str:
        """The last line, without the command's name before it."""
        return self._lines[-1] if self._lines else ""

    def write(self, text: str) -> int:
        with self._lock:
            *lines, self._part = (self._part + text).split("\n")
            plain = (printable(line.removeprefix("songprint: ")) for line in lines if line.strip())
            self._lines = [*self._lines, *plain][-MOST_LINES:]
            self._send(soon=bool(lines))
        return len(text)

    def move(self, done: float, total: float) -> None:
        """Tell that so much is done, of so much."""
        with self._lock:
            self._progress = {"done": done, "total": total}
            self._send(soon=done >= total)

    def _send(self, *, soon: bool) -> None:
        now = time.monotonic()
        if soon or now - self._told >= TELL_SECONDS:
            self._told = now
            self._tell({**self._progress, "lines": list(self._lines)})


def in_print(value: Any) -> Any:
    """Make all texts of a document fit for JSON: paths may hold bytes that are not UTF-8."""
    if isinstance(value, str):
        return printable(value) if value else value
    if isinstance(value, list):
        return [in_print(item) for item in value]
    if isinstance(value, dict):
        return {key: in_print(item) for key, item in value.items()}
    return value
