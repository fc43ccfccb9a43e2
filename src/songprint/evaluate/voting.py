"""From what is thought of windows to what is said of a song.

Three ways: judge the mean of the windows' embeddings (what songprint does), average what is judged
of each window, or let each window cast one vote (the founder's way).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songprint.encoder.windows import pool_embeddings

Judge = Callable[[NDArray[Any]], NDArray[np.float64]]
"""Maps embeddings [shape=(n, d)] to probabilities [shape=(n, C)]."""

Probabilities = NDArray[np.float64]


def validate(windows: NDArray[np.float32]) -> None:
    """Check window embeddings [shape=(n, d)], n ≥ 1.

    Raises
    ------
    ValueError
        If they are something else.
    """
    if windows.ndim != 2 or len(windows) == 0:
        raise ValueError(f"windows have shape {windows.shape}, not [n, d] with n of 1 or more")


def judge_pooled(windows: NDArray[np.float32], judge: Judge) -> Probabilities:
    """Return what is judged of the song embedding of `windows` [shape=(n, d)], [shape=(C,)]."""
    validate(windows)
    probabilities: Probabilities = judge(pool_embeddings(windows)[None])[0]
    return probabilities


def mean_judgement(windows: NDArray[np.float32], judge: Judge) -> Probabilities:
    """Return the mean of what is judged of each of `windows` [shape=(n, d)], [shape=(C,)]."""
    validate(windows)
    mean: Probabilities = judge(windows).mean(axis=0)
    return mean


def majority(windows: NDArray[np.float32], judge: Judge) -> Probabilities:
    """Return each class's share of the votes of `windows` [shape=(n, d)], [shape=(C,)]."""
    validate(windows)
    judged = judge(windows)
    votes: Probabilities = np.bincount(judged.argmax(axis=1), minlength=judged.shape[1]) / len(
        judged
    )
    return votes


WAYS: dict[str, Callable[[NDArray[np.float32], Judge], Probabilities]] = {
    "mean of embeddings": judge_pooled,
    "mean of window probabilities": mean_judgement,
    "majority of windows": majority,
}
