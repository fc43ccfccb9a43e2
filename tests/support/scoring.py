"""How well beats were found, as the field counts it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW_SECONDS = 0.07


def f_measure(
    found: NDArray[np.float64], true: NDArray[np.float64], window: float = WINDOW_SECONDS
) -> float:
    """Return the harmonic mean of precision and recall, each beat matched once within a window.

    As in S. Dixon, "Evaluation of the audio beat tracking system BeatRoot", JNMR 36(1), 2007.
    """
    i = j = hits = 0
    while i < len(found) and j < len(true):
        if abs(found[i] - true[j]) <= window:
            hits, i, j = hits + 1, i + 1, j + 1
        elif found[i] < true[j]:
            i += 1
        else:
            j += 1
    return 2.0 * hits / max(len(found) + len(true), 1)
