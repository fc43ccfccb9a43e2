"""The front end is librosa's, to 1e-4, however the signal arrives."""

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songprint.audio.mel import (
    FFT_SAMPLES,
    HOP_SAMPLES,
    MEL_BANDS,
    SAMPLE_RATE_HZ,
    hz_to_mel,
    log_mel,
    mel_filterbank,
    mel_to_hz,
    stream_log_mel,
)

GOLDEN_TOLERANCE = 1e-4


def librosa_log_mel(samples):
    power = librosa.feature.melspectrogram(
        y=samples,
        sr=SAMPLE_RATE_HZ,
        n_fft=FFT_SAMPLES,
        hop_length=HOP_SAMPLES,
        n_mels=MEL_BANDS,
        fmin=0,
        fmax=SAMPLE_RATE_HZ / 2,
        power=2.0,
    )
    return np.log10(1 + 10_000 * power).T


def noise(n_samples, seed=0, level=0.1):
    return (np.random.default_rng(seed).standard_normal(n_samples) * level).astype(np.float32)


def sweep(seconds=3):
    t = np.arange(seconds * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    return (0.5 * np.sin(2 * np.pi * (50 + 1300 * t) * t)).astype(np.float32)


@pytest.mark.parametrize(
    "samples",
    [noise(40_000), noise(5_000, level=1e-4), noise(1_000), sweep(), noise(256 * 40)],
    ids=["noise", "soft noise", "short", "sweep", "whole hops"],
)
def test_equals_librosa(samples):
    ours, theirs = log_mel(samples), librosa_log_mel(samples)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < GOLDEN_TOLERANCE


def test_filterbank_equals_librosas():
    theirs = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=FFT_SAMPLES, n_mels=MEL_BANDS).T
    np.testing.assert_allclose(mel_filterbank(), theirs, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=8), st.integers(0, 2**31))
def test_blocks_of_any_length_give_the_frames_of_the_whole(lengths, seed):
    samples = noise(sum(lengths), seed)
    blocks = np.split(samples, np.cumsum(lengths)[:-1])
    streamed = np.concatenate(list(stream_log_mel(blocks)))
    np.testing.assert_allclose(streamed, log_mel(samples), atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5_000))
def test_there_is_a_frame_every_hop_and_one_more(n_samples):
    assert log_mel(noise(n_samples)).shape == (1 + n_samples // HOP_SAMPLES, MEL_BANDS)


def test_no_samples_give_no_frames():
    assert log_mel(np.empty(0, np.float32)).shape == (0, MEL_BANDS)


def test_silence_is_zero():
    assert not log_mel(np.zeros(10_000, np.float32)).any()


def test_a_sine_is_loudest_in_its_own_band():
    t = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    frames = log_mel(np.sin(2 * np.pi * 1000 * t).astype(np.float32))
    band_hz = mel_to_hz(np.linspace(0, hz_to_mel(np.array([8000.0]))[0], MEL_BANDS + 2))[1:-1]
    assert band_hz[frames[10:-10].mean(axis=0).argmax()] == pytest.approx(1000, abs=40)


def test_mel_scale_inverts():
    hz = np.linspace(0, 8000, 333)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz)), hz, atol=1e-9)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((2, 100), np.float32), np.zeros(100, np.float64), np.zeros(100, np.int16)],
    ids=["stereo", "float64", "int16"],
)
def test_other_arrays_are_refused(wrong):
    with pytest.raises(ValueError, match="one-dimensional float32"):
        log_mel(wrong)
