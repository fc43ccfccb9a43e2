"""Guards that keep a station to its seeds: by genre and era, both from the audio, and by kinship.

A guard abstains where the audio does not say: one for the genre of seeds whose genre is unsure
lets everything pass, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.errors import UsageError

if TYPE_CHECKING:
    from songprint.kinship.reference import Reference
    from songprint.library.catalogue import Catalogue

LIKELY = 0.5
"""A song passes if its genre is as likely as not one of the seeds'."""

NEAR_LIKELIEST = 0.5
"""A genre is a seed's if it is at least so probable, of the seed's likeliest."""

ERA_RANK = 0.7
"""The share of the reference's songs that a song of an era sounds more of that era than."""

FARTHEST = 1.0
"""Of a kin: two songs at random are as far, on average."""


@dataclass(frozen=True, eq=False)
class Guard:
    """Which songs pass.

    Attributes
    ----------
    name : str
        What they have in common, for a listener.
    passes : ndarray of bool [shape=(n,)]
        The songs.
    """

    name: str
    passes: NDArray[np.bool_]


def genre_guard(catalogue: Catalogue, seeds: Catalogue) -> Guard | None:
    """Return the guard of the seeds' genres; None where they are all unsure.

    Parameters
    ----------
    catalogue : Catalogue
        n songs that may pass.
    seeds : Catalogue
        The seeds.
    """
    sure = seeds.genres[~seeds.unsure]
    if not len(sure):
        return None
    theirs = (sure >= NEAR_LIKELIEST * sure.max(axis=1, keepdims=True)).any(axis=0)
    names = [
        catalogue.vocabulary.genres[i]
        for i in np.argsort(-sure.mean(axis=0), kind="stable")
        if theirs[i]
    ]
    return Guard(" or ".join(names), catalogue.genres[:, theirs].sum(axis=1) >= LIKELY)


def era_guard(catalogue: Catalogue, era: str, reference: Reference) -> Guard:
    """Return the guard of a decade: that which a song sounds most of, compared to other songs.

    The tagger's opinions of decades are small numbers that were never measured on labels; only
    their ranks are used. Songs without a clear decade do not pass.

    Raises
    ------
    UsageError
        If there is no such decade.
    """
    names = catalogue.vocabulary.eras
    wanted = era.strip().lower().removeprefix("19").removeprefix("20")
    if wanted not in names:
        raise UsageError(f"--era {era}: the decades are {', '.join(sorted_eras(names))}")
    ranks = np.stack(
        [reference.rank(f"eras/{name}", catalogue.eras[:, i]) for i, name in enumerate(names)],
        axis=1,
    )
    place = names.index(wanted)
    return Guard(wanted, (ranks.argmax(axis=1) == place) & (ranks[:, place] >= ERA_RANK))


def sorted_eras(names: tuple[str, ...]) -> list[str]:
    """Return decades in the order of time: "60s" to "90s", then "00s"."""
    return sorted(names, key=lambda name: (int(name[:2]) < 50, name))
