"""Effect sizes: right on data whose truth is known, and honest about how little is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.views.effects import (
    REST,
    Spread,
    cliffs_delta,
    compare,
    compare_to_rest,
    delta_interval,
    holm,
    spread_of,
)


def numbers(*values):
    return np.array(values, float)


def test_cliffs_delta_counts_pairs():
    assert cliffs_delta(numbers(1, 2, 3), numbers(0, 0)) == 1
    assert cliffs_delta(numbers(0, 1), numbers(2, 3)) == -1
    assert cliffs_delta(numbers(1, 2), numbers(1, 2)) == 0
    assert cliffs_delta(numbers(2, 3), numbers(1, 2, 4)) == pytest.approx((3 - 2) / 6)


@given(st.lists(st.integers(-5, 5), min_size=1), st.lists(st.integers(-5, 5), min_size=1))
def test_cliffs_delta_is_the_mean_sign_of_all_differences(ones, others):
    expected = np.sign(np.subtract.outer(ones, others)).mean()
    assert cliffs_delta(numbers(*ones), numbers(*others)) == pytest.approx(expected)


def test_eta_squared_of_genres_that_do_not_overlap():
    effect = compare({"a": numbers(*range(50)), "b": numbers(*range(100, 150))})
    assert effect.eta_squared == pytest.approx(0.75, abs=0.01)
    assert effect.p < 1e-9
    assert (effect.furthest.more, effect.furthest.less, effect.furthest.delta) == ("b", "a", 1)


def test_eta_squared_is_zero_on_average_where_nothing_differs():
    rng = np.random.default_rng(0)
    found = [compare({name: rng.normal(size=8) for name in "abcd"}).eta_squared for _ in range(200)]
    assert np.mean(found) == pytest.approx(0, abs=0.02)


def test_h_and_p_are_those_of_a_table():
    # Siegel and Castellan, Nonparametric Statistics, 1988: authoritarianism of educators.
    groups = {
        "teachers": numbers(96, 128, 83, 61, 101),
        "officials": numbers(82, 124, 132, 135, 109),
        "administrators": numbers(115, 149, 166, 147),
    }
    effect = compare(groups)
    assert effect.h == pytest.approx(6.406, abs=0.001)
    assert 0.02 < effect.p < 0.05
    assert effect.furthest.more == "administrators"


def test_the_surest_contrast_wins_over_the_greatest():
    rng = np.random.default_rng(1)
    groups = {
        "few": numbers(20, 21, 22),
        "many": rng.normal(5, 1, 60),
        "others": rng.normal(2, 1, 60),
    }
    furthest = compare(groups).furthest
    assert (furthest.more, furthest.less) == ("many", "others")


@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"a": numbers(1, 2, 3)},
        {"a": numbers(1, 2, 3), "b": numbers(1)},
        {"a": numbers(1, 1, 1), "b": numbers(1, 1, 1)},
        {"a": numbers(1, 2, 3), "b": numbers(math.nan, math.nan, math.nan, 1)},
    ],
)
def test_nothing_is_said_of_too_few_or_equal_values(groups):
    assert compare(groups) is None


def test_unknown_values_do_not_count():
    groups = {"a": numbers(1, 2, 3, math.nan), "b": numbers(math.nan, 4, 5, 6)}
    assert compare(groups).songs == 6
    assert spread_of(numbers(1, math.nan, 3)) == Spread(2, 1.5, 2, 2.5)
    assert spread_of(numbers(math.nan)).songs == 0


@pytest.mark.parametrize("true_shift", [0.0, 1.0, 2.5])
def test_intervals_hold_the_truth_as_often_as_they_say(true_shift):
    rng = np.random.default_rng(0)
    true = math.erf(true_shift / 2)
    held = 0
    for _ in range(400):
        delta = cliffs_delta(rng.normal(true_shift, 1, 12), rng.normal(0, 1, 15))
        low, high = delta_interval(delta, 12, 15)
        held += low <= true <= high
    assert 0.92 <= held / 400 <= 0.99


@given(st.floats(-1, 1), st.integers(3, 60), st.integers(3, 60))
def test_an_interval_lies_around_its_delta(delta, m, n):
    low, high = delta_interval(delta, m, n)
    assert -1 <= low <= delta + 1e-6
    assert delta - 1e-6 <= high <= 1
    assert high - low > 0.01


def test_each_genre_is_compared_with_the_rest():
    groups = {"a": numbers(7, 8, 9), "b": numbers(1, 2, 3), "c": numbers(4, 5, 6), "d": numbers(1)}
    found = compare_to_rest(groups, 0.95)
    assert set(found) == {"a", "b", "c"}
    assert (found["a"].more, found["a"].less, found["a"].delta) == ("a", REST, 1)
    assert found["b"].more == REST


def test_holm_adjusts_in_steps():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1, 1]
