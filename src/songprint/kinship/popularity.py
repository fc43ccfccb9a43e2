"""How popular songs are, so that a station can play what is seldom heard first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from songprint.kinship.neighbours import Kinship


def popularity(kinship: Kinship) -> NDArray[np.float64]:
    """Return how popular each song is [shape=(n,)]; only the order of the numbers means something.

    By play counts if there are any; a song without one was never played. Else by how many songs of
    its artist there are, an unknown artist having one.
    """
    plays = kinship.catalogue.plays
    if np.isfinite(plays).any():
        return np.nan_to_num(plays.astype(np.float64), nan=0.0)
    songs = Counter(artist for artist in kinship.artists if artist is not None)
    return np.array([songs.get(artist, 1) for artist in kinship.artists], np.float64)


def ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return ranks from 0 to 1 [shape=(n,)], the middle one for equal values."""
    if len(values) < 2:
        return np.zeros(len(values))
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left")
    upto = np.searchsorted(ordered, values, side="right") - 1
    found: NDArray[np.float64] = (below + upto) / 2 / (len(values) - 1)
    return found
