"""The library as a map: every song a point, near its kin.

The axes are the two directions in which songs differ most (principal components) in kinship's own
space, whose distances a map should show. They are computed once and stored, so that a song stays
where it is when others come; only a library that has grown to twice its size gets new ones.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.kinship.distance import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from songprint.kinship.distance import Space

FILE = "map.npz"
UNSURE = 255
"""The genre of a song of which none is sure."""

_AT_ONCE = 4096
_GROWTH = 2.0


@dataclass(frozen=True, eq=False)
class Axes:
    """Where a song lies follows from these.

    Attributes
    ----------
    mean : ndarray [shape=(d,)]
        The middle of the map, in kinship's coordinates.
    directions : ndarray [shape=(d, 2)]
        Orthogonal unit vectors.
    explained : tuple of float
        The share of the variance along each.
    songs : int
        How many songs they were computed from.
    model : str
        Which model heard them.
    """

    mean: NDArray[np.float64]
    directions: NDArray[np.float64]
    explained: tuple[float, float]
    songs: int
    model: str


def axes_for(space: Space, folder: Path) -> Axes:
    """Return the stored axes, or compute and store them.

    Parameters
    ----------
    space : Space
        All songs, one or more.
    folder : Path
        Where they are kept.
    """
    kept = _load(folder / FILE)
    fits = kept is not None and len(kept.mean) == len(space.layout.values)
    if (
        kept is not None
        and fits
        and kept.model == space.catalogue.model
        and len(space) <= _GROWTH * max(kept.songs, 1)
    ):
        return kept
    axes = fit_axes(space)
    _store(axes, folder)
    return axes


def fit_axes(space: Space) -> Axes:
    """Return the two directions in which songs differ most."""
    width = len(space.layout.values)
    total, products = np.zeros(width), np.zeros((width, width))
    for start in range(0, len(space), _AT_ONCE):
        points = _points(space, start)
        total += points.sum(axis=0)
        products += points.T @ points
    mean = total / len(space)
    covariance = products / len(space) - np.outer(mean, mean)
    values, vectors = np.linalg.eigh(covariance)
    directions = vectors[:, [-1, -2]]
    # A direction and its opposite are as good; the same library shall give the same map.
    directions = directions * np.sign(directions[np.abs(directions).argmax(axis=0), [0, 1]])
    variance = max(float(values.sum()), 1e-12)
    explained = float(values[-1]) / variance, float(values[-2]) / variance
    return Axes(mean, directions, explained, len(space), space.catalogue.model)


def place(space: Space, axes: Axes) -> NDArray[np.float32]:
    """Return where songs lie [shape=(n, 2)]."""
    places = np.empty((len(space), 2), np.float32)
    for start in range(0, len(space), _AT_ONCE):
        points = _points(space, start)
        places[start : start + len(points)] = (points - axes.mean) @ axes.directions
    return places


def packed(
    hashes: NDArray[np.str_],
    places: NDArray[np.float32],
    genres: NDArray[np.int16],
    unsure: NDArray[np.bool_],
) -> bytes:
    """Return a map as a browser reads it, little-endian: 25 bytes a song.

    All x and all y as float32, then a byte each for the genre, then 16 bytes each of identity.
    """
    kinds = np.where(unsure, UNSURE, genres).astype(np.uint8)
    out = io.BytesIO()
    out.write(places[:, 0].astype("<f4").tobytes())
    out.write(places[:, 1].astype("<f4").tobytes())
    out.write(kinds.tobytes())
    out.write(bytes.fromhex("".join(hashes.tolist())))
    return out.getvalue()


def _points(space: Space, start: int) -> NDArray[np.float64]:
    rows = np.arange(start, min(start + _AT_ONCE, len(space)))
    return np.asarray(space.points(DEFAULT_WEIGHTS, rows), np.float64)


def _load(path: Path) -> Axes | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            first, second = facts["explained"]
            return Axes(
                arrays["mean"],
                arrays["directions"],
                (float(first), float(second)),
                int(facts["songs"]),
                str(facts["model"]),
            )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def _store(axes: Axes, folder: Path) -> None:
    facts = {"explained": axes.explained, "songs": axes.songs, "model": axes.model}
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{FILE}.part"
    with part.open("wb") as file:
        np.savez(file, mean=axes.mean, directions=axes.directions, facts=json.dumps(facts))
    part.replace(folder / FILE)
