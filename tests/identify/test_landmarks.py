"""A song keeps few landmarks, a clip asks for all that these could be."""

from __future__ import annotations

import numpy as np

from songprint.audio.peaks import Peaks, song_peaks
from songprint.identify.landmarks import (
    LANDMARK_VALUES,
    LANDMARKS_A_PEAK,
    clip_landmarks,
    song_landmarks,
)
from support.clips import tune


def test_a_peak_has_three_landmarks_with_those_that_follow_soonest() -> None:
    frames = np.arange(0, 40, 4, dtype=np.float32)
    peaks = Peaks(frames, np.full(10, 200, np.float32))
    landmarks = song_landmarks(peaks)
    assert np.bincount(landmarks.frames.astype(int), minlength=40)[::4].tolist() == [
        *[LANDMARKS_A_PEAK] * 7, 2, 1, 0,
    ]  # fmt: skip
    first = landmarks.values[landmarks.frames == 0]
    assert len(np.unique(first)) == 3
    assert np.ptp(first) == 8  # they follow after 4, 8 and 12 frames


def test_peaks_too_near_too_late_or_too_far_apart_are_no_pairs() -> None:
    for frames, bins in (([0, 1], [200, 200]), ([0, 18], [200, 200]), ([0, 5], [200, 264])):
        peaks = Peaks(np.array(frames, np.float32), np.array(bins, np.float32))
        assert len(song_landmarks(peaks).values) == 0


def test_a_clip_asks_for_every_landmark_of_its_song() -> None:
    peaks = Peaks.unpacked(song_peaks(tune(1)).packed())
    kept, asked = song_landmarks(peaks), clip_landmarks(peaks)
    assert set(zip(kept.values, kept.frames, strict=True)) <= set(
        zip(asked.values, asked.frames, strict=True)
    )
    assert np.all(np.diff(asked.values) >= 0)
    assert kept.values.max() < LANDMARK_VALUES
    assert kept.values.min() >= 0


def test_a_peak_between_two_bins_is_asked_for_in_both() -> None:
    peaks = Peaks(np.array([0, 5], np.float32), np.array([200.5, 210], np.float32))
    of_song = [
        song_landmarks(Peaks(peaks.frames, np.array([low, 210], np.float32))).values[0]
        for low in (200, 201)
    ]
    assert set(of_song) <= set(clip_landmarks(peaks).values)
    assert not set(of_song) <= set(clip_landmarks(peaks, few=True).values)
