"""What is gathered of a song: pitch, tempo, front end; in one pass, whatever the blocks."""

import numpy as np
import pytest

from songprint.audio.mel import log_mel
from songprint.descriptors.tonality import PITCH_CLASSES
from songprint.pieces.signals import click_track, sine
from songprint.views.signals import measure
from songprint.views.tempogram import tempos_bpm
from support.drawing import KINDS_OF_SIGNALS, RATE_HZ, noise


def test_only_what_is_asked_for_is_gathered():
    signals = measure([noise(1)], ["mel"])
    assert signals.seconds == 1
    assert signals.mel is not None
    gathered = [signals.envelope, signals.spectrum_dbfs, signals.spectrogram, signals.chroma]
    assert gathered == [None] * 4
    assert signals.tempogram is None


@pytest.mark.parametrize(("hz", "name"), [(440.0, "A"), (261.6, "C"), (1479.98, "F#")])
def test_a_tone_is_in_its_pitch_class(hz, name):
    chroma = measure([sine(hz, 3.0, RATE_HZ)], ["chroma"]).chroma.values
    inner = chroma[2:-2]
    assert set(inner.argmax(axis=1)) == {PITCH_CLASSES.index(name)}
    assert inner.max() == 1
    assert np.sort(inner, axis=1)[:, -2].max() < 0.5


def test_silence_has_no_pitch():
    assert not measure([np.zeros(RATE_HZ, np.float32)], ["chroma"]).chroma.values.any()


@pytest.mark.parametrize("bpm", [75.0, 120.0, 200.0])
def test_clicks_are_felt_at_their_tempo(bpm):
    clicks = click_track(bpm, 20.0, RATE_HZ)
    strengths = measure([clicks], ["tempogram"]).tempogram.values.mean(axis=0)
    assert strengths.max() > 0.5
    near = np.abs(np.log2(tempos_bpm() / bpm)) < 0.04
    assert strengths[near].max() > 0.9 * strengths.max()
    away = np.abs(np.log2(tempos_bpm() / (bpm * 0.75))) < 0.03
    assert strengths[away].max() < 0.3


def test_the_mel_bands_are_the_encoder_s_own_where_nothing_is_reduced():
    samples = noise(2)
    mel = measure([samples[:9000], samples[9000:]], ["mel"]).mel
    assert np.allclose(mel.values, log_mel(samples), atol=1e-4)


def test_the_same_is_gathered_whatever_the_blocks():
    samples = noise(9)
    whole = measure([samples], KINDS_OF_SIGNALS)
    parts = measure(np.split(samples, [1, 5000, 5001, 80_000]), KINDS_OF_SIGNALS)
    assert np.allclose(whole.spectrum_dbfs, parts.spectrum_dbfs, atol=1e-2)
    for kind in ("spectrogram", "mel", "chroma", "tempogram"):
        one, other = getattr(whole, kind), getattr(parts, kind)
        assert (one.start_seconds, one.end_seconds) == (other.start_seconds, other.end_seconds)
        assert np.allclose(one.values, other.values, atol=1e-2)


@pytest.mark.parametrize("n", [1, 255, 8_000, 100_000])
def test_any_length_gives_finite_numbers(n):
    signals = measure([noise(7)[:n]], KINDS_OF_SIGNALS)
    for kind in ("spectrogram", "mel", "chroma", "tempogram"):
        picture = getattr(signals, kind)
        assert 1 <= len(picture.values) <= 400
        assert np.isfinite(picture.values).all()
        assert picture.start_seconds <= 0 < picture.end_seconds
