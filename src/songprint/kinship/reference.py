"""The reference: what is usual among many songs, as constants that ship with the package.

Distances are in its units, so that they mean the same in every library and none changes when songs
are added. It was fitted on the developers' music by ``python benchmarks/shared_songs.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songprint.errors import ModelError
from songprint.kinship.parts import FEATURES
from songprint.library.catalogue import NUMBERS

if TYPE_CHECKING:
    from songprint.library.catalogue import Catalogue

FILE = "reference.json"
QUANTILES = tuple(i / 20 for i in range(21))
OPINIONS = ("genres", "eras", "moods", "styles", "instruments")
"""The catalogue's columns of probabilities."""

ASSUMED = {"stereo_width": (0.33, 5.0)}
"""Centre and scale of what cannot be measured on the developers' music: it is mono.

The root of the width of most stereo records lies between 0.2 and 0.5.
"""

_FEWEST = 100


@dataclass(frozen=True, eq=False)
class Reference:
    """What is usual.

    Attributes
    ----------
    model : str
        The model version whose fingerprints it was fitted on.
    centres : mapping
        Median of each feature of one dimension, 0 of the others.
    scales : mapping
        What each feature is multiplied with for a mean squared distance of one between two songs.
    quantiles : mapping
        Of each descriptor and each tag, ``genres/rock``: its value at :data:`QUANTILES`.
    """

    model: str
    centres: Mapping[str, float]
    scales: Mapping[str, float]
    quantiles: Mapping[str, tuple[float, ...]]

    def rank(self, name: str, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return which share of the reference's songs have less, 0 to 1; NaN where unknown.

        Parameters
        ----------
        name : str
            A descriptor, or a tag such as ``moods/sad``.
        values : ndarray [shape=(n,)]
            Of the songs.
        """
        known = np.array(self.quantiles.get(name, (0.0, 1.0)))
        grid = np.linspace(0.0, 1.0, len(known))
        between = np.interp(values, known, grid)
        # On a run of equal quantiles the middle counts: half of the songs there have no less.
        first, last = known.searchsorted(values), known.searchsorted(values, side="right") - 1
        middle = (grid.take(first, mode="clip") + grid.take(last, mode="clip")) / 2
        found = np.where(last > first, middle, between)
        return np.where(np.isfinite(values), found, np.nan)


@cache
def load_reference() -> Reference:
    """Return the reference that ships with the package.

    Raises
    ------
    ModelError
        If its file is missing or damaged.
    """
    try:
        text = (resources.files("songprint.kinship") / FILE).read_text(encoding="utf-8")
        fields = json.loads(text)
        return Reference(
            model=fields["model"],
            centres=fields["centres"],
            scales=fields["scales"],
            quantiles={name: tuple(values) for name, values in fields["quantiles"].items()},
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"the package's {FILE} is missing or damaged: {error}") from error


def fit_reference(catalogue: Catalogue, model: str) -> Reference:
    """Measure what is usual among the songs of a catalogue of one model version."""
    centres, scales = {}, {}
    for feature in FEATURES:
        values = feature.read(catalogue)
        evidence = np.ones(len(values)) if feature.evidence is None else feature.evidence(catalogue)
        known = values[(evidence > 0) & np.isfinite(values).all(axis=1)].astype(np.float64)
        if len(known) < _FEWEST and feature.name in ASSUMED:
            centres[feature.name], scales[feature.name] = ASSUMED[feature.name]
            continue
        centres[feature.name] = float(np.median(known)) if values.shape[1] == 1 else 0.0
        scales[feature.name] = _scale(known)
    return Reference(model, centres, scales, _quantiles(catalogue))


def _scale(values: NDArray[np.float64]) -> float:
    """Return one over the root of the mean squared distance."""
    if values.shape[1] == 1:  # an outlier must not shrink the rest
        values = np.clip(values, *np.quantile(values, (0.01, 0.99)))
    return 1.0 / float(np.sqrt(2.0 * values.var(axis=0, ddof=1).sum()))


def _quantiles(catalogue: Catalogue) -> dict[str, tuple[float, ...]]:
    columns = {name: catalogue.number(name) for name in NUMBERS}
    for field in OPINIONS:
        for place, name in enumerate(getattr(catalogue.vocabulary, field)):
            columns[f"{field}/{name}"] = getattr(catalogue, field)[:, place]
    quantiles = {}
    for name, values in columns.items():
        known = values[np.isfinite(values)]
        if len(known):
            points = np.quantile(known.astype(np.float64), QUANTILES)
            quantiles[name] = tuple(float(f"{point:.6g}") for point in points)
    return quantiles
