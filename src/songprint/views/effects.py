"""How much genres differ in a number: over all of them, and between two of them.

Ranks alone count, so that neither units nor outliers matter. Over all genres: the share of the
ranks' variance that the genre explains, eta squared of the Kruskal-Wallis test [1]_, which is zero
on average where there is no difference. Between two: Cliff's delta [2]_, the probability that a
song of the one exceeds a song of the other less that of the reverse, with Newcombe's interval
[3]_, widened for the number of pairs among which one was sought. Songs are taken for
independent; many songs of one artist are not, and make intervals too narrow.

References
----------
.. [1] M. Tomczak and E. Tomczak, "The need to report effect size estimates revisited", Trends in
       Sport Sciences 1(21), 2014.
.. [2] N. Cliff, "Dominance statistics: ordinal analyses to answer ordinal questions",
       Psychological Bulletin 114(3), 1993.
.. [3] R. G. Newcombe, "Confidence intervals for an effect size measure based on the
       Mann-Whitney statistic. Part 2: asymptotic methods and evaluation", Statistics in Medicine
       25(4), 2006 (its method 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
FEWEST_SONGS = 3
"""A genre of fewer songs is described but not compared."""

REST = "the rest"

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """How a number is distributed in a genre.

    Attributes
    ----------
    songs : int
        Those of which it is known.
    low, median, high : float
        The quartiles; NaN where no song has it.
    """

    songs: int
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Contrast:
    """Two genres compared in a number.

    Attributes
    ----------
    more, less : str
        The genre with the greater values, and the other.
    delta : float
        Cliff's delta, 0 to 1: 1 where every song of `more` exceeds every song of `less`.
    low, high : float
        Its interval.
    """

    more: str
    less: str
    delta: float
    low: float
    high: float


@dataclass(frozen=True)
class Effect:
    """How much genres differ in a number.

    Attributes
    ----------
    songs, genres : int
        Those that were compared.
    h, p : float
        The Kruskal-Wallis statistic, and how probable one as great would be by chance.
    eta_squared : float
        Share of the ranks' variance that the genre explains; may be a little below 0.
    furthest : Contrast
        The two genres that differ most surely: whose interval begins highest. By delta alone two
        of a few songs each would win too often.
    """

    songs: int
    genres: int
    h: float
    p: float
    eta_squared: float
    furthest: Contrast


def spread_of(values: Values) -> Spread:
    """Describe the values of a genre [shape=(n,)]; NaN stands for unknown."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return Spread(0, np.nan, np.nan, np.nan)
    low, median, high = np.percentile(known, [25, 50, 75])
    return Spread(len(known), float(low), float(median), float(high))


def compare(groups: Mapping[str, Values]) -> Effect | None:
    """Compare genres in a number.

    Parameters
    ----------
    groups : mapping of str to ndarray [shape=(n,)]
        The values of each genre's songs; NaN stands for unknown.

    Returns
    -------
    Effect or None
        None where fewer than two genres have songs enough, or all values are the same.
    """
    from scipy.stats import kruskal

    known = {name: values[~np.isnan(values)] for name, values in groups.items()}
    known = {name: values for name, values in known.items() if len(values) >= FEWEST_SONGS}
    if len(known) < 2 or np.ptp(np.concatenate(list(known.values()))) == 0:
        return None
    h, p = kruskal(*known.values())
    k, n = len(known), sum(map(len, known.values()))
    pairs = list(combinations(known, 2))
    confidence = 1 - (1 - CONFIDENCE) / len(pairs)
    contrasts = (_contrast(known, pair, confidence) for pair in pairs)
    return Effect(
        songs=n,
        genres=k,
        h=float(h),
        p=float(p),
        eta_squared=float((h - k + 1) / (n - k)) if n > k else 0.0,
        furthest=max(contrasts, key=lambda contrast: (contrast.low, contrast.delta)),
    )


def compare_to_rest(groups: Mapping[str, Values], confidence: float) -> dict[str, Contrast]:
    """Compare each genre with all the others together.

    Parameters
    ----------
    groups : mapping of str to ndarray [shape=(n,)]
        As for :func:`compare`.
    confidence : float
        Of the intervals.

    Returns
    -------
    dict of str to Contrast
        By genre, between it and ``REST``; genres of too few songs are left out.
    """
    known = {name: values[~np.isnan(values)] for name, values in groups.items()}
    found = {}
    for name, values in known.items():
        rest = np.concatenate([known[other] for other in known if other != name] or [values[:0]])
        if len(values) >= FEWEST_SONGS and len(rest) >= FEWEST_SONGS:
            found[name] = _contrast({name: values, REST: rest}, (name, REST), confidence)
    return found


def _contrast(known: Mapping[str, Values], pair: tuple[str, str], confidence: float) -> Contrast:
    one, other = pair
    delta = cliffs_delta(known[one], known[other])
    if delta < 0:
        one, other, delta = other, one, -delta
    low, high = delta_interval(delta, len(known[one]), len(known[other]), confidence)
    return Contrast(one, other, delta, low, high)


def cliffs_delta(ones: Values, others: Values) -> float:
    """Return P(one > other) - P(one < other) over all pairs of values [shape=(m,), (n,)]."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, ones, side="left").sum()
    not_above = np.searchsorted(ordered, ones, side="right").sum()
    return float((below + not_above) / (len(ones) * len(others)) - 1)


def delta_interval(
    delta: float, m: int, n: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return Newcombe's interval of a Cliff's delta from `m` and `n` values.

    Parameters
    ----------
    delta : float
        -1 to 1.
    m, n : int
        How many values there were on either side.
    confidence : float
        How often such intervals hold the true value.

    Returns
    -------
    low, high : float
        Within -1 and 1; of some width even where the values do not overlap.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    z = norm.ppf(0.5 + confidence / 2)
    area = (delta + 1) / 2
    extra = (m + n) / 2 - 1

    def excess(theta: float) -> float:
        shape = (1 - theta) / (2 - theta) + theta / (1 + theta)
        variance = theta * (1 - theta) * (1 + extra * shape) / (m * n)
        return float(abs(area - theta) - z * variance**0.5)

    # At 0 and at 1 the variance vanishes: where the area is there, so does the excess.
    near = 1e-9
    low = brentq(excess, 0.0, area - near) if area > near else 0.0
    high = brentq(excess, area + near, 1.0) if area < 1 - near else 1.0
    return 2 * float(low) - 1, 2 * float(high) - 1


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p-values of several tests, as Holm does, and return them in the same order."""
    adjusted = [0.0] * len(p_values)
    worst = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = worst
    return adjusted
