"""Choosing songs for a list: no two versions of one song, and no more of an artist than wished."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from songprint.kinship.neighbours import Kinship


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
        before = len(self.rows)
        for row in map(int, order):
            if self.full:
                break
            if self._fits(row):
                self.rows.append(row)
        return self.rows[before:]

    def _fits(self, row: int) -> bool:
        artist = self._kinship.artists[row]
        songs = self._by_artist.get(artist, 0)
        if artist is not None and self._artist_cap and songs >= self._artist_cap:
            return False
        others = np.array(self.rows, np.intp)
        if row in self.rows or self._kinship.same_recording(row, others).any():
            return False
        self._by_artist[artist] = songs + 1
        return True
