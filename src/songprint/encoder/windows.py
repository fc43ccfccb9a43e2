"""How a song is cut into windows, and how its windows become one embedding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES, WINDOW_SECONDS

Frames = NDArray[np.float32]
Windows = NDArray[np.float32]

BATCH_WINDOWS = 4


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
