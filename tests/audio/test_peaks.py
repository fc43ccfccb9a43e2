"""Spectral peaks: where they are, that cutting changes nothing, and how they are packed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.audio.peaks import (
    BLOCK_SAMPLES,
    CLIP_PEAKS_A_BLOCK,
    FRAMES_PER_SECOND,
    HZ_PER_BIN,
    SONG_PEAKS_A_BLOCK,
    PeakMeter,
    Peaks,
    clip_peaks,
    song_peaks,
)
from support.clips import tune, with_noise


def beep(hz: float, at_seconds: float, seconds: float = 2.0) -> np.ndarray:
    """Return a tone of a tenth of a second, its middle at a time."""
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    shape = np.exp(-np.square((time - at_seconds) / 0.03))
    return (0.5 * shape * np.sin(2 * np.pi * hz * time)).astype(np.float32)


@pytest.mark.parametrize("hz", [200.0, 441.3, 1000.0, 5000.0])
def test_a_beep_is_a_peak_at_its_time_and_frequency(hz: float) -> None:
    found = song_peaks(beep(hz, 0.8))
    loudest = np.abs(found.bins * HZ_PER_BIN - hz).argmin()
    assert found.bins[loudest] * HZ_PER_BIN == pytest.approx(hz, abs=1.0)
    assert found.frames[loudest] / FRAMES_PER_SECOND == pytest.approx(0.8, abs=0.02)


@given(st.lists(st.integers(0, 30_000), max_size=6))
def test_how_a_song_is_cut_changes_nothing(cuts: list[int]) -> None:
    song = tune(1, 4.0)
    meter = PeakMeter()
    for piece in np.split(song, sorted(cuts)):
        meter.add(piece)
    found, whole = meter.finish(), song_peaks(song)
    np.testing.assert_array_equal(found.frames, whole.frames)
    np.testing.assert_array_equal(found.bins, whole.bins)


def test_no_half_second_has_more_peaks_than_are_kept() -> None:
    noise = np.random.default_rng(0).standard_normal(5 * SAMPLE_RATE_HZ).astype(np.float32) * 0.1
    for peaks, most in (
        (song_peaks(noise), SONG_PEAKS_A_BLOCK),
        (clip_peaks(noise), CLIP_PEAKS_A_BLOCK),
    ):
        block = (peaks.frames / FRAMES_PER_SECOND * SAMPLE_RATE_HZ // BLOCK_SAMPLES).astype(int)
        assert np.bincount(block)[:-1].tolist() == [most] * (len(np.bincount(block)) - 1)


def test_peaks_come_in_the_order_of_time() -> None:
    assert (np.diff(song_peaks(tune(2)).frames) >= 0).all()


def test_level_changes_little() -> None:
    song = with_noise(tune(3, 5.0), 30.0)
    loud, soft = (
        {*zip(peaks.frames.tolist(), peaks.bins.round().tolist(), strict=True)}
        for peaks in (song_peaks(song), song_peaks(song * np.float32(0.125)))
    )
    assert len(loud & soft) > 0.9 * len(loud | soft)


@pytest.mark.parametrize("samples", [0, 1, 100, 40_000])
def test_silence_has_no_peaks(samples: int) -> None:
    assert len(song_peaks(np.zeros(samples, np.float32))) == 0


@given(st.lists(st.tuples(st.integers(0, 700_000), st.integers(64, 2880)), max_size=20).map(sorted))
def test_packed_peaks_come_back(places: list[tuple[int, int]]) -> None:
    frames = np.array([frame for frame, _ in places], np.float32)
    bins = np.array([step for _, step in places], np.float32) / 4
    packed = Peaks(frames, bins).packed()
    assert packed.dtype == np.uint32
    assert (np.diff(packed.astype(np.int64)) >= 0).all()
    back = Peaks.unpacked(packed)
    np.testing.assert_array_equal(back.frames, frames)
    np.testing.assert_array_equal(back.bins, bins)
