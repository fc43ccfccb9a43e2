"""Songs by genre: which of them stand for their genre, and how the genres differ."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.views.effects import (
    CONFIDENCE,
    Contrast,
    Effect,
    Spread,
    compare,
    compare_to_rest,
    holm,
    spread_of,
)
from songprint.views.numbers import NUMBERS, Number

if TYPE_CHECKING:
    from songprint.datasets.core import Track
    from songprint.fingerprints import Fingerprint

MOST_GENRES = 24
FEWEST_FOR_BAND = 4
"""Songs of a genre from which on quartiles of their spectra are drawn."""


@dataclass(frozen=True, eq=False)
class Member:
    """A song of a genre.

    Attributes
    ----------
    path : str
        Its file.
    genre : str
        Its label, or what songprint heard.
    artist : str or None
        Who made it, if the data set says.
    fingerprint : Fingerprint
        Without its timeline, which is long.
    spectrum_dbfs : ndarray [shape=(b,)]
        Long-term average spectrum.
    level_dbfs : float
        Its mean power.
    """

    path: str
    genre: str
    artist: str | None
    fingerprint: Fingerprint
    spectrum_dbfs: NDArray[np.float32]
    level_dbfs: float


@dataclass(frozen=True, eq=False)
class Genre:
    """The songs of a genre; never none."""

    name: str
    members: tuple[Member, ...]

    @property
    def artists(self) -> int | None:
        """How many made the songs, or none where that is not known of all."""
        names = {member.artist for member in self.members}
        return None if None in names else len(names)

    def by_typicality(self) -> list[Member]:
        """Return the songs, the one nearest to the mean of their embeddings first."""
        embeddings = np.stack([member.fingerprint.embedding for member in self.members])
        nearness = embeddings @ embeddings.mean(axis=0)
        order = sorted(
            range(len(self.members)), key=lambda i: (-round(float(nearness[i]), 6), self.paths[i])
        )
        return [self.members[i] for i in order]

    @property
    def paths(self) -> list[str]:
        """The songs' files."""
        return [member.path for member in self.members]

    def spectra(self, *, relative: bool) -> NDArray[np.float64]:
        """Return the quartiles of the songs' spectra [shape=(3, b)].

        Parameters
        ----------
        relative : bool
            Whether to the level of each song, so that loudness does not count.
        """
        spectra = [
            member.spectrum_dbfs - (member.level_dbfs if relative else 0) for member in self.members
        ]
        quartiles: NDArray[np.float64] = np.percentile(np.stack(spectra), [25, 50, 75], axis=0)
        return quartiles

    def values(self, number: Number) -> NDArray[np.float64]:
        """Return a number of each song [shape=(n,)], NaN where it is not known."""
        values = (number.of(member.fingerprint) for member in self.members)
        return np.array([np.nan if value is None else value for value in values], np.float64)


@dataclass(frozen=True)
class Compared:
    """How the genres differ in a number.

    Attributes
    ----------
    number : Number
        The number.
    spreads : dict of str to Spread
        Of each genre.
    effect : Effect or None
        Over all genres; none where it cannot be told.
    p_adjusted : float
        The effect's p-value, adjusted for the numbers that were tested; NaN without an effect.
    to_rest : dict of str to Contrast
        Each genre and the rest, widened for all that were compared so.
    """

    number: Number
    spreads: dict[str, Spread]
    effect: Effect | None
    p_adjusted: float
    to_rest: dict[str, Contrast]

    @property
    def known(self) -> bool:
        """Whether it is known of any song: mono files, say, have no stereo width."""
        return any(spread.songs for spread in self.spreads.values())


@dataclass(frozen=True, eq=False)
class Gallery:
    """Genres side by side.

    Attributes
    ----------
    title : str
        What the songs are.
    genres : tuple of Genre
        By name.
    labelled : bool
        Whether the genres are labels of the songs; else songprint's own opinion.
    notes : tuple of str
        What a reader must know: songs left out, and why.
    """

    title: str
    genres: tuple[Genre, ...]
    labelled: bool
    notes: tuple[str, ...] = ()

    @property
    def songs(self) -> int:
        """How many songs there are in all."""
        return sum(len(genre.members) for genre in self.genres)

    def compared(self, numbers: Sequence[Number] = NUMBERS) -> list[Compared]:
        """Compare the genres in numbers; those in which they differ most come first."""
        groups = {n.key: {g.name: g.values(n) for g in self.genres} for n in numbers}
        effects = {n.key: compare(groups[n.key]) for n in numbers}
        tested = {key: effect.p for key, effect in effects.items() if effect is not None}
        adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
        confidence = 1 - (1 - CONFIDENCE) / (len(numbers) * len(self.genres))
        found = [
            Compared(
                number=n,
                spreads={name: spread_of(values) for name, values in groups[n.key].items()},
                effect=effects[n.key],
                p_adjusted=adjusted.get(n.key, float("nan")),
                to_rest=compare_to_rest(groups[n.key], confidence),
            )
            for n in numbers
        ]
        return sorted(found, key=lambda c: -c.effect.eta_squared if c.effect else 1.0)


def collect(members: Iterable[Member], per_genre: int) -> tuple[tuple[Genre, ...], list[str]]:
    """Group songs by genre, each recording once.

    Parameters
    ----------
    members : iterable of Member
        In any order.
    per_genre : int
        The most songs of a genre.

    Returns
    -------
    genres : tuple of Genre
        By name.
    notes : list of str
        How many recordings were left out, and why.
    """
    heard: dict[str, list[Member]] = {}
    for member in members:
        heard.setdefault(member.fingerprint.content_hash, []).append(member)
    groups: dict[str, list[Member]] = {}
    again = contradictory = 0
    for copies in heard.values():
        if len({copy.genre for copy in copies}) > 1:
            contradictory += 1
            continue
        again += len(copies) - 1
        first = copies[0]
        lean = replace(first, fingerprint=replace(first.fingerprint, timeline=()))
        groups.setdefault(first.genre, []).append(lean)
    notes = []
    if again:
        notes.append(f"{_files(again)} left out: recordings that another file holds as well")
    if contradictory:
        notes.append(f"{contradictory} left out: recordings that carry more than one genre")
    genres = []
    for name in sorted(groups):
        kept = sorted(groups[name], key=lambda member: lot(member.path))[:per_genre]
        genres.append(Genre(name, tuple(sorted(kept, key=lambda member: member.path))))
    dropped = sum(map(len, groups.values())) - sum(len(genre.members) for genre in genres)
    if dropped:
        notes.append(f"{_files(dropped)} left out: more than {per_genre} of a genre")
    return tuple(genres), notes


def _files(n: int) -> str:
    return "1 file" if n == 1 else f"{n} files"


@dataclass
class Selection:
    """The tracks that are heard, and how many there were."""

    tracks: list[Track] = field(default_factory=list)
    of: Counter[str] = field(default_factory=Counter)


def select(tracks: Iterable[Track], per_genre: int) -> Selection:
    """Take so many songs of each genre, by as many artists as can be, always the same ones.

    The choice goes by a hash of the tracks' ids: it neither favours the beginning of an alphabet
    nor changes wholly when songs are added.

    Parameters
    ----------
    tracks : iterable of Track
        What there is.
    per_genre : int
        The most songs of a genre.
    """
    by_genre: dict[str, list[Track]] = {}
    for track in tracks:
        by_genre.setdefault(track.label, []).append(track)
    selection = Selection()
    for label in sorted(by_genre):
        waiting = sorted(by_genre[label], key=lambda track: lot(track.id))
        selection.of[label] = len(waiting)
        taken: Counter[str | None] = Counter()
        ranked = []
        for place, track in enumerate(waiting):
            artist = track.artist or f"\0{track.id}"
            ranked.append((taken[artist], place, track))
            taken[artist] += 1
        ranked.sort(key=lambda entry: entry[:2])
        selection.tracks += [track for *_, track in ranked[:per_genre]]
    return selection


def lot(track_id: str) -> bytes:
    """Return the lot of a song: its place in an order that is as good as random."""
    return hashlib.sha256(track_id.encode("utf-8", "surrogateescape")).digest()
