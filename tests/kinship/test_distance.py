from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.errors import UsageError
from songprint.kinship import distance
from songprint.kinship.distance import DEFAULT_WEIGHTS, Space, Weights
from support.kin import kin_catalogue

amounts = st.floats(0, 10, allow_nan=False)


def test_distances_are_the_weighted_parts() -> None:
    space = Space(kin_catalogue(each=3))
    queries, rows = space.queries([0, 5]), np.arange(len(space))
    weights = Weights(beat=2, intensity=0, rhythm=1, timbre=0.5, genre=1)
    together = space.by_part(queries, rows) @ weights.shares()
    np.testing.assert_allclose(space.distances(queries, weights), together, atol=1e-4)


def test_distances_are_the_same_both_ways() -> None:
    space = Space(kin_catalogue(each=4))
    found = space.distances(space.queries(np.arange(len(space))))
    np.testing.assert_allclose(found, found.T, atol=1e-5)


def test_one_query_and_many_give_the_same() -> None:
    space = Space(kin_catalogue(each=4))
    many = space.distances(space.queries([3, 7]))
    np.testing.assert_allclose(space.distances(space.queries([7]))[0], many[1], atol=1e-5)
    some = np.array([2, 9])
    np.testing.assert_allclose(
        space.distances(space.queries([7]), rows=some)[0], many[1, some], atol=1e-5
    )


@pytest.mark.parametrize("kept_bytes", [0, 3000, 1 << 20])
def test_other_weights_give_the_same_sooner(
    kept_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distance, "_KEPT_BYTES", kept_bytes)  # of none, two or all of the points
    space = Space(kin_catalogue(each=15))
    for weights in (DEFAULT_WEIGHTS, Weights(beat=2, timbre=0), Weights(genre=0)):
        for songs in ([3], [7, 3], [7, 8, 9], [3]):
            queries = space.queries(songs)
            expected = space.distances(queries, weights)
            np.testing.assert_allclose(space.reweighed(queries, weights), expected, atol=1e-5)


def test_songs_that_are_added_change_no_distance() -> None:
    few, more = kin_catalogue("rock", each=5), kin_catalogue("rock", "classical", each=5)
    before, after = Space(few), Space(more)
    np.testing.assert_allclose(
        before.distances(before.queries([0])), after.distances(after.queries([0]))[:, :5], atol=1e-6
    )


def test_a_song_outside_is_as_far_as_inside() -> None:
    catalogue = kin_catalogue(each=4)
    space = Space(catalogue)
    outside = space.queries(catalogue.take([6]))
    np.testing.assert_allclose(
        space.distances(outside), space.distances(space.queries([6])), atol=1e-5
    )


def test_songs_of_another_model_are_refused() -> None:
    catalogue = kin_catalogue(each=2)
    with pytest.raises(UsageError, match="different models"):
        Space(catalogue).queries(replace(catalogue.take([0]), model="1-old"))


def test_a_combined_query_is_the_sum_of_its_shares() -> None:
    space = Space(kin_catalogue(each=4))
    queries = space.queries([0, 5])
    each = space.distances(queries)
    middle = space.distances(queries.combined([0.25, 0.75]))[0]
    np.testing.assert_allclose(middle, 0.25 * each[0] + 0.75 * each[1], atol=1e-4)


@given(amounts, amounts, amounts, amounts, amounts)
def test_weights_become_shares(
    beat: float, intensity: float, rhythm: float, timbre: float, genre: float
) -> None:
    values = (beat, intensity, rhythm, timbre, genre)
    if not any(values):
        with pytest.raises(UsageError):
            Weights(*values)
        return
    shares = Weights(*values).shares()
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    assert (shares >= 0).all()


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf")])
def test_a_weight_is_a_number_of_0_or_more(wrong: float) -> None:
    with pytest.raises(UsageError, match="the weight of beat must be 0 or more"):
        Weights(beat=wrong)


def test_parts_without_a_number_keep_their_weight() -> None:
    assert Weights.of({"beat": 2.0, "genre": None}) == replace(DEFAULT_WEIGHTS, beat=2.0)


def test_only_the_ratios_of_weights_matter() -> None:
    space = Space(kin_catalogue(each=3))
    once = space.distances(space.queries([0]), Weights(1, 1, 1, 1, 1))
    np.testing.assert_allclose(
        space.distances(space.queries([0]), Weights(3, 3, 3, 3, 3)), once, atol=1e-5
    )
