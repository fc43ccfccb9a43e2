"""Genre among neighbours, hubs, anti-hubs; beside a slow reference in plain Python."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songprint.evaluate.retrieval import (
    NOBODY,
    average_precision,
    cosine_similarity,
    hub_skew,
    k_occurrence,
    mutual_proximity,
    precision_at_k,
    rank,
    share_never_reached,
)


def slow_ranking(similarity, query, artists):
    candidates = [
        i
        for i in range(len(similarity))
        if i != query and (artists is None or artists[i] != artists[query])
    ]
    return sorted(candidates, key=lambda i: (-similarity[query][i], i))


def slow_precision(similarity, labels, k, artists):
    precisions = []
    for query in range(len(labels)):
        nearest = slow_ranking(similarity, query, artists)[:k]
        hits = [labels[i] == labels[query] for i in nearest]
        precisions.append(sum(hits) / len(hits) if hits else math.nan)
    return precisions


def slow_average_precision(similarity, labels, artists):
    averages = []
    for query in range(len(labels)):
        hits, precisions = 0, []
        for place, i in enumerate(slow_ranking(similarity, query, artists), start=1):
            if labels[i] == labels[query]:
                hits += 1
                precisions.append(hits / place)
        averages.append(sum(precisions) / len(precisions) if precisions else math.nan)
    return averages


def slow_occurrence(similarity, k, artists):
    counts = [0] * len(similarity)
    for query in range(len(similarity)):
        for i in slow_ranking(similarity, query, artists)[:k]:
            counts[i] += 1
    return counts


@st.composite
def worlds(draw):
    n = draw(st.integers(2, 12))
    # Few values, so that there are ties.
    values = st.sampled_from([-math.inf, -1.0, 0.0, 0.25, 0.5, 1.0])
    similarity = np.array(draw(st.lists(values, min_size=n * n, max_size=n * n))).reshape(n, n)
    labels = np.array(draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n)))
    artists = np.array(draw(st.lists(st.sampled_from("xyz"), min_size=n, max_size=n)))
    return similarity, labels, draw(st.sampled_from([artists, None])), draw(st.integers(1, 14))


@given(worlds())
@settings(max_examples=150)
def test_every_measure_agrees_with_the_slow_reference(world):
    similarity, labels, artists, k = world
    precision = precision_at_k(similarity, labels, k, artists)
    np.testing.assert_allclose(precision, slow_precision(similarity, labels, k, artists))
    average = average_precision(similarity, labels, artists)
    np.testing.assert_allclose(average, slow_average_precision(similarity, labels, artists))
    counts = k_occurrence(similarity, k, artists)
    assert counts.tolist() == slow_occurrence(similarity, k, artists)
    ranked = rank(similarity, artists)
    for query, row in enumerate(ranked):
        assert row[row != NOBODY].tolist() == slow_ranking(similarity, query, artists)


def test_two_tight_genres_are_perfect():
    embeddings = np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1], [0.2, 1]])
    labels = np.array(list("aaabbb"))
    similarity = cosine_similarity(embeddings)
    assert precision_at_k(similarity, labels, 2).tolist() == [1] * 6
    assert average_precision(similarity, labels).tolist() == [1] * 6


def test_average_precision_known_by_hand():
    similarity = np.array([[0, 3, 2, 1.0]] * 4)
    labels = np.array(["a", "b", "a", "a"])
    # Song 0 finds b, a, a: (1/2 + 2/3) / 2.
    assert average_precision(similarity, labels)[0] == pytest.approx(7 / 12)
    assert precision_at_k(similarity, labels, 2)[0] == 0.5


def test_the_artist_filter_leaves_the_artist_out():
    similarity = np.array([[0, 9, 1], [9, 0, 1], [1, 1, 0.0]])
    labels, artists = np.array(["a", "a", "b"]), np.array(["x", "x", "y"])
    assert precision_at_k(similarity, labels, 1)[0] == 1
    assert precision_at_k(similarity, labels, 1, artists)[0] == 0


def test_a_query_without_candidates_is_not_measured():
    similarity = np.eye(2)
    labels, artists = np.array(["a", "a"]), np.array(["x", "x"])
    assert np.isnan(precision_at_k(similarity, labels, 1, artists)).all()
    assert np.isnan(average_precision(similarity, labels, artists)).all()
    assert k_occurrence(similarity, 1, artists).tolist() == [0, 0]


def test_a_hub_is_everybodys_neighbour():
    n = 20
    similarity = np.random.default_rng(0).random((n, n))
    similarity[:, 3] = 2
    counts = k_occurrence(similarity, 1)
    assert counts[3] == n - 1
    assert hub_skew(counts) > 3
    assert share_never_reached(counts) == pytest.approx((n - 2) / n)


def test_skew_known_by_hand():
    # Deviations -1 (three times) and 3: mean cube 6, mean square 3.
    assert hub_skew(np.array([0, 0, 0, 4])) == pytest.approx(6 / 3**1.5)
    assert hub_skew(np.array([2, 2, 2])) == 0
    assert share_never_reached(np.array([0, 0, 0, 4])) == 0.75


def test_skew_agrees_with_scipy():
    from scipy.stats import skew

    counts = np.random.default_rng(1).poisson(10, 500)
    assert hub_skew(counts) == pytest.approx(skew(counts))


def test_mutual_proximity_tames_hubs():
    rng = np.random.default_rng(2)
    similarity = cosine_similarity(rng.normal(0.3, 1, (200, 4)) * rng.exponential(1, (200, 1)))
    distance = -((rng.normal(size=(200, 40))[:, None] - rng.normal(size=(200, 40))[None]) ** 2)
    hubby = distance.sum(2) + distance.sum(2).T
    tamed = mutual_proximity(hubby)
    assert np.allclose(tamed, tamed.T)
    assert tamed.min() >= 0
    assert tamed.max() <= 1
    assert hub_skew(k_occurrence(tamed)) < hub_skew(k_occurrence(hubby))
    assert mutual_proximity(similarity).shape == similarity.shape


@pytest.mark.parametrize(
    "similarity",
    [np.zeros((2, 3)), np.zeros(4), np.zeros((1, 1)), np.zeros((0, 0)), np.full((3, 3), np.nan)],
)
def test_what_is_no_similarity_is_refused(similarity):
    labels = np.array(["a"] * len(similarity))
    for measure in (
        lambda: rank(similarity),
        lambda: precision_at_k(similarity, labels, 1),
        lambda: average_precision(similarity, labels),
        lambda: k_occurrence(similarity),
        lambda: mutual_proximity(similarity),
    ):
        with pytest.raises(ValueError, match="similarity"):
            measure()


def test_other_bad_input_is_refused():
    with pytest.raises(ValueError, match="labels"):
        precision_at_k(np.eye(3), np.array(["a"]), 1)
    with pytest.raises(ValueError, match="k must"):
        k_occurrence(np.eye(3), 0)
    with pytest.raises(ValueError, match="direction"):
        cosine_similarity(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="finite"):
        cosine_similarity(np.array([[np.inf, 1]]))
    with pytest.raises(ValueError, match="counts"):
        hub_skew(np.array([], int))
    with pytest.raises(ValueError, match="counts"):
        share_never_reached(np.array([-1, 2]))
