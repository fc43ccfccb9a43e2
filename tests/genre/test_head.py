"""The genre head: probabilities that sum to one, a temperature, and abstention."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from songprint.encoder.inference import Encoder
from songprint.errors import ModelError
from songprint.genre.head import GenreHead, load_head
from songprint.genre.taxonomy import GENRES, NOT_MUSIC, canonical_genre

CLASSES = ("jazz", "rock", NOT_MUSIC)


def head(temperature=1.0, threshold=0.5):
    """A head that reads each class's logit from one component of a 3-d embedding."""
    return GenreHead(CLASSES, np.eye(3), np.zeros(3), temperature, threshold, "sha")


def test_of_fewer_windows_it_is_less_sure():
    embedding = np.array([3.0, 0.0, -5.0])
    brief = GenreHead(CLASSES, np.eye(3), np.zeros(3), 1.0, 0.5, "sha", brevity=2.0)
    sureness = [brief.judge(embedding, n).probabilities.max() for n in (1, 4, 100)]
    assert sureness == sorted(sureness)
    assert sureness[0] < 0.8
    assert brief.judge(embedding).probabilities.max() == pytest.approx(sureness[2], abs=0.01)


def test_the_likeliest_genre_wins():
    verdict = head().judge(np.array([0.0, 5.0, -5.0]))
    assert head().genres[verdict.probabilities.argmax()] == "rock"
    assert not verdict.unsure
    assert verdict.music == pytest.approx(1, abs=1e-3)


def test_probabilities_are_softmax():
    verdict = head().judge(np.array([1.0, 2.0, -1e4]))
    assert verdict.probabilities[1] == pytest.approx(1 / (1 + np.exp(-1)))


def test_a_higher_temperature_is_less_sure():
    embedding = np.array([0.0, 3.0, -9.0])
    assert head(temperature=3).judge(embedding).probabilities.max() < 0.8
    assert head(temperature=1).judge(embedding).probabilities.max() > 0.9


def test_what_is_not_music_is_unsure_however_clear_its_genre():
    verdict = head(threshold=0).judge(np.array([-5.0, 5.0, 8.0]))
    assert verdict.unsure
    assert verdict.music < 0.5
    assert verdict.probabilities.sum() == pytest.approx(1)


def test_no_genre_likely_enough_is_unsure():
    assert head(threshold=0.6).judge(np.array([0.0, 0.1, -9.0])).unsure


def test_a_clear_genre_of_what_is_hardly_music_is_unsure():
    embedding = np.array([-5.0, 5.0, 4.6])
    verdict = head(threshold=0.7).judge(embedding)
    assert verdict.probabilities.max() > 0.9
    assert 0.5 < verdict.music < 0.7
    assert verdict.unsure
    assert not head(threshold=0.5).judge(embedding).unsure


def test_certain_noise_gives_equal_probabilities():
    verdict = head().judge(np.array([-2000.0, -2000.0, 2000.0]))
    np.testing.assert_allclose(verdict.probabilities, [0.5, 0.5])


@settings(max_examples=50)
@given(hnp.arrays(np.float32, 3, elements=st.floats(-1e3, 1e3, width=32)))
def test_probabilities_always_sum_to_one(embedding):
    verdict = head().judge(embedding)
    assert verdict.probabilities.sum() == pytest.approx(1)
    assert (verdict.probabilities >= 0).all()
    assert 0 <= verdict.music <= 1


def test_json_round_trip_keeps_the_verdict():
    rng = np.random.default_rng(0)
    original = GenreHead(CLASSES, rng.normal(size=(8, 3)), rng.normal(size=3), 1.3, 0.4, "sha")
    copy = GenreHead.from_json(original.to_json())
    embedding = rng.normal(size=8)
    np.testing.assert_allclose(
        copy.judge(embedding).probabilities, original.judge(embedding).probabilities, atol=1e-4
    )
    assert (copy.classes, copy.threshold, copy.encoder_sha256) == (CLASSES, 0.4, "sha")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"classes": ["a"], "weights": 3}'])
def test_other_json_is_refused(text):
    with pytest.raises(ModelError, match="not a genre head"):
        GenreHead.from_json(text)


def test_weights_that_do_not_fit_the_classes_are_refused():
    wrong = GenreHead(CLASSES, np.eye(4), np.zeros(4), 1, 0.5, "sha").to_json()
    with pytest.raises(ModelError, match="do not fit"):
        GenreHead.from_json(wrong)


def test_a_missing_head_is_a_model_error(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        load_head(tmp_path)


def test_the_shipped_head_belongs_to_the_shipped_encoder():
    shipped, _ = load_head()
    assert shipped.encoder_sha256 == Encoder().sha256
    assert shipped.genres == GENRES


@pytest.mark.parametrize(
    ("name", "genre"),
    [("HipHop", "hip-hop"), (" hip  hop ", "hip-hop"), ("Jazz", "jazz"), ("Zydeco", "zydeco")],
)
def test_genre_names_are_brought_to_one_spelling(name, genre):
    assert canonical_genre(name) == genre
