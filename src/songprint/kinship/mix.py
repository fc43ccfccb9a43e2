"""Alchemy: songs like some and unlike others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from songprint.errors import UsageError
from songprint.kinship.choice import Choice
from songprint.kinship.distance import DEFAULT_WEIGHTS, Floats, Queries, Weights
from songprint.kinship.hubs import SMALLEST_SCALE, scales_by_part
from songprint.kinship.neighbours import Neighbour, nearest

if TYPE_CHECKING:
    from songprint.kinship.neighbours import Kinship
    from songprint.library.catalogue import Catalogue

AWAY = 0.5
"""How much the distance to what is subtracted counts, beside that to what is added."""

_SHORTLIST_TIMES = 100


def mix(
    kinship: Kinship,
    add: Catalogue,
    subtract: Catalogue | None = None,
    k: int = 10,
    weights: Weights = DEFAULT_WEIGHTS,
    *,
    artist_cap: int = 2,
) -> list[Neighbour]:
    """Return songs near to all that is added and far from what is subtracted.

    Parameters
    ----------
    kinship : Kinship
        Knows the library's songs.
    add : Catalogue
        One song or more, in the library or not.
    subtract : Catalogue, optional
        Songs from which the way leads away; one that is nearer to them than to those added is none.
    k : int
        How many.
    weights : Weights
        Of beat, intensity, rhythm, timbre and genre.
    artist_cap : int
        The most songs of one artist; 0 for no cap.

    Returns
    -------
    list of Neighbour
        Best first, as neighbours of the middle of what is added.

    Raises
    ------
    UsageError
        If nothing is added.
    """
    if not len(add):
        raise UsageError("a mix needs a song to add")
    away = subtract if subtract is not None and len(subtract) else None
    wanted = kinship.space.queries(add)
    raw = kinship.space.distances(wanted, weights)
    raw[:, kinship.with_copies_and_wholes(kinship.rows_of(add))] = np.inf
    raw[:, kinship.copies_by_sound(add, raw)] = np.inf
    middle = raw.mean(axis=0)
    if away is None:
        shortlist = nearest(middle, _SHORTLIST_TIMES * k)
        score = _scaled(kinship, wanted, raw, shortlist, weights).mean(axis=0)
    else:
        unwanted = kinship.space.queries(away)
        against = kinship.space.distances(unwanted, weights)
        itself = kinship.with_copies_and_wholes(kinship.rows_of(away))
        against[:, itself] = np.inf
        shortlist = nearest(np.where(np.isfinite(against[0]), middle, np.inf), _SHORTLIST_TIMES * k)
        near = _scaled(kinship, wanted, raw, shortlist, weights).mean(axis=0)
        far = _scaled(kinship, unwanted, against, shortlist, weights).min(axis=0)
        score = np.where(far < near, np.inf, near - AWAY * far)
    order = shortlist[np.argsort(score, kind="stable")[: int(np.isfinite(score).sum())]]
    centre = wanted.combined(np.full(len(add), 1 / len(add)))
    return kinship.explained(centre, Choice(kinship, k, artist_cap).extend(order), weights, middle)


def _scaled(
    kinship: Kinship, queries: Queries, raw: Floats, rows: np.ndarray, weights: Weights
) -> Floats:
    own = scales_by_part(kinship.space, queries, raw) @ weights.shares()
    scaled = kinship.scaled(raw[:, rows], rows, weights)
    return np.asarray(scaled / np.sqrt(np.maximum(own, SMALLEST_SCALE))[:, None])
