"""The onset envelope: where the sound rises, and nowhere else, however the frames arrive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songprint.audio.mel import FRAMES_PER_SECOND, MEL_BANDS, log_mel
from songprint.descriptors.beat import onset_envelope
from songprint.descriptors.onsets import ONSET_CONTEXT_FRAMES, ONSET_DELAY_FRAMES, accents
from songprint.pieces import signals

RATE_HZ = 16_000
CLICKS = log_mel(signals.click_track(97.0, 12.0, RATE_HZ))


def test_has_a_value_a_frame_none_of_them_negative():
    envelope = onset_envelope(CLICKS)
    assert envelope.dtype == np.float32
    assert envelope.shape == (len(CLICKS),)
    assert envelope.min() == 0.0


def test_peaks_at_every_click_after_the_stated_delay():
    envelope = onset_envelope(CLICKS)
    clicks = np.arange(1, 18) * 60.0 / 97.0 * FRAMES_PER_SECOND
    for click in np.rint(clicks).astype(int) + ONSET_DELAY_FRAMES:
        around = envelope[click - 10 : click + 11]
        assert abs(int(around.argmax()) - 10) <= 1
        assert around.max() > 1.0


def test_a_stroke_counts_more_than_a_note_that_lasts():
    t = np.arange(RATE_HZ) / RATE_HZ
    # A soft attack: a tone that starts at once is a stroke as well.
    tone = 0.5 * np.sin(2 * np.pi * 220.0 * t) * np.clip((t - 0.5) / 0.03, 0.0, 1.0)
    stroke = tone * np.exp(-np.maximum(t - 0.53, 0.0) / 0.015)
    lasting, short = (onset_envelope(log_mel(x.astype(np.float32))) for x in (tone, stroke))
    assert 0.0 < 2.0 * lasting.max() < short.max()


@pytest.mark.parametrize("hz", [60.0, 440.0, 3000.0])
def test_a_steady_tone_has_no_onsets_but_its_first(hz):
    envelope = onset_envelope(log_mel(signals.sine(hz, 5.0, RATE_HZ)))
    assert envelope[ONSET_DELAY_FRAMES + 5 :].max() < 0.01


def test_silence_is_zero():
    assert not onset_envelope(log_mel(signals.silence(2.0, RATE_HZ))).any()


@settings(max_examples=30)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=8))
def test_pieces_with_the_context_of_the_one_before_give_the_envelope_of_the_whole(lengths):
    frames = CLICKS[: sum(lengths)]
    values, start = [], 0
    for length in lengths:
        context = min(start, ONSET_CONTEXT_FRAMES)
        values.append(onset_envelope(frames[start - context : start + length])[context:])
        start += length
    np.testing.assert_allclose(np.concatenate(values), onset_envelope(frames), atol=1e-6)


@pytest.mark.parametrize("frames", [0, 1, ONSET_CONTEXT_FRAMES, ONSET_CONTEXT_FRAMES + 1])
def test_a_few_frames_give_a_few_values(frames):
    assert onset_envelope(CLICKS[:frames]).shape == (frames,)


@pytest.mark.parametrize("shape", [(5,), (5, MEL_BANDS + 1)])
def test_frames_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="log-mel"):
        onset_envelope(np.zeros(shape, np.float32))


def test_accents_do_not_depend_on_the_level():
    envelope = onset_envelope(CLICKS)
    np.testing.assert_allclose(accents(envelope), accents(envelope * 7.0), atol=1e-3)
