"""Tempo and beats of sounds whose tempo and beats are known, and none where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from songprint.audio.mel import FRAMES_PER_SECOND, log_mel
from songprint.descriptors.beat import Beat, analyse_beat, onset_envelope
from songprint.pieces import PIECES, signals
from songprint.pieces.synth import fading, time_axis
from support.patterns import PATTERN_BY_NAME, Performance, perform, performances
from support.scoring import f_measure

RATE_HZ = 16_000
TOLERANCE = 0.02


def heard(samples: np.ndarray) -> Beat:
    return analyse_beat(onset_envelope(log_mel(samples.astype(np.float32))))


def is_tempo(found: float | None, true: float, tolerance: float = TOLERANCE) -> bool:
    return found is not None and abs(found / true - 1.0) <= tolerance


def is_flagged(beat: Beat, true: float) -> bool:
    candidates = [beat.tempo_bpm, *(other.bpm for other in beat.tempo_alternatives)]
    return any(is_tempo(bpm, true) for bpm in candidates)


def random_clicks(seconds: float, a_second: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    track = np.zeros(round(seconds * RATE_HZ))
    click = fading(200, RATE_HZ, 0.012) * np.cos(2 * np.pi * 1500.0 * time_axis(0.0125, RATE_HZ))
    for start in rng.integers(0, len(track) - 200, rng.poisson(a_second * seconds)):
        track[start : start + 200] += rng.uniform(0.3, 1.0) * click
    return 0.5 * track


# --- clicks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("bpm", range(50, 201, 5))
def test_a_metronome_has_its_tempo_to_half_a_per_cent_and_its_beats(bpm):
    beat = heard(signals.click_track(bpm, 20.0, RATE_HZ))
    assert is_tempo(beat.tempo_bpm, bpm, 0.005)
    assert f_measure(beat.beat_seconds, np.arange(0.0, 20.0, 60.0 / bpm)) >= 0.95


def test_beats_are_on_time_to_a_frame():
    beat = heard(signals.click_track(120.0, 20.0, RATE_HZ))
    late = beat.beat_seconds - np.round(beat.beat_seconds / 0.5) * 0.5
    assert np.abs(late).max() < 1.0 / FRAMES_PER_SECOND


# --- drums -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drums() -> list[tuple[Performance, Beat]]:
    return [(played, heard(played.samples)) for played in performances(6, seed=2)]


def test_patterns_have_their_tempo_or_flag_it(drums):
    flagged = [is_flagged(beat, played.tempo_bpm) for played, beat in drums]
    assert len(flagged) >= 60
    assert np.mean(flagged) >= 0.95


def test_most_patterns_have_their_tempo_in_the_first_place_and_sharp(drums):
    first = [is_tempo(beat.tempo_bpm, played.tempo_bpm, 0.005) for played, beat in drums]
    assert np.mean(first) >= 0.85


def test_beats_of_patterns_are_found(drums):
    scores = [
        (f_measure(beat.beat_seconds, played.beat_seconds), played, beat) for played, beat in drums
    ]
    right = [score for score, played, beat in scores if is_tempo(beat.tempo_bpm, played.tempo_bpm)]
    assert np.mean(right) >= 0.95


def test_few_alternatives_are_named(drums):
    assert np.mean([len(beat.tempo_alternatives) for _, beat in drums]) < 1.0


def test_a_bass_between_the_beats_does_not_move_them():
    played = perform(PATTERN_BY_NAME["house"], 124.0, bass=True, chords=True)
    assert f_measure(heard(played.samples).beat_seconds, played.beat_seconds) >= 0.95


def test_a_doubtful_octave_is_flagged_with_its_weight():
    beat = heard(perform(PATTERN_BY_NAME["drum and bass"], 170.0).samples)
    assert beat.tempo_bpm is not None
    ratios = {round(np.log2(other.bpm / beat.tempo_bpm)) for other in beat.tempo_alternatives}
    assert ratios & {-1, 1}
    assert beat.tempo_confidence < 0.8


@pytest.mark.parametrize("drift", [0.06, 0.2])
def test_beats_follow_a_tempo_that_drifts(drift):
    played = perform(PATTERN_BY_NAME["rock"], 104.0, 60.0, drift=drift, bass=True)
    beat = heard(played.samples)
    assert f_measure(beat.beat_seconds, played.beat_seconds) >= 0.95
    assert 104.0 < beat.tempo_bpm < 104.0 * (1.0 + drift)


def test_of_two_tempos_the_prevailing_is_reported_with_less_confidence():
    first, second = (perform(PATTERN_BY_NAME["rock"], bpm, s) for bpm, s in ((100, 48), (140, 30)))
    beat = heard(np.concatenate([first.samples, second.samples]))
    assert is_tempo(beat.tempo_bpm, 100.0)
    assert beat.tempo_confidence < heard(first.samples).tempo_confidence
    both = np.concatenate([first.beat_seconds, 48.0 + second.beat_seconds])
    assert f_measure(beat.beat_seconds, both) >= 0.95


def test_silence_before_and_after_has_no_beats():
    played = perform(PATTERN_BY_NAME["rock"], 100.0, 20.0)
    silence = np.zeros(10 * RATE_HZ)
    beat = heard(np.concatenate([silence, played.samples, silence]))
    assert is_tempo(beat.tempo_bpm, 100.0)
    assert beat.beat_seconds[0] > 9.5
    assert beat.beat_seconds[-1] < 30.5


def test_the_level_does_not_matter():
    samples = perform(PATTERN_BY_NAME["pop"], 112.0, 20.0).samples
    loud, soft = heard(samples), heard(0.1 * samples)
    assert soft.tempo_bpm == pytest.approx(loud.tempo_bpm, rel=1e-3)


def test_an_hour_has_one_tempo():
    envelope = onset_envelope(log_mel(signals.click_track(120.0, 60.0, RATE_HZ)))[:3750]
    assert is_tempo(analyse_beat(np.tile(envelope, 60)).tempo_bpm, 120.0)


# --- pieces ------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.name)
def test_pieces_have_their_tempo_if_they_have_a_beat(piece):
    beat = heard(piece.render(sample_rate_hz=RATE_HZ).mean(axis=1))
    if piece.has_beat:
        assert is_tempo(beat.tempo_bpm, piece.tempo_bpm)
    else:
        assert beat.tempo_bpm is None


# --- no beat -----------------------------------------------------------------------------------

NOT_MUSIC = {
    "white noise": lambda s, seed: signals.white_noise(s, RATE_HZ, seed=seed),
    "pink noise": lambda s, seed: signals.pink_noise(s, RATE_HZ, seed=seed),
    "speech": lambda s, seed: signals.speech_like(s, RATE_HZ, seed=seed),
    "random clicks": lambda s, seed: random_clicks(s, 4.0, seed),
    "a sine": lambda s, seed: signals.sine(110.0 * (seed + 1), s, RATE_HZ),
    "silence": lambda s, _: signals.silence(s, RATE_HZ),
}


@pytest.mark.parametrize("seconds", [5.0, 10.0, 30.0])
@pytest.mark.parametrize("name", NOT_MUSIC)
def test_what_has_no_beat_gets_no_tempo(name, seconds):
    for seed in range(4):
        beat = heard(NOT_MUSIC[name](seconds, seed))
        assert beat.tempo_bpm is None
        assert beat.tempo_alternatives == ()
        assert beat.tempo_confidence == 0.0
        assert beat.beat_strength == 0.0
        assert beat.beat_seconds.shape == (0,)


@pytest.mark.parametrize("frames", [0, 1, 7, 62, 249])
def test_too_short_has_no_tempo(frames):
    clicks = log_mel(signals.click_track(120.0, 5.0, RATE_HZ))[:frames]
    assert analyse_beat(onset_envelope(clicks)).tempo_bpm is None


def test_six_seconds_of_drums_are_enough():
    assert is_flagged(heard(perform(PATTERN_BY_NAME["disco"], 118.0, 6.0).samples), 118.0)


@pytest.mark.parametrize("envelope", [np.zeros((400, 2)), np.full(400, np.nan)])
def test_what_is_no_envelope_is_refused(envelope):
    with pytest.raises(ValueError, match="envelope"):
        analyse_beat(envelope.astype(np.float32))


# --- strength and confidence -------------------------------------------------------------------


def test_strength_falls_from_clicks_to_strings():
    chorale = next(piece for piece in PIECES if piece.name == "string-chorale")
    waltz = next(piece for piece in PIECES if piece.name == "piano-waltz")
    strengths = [
        heard(samples).beat_strength
        for samples in (
            signals.click_track(120.0, 10.0, RATE_HZ),
            perform(PATTERN_BY_NAME["disco"], 120.0, 10.0).samples,
            waltz.render(sample_rate_hz=RATE_HZ).mean(axis=1),
            chorale.render(sample_rate_hz=RATE_HZ).mean(axis=1),
        )
    ]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[0] > 0.95
    assert 0.0 < strengths[-1] < 0.2


def test_confidence_is_a_probability_that_the_alternatives_share(drums):
    for _, beat in drums:
        others = sum(other.weight for other in beat.tempo_alternatives)
        assert 0.0 < beat.tempo_confidence <= 1.0 / (1.0 + others) + 1e-9
        assert all(other.weight >= 0.05 for other in beat.tempo_alternatives)
