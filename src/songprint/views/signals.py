"""What the panels of a song are drawn from, gathered in one pass and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import FRAMES_PER_SECOND, LOG_GAIN, SAMPLE_RATE_HZ, stream_log_mel
from songprint.descriptors.onsets import ONSET_CONTEXT_FRAMES, onset_envelope
from songprint.views.bands import LongTermSpectrum, Spectrogram
from songprint.views.chroma import Chroma
from songprint.views.pools import EnvelopePool, MeanPool
from songprint.views.tempogram import tempogram

COLUMNS = 400
"""Columns of a panel: about one a pixel, so that nothing is lost once more in drawing."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Picture:
    """Something along a song.

    Attributes
    ----------
    values : ndarray [shape=(m, d)]
        One row for each of equal stretches of time.
    start_seconds, end_seconds : float
        What they span.
    """

    values: Floats
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, eq=False)
class Envelope:
    """A waveform, reduced; each array [shape=(m,)] over equal stretches of the song.

    Attributes
    ----------
    low, high : ndarray
        The least and the greatest sample.
    rms : ndarray
        Root mean square.
    """

    low: Floats
    high: Floats
    rms: Floats


@dataclass(frozen=True, eq=False)
class Signals:
    """A song's signals, reduced to what a figure shows; those not asked for are none.

    Attributes
    ----------
    seconds : float
        Duration of the song.
    envelope : Envelope or None
        Of the samples, full scale ±1.
    spectrum_dbfs : ndarray [shape=(b,)] or None
        Mean power in the bands of :func:`songprint.views.bands.band_centres_hz`.
    level_dbfs : float or None
        Mean power of the song; comes with the spectrum.
    spectrogram : Picture or None
        dBFS in the same bands.
    mel : Picture or None
        What the encoder hears, ``log10(1 + 10000 * mel)``, averaged in power.
    chroma : Picture or None
        Strength of the pitch classes, 0 to 1.
    tempogram : Picture or None
        Autocorrelation of the onsets at :func:`songprint.views.tempogram.tempos_bpm`.
    """

    seconds: float
    envelope: Envelope | None = None
    spectrum_dbfs: Floats | None = None
    level_dbfs: float | None = None
    spectrogram: Picture | None = None
    mel: Picture | None = None
    chroma: Picture | None = None
    tempogram: Picture | None = None


class _Meter(Protocol):
    def add(self, block: Floats, /) -> None: ...


class SignalMeter:
    """Gathers what the panels of a song need, from samples and frames that arrive in pieces.

    Memory does not depend on the song's length, but for 225 kB an hour if the tempogram is asked
    for.

    Parameters
    ----------
    kinds : collection of str
        Of ``songprint.views.kinds.KINDS``; those that need no samples are passed over.
    columns : int
        The most columns of anything along the song.
    """

    def __init__(self, kinds: Collection[str], columns: int = COLUMNS) -> None:
        self._columns = columns
        self._samples = 0
        self._envelope = EnvelopePool(columns) if "waveform" in kinds else None
        self._spectrum = LongTermSpectrum() if "spectrum" in kinds else None
        self._spectrogram = Spectrogram(columns) if "spectrogram" in kinds else None
        self._chroma = Chroma(columns) if "chroma" in kinds else None
        meters: list[_Meter | None] = [
            self._envelope, self._spectrum, self._spectrogram, self._chroma
        ]  # fmt: skip
        self._meters = [meter for meter in meters if meter is not None]
        self._kinds = frozenset(kinds)
        self._front_end = _FrontEnd(columns) if self.needs_log_mel else None

    @property
    def needs_log_mel(self) -> bool:
        """Whether anything is drawn from the log-mel frames."""
        return bool({"mel", "tempogram"} & self._kinds)

    def add(self, samples: Floats) -> None:
        """Take the next mono samples at 16 kHz [shape=(n,)]."""
        self._samples += len(samples)
        for meter in self._meters:
            meter.add(samples)

    def add_log_mel(self, frames: Floats) -> None:
        """Take the next log-mel frames of :func:`songprint.audio.mel.stream_log_mel`."""
        if self._front_end:
            self._front_end.add(frames)

    def finish(self) -> Signals:
        """Return what was gathered; nothing may be added after."""
        columns, front_end = self._columns, self._front_end
        bands, level = self._spectrum.finish() if self._spectrum else (None, None)
        envelope, spectrogram, chroma = self._envelope, self._spectrogram, self._chroma
        wants = self._kinds.__contains__
        return Signals(
            seconds=self._samples / SAMPLE_RATE_HZ,
            envelope=Envelope(*envelope.columns_of(columns)) if envelope else None,
            spectrum_dbfs=bands,
            level_dbfs=level,
            spectrogram=Picture(*spectrogram.finish(columns)) if spectrogram else None,
            mel=front_end.mel(columns) if front_end and wants("mel") else None,
            chroma=Picture(*chroma.finish(columns)) if chroma else None,
            tempogram=front_end.tempogram(columns) if front_end and wants("tempogram") else None,
        )


def measure(blocks: Iterable[Floats], kinds: Collection[str], columns: int = COLUMNS) -> Signals:
    """Gather what the panels of a song need, and nothing else of it.

    Parameters
    ----------
    blocks : iterable of ndarray [shape=(n,)]
        Mono float32 samples at 16 kHz.
    kinds, columns
        As of :class:`SignalMeter`.
    """
    meter = SignalMeter(kinds, columns)
    passing = _tapped(blocks, meter.add)
    for frames in stream_log_mel(passing) if meter.needs_log_mel else passing:
        if meter.needs_log_mel:
            meter.add_log_mel(frames)
    return meter.finish()


def _tapped(blocks: Iterable[Floats], tap: Callable[[Floats], None]) -> Iterator[Floats]:
    for block in blocks:
        tap(block)
        yield block


class _FrontEnd:
    """Pools the encoder's own frames, and keeps their onsets."""

    def __init__(self, columns: int) -> None:
        self._pool = MeanPool(columns)
        self._before: Floats | None = None
        self._onsets: list[Floats] = []

    def add(self, frames: Floats) -> None:
        if len(frames) == 0:
            return
        self._pool.add((10 ** frames.astype(np.float64) - 1) / LOG_GAIN)
        known = frames if self._before is None else np.concatenate([self._before, frames])
        self._onsets.append(onset_envelope(known)[len(known) - len(frames) :])
        self._before = known[-ONSET_CONTEXT_FRAMES:]

    def mel(self, columns: int) -> Picture:
        power = np.maximum(self._pool.columns_of(columns), 0)
        values = np.log10(1 + LOG_GAIN * power).astype(np.float32)
        half = 0.5 / FRAMES_PER_SECOND
        return Picture(values, -half, self._pool.frames / FRAMES_PER_SECOND - half)

    def tempogram(self, columns: int) -> Picture:
        return Picture(*tempogram(np.concatenate(self._onsets), columns))
