"""A neural baseline of identify.py: the windows of songprint's own encoder, compared in sequence.

The encoder was trained to hear what kind of music it is, not which recording; this is what the
network that hears every song anyway would give for nothing. Windows of 3 s start every half second
in songs and in clips; the place at which the clip's windows are most alike, by the mean of their
cosines after the songs' own mean is taken away, is the guess.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import log_mel
from songprint.encoder.inference import Encoder
from songprint.encoder.windows import WINDOW_FRAMES

RATE_HZ = 16_000
HOP_FRAMES, FRAME_SAMPLES = 32, 256
BATCH = 64
LEAST_COSINE = 0.98
"""What one in two hundred clips of absent songs reaches."""

Samples = NDArray[np.float32]


class EncoderWindows:
    """The windows of all songs.

    Parameters
    ----------
    songs : dict of int to ndarray
        Samples at 16 kHz.
    """

    def __init__(self, songs: dict[int, Samples]) -> None:
        self._encoder = Encoder()
        self._names = list(songs)
        found = [self._embeddings(samples) for samples in songs.values()]
        self._starts = np.cumsum([0, *map(len, found)])
        everything = np.concatenate(found)
        self._mean = everything.mean(axis=0)
        self._rows = self._centred(everything)

    def _centred(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        centred = embeddings - self._mean
        unit: NDArray[np.float32] = centred / np.linalg.norm(centred, axis=1, keepdims=True)
        return unit

    def _embeddings(self, samples: Samples) -> NDArray[np.float32]:
        frames = log_mel(samples)
        if len(frames) < WINDOW_FRAMES:
            return np.empty((0, 256), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(frames, WINDOW_FRAMES, axis=0)
        windows = windows[::HOP_FRAMES].transpose(0, 2, 1)
        batches = [
            self._encoder.encode(np.ascontiguousarray(windows[start : start + BATCH])).embeddings
            for start in range(0, len(windows), BATCH)
        ]
        return np.concatenate(batches)

    def ask(self, clip: Samples) -> tuple[int | None, float, float, bool]:
        """Return a song, where the clip starts in it, the cosine, and whether it is enough."""
        asked = self._embeddings(clip)
        if not len(asked):
            return None, 0.0, 0.0, False
        cosines = self._rows @ self._centred(asked).T
        count = len(cosines) - len(asked) + 1
        likeness = np.mean([cosines[k : k + count, k] for k in range(len(asked))], axis=0)
        for start in self._starts[1:-1]:  # a clip is from one song
            likeness[max(0, start - len(asked) + 1) : start] = -1.0
        row = int(likeness.argmax())
        song = int(np.searchsorted(self._starts, row, side="right")) - 1
        seconds = (row - self._starts[song]) * HOP_FRAMES * FRAME_SAMPLES / RATE_HZ
        best = float(likeness[row])
        return self._names[song], float(seconds), best, best >= LEAST_COSINE
