"""A segment finds places of its songs, wherever on its line of time they lie."""

from __future__ import annotations

import numpy as np
import pytest

from songprint.audio.peaks import Peaks, clip_peaks, song_peaks
from songprint.identify.landmarks import Landmarks, clip_landmarks, song_landmarks
from songprint.identify.segment import Segment
from support.clips import cut, tune

LONG = Peaks(np.array([0.0, 1_000_000.0], np.float32), np.array([100.0, 200.0], np.float32))


@pytest.mark.parametrize("before", [20, 2000], ids=["beyond 24 bits", "beyond 30 bits"])
def test_songs_far_along_the_line_of_time_are_found_as_well_as_the_first(before: int) -> None:
    packed = song_peaks(tune(3)).packed()
    clip = clip_landmarks(clip_peaks(cut(tune(3), 6.4, 3.0)))
    alone = Segment.build(["tune"], [packed]).candidates(clip, 3)
    late = Segment.build([*map(str, range(before)), "tune"], [*[LONG.packed()] * before, packed])
    found = late.candidates(clip, 3)
    assert [(c.frame, c.votes) for c in found] == [(c.frame, c.votes) for c in alone]
    assert {late.songs[c.song] for c in found} == {"tune"}


def test_a_place_has_the_votes_of_landmarks_that_came_a_little_late_or_soon() -> None:
    packed = [song_peaks(tune(number)).packed() for number in range(3)]
    segment = Segment.build(["0", "1", "2"], packed)
    whole = song_landmarks(Peaks.unpacked(packed[2]))
    some = (whole.frames >= 100) & (whole.frames < 200)
    jitter = np.random.default_rng(0).choice([-0.5, 0.0, 0.5], int(some.sum()))
    clip = Landmarks(whole.values[some], (whole.frames[some] - 100 + jitter).astype(np.float32))
    [place] = segment.candidates(clip, 1)
    assert (place.song, place.votes) == (2, len(clip.values))
    assert place.frame == 100


def test_songs_that_are_passed_over_are_no_candidates() -> None:
    packed = song_peaks(tune(3)).packed()
    segment = Segment.build(["one", "copy"], [packed, packed])
    clip = clip_landmarks(clip_peaks(cut(tune(3), 6.4, 3.0)))
    found = segment.candidates(clip, 3, np.array([True, False]))
    assert {candidate.song for candidate in found} == {1}
