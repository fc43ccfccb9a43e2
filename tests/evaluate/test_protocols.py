"""Probes, folds, comparisons and neighbourhoods on made-up embeddings."""

import numpy as np
import pytest

from songprint.evaluate.probe import artist_folds, fit_probe, fit_svm
from songprint.evaluate.protocols import (
    LINEAR,
    SVM,
    Outcome,
    Songs,
    compare,
    measure_retrieval,
    measure_votes,
    on_folds,
    on_split,
    only,
)
from songprint.evaluate.representations import Representation

GENRES = ("blues", "jazz", "rock")


def world(n=90, noise=0.5, seed=0):
    """Songs of three genres, three songs an artist, whose embeddings are their genre and noise."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(n) % 3
    embeddings = np.eye(3)[numbers] + noise * rng.normal(size=(n, 3))
    labels = np.array(GENRES)[numbers]
    artists = np.array([f"artist {i // 9}-{i % 3}" for i in range(n)])
    return Representation("songprint", embeddings, False), Songs(labels, artists)


def test_folds_share_no_artist_and_cover_every_song():
    _, songs = world()
    tested = []
    for train, test in artist_folds(songs.labels, songs.artists, 5):
        assert not set(songs.artists[train]) & set(songs.artists[test])
        tested += test.tolist()
    assert sorted(tested) == list(range(90))


def test_a_probe_separates_what_is_separable():
    clean, songs = world(noise=0.1)
    for fit in (fit_probe, fit_svm):
        model = fit(clean.features, songs.labels, songs.artists)
        assert (model.predict(clean.features) == songs.labels).all()


@pytest.mark.parametrize("fit", [fit_probe, fit_svm])
def test_a_rare_genre_counts_as_much_as_a_common_one(fit):
    rng = np.random.default_rng(0)
    labels = np.array(["common"] * 300 + ["rare"] * 30)
    features = rng.standard_normal((330, 2)) + 1.2 * (labels == "rare")[:, None]
    called = fit(features, labels).predict(rng.standard_normal((500, 2)) + 1.2)
    assert (called == "rare").mean() > 0.7


def test_a_genre_of_few_artists_is_no_obstacle():
    representation, songs = world(n=12, noise=0.1)
    songs.labels[:3] = "rare"  # of three artists
    model = fit_probe(representation.features, songs.labels, songs.artists)
    assert set(model.classes_) == {"rare", *GENRES}


def test_a_genre_that_one_fold_lacks_in_training_is_no_obstacle():
    representation, songs = world(n=30)
    songs.labels[:2], songs.artists[:2] = "solo", "one artist"
    fit_probe(representation.features, songs.labels, songs.artists)


@pytest.mark.parametrize("fit", [fit_probe, fit_svm])
def test_one_song_a_genre_is_no_obstacle(fit):
    features = np.eye(2)
    labels = np.array(["a", "b"])
    groups = np.array(["x", "x"])
    assert fit(features, labels, groups).predict(features).tolist() == ["a", "b"]


def test_knowing_an_artist_is_no_knowledge_of_genre_in_folds():
    rng = np.random.default_rng(0)
    labels = np.repeat(rng.permutation(np.array(["jazz", "rock"] * 15)), 4)
    artists = np.repeat([f"artist {i}" for i in range(30)], 4)
    features = np.repeat(rng.standard_normal((30, 40)), 4, axis=0)
    features += 0.01 * rng.standard_normal(features.shape)
    representation = Representation("voices", features, False)
    [outcome] = on_folds(representation, Songs(labels, artists), shuffles=1)
    assert (outcome.predicted == labels).mean() < 0.7


def test_a_split_is_trained_on_one_side_and_measured_on_the_other():
    representation, songs = world(noise=0.1)
    train = np.arange(90) < 60
    (outcome,) = on_split(representation, songs.labels, train)
    assert outcome.classifier == LINEAR
    assert outcome.predicted.shape == (1, 30)
    assert (outcome.predicted[0] == songs.labels[~train]).all()


def test_mfccs_are_also_judged_by_their_usual_machine():
    representation, songs = world()
    mfcc = Representation("MFCC statistics", representation.features, True)
    outcomes = on_folds(mfcc, songs, shuffles=1)
    assert [outcome.classifier for outcome in outcomes] == [SVM, LINEAR]


def test_systems_are_compared_with_the_best_reference():
    _, songs = world()
    wrong = np.roll(songs.labels, 1)
    half = np.where(np.arange(90) < 45, songs.labels, wrong)
    rows = [
        Outcome("ours", LINEAR, np.stack([songs.labels, songs.labels])),
        Outcome("weak teacher", LINEAR, np.stack([wrong, wrong])),
        Outcome("teacher", LINEAR, np.stack([half, half])),
    ]
    comparison = compare(rows, songs, title="t", split="s", references=("weak teacher", "teacher"))
    ours, weak, teacher = comparison.rows
    assert comparison.reference == "teacher"
    assert teacher.difference is None
    assert ours.accuracy.successes == 90
    assert ours.difference.value == pytest.approx(0.5)
    assert ours.difference.low > 0
    assert ours.mcnemar is None  # there are two answers a song
    assert weak.difference.value == pytest.approx(-0.5)
    assert weak.macro_f1 == 0
    assert comparison.artists == 30


def test_one_answer_a_song_is_also_compared_song_by_song():
    _, songs = world()
    rows = [
        Outcome("ours", LINEAR, songs.labels[None]),
        Outcome("teacher", LINEAR, np.roll(songs.labels, 1)[None]),
    ]
    ours, _ = compare(rows, songs, title="t", split="s", references=("teacher",)).rows
    assert (ours.mcnemar.only_ours, ours.mcnemar.only_theirs) == (90, 0)


def test_without_a_reference_there_is_no_difference():
    _, songs = world()
    comparison = compare([Outcome("ours", LINEAR, songs.labels[None])], songs, title="t", split="s")
    assert comparison.reference is None
    assert comparison.rows[0].difference is None


def test_some_of_the_songs_can_be_compared_alone():
    _, songs = world()
    chosen = songs.labels == "jazz"
    rows = only([Outcome("ours", LINEAR, songs.labels[None])], chosen)
    comparison = compare(rows, songs.rows(chosen), title="t", split="s")
    assert comparison.songs == 30


def test_neighbourhoods_know_genre_from_noise():
    clean, songs = world(noise=0.1)
    noise = Representation("noise", np.random.default_rng(1).normal(size=(90, 8)), False)
    found = measure_retrieval("t", [clean, noise], songs, references=("noise",))
    ours, tamed, other = found.rows
    assert (ours.system, tamed.system) == ("songprint", "songprint, mutual proximity")
    assert ours.precision.value > 0.95
    assert other.precision.value < 0.5
    assert ours.difference.low > 0.3
    assert found.reference == "noise"


def test_standardising_makes_a_loud_column_as_loud_as_others():
    clean, songs = world(noise=0.1)
    drowned = np.column_stack([clean.features, 1e3 * np.random.default_rng(0).normal(size=90)])
    constant = np.column_stack([drowned, np.ones(90)])
    raw = measure_retrieval("t", [Representation("x", constant, False)], songs).rows[0]
    fair = measure_retrieval("t", [Representation("x", constant, True)], songs).rows[0]
    assert fair.precision.value == 1 > raw.precision.low + 0.2


def test_votes_are_counted_on_test_songs_only():
    clean, songs = world(noise=0.1)
    features = clean.features.astype(np.float32)
    windows = [np.stack([row, row]) for row in features]
    split = (np.arange(60), np.arange(60, 90))
    votes = measure_votes("t", windows, features, songs.labels, [split])
    assert len(votes) == 3
    assert {vote.accuracy.trials for vote in votes} == {30}
    assert all(vote.accuracy.value > 0.9 for vote in votes)
