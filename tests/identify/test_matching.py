"""A clip names its song and the place in it, whatever happened to the sound; others name none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, fftconvolve, sosfilt

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.identify.index import Part
from songprint.identify.matching import (
    MOST_WINDOWS,
    WINDOW_SECONDS,
    Match,
    identify_samples,
    least_evidence,
    window_starts,
)
from support.clips import Samples, at_speed, cut, part_of, tune, with_noise
from support.shelves import made_up_hash

SONGS = 12


@pytest.fixture(scope="module")
def part() -> Part:
    return part_of(*map(tune, range(SONGS)))


def ask(part: Part, clip: Samples) -> Match:
    match = identify_samples([part], clip)
    assert match is not None
    return match


def test_a_clean_second_names_the_song_and_the_place(part: Part) -> None:
    match = ask(part, cut(tune(5), 7.3, 1.0))
    assert match.song == made_up_hash(5)
    assert match.offset_seconds == pytest.approx(7.3, abs=0.05)
    assert match.confidence > 0.95
    assert match.share > 0.8
    assert match.speed == 1.0


@pytest.mark.parametrize("start", np.linspace(2, 15, 7))
def test_three_noisy_seconds_are_enough(part: Part, start: float) -> None:
    match = ask(part, with_noise(cut(tune(3), start, 3.0), 0.0))
    assert match.song == made_up_hash(3)
    assert match.offset_seconds == pytest.approx(start, abs=0.05)


def telephone(clip: Samples) -> Samples:
    band = butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    return sosfilt(band, clip).astype(np.float32)


def hall(clip: Samples) -> Samples:
    time = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tail = np.random.default_rng(1).standard_normal(SAMPLE_RATE_HZ) * np.exp(-6.9 * time / 0.6)
    tail[0] = 12.0
    return fftconvolve(clip, tail)[: len(clip)].astype(np.float32)


def clipping(clip: Samples) -> Samples:
    most = np.quantile(np.abs(clip), 0.9)
    return np.clip(clip, -most, most)


def softer(clip: Samples) -> Samples:
    return clip * np.float32(0.01)


@pytest.mark.parametrize("change", [telephone, hall, clipping, softer])
def test_a_changed_sound_is_the_same_song(part: Part, change) -> None:
    match = ask(part, change(cut(tune(8), 4.1, 4.0)))
    assert match.song == made_up_hash(8)
    assert match.offset_seconds == pytest.approx(4.1, abs=0.05)


@pytest.mark.parametrize("speed", [0.98, 0.987, 1.004, 1.013, 1.02])
def test_a_speed_that_is_off_is_found_and_told(part: Part, speed: float) -> None:
    match = ask(part, at_speed(cut(tune(4), 6.0, 5.0), speed))
    assert match.song == made_up_hash(4)
    assert match.offset_seconds == pytest.approx(6.0, abs=0.1)
    assert match.speed == pytest.approx(speed, abs=0.0051)


@pytest.mark.parametrize("number", range(SONGS, SONGS + 6))
def test_a_song_that_is_not_there_is_no_match(part: Part, number: int) -> None:
    assert identify_samples([part], cut(tune(number), 3.0, 5.0)) is None


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.5, 3.0])
def test_silence_and_noise_are_no_match(part: Part, seconds: float) -> None:
    count = round(seconds * SAMPLE_RATE_HZ)
    noise = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    assert identify_samples([part], np.zeros(count, np.float32)) is None
    assert identify_samples([part], noise * np.float32(0.1)) is None


def test_a_clip_that_starts_before_the_song_has_a_negative_offset(part: Part) -> None:
    before = 0.01 * np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE_HZ)
    clip = np.concatenate([before.astype(np.float32), cut(tune(2), 0.0, 4.0)])
    match = ask(part, clip)
    assert match.song == made_up_hash(2)
    assert match.offset_seconds == pytest.approx(-2.0, abs=0.05)


def test_a_long_clip_is_heard_in_windows(part: Part) -> None:
    talk = 0.05 * np.random.default_rng(0).standard_normal(20 * SAMPLE_RATE_HZ)
    clip = np.concatenate([talk.astype(np.float32), tune(9)])
    match = ask(part, clip)
    assert match.song == made_up_hash(9)
    assert match.offset_seconds == pytest.approx(-20.0, abs=0.05)


def test_where_a_long_clip_starts_is_told_in_the_songs_own_time(part: Part) -> None:
    talk = 0.05 * np.random.default_rng(0).standard_normal(30 * SAMPLE_RATE_HZ)
    clip = np.concatenate([talk.astype(np.float32), at_speed(tune(9), 1.02)])
    match = ask(part, clip)
    assert match.speed == pytest.approx(1.02, abs=0.0051)
    assert match.offset_seconds == pytest.approx(-30 * 1.02, abs=0.3)


@pytest.mark.parametrize("seconds", [0.0, 3.0, 12.0, 12.1, 30.0, 600.0])
def test_windows_lie_within_the_clip_the_middle_one_first(seconds: float) -> None:
    starts = window_starts(seconds)
    assert 1 <= len(starts) <= MOST_WINDOWS
    assert len(set(starts)) == len(starts)
    assert min(starts) == 0.0
    assert max(starts) + WINDOW_SECONDS == pytest.approx(max(seconds, WINDOW_SECONDS))


def test_songs_that_are_passed_over_are_no_match(part: Part) -> None:
    dead = np.arange(SONGS) == 5
    clip = cut(tune(5), 7.3, 3.0)
    assert identify_samples([Part(part.segment, dead)], clip) is None
    assert identify_samples([], clip) is None


def test_a_library_of_silent_songs_matches_nothing() -> None:
    silent = part_of(np.zeros(SAMPLE_RATE_HZ, np.float32), np.zeros(0, np.float32))
    assert identify_samples([silent], cut(tune(5), 7.3, 3.0)) is None


def test_longer_clips_and_larger_libraries_take_more_evidence() -> None:
    by_length = [least_evidence(seconds) for seconds in (0.5, 1, 2, 5, 10, 60)]
    assert by_length == sorted(by_length)
    by_size = [least_evidence(3.0, hours) for hours in (0.0, 12.0, 100.0, 7000.0)]
    assert by_size[0] == by_size[1] < by_size[2] < by_size[3] < by_size[0] + 3
