"""Augmentations do to the power what they say, and keep windows valid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songprint.learn import augment

CHANGES = [
    augment.gain,
    augment.equalise,
    augment.limit_band,
    augment.add_noise,
    augment.change_pitch,
]


def window(seed=0, frames=187):
    return np.random.default_rng(seed).uniform(0, 4, (frames, 96)).astype(np.float32)


def test_power_and_log_are_inverse():
    np.testing.assert_allclose(augment.to_log(augment.to_power(window())), window(), atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(CHANGES), st.integers(0, 2**31))
def test_every_change_keeps_a_valid_window(change, seed):
    changed = augment.to_log(change(augment.to_power(window()), np.random.default_rng(seed)))
    assert changed.shape == (187, 96)
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()
    assert (changed >= 0).all()


def test_gain_is_the_same_everywhere():
    power = augment.to_power(window())
    ratio = augment.gain(power, np.random.default_rng(0)) / power
    assert ratio.max() == pytest.approx(ratio.min(), rel=1e-4)


def test_a_mix_adds_the_other_song_or_puts_it_in_some_bands():
    power, other = augment.to_power(window(1)), augment.to_power(window(2))
    kinds = set()
    for seed in range(30):
        mixed = augment.mix(power, other, np.random.default_rng(seed))
        changed = (mixed != power).any(axis=0)
        assert mixed.mean() <= 2.001 * max(power.mean(), other.mean())
        if (mixed >= power).all():
            kinds.add("added")
        elif changed.any() and not changed.all():
            kinds.add("in some bands")
            edges = np.diff(changed.astype(int))
            assert abs(edges).sum() <= 2
    assert kinds == {"added", "in some bands"}


def test_tempo_is_changed_by_interpolation():
    ramp = np.repeat(np.arange(217, dtype=np.float32)[:, None], 96, axis=1)
    changed = augment.change_tempo(ramp, 187, np.random.default_rng(3))
    steps = np.diff(changed[:, 0])
    assert changed.shape == (187, 96)
    assert steps.std() < 1e-3
    assert 0.86 < steps.mean() < 1.16


def test_limiting_the_band_silences_the_treble():
    power = np.ones((187, 96), np.float32)
    assert augment.limit_band(power, np.random.default_rng(0))[:, -1].max() <= 1e-3


def test_a_splice_is_at_each_moment_one_of_both_songs():
    power, other = augment.to_power(window(1)), augment.to_power(window(2))
    for seed in range(20):
        spliced = augment.splice(power, other, np.random.default_rng(seed))
        from_other = (spliced == other).all(axis=1)
        assert (spliced[~from_other] == power[~from_other]).all()
        assert 1 <= abs(np.diff(from_other.astype(int))).sum() + from_other[0] <= 3


def test_reversed_twice_is_as_it_was():
    power, rng = augment.to_power(window(1)), np.random.default_rng(0)
    backwards = augment.reverse(power, rng)
    assert (backwards[0] == power[-1]).all()
    assert (augment.reverse(backwards, rng) == power).all()
