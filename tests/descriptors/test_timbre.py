"""Timbre of sounds whose timbre is known: tones, noise, clicks, chords, and pairs of channels."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from songprint.audio.decode import decode
from songprint.audio.mel import log_mel
from songprint.descriptors.timbre import Timbre, TimbreMeter
from songprint.pieces import signals

RATE = 16_000
FIELDS = ("brightness_hz", "rolloff_hz", "flatness", "percussiveness", "roughness")


def measure(samples, piece=10 * RATE, frames=625) -> Timbre:
    """Measure mono samples in pieces of so many samples and so many frames."""
    samples = np.asarray(samples, np.float32)
    meter = TimbreMeter()
    for start in range(0, len(samples), piece):
        meter.add(samples[start : start + piece])
    mel = log_mel(samples)
    for start in range(0, len(mel), frames):
        meter.add_log_mel(mel[start : start + frames])
    return meter.finish()


def tones(*hz, seconds=4, level=0.1):
    t = np.arange(round(seconds * RATE)) / RATE
    return sum(level * np.sin(2 * np.pi * f * t + i) for i, f in enumerate(hz))


def note(hz, seconds=4, partials=6):
    return sum(tones(k * hz, seconds=seconds, level=0.1 / k) for k in range(1, partials + 1))


def noise(seconds=10, seed=0):
    return np.random.default_rng(seed).standard_normal(seconds * RATE) * 0.1


# --- brightness, rolloff, flatness --------------------------------------------------------------


@pytest.mark.parametrize("hz", [110, 220, 440, 1000, 2500, 5000, 7000])
def test_a_sine_is_as_bright_as_its_frequency_and_not_flat(hz):
    heard = measure(tones(hz))
    assert heard.brightness_hz == pytest.approx(hz, rel=0.01, abs=4)
    assert heard.rolloff_hz == pytest.approx(hz, rel=0.045, abs=45)
    assert heard.flatness < 1e-3


def test_white_noise_is_flat_and_its_centroid_is_at_the_middle():
    heard = measure(noise())
    assert heard.flatness > 0.98
    assert heard.brightness_hz == pytest.approx(4000, rel=0.01)
    assert heard.rolloff_hz == pytest.approx(0.85 * 8000, rel=0.02)


def test_pink_noise_is_darker_and_less_flat_than_white():
    pink, white = measure(signals.pink_noise(10, RATE)), measure(noise())
    assert pink.brightness_hz < 0.75 * white.brightness_hz
    assert pink.flatness < 0.5 * white.flatness


def test_two_equal_tones_balance_halfway():
    assert measure(tones(1000, 3000)).brightness_hz == pytest.approx(2000, rel=0.1)


def test_spectrum_is_near_librosa_s_on_real_songs(shared_data):
    """Librosa's, frame by frame from 257 bins; ours from 96 bands and means over a second."""
    ratios = []
    for path in sorted((shared_data / "emotify").glob("*.opus"))[::40]:
        samples = decode(path)[: 30 * RATE]
        magnitude = np.abs(librosa.stft(samples, n_fft=512, hop_length=256))
        theirs = (
            librosa.feature.spectral_centroid(S=magnitude, sr=RATE).mean(),
            librosa.feature.spectral_rolloff(S=magnitude, sr=RATE).mean(),
        )
        heard = measure(samples)
        ratios.append(np.array([heard.brightness_hz, heard.rolloff_hz]) / theirs)
    assert np.median(ratios, axis=0) == pytest.approx([1.0, 1.0], abs=0.12)
    assert 0.75 < np.min(ratios) <= np.max(ratios) < 1.5


@pytest.mark.parametrize("gain", [1e-3, 0.1, 1.0])
def test_timbre_does_not_depend_on_level(gain):
    loud = tones(220, 277, 330) + 0.01 * noise(4)
    heard, quieter = measure(loud), measure(gain * loud)
    for field in FIELDS:
        assert getattr(quieter, field) == pytest.approx(getattr(heard, field), rel=0.05, abs=0.02)


def test_silence_around_a_song_changes_nothing():
    song = tones(440, 466)
    still = np.zeros(4 * RATE)
    heard, within = measure(song), measure(np.concatenate([still, song, still]))
    assert within.brightness_hz == pytest.approx(heard.brightness_hz, rel=0.1)
    assert within.roughness == pytest.approx(heard.roughness, abs=0.05)


# --- percussiveness -----------------------------------------------------------------------------


def drums(seconds=6):
    """A bass drum on every beat of 120 BPM, a snare on every second, a hi-hat on every half."""
    rng = np.random.default_rng(0)
    song = np.zeros(seconds * RATE)
    t = np.arange(4000) / RATE
    kick = np.sin(2 * np.pi * (50 * t + 1.8 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.12)
    snare = (rng.standard_normal(4000) + np.sin(2 * np.pi * 190 * t)) * np.exp(-t / 0.06)
    hat = 0.5 * rng.standard_normal(4000) * np.exp(-t / 0.025)
    for sound, first, every in ((kick, 0, 8000), (snare, 8000, 16_000), (hat, 0, 4000)):
        for start in range(first, len(song), every):
            song[start : start + 4000] += sound
    return 0.2 * song


def test_clicks_are_percussive_and_a_held_chord_is_not():
    assert measure(signals.click_track(120, 10, RATE)).percussiveness > 0.85
    assert measure(note(131) + note(165) + note(196)).percussiveness < 0.05
    assert measure(signals.cadence("C", "major", RATE)).percussiveness < 0.15


def test_percussiveness_grows_with_the_drums():
    chord = 0.7 * (note(131, 6) + note(165, 6) + note(196, 6))
    heard = [measure(chord + gain * drums()).percussiveness for gain in (0.1, 0.5, 1, 4)]
    assert heard == sorted(heard)
    assert heard[0] < 0.1
    assert heard[-1] > 0.7


def test_steady_noise_and_a_bass_are_not_percussive():
    assert measure(noise()).percussiveness < 0.1
    assert measure(note(55)).percussiveness < 0.05


def test_percussiveness_ranks_real_songs_as_librosa_s_hpss(shared_data):
    from scipy.stats import spearmanr

    ours, theirs = [], []
    for path in sorted((shared_data / "emotify").glob("*.opus"))[::16]:
        samples = decode(path)[: 20 * RATE]
        spectrum = librosa.stft(samples, n_fft=2048, hop_length=512)
        harmonic, percussive = (
            np.square(np.abs(x)).sum() for x in librosa.decompose.hpss(spectrum)
        )
        ours.append(measure(samples).percussiveness)
        theirs.append(percussive / (percussive + harmonic))
    assert spearmanr(ours, theirs).statistic > 0.75


# --- roughness ----------------------------------------------------------------------------------


def test_two_close_tones_are_rough_and_a_fifth_is_smooth():
    assert measure(tones(440, 466)).roughness == pytest.approx(0.5, abs=0.02)
    assert measure(tones(440, 660)).roughness < 0.02
    assert measure(tones(440)).roughness < 0.01


def test_roughness_orders_intervals_as_listeners_do():
    """Plomp and Levelt's experiment: minor second, tritone, fifth, octave, of complex tones."""
    ratios = {"minor second": 16 / 15, "tritone": 45 / 32, "fifth": 3 / 2, "octave": 2}
    heard = [measure(note(262) + note(262 * ratio)).roughness for ratio in ratios.values()]
    assert heard == sorted(heard, reverse=True)
    assert heard[0] > 3 * heard[1]


def test_the_roughest_distance_is_a_quarter_of_a_critical_band():
    distances = np.array([5, 10, 20, 30, 50, 80, 150])
    heard = [measure(tones(1000, 1000 + hz)).roughness for hz in distances]
    assert distances[np.argmax(heard)] == 30  # a critical band at 1 kHz has some 130 to 160 Hz


# --- stereo width -------------------------------------------------------------------------------


def width(left, right, names=("FL", "FR")):
    meter = TimbreMeter()
    samples = np.stack([left, right]).astype(np.float32)
    for start in range(0, samples.shape[1], 999):
        meter.add_channels(samples[:, start : start + 999], names)
    return meter.finish().stereo_width


def test_width_of_equal_opposite_and_unrelated_channels():
    left, right = noise(4), noise(4, seed=1)
    assert width(left, left) == pytest.approx(0, abs=1e-6)
    assert width(left, -left) == pytest.approx(1, abs=1e-6)
    assert width(left, right) == pytest.approx(0.5, abs=0.01)
    assert width(left, 0 * left) == pytest.approx(0.5, abs=1e-6)
    assert width(left, right, ("?", "?")) == pytest.approx(0.5, abs=0.01)


def test_mono_and_silence_have_no_width():
    meter = TimbreMeter()
    meter.add_channels(noise(1).astype(np.float32)[None], ("FC",))
    assert meter.finish().stereo_width is None
    assert width(np.zeros(100), np.zeros(100)) is None


def test_width_of_a_surround_mix_is_that_of_its_front():
    meter = TimbreMeter()
    left, right = noise(1), noise(1, seed=1)
    samples = np.stack([left, left, right, 10 * right, -10 * right])
    meter.add_channels(samples.astype(np.float32), ("FL", "FR", "FC", "BL", "BR"))
    assert meter.finish().stereo_width == pytest.approx(0, abs=1e-6)


# --- pieces and bad input -----------------------------------------------------------------------


@pytest.mark.parametrize(("piece", "frames"), [(1, 1), (777, 5), (4_096, 64), (10**6, 10**6)])
def test_pieces_of_any_length_give_the_same_numbers(piece, frames):
    song = np.concatenate([tones(220, 233), drums(3), noise(2)])[: 8 * RATE]
    song = song[: RATE * 2] if piece == 1 else song
    heard, whole = measure(song, piece, frames), measure(song)
    for field in FIELDS:
        assert getattr(heard, field) == pytest.approx(getattr(whole, field), rel=1e-6)


def test_silence_has_no_timbre():
    assert measure(np.zeros(5 * RATE)) == Timbre(0.0, 0.0, 0.0, 0.0, 0.0, None)
    assert TimbreMeter().finish() == Timbre(0.0, 0.0, 0.0, 0.0, 0.0, None)


@pytest.mark.parametrize("n", [1, 255, 256, 4_095, 16_383])
def test_the_shortest_sounds_have_a_timbre(n):
    heard = measure(tones(440)[100 : 100 + n])
    assert all(np.isfinite(getattr(heard, field)) for field in FIELDS)
    assert 0 < heard.brightness_hz < 8000
