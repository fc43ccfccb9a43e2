"""The founder's network: small, seeded, and flattered by a leak."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from songprint.audio.mel import LOG_GAIN, MEL_BANDS  # noqa: E402
from songprint.evaluate.seed_network import (  # noqa: E402
    SNIPPET_FRAMES,
    SeedConfig,
    SnippetSet,
    cut_snippets,
    fit_predict,
    judge_folds,
    song_labels,
)

QUICK = SeedConfig(epochs=3, batch_snippets=8)


def song(band, seed, seconds=20):
    """Noise that is loud around one mel band."""
    rng = np.random.default_rng(seed)
    power = rng.random((seconds * SNIPPET_FRAMES // 10, MEL_BANDS)) * 1e-3
    power[:, band : band + 20] += 0.5
    return np.log10(1 + LOG_GAIN * power).astype(np.float32)


@pytest.fixture(scope="module")
def two_genres():
    frames = [song(10 if i % 2 else 60, i) for i in range(12)]
    labels = np.array(["low" if i % 2 else "high" for i in range(12)])
    artists = np.array([f"artist {i // 2}" for i in range(12)])
    return SnippetSet.of(frames, labels, artists)


def test_it_learns_a_trivial_problem_under_both_splits(two_genres):
    for by_artist, known in ((True, 0.0), (False, 1.0)):
        judged = judge_folds(two_genres, by_artist=by_artist, folds=3, config=QUICK)
        called = song_labels(judged.probabilities, two_genres.songs, judged.classes)
        assert called.tolist() == two_genres.labels.tolist()
        assert judged.known_songs == pytest.approx(known, abs=0.5)
        np.testing.assert_allclose(judged.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_artists_kept_apart_leave_no_song_on_both_sides(two_genres):
    config = SeedConfig(epochs=0)
    assert judge_folds(two_genres, by_artist=True, folds=3, config=config).known_songs == 0
    assert judge_folds(two_genres, by_artist=False, folds=3, config=config).known_songs > 0.5


def test_the_same_seed_gives_the_same_answer(two_genres):
    snippets, labels = two_genres.snippets, two_genres.labels[two_genres.songs]
    once, again = (
        fit_predict(snippets, labels, snippets[:3], ("high", "low"), SeedConfig(epochs=1))
        for _ in range(2)
    )
    np.testing.assert_array_equal(once, again)


def test_training_leaves_the_callers_random_numbers_alone(two_genres):
    torch.manual_seed(7)
    expected = torch.rand(1).item()
    torch.manual_seed(7)
    labels = two_genres.labels[two_genres.songs]
    fit_predict(two_genres.snippets, labels, two_genres.snippets[:1], ("high", "low"), QUICK)
    assert torch.rand(1).item() == expected


def test_snippets_are_magnitudes_relative_to_their_loudest():
    snippets = cut_snippets(song(10, 0, seconds=25))
    assert snippets.shape == (2, SNIPPET_FRAMES, MEL_BANDS)
    np.testing.assert_allclose(snippets.max(axis=(1, 2)), 1)
    assert snippets.min() >= 0


def test_a_short_clip_is_repeated():
    assert cut_snippets(song(10, 0, seconds=3)).shape == (1, SNIPPET_FRAMES, MEL_BANDS)


def test_bad_input_is_refused(two_genres):
    labels = two_genres.labels[two_genres.songs]
    with pytest.raises(ValueError, match="frames"):
        cut_snippets(np.zeros((0, MEL_BANDS), np.float32))
    with pytest.raises(ValueError, match="snippets with"):
        fit_predict(two_genres.snippets, labels[:1], two_genres.snippets, ("high", "low"), QUICK)
    with pytest.raises(ValueError, match="among the classes"):
        fit_predict(two_genres.snippets, labels, two_genres.snippets, ("high",), QUICK)


def test_nothing_to_judge_is_no_error(two_genres):
    labels = two_genres.labels[two_genres.songs]
    judged = fit_predict(
        two_genres.snippets, labels, two_genres.snippets[:0], ("high", "low"), SeedConfig(epochs=0)
    )
    assert judged.shape == (0, 2)
