"""How a song is cut into windows, and how its windows become one embedding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES, WINDOW_SECONDS

Frames = NDArray[np.float32]
Windows = NDArray[np.float32]

BATCH_WINDOWS = 4

COVERAGE_STEP = 3
FEWEST_WINDOWS = 20
"""Song coverage: every third window is heard, and at least the twenty of a minute.

On songs of a minute, seven windows of twenty find the same genres and kin (docs/encoder.md).
"""


def cut_windows(blocks: Iterable[Frames], batch_windows: int = BATCH_WINDOWS) -> Iterator[Windows]:
    """Cut a stream of log-mel frames into windows that lie end to end.

    What is left at the end of a song counts if it is half a window or more: the last window then
    ends with the song and overlaps the one before. A song shorter than a window is repeated until
    it fills one, the published practice for short clips.

    Parameters
    ----------
    blocks : iterable of ndarray [shape=(m, 96)]
        Frames in order, in blocks of any length.
    batch_windows : int
        The most windows in one batch.

    Yields
    ------
    ndarray [shape=(n, 187, 96)]
        Batches of 1 to `batch_windows` windows; none for a stream without frames.
    """
    batch_frames = batch_windows * WINDOW_FRAMES
    pending = np.empty((0, MEL_BANDS), np.float32)
    last_window: Frames | None = None
    for block in blocks:
        pending = np.concatenate([pending, block]) if len(pending) else block
        while len(pending) >= batch_frames:
            yield _reshape(pending[:batch_frames])
            last_window = pending[batch_frames - WINDOW_FRAMES : batch_frames]
            pending = pending[batch_frames:]
    whole = len(pending) // WINDOW_FRAMES * WINDOW_FRAMES
    left = len(pending) - whole
    if last_window is not None:
        pending = np.concatenate([last_window, pending])
    windows = _reshape(pending[len(pending) - left - whole : len(pending) - left])
    if len(pending) >= WINDOW_FRAMES:
        if left >= WINDOW_FRAMES / 2:
            windows = np.concatenate([windows, pending[None, -WINDOW_FRAMES:]])
    elif left:
        windows = np.resize(pending, (1, WINDOW_FRAMES, MEL_BANDS))
    for start in range(0, len(windows), batch_windows):
        yield windows[start : start + batch_windows]


def cover(
    batches: Iterable[Windows], step: int = COVERAGE_STEP
) -> Iterator[tuple[NDArray[np.intp], Windows]]:
    """Choose which windows of a song are heard, evenly over it, before its length is known.

    One in `step` is passed on as it comes. The others are kept as long as the song might turn out
    so short that some of them are needed to make twenty.

    Parameters
    ----------
    batches : iterable of ndarray [shape=(n, 187, 96)]
        All windows of the song, in order, in batches of any size.
    step : int
        1 for all of them.

    Yields
    ------
    places : ndarray [shape=(m,)]
        Which windows of the song these are, from 0 on; not all in order.
    windows : ndarray [shape=(m, 187, 96)]
        Batches of 1 to `BATCH_WINDOWS` windows.
    """
    count = 0
    ready: list[tuple[int, Windows]] = []
    kept: list[tuple[int, Windows]] = []
    for window in (window for batch in batches for window in batch):
        if count % step == 0:
            ready.append((count, window))
        elif count < step * FEWEST_WINDOWS:
            kept.append((count, window))
        count += 1
        if len(ready) == BATCH_WINDOWS:
            yield _batch(ready)
            ready = []
    missing = min(count, FEWEST_WINDOWS) - -(-count // step)
    if missing > 0:
        ready += [kept[place] for place in np.linspace(0, len(kept) - 1, missing).astype(np.intp)]
    for start in range(0, len(ready), BATCH_WINDOWS):
        yield _batch(ready[start : start + BATCH_WINDOWS])


def _batch(windows: list[tuple[int, Windows]]) -> tuple[NDArray[np.intp], Windows]:
    return np.array([place for place, _ in windows]), np.stack([window for _, window in windows])


def count_windows(seconds: float) -> int:
    """Return into how many windows :func:`cut_windows` cuts a song of this length."""
    whole, left = divmod(seconds, WINDOW_SECONDS)
    return max(1, int(whole) + (left >= WINDOW_SECONDS / 2))


def _reshape(frames: Frames) -> Windows:
    return frames.reshape(-1, WINDOW_FRAMES, MEL_BANDS)


def pool_embeddings(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pool the embeddings of a song's windows into the song's.

    Parameters
    ----------
    embeddings : ndarray [shape=(n, d)]
        Unit-length window embeddings, n ≥ 1.

    Returns
    -------
    ndarray [shape=(d,)]
        Their mean, scaled to unit length.

    Raises
    ------
    ValueError
        If there is no window.
    """
    if len(embeddings) == 0:
        raise ValueError("no window to pool")
    mean = embeddings.mean(axis=0, dtype=np.float64)
    length = np.linalg.norm(mean)
    # Windows that cancel out have no direction in common; any of them will do.
    pooled: NDArray[np.float32] = embeddings[0] if length == 0 else (mean / length).astype("f4")
    return pooled
