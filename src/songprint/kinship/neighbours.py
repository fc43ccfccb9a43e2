"""The songs nearest to a song, corrected for hubs, with the reasons."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.errors import UsageError
from songprint.kinship.cells import Cells, CellsLater
from songprint.kinship.distance import DEFAULT_WEIGHTS, Floats, Queries, Rows, Space, Weights
from songprint.kinship.hubs import Reach, Scales, reach_of, scales_by_part
from songprint.kinship.parts import PARTS
from songprint.kinship.popularity import popularity

if TYPE_CHECKING:
    from songprint.kinship.reference import Reference
    from songprint.library.catalogue import Catalogue

SHORTLIST = 200
"""Nearest songs before the correction among which those after it are sought.

On 1,029 songs all of any song's corrected ten are among its nearest 112.
"""

HUGE = 200_000
"""From so many songs on, the nearest are sought in the nearest cells alone."""

PROBED, PROBED_OTHERWISE = 0.02, 0.05
"""The share of a huge library's songs that is looked at: under the default weights, for which the
cells are made, and under others."""

TELLING = 0.2
"""The least share of genre in the weights with which the cells, which genre makes, tell a thing."""

COPIES = 20
"""Copies of a recording are sought among so many nearest songs."""

_SAME_LENGTH = 0.02
_ALIKE = {"genre": 0.02, "timbre": 0.2, "rhythm": 0.2}
_VERSION = re.compile(r"\s*[(\[][^)\]]*[)\]]|\s+-\s+(remaster|live|mono|stereo|demo|acoustic).*$")


@dataclass(frozen=True)
class Neighbour:
    """A song that is near another.

    Attributes
    ----------
    row : int
        Its row in the catalogue.
    kinship : float
        0 to 1: 1 for the song itself, 0.5 for one as near as the ten nearest songs of either
        usually are; half as much for each such distance more.
    distance : float
        0 for the same sound, 1 for two songs at random, on average.
    why : dict
        What beat, intensity, rhythm, timbre and genre contribute to the distance; sums to it.
    """

    row: int
    kinship: float
    distance: float
    why: dict[str, float]


class Kinship:
    """How alike the songs of a catalogue are.

    Parameters
    ----------
    catalogue : Catalogue
        n songs.
    reference : Reference, optional
        The units of distance; those that ship with the package by default.
    correct_hubs : bool
        Whether neighbours are judged by local scaling (:mod:`songprint.kinship.hubs`).
    room : callable, optional
        Makes the array of float32 of a shape that the columns are laid out in; ``numpy.empty`` by
        default, but it may be a file.

    Examples
    --------
    >>> from songprint import Library
    >>> kinship = Kinship(Library.open().catalogue())  # doctest: +SKIP
    >>> for near in kinship.neighbours(0, 3):  # doctest: +SKIP
    ...     print(kinship.catalogue.titles[near.row], near.kinship, near.why)
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        reference: Reference | None = None,
        correct_hubs: bool = True,
        room: Callable[[tuple[int, int]], Floats] | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.space = Space(catalogue, reference, room=room)
        self._cells = CellsLater(self.space)
        self._scales = Scales(self.space, self._cells)
        self._correct_hubs = correct_hubs
        self._titles: NDArray[np.object_] | None = None
        self._artists: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.space)

    @property
    def cells(self) -> Cells:
        """The library divided by nearness; made when first needed, which takes a while."""
        return self._cells()

    @property
    def artists(self) -> NDArray[np.object_]:
        """Artists [shape=(n,)] such that the same one is spelt the same; None where unknown."""
        if self._artists is None:
            self._artists = _folded(self.catalogue.artists)
        return self._artists

    @property
    def works(self) -> NDArray[np.object_]:
        """Titles [shape=(n,)] such that versions of a song have the same; None where unknown."""
        if self._titles is None:
            self._titles = np.array(
                [_work(title) for title in _folded(self.catalogue.titles)], object
            )
        return self._titles

    @cached_property
    def popularity(self) -> NDArray[np.float64]:
        """How popular each song is [shape=(n,)], as :func:`popularity` tells."""
        return popularity(self)

    def prepare(self) -> None:
        """Measure what neighbours would otherwise measure when first asked for them."""
        self._scales.prepare()

    def neighbours(
        self,
        song: int | Catalogue,
        k: int = 10,
        weights: Weights = DEFAULT_WEIGHTS,
        *,
        artist_cap: int | None = None,
        other_artists: bool = False,
        leave_out: Iterable[int] = (),
    ) -> list[Neighbour]:
        """Return the songs nearest to a song, nearest first.

        Parameters
        ----------
        song : int or Catalogue
            A row of the catalogue, or a catalogue of one song that need not be in it.
        k : int
            How many; fewer where there are not as many.
        weights : Weights
            Of the parts.
        artist_cap : int, optional
            The most songs of one artist.
        other_artists : bool
            Leave out songs by the song's own artist.
        leave_out : iterable of int
            Rows that are not wanted.

        Raises
        ------
        UsageError
            If the song was heard by another model.

        Notes
        -----
        The song itself, copies of its recording, excerpts of it and what it is an excerpt of are no
        neighbours, and of songs that are known to be one recording the nearest comes.
        """
        one, queries = self._asked(song)
        raw = self._quick_distances(queries, weights)
        unwanted = np.fromiter(leave_out, np.intp)
        raw[unwanted] = np.inf
        if other_artists and (artist := _folded(one.artists)[0]) is not None:
            raw[self.artists == artist] = np.inf
        itself = [song] if isinstance(song, int | np.integer) else self.rows_of(song)
        raw[self.with_copies_and_wholes(itself)] = np.inf
        raw[self.copies_by_sound(one, raw[None, :])] = np.inf
        wanted = max(SHORTLIST, 20 * k)
        while True:
            shortlist = nearest(raw, wanted)
            order = shortlist[
                np.argsort(self.scaled(raw[shortlist], shortlist, weights), kind="stable")
            ]
            chosen = self.capped(self.once(order), k, artist_cap)
            if len(chosen) >= k or len(shortlist) < wanted:
                return self.explained(queries, chosen, weights, raw)
            wanted *= 4

    def rows_of(self, songs: Catalogue) -> Rows:
        """Return the rows of those songs that are in the library."""
        return np.flatnonzero(np.isin(self.catalogue.hashes, songs.hashes))

    def with_copies(self, rows: Sequence[int] | Rows) -> Rows:
        """Return songs, all that are known to be the same recordings, and excerpts of any of these.

        What a song is itself an excerpt of is not among them, unless it is half of it or more; see
        :meth:`with_copies_and_wholes`.
        """
        songs = self._with_recordings(np.asarray(rows, np.intp))
        excerpts = [part for parts in self.catalogue.excerpts[songs] if parts for part in parts]
        if excerpts:
            found = np.flatnonzero(np.isin(self.catalogue.hashes, excerpts))
            songs = np.union1d(songs, found)
        return songs

    def with_copies_and_wholes(self, rows: Sequence[int] | Rows) -> Rows:
        """Return :meth:`with_copies` of songs, and what they are excerpts of with its copies.

        Not the other excerpts of a whole: many songs may be parts of one long mix.
        """
        songs = self.with_copies(rows)
        wholes = [self._wholes.get(song, ()) for song in self.catalogue.hashes[songs].tolist()]
        found = np.array([row for rows in wholes for row in rows], np.intp)
        return np.union1d(songs, self._with_recordings(found))

    @cached_property
    def _wholes(self) -> dict[str, list[int]]:
        """The rows of the songs that a song is known to be an excerpt of, by its content hash."""
        wholes: dict[str, list[int]] = {}
        for row, parts in enumerate(self.catalogue.excerpts):
            for part in parts or ():
                wholes.setdefault(part, []).append(row)
        return wholes

    def _with_recordings(self, songs: Rows) -> Rows:
        recordings = self.catalogue.recordings
        theirs = recordings[songs]
        if not theirs.any():
            return songs
        return np.union1d(songs, np.flatnonzero(np.isin(recordings, theirs[theirs > 0])))

    def copies_by_sound(self, songs: Catalogue, raw: Floats) -> Rows:
        """Return what sounds like copies of songs, themselves too, by distances [shape=(m, n)]."""
        queries = self.space.queries(songs)
        found = [np.empty(0, np.intp)]
        for i in range(len(songs)):
            near = nearest(raw[i], COPIES)
            found.append(near[self._alike(songs.seconds[[i]], queries.one(i), near)[0]])
        return np.unique(np.concatenate(found))

    def once(self, order: Rows) -> Rows:
        """Return songs in order, of those that are known to be one recording only the first."""
        recordings = self.catalogue.recordings[order]
        _, first = np.unique(recordings, return_index=True)
        kept = recordings == 0
        kept[first] = True
        first_of_each: Rows = order[kept]
        return first_of_each

    def scaled(self, distances: Floats, rows: Rows, weights: Weights) -> Floats:
        """Return distances [shape=(..., k)] to songs [shape=(k,)] in a form to rank by."""
        if not self._correct_hubs:
            return distances
        return np.asarray(distances / np.sqrt(self._scales.of(weights, rows)), np.float32)

    def capped(self, order: Rows, k: int, artist_cap: int | None) -> list[int]:
        """Return the first k rows, with no artist more often than the cap."""
        if artist_cap is None:
            return [int(row) for row in order[:k]]
        chosen: list[int] = []
        songs: dict[str, int] = {}
        for row in order:
            artist = self.artists[row]
            if artist is not None:
                if songs.get(artist, 0) >= artist_cap:
                    continue
                songs[artist] = songs.get(artist, 0) + 1
            chosen.append(int(row))
            if len(chosen) == k:
                break
        return chosen

    def explained(
        self, queries: Queries, rows: Sequence[int], weights: Weights, raw: Floats
    ) -> list[Neighbour]:
        """Return songs as neighbours of one point, in the order given.

        Parameters
        ----------
        queries : Queries
            The point.
        rows : sequence of int
            The songs.
        weights : Weights
            Of the parts.
        raw : ndarray [shape=(n,)]
            The point's distances to all songs, infinite for those that do not count.
        """
        if not len(rows):
            return []
        index = np.asarray(rows, np.intp)
        parts = self.space.by_part(queries, index)[0] * weights.shares()
        own = scales_by_part(self.space, queries, raw[None, :])[0] @ weights.shares()
        theirs = self._scales.of(weights, index)
        ratios = parts.sum(axis=1) / np.sqrt(np.maximum(own, 1e-6) * theirs)
        return [
            Neighbour(
                row=int(row),
                kinship=float(2.0**-ratio),
                distance=float(contributions.sum()),
                why=dict(zip(PARTS, map(float, contributions), strict=True)),
            )
            for row, ratio, contributions in zip(index, ratios, parts, strict=True)
        ]

    def same_recording(self, rows: Rows, others: Rows) -> NDArray[np.bool_]:
        """Tell of songs [shape=(m,)] which others [shape=(k,)] are their recordings or versions.

        Returns
        -------
        ndarray [shape=(m, k)]
            Whether they are known as one recording, sound like copies, or have one artist and work.
        """
        catalogue = self.catalogue
        alike = self._alike(catalogue.seconds[rows], self.space.queries(rows), others)
        ours, theirs = catalogue.recordings[rows][:, None], catalogue.recordings[others]
        alike |= (ours == theirs) & (ours > 0)
        works, artists = self.works[rows][:, None], self.artists[rows][:, None]
        known = np.array([[work is not None] for work in self.works[rows]], bool)
        version = (works == self.works[others]) & (artists == self.artists[others])
        return np.asarray(alike | (known & version), bool)

    def reach(self, k: int = 10, weights: Weights = DEFAULT_WEIGHTS) -> Reach:
        """Measure hubs: every song's k neighbours, no song left out but itself."""
        found = np.full((len(self), k), -1, np.intp)
        at_once = max(1, 16_000_000 // max(len(self), 1))
        everything = np.arange(len(self))
        for start in range(0, len(self), at_once):
            rows = everything[start : start + at_once]
            raw = self.space.distances(self.space.queries(rows), weights)
            raw[np.arange(len(rows)), rows] = np.inf
            scaled = self.scaled(raw, everything, weights)
            for row, distances in zip(rows, scaled, strict=True):
                near = nearest(distances, k)
                found[row, : len(near)] = near
        return reach_of(found, len(self))

    def _asked(self, song: int | Catalogue) -> tuple[Catalogue, Queries]:
        if isinstance(song, int | np.integer):
            if not 0 <= song < len(self):
                raise UsageError(f"there is no song {song} among {len(self)}")
            return self.catalogue.take([int(song)]), self.space.queries([int(song)])
        return song, self.space.queries(song)

    def _quick_distances(self, queries: Queries, weights: Weights) -> Floats:
        """Return one query's distances to all songs; in a huge library, to those it may be near.

        The others are infinitely far.
        """
        if len(self) < HUGE or weights.shares()[PARTS.index("genre")] < TELLING:
            alone: Floats = self.space.distances(queries, weights)[0]
            return alone
        probed = PROBED if weights == DEFAULT_WEIGHTS else PROBED_OTHERWISE
        rows = self.cells.candidates(queries, weights, round(probed * len(self)))
        raw = np.full(len(self), np.inf, np.float32)
        raw[rows] = self.space.distances(queries, weights, rows)[0]
        return raw

    def _alike(self, seconds: Floats, queries: Queries, others: Rows) -> NDArray[np.bool_]:
        """Tell of songs which others last nearly as long, and differ in nothing but what codecs do.

        [shape=(m, k)]
        """
        lengths = seconds[:, None]
        near = np.abs(self.catalogue.seconds[others] - lengths) <= _SAME_LENGTH * lengths
        limits = np.array([_ALIKE.get(part, np.inf) for part in PARTS])
        parts = self.space.by_part(queries, others)
        return np.asarray(near & (parts < limits).all(axis=2), bool)


def nearest(distances: Floats, k: int) -> Rows:
    """Return the k nearest, nearest first, equal ones by row; none at an infinite distance."""
    chosen: Rows = np.flatnonzero(np.isfinite(distances))
    if k < len(chosen):
        chosen = np.sort(chosen[np.argpartition(distances[chosen], k)[:k]])
    order: Rows = chosen[np.argsort(distances[chosen], kind="stable")]
    return order


def _folded(names: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.array([fold(name) if name else None for name in names], object)


def fold(name: str) -> str | None:
    """Return a name without case, accents and odd spaces, or None if nothing is left."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(letters.split()) or None


def _work(title: str | None) -> str | None:
    """Return a folded title without what tells versions apart: "(live)", "- remastered 2011"."""
    return None if title is None else _VERSION.sub("", title).strip() or title
