"""Choosing songs for a list: no two versions of one song, and no more of an artist than wished."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from songprint.kinship.distance import Rows
    from songprint.kinship.neighbours import Kinship

_AT_ONCE = 64
"""Songs that are compared with each other at once: a little more than a station takes."""


class Choice:
    """A list of songs that fills up.

    Parameters
    ----------
    kinship : Kinship
        Knows the songs.
    length : int
        How many there may be.
    artist_cap : int
        The most songs of one artist; 0 for no cap. Songs of unknown artists are not capped.

    Attributes
    ----------
    rows : list of int
        The songs chosen so far.
    """

    def __init__(self, kinship: Kinship, length: int, artist_cap: int) -> None:
        self.rows: list[int] = []
        self._kinship = kinship
        self._length = length
        self._artist_cap = artist_cap
        self._by_artist: dict[str, int] = {}

    @property
    def full(self) -> bool:
        """Whether there are as many songs as there may be."""
        return len(self.rows) >= self._length

    def extend(self, order: Iterable[int]) -> list[int]:
        """Take songs in order, but those that do not fit, until it is full; return those taken."""
        before, rows = len(self.rows), np.fromiter(order, np.intp)
        for start in range(0, len(rows), _AT_ONCE):
            if self.full:
                break
            self._extend(rows[start : start + _AT_ONCE])
        return self.rows[before:]

    def _extend(self, rows: Rows) -> None:
        known = len(self.rows)
        others = np.concatenate([np.array(self.rows, np.intp), rows])
        same = self._kinship.same_recording(rows, others) | (rows[:, None] == others)
        taken = list(range(known))
        for place, row in enumerate(map(int, rows)):
            artist = self._kinship.artists[row]
            songs = self._by_artist.get(artist, 0)
            if self.full or same[place, taken].any():
                continue
            if artist is not None and self._artist_cap and songs >= self._artist_cap:
                continue
            self._by_artist[artist] = songs + 1
            self.rows.append(row)
            taken.append(known + place)
