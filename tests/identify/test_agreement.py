"""Evidence: peaks that agree speak for a place, but no moment proves much by itself."""

from __future__ import annotations

import numpy as np
import pytest

from songprint.audio.peaks import FRAMES_PER_SECOND, Peaks
from songprint.identify.agreement import LEAST_PEAKS, ClipGrid

SECONDS = 4.0
FRAMES = round(SECONDS * FRAMES_PER_SECOND)


def peaks_at(frames: np.ndarray, seed: int = 0) -> Peaks:
    bins = np.random.default_rng(seed).choice(np.arange(20, 700, 5), len(frames))
    return Peaks(np.sort(frames).astype(np.float32), bins.astype(np.float32))


def agreement(clip: Peaks, *songs: Peaks, start: float = 0.0):
    grid = ClipGrid(clip, SECONDS)
    return grid.best([song.packed() for song in songs], [start] * len(songs))


def test_the_song_that_has_the_clips_peaks_agrees_best() -> None:
    spread = np.linspace(0, FRAMES - 2, 80).round()
    right, wrong = peaks_at(spread, 1), peaks_at(spread, 2)
    which, found = agreement(right, wrong, right)
    assert which == 1
    assert found.share == 1.0
    assert found.frame == pytest.approx(0.0)
    assert found.evidence > 50
    assert agreement(right, wrong)[1].evidence < 0


def test_one_moment_proves_little_however_many_peaks_agree_in_it() -> None:
    along = peaks_at(np.linspace(0, FRAMES - 2, 60).round())
    chord = Peaks(np.full(12, 40, np.float32), np.arange(23, 623, 50, dtype=np.float32))
    both = [np.concatenate([getattr(p, k) for p in (along, chord)]) for k in ("frames", "bins")]
    order = np.argsort(both[0], kind="stable")
    clip = Peaks(both[0][order], both[1][order])
    assert 2.0 < agreement(clip, chord)[1].evidence <= 3.0
    assert agreement(clip, along)[1].evidence > 50


def test_where_the_clip_starts_is_told_to_half_a_frame() -> None:
    spread = np.linspace(0, FRAMES - 3, 80).round()
    clip = peaks_at(spread)
    song = Peaks(clip.frames + 200, clip.bins)
    for asked in (199.0, 199.5, 200.0, 200.5, 201.0):
        assert agreement(clip, song, start=asked)[1].frame == pytest.approx(200.0)


def test_too_few_peaks_tell_nothing() -> None:
    few = peaks_at(np.arange(LEAST_PEAKS - 1) * 10.0)
    assert agreement(few, few) is None
    assert agreement(few) is None
