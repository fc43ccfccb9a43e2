"""All descriptors of a song, measured while it streams by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import MEL_BANDS, SAMPLE_RATE_HZ, stream_log_mel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from songprint.descriptors.beat import Beat
    from songprint.descriptors.intensity import Intensity
    from songprint.descriptors.rhythm import Rhythm
    from songprint.descriptors.timbre import Timbre
    from songprint.descriptors.tonality import Tonality

Samples = NDArray[np.float32]
Frames = NDArray[np.float32]

_PIECE_SAMPLES = 10 * SAMPLE_RATE_HZ


@dataclass(frozen=True, eq=False)
class Descriptors:
    """What a listener can name in a song, as numbers.

    Attributes
    ----------
    beat : Beat
        Tempo, its alternatives and confidence, beat strength, beat times.
    intensity : Intensity
        Loudness, its range, dynamics, peak.
    rhythm : Rhythm
        Onset rate, pulse clarity, swing, pattern.
    timbre : Timbre
        Brightness, rolloff, flatness, percussiveness, roughness, stereo width.
    tonality : Tonality
        Key, mode, their confidence, chroma.
    """

    beat: Beat
    intensity: Intensity
    rhythm: Rhythm
    timbre: Timbre
    tonality: Tonality


class Listener:
    """Measures all descriptors of a song that arrives in pieces of any length.

    Memory grows by some hundred numbers for every second of the song, and by no sample.

    Parameters
    ----------
    native : bool
        Whether the file's own channels come too, by :meth:`add_channels`. If not, intensity is
        that of the mono samples, and there is no stereo width.
    """

    def __init__(self, *, native: bool = False) -> None:
        from songprint.descriptors.intensity import IntensityMeter
        from songprint.descriptors.timbre import TimbreMeter
        from songprint.descriptors.tonality import ChromaMeter

        self._native = native
        self._intensity = IntensityMeter()
        self._timbre = TimbreMeter()
        self._chroma = ChromaMeter()
        self._context = np.empty((0, MEL_BANDS), np.float32)
        self._envelope = [np.empty(0, np.float32)]

    def add_channels(self, samples: Samples, rate_hz: int, names: tuple[str, ...]) -> None:
        """Hear the next piece of the file's own channels: a tap for ``audio.decode.stream``.

        Parameters
        ----------
        samples : ndarray [shape=(channels, n)]
            Finite float32 samples, full scale ±1.
        rate_hz : int
            Their rate; it and the channels may change between pieces.
        names : tuple of str
            FFmpeg's name of each channel.

        Raises
        ------
        ValueError
            If the listener is not `native`, or there are not as many channels as names.
        """
        if not self._native:
            raise ValueError("this listener measures the mono samples")
        self._intensity.add(samples, rate_hz, names)
        self._timbre.add_channels(samples, names)

    def add(self, samples: Samples) -> None:
        """Hear the next mono samples at 16 kHz, full scale ±1 [shape=(n,)]."""
        self._timbre.add(samples)
        self._chroma.add(samples)
        if not self._native:
            self._intensity.add(samples[None], SAMPLE_RATE_HZ, ("FC",))

    def add_log_mel(self, frames: Frames) -> None:
        """Hear the next log-mel frames of the same samples, 62.5 a second [shape=(m, 96)]."""
        from songprint.descriptors.onsets import ONSET_CONTEXT_FRAMES, onset_envelope

        self._timbre.add_log_mel(frames)
        known = np.concatenate([self._context, frames])
        self._envelope.append(onset_envelope(known)[len(self._context) :])
        self._context = known[-ONSET_CONTEXT_FRAMES:].copy()

    def finish(self) -> Descriptors:
        """Return what was measured; nothing may be added after."""
        from songprint.descriptors.beat import analyse_beat
        from songprint.descriptors.rhythm import analyse_rhythm

        envelope = np.concatenate(self._envelope)
        beat = analyse_beat(envelope)
        return Descriptors(
            beat=beat,
            intensity=self._intensity.finish(),
            rhythm=analyse_rhythm(envelope, beat),
            timbre=self._timbre.finish(),
            tonality=self._chroma.finish(),
        )


def describe(samples: Samples) -> Descriptors:
    """Measure all descriptors of a whole mono signal.

    Parameters
    ----------
    samples : ndarray [shape=(n,)]
        Mono float32 samples at 16 kHz, full scale ±1.

    Returns
    -------
    Descriptors
        Loudness is that of one channel; `timbre.stereo_width` is None.

    Raises
    ------
    ValueError
        If `samples` is not a one-dimensional float32 array.
    """
    listener = Listener()

    def heard() -> Iterator[Samples]:
        for start in range(0, len(samples), _PIECE_SAMPLES):
            piece = samples[start : start + _PIECE_SAMPLES]
            yield piece
            listener.add(piece)

    for frames in stream_log_mel(heard()):
        listener.add_log_mel(frames)
    return listener.finish()
