"""Cutting a song into windows, and pooling them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songprint.audio.mel import FRAMES_PER_SECOND, MEL_BANDS, WINDOW_FRAMES
from songprint.encoder.windows import (
    BATCH_WINDOWS,
    FEWEST_WINDOWS,
    count_windows,
    cover,
    cut_windows,
    pool_embeddings,
)


def numbered(n_frames):
    """Frames whose every value is the frame's number."""
    return np.repeat(np.arange(n_frames, dtype=np.float32)[:, None], MEL_BANDS, axis=1)


def first_and_last(n_frames, block=1000, batch=4):
    frames = numbered(n_frames)
    blocks = [frames[i : i + block] for i in range(0, n_frames, block)]
    batches = list(cut_windows(blocks, batch))
    assert all(1 <= len(b) <= batch for b in batches)
    windows = np.concatenate(batches)
    assert windows.shape[1:] == (WINDOW_FRAMES, MEL_BANDS)
    return [(int(w[0, 0]), int(w[-1, 0])) for w in windows]


def test_windows_lie_end_to_end():
    assert first_and_last(3 * WINDOW_FRAMES) == [(0, 186), (187, 373), (374, 560)]


def test_half_a_window_at_the_end_is_heard_with_what_came_before():
    assert first_and_last(2 * WINDOW_FRAMES + 94) == [(0, 186), (187, 373), (281, 467)]


def test_less_than_half_a_window_at_the_end_is_left():
    assert first_and_last(2 * WINDOW_FRAMES + 93) == [(0, 186), (187, 373)]


def test_a_short_clip_is_repeated():
    (window,) = np.concatenate(list(cut_windows([numbered(100)])))
    assert window[:, 0].tolist() == [*range(100), *range(87)]


def test_no_frames_give_no_windows():
    assert list(cut_windows([])) == []
    assert list(cut_windows([numbered(0)])) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12 * WINDOW_FRAMES), st.integers(1, 5 * WINDOW_FRAMES), st.integers(1, 5))
def test_windows_do_not_depend_on_blocks_or_batches(n_frames, block, batch):
    assert first_and_last(n_frames, block, batch) == first_and_last(n_frames, n_frames, 64)


def test_pooled_embedding_is_the_mean_of_unit_length():
    pooled = pool_embeddings(np.eye(4, dtype=np.float32)[:2])
    np.testing.assert_allclose(pooled, [0.5**0.5, 0.5**0.5, 0, 0], atol=1e-7)
    assert pooled.dtype == np.float32


def test_windows_that_cancel_out_still_have_a_direction():
    pooled = pool_embeddings(np.array([[1, 0], [-1, 0]], np.float32))
    assert np.linalg.norm(pooled) == pytest.approx(1)


def test_pooling_nothing_is_refused():
    with pytest.raises(ValueError, match="no window"):
        pool_embeddings(np.empty((0, 256), np.float32))


@pytest.mark.parametrize("frames", [1, 93, 187, 280, 281, 374, 1000, 1800])
def test_windows_are_counted_as_they_are_cut(frames):
    cut = sum(len(batch) for batch in cut_windows([numbered(frames)]))
    assert count_windows(frames / FRAMES_PER_SECOND) == cut


def covered(n_windows, step=3, batch=4):
    """Which windows of a song are heard, having checked that each is the one that is named."""
    frames = numbered(n_windows * WINDOW_FRAMES)
    places = []
    for heard, windows in cover(cut_windows([frames], batch), step):
        assert 1 <= len(heard) == len(windows) <= BATCH_WINDOWS
        assert (windows[:, 0, 0] == heard * WINDOW_FRAMES).all()
        places += heard.tolist()
    assert len(set(places)) == len(places)
    return sorted(places)


def test_a_third_of_a_long_song_is_heard():
    assert covered(90) == list(range(0, 90, 3))


def test_a_song_of_a_minute_is_heard_whole():
    assert covered(FEWEST_WINDOWS) == list(range(FEWEST_WINDOWS))
    assert covered(1) == [0]


def test_thorough_hearing_leaves_nothing_out():
    assert covered(90, step=1) == list(range(90))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 100), st.integers(1, 7))
def test_what_is_heard_is_enough_and_spread_over_the_song(n_windows, batch):
    places = covered(n_windows, batch=batch)
    assert len(places) == max(min(n_windows, FEWEST_WINDOWS), -(-n_windows // 3))
    assert np.diff(places).max(initial=1) <= 3
    assert places[0] == 0
    assert places[-1] >= n_windows - 3
