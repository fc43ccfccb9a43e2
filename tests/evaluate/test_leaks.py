"""The leak check finds what is planted, and nothing where nothing is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.audio.peaks import song_peaks
from songprint.evaluate.leaks import (
    FALLBACK_COSINE,
    SAME_ARTIST,
    SAME_AUDIO,
    SAME_RECORDING,
    SOUNDS_THE_SAME,
    Item,
    calibrate,
    course_correlation,
    find_leaks,
    find_leaks_across,
    normalised_artist,
)
from support.clips import cut, tune, with_noise


def songs(n, seed=0, prefix="song"):
    rng = np.random.default_rng(seed)
    return [
        Item(
            f"{prefix} {i}",
            rng.normal(size=64),
            content_hash=f"{prefix} hash {i}",
            artist=f"{prefix} artist {i}",
            course=rng.normal(size=(12, 8)),
        )
        for i in range(n)
    ]


def like(item, name, *, embedding_noise=0.0, **changes):
    rng = np.random.default_rng(9)
    embedding = item.embedding + embedding_noise * rng.normal(size=len(item.embedding))
    fields = {"content_hash": "another", "artist": "another", "title": "", "course": item.course}
    return Item(name, embedding, **(fields | changes))


def test_nothing_is_found_where_nothing_is():
    report = find_leaks(songs(60), songs(30, 1, "test"))
    assert {leak.reason for leak in report.leaks} <= {SOUNDS_THE_SAME}
    assert len(report.leaks) <= 1  # the nearest pair of all is among one in ten thousand
    assert report.artists_known
    assert report.calibration_pairs == 90 * 89 // 2


def test_planted_leaks_are_found_gravest_first():
    train = songs(60)
    test = [
        *songs(30, 1, "test"),
        like(train[0], "another encoding", embedding_noise=0.05),
        like(train[1], "the same file", content_hash=train[1].content_hash),
        like(songs(1, 5)[0], "another song", artist="SONG Artist 2 (feat. Nobody)"),
        like(train[3], "a twin in sound", course=np.random.default_rng(7).normal(size=(12, 8))),
    ]
    report = find_leaks(train, test)
    assert [(leak.train, leak.test, leak.reason) for leak in report.leaks] == [
        ("song 1", "the same file", SAME_AUDIO),
        ("song 0", "another encoding", SAME_RECORDING),
        ("song 3", "a twin in sound", SOUNDS_THE_SAME),
        ("song 2", "another song", SAME_ARTIST),
    ]
    assert report.counts() == dict.fromkeys(
        (SAME_AUDIO, SAME_RECORDING, SOUNDS_THE_SAME, SAME_ARTIST), 1
    )


def test_several_duplicates_do_not_hide_each_other():
    train = songs(60)
    test = songs(30, 1, "test")
    test += [like(train[i], f"copy {i}", embedding_noise=0.05) for i in range(5)]
    found = find_leaks(train, test)
    assert found.counts()[SAME_RECORDING] == 5


def test_few_songs_are_judged_by_a_fixed_nearness():
    assert calibrate(songs(5)) == (FALLBACK_COSINE, 0)


def test_the_threshold_is_passed_by_about_one_pair_in_ten_thousand():
    threshold, pairs = calibrate(songs(300))
    rows = np.stack([item.embedding for item in songs(300)])
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    share = ((unit @ unit.T)[np.triu_indices(300, 1)] >= threshold).mean()
    assert pairs == 300 * 299 // 2
    assert share < 1e-3


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        (with_noise(tune(1), 25.0), "copy"),
        (tune(1) * np.float32(0.1), "copy"),
        (cut(tune(1), 6.0, 9.0), "excerpt"),
        (np.concatenate([cut(tune(1), 9.0, 11.0), tune(7, 6.0)])[: 17 * 16_000], "overlap"),
    ],
    ids=["another encoding", "softer", "trimmed", "cut elsewhere"],
)
def test_a_recording_is_known_by_its_peaks_whatever_its_embedding(changed, kind):
    train, test = songs(6), songs(6, 1, "test")
    train = [replace(item, peaks=song_peaks(tune(i))) for i, item in enumerate(train)]
    test = [replace(item, peaks=song_peaks(tune(10 + i))) for i, item in enumerate(test)]
    test[2] = replace(test[2], peaks=song_peaks(changed))
    report = find_leaks(train, test)
    [leak] = [leak for leak in report.leaks if leak.reason == SAME_RECORDING]
    assert (leak.train, leak.test, leak.detail) == ("song 1", "test 2", kind)
    assert leak.agreement > 0.62
    assert report.peaks_known


def test_recordings_within_one_part_are_no_leak():
    items = [replace(item, peaks=song_peaks(tune(i % 3))) for i, item in enumerate(songs(6))]
    apart = find_leaks_across(["one", "one", "one", "two", "two", "two"], items)
    assert sorted((leak.train, leak.test) for leak in apart.leaks) == [
        ("song 0", "song 3"),
        ("song 1", "song 4"),
        ("song 2", "song 5"),
    ]
    assert find_leaks_across(["one", "two", "three"] * 2, items).leaks == ()


@pytest.mark.parametrize("mix_first", [True, False])
def test_all_tracks_of_a_mix_are_found_wherever_it_stands(mix_first):
    tunes = [tune(n, 8.0) for n in range(16)]
    *tracks, mix = (
        replace(item, peaks=song_peaks(samples))
        for item, samples in zip(songs(17), [*tunes, np.concatenate(tunes)], strict=True)
    )
    items = [mix, *tracks] if mix_first else [*tracks, mix]
    leaks = find_leaks_across(range(17), items).leaks
    found = [{leak.train, leak.test} for leak in leaks if leak.detail == "excerpt"]
    assert sorted(map(sorted, found)) == sorted(sorted([mix.name, track.name]) for track in tracks)


def test_songs_without_audio_are_told():
    train = [replace(item, peaks=song_peaks(tune(i))) for i, item in enumerate(songs(2))]
    assert not find_leaks(train, songs(2, 1, "test")).peaks_known


def test_an_artist_that_is_not_known_is_no_leak():
    train = [Item("a", np.array([1.0, 0]))]
    test = [Item("b", np.array([0.0, 1]))]
    report = find_leaks(train, test)
    assert report.leaks == ()
    assert not report.artists_known


def test_parts_are_compared_with_each_other_only():
    items = songs(30)
    twin = like(items[0], "twin", embedding_noise=0.01)
    apart = find_leaks_across([*(["one"] * 30), "two"], [*items, twin])
    assert sorted((leak.train, leak.test) for leak in apart.leaks) == [("song 0", "twin")]
    assert find_leaks_across(["one"] * 31, [*items, twin]).leaks == ()


def test_one_title_by_one_artist_is_told():
    train = [Item("a", np.array([1.0, 0]), artist="X", title="Song")]
    test = [Item("b", np.array([0.0, 1]), artist="x", title="song!")]
    (leak,) = find_leaks(train, test).leaks
    assert leak.detail == "X: Song"


def test_an_excerpt_takes_the_course_of_its_song():
    course = np.random.default_rng(0).normal(size=(20, 6))
    assert course_correlation(course, course[5:15]) > 0.95
    assert course_correlation(course, course) == pytest.approx(1)
    other = np.random.default_rng(1).normal(size=(20, 6))
    assert course_correlation(course, other) < 0.6


def test_a_short_or_constant_course_says_nothing():
    course = np.random.default_rng(0).normal(size=(20, 6))
    assert course_correlation(course, course[:3]) is None
    assert course_correlation(course, np.ones((20, 6))) is None
    with pytest.raises(ValueError, match="shapes"):
        course_correlation(course, course[:, :2])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Beatles", "BEATLES"),
        ("Björk", "Bjork"),
        ("Simon & Garfunkel", "Simon and Garfunkel"),
        ("Someone feat. Else", "someone"),
        ("Someone (ft. Else)", "Someone"),
        ("AC/DC", "AC DC"),
    ],
)
def test_spellings_of_one_artist(one, other):
    assert normalised_artist(one) == normalised_artist(other)


def test_different_artists_stay_different():
    assert normalised_artist("The The") == "the"
    assert normalised_artist("Feather") == "feather"
    assert normalised_artist("日本") != normalised_artist("東京")
    assert normalised_artist("!!!") == ""


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(tag):
    once = normalised_artist(tag)
    assert normalised_artist(once) in (once, once.removeprefix("the ")) or " feat" in f" {once}"


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="0 training"):
        find_leaks([], songs(1))
    with pytest.raises(ValueError, match="direction"):
        find_leaks([Item("a", np.zeros(3))], [Item("b", np.ones(3))])
    with pytest.raises(ValueError, match="parts"):
        find_leaks_across(["one"], songs(2))
