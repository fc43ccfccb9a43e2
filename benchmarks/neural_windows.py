"""The windows of a trained network as a fingerprint, compared in sequence (Chang et al. 2021).

A song keeps a fingerprint of a second, in bytes, every 0.512 s; a clip makes one every 0.128 s, and
each is compared with that of the song which lies nearest if the clip starts at a place: the place
with the highest mean cosine is the guess.

References
----------
.. [1] S. Chang et al., "Neural audio fingerprint for high-specific audio retrieval based on
       contrastive learning", ICASSP 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import HOP_SAMPLES, MEL_BANDS, SAMPLE_RATE_HZ, log_mel
from songprint.learn.identity import HOP_FRAMES, WINDOW_FRAMES

PHASES = 4
CLIP_HOP_FRAMES = HOP_FRAMES // PHASES
SECONDS_A_FRAME = HOP_SAMPLES / SAMPLE_RATE_HZ
BYTES_TO_ONE = 254
"""A component of a fingerprint of unit length is below a half."""

BATCH = 64
TOLD_APART_SECONDS = 1.0

Samples = NDArray[np.float32]
Prints = NDArray[np.float32]


@dataclass(frozen=True)
class Place:
    """Where a clip may start, and how like it is there."""

    song: int
    seconds: float
    cosine: float


class NeuralWindows:
    """The fingerprints of all songs.

    Parameters
    ----------
    network : Path
        From `songprint.learn.identity.export`.
    songs : dict of int to ndarray
        Samples at 16 kHz.
    """

    def __init__(self, network: Path, songs: dict[int, Samples]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            network, options, providers=["CPUExecutionProvider"]
        )
        self._names = list(songs)
        found = [self.song_prints(log_mel(samples)) for samples in songs.values()]
        self._starts = np.cumsum([0, *map(len, found)])
        self._rows = np.concatenate(found).astype(np.float32) / BYTES_TO_ONE
        self.bytes_a_second = self._rows.shape[1] / HOP_FRAMES / SECONDS_A_FRAME

    def song_prints(self, frames: Prints) -> NDArray[np.int8]:
        """Return what a song of so many log-mel frames keeps [shape=(n, size)]."""
        padded = np.pad(frames, ((0, WINDOW_FRAMES), (0, 0)))[: len(frames) + HOP_FRAMES]
        bytes_ = np.rint(self._prints(padded, HOP_FRAMES) * BYTES_TO_ONE)
        return np.clip(bytes_, -127, 127).astype(np.int8)

    def _prints(self, frames: Prints, hop: int) -> Prints:
        if len(frames) < WINDOW_FRAMES:
            frames = np.pad(frames, ((0, WINDOW_FRAMES - len(frames)), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(frames, (WINDOW_FRAMES, MEL_BANDS))
        windows = windows[::hop, 0]
        return np.concatenate(
            [
                self._session.run(None, {"windows": np.ascontiguousarray(some)})[0]
                for some in np.split(windows, range(BATCH, len(windows), BATCH))
            ]
        )

    def likeness(self, clip: Samples) -> Prints:
        """Return the mean cosine if the clip starts in a quarter of a row [shape=(4, rows)].

        Where it would end in another song, as far as the song goes.
        """
        asked = self._prints(log_mel(clip), CLIP_HOP_FRAMES)
        cosines = asked @ self._rows.T
        count = cosines.shape[1]
        sums = np.zeros((PHASES, count), np.float32)
        heard = np.zeros((PHASES, count), np.float32)
        # How many rows are left of the song from each on: what lies beyond is not compared.
        left = np.repeat(self._starts[1:], np.diff(self._starts)) - np.arange(count)
        for phase in range(PHASES):
            for number, row in enumerate(cosines):
                later = (phase + number + PHASES // 2) // PHASES
                inside = left[: count - later] > later
                sums[phase, : count - later] += np.where(inside, row[later:], 0)
                heard[phase, : count - later] += inside
        enough = heard >= 0.9 * len(asked)
        return np.where(enough, sums / np.maximum(heard, 1), -1.0)

    def places(self, likeness: Prints, count: int) -> list[Place]:
        """Return the places most like a clip, best first."""
        found: list[Place] = []
        flat = likeness.T.ravel()  # by time
        for cell in np.argsort(-flat)[: 50 * count].tolist():
            row, phase = divmod(cell, PHASES)
            song = int(np.searchsorted(self._starts, row, side="right")) - 1
            frames = (row - self._starts[song]) * HOP_FRAMES + phase * CLIP_HOP_FRAMES
            place = Place(self._names[song], float(frames * SECONDS_A_FRAME), float(flat[cell]))
            if not any(
                place.song == other.song and abs(place.seconds - other.seconds) < TOLD_APART_SECONDS
                for other in found
            ):
                found.append(place)
            if len(found) == count:
                break
        return found

    def cosine_at(self, likeness: Prints, song: int, seconds: float) -> float:
        """Return how like a clip is to a place of a song."""
        number = self._names.index(song)
        cell = round(seconds / SECONDS_A_FRAME / CLIP_HOP_FRAMES)
        first, last = self._starts[number : number + 2] * PHASES
        return float(likeness.T.ravel()[first:last][min(max(cell, 0), last - first - 1)])
