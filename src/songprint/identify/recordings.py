"""Which songs of a library are one recording, kept beside the library.

That two songs are one recording depends on nothing but their peaks, so that what was found once
stays found: new songs are compared with all others, and songs that are gone are forgotten. Another
way of comparing compares all anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from math import inf
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from songprint.audio.peaks import PEAKS_VERSION
from songprint.files import replacing, sweep
from songprint.identify.duplicates import RULES, Kind, Pair, ask_each, groups_of, keep_best
from songprint.identify.index import SEGMENT_FORMAT, Index
from songprint.library.recordings import FILE, FIRST, KIND, NUMBERS, SECOND, SONGS, UNREADABLE

if TYPE_CHECKING:
    from songprint.library.store import Library

WHOLE_ENOUGH = 0.5
"""Of the longer of two songs that the other has, for a listener to have heard both."""

SAVE_SECONDS = 60.0

COMPARING_SHARE, COMPARING_SECONDS = 0.1, 1.0
"""Of the time that adding took, but at least so long, new songs are compared with all others."""

_VERSION = f"{PEAKS_VERSION}-{SEGMENT_FORMAT}-{RULES}"
_KINDS = get_args(Kind)
_FIGURES = [field.name for field in fields(Pair) if field.type == "float"]


@dataclass(frozen=True)
class Recordings:
    """What is known of a library.

    Attributes
    ----------
    compared : frozenset of str
        Content hashes of the songs that were compared with all others.
    pairs : tuple of Pair
        All that was found; other masters are not told apart from copies.
    """

    compared: frozenset[str] = frozenset()
    pairs: tuple[Pair, ...] = ()

    @classmethod
    def known(cls, library: Library) -> Recordings:
        """Return what was found before, by this way of comparing."""
        try:
            with (library.path / FILE).open("rb") as file, np.load(file) as kept:
                if str(kept["version"]) != _VERSION:
                    return cls()
                return cls(frozenset(_texts(kept["compared"])), tuple(_pairs(kept)))
        except UNREADABLE:
            return cls()

    @classmethod
    def of(
        cls,
        library: Library,
        index: Index | None = None,
        *,
        anew: bool = False,
        most_seconds: float = inf,
        on_song: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Recordings:
        """Compare the songs that are new in a library with all others, and keep what is found.

        Where the library cannot be written, it is found again the next time. What was found before
        an interrupt is kept, but for the last minute's.

        Parameters
        ----------
        library : Library
            The library.
        index : Index, optional
            Its index, if it is open.
        anew : bool
            Compare all songs, also those that were compared before.
        most_seconds : float
            How long songs are compared; those that are left are compared the next time.
        on_song : callable
            Is told how many songs were compared, and of how many.

        Raises
        ------
        LibraryError
            If the library cannot be read.
        """
        index = Index.of(library) if index is None else index
        before = cls() if anew else cls.known(library)
        songs = index.songs()
        compared = set(before.compared & songs)
        found: dict[frozenset[str], Pair] = {}
        keep_best(found, (p for p in before.pairs if {p.first, p.second} <= songs))
        total = len(songs) - len(compared)
        saved = started = time.monotonic()
        for done, (song, pairs) in enumerate(ask_each(index, frozenset(compared)), 1):
            keep_best(found, pairs)
            compared.add(song)
            on_song(done, total)
            now = time.monotonic()
            if now > started + most_seconds:
                break
            if now > saved + SAVE_SECONDS:
                cls(frozenset(compared), tuple(found.values()))._keep(library)
                saved = now
        recordings = cls(frozenset(compared), tuple(found.values()))
        if recordings != before:
            recordings._keep(library)
        return recordings

    def groups(self) -> list[list[str]]:
        """Return the groups of songs that a listener would not want to hear after each other.

        Copies, other masters, and songs of which one is half of the other or more.
        """
        return groups_of((p.first, p.second) for p in self.pairs if p.covered >= WHOLE_ENOUGH)

    def _keep(self, library: Library) -> None:
        groups = self.groups()
        numbers = {song: number for number, group in enumerate(groups, 1) for song in group}
        grouped = sorted(numbers)
        arrays: dict[str, Any] = {
            "version": np.array(_VERSION),
            "compared": np.array(sorted(self.compared), np.bytes_),
            FIRST: np.array([p.first for p in self.pairs], np.bytes_),
            SECOND: np.array([p.second for p in self.pairs], np.bytes_),
            KIND: np.array([_KINDS.index(p.kind) for p in self.pairs], np.int8),
            "figures": np.array(
                [[getattr(p, name) for name in _FIGURES] for p in self.pairs], np.float64
            ).reshape(-1, len(_FIGURES)),
            SONGS: np.array(grouped, np.bytes_),
            NUMBERS: np.array([numbers[song] for song in grouped], np.int32),
        }
        with suppress(OSError):
            library.path.mkdir(parents=True, exist_ok=True)  # of a library in an object store
            sweep(library.path)
            with replacing(library.path / FILE) as part:
                np.savez(part, **arrays)


def comparing_seconds(adding_seconds: float) -> float:
    """Return for how long songs are compared that took so long to add."""
    return max(COMPARING_SECONDS, COMPARING_SHARE * adding_seconds)


def _texts(names: Any) -> list[str]:
    return [str(name) for name in names.astype(np.str_).tolist()]


def _pairs(kept: Any) -> Iterable[Pair]:
    rows = zip(
        _texts(kept[FIRST]),
        _texts(kept[SECOND]),
        kept[KIND].tolist(),
        kept["figures"].tolist(),
        strict=True,
    )
    for first, second, kind, figures in rows:
        named = dict(zip(_FIGURES, figures, strict=True))
        yield Pair(first=first, second=second, kind=_KINDS[kind], **named)
