"""Stations: lists of songs grown from seeds that stay true to them.

Every song is judged by the seeds alone, never by the song before it, so that a station cannot
drift; guards (:mod:`songprint.kinship.guards`) are widened aloud or not at all.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.errors import UsageError
from songprint.kinship.choice import Choice
from songprint.kinship.distance import DEFAULT_WEIGHTS, Floats, Queries, Rows, Weights
from songprint.kinship.guards import FARTHEST, Guard, era_guard, genre_guard
from songprint.kinship.hubs import SMALLEST_SCALE, scales_by_part
from songprint.kinship.neighbours import Neighbour, nearest
from songprint.kinship.order import smooth_order
from songprint.kinship.popularity import ranks

if TYPE_CHECKING:
    from songprint.kinship.neighbours import Kinship
    from songprint.library.catalogue import Catalogue

LENGTH = 25
ARTIST_CAP = 2

SOFTNESS = 1.0
"""How many scaled distances further a song may be from one seed if it is nearer to others."""

REACH = 3
"""With --unpopular 1, the station is chosen from so many times as many songs."""

SHORTLIST_TIMES = 20
"""Among so many times the station's length of nearest songs it is chosen, if they are enough."""

VARIETY = 0.1
"""Standard deviation of the logarithm of the distances that chance takes for others."""

_AT_ONCE = 4096


@dataclass(frozen=True)
class Wishes:
    """What a station shall be like.

    Attributes
    ----------
    length : int
        How many songs.
    weights : Weights
        Of beat, intensity, rhythm, timbre and genre.
    same_genre : bool
        Stop where no more kin are of the seeds' genres; otherwise the station widens.
    any_genre : bool
        Let every genre pass from the start.
    era : str, optional
        Only songs that sound of a decade: "90s"; stop where there are no more.
    widen : bool
        Widen even so.
    unpopular : float
        0 to 1: how much what is seldom played comes first.
    artist_cap : int
        The most songs of one artist; 0 for no cap.
    chance : int, optional
        Another number, another station; the same, the same. None leaves nothing to chance.
    likes, dislikes, skips, never : tuple of int
        Rows. A liked song is a seed that is not played again; a song nearer to a disliked one than
        to the seeds is not played, nor one much nearer to a skipped one; `never` only goes itself.
    """

    length: int = LENGTH
    weights: Weights = DEFAULT_WEIGHTS
    same_genre: bool = False
    any_genre: bool = False
    era: str | None = None
    widen: bool = False
    unpopular: float = 0.0
    artist_cap: int = ARTIST_CAP
    chance: int | None = None
    likes: tuple[int, ...] = ()
    dislikes: tuple[int, ...] = ()
    skips: tuple[int, ...] = ()
    never: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.length < 1:
            raise UsageError(f"a station has 1 song or more, not {self.length}")
        if not 0 <= self.unpopular <= 1:
            raise UsageError(f"--unpopular takes a number from 0 to 1, not {self.unpopular:g}")
        if self.same_genre and self.any_genre:
            raise UsageError("a station cannot be of the same genre and of any")

    @property
    def strict(self) -> bool:
        """Whether the station stops where its guards leave no more songs."""
        return (self.same_genre or self.era is not None) and not self.widen


@dataclass(frozen=True)
class Station:
    """Songs in the order in which they are played.

    Attributes
    ----------
    songs : list of Neighbour
        Each as a neighbour of the seed, or the liked song, that it is nearest to.
    kin_of : dict
        Which one that is, by row: its place among the seeds, then the liked songs.
    guards : list of str
        What its songs have in common by the guards: "electronic", "90s".
    widened : dict
        For songs outside of guards, by row: the names of the guards they do not pass.
    remarks : list of str
        What a listener should know: that the guard abstains, that the station widens or stops.
    complete : bool
        Whether it is as long as was wished.
    """

    songs: list[Neighbour]
    kin_of: dict[int, int] = field(default_factory=dict)
    guards: list[str] = field(default_factory=list)
    widened: dict[int, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    complete: bool = True


def grow(
    kinship: Kinship, seeds: Sequence[int] | Catalogue, wishes: Wishes | None = None
) -> Station:
    """Grow a station.

    Parameters
    ----------
    kinship : Kinship
        Knows the library's songs.
    seeds : sequence of int, or Catalogue
        Rows of the library, or songs that need not be in it; one or more.
    wishes : Wishes, optional
        What it shall be like.

    Returns
    -------
    Station
        No song twice, no seed nor a copy or an excerpt of one nor what one is an excerpt of, no two
        versions of one song, no recording in two files that are known to be one
        (:mod:`songprint.identify.recordings`).

    Raises
    ------
    UsageError
        If there are no seeds, or the era has no such name.

    Examples
    --------
    >>> station = grow(kinship, [0], Wishes(length=10, same_genre=True))  # doctest: +SKIP
    >>> [kinship.catalogue.paths[song.row] for song in station.songs]  # doctest: +SKIP
    """
    wishes = wishes or Wishes()
    asked = kinship.catalogue.take(seeds) if isinstance(seeds, Sequence) else seeds
    if not len(asked):
        raise UsageError("a station needs a seed")
    wanted = kinship.space.queries(asked)
    judge = _Judge(kinship, wanted, wishes)
    itself = seeds if isinstance(seeds, Sequence) else kinship.rows_of(seeds)
    judge.leave_out(kinship.with_copies_and_wholes(itself))
    judge.leave_out(judge.copies_by_sound(asked))
    judge.leave_out(kinship.with_copies(wishes.likes))
    playable = np.isfinite(judge.nearest)
    playable[kinship.with_copies([*wishes.dislikes, *wishes.skips, *wishes.never])] = False
    guards, remarks = _guards(kinship, asked, judge.nearest, wishes)

    chosen = Choice(kinship, wishes.length, wishes.artist_cap)
    songs: list[int] = []
    widened: dict[int, list[str]] = {}
    for level in range(len(guards), -1, -1):
        passing = np.logical_and.reduce([playable, *(guard.passes for guard in guards[:level])])
        # Outside of guards the nearest come, popular or not: the seldom played would be far.
        inside = level == len(guards)
        unpopular = wishes.unpopular if inside else 0.0
        taken = _take(kinship, judge, passing, chosen, replace(wishes, unpopular=unpopular))
        for row in taken if not inside else []:
            widened[row] = [guard.name for guard in guards[level:] if not guard.passes[row]]
        songs += smooth_order(kinship, wanted, taken, after=songs[-1] if songs else None)
        if chosen.full or level == 0:
            break
        if wishes.strict:
            remarks.append(f"the library has no more {_kin(guards[:level])}: the station stops")
            break
        remarks.append(f"the library has no more {_kin(guards[:level])}: the station widens")
    if not chosen.full and not wishes.strict:
        remarks.append("the library has no more songs: the station stops")
    return Station(
        songs=judge.explained(songs),
        kin_of=dict(zip(songs, judge.kin_of(songs), strict=True)),
        guards=[guard.name for guard in guards[1:]],
        widened=widened,
        remarks=remarks,
        complete=chosen.full,
    )


class _Judge:
    """Tells how far songs are from all that is wanted, chiefly from the nearest of it."""

    def __init__(self, kinship: Kinship, wanted: Queries, wishes: Wishes) -> None:
        self._kinship = kinship
        self._weights = wishes.weights
        liked = kinship.space.queries(list(wishes.likes))
        self._wanted = Queries(
            np.concatenate([wanted.coefficients, liked.coefficients]),
            np.concatenate([wanted.offsets, liked.offsets]),
        )
        self._raw = kinship.space.reweighed(self._wanted, self._weights)
        self._refused = [*wishes.dislikes, *wishes.skips]
        # A skip may have been the moment's; only what is half as far from it goes with it.
        self._times = [1.0] * len(wishes.dislikes) + [2.0] * len(wishes.skips)
        self._refused_raw = kinship.space.distances(
            kinship.space.queries(self._refused), self._weights
        )
        self._refused_raw[:, self._refused] = np.inf

    def leave_out(self, rows: Rows) -> None:
        """Let songs be no kin: what is wanted itself, and its copies."""
        self._raw[:, rows] = np.inf

    @cached_property
    def nearest(self) -> Floats:
        """How far each song is from the nearest of what is wanted, when all is left out."""
        return np.asarray(self._raw.min(axis=0))

    def kin_of(self, rows: Sequence[int]) -> list[int]:
        """Return which of what is wanted each song is nearest to."""
        return [int(kin) for kin in self._raw[:, list(rows)].argmin(axis=0)]

    def copies_by_sound(self, seeds: Catalogue) -> Rows:
        """Return songs that sound like copies of the seeds."""
        return self._kinship.copies_by_sound(seeds, self._raw[: len(seeds)])

    def explained(self, rows: Sequence[int]) -> list[Neighbour]:
        """Return songs as neighbours of what each is nearest to, in the order given."""
        found: dict[int, Neighbour] = {}
        kin_of = np.array(self.kin_of(rows), np.intp)
        for kin in np.unique(kin_of):
            theirs = [int(row) for row in np.asarray(rows)[kin_of == kin]]
            query = self._wanted.one(int(kin))
            near = self._kinship.explained(query, theirs, self._weights, self._raw[kin])
            found |= {neighbour.row: neighbour for neighbour in near}
        return [found[row] for row in rows]

    def farness(self, rows: Rows) -> Floats:
        """Return how far songs are [shape=(k,)]; infinite nearer to what was refused."""
        far = self._farness(self._wanted, self._raw, rows)
        for i, (row, times) in enumerate(zip(self._refused, self._times, strict=True)):
            refused = self._kinship.space.queries([row])
            far[times * self._farness(refused, self._refused_raw[[i]], rows) < far] = np.inf
        return far

    def _farness(self, queries: Queries, raw: Floats, rows: Rows) -> Floats:
        own = scales_by_part(self._kinship.space, queries, raw) @ self._weights.shares()
        scales = np.sqrt(np.maximum(own, SMALLEST_SCALE))[:, None]
        found = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), _AT_ONCE):  # many seeds, many songs: much memory
            some = rows[start : start + _AT_ONCE]
            far = self._kinship.scaled(raw[:, some], some, self._weights) / scales
            least = far.min(axis=0)
            others = np.exp((least - far) / SOFTNESS).mean(axis=0)
            found[start : start + len(some)] = least - SOFTNESS * np.log(others)
        return found


def _take(
    kinship: Kinship,
    judge: _Judge,
    passing: NDArray[np.bool_],
    chosen: Choice,
    wishes: Wishes,
) -> list[int]:
    """Choose among the songs that pass a level of guards."""
    taken: list[int] = []
    distances = np.where(passing, judge.nearest, np.inf)
    size = SHORTLIST_TIMES * wishes.length
    while not chosen.full:
        shortlist = nearest(distances, size)
        farness = judge.farness(shortlist)
        order = np.argsort(farness, kind="stable")[: int(np.isfinite(farness).sum())]
        order = shortlist[_shuffled(kinship, shortlist, order, farness, wishes)]
        if wishes.unpopular:
            order = _seldom_first(kinship, order, wishes)
        taken += chosen.extend(order)
        if len(shortlist) < size:
            break
        size *= 4
    return taken


def _guards(
    kinship: Kinship, seeds: Catalogue, distances: Floats, wishes: Wishes
) -> tuple[list[Guard], list[str]]:
    """Return the guards, the last to be widened first, and what is to be said of them."""
    guards, remarks = [Guard("kin", distances < FARTHEST)], []
    if not wishes.any_genre:
        genre = genre_guard(kinship.catalogue, seeds)
        if genre is None:
            remarks.append("the genre of the seeds is unsure: every genre may come")
        else:
            guards.append(genre)
    if wishes.era is not None:
        guards.append(era_guard(kinship.catalogue, wishes.era, kinship.space.reference))
    return guards, remarks


def _kin(guards: Sequence[Guard]) -> str:
    """Say what the songs inside of guards are."""
    names = [guard.name for guard in guards[1:]]
    return f"kin that are {', '.join(names)}" if names else "kin"


def _seldom_first(kinship: Kinship, order: Rows, wishes: Wishes) -> Rows:
    """Put what is seldom played before, among the nearest."""
    pool = order[: round(wishes.length * (1 + (REACH - 1) * wishes.unpopular))]
    popular = ranks(kinship.popularity[pool])
    mixed = (1 - wishes.unpopular) * ranks(np.arange(len(pool))) + wishes.unpopular * popular
    return np.concatenate([pool[np.argsort(mixed, kind="stable")], order[len(pool) :]])


def _shuffled(kinship: Kinship, rows: Rows, order: Rows, farness: Floats, wishes: Wishes) -> Rows:
    """Let chance change an order a little; each song has its own luck, whatever else is there."""
    if wishes.chance is None:
        return order
    seeds = [
        zlib.crc32(f"{wishes.chance} {kinship.catalogue.hashes[row]}".encode()) for row in rows
    ]
    luck = np.array([np.random.default_rng(seed).standard_normal() for seed in seeds])
    return order[np.argsort((farness * np.exp(VARIETY * luck))[order], kind="stable")]
