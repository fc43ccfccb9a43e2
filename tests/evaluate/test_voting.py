"""Three ways from windows to a song."""

import numpy as np
import pytest

from songprint.evaluate.voting import WAYS, judge_pooled, majority, mean_judgement

WINDOWS = np.array([[1, 0], [1, 0], [0.6, 0.8]], np.float32)


def judge(rows):
    """Two classes, as probable as the components are large."""
    return rows / rows.sum(axis=1, keepdims=True)


def test_the_mean_of_window_probabilities_by_hand():
    expected = [(1 + 1 + 3 / 7) / 3, (4 / 7) / 3]
    np.testing.assert_allclose(mean_judgement(WINDOWS, judge), expected, rtol=1e-6)


def test_a_majority_counts_votes():
    np.testing.assert_allclose(majority(WINDOWS, judge), [2 / 3, 1 / 3])


def test_the_pooled_embedding_is_judged_once():
    pooled = np.array([2.6, 0.8])
    np.testing.assert_allclose(judge_pooled(WINDOWS, judge), pooled / pooled.sum(), rtol=1e-6)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_one_window_is_the_song(way):
    song = way(WINDOWS[:1], judge)
    assert song.tolist() == [1, 0]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_no_window_is_refused(way):
    with pytest.raises(ValueError, match="windows"):
        way(WINDOWS[:0], judge)
