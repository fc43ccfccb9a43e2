"""Wilson intervals, accuracy, calibration error, confusion and F1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import f1_score

from songprint.evaluate.calibration import (
    expected_calibration_error,
    reliability_table,
    select,
)
from songprint.evaluate.confusion import confusion_matrix, genre_scores, macro_f1
from songprint.evaluate.metrics import (
    accuracy,
    balanced_accuracy,
    effective_songs,
    share_of,
    wilson,
)

TRUTH = np.array(["jazz", "jazz", "jazz", "rock", "rock", "pop"])
CALLED = np.array(["jazz", "jazz", "rock", "rock", "jazz", "rock"])

labels = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=40
)


def columns(pairs):
    return np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])


def test_wilson_known_from_its_table():
    share = wilson(8, 10)
    assert (share.low, share.high) == (
        pytest.approx(0.4902, abs=1e-4),
        pytest.approx(0.9433, abs=1e-4),
    )
    assert str(wilson(1, 2)) == "50.0 % [9.5, 90.5]"


@given(st.integers(1, 500), st.data())
def test_wilson_holds_the_share_and_stays_in_range(trials, data):
    share = wilson(data.draw(st.integers(0, trials)), trials)
    assert 0 <= share.low <= share.value <= share.high <= 1


def test_wilson_refuses_what_cannot_be():
    for successes, trials in ((1, 0), (-1, 3), (4, 3), (0, 0)):
        with pytest.raises(ValueError, match="successes"):
            wilson(successes, trials)
    with pytest.raises(ValueError, match="confidence"):
        wilson(1, 2, 1.0)


def test_songs_of_one_artist_count_less_the_more_they_agree():
    artists = np.array(list("aabbccdd"))
    alone = share_of(np.array([1, 0, 1, 0, 1, 0, 1, 0], bool), artists)
    together = share_of(np.array([1, 1, 1, 1, 0, 0, 0, 0], bool), artists)
    assert (alone.low, alone.high) == (wilson(4, 8).low, wilson(4, 8).high)
    # Four artists, each all right or all wrong: three independent songs would vary as much.
    assert together.low == pytest.approx(wilson(2, 4, effective=3).low)
    assert (together.value, together.trials) == (0.5, 8)


def test_effective_songs_lie_between_one_and_all():
    one, right = np.array(["a"] * 6), np.array([1, 0, 1, 1, 0, 1.0])
    assert effective_songs(right, one) == 1
    assert effective_songs(right, np.arange(6).astype(str)) == 6
    assert effective_songs(np.ones(6), one) == 6
    assert share_of(right, one).high - share_of(right, one).low > 0.7


def test_intervals_over_artists_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(40).astype(str), 4)
    held = np.zeros(2)
    for _ in range(400):
        of_artist = rng.beta(1.6, 0.4, 40)  # songs of an artist agree: a mean of 0.8
        right = rng.random(160) < np.repeat(of_artist, 4)
        for i, share in enumerate((share_of(right), share_of(right, artists))):
            held[i] += share.low <= 0.8 <= share.high
    assert held[0] < 0.9 * 400
    assert 0.92 * 400 < held[1] < 0.99 * 400


def test_scores_by_genre_respect_artists():
    truth = np.array(["jazz"] * 8)
    called = np.array(["jazz", "jazz", "rock", "rock"] * 2)
    artists = np.array(list("aabbccdd"))
    [jazz, _] = genre_scores(truth, called, artists)
    [plain, _] = genre_scores(truth, called)
    assert jazz.recall.value == plain.recall.value == 0.5
    assert jazz.recall.low < plain.recall.low
    assert jazz.f1.low < plain.f1.low


def test_accuracy_by_hand():
    assert accuracy(TRUTH, CALLED).successes == 3
    assert balanced_accuracy(TRUTH, CALLED) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


@pytest.mark.parametrize("measure", [accuracy, balanced_accuracy, confusion_matrix, macro_f1])
def test_nothing_and_unequal_lengths_are_refused(measure):
    with pytest.raises(ValueError, match="shape"):
        measure(np.array([], str), np.array([], str))
    with pytest.raises(ValueError, match="shape"):
        measure(TRUTH, CALLED[:2])


def test_confusion_by_hand():
    matrix = confusion_matrix(TRUTH, CALLED, ("jazz", "rock", "pop"))
    assert matrix.tolist() == [[2, 1, 0], [1, 1, 0], [0, 1, 0]]
    with pytest.raises(ValueError, match="pop"):
        confusion_matrix(TRUTH, CALLED, ("jazz", "rock"))
    with pytest.raises(ValueError, match="twice"):
        confusion_matrix(TRUTH, CALLED, ("jazz", "rock", "pop", "pop"))


@given(labels)
def test_confusion_and_macro_f1_agree_with_scikit_learn(pairs):
    truth, called = columns(pairs)
    genres = list("abcd")
    expected = sklearn_confusion(truth, called, labels=genres)
    assert confusion_matrix(truth, called, genres).tolist() == expected.tolist()
    there = sorted(set(truth))
    expected = f1_score(truth, called, labels=there, average="macro", zero_division=0)
    assert macro_f1(truth, called) == pytest.approx(expected)


def test_a_genre_that_no_song_has_is_not_averaged():
    truth, called = np.array(["jazz", "jazz", "rock"]), np.array(["jazz", "metal", "rock"])
    assert macro_f1(truth, called) == pytest.approx((2 / 3 + 1) / 2)


@given(labels)
def test_genre_scores_are_within_their_intervals(pairs):
    truth, called = columns(pairs)
    scores = genre_scores(truth, called)
    assert sum(score.songs for score in scores) == len(truth)
    for score in scores:
        assert 0 <= score.f1.low <= score.f1.value <= score.f1.high <= 1
        assert (score.recall is None) == (score.songs == 0)
        if score.precision and score.recall and score.f1.value:
            harmonic = 2 / (1 / score.precision.value + 1 / score.recall.value)
            assert score.f1.value == pytest.approx(harmonic)


def test_perfection():
    assert macro_f1(TRUTH, TRUTH) == 1
    assert accuracy(TRUTH, TRUTH).value == 1
    assert expected_calibration_error(np.ones(3), np.ones(3, bool)) == 0


def test_calibration_error_by_hand():
    confidence = np.array([0.9, 0.9, 0.6, 0.6])
    right = np.array([True, False, True, True])
    assert expected_calibration_error(confidence, right, 2) == pytest.approx((0.4 + 0.4) / 2)
    with pytest.raises(ValueError, match="confidences"):
        expected_calibration_error(np.array([]), np.array([], bool))


judged = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50)


@given(judged, st.integers(1, 12))
def test_reliability_bins_hold_every_song_in_order_of_confidence(pairs, bins):
    confidence = np.array([p for p, _ in pairs])
    right = np.array([r for _, r in pairs])
    table = reliability_table(confidence, right, bins)
    assert sum(b.count for b in table) == len(pairs)
    assert max(b.count for b in table) - min(b.count for b in table) <= 1
    assert 0 <= expected_calibration_error(confidence, right, bins) <= 1
    centres = [b.confidence for b in table]
    assert np.all(np.diff(centres) >= -1e-12)


def test_abstaining():
    right, sure = np.array([True, False, True]), np.array([True, False, False])
    selection = select(right, sure)
    assert (selection.coverage.value, selection.accuracy.value) == (pytest.approx(1 / 3), 1)
    assert select(right, np.zeros(3, bool)).accuracy is None


def test_bad_calibration_input_is_refused():
    nothing = np.array([]), np.array([], bool)
    for measure in (reliability_table, select):
        with pytest.raises(ValueError, match="for"):
            measure(*nothing)
    with pytest.raises(ValueError, match="between"):
        reliability_table(np.array([1.5]), np.array([True]))
    with pytest.raises(ValueError, match="bins"):
        reliability_table(np.array([0.5]), np.array([True]), 0)
