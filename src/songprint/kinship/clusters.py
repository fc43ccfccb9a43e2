"""Playlists that a library itself suggests: songs that lie together, named by what they share."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songprint.errors import UsageError
from songprint.kinship.cells import nearest_centres
from songprint.kinship.choice import Choice
from songprint.kinship.distance import DEFAULT_WEIGHTS, Floats, Weights
from songprint.kinship.words import shared_words

if TYPE_CHECKING:
    from songprint.kinship.neighbours import Kinship

LENGTH = 25
FEWEST_SONGS = 5
MOST_CLUSTERS = 40
ARTIST_CAP = 3

_SEED = 0
_FITTED_ON = 20_000
_STARTS = 4


@dataclass(frozen=True)
class Cluster:
    """A playlist.

    Attributes
    ----------
    name : str
        What its songs share: "slow classical piano".
    rows : list of int
        Its songs, the most typical first.
    songs : int
        How many songs of the library lie there in all.
    spread : float
        Mean distance of its songs from their middle; two songs at random have 1 between them.
    """

    name: str
    rows: list[int]
    songs: int
    spread: float


def clusters(
    kinship: Kinship,
    count: int | None = None,
    length: int = LENGTH,
    weights: Weights = DEFAULT_WEIGHTS,
    *,
    artist_cap: int = ARTIST_CAP,
) -> list[Cluster]:
    """Divide a library into playlists.

    Parameters
    ----------
    kinship : Kinship
        Knows the library's songs.
    count : int, optional
        How many parts; by default the root of a quarter of the songs, forty at most.
    length : int
        The most songs of a playlist: those nearest to its middle.
    weights : Weights
        Of beat, intensity, rhythm, timbre and genre.
    artist_cap : int
        The most songs of one artist in a playlist; 0 for no cap.

    Returns
    -------
    list of Cluster
        The closest first. Parts of fewer than five songs make no playlist. The same library gives
        the same playlists.

    Raises
    ------
    UsageError
        If `count` or `length` is below 1.
    """
    if length < 1 or (count is not None and count < 1):
        raise UsageError("playlists, and songs in them, are 1 or more")
    if len(kinship) < FEWEST_SONGS:
        return []
    points = kinship.space.points(weights)
    parts = count or min(MOST_CLUSTERS, max(2, round(np.sqrt(len(kinship) / 4))))
    sample = np.random.default_rng(_SEED).permutation(len(points))[:_FITTED_ON]
    centres = _k_means(points[sample], min(parts, len(sample)))
    places = nearest_centres(points, centres)
    squares = np.square(points - centres[places]).sum(axis=1)
    found = [
        _playlist(kinship, np.flatnonzero(places == place), squares, length, artist_cap)
        for place in range(len(centres))
    ]
    playlists = [cluster for cluster in found if len(cluster.rows) >= min(FEWEST_SONGS, length)]
    return _told_apart(kinship, sorted(playlists, key=lambda cluster: cluster.spread))


def _playlist(
    kinship: Kinship,
    members: NDArray[np.intp],
    squares: NDArray[np.floating[Any]],
    length: int,
    artist_cap: int,
) -> Cluster:
    order = members[np.argsort(squares[members], kind="stable")]
    rows = Choice(kinship, length, artist_cap).extend(order)
    words = shared_words(kinship.catalogue.take(rows), kinship.space.reference) if rows else []
    spread = float(squares[rows].mean()) if rows else np.inf
    return Cluster(" ".join(words) or "mixed", rows, len(members), spread)


def _told_apart(kinship: Kinship, playlists: list[Cluster]) -> list[Cluster]:
    """Give playlists of one name their tempo or loudness as well, or a number."""
    names: set[str] = set()
    apart = []
    for cluster in playlists:
        catalogue = kinship.catalogue.take(cluster.rows)
        candidates = [cluster.name]
        tempo = catalogue.number("tempo_bpm")
        if np.isfinite(tempo).sum() * 2 > len(tempo):
            candidates.append(f"{cluster.name}, around {np.nanmedian(tempo):.0f} BPM")
        loudness = catalogue.number("loudness_lufs")
        if np.isfinite(loudness).any():
            candidates.append(f"{cluster.name}, around {np.nanmedian(loudness):.0f} LUFS")
        candidates += [f"{cluster.name} ({number})" for number in range(2, len(playlists) + 2)]
        name = next(name for name in candidates if name not in names)
        names.add(name)
        apart.append(Cluster(name, cluster.rows, cluster.songs, cluster.spread))
    return apart


def _k_means(points: Floats, count: int) -> Floats:
    """Return the centres of clusters [shape=(count, d)], the same for the same points."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    means = KMeans(count, n_init=_STARTS, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # points that are all copies
        centres: Floats = means.fit(points).cluster_centers_.astype(np.float32)
    return centres
