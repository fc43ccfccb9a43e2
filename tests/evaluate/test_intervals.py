"""Bootstrap over artists, and McNemar's test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.evaluate.intervals import bootstrap_difference, bootstrap_mean, mcnemar

ARTISTS = np.array([f"artist {i}" for i in range(40)])


def test_the_interval_holds_the_mean_and_is_reproducible():
    values = np.random.default_rng(0).random(40)
    interval = bootstrap_mean(values, ARTISTS)
    assert interval.low < interval.value < interval.high
    assert interval == bootstrap_mean(values, ARTISTS)
    assert interval.value == pytest.approx(values.mean())


def test_without_groups_it_is_about_the_normal_interval():
    values = np.random.default_rng(1).normal(size=40)
    interval = bootstrap_mean(values, ARTISTS)
    expected = 2 * 1.96 * values.std() / np.sqrt(40)
    assert interval.high - interval.low == pytest.approx(expected, rel=0.15)


def test_an_artists_songs_are_no_independent_trials():
    values = np.repeat(np.random.default_rng(2).random(10), 10)
    alone = np.array([str(i) for i in range(100)])
    together = np.repeat(np.array([str(i) for i in range(10)]), 10)
    loose, strict = bootstrap_mean(values, alone), bootstrap_mean(values, together)
    assert strict.high - strict.low > 2 * (loose.high - loose.low)


def test_what_is_not_measurable_is_left_out():
    values = np.array([np.nan, 1.0, 1.0])
    interval = bootstrap_mean(values, ARTISTS[:3])
    assert (interval.value, interval.low, interval.high) == (1, 1, 1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 5))
def test_an_interval_stays_within_the_values(values, artists):
    groups = np.array([str(i % artists) for i in range(len(values))])
    interval = bootstrap_mean(np.array(values), groups, draws=50)
    assert min(values) - 1e-12 <= interval.low <= interval.high <= max(values) + 1e-12


def test_a_difference_is_paired():
    theirs = np.random.default_rng(3).random(40)
    difference = bootstrap_difference(theirs + 0.1, theirs, ARTISTS)
    assert difference.value == pytest.approx(0.1)
    assert difference.low == pytest.approx(0.1)


def test_mcnemar_known_by_hand():
    ours = np.array([1, 1, 1, 1, 0, 1, 0], bool)
    theirs = np.array([0, 0, 0, 0, 1, 1, 0], bool)
    test = mcnemar(ours, theirs)
    assert (test.only_ours, test.only_theirs) == (4, 1)
    assert test.p == pytest.approx(2 * (1 + 5) / 32)


def test_equals_are_not_different():
    answers = np.array([True, False])
    assert mcnemar(answers, answers).p == 1
    assert mcnemar(answers, ~answers).p == 1


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="shape"):
        bootstrap_mean(np.zeros(3), ARTISTS[:2])
    with pytest.raises(ValueError, match="average"):
        bootstrap_mean(np.array([np.nan]), ARTISTS[:1])
    with pytest.raises(ValueError, match="average"):
        bootstrap_mean(np.array([]), ARTISTS[:0])
    with pytest.raises(ValueError, match="confidence"):
        bootstrap_mean(np.zeros(2), ARTISTS[:2], confidence=1)
    with pytest.raises(ValueError, match="against"):
        bootstrap_difference(np.zeros(2), np.zeros(3), ARTISTS[:2])
    with pytest.raises(ValueError, match="against"):
        mcnemar(np.array([], bool), np.array([], bool))


def test_an_artist_with_many_songs_counts_with_all_of_them():
    values = np.array([1.0] * 90 + [0.0] * 9)
    artists = np.array(["prolific"] * 90 + [f"artist {i}" for i in range(9)])
    found = bootstrap_mean(values, artists)
    assert found.value == pytest.approx(90 / 99)
    assert found.high > found.value  # drawn twice or more, these songs are nearly all
    assert found.low == 0  # in one draw of three the artist is not there
