"""A data set of the user's: splits, notes, and what is refused quietly."""

from dataclasses import replace

import numpy as np
import pytest

from songprint.evaluate.dataset import TAUGHT_ON, as_item, evaluate_songs
from songprint.evaluate.dataset_card import render_dataset
from support.evaluating import GENRES, song


def test_without_an_official_split_artists_are_kept_apart():
    report = evaluate_songs("mine", [song(i) for i in range(40)])
    assert report.probe.accuracy.trials == 40
    assert report.probe.accuracy.value == 1
    assert report.head.accuracy.value == 1
    assert "share no artist" in report.split
    assert report.leaks.counts()["same artist"] == 0
    assert report.neighbours.precision.value == 1
    assert report.notes == (TAUGHT_ON,)
    assert dict(report.genres) == {"jazz": 20, "rock": 20}


def test_the_head_is_judged_by_what_the_fingerprints_say():
    songs = [song(i) for i in range(40)]
    heard = songs[0].fingerprint
    wrong = replace(heard, genres=heard.genres[::-1], doubt="no genre")
    report = evaluate_songs("mine", [replace(songs[0], fingerprint=wrong), *songs[1:]])
    assert report.head.accuracy.successes == report.head.sure.coverage.successes == 39
    assert report.head.sure.accuracy.value == 1
    assert report.head.reliability[-1].confidence == pytest.approx(heard.genres[0].p)


def test_an_official_split_is_kept_to_and_its_leaks_are_reported():
    songs = [song(i, split="train" if i < 30 else "test") for i in range(40)]
    songs.append(replace(song(0, split="test"), name="copy.mp3"))
    report = evaluate_songs("mine", songs)
    assert report.split == "the official split: 30 train, 11 test"
    assert report.probe.accuracy.trials == 11
    assert report.head.accuracy.trials == 11
    assert report.leaks.counts()["same audio"] == 1
    assert report.leaks.leaks[0].test == "copy.mp3"
    assert report.leaks.counts()["same artist"] > 0


def test_a_validation_part_is_left_alone_where_there_is_a_test_part():
    parts = ["train"] * 20 + ["valid"] * 10 + ["test"] * 10
    report = evaluate_songs("mine", [song(i, split=parts[i]) for i in range(40)])
    assert report.probe.accuracy.trials == 10


def test_unknown_artists_and_genres_are_told():
    songs = [song(i, artist="") for i in range(20)]
    songs += [song(i, label="grunge") for i in range(20, 40)]
    report = evaluate_songs("mine", songs)
    assert not report.artists_known
    assert report.head.accuracy.trials == 20
    assert any("20 of 40 songs name no artist" in note for note in report.notes)
    assert any("grunge: 20 songs" in note for note in report.notes)


def test_too_little_for_a_probe_is_told():
    report = evaluate_songs("mine", [song(i) for i in range(6)])
    assert report.probe is None
    assert any("too little for a probe" in note for note in report.notes)
    assert report.head is not None


def test_one_genre_by_one_artist_is_no_crash():
    songs = [song(2 * i, artist="x") for i in range(25)]
    report = evaluate_songs("mine", songs)
    assert report.probe is None
    assert report.neighbours is None


def test_one_song_is_no_crash():
    report = evaluate_songs("mine", [song(0)])
    assert report.leaks is None
    assert report.songs == 1


def test_one_genre_in_training_makes_no_probe():
    songs = [song(2 * i, split="train") for i in range(20)]
    songs += [song(i, split="test") for i in range(20, 30)]
    report = evaluate_songs("mine", songs)
    assert report.probe is None
    assert any("single genre" in note for note in report.notes)


def test_one_artist_a_genre_in_training_is_no_crash():
    songs = [song(i, artist=GENRES[i % 2], split="train") for i in range(20)]
    songs += [song(i, split="test") for i in range(20, 30)]
    assert evaluate_songs("mine", songs).probe.accuracy.trials == 10


def test_a_genre_of_too_few_artists_is_left_out_of_the_probe():
    songs = [song(i) for i in range(40)]
    songs += [song(i, label="polka", artist="one", seed=1) for i in range(5)]
    songs.append(replace(song(0, label="polka", artist="one"), name="copy.mp3"))
    report = evaluate_songs("mine", songs)
    assert report.probe.accuracy.trials == 40
    assert any("leaves out polka" in note for note in report.notes)
    assert report.leaks.train_songs == 40
    assert report.leaks.counts()["same audio"] == 0  # what is in no fold leaks into none


def test_without_scikit_learn_the_rest_is_measured(monkeypatch):
    monkeypatch.setattr("songprint.evaluate.dataset.find_spec", lambda _: None)
    report = evaluate_songs("mine", [song(i) for i in range(40)])
    assert report.probe is None
    assert any("scikit-learn" in note for note in report.notes)
    assert report.head.accuracy.value == 1


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="no song"):
        evaluate_songs("mine", [])


def test_the_course_of_a_song_is_its_level_and_genres():
    course = as_item(song(0)).course
    assert course.shape[0] == 6
    assert np.all(np.diff(course[:, 0]) > 0)


def test_it_is_a_page():
    page = render_dataset(evaluate_songs("mine", [song(i) for i in range(40)]))
    for words in ("# Accuracy on mine", "genre head, as shipped", "probe of the embedding", "jazz"):
        assert words in page
