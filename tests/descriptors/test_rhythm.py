"""Onset rate, pulse clarity, swing and pattern of rhythms that are known."""

from __future__ import annotations

import numpy as np
import pytest

from songprint.audio.mel import log_mel
from songprint.descriptors.beat import analyse_beat, onset_envelope
from songprint.descriptors.rhythm import PATTERN_SIZE, Rhythm, analyse_rhythm
from songprint.pieces import PIECES, signals
from support.patterns import PATTERN_BY_NAME, Pattern, perform

RATE_HZ = 16_000
FOUR = ("waltz", "swing", "disco", "reggae")


def heard(samples: np.ndarray) -> Rhythm:
    envelope = onset_envelope(log_mel(samples.astype(np.float32)))
    return analyse_rhythm(envelope, analyse_beat(envelope))


def strokes_a_second(pattern: Pattern, bpm: float) -> float:
    places = {place for beats in pattern.strokes.values() for place in beats}
    return len(places) / pattern.beats * bpm / 60.0


# --- onsets and pulse --------------------------------------------------------------------------


@pytest.mark.parametrize("bpm", [60.0, 120.0, 200.0])
def test_a_metronome_has_an_onset_a_click(bpm):
    rhythm = heard(signals.click_track(bpm, 20.0, RATE_HZ))
    # The first click, with nothing before it, is no rise, and the last may be cut off.
    assert rhythm.onset_rate_hz == pytest.approx(bpm / 60.0, abs=2.5 / 20.0)


@pytest.mark.parametrize("name", ["rock", "pop", "disco", "swing", "shuffle", "bossa", "motown"])
def test_drums_have_an_onset_a_stroke(name):
    pattern = PATTERN_BY_NAME[name]
    rhythm = heard(perform(pattern, 110.0, 20.0, fills=False).samples)
    assert rhythm.onset_rate_hz == pytest.approx(strokes_a_second(pattern, 110.0), rel=0.15)


def test_a_tone_and_silence_have_no_onsets():
    assert heard(signals.sine(440.0, 10.0, RATE_HZ)).onset_rate_hz < 0.2
    assert heard(signals.silence(10.0, RATE_HZ)).onset_rate_hz == 0.0


def test_the_pulse_is_clear_in_clicks_less_so_in_strings_and_not_in_noise():
    chorale = next(piece for piece in PIECES if piece.name == "string-chorale")
    clarity = [
        heard(samples).pulse_clarity
        for samples in (
            signals.click_track(100.0, 20.0, RATE_HZ),
            perform(PATTERN_BY_NAME["rock"], 100.0, 20.0, bass=True).samples,
            chorale.render(sample_rate_hz=RATE_HZ).mean(axis=1),
            signals.pink_noise(20.0, RATE_HZ),
        )
    ]
    assert clarity == sorted(clarity, reverse=True)
    assert clarity[0] > 0.9
    assert clarity[-1] < 0.2


@pytest.mark.parametrize("make", [signals.silence, lambda s, r: signals.sine(440.0, s, r)])
def test_a_tone_and_silence_have_no_pulse_and_no_pattern(make):
    rhythm = heard(make(20.0, RATE_HZ))
    assert rhythm.pulse_clarity == 0.0
    assert not rhythm.pattern.any()
    assert rhythm.swing is None


# --- swing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("bpm", [80.0, 110.0, 150.0])
@pytest.mark.parametrize(("offbeat", "swing"), [(0.5, 0.0), (0.58, 0.48), (0.62, 0.72), (0.667, 1)])
def test_swing_is_where_the_notes_off_the_beat_fall(bpm, offbeat, swing):
    played = perform(PATTERN_BY_NAME["disco"], bpm, 24.0, swing=offbeat, bass=True)
    assert heard(played.samples).swing == pytest.approx(swing, abs=0.15)


@pytest.mark.parametrize("piece", [p for p in PIECES if p.name in ("jazz-trio", "blues-shuffle")])
def test_jazz_and_shuffle_swing(piece):
    swing = heard(piece.render(sample_rate_hz=RATE_HZ).mean(axis=1)).swing
    assert swing == pytest.approx((piece.swing - 0.5) * 6.0, abs=0.15)


@pytest.mark.parametrize("piece", [p for p in PIECES if p.name in ("rock-backbeat", "pop-chorus")])
def test_rock_and_pop_are_straight(piece):
    assert heard(piece.render(sample_rate_hz=RATE_HZ).mean(axis=1)).swing < 0.1


def test_without_notes_off_the_beat_nothing_tells_of_swing():
    assert heard(signals.click_track(100.0, 20.0, RATE_HZ)).swing is None
    assert heard(perform(PATTERN_BY_NAME["waltz"], 110.0, fills=False).samples).swing is None


def test_noise_does_not_swing():
    assert heard(signals.white_noise(20.0, RATE_HZ)).swing is None


# --- pattern -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def patterns() -> dict[tuple[str, int], np.ndarray]:
    names = (*FOUR, "rock", "bossa", "house")
    return {
        (name, bpm): heard(perform(PATTERN_BY_NAME[name], bpm, 30.0, seed=bpm).samples).pattern
        for name in names
        for bpm in (90, 130)
    }


def test_a_pattern_is_of_unit_length_and_float32(patterns):
    for pattern in patterns.values():
        assert pattern.dtype == np.float32
        assert pattern.shape == (PATTERN_SIZE,)
        assert np.linalg.norm(pattern) == pytest.approx(1.0, abs=1e-5)


def test_a_rhythm_is_the_same_at_90_and_130_bpm(patterns):
    for name, bpm in patterns:
        if bpm == 90:
            assert patterns[name, 90] @ patterns[name, 130] > 0.9, name


def test_waltz_swing_disco_and_reggae_lie_apart(patterns):
    for name in FOUR:
        own = patterns[name, 90] @ patterns[name, 130]
        others = [patterns[name, 90] @ patterns[other, 130] for other in FOUR if other != name]
        assert max(others) < own, name
        assert np.mean(others) < 0.9, name


def test_the_pattern_needs_no_tempo():
    envelope = onset_envelope(log_mel(perform(PATTERN_BY_NAME["bossa"], 120.0).samples))
    none = analyse_beat(np.zeros(0, np.float32))
    np.testing.assert_array_equal(
        analyse_rhythm(envelope, none).pattern,
        analyse_rhythm(envelope, analyse_beat(envelope)).pattern,
    )


# --- edges -------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [0, 1, 30, 249])
def test_too_short_has_no_rhythm(frames):
    envelope = onset_envelope(log_mel(signals.click_track(120.0, 5.0, RATE_HZ)))[:frames]
    rhythm = analyse_rhythm(envelope, analyse_beat(envelope))
    assert (rhythm.onset_rate_hz, rhythm.pulse_clarity, rhythm.swing) == (0.0, 0.0, None)
    assert rhythm.pattern.tolist() == [0.0] * PATTERN_SIZE


@pytest.mark.parametrize("seconds", [4.1, 7.0, 17.0])
def test_short_songs_have_a_pattern(seconds):
    rhythm = heard(perform(PATTERN_BY_NAME["rock"], 120.0, seconds).samples)
    assert np.linalg.norm(rhythm.pattern) == pytest.approx(1.0, abs=1e-5)


def test_what_is_no_envelope_is_refused():
    none = analyse_beat(np.zeros(0, np.float32))
    with pytest.raises(ValueError, match="envelope"):
        analyse_rhythm(np.full(400, np.inf, np.float32), none)
