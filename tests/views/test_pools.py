"""Reduction in time: every sample counts, however long the song and however it comes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.views.pools import EnvelopePool, MeanPool

lengths = st.integers(1, 5000)
seeds = st.integers(0, 2**32 - 1)


def in_pieces(values, seed):
    cuts = np.sort(np.random.default_rng(seed).integers(0, len(values) + 1, 5))
    return np.split(values, cuts)


@given(lengths, seeds)
def test_means_keep_the_sum_whatever_the_length(n, seed):
    values = np.random.default_rng(seed).random((n, 3)).astype(np.float32)
    pool = MeanPool(16)
    for piece in in_pieces(values, seed):
        pool.add(piece)
    columns = pool.columns_of(10)
    assert columns.shape == (min(n, 10), 3)
    assert columns.mean(axis=0) == pytest.approx(values.mean(axis=0), rel=1e-4)


def test_a_short_stream_is_not_reduced():
    values = np.arange(7, dtype=np.float32)[:, None]
    pool = MeanPool(16)
    pool.add(values)
    assert np.array_equal(pool.columns_of(10), values)


def test_columns_are_means_of_equal_stretches():
    pool = MeanPool(16)
    pool.add(np.repeat([1.0, 5.0], 512)[:, None])
    assert pool.columns_of(4)[:, 0].tolist() == [1, 1, 5, 5]


@given(lengths, seeds)
def test_an_envelope_never_loses_a_peak_of_one_sample(n, seed):
    at = seed % n
    samples = np.zeros(n, np.float32)
    samples[at] = -0.9
    pool = EnvelopePool(16)
    for piece in in_pieces(samples, seed):
        pool.add(piece)
    low, high, _ = pool.columns_of(10)
    assert low.min() == np.float32(-0.9)
    assert high.max() == (0 if n > 1 else np.float32(-0.9))
    width = n / len(low)
    columns = np.flatnonzero(low < 0)
    assert columns[0] * width <= at + 1
    assert at < (columns[-1] + 1) * width + 1


@given(lengths, seeds)
def test_the_mean_square_of_an_envelope_is_that_of_the_samples(n, seed):
    samples = np.random.default_rng(seed).standard_normal(n).astype(np.float32)
    pool = EnvelopePool(16)
    pool.add(samples)
    *_, rms = pool.columns_of(10)
    assert np.mean(rms**2) == pytest.approx(np.mean(samples**2), rel=1e-3)


def test_memory_does_not_grow_with_the_song():
    pool = MeanPool(16)
    pool.add(np.ones((100_000, 2)))
    assert pool._sums.shape == (32, 2)


def test_nothing_has_no_columns():
    assert len(MeanPool(16).columns_of(10)) == 0
    assert [len(part) for part in EnvelopePool(16).columns_of(10)] == [0, 0, 0]
