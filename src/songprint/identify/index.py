"""The index of a library's landmarks: segments in the library's folder, made from its tables.

The table ``landmarks`` is what counts; the index follows it, and can be thrown away. Songs that are
new make a segment of their own, which takes in the smaller ones before it, so that there are few;
songs that are gone are passed over, and a segment with many of them is made anew. A segment is
never changed, so that those who read it are not disturbed.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from songprint.audio.peaks import PEAKS_VERSION
from songprint.errors import LibraryError
from songprint.identify.segment import PART_SUFFIX, Segment
from songprint.library.locks import held
from songprint.library.schema import quoted

if TYPE_CHECKING:
    from songprint.library.store import Library

FOLDER = "landmarks.index"
SEGMENT_FORMAT = 2
"""Changes when segments of before could not be read, or landmarks are made otherwise."""

SONGS_A_SEGMENT = 4096
MOST_DEAD = 0.25
WAIT_SECONDS = 60.0

_SONGS_A_READ = 500


@dataclass(frozen=True, eq=False)
class Part:
    """A segment, and which of its songs are passed over.

    Attributes
    ----------
    segment : Segment
        The segment.
    dead : ndarray [shape=(n,)] or None
        Songs that are no longer in the library, or are also in a later segment.
    """

    segment: Segment
    dead: NDArray[np.bool_] | None = None

    @property
    def alive(self) -> NDArray[np.intp]:
        """The rows of the songs that are not passed over."""
        everything = np.arange(len(self.segment))
        return everything if self.dead is None else everything[~self.dead]


class Index:
    """The landmarks of all songs of a library that a clip can be identified with.

    Attributes
    ----------
    parts : tuple of Part
        The segments.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)

    @classmethod
    def of(cls, library: Library) -> Self:
        """Open a library's index; what is new is put into it first.

        Where the library cannot be written, what is new is in this index alone.

        Parameters
        ----------
        library : Library
            The library.

        Raises
        ------
        LibraryError
            If the library cannot be read.
        """
        home = library.path / FOLDER / f"{PEAKS_VERSION}-{SEGMENT_FORMAT}"
        wanted = _wanted(library)
        parts, missing = _survey(_load(home), wanted)
        if not missing and not any(map(_is_stale, parts.values())):
            return cls(list(parts.values()))
        try:
            with held(library.path, "index", WAIT_SECONDS):
                parts, missing = _survey(_load(home), wanted)  # another process may have been here
                return cls(_renew(home, parts, missing, library))
        except (LibraryError, OSError):
            segments = _build(library, missing, {})
            return cls([*parts.values(), *map(Part, segments)])

    def __len__(self) -> int:
        return sum(len(part.alive) for part in self.parts)

    def songs(self) -> set[str]:
        """Return the content hashes of the songs that are not passed over."""
        return {
            str(song) for part in self.parts for song in part.segment.songs[part.alive].tolist()
        }

    def only(self, song: str) -> Self:
        """Return an index of one song, by its content hash; of none if it is not here."""
        for part in self.parts:
            for row in part.alive[part.segment.songs[part.alive] == song]:
                alone = Segment.build([song], [part.segment.packed_peaks(row)])
                return type(self)([Part(alone)])
        return type(self)([])

    @property
    def bytes(self) -> int:
        """What it takes on the disk."""
        return sum(part.segment.bytes for part in self.parts)


def _wanted(library: Library) -> set[str]:
    rows = library.read("landmarks", "content_hash", where=f"version = {PEAKS_VERSION}")
    return set(rows["content_hash"].to_pylist())


def _load(home: Path) -> dict[Path, Segment]:
    """Return the segments that are whole, oldest first."""
    found = {}
    folders = sorted(home.iterdir()) if home.is_dir() else []
    for folder in folders:
        if folder.suffix == PART_SUFFIX:
            continue
        with suppress(OSError, ValueError, EOFError):
            found[folder] = Segment.load(folder)
    return found


def _survey(segments: dict[Path, Segment], wanted: set[str]) -> tuple[dict[Path, Part], list[str]]:
    """Tell which songs of which segments count, and which songs are in none."""
    missing = set(wanted)
    parts = {}
    for folder, segment in reversed(segments.items()):  # of two that hold a song the later counts
        songs = segment.songs.tolist()
        dead = np.array([song not in missing for song in songs], bool)
        missing.difference_update(songs)
        parts[folder] = Part(segment, dead if dead.any() else None)
    return dict(reversed(parts.items())), sorted(missing)


def _is_stale(part: Part) -> bool:
    return len(part.alive) < (1 - MOST_DEAD) * len(part.segment)


def _renew(home: Path, parts: dict[Path, Part], missing: list[str], library: Library) -> list[Part]:
    """Write what is missing, together with the songs of segments that are small or stale."""
    songs, replaced = list(missing), []
    known: dict[str, NDArray[np.uint32]] = {}
    for folder, part in sorted(parts.items(), key=lambda each: len(each[1].alive)):
        small = bool(songs) and len(part.alive) <= min(2 * len(songs), SONGS_A_SEGMENT // 2)
        if small or _is_stale(part):
            replaced.append(folder)
            for row in part.alive.tolist():
                song = str(part.segment.songs[row])
                known[song] = np.array(part.segment.packed_peaks(row))
                songs.append(song)
    for segment in _build(library, songs, known):
        segment.save(home / f"{time.time_ns():020d}-{secrets.token_hex(4)}")
    for folder in replaced:
        shutil.rmtree(folder, ignore_errors=True)
    _clear(home)
    kept, _ = _survey(_load(home), _wanted(library))
    return list(kept.values())


def _clear(home: Path) -> None:
    """Remove what other versions made, and what was left of segments that were never finished."""
    for folder in (*home.parent.iterdir(), *home.glob(f"*{PART_SUFFIX}")):
        if folder != home:
            shutil.rmtree(folder, ignore_errors=True)


def _build(
    library: Library, songs: Sequence[str], known: dict[str, NDArray[np.uint32]]
) -> Iterator[Segment]:
    for start in range(0, len(songs), SONGS_A_SEGMENT):
        some = songs[start : start + SONGS_A_SEGMENT]
        peaks = {song: known[song] for song in some if song in known}
        unread = [song for song in some if song not in known]
        for first in range(0, len(unread), _SONGS_A_READ):
            listed = ", ".join(map(quoted, unread[first : first + _SONGS_A_READ]))
            rows = library.read(
                "landmarks", "content_hash", "peaks", where=f"content_hash in ({listed})"
            )
            for row in rows.to_pylist():
                peaks[row["content_hash"]] = np.frombuffer(row["peaks"], "<u4")
        if peaks:
            yield Segment.build(list(peaks), list(peaks.values()))
