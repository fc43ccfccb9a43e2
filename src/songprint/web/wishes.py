"""Stations as the page asks for them, and as the library keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from songprint.kinship.distance import Weights
from songprint.kinship.station import Wishes

if TYPE_CHECKING:
    from songprint.web.shelf import Snapshot

VERDICTS = ("like", "dislike", "skip", "never")
SAID = ("likes", "dislikes", "skips", "never")
"""The wishes that verdicts become."""

MOST_MINDED = 25
"""Songs that were liked last, and such that were not, that a station is judged by: each takes a
distance to every song of the library. What was said before still keeps these songs from playing."""


def with_verdicts(wishes: Wishes, snapshot: Snapshot, said: Mapping[str, str]) -> Wishes:
    """Return wishes with what was said of songs.

    Parameters
    ----------
    wishes : Wishes
        Without it.
    snapshot : Snapshot
        Knows the songs.
    said : mapping of str to str
        Content hash to verdict, the last one last.
    """
    rows: dict[str, list[int]] = {verdict: [] for verdict in VERDICTS}
    for song, verdict in said.items():
        row = snapshot.row_of(song)
        if row is not None and verdict in rows:
            rows[verdict].append(row)
    never = rows.pop("never")
    minded = {verdict: tuple(songs[-MOST_MINDED:]) for verdict, songs in rows.items()}
    never += [row for songs in rows.values() for row in songs[:-MOST_MINDED]]
    return replace(
        wishes,
        likes=minded["like"],
        dislikes=minded["dislike"],
        skips=minded["skip"],
        never=tuple(never),
    )


def to_keep(seeds: Sequence[str], wishes: Wishes) -> dict[str, Any]:
    """Return a station as the library keeps it, the same that ``songprint station --save`` does."""
    kept = asdict(wishes)
    for name in SAID:
        del kept[name]  # these are the library's to remember, by song
    return {"seeds": list(seeds), "wishes": kept}


def kept_wishes(kept: Mapping[str, Any]) -> Wishes:
    """Return the wishes of a station that was kept."""
    told = kept["wishes"]
    return Wishes(**{**told, "weights": Weights(**told["weights"])})
