from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal as dsp

from songprint.errors import UsageError
from songprint.pieces import signals
from songprint.pieces.score import pitch_class

RATE = 16_000

ALL: dict[str, Callable[[], NDArray[np.float32]]] = {
    "click_track": lambda: signals.click_track(120.0, 3.0, RATE),
    "sine": lambda: signals.sine(440.0, 3.0, RATE),
    "white_noise": lambda: signals.white_noise(3.0, RATE),
    "pink_noise": lambda: signals.pink_noise(3.0, RATE),
    "silence": lambda: signals.silence(3.0, RATE),
    "cadence": lambda: signals.cadence("C", "major", RATE, chord_seconds=0.75, times=1),
    "speech_like": lambda: signals.speech_like(3.0, RATE),
}


def level_dbfs(x: NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(x.astype(np.float64) ** 2)))


def power_db(x: NDArray[np.float32], low_hz: float, high_hz: float) -> float:
    """Power between two frequencies."""
    hz, density = dsp.welch(x.astype(np.float64), RATE, nperseg=4096)
    inside = (hz >= low_hz) & (hz < high_hz)
    return float(10 * np.log10(density[inside].sum()))


@pytest.mark.parametrize("name", ALL)
def test_is_mono_float32_of_its_length_the_same_each_time_and_unclipped(name: str) -> None:
    x = ALL[name]()
    assert x.dtype == np.float32
    assert x.shape == (3 * RATE,)
    assert np.isfinite(x).all()
    assert np.abs(x).max() < 1.0
    assert x.tobytes() == ALL[name]().tobytes()


@pytest.mark.parametrize("bpm", [60.0, 97.3, 120.0, 201.0])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_clicks_start_exactly_on_the_beat_with_silence_between(bpm: float, rate: int) -> None:
    x = signals.click_track(bpm, 10.0, rate)
    sounding = np.flatnonzero(x)
    starts = sounding[np.concatenate([[True], np.diff(sounding) > 0.1 * rate])]
    expected = [round(k * 60.0 / bpm * rate) for k in range(int(10.0 * bpm / 60.0) + 1)]
    assert starts.tolist() == [start for start in expected if start < len(x)]


def test_every_fourth_click_is_accented_when_asked() -> None:
    x = np.abs(signals.click_track(120.0, 4.0, RATE, accent_every=4))
    peaks = [x[k * RATE // 2 : k * RATE // 2 + 400].max() for k in range(8)]
    assert peaks == pytest.approx([0.9, 0.6, 0.6, 0.6] * 2)


@pytest.mark.parametrize("bpm", [0.0, -60.0, 6000.0])
def test_an_impossible_tempo_is_refused(bpm: float) -> None:
    with pytest.raises(UsageError):
        signals.click_track(bpm, 1.0, RATE)


@pytest.mark.parametrize("hz", [55.0, 440.0, 3000.0])
def test_a_sine_has_its_frequency_and_level_and_nothing_else(hz: float) -> None:
    x = signals.sine(hz, 2.0, RATE, dbfs=-12.0)
    spectrum = np.abs(np.fft.rfft(x.astype(np.float64)))
    assert np.argmax(spectrum) == round(hz * 2.0)
    assert level_dbfs(x) == pytest.approx(-12.0, abs=1e-3)
    assert np.sort(spectrum)[-2] < 1e-4 * spectrum.max()


@pytest.mark.parametrize("make", [signals.white_noise, signals.pink_noise])
@pytest.mark.parametrize("dbfs", [-40.0, -20.0, -14.0])
def test_noise_has_exactly_the_level_asked_for(
    make: Callable[..., NDArray[np.float32]], dbfs: float
) -> None:
    assert level_dbfs(make(5.0, RATE, dbfs, 3)) == pytest.approx(dbfs, abs=1e-3)


@pytest.mark.parametrize("make", [signals.white_noise, signals.pink_noise, signals.speech_like])
def test_another_seed_gives_another_signal(make: Callable[..., NDArray[np.float32]]) -> None:
    one, other = make(2.0, RATE, seed=1), make(2.0, RATE, seed=2)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


def test_white_noise_doubles_its_power_with_every_octave_and_pink_keeps_it() -> None:
    white, pink = signals.white_noise(20.0, RATE), signals.pink_noise(20.0, RATE)
    for low in (250.0, 500.0, 1000.0, 2000.0):
        octave, next_octave = (low, 2 * low), (2 * low, 4 * low)
        assert power_db(white, *next_octave) - power_db(white, *octave) == pytest.approx(
            3.01, abs=0.5
        )
        assert power_db(pink, *next_octave) == pytest.approx(power_db(pink, *octave), abs=0.5)


def test_silence_is_zero() -> None:
    assert not signals.silence(1.0, RATE).any()


@pytest.mark.parametrize(("key", "mode"), [("C", "major"), ("Eb", "major"), ("A", "minor"),
                                           ("F#", "minor")])  # fmt: skip
def test_a_cadence_holds_the_pitch_classes_of_its_key(key: str, mode: str) -> None:
    x = signals.cadence(key, mode, RATE, times=1).astype(np.float64)
    hz = np.fft.rfftfreq(RATE, 1 / RATE)
    tonic = pitch_class(key)
    third = 4 if mode == "major" else 3
    triads = [(0, third, 7), (5, 5 + third, 12), (7, 11, 14), (0, third, 7)]
    for i, triad in enumerate(triads):
        spectrum = np.abs(np.fft.rfft(x[i * RATE : (i + 1) * RATE] * np.hanning(RATE)))
        heard = (hz > 110) & (hz < 500)
        classes = np.round(69 + 12 * np.log2(hz[heard] / 440.0)).astype(int) % 12
        strength = np.bincount(classes, weights=spectrum[heard] ** 2, minlength=12)
        assert set(np.argsort(strength)[-3:]) == {(tonic + step) % 12 for step in triad}


def test_a_cadence_has_its_level_and_length() -> None:
    x = signals.cadence("G", "major", RATE, chord_seconds=0.5, times=3, dbfs=-18.0)
    assert len(x) == 3 * 4 * RATE // 2
    assert level_dbfs(x) == pytest.approx(-18.0, abs=1e-3)


def test_an_unknown_mode_or_key_is_refused() -> None:
    with pytest.raises(UsageError, match="dorian"):
        signals.cadence("C", "dorian", RATE)
    with pytest.raises(UsageError, match="H"):
        signals.cadence("H", "major", RATE)


def test_speech_like_has_syllables_pauses_and_formants() -> None:
    x = signals.speech_like(20.0, RATE, seed=4)
    envelope = np.sqrt(np.mean(x.astype(np.float64).reshape(-1, 160) ** 2, axis=1))
    hz, density = dsp.welch(envelope - envelope.mean(), 100.0, nperseg=512)
    at_syllables = density[(hz > 2.5) & (hz < 8.0)].sum()
    assert at_syllables > 3 * density[(hz > 12.0) & (hz < 30.0)].sum()
    assert 0.03 < np.mean(envelope < 0.05 * envelope.max()) < 0.5
    assert power_db(x, 200, 1000) > power_db(x, 3000, 7500) + 6.0
    assert level_dbfs(x) == pytest.approx(-20.0, abs=1e-3)


@pytest.mark.parametrize(("seconds", "rate"), [(0.0, RATE), (-1.0, RATE), (1.0, 0)])
def test_a_signal_of_no_length_is_refused(seconds: float, rate: int) -> None:
    with pytest.raises(UsageError):
        signals.silence(seconds, rate)
