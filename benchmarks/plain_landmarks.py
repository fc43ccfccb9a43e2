"""The baseline of identify.py: landmarks as in Wang's paper of 2003, and nothing else.

The same peaks of songs and of clips, from a spectrogram of 64 ms windows every 32 ms; each is
paired with the next five within two seconds and half a kilohertz; equal pairs vote for a difference
in time, and the song with the highest bar of the histogram is told if it has enough votes.

References
----------
.. [1] A. Wang, "An industrial-strength audio search algorithm", ISMIR, 2003.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.ndimage import maximum_filter

RATE_HZ = 16_000
FFT_SAMPLES, HOP_SAMPLES = 1024, 512
PEAKS_A_SECOND = 20
FAN_OUT = 5
MOST_FRAMES, MOST_BINS = 63, 31
LEAST_VOTES = 15
"""What one in two hundred clips of absent songs reaches."""

Samples = NDArray[np.float32]


class PlainLandmarks:
    """An index of landmarks.

    Parameters
    ----------
    songs : dict of int to ndarray
        Samples at 16 kHz.
    """

    def __init__(self, songs: dict[int, Samples]) -> None:
        self._names = np.array(list(songs))
        hashes, places, starts = [], [], [0]
        for samples in songs.values():
            values, frames = landmarks(samples)
            hashes.append(values)
            places.append(frames + starts[-1])
            starts.append(starts[-1] + len(samples) // HOP_SAMPLES + 1000)
        order = np.argsort(np.concatenate(hashes), kind="stable")
        self._hashes = np.concatenate(hashes)[order]
        self._places = np.concatenate(places)[order]
        self._starts = np.array(starts)

    def ask(self, clip: Samples) -> tuple[int | None, float, float, bool]:
        """Return a song, where the clip starts in it, its votes, and whether they are enough."""
        values, frames = landmarks(clip)
        first = np.searchsorted(self._hashes, values)
        counts = np.searchsorted(self._hashes, values, side="right") - first
        if not counts.sum():
            return None, 0.0, 0.0, False
        rows = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        offsets, votes = np.unique(
            self._places[rows] - np.repeat(frames, counts), return_counts=True
        )
        offset = int(offsets[votes.argmax()])
        song = int(np.searchsorted(self._starts, offset + 3, side="right")) - 1
        seconds = (offset - self._starts[song]) * HOP_SAMPLES / RATE_HZ
        most = int(votes.max())
        return int(self._names[song]), float(seconds), float(most), most >= LEAST_VOTES


def landmarks(samples: Samples) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return values of landmarks, and their frames."""
    padded = np.pad(samples, FFT_SAMPLES // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT_SAMPLES)[::HOP_SAMPLES]
    level = 20 * np.log10(np.abs(rfft(windows * np.hanning(FFT_SAMPLES), axis=1)) + 1e-6)
    frame, place = np.nonzero((level == maximum_filter(level, (7, 21))) & (level > -60))
    loudest = np.argsort(-level[frame, place])
    loudest = loudest[: int(PEAKS_A_SECOND * len(samples) / RATE_HZ)]
    kept = np.sort(loudest)
    frame, place = frame[kept], place[kept]
    values, frames = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    counts = np.zeros(len(frame), np.int64)
    for step in range(1, min(len(frame), 60)):
        later = frame[step:] - frame[:-step]
        higher = place[step:] - place[:-step]
        near = (later > 0) & (later <= MOST_FRAMES) & (np.abs(higher) <= MOST_BINS)
        near &= counts[:-step] < FAN_OUT
        pairs = np.flatnonzero(near)
        counts[pairs] += 1
        values.append((place[pairs] << 12) | ((higher[pairs] + 32) << 6) | later[pairs])
        frames.append(frame[pairs])
    return np.concatenate(values), np.concatenate(frames)
