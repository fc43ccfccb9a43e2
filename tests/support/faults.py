"""Adds spoiled songs to a library, as ``songprint add`` does, and says what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from songprint import Library
from songprint.library.ingest import Step, add_folders
from support.mutants import Mutant

BUGS = ("internal error", "crashed the process", "gave up")
"""What is said of a file that tripped songprint itself, and not the other way round."""

MOST_REASON_CHARACTERS = 200


@dataclass
class Ordeal:
    """What became of some files.

    Attributes
    ----------
    files, heard : int
        How many there were, and how many of them the library has songs of.
    refusals : dict of str to str
        File name to the one line that says why it was not heard.
    faults : list of str
        What should never be: hangs, crashes, long or many-lined reasons, files without a verdict.
    seconds : float
        What it took.
    slowest_seconds : float
        The longest time without any file coming to its end.
    peak_bytes : int
        The most memory that any worker held.
    """

    files: int = 0
    heard: int = 0
    refusals: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    slowest_seconds: float = 0.0
    peak_bytes: int = 0


def write_all(mutants: Iterable[Mutant], folder: Path) -> list[Path]:
    """Write spoiled songs into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for mutant in mutants:
        path = folder / mutant.name
        path.write_bytes(mutant.data)
        paths.append(path)
    return paths


def undergo(folder: Path, library: Path, *, workers: int, slowest_seconds: float) -> Ordeal:
    """Add a folder in real worker processes and look at what becomes of each file.

    Parameters
    ----------
    folder : Path
        Each file in it is tried, whatever it is called.
    library : Path
        A library that is new.
    workers : int
        Processes.
    slowest_seconds : float
        What a file may take before that is a fault.
    """
    files = sorted(map(str, folder.iterdir()))
    ordeal = Ordeal(files=len(files))
    this = psutil.Process()
    started = last = time.monotonic()

    def on_step(step: Step) -> None:
        nonlocal last
        for child in this.children():
            try:
                ordeal.peak_bytes = max(ordeal.peak_bytes, child.memory_info().rss)
            except psutil.NoSuchProcess:  # it has just ended
                continue
        if step.outcome is None:
            return
        now = time.monotonic()
        if ordeal.refusals or step.added.heard > 1:  # not the start of the workers
            ordeal.slowest_seconds = max(ordeal.slowest_seconds, now - last)
        last = now
        name, error = Path(step.outcome.job.file.path).name, step.outcome.error
        if error is not None:
            ordeal.refusals[name] = error
            ordeal.faults += [f"{name}: {fault}" for fault in _faults_of(error)]
        if step.outcome.retires:
            ordeal.faults.append(f"{name}: its worker grew beyond all bounds")

    opened = Library.open(library, create=True)
    add_folders(opened, files, workers=workers, on_step=on_step)
    ordeal.seconds = time.monotonic() - started
    if ordeal.slowest_seconds > slowest_seconds:
        ordeal.faults.append(f"some file took {ordeal.slowest_seconds:.1f} s")
    songs = set(opened.read("songs", "content_hash")["content_hash"].to_pylist())
    verdicts = {Path(file.path).name: file for file in opened.files()}
    for path in folder.iterdir():
        file = verdicts.get(path.name)
        if file is None:
            ordeal.faults.append(f"{path.name}: nothing became of it")
        elif file.error is None and file.content_hash not in songs:
            ordeal.faults.append(f"{path.name}: its song is lost")
        elif file.error is None:
            ordeal.heard += 1
    return ordeal


def _faults_of(error: str) -> list[str]:
    faults = [error for bug in BUGS if bug in error]
    if not error.isprintable() or len(error) > MOST_REASON_CHARACTERS:
        faults.append(f"not one short line: {error!r}")
    return faults
