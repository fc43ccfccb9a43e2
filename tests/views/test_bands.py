"""Levels in bands: a sine shows its own, power adds up, and no block border is seen."""

import numpy as np
import pytest

from songprint.pieces.signals import pink_noise, sine
from songprint.views.bands import (
    BANDS_PER_OCTAVE,
    FLOOR_DBFS,
    LongTermSpectrum,
    Spectrogram,
    band_centres_hz,
)
from support.drawing import RATE_HZ, noise


def spectrum(samples):
    meter = LongTermSpectrum()
    for piece in np.split(samples, [len(samples) // 7, len(samples) // 3]):
        meter.add(piece)
    return meter.finish()


@pytest.mark.parametrize("hz", [100.0, 440.0, 443.3, 1000.0, 7000.0])
def test_a_sine_peaks_at_its_frequency_with_its_level(hz):
    bands, level = spectrum(sine(hz, 5.0, RATE_HZ, dbfs=-9.0))
    assert bands.max() == pytest.approx(-9, abs=0.1)
    assert level == pytest.approx(-9, abs=0.01)
    loudest = band_centres_hz()[bands > bands.max() - 1]
    assert np.sqrt(loudest[0] * loudest[-1]) == pytest.approx(hz, rel=0.01)
    assert loudest[-1] / loudest[0] < 2 ** (1.5 / BANDS_PER_OCTAVE)


def test_a_full_scale_square_wave_is_the_reference():
    samples = np.where(np.arange(5 * RATE_HZ) % 80 < 40, 1, -1).astype(np.float32)
    assert spectrum(samples)[1] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("n", [1, 100, 16_384, 50_001])
def test_the_level_is_that_of_all_samples(n):
    samples = noise(4)[:n]
    expected = 10 * np.log10(np.mean(samples.astype(float) ** 2))
    assert spectrum(samples)[1] == pytest.approx(expected, abs=1e-3)


def test_pink_noise_is_flat():
    bands, _ = spectrum(pink_noise(30.0, RATE_HZ))
    inner = bands[(band_centres_hz() > 100) & (band_centres_hz() < 7000)]
    assert np.ptp(np.convolve(inner, np.ones(24) / 24, "valid")) < 3


def test_a_spectrogram_has_the_power_of_the_spectrum_on_average():
    samples = noise(20)
    meter = Spectrogram(100)
    meter.add(samples)
    picture, start, end = meter.finish(50)
    assert picture.shape == (50, len(band_centres_hz()))
    mean = 10 * np.log10(np.mean(10 ** (picture / 10), axis=0))
    high = band_centres_hz() > 1000
    assert np.abs(mean - spectrum(samples)[0])[high].mean() < 0.5
    assert start == pytest.approx(0, abs=0.02)
    assert end == pytest.approx(20, abs=0.02)


def test_a_spectrogram_does_not_depend_on_the_blocks():
    samples = noise(3)
    pictures = []
    for cuts in ([], [1, 700, 20_000]):
        meter = Spectrogram(1000)
        for piece in np.split(samples, cuts):
            meter.add(piece)
        pictures.append(meter.finish(1000)[0])
    assert np.allclose(*pictures, atol=1e-3)


def test_a_click_is_in_the_spectrogram_of_an_hour():
    meter = Spectrogram(60)
    silence = np.zeros(RATE_HZ * 60, np.float32)
    for minute in range(60):
        silence[1234] = minute == 41
        meter.add(silence)
    picture, *_ = meter.finish(60)
    assert picture.max(axis=1).argmax() == 41
    assert np.median(picture) == FLOOR_DBFS


def test_silence_is_the_floor():
    bands, level = spectrum(np.zeros(RATE_HZ, np.float32))
    assert set(bands) == {FLOOR_DBFS}
    assert level == FLOOR_DBFS
