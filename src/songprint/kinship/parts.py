"""What kinship compares: a song's features, in five parts that a listener can name.

A *feature* is a number or a vector with a share in its part, and how much *evidence* there is for
it, 0 to 1. Two songs differ in a feature by the squared distance of its values, in units of the
mean over pairs of songs of the reference; where there is no evidence they differ by that mean, 1:
what is unknown makes songs neither alike nor different. With evidence m, value x, share a,

    d(q, c) = a · [1 + m_q m_c (|x_q - x_c|² - 1)],

which is linear in (m x, m, m |x|²) of either song. So a song is a row of *columns*, a query a row
of coefficients on them, and the distances of a query to all songs are one matrix product, whatever
weights the parts have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from songprint.kinship.reference import Reference
    from songprint.library.catalogue import Catalogue

Floats = NDArray[np.float32]
Values = NDArray[np.floating[Any]]

PARTS = ("beat", "intensity", "rhythm", "timbre", "genre")
"""What the distance consists of, in the order of every array of parts."""

_FARTHEST = 3.0  # Standard deviations; an outlier further out is no less kin to the next outlier.


@dataclass(frozen=True)
class Feature:
    """One thing that songs are compared in.

    Parameters
    ----------
    name
        What it is called in the reference.
    part
        One of :data:`PARTS`.
    share
        Of its part; those of a part sum to one.
    read
        Takes it from a catalogue ``[n, d]``; rows with NaN are unknown.
    evidence
        How sure it is ``[n]``, 0 to 1; None if it is known of every song.
    """

    name: str
    part: str
    share: float
    read: Callable[[Catalogue], Values]
    evidence: Callable[[Catalogue], Values] | None = None


def _number(
    name: str, scale: Callable[[Values], Values] | None = None
) -> Callable[[Catalogue], Values]:
    def read(catalogue: Catalogue) -> Values:
        values = catalogue.number(name).astype(np.float64)
        return (values if scale is None else scale(values))[:, None]

    return read


def _known(name: str) -> Callable[[Catalogue], Values]:
    return lambda catalogue: np.asarray(np.isfinite(catalogue.number(name)), np.float64)


def _octaves(lowest: float) -> Callable[[Values], Values]:
    return lambda values: np.asarray(np.log2(np.maximum(values, lowest)))


def _tempo_circle(catalogue: Catalogue) -> Values:
    """Return the tempo on a circle that is one octave round: half and double are the same."""
    turns = 2 * np.pi * np.log2(np.maximum(catalogue.number("tempo_bpm"), 1.0, dtype=np.float64))
    return np.stack([np.cos(turns), np.sin(turns)], axis=1)


def _tempo_evidence(catalogue: Catalogue) -> Values:
    known = np.isfinite(catalogue.number("tempo_bpm"))
    return np.asarray(known * catalogue.number("tempo_confidence"))


def _tags(catalogue: Catalogue) -> Values:
    opinions = (catalogue.eras, catalogue.moods, catalogue.styles, catalogue.instruments)
    return np.sqrt(np.concatenate(opinions, axis=1))


FEATURES = (
    Feature("tempo_circle", "beat", 0.6, _tempo_circle, _tempo_evidence),
    Feature("tempo", "beat", 0.05, _number("tempo_bpm", _octaves(30)), _tempo_evidence),
    Feature("beat_strength", "beat", 0.35, _number("beat_strength")),
    Feature("loudness", "intensity", 0.5, _number("loudness_lufs"), _known("loudness_lufs")),
    Feature("loudness_range", "intensity", 0.2, _number("loudness_range_lu", _octaves(0.5))),
    Feature("dynamic_range", "intensity", 0.2, _number("dynamic_range_db")),
    Feature("crest_factor", "intensity", 0.1, _number("crest_factor_db")),
    Feature("onset_rate", "rhythm", 0.3, _number("onset_rate_hz", np.sqrt)),
    Feature("pulse_clarity", "rhythm", 0.2, _number("pulse_clarity")),
    Feature("swing", "rhythm", 0.15, _number("swing"), _known("swing")),
    Feature(
        "pattern",
        "rhythm",
        0.35,
        lambda catalogue: catalogue.patterns,
        lambda catalogue: np.asarray(catalogue.patterns.any(axis=1), np.float64),
    ),
    Feature("brightness", "timbre", 0.3, _number("brightness_hz", _octaves(100))),
    Feature("rolloff", "timbre", 0.1, _number("rolloff_hz", _octaves(100))),
    Feature("flatness", "timbre", 0.15, _number("flatness", np.sqrt)),
    Feature("percussiveness", "timbre", 0.2, _number("percussiveness", np.sqrt)),
    Feature("roughness", "timbre", 0.15, _number("roughness")),
    Feature(
        "stereo_width", "timbre", 0.1, _number("stereo_width", np.sqrt), _known("stereo_width")
    ),
    Feature("embedding", "genre", 0.4, lambda catalogue: catalogue.embeddings),
    # Hellinger: the distance of the square roots, in which 1 % and 5 % differ as 50 % and 63 % do.
    Feature("genres", "genre", 0.4, lambda catalogue: np.sqrt(catalogue.genres)),
    Feature("tags", "genre", 0.2, _tags),
)
"""What songs are compared in. An octave costs little: a tempo is often read as half or twice.

The genre part has the embedding and what is read off it: on Emotify the probabilities find more
genre, and the embedding what they have no name for (docs/kinship.md).
"""


@dataclass(frozen=True)
class Layout:
    """Where each feature's columns lie; those of a part are together.

    A feature that is always known has its values as columns, and its part a last column for the
    sum of their squares. One that may be unknown has m x, m and m |x|².

    Parameters
    ----------
    widths
        Of each feature of :data:`FEATURES`.
    """

    widths: tuple[int, ...]

    @cached_property
    def columns(self) -> tuple[slice, ...]:
        """The columns of each feature, those of evidence and squares included."""
        return self._places[0]

    @cached_property
    def parts(self) -> tuple[slice, ...]:
        """The columns of each part."""
        return self._places[1]

    @cached_property
    def values(self) -> NDArray[np.intp]:
        """The columns that are values, or values times evidence."""
        places = zip(self.columns, self.widths, strict=True)
        return np.concatenate([np.arange(p.start, p.start + width) for p, width in places])

    @property
    def total(self) -> int:
        """How many columns there are."""
        return int(self.parts[-1].stop)

    @cached_property
    def _places(self) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        features, parts, start = [], [], 0
        for part in PARTS:
            first = start
            for feature, width in zip(FEATURES, self.widths, strict=True):
                if feature.part == part:
                    stop = start + width + (2 if feature.evidence else 0)
                    features.append(slice(start, stop))
                    start = stop
            start += 1  # squares of what is known
            parts.append(slice(first, start))
        return tuple(features), tuple(parts)


def layout_of(catalogue: Catalogue) -> Layout:
    """Return the layout of a catalogue's columns."""
    one = catalogue.take([0]) if len(catalogue) else catalogue
    return Layout(tuple(feature.read(one).shape[1] for feature in FEATURES))


def columns_of(catalogue: Catalogue, reference: Reference, layout: Layout) -> Floats:
    """Lay songs out as columns.

    Parameters
    ----------
    catalogue : Catalogue
        n songs.
    reference : Reference
        Scales each feature to a mean distance of one.
    layout : Layout
        Of these columns.

    Returns
    -------
    ndarray [shape=(n, layout.total)]
        float32, a song a row.
    """
    rows = np.zeros((len(catalogue), layout.total), np.float32)
    for feature, place in zip(FEATURES, layout.columns, strict=True):
        values = scaled(feature, catalogue, reference) * np.sqrt(feature.share)
        squares = np.einsum("nd,nd->n", values, values)
        if feature.evidence is None:
            rows[:, place] = values
            rows[:, layout.parts[PARTS.index(feature.part)].stop - 1] += squares
        else:
            evidence = feature.evidence(catalogue)
            rows[:, place.start : place.stop - 2] = evidence[:, None] * values
            rows[:, place.stop - 2] = evidence
            rows[:, place.stop - 1] = evidence * squares
    return rows


def scaled(feature: Feature, catalogue: Catalogue, reference: Reference) -> Values:
    """Return a feature's values [shape=(n, d)] such that songs differ by one; 0 where unknown."""
    values: Values = np.nan_to_num(
        feature.read(catalogue) - reference.centres[feature.name], nan=0.0
    )
    values = values * reference.scales[feature.name]
    if values.shape[1] == 1:
        # A standard deviation is the root of half the mean squared distance.
        limit = _FARTHEST * np.sqrt(0.5)
        values = np.clip(values, -limit, limit)
    return values


def coefficients_of(rows: Floats, layout: Layout) -> tuple[Floats, Floats]:
    """Turn songs into queries.

    Parameters
    ----------
    rows : ndarray [shape=(m, layout.total)]
        Of :func:`columns_of`.
    layout : Layout
        Theirs.

    Returns
    -------
    coefficients : ndarray [shape=(m, layout.total)]
        A part's distance is their product with that part's columns of a song, plus the offset.
    offsets : ndarray [shape=(m, len(PARTS))]
        What does not depend on the other song.
    """
    coefficients = -2.0 * rows
    offsets = np.zeros((len(rows), len(PARTS)), np.float32)
    for part, place in enumerate(layout.parts):
        offsets[:, part] += rows[:, place.stop - 1]
        coefficients[:, place.stop - 1] = 1.0
    for feature, place in zip(FEATURES, layout.columns, strict=True):
        if feature.evidence is not None:
            evidence, squares = rows[:, place.stop - 2], rows[:, place.stop - 1]
            offsets[:, PARTS.index(feature.part)] += feature.share
            coefficients[:, place.stop - 2] = squares - feature.share * evidence
            coefficients[:, place.stop - 1] = evidence
    return coefficients, offsets
