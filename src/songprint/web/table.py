"""The library as a table that is filtered, searched and sorted in memory."""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songprint.descriptors.keys import key_number
from songprint.errors import UsageError
from songprint.kinship.guards import era_guard
from songprint.kinship.reference import load_reference
from songprint.kinship.words import FITS, Term, fits
from songprint.web.names import title_of

if TYPE_CHECKING:
    from songprint.library.catalogue import Catalogue

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]

SORTS = (
    "title", "artist", "album", "genre", "year", "seconds", "tempo_bpm", "loudness_lufs", "key",
    "plays", "path",
)  # fmt: skip
"""What the table can be sorted by."""

_MOST_KEPT = 4
_SEARCHING = threading.BoundedSemaphore(2)  # each takes memory for all names that there are


@dataclass(frozen=True)
class Filter:
    """Which songs are wanted.

    Attributes
    ----------
    words : str
        Each occurs in the title, artist, album or path below the folder that all songs share, as
        a whole or in part.
    genres, moods, eras, keys : tuple of str
        Any of these; none for all. Genres are those that are sure.
    unsure : bool or None
        Only songs of which no genre is sure, or only the others.
    playable : bool or None
        Only songs with audio here, or only the others.
    tempo_bpm, loudness_lufs, seconds, year : pair of float or None
        The least and the most; a song of which it is not known does not pass.
    """

    words: str = ""
    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    eras: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    unsure: bool | None = None
    playable: bool | None = None
    tempo_bpm: tuple[float | None, float | None] = (None, None)
    loudness_lufs: tuple[float | None, float | None] = (None, None)
    seconds: tuple[float | None, float | None] = (None, None)
    year: tuple[float | None, float | None] = (None, None)


class Table:
    """A catalogue, ready to be looked through.

    Parameters
    ----------
    catalogue : Catalogue
        n songs.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._orders: dict[str, Rows] = {}
        self._kept: dict[tuple[Filter, str, bool], Rows] = {}

    @cached_property
    def genre(self) -> NDArray[np.int16]:
        """The most probable genre of each song [shape=(n,)], as an index into the vocabulary."""
        return np.asarray(self.catalogue.genres.argmax(axis=1), np.int16)

    def find(self, wanted: Filter, sort: str = "title", *, descending: bool = False) -> Rows:
        """Return the rows of songs, sorted.

        Raises
        ------
        UsageError
            If there is no such genre, mood, era or key.
        """
        key = (wanted, sort, descending)
        if key not in self._kept:
            order = self._order(sort)
            # What has no value comes last either way: _order puts it there.
            if descending:
                known = self._known(sort)[order]
                order = np.concatenate([order[known][::-1], order[~known]])
            with _SEARCHING:
                rows = order[self._mask(wanted)[order]]
            while len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)), None)
            self._kept[key] = rows
        return self._kept[key]

    def warm(self, sorts: Iterable[str]) -> None:
        """Do beforehand what the first search and the first sorting need."""
        _ = self.genre, self._names
        for sort in sorts:
            self._order(sort)

    def _mask(self, wanted: Filter) -> Mask:
        catalogue = self.catalogue
        mask = np.ones(len(catalogue), bool)
        if wanted.words.strip():
            mask &= self.named(wanted.words)
        if wanted.genres:
            places = [self._place("genres", name) for name in wanted.genres]
            mask &= np.isin(self.genre, places) & ~catalogue.unsure
        if wanted.moods:
            mask &= self._any(self._mood(name) for name in wanted.moods)
        if wanted.eras:
            mask &= self._any(
                era_guard(catalogue, era, load_reference()).passes for era in wanted.eras
            )
        if wanted.keys:
            mask &= np.isin(catalogue.keys, [key_index(name) for name in wanted.keys])
        if wanted.unsure is not None:
            mask &= catalogue.unsure == wanted.unsure
        if wanted.playable is not None:
            mask &= np.array([path is not None for path in catalogue.paths]) == wanted.playable
        for name in ("tempo_bpm", "loudness_lufs", "seconds", "year"):
            low, high = getattr(wanted, name)
            values = self._numbers(name)
            if low is not None:
                mask &= values >= low  # false where it is NaN
            if high is not None:
                mask &= values <= high
        return mask

    def _mood(self, name: str) -> Mask:
        self._place("moods", name)
        return np.asarray(
            fits([Term("moods", name)], self.catalogue, load_reference()) >= FITS, bool
        )

    def _place(self, field: str, name: str) -> int:
        names = getattr(self.catalogue.vocabulary, field)
        if name not in names:
            raise UsageError(f"{name}: none of the {field}, which are {', '.join(names)}")
        return int(names.index(name))

    def _any(self, masks: Any) -> Mask:
        return np.asarray(np.logical_or.reduce(list(masks)), bool)

    def _numbers(self, name: str) -> NDArray[np.floating[Any]]:
        catalogue = self.catalogue
        if name == "seconds":
            return catalogue.seconds
        if name == "plays":
            return catalogue.plays
        if name == "year":
            return np.where(catalogue.years > 0, catalogue.years, np.nan).astype(np.float32)
        if name == "key":
            return np.where(catalogue.keys >= 0, catalogue.keys, np.nan).astype(np.float32)
        return catalogue.number(name)

    def _texts(self, name: str) -> list[str]:
        catalogue = self.catalogue
        if name == "title":
            return [fold(title_of(catalogue, row)) for row in range(len(catalogue))]
        if name == "genre":
            named = catalogue.vocabulary.genres
            return [
                "" if unsure else named[place]
                for place, unsure in zip(
                    self.genre.tolist(), catalogue.unsure.tolist(), strict=True
                )
            ]
        return [fold(text) if text else "" for text in getattr(catalogue, f"{name}s")]

    def _known(self, sort: str) -> Mask:
        if sort in ("title", "path", "artist", "album"):
            column = getattr(self.catalogue, f"{sort}s")
            named = np.array([bool(text) for text in column])
            return np.ones(len(named), bool) if sort == "title" else named
        if sort == "genre":
            return ~self.catalogue.unsure
        return np.asarray(np.isfinite(self._numbers(sort)), bool)

    def _order(self, sort: str) -> Rows:
        """Return all rows in rising order, those without a value at the end."""
        if sort not in self._orders:
            if sort in ("title", "artist", "album", "genre", "path"):
                texts = self._texts(sort)
                order = sorted(range(len(texts)), key=lambda row: (not texts[row], texts[row]))
                self._orders[sort] = np.array(order, np.int32)
            else:
                self._orders[sort] = np.argsort(self._numbers(sort), kind="stable").astype(np.int32)
        return self._orders[sort]

    @cached_property
    def _names(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """All names as UTF-8, a song a line, and where each song's line begins."""
        catalogue = self.catalogue
        # A folder that all songs are in tells none from another, whatever its name has in it.
        known = [path for path in catalogue.paths if path]
        shared = os.path.commonprefix(known).rfind("/") + 1  # noqa: RUF071 (cut at a folder)
        below = (path[shared:] if path else None for path in catalogue.paths)
        columns = (catalogue.titles, catalogue.artists, catalogue.albums, below)
        lines = [
            fold(" ".join(filter(None, texts))).encode("utf-8", "replace").replace(b"\n", b" ")
            for texts in zip(*columns, strict=True)
        ]
        starts = np.zeros(len(lines) + 1, np.int64)
        np.cumsum([len(line) + 1 for line in lines], out=starts[1:])
        return np.frombuffer(b"\n".join(lines) + b"\n", np.uint8), starts[:-1]

    def named(self, words: str) -> Mask:
        """Tell which songs have all of some words, or parts of words, in their names."""
        text, starts = self._names
        mask = np.ones(len(starts), bool)
        for word in fold(words).encode("utf-8", "replace").split():
            found = np.zeros(len(starts), bool)
            found[np.searchsorted(starts, occurrences(text, word), side="right") - 1] = True
            mask &= found
        return mask


def occurrences(text: NDArray[np.uint8], word: bytes) -> NDArray[np.intp]:
    """Return where a word of one byte or more occurs in a text [shape=(k,)]."""
    # The rarest byte first: it leaves the fewest places to look at.
    wanted = np.frombuffer(word, np.uint8)
    if len(wanted) > len(text):
        return np.zeros(0, np.intp)
    last = len(text) - len(wanted) + 1
    rarest = min(range(len(wanted)), key=lambda i: _COMMON.find(word[i : i + 1]))
    places: NDArray[np.intp] = np.flatnonzero(text[rarest : rarest + last] == wanted[rarest])
    for i, byte in enumerate(wanted):
        if i != rarest:
            places = places[text[places + i] == byte]
    return places


_COMMON = b"0123456789zqxjkvbpygfwmucldrhsnioate/."
"""Bytes of names, the rarest first, but those that are hardly ever there before all."""


def fold(text: str) -> str:
    """Return a text without case and accents."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def key_index(name: str) -> int:
    """Return a key's number, however it is spelt.

    Raises
    ------
    UsageError
        If there is no such key.
    """
    key = key_number(name)
    if key is None:
        raise UsageError(f"{name}: is no key; keys are written like F# minor")
    return key
