"""All descriptors of a song at once, from a whole signal or as it streams by."""

from __future__ import annotations

import tracemalloc
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from songprint.audio.mel import log_mel
from songprint.descriptors.core import Descriptors, Listener, describe
from songprint.pieces import PIECES, signals

RATE = 16_000


@pytest.fixture(scope="module")
def song():
    """Half a minute of blues, in stereo."""
    return PIECES[0].render(sample_rate_hz=RATE)[: 30 * RATE].astype(np.float32)


@pytest.fixture(scope="module")
def mono(song):
    return np.ascontiguousarray(song.mean(axis=1))


@pytest.fixture(scope="module")
def heard(mono):
    return describe(mono)


def listen(mono, piece, frames, channels=None) -> Descriptors:
    listener = Listener(native=channels is not None)
    mel = log_mel(mono)
    if channels is not None:
        for start in range(0, channels.shape[1], piece):
            listener.add_channels(channels[:, start : start + piece], RATE, ("FL", "FR"))
    for start in range(0, len(mono), piece):
        listener.add(mono[start : start + piece])
    for start in range(0, len(mel), frames):
        listener.add_log_mel(mel[start : start + frames])
    return listener.finish()


def assert_same(one, other, name=""):
    if is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name), field.name)
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for first, second in zip(one, other, strict=True):
            assert_same(first, second, name)
    elif one is None or isinstance(one, str):
        assert one == other, name
    else:
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(("piece", "frames"), [(777, 3), (16_001, 61), (10**7, 10**7)])
def test_pieces_of_any_length_give_the_same_numbers(mono, heard, piece, frames):
    assert_same(listen(mono, piece, frames), heard)


def test_a_metronome_is_described():
    heard = describe(signals.click_track(120, 30, RATE))
    assert heard.beat.tempo_bpm == pytest.approx(120, rel=0.02)
    assert heard.rhythm.onset_rate_hz == pytest.approx(2, rel=0.05)
    assert heard.timbre.percussiveness > 0.85
    assert heard.tonality.key is None


def test_a_cadence_is_described():
    heard = describe(signals.cadence("Eb", "major", RATE, times=4))
    assert (heard.tonality.key, heard.tonality.mode) in {("D#", "major"), ("Eb", "major")}
    assert heard.timbre.percussiveness < 0.15
    assert heard.timbre.flatness < 0.01
    assert heard.intensity.loudness_lufs == pytest.approx(-18, abs=3)


def test_native_channels_decide_intensity_and_width(song, mono, heard):
    channels = np.ascontiguousarray(song.T)
    native = listen(mono, 5_000, 100, channels)
    assert native.timbre.stereo_width is not None
    assert 0 < native.timbre.stereo_width < 0.5
    assert native.intensity.loudness_lufs != heard.intensity.loudness_lufs
    assert heard.timbre.stereo_width is None
    assert_same(native.tonality, heard.tonality)
    assert_same(native.beat, heard.beat)


def test_silence_is_described_as_nothing():
    heard = describe(np.zeros(10 * RATE, np.float32))
    assert heard.beat.tempo_bpm is None
    assert heard.intensity.loudness_lufs is None
    assert heard.rhythm.swing is None
    assert heard.timbre.brightness_hz == 0.0
    assert heard.tonality.key is None
    assert heard.tonality.mode is None


@pytest.mark.parametrize("n", [1, 255, 257, 4_000, RATE])
def test_the_shortest_sounds_are_described(mono, n):
    heard = describe(mono[20_000 : 20_000 + n])
    assert heard.beat.tempo_bpm is None
    assert np.isfinite(heard.timbre.brightness_hz)
    assert np.isfinite(heard.tonality.chroma).all()


def test_memory_does_not_grow_with_samples():
    listener = Listener()
    samples, frames = np.zeros(RATE * 16, np.float32), np.zeros((1_000, 96), np.float32)
    listener.add(samples)
    listener.add_log_mel(frames)
    tracemalloc.start()
    try:
        for _ in range(60):
            listener.add(samples)
            listener.add_log_mel(frames)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept < 2_000_000  # the quarter of an hour itself is 61 MB


def test_a_listener_of_mono_samples_refuses_channels():
    with pytest.raises(ValueError, match="mono"):
        Listener().add_channels(np.zeros((2, 10), np.float32), RATE, ("FL", "FR"))


@pytest.mark.parametrize("samples", [np.zeros(10), np.zeros((2, 10), np.float32)])
def test_only_mono_float32_is_described(samples):
    with pytest.raises(ValueError, match="one-dimensional float32"):
        describe(samples)
