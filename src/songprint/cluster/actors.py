"""What runs on the cluster's machines: actors that hear songs, and one that deals songs out."""

from __future__ import annotations

import pickle
import sys
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow as pa

from songprint.audio.peaks import Peaks
from songprint.errors import SongprintError
from songprint.library.durable import flush
from songprint.library.listen import Wanted
from songprint.library.objects import is_object
from songprint.library.pool import WorkerPool
from songprint.library.refusals import refusing
from songprint.library.scan import FileOnDisk
from songprint.library.schema import LANDMARKS, SONGS, landmarks_record, read_path, song_record
from songprint.library.worker import Identified, Job, Outcome

WRITE, RETURN, KNOWN, ELSEWHERE = range(4)
"""What to do with a song: hear it and write its row; hear it and return it, as the library has a
row of it that must be merged; nothing; nothing, as another file of it is being heard."""

MOST_TRIES, PAUSE_SECONDS = 3, 1.0
"""Of a song whose fault may pass, such as a store that does not answer."""


class Claims:
    """Deals songs out, so that none is heard twice.

    Parameters
    ----------
    current, old : iterable of str
        Content hashes that the library has of this model, and of others.
    """

    def __init__(self, current: Iterable[str], old: Iterable[str]) -> None:
        self._current, self._old = set(current), set(old)
        self._claimed: dict[str, str] = {}

    def claim(self, song: str, path: str) -> int:
        """Say what is to be done with the song in a file; the same if it is asked again."""
        if song in self._current:
            return KNOWN
        if self._claimed.setdefault(song, path) != path:
            return ELSEWHERE
        return RETURN if song in self._old else WRITE


def _job(row: dict[str, Any]) -> Job:
    file = FileOnDisk(read_path(row["path"]), row["size"], row["mtime_ns"])
    return Job(file, Wanted(row["thorough"], peaks=True))


@dataclass(eq=False)
class Told:
    """What became of a block of files.

    Attributes
    ----------
    outcomes, waiting : list of Outcome
        What became of each; and of those whose song another file's actor is hearing.
    fragments : dict of str to list
        By table, what lance-ray's writer wrote for the songs and is to be committed.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    waiting: list[Outcome] = field(default_factory=list)
    fragments: dict[str, list[tuple[bytes, bytes]]] = field(default_factory=dict)


class HearSongs:
    """Hears blocks of files, by a process that crashes in its stead, and writes the songs' rows.

    Parameters
    ----------
    claims : actor
        The :class:`Claims`.
    place : str
        The library.
    time_limit_seconds : float or None
        As in :class:`~songprint.library.pool.WorkerPool`.
    """

    def __init__(
        self,
        claims: Any,
        place: str,
        time_limit_seconds: float | None,
    ) -> None:
        sys.modules["__main__"].__file__ = None  # or Ray's own would be run by the process, too
        self._claims, self._place = claims, place
        self._pool = WorkerPool(1, time_limit_seconds)
        self._verdicts: dict[str, int] = {}

    def __call__(self, block: pa.Table) -> pa.Table:
        """Return :class:`Told`, pickled, of files by path, size and time."""
        jobs = [_job(row) for row in block.to_pylist()]
        told, heard = Told(), []
        for outcome in self._hear(jobs):
            song = outcome.identified.content_hash if outcome.identified else ""
            verdict = self._verdicts.get(outcome.job.file.path)
            if outcome.sounds is not None and verdict == WRITE:
                heard.append(outcome)
            elif outcome.error is None and song and verdict == ELSEWHERE:
                told.waiting.append(outcome)
            else:
                told.outcomes.append(outcome)
        if heard:
            bare = [replace(one, sounds=None) for one in heard]
            try:
                with refusing(self._place, "be written"):
                    told.fragments = self._write(heard)
            except SongprintError as error:
                told.outcomes += [replace(one, error=str(error), passing=True) for one in bare]
            else:
                told.outcomes += [
                    replace(one, written_seconds=old.heard_seconds)
                    for one, old in zip(bare, heard, strict=True)
                ]
        return pa.table({"told": [pickle.dumps(told)]})

    def _hear(self, jobs: list[Job]) -> list[Outcome]:
        done: dict[str, Outcome] = {}
        for attempt in range(MOST_TRIES):
            again = [job for job in jobs if (o := done.get(job.file.path)) is None or o.passing]
            if attempt and again:
                time.sleep(PAUSE_SECONDS)
            left = iter(again)
            for outcome in self._pool.run(partial(next, left, None), self._is_wanted):
                if outcome is not None:
                    done[outcome.job.file.path] = outcome
        return list(done.values())

    def _is_wanted(self, job: Job, identified: Identified) -> bool:
        import ray

        claim = self._claims.claim.remote(identified.content_hash, job.file.path)
        verdict = self._verdicts[job.file.path] = ray.get(claim)
        return verdict in (WRITE, RETURN)

    def _write(self, heard: list[Outcome]) -> dict[str, list[tuple[bytes, bytes]]]:
        now = datetime.now(UTC)
        songs, landmarks = [], []
        for one in heard:
            if one.sounds is None or one.identified is None:
                continue
            fingerprint, path = one.sounds.fingerprint, one.job.file.path
            songs.append(song_record(fingerprint, one.identified.tags, path, now))
            peaks = one.sounds.peaks or Peaks.none()
            landmarks.append(landmarks_record(fingerprint.content_hash, peaks))
        tables = {"landmarks": (landmarks, LANDMARKS), "songs": (songs, SONGS)}
        return {name: self._fragments(name, *rows) for name, rows in tables.items()}

    def _fragments(self, name: str, rows: list[dict[str, Any]], schema: pa.Schema) -> Any:
        from lance_ray import LanceFragmentWriter

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # one part of Lance of another
            write = LanceFragmentWriter(f"{self._place}/{name}.lance", schema=schema)
            written = write(pa.Table.from_pylist(rows, schema=schema))
        if not is_object(self._place):
            self._flush(f"{self._place}/{name}.lance/data", written["fragment"].to_pylist())
        return list(
            zip(written["fragment"].to_pylist(), written["schema"].to_pylist(), strict=True)
        )

    def _flush(self, folder: str, fragments: list[bytes]) -> None:
        """Have it on the disk before anybody commits it, who may be on another machine."""
        for fragment in fragments:
            for file in pickle.loads(fragment).files:
                flush(f"{folder}/{file.path}")
        flush(folder)
