"""Spectral peaks: the points of a spectrogram that outlive noise, rooms, telephones and codecs.

A peak is a point that no other within some 55 Hz and 64 ms exceeds. Of all such points those are
kept, the same number every half second, that stand highest above their surroundings, as these are
heard longest when noise rises [1]_. A song keeps few, a clip that is to be identified many: where
they agree is what a recording has and chance has not.

The spectrum resolves 7.8 Hz, in windows of 128 ms: half of that loses a tenth of the peaks at a
signal-to-noise ratio of 5 dB, and twice that gains none (``docs/identify.md``).

References
----------
.. [1] A. Wang, "An industrial-strength audio search algorithm", ISMIR, 2003.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.audio.spectrum import power_spectra

PEAKS_VERSION = 1
"""Changes when the peaks of any song could; those of two versions are not compared."""

FFT_SAMPLES = 2048
SONG_HOP_SAMPLES = 512
CLIP_HOP_SAMPLES = 256
HZ_PER_BIN = SAMPLE_RATE_HZ / FFT_SAMPLES
FRAMES_PER_SECOND = SAMPLE_RATE_HZ / SONG_HOP_SAMPLES

LOWEST_BIN, HIGHEST_BIN = 16, 720
"""125 Hz to 5.6 kHz: what small loudspeakers and most codecs leave alone."""

BLOCK_SAMPLES = 16 * SONG_HOP_SAMPLES
"""Half a second, of which the highest peaks are kept."""

SONG_PEAKS_A_BLOCK = 11
CLIP_PEAKS_A_BLOCK = 36

QUIETEST_DBFS = -90.0

_REACH_BINS = 7
_REACH_SAMPLES = 1024
_BAND_BINS = 32
_LEVEL_WEIGHT = 0.3
"""How much a peak's level counts beside its height above its surroundings."""

_BATCH_BLOCKS = 8
"""Blocks analysed at once: their spectra stay in a core's cache."""

_FREQUENCY_BITS = 12
_STEPS_PER_BIN = 4

Samples = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Peaks:
    """Peaks in the order of time.

    Attributes
    ----------
    frames : ndarray [shape=(n,)]
        float32, when each is, in hops of a song's spectrogram, 31.25 a second.
    bins : ndarray [shape=(n,)]
        float32, its frequency in bins of 7.8 Hz, interpolated.
    """

    frames: NDArray[np.float32]
    bins: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.frames)

    @classmethod
    def none(cls) -> Peaks:
        """Return those of silence."""
        return cls(np.empty(0, np.float32), np.empty(0, np.float32))

    @classmethod
    def unpacked(cls, packed: NDArray[np.uint32]) -> Peaks:
        """Return what :meth:`packed` packed."""
        frames = packed >> np.uint32(_FREQUENCY_BITS)
        steps = packed & np.uint32((1 << _FREQUENCY_BITS) - 1)
        return cls(frames.astype(np.float32), steps.astype(np.float32) / np.float32(_STEPS_PER_BIN))

    def packed(self) -> NDArray[np.uint32]:
        """Return peaks of a song as uint32 [shape=(n,)], to a whole frame and a quarter of a bin.

        Twenty bits of time hold nine hours; no song is longer.
        """
        frames = np.rint(self.frames).astype(np.uint32)
        steps = np.rint(self.bins * _STEPS_PER_BIN).astype(np.uint32)
        packed: NDArray[np.uint32] = (frames << np.uint32(_FREQUENCY_BITS)) | steps
        return packed


def packed_frame(frame: float) -> int:
    """Return what the peaks of a frame are at least, packed; they are less than the next one's."""
    return round(frame) << _FREQUENCY_BITS


class PeakMeter:
    """Finds the peaks of a signal that arrives in pieces of any length.

    The result does not depend on how the signal is cut; memory grows by the peaks alone.

    Parameters
    ----------
    hop_samples : int
        Between spectra.
    peaks_a_block : int
        How many are kept of each half second.
    """

    def __init__(
        self, hop_samples: int = SONG_HOP_SAMPLES, peaks_a_block: int = SONG_PEAKS_A_BLOCK
    ) -> None:
        self._hop = hop_samples
        self._most = peaks_a_block
        self._reach = _REACH_SAMPLES // hop_samples
        self._batch_frames = _BATCH_BLOCKS * BLOCK_SAMPLES // hop_samples
        self._needed_samples = (
            self._batch_frames + 2 * self._reach - 1
        ) * hop_samples + FFT_SAMPLES
        self._frames_done = 0
        self._samples = 0
        # The first frame is centred on the first sample and preceded by empty ones.
        self._pending = np.zeros(FFT_SAMPLES // 2 + self._reach * hop_samples, np.float32)
        self._found: list[Peaks] = []

    def add(self, samples: Samples) -> None:
        """Hear the next mono samples at 16 kHz, full scale ±1 [shape=(n,)]."""
        self._samples += len(samples)
        self._analyse(np.concatenate([self._pending, samples]))

    def finish(self) -> Peaks:
        """Return all peaks; nothing may be added after."""
        while self._frames_done * self._hop < self._samples:
            missing = self._needed_samples - len(self._pending)
            self._analyse(np.concatenate([self._pending, np.zeros(missing, np.float32)]))
        found = [Peaks.none(), *self._found]
        return Peaks(*(np.concatenate([getattr(p, k) for p in found]) for k in ("frames", "bins")))

    def _analyse(self, samples: Samples) -> None:
        """Take all whole batches off some samples, and keep the rest for later."""
        start = 0
        while start + self._needed_samples <= len(samples):
            power = _power(samples[start : start + self._needed_samples], self._hop)
            frame, bins = _peaks(power, self._reach, BLOCK_SAMPLES // self._hop, self._most)
            frames = (frame + self._frames_done) * (self._hop / SONG_HOP_SAMPLES)
            self._found.append(Peaks(frames.astype(np.float32), bins))
            self._frames_done += self._batch_frames
            start += self._batch_frames * self._hop
        self._pending = samples[start:].copy()


def song_peaks(samples: Samples) -> Peaks:
    """Return the few peaks that are kept of a song [shape=(n,)]."""
    return _peaks_of(samples, SONG_HOP_SAMPLES, SONG_PEAKS_A_BLOCK)


def clip_peaks(samples: Samples) -> Peaks:
    """Return the many peaks of a clip that is to be identified [shape=(n,)]."""
    return _peaks_of(samples, CLIP_HOP_SAMPLES, CLIP_PEAKS_A_BLOCK)


def _peaks_of(samples: Samples, hop_samples: int, peaks_a_block: int) -> Peaks:
    meter = PeakMeter(hop_samples, peaks_a_block)
    meter.add(samples)
    return meter.finish()


@cache
def _window() -> Samples:
    """Hann window, scaled so that a full-scale sine's power is one."""
    phase = 2.0 * np.pi * np.arange(FFT_SAMPLES) / FFT_SAMPLES
    window = ((0.5 - 0.5 * np.cos(phase)) * (4.0 / FFT_SAMPLES)).astype(np.float32)
    window.setflags(write=False)
    return window


def _power(samples: Samples, hop_samples: int) -> NDArray[np.float32]:
    """Return power of the bins from ``LOWEST_BIN`` on, with a margin [shape=(frames, bins)]."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FFT_SAMPLES)[::hop_samples]
    return power_spectra(frames, _window(), LOWEST_BIN - _REACH_BINS, HIGHEST_BIN + _REACH_BINS)


def _peaks(
    power: NDArray[np.float32], reach: int, block_frames: int, most: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return the frames and bins of the peaks of whole blocks with `reach` frames around them."""
    inner = power[reach:-reach]
    floor = np.float32(10.0 ** (QUIETEST_DBFS / 10.0))
    highest = _running_maximum(_running_maximum(power, reach).T, _REACH_BINS).T
    here = inner[:, _REACH_BINS:-_REACH_BINS]
    # Few points are the highest; in one dimension they are found in half of the time.
    frame, place = divmod(np.flatnonzero(here == highest), here.shape[1])
    loud = here[frame, place] > floor
    frame, place = frame[loud], place[loud]
    before, at, after = (
        10.0 * np.log10(inner[frame, place + _REACH_BINS + k] + floor) for k in (-1, 0, 1)
    )
    block = frame // block_frames
    surroundings = _surroundings(here, block_frames)[block, place // _BAND_BINS]
    score = at - surroundings + _LEVEL_WEIGHT * at
    order = np.lexsort((-score, block))
    rank = np.arange(len(order)) - np.searchsorted(block[order], block[order])
    kept = np.sort(order[rank < most])
    # A parabola through the levels of a peak and its neighbours is its place between the bins.
    bent = np.minimum(before - 2.0 * at + after, -1e-6)[kept]
    shift = np.clip(0.5 * (before - after)[kept] / bent, -0.5, 0.5)
    return frame[kept], (LOWEST_BIN + place[kept] + shift).astype(np.float32)


def _surroundings(power: NDArray[np.float32], block_frames: int) -> NDArray[np.float32]:
    """Return the level of each block's bands of a quarter kilohertz [shape=(blocks, bands)]."""
    tiles = power.reshape(-1, block_frames, power.shape[1] // _BAND_BINS, _BAND_BINS)
    level: NDArray[np.float32] = 10.0 * np.log10(tiles.mean(axis=(1, 3)) + np.float32(1e-9))
    return level


def _running_maximum(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Return the maximum of each row and the `reach` ones on both sides; the ends fall away."""
    width = 2 * reach + 1
    covered = 1
    while covered < width:
        step = min(covered, width - covered)
        count = len(values) - step
        first, second = values[:count], values[step:]
        values = np.maximum(first, second)
        covered += step
    return values
