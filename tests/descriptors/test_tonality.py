"""The key of cadences in every key, timbre and tuning, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songprint.descriptors.tonality import PITCH_CLASSES, ChromaMeter, Tonality
from songprint.pieces import PIECES, signals
from songprint.pieces import instruments as play
from songprint.pieces.score import frequency_hz, pitch_class
from support.harmony import KEYS, VOICES, cadence
from support.patterns import PATTERNS, perform

RATE_HZ = 16_000


def heard(samples: np.ndarray) -> Tonality:
    meter = ChromaMeter()
    meter.add(samples.astype(np.float32))
    return meter.finish()


# --- keys --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "mode"), KEYS)
def test_a_cadence_settles_its_key(key, mode):
    tonality = heard(signals.cadence(key, mode, RATE_HZ))
    assert (tonality.key, tonality.mode) == (key, mode)
    assert tonality.key_confidence > 0.7


@pytest.mark.parametrize("drums", [False, True], ids=["alone", "with drums"])
@pytest.mark.parametrize("voice", VOICES)
def test_every_key_is_heard_in_every_timbre(voice, drums):
    for key, mode in KEYS:
        tonality = heard(cadence(key, mode, VOICES[voice], drums=drums))
        assert (tonality.key, tonality.mode) == (key, mode)


@pytest.mark.parametrize("cents", [-40.0, -31.8, 20.0, 40.0])
def test_the_tuning_does_not_matter(cents):
    for key, mode in (("E", "major"), ("A#", "minor")):
        tonality = heard(cadence(key, mode, play.piano, cents=cents))
        assert (tonality.key, tonality.mode) == (key, mode)


@pytest.mark.parametrize("hz", [6_135.0, 6_520.0, 6_891.0])
def test_what_is_too_high_for_a_pitch_is_not_heard_as_a_low_one(hz):
    """At half of the sampling rate these tones alias to A#, F# and C#, which are not in the key."""
    song = signals.cadence("C", "major", RATE_HZ)
    with_tone = song + signals.sine(hz, len(song) / RATE_HZ, RATE_HZ)[: len(song)]
    np.testing.assert_allclose(heard(with_tone).chroma, heard(song).chroma, atol=0.02)


def test_the_level_does_not_matter():
    samples = cadence("D", "minor", play.organ)
    loud, soft = heard(samples), heard(0.03 * samples)
    np.testing.assert_allclose(loud.chroma, soft.chroma, atol=0.01)
    assert (soft.key, soft.mode) == ("D", "minor")


def test_pieces_have_their_key_or_none_is_sure():
    right, sure = 0, 0
    for piece in PIECES:
        tonality = heard(piece.render(sample_rate_hz=RATE_HZ).mean(axis=1))
        sure += tonality.key is not None
        right += (tonality.key, tonality.mode) == (
            PITCH_CLASSES[pitch_class(piece.key)],
            piece.mode,
        )
    assert right == sure
    assert sure >= 11


# --- no key ------------------------------------------------------------------------------------

NO_KEY = {
    "white noise": lambda: signals.white_noise(20.0, RATE_HZ),
    "pink noise": lambda: signals.pink_noise(20.0, RATE_HZ),
    "speech": lambda: signals.speech_like(20.0, RATE_HZ),
    "silence": lambda: signals.silence(5.0, RATE_HZ),
    "a sine": lambda: signals.sine(440.0, 20.0, RATE_HZ),
    "a click track": lambda: signals.click_track(120.0, 20.0, RATE_HZ),
}


@pytest.mark.parametrize("name", NO_KEY)
def test_what_has_no_key_gets_none(name):
    tonality = heard(NO_KEY[name]())
    assert tonality.key is None
    assert tonality.mode is None
    assert tonality.key_confidence < 0.35


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_drums_alone_have_no_key(pattern):
    for bpm in (pattern.slowest_bpm, pattern.fastest_bpm):
        assert heard(perform(pattern, bpm, 20.0).samples).key is None


def test_all_twelve_notes_alike_have_no_key():
    rng = np.random.default_rng(0)
    sounds = [play.piano(frequency_hz(60 + step), 0.5, RATE_HZ, rng) for step in range(12)]
    longest = max(map(len, sounds))
    row = [np.pad(x / np.abs(x).max(), (0, longest - len(x))) for x in sounds]
    assert heard(0.5 * np.concatenate(row * 3)).key is None


# --- chroma ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["C", "F#", "A"])
def test_chroma_has_c_first_and_sums_to_one(name):
    hz = frequency_hz(60 + PITCH_CLASSES.index(name))
    chroma = heard(signals.sine(hz, 5.0, RATE_HZ)).chroma
    assert chroma.dtype == np.float32
    assert chroma.shape == (12,)
    assert chroma.sum() == pytest.approx(1.0, abs=1e-6)
    assert PITCH_CLASSES[int(chroma.argmax())] == name
    assert chroma.max() > 0.7


def test_chroma_of_silence_is_even():
    np.testing.assert_allclose(heard(signals.silence(3.0, RATE_HZ)).chroma, 1 / 12, atol=1e-7)


# --- streaming ---------------------------------------------------------------------------------

SONG = cadence("G", "major", play.electric_piano, times=3)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=8))
def test_blocks_of_any_length_give_the_same_to_the_bit(lengths):
    whole = heard(SONG)
    meter = ChromaMeter()
    for block in np.split(SONG, np.minimum(np.cumsum(lengths), len(SONG))):
        meter.add(block)
    tonality = meter.finish()
    assert tonality.chroma.tobytes() == whole.chroma.tobytes()
    assert tonality.key_confidence == whole.key_confidence


def test_finishing_early_does_not_change_the_end():
    meter = ChromaMeter()
    half = len(SONG) // 2
    meter.add(SONG[:half])
    early = meter.finish()
    meter.add(SONG[half:])
    assert early.chroma.tobytes() == heard(SONG[:half]).chroma.tobytes()
    assert meter.finish().chroma.tobytes() == heard(SONG).chroma.tobytes()


def test_the_caller_may_use_its_block_again():
    meter = ChromaMeter()
    block = SONG[:30_000].copy()
    meter.add(block)
    block[:] = 0.0
    assert meter.finish().chroma.tobytes() == heard(SONG[:30_000]).chroma.tobytes()


@pytest.mark.parametrize("samples", [0, 1, 100, 8_191, 8_192, 20_000])
def test_a_few_samples_are_enough_for_a_chroma(samples):
    chroma = heard(SONG[:samples]).chroma
    assert chroma.sum() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("block", [np.zeros((2, 10), np.float32), np.zeros(10)])
def test_what_is_no_block_is_refused(block):
    with pytest.raises(ValueError, match="float32"):
        ChromaMeter().add(block)
