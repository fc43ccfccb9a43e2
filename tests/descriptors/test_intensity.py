"""Loudness as the standards' own test signals have it, on any rate and layout, in any pieces."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from songprint.audio.decode import stream
from songprint.descriptors.intensity import Intensity, IntensityMeter, channel_weights
from songprint.pieces import PIECES, signals

RATE = 48_000
STEREO = ("FL", "FR")
SURROUND_5_1 = ("FL", "FR", "FC", "LFE", "BL", "BR")


def measure(samples, rate=RATE, names=STEREO, piece=1 << 14) -> Intensity:
    """Measure ``[channels, n]`` in pieces of so many samples."""
    meter = IntensityMeter()
    for start in range(0, samples.shape[1], piece):
        meter.add(samples[:, start : start + piece], rate, names)
    return meter.finish()


def sine(peak_dbfs, seconds, hz=1000.0, rate=RATE):
    t = np.arange(round(seconds * rate)) / rate
    return (10 ** (peak_dbfs / 20) * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def steps(*levels_and_seconds, channels=2):
    """Return tones of 1 kHz one after the other, the same in all channels."""
    tone = np.concatenate([sine(level, seconds) for level, seconds in levels_and_seconds])
    return np.tile(tone, (channels, 1))


# --- loudness -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_a_full_scale_sine_of_997_hz_in_one_channel_has_minus_3_01_lufs(rate):
    tone = sine(0, 5, hz=997, rate=rate)
    assert measure(np.stack([tone, 0 * tone]), rate).loudness_lufs == pytest.approx(-3.01, abs=0.01)


TECH_3341 = {
    "1": ([(-23, 20)], -23.0),
    "2": ([(-33, 20)], -33.0),
    "3": ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
    "4": ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
    "5": ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
}


@pytest.mark.parametrize("case", TECH_3341)
def test_loudness_of_the_test_signals_of_ebu_tech_3341(case):
    tones, expected = TECH_3341[case]
    assert measure(steps(*tones)).loudness_lufs == pytest.approx(expected, abs=0.05)


def test_surround_test_signal_6_of_ebu_tech_3341():
    song = np.stack([sine(level, 20) for level in (-28, -28, -24, -30, -30)])
    names = ("FL", "FR", "FC", "SL", "SR")
    assert measure(song, names=names).loudness_lufs == pytest.approx(-23.0, abs=0.05)


def test_the_lfe_is_not_heard():
    tones = np.stack([sine(-30, 5)] * 6)
    loud = tones.copy()
    loud[3] = sine(0, 5, hz=40)
    assert measure(loud, names=SURROUND_5_1) == measure(tones, names=SURROUND_5_1)


@pytest.mark.parametrize(
    ("names", "weights"),
    [
        (("FC",), [1]),
        (STEREO, [1, 1]),
        (SURROUND_5_1, [1, 1, 1, 0, 1.41, 1.41]),
        (("FL", "FR", "FC", "LFE", "SL", "SR"), [1, 1, 1, 0, 1.41, 1.41]),
        (("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"), [1, 1, 1, 0, 1, 1, 1.41, 1.41]),
        (("LFE",), [1]),
    ],
)
def test_channels_weigh_what_the_standard_says(names, weights):
    np.testing.assert_allclose(channel_weights(names), weights)


@pytest.mark.parametrize(("hz", "gain_db"), [(38.135, -6.0), (100, -1.1), (1000, 0.69), (8000, 4)])
def test_k_weighting_is_the_standard_s_curve(hz, gain_db):
    """The gains of figures 2 and 4 of BS.1770-4 added up."""
    heard = measure(sine(-20, 5, hz=hz)[None], names=("FC",)).loudness_lufs
    assert heard == pytest.approx(-20 - 3.01 - 0.691 + gain_db, abs=0.1)


def filtered_lufs(samples):
    """K weighting as the standard writes it down, of one channel at 48 kHz, ungated."""
    shelf = [1.53512485958697, -2.69169619938640, 1.19839281085285]
    shelf += [1.0, -1.69065929318241, 0.73248077421585]
    high_pass = [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]
    weighted = scipy.signal.sosfilt([shelf, high_pass], samples.astype(np.float64))
    return -0.691 + 10 * np.log10(np.mean(weighted[RATE // 2 :] ** 2))


@pytest.mark.parametrize("hz", [50, 300, 2_000, 5_000, 8_000, 11_000, 14_250, 17_000, 23_000])
def test_tones_are_weighted_as_by_the_standard_s_filter(hz):
    tone = sine(-20, 5, hz=hz)
    heard = measure(tone[None], names=("FC",)).loudness_lufs
    assert heard == pytest.approx(filtered_lufs(tone), abs=0.03)


def test_white_noise_is_weighted_as_by_the_standard_s_filter():
    noise = signals.white_noise(10, RATE, -20).astype(np.float32)
    heard = measure(noise[None], names=("FC",)).loudness_lufs
    assert heard == pytest.approx(filtered_lufs(noise), abs=0.03)


def close_to_pyloudnorm(samples, rate, names):
    import pyloudnorm

    theirs = pyloudnorm.Meter(rate).integrated_loudness(samples.T.astype(np.float64))
    return measure(samples, rate, names).loudness_lufs == pytest.approx(theirs, abs=0.1)


@pytest.mark.parametrize("piece", PIECES[:6], ids=lambda piece: piece.name)
def test_loudness_is_pyloudnorm_s_on_our_pieces(piece):
    samples = np.ascontiguousarray(piece.render(sample_rate_hz=44_100).T, np.float32)
    assert close_to_pyloudnorm(samples, 44_100, STEREO)


@pytest.mark.parametrize("part", range(5))
def test_loudness_is_pyloudnorm_s_on_fifty_real_songs(shared_data: Path, part: int):
    songs = sorted(shared_data.glob("*/*.opus"))
    for path in songs[:: len(songs) // 50][part:50:5]:
        pieces = []
        for _ in stream(path, tap=lambda samples, *kind: pieces.append((samples.copy(), kind))):  # noqa: B023
            pass
        samples = np.concatenate([samples for samples, _ in pieces], axis=1)
        assert close_to_pyloudnorm(samples, *pieces[0][1]), path


def test_silence_has_no_loudness():
    heard = measure(np.zeros((2, 5 * RATE), np.float32))
    assert heard == Intensity(None, 0.0, 0.0, 0.0, -120.0)


def test_what_is_softer_than_minus_70_lufs_has_no_loudness():
    assert measure(steps((-80, 5))).loudness_lufs is None
    assert measure(steps((-60, 5))).loudness_lufs == pytest.approx(-60, abs=0.1)


def test_a_constant_offset_is_not_heard():
    song = steps((-40, 5))
    assert measure(song + np.float32(0.01)).loudness_lufs == pytest.approx(-40, abs=0.1)


# --- range and dynamics -------------------------------------------------------------------------

TECH_3342 = {
    "1": ([(-20, 20), (-30, 20)], 10),
    "2": ([(-20, 20), (-15, 20)], 5),
    "3": ([(-40, 20), (-20, 20)], 20),
    "4": ([(-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)], 15),
}


@pytest.mark.parametrize("case", TECH_3342)
def test_range_of_the_test_signals_of_ebu_tech_3342(case):
    tones, expected = TECH_3342[case]
    assert measure(steps(*tones)).loudness_range_lu == pytest.approx(expected, abs=0.1)


def test_the_range_grows_with_a_crescendo():
    noise = signals.white_noise(40, RATE, -10)
    ranges = []
    for decibels in (0, 6, 12, 18):
        gain = 10 ** (np.linspace(-decibels, 0, len(noise)) / 20)
        ranges.append(measure((noise * gain)[None].astype(np.float32), names=("FC",)))
    heard = [heard.loudness_range_lu for heard in ranges]
    # The 10th and 95th percentile of a ramp lie 85 % of it apart; its ends are 3 s shorter.
    np.testing.assert_allclose(heard, [0.85 * x * 37 / 40 for x in (0, 6, 12, 18)], atol=0.2)


def test_a_sine_has_a_crest_factor_of_3_decibels_and_no_dynamic_range():
    heard = measure(steps((-6, 10)))
    assert heard.crest_factor_db == pytest.approx(3.01, abs=0.01)
    assert heard.dynamic_range_db == pytest.approx(0, abs=0.01)
    assert heard.peak_dbfs == pytest.approx(-6, abs=0.01)


def test_dynamic_range_is_that_of_the_peaks_over_the_loudest_parts():
    song = steps((-20, 30), (-40, 30))
    for second in (2, 12):  # one peak alone would not count
        song[:, second * RATE] = 1.0
    heard = measure(song)
    assert heard.dynamic_range_db == pytest.approx(20, abs=0.1)
    assert heard.peak_dbfs == pytest.approx(0, abs=1e-6)
    assert heard.crest_factor_db == pytest.approx(26, abs=0.1)


@pytest.mark.parametrize("n", [1, 100, 4_799, 4_800, 4_801, 19_199])
def test_less_than_400_ms_has_no_loudness_but_a_peak(n):
    heard = measure(sine(-6, 1)[None, 100 : 100 + n], names=("FC",))
    assert heard.loudness_lufs is None
    assert heard.loudness_range_lu == 0.0
    assert -40 < heard.peak_dbfs <= -5.99
    assert np.isfinite([heard.crest_factor_db, heard.dynamic_range_db]).all()


def test_nothing_is_silence():
    assert IntensityMeter().finish() == Intensity(None, 0.0, 0.0, 0.0, -120.0)


# --- pieces -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def song():
    return np.ascontiguousarray(PIECES[1].render(sample_rate_hz=RATE).T[:, : 11 * RATE], np.float32)


@pytest.mark.parametrize("piece", [97, 4_801, 100_003])
def test_pieces_of_any_length_give_the_same_numbers(song, piece):
    assert measure(song, piece=piece) == measure(song, piece=song.shape[1])


def test_the_rate_and_the_channels_may_change(song):
    meter = IntensityMeter()
    meter.add(song[:, : 5 * RATE], RATE, STEREO)
    lower = song[:, 5 * RATE :: 2]
    meter.add(np.concatenate([lower, lower[:1] * 0]), RATE // 2, ("FL", "FR", "FC"))
    changed, whole = meter.finish(), measure(song)
    assert changed.loudness_lufs == pytest.approx(whole.loudness_lufs, abs=0.3)


def test_the_song_is_left_as_it_was(song):
    before = song.copy()
    measure(song)
    np.testing.assert_array_equal(song, before)


def test_memory_does_not_grow_with_samples():
    meter = IntensityMeter()
    piece = np.zeros((2, 8_000), np.float32)
    meter.add(piece, 8_000, STEREO)
    tracemalloc.start()
    try:
        for _ in range(3_600):
            meter.add(piece, 8_000, STEREO)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000  # the hour itself is 230 MB


def test_channels_without_names_are_refused():
    with pytest.raises(ValueError, match="channels"):
        IntensityMeter().add(np.zeros((2, 10), np.float32), RATE, ("FC",))
