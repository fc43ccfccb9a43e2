"""A path from one song to another in even steps.

Where a song lies between the ends follows from its distances to both: in a space of squared
distances, how far along the straight line between them it is, and how far beside it (Stewart's
theorem). Songs are dealt to steps such that the sum of both errors is smallest.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.errors import UsageError
from songprint.kinship.assignment import Assignment
from songprint.kinship.distance import DEFAULT_WEIGHTS, Floats, Rows, Space, Weights
from songprint.kinship.neighbours import nearest

if TYPE_CHECKING:
    from songprint.kinship.neighbours import Kinship
    from songprint.library.catalogue import Catalogue

LENGTH = 10
ARTIST_CAP = 1

EVENNESS = 1.0
"""What it costs to be a step ahead or behind, in scaled distances beside the line."""

_CANDIDATES = 60
_ROUNDS = 20
_NEVER = 1e6


@dataclass(frozen=True)
class Step:
    """A song on the way.

    Attributes
    ----------
    row : int
        In the catalogue.
    progress : float
        How far along it is: 0 sounds like the first song, 1 like the last.
    detour : float
        Its distance from the straight line, in units of kinship's distances.
    """

    row: int
    progress: float
    detour: float


@dataclass(frozen=True)
class Path:
    """Songs between two others, in order.

    Attributes
    ----------
    steps : list of Step
        Without the two ends.
    distance : float
        Between the ends.
    remarks : list of str
        What a listener should know.
    """

    steps: list[Step]
    distance: float
    remarks: list[str] = field(default_factory=list)


def travel(
    kinship: Kinship,
    ends: Catalogue,
    length: int = LENGTH,
    weights: Weights = DEFAULT_WEIGHTS,
    *,
    artist_cap: int = ARTIST_CAP,
) -> Path:
    """Find a path.

    Parameters
    ----------
    kinship : Kinship
        Knows the library's songs.
    ends : Catalogue
        The first song and the last, which need not be in the library.
    length : int
        How many songs lie between.
    weights : Weights
        Of beat, intensity, rhythm, timbre and genre.
    artist_cap : int
        The most songs of one artist between the ends; 0 for no cap.

    Raises
    ------
    UsageError
        If there are not two ends, or they are one song or recording, or `length` is below 1.
    """
    if len(ends) != 2:
        raise UsageError(f"a path has two ends, not {len(ends)}")
    if ends.hashes[0] == ends.hashes[1]:
        raise UsageError("both ends of the path are the same song")
    if _are_one_recording(ends):
        raise UsageError("both ends of the path are one recording: no song lies between")
    if length < 1:
        raise UsageError(f"a path has 1 song between its ends or more, not {length}")
    queries = kinship.space.queries(ends)
    raw = kinship.space.distances(queries, weights)
    between = _between(kinship, ends, weights)
    raw[:, kinship.with_copies_and_wholes(kinship.rows_of(ends))] = np.inf
    raw[:, kinship.copies_by_sound(ends, raw)] = np.inf
    candidates = kinship.once(nearest(raw.sum(axis=0), _CANDIDATES * length))
    progress, detour = _place(raw[0, candidates], raw[1, candidates], between)
    steps = np.arange(1, length + 1) / (length + 1)
    beside = kinship.scaled(np.maximum(detour, 0.0), candidates, weights)
    behind = (progress[None, :] - steps[:, None]) * (length + 1)
    costs = EVENNESS * np.square(behind) + beside[None, :]
    dealt, remarks = _deal(kinship, costs, candidates, artist_cap)
    found = [Step(int(candidates[i]), float(progress[i]), float(detour[i])) for i in dealt]
    return Path(found, between, remarks)


def _are_one_recording(ends: Catalogue) -> bool:
    """Tell whether the ends are known to be copies, or one an excerpt of the other."""
    one, other = ends.recordings.tolist()
    first, last = ends.hashes.tolist()
    is_part = last in (ends.excerpts[0] or ()) or first in (ends.excerpts[1] or ())
    return one == other > 0 or is_part


def _between(kinship: Kinship, ends: Catalogue, weights: Weights) -> float:
    pair = Space(ends, kinship.space.reference)
    return float(pair.distances(pair.queries([0]), weights)[0, 1])


def _place(first: Floats, last: Floats, between: float) -> tuple[Floats, Floats]:
    """Return how far along and how far beside the line songs are, of their squared distances."""
    progress = np.clip((first - last + between) / (2 * max(between, 1e-6)), 0.0, 1.0)
    detour = (1 - progress) * first + progress * last - progress * (1 - progress) * between
    return progress, detour


def _deal(
    kinship: Kinship, costs: NDArray[np.floating], candidates: Rows, artist_cap: int
) -> tuple[list[int], list[str]]:
    """Deal candidates to steps at the least cost [shape=(steps, candidates)], each at most once."""
    # Where songs are fewer than steps, some steps get what is no song.
    beyond = np.full((len(costs), max(len(costs) - len(candidates), 0)), _NEVER)
    assignment = Assignment(np.concatenate([costs, beyond], axis=1))
    costs = assignment.costs
    remarks = []
    for turn in range(_ROUNDS):
        pairs = enumerate(assignment.columns.tolist())
        dealt = [(step, i) for step, i in pairs if costs[step, i] < _NEVER]
        surplus = _surplus(kinship, costs, candidates, dealt, artist_cap) if artist_cap else []
        if not surplus:
            break
        left = costs.min(axis=0) < _NEVER
        left[surplus] = False
        if turn == _ROUNDS - 1 or left.sum() < min(len(costs), len(candidates)):
            remarks.append("there are too few artists on the way: some come more than once")
            break
        assignment.raise_costs(surplus, _NEVER)
    if len(dealt) < len(costs):
        remarks.append(f"there {_only(len(dealt))} on the way")
    return [i for _, i in dealt], remarks


def _only(songs: int) -> str:
    """Say how few songs there are."""
    if songs == 0:
        return "is no song"
    return "is only 1 song" if songs == 1 else f"are only {songs} songs"


def _surplus(
    kinship: Kinship,
    costs: NDArray[np.floating],
    candidates: Rows,
    dealt: list[tuple[int, int]],
    artist_cap: int,
) -> list[int]:
    """Return the candidates to give up: an artist's beyond the cap, the dearest and unused."""
    by_artist: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for step, i in dealt:
        artist = kinship.artists[candidates[i]]
        if artist is not None:
            by_artist[artist].append((step, i))
    given_up: list[int] = []
    theirs = kinship.artists[candidates]
    for artist, pairs in by_artist.items():
        if len(pairs) > artist_cap:
            pairs.sort(key=lambda pair: float(costs[pair]))
            kept = {i for _, i in pairs[:artist_cap]}
            given_up += [int(i) for i in np.flatnonzero(theirs == artist) if i not in kept]
    return given_up
