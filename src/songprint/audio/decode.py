"""From any audio file to mono float32 samples at 16,000 Hz, in blocks of bounded size.

FFmpeg (PyAV) demuxes and decodes, numpy mixes the channels down and soxr resamples, for every
format. By ``benchmarks/decode.py`` soundfile gains up to a third for PCM and a little for MP3 and
FLAC, loses as much for Vorbis and Opus, and opens neither AAC nor WMA: not worth a second set of
guards. The rules:

1. Packets that do not decode are skipped and the song goes on after them, as in a player. A file
   more than half of whose packets fail is no song.
2. Mono is the mean of the channels, the low-frequency effects channel (LFE) of a surround mix
   left out: it is a copy, boosted by 10 dB in a cinema, and would drown the rest.
3. A sample that is NaN or infinite becomes 0, and what exceeds ``MAX_LEVEL`` is clipped to it;
   only a float file can hold either. A file without one finite sample is no song.
4. Silence is sound: to say "unsure" of it is the genre head's part.

A song may change its rate or channels midway, as a recorded radio stream does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.audio.container import DEFAULT_LIMITS, DecodeLimits, Song, open_song
from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.errors import DecodeError

if TYPE_CHECKING:
    from av.audio.fifo import AudioFifo
    from av.audio.frame import AudioFrame

__all__ = [
    "BLOCK_SAMPLES",
    "DEFAULT_LIMITS",
    "LFE_CHANNELS",
    "SAMPLE_RATE_HZ",
    "DecodeLimits",
    "Tap",
    "decode",
    "stream",
    "stream_song",
]

Tap = Callable[[NDArray[np.float32], int, tuple[str, ...]], None]
"""Given samples ``[channels, n]``, their rate in hertz, and FFmpeg's names of the channels."""

BLOCK_SAMPLES = 10 * SAMPLE_RATE_HZ

MAX_LEVEL = 64.0
"""The loudest sample kept: 36 dB above the full scale of an integer file."""

GATHER_SAMPLES = 1 << 14
"""Source samples (each of all channels) mixed and resampled at a time; fits the cache."""

LFE_CHANNELS = {"LFE", "LFE2"}

RESAMPLE_QUALITY = "HQ"
"""Soxr's 20-bit setting; its 16-bit "MQ" saves a seventh of the resampling, 3 % of an MP3."""

FRAMED_FORMATS = {"aac", "ac3", "dts", "eac3", "latm", "loas", "mp3", "mpeg", "mpegts", "truehd"}
"""Containers without a header of their own, so that bytes which are no song can look like one."""

MIN_FRAMED_SECONDS = 0.2


def stream(
    path: str | Path, *, limits: DecodeLimits = DEFAULT_LIMITS, tap: Tap | None = None
) -> Iterator[NDArray[np.float32]]:
    """Decode a song block by block.

    Parameters
    ----------
    path
        Any audio file, or a video with a sound track.
    limits
        What the file may cost.
    tap
        Called with the song in its own channels and at its own rate, before these are mixed and
        resampled: in pieces of some ``GATHER_SAMPLES``, in order, each ahead of the block that
        holds it. Full scale is ±1, samples obey rule 3, and the rate and the channels may change
        between pieces. The time it takes does not count towards the limit.

    Yields
    ------
    NDArray[np.float32]
        Mono samples at 16,000 Hz, full scale ±1, ``[BLOCK_SAMPLES]``; the last block is shorter.

    Raises
    ------
    DecodeError
        At the first block or at any later one, with one line that says why.
    """
    with open_song(path, limits) as song:
        yield from stream_song(song, tap)


def stream_song(song: Song, tap: Tap | None = None) -> Iterator[NDArray[np.float32]]:
    """Decode an open song block by block; see :func:`stream`."""
    tally = _Tally()
    chunks = _mixed(_gathered(_frames(song, tally)), song, tally, tap)
    for block in _in_blocks(_resampled(chunks)):
        tally.refuse_if_damaged(song)
        tally.samples_heard += len(block)
        song.watch.pause()
        yield block
        song.watch.resume()
    tally.refuse_if_damaged(song)
    tally.refuse_if_no_song(song)


def decode(path: str | Path, *, limits: DecodeLimits = DEFAULT_LIMITS) -> NDArray[np.float32]:
    """Decode a whole song.

    Parameters
    ----------
    path
        Any audio file, or a video with a sound track.
    limits
        What the file may cost.

    Returns
    -------
    NDArray[np.float32]
        Mono samples at 16,000 Hz, full scale ±1, ``[n]`` with n > 0.

    Raises
    ------
    DecodeError
        With one line that says why no song can be heard.
    """
    return np.concatenate(list(stream(path, limits=limits)))


@dataclass
class _Tally:
    """What came of a file so far."""

    good_packets: int = 0
    bad_packets: int = 0
    seconds: float = 0.0
    finite_samples: int = 0
    samples_heard: int = 0

    def refuse_if_damaged(self, song: Song) -> None:
        if self.bad_packets > self.good_packets:
            total = self.good_packets + self.bad_packets
            reason = f"damaged: {self.bad_packets} of {total} packets of sound do not decode"
            raise DecodeError(song.path, reason)

    def refuse_if_no_song(self, song: Song) -> None:
        if self.samples_heard == 0:
            raise DecodeError(song.path, "has no sound in it: not one sample")
        if self.finite_samples == 0:
            raise DecodeError(song.path, "damaged: every sample is NaN or infinite")
        framed = not FRAMED_FORMATS.isdisjoint(song.container.format.name.split(","))
        if framed and self.seconds < MIN_FRAMED_SECONDS:
            reason = f"only {self.seconds:.2f} s of sound in it, too little to be a song"
            raise DecodeError(song.path, reason)


def _frames(song: Song, tally: _Tally) -> Iterator[AudioFrame]:
    """Yield every frame that decodes."""
    import av

    for packet in song.packets():
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):  # this: PyAV 19, of a decoder that did not open
            tally.bad_packets += 1
            continue
        tally.good_packets += packet.size > 0  # the last one is empty: it flushes the decoder
        yield from frames


def _gathered(frames: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
    """Join short frames into ones of ``GATHER_SAMPLES`` or more, all of one rate and layout."""
    from av.audio.fifo import AudioFifo

    fifo = AudioFifo()
    layout: object = None
    for frame in frames:
        frame.pts = None  # time stamps may jump where damage was skipped
        try:
            if layout != (layout := frame.layout):
                raise ValueError("another layout")  # which the queue does not look at
            fifo.write(frame)
        except ValueError:  # the frame does not fit what was gathered
            yield from _drained(fifo)
            fifo = AudioFifo()
            fifo.write(frame)
        if fifo.samples >= GATHER_SAMPLES:
            yield from _drained(fifo)
    yield from _drained(fifo)


def _drained(fifo: AudioFifo) -> Iterator[AudioFrame]:
    frame = fifo.read()
    if frame is not None:
        yield frame


def _mixed(
    frames: Iterator[AudioFrame],
    song: Song,
    tally: _Tally,
    tap: Tap | None,
) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Yield mono samples and their rate, and hold the song to its limits."""
    limits = song.limits
    for frame in frames:
        rate = frame.sample_rate
        channels = frame.layout.nb_channels
        if channels > limits.max_channels:
            raise DecodeError(song.path, f"has {channels} channels, more than a song can have")
        if not limits.min_source_rate_hz <= rate <= limits.max_source_rate_hz:
            raise DecodeError(song.path, f"damaged: it claims {rate} samples a second")
        if frame.format.name.startswith("s64"):
            raise DecodeError(song.path, "its samples are 64-bit integers, which are not read")
        tally.seconds += frame.samples / rate
        if tally.seconds > limits.max_seconds:
            hours = limits.max_seconds / 3600
            raise DecodeError(song.path, f"is longer than {hours:.3g} h, the longest song heard")
        names = tuple(channel.name for channel in frame.layout.channels)
        samples = _channels(frame)
        mono = _mono(samples, names)
        # Of samples that are tame so is the mean; they are looked at where the tap needs them.
        tame = not _stores_floats(frame) or (tap is not None and _is_tame(samples))
        tally.finite_samples += len(mono) - (0 if tame else _tame(mono))
        if tap is not None:
            if not tame:
                _tame(samples)
            song.watch.pause()
            tap(samples, rate, names)
            song.watch.resume()
        yield mono, rate


def _stores_floats(frame: AudioFrame) -> bool:
    """Tell whether a frame's samples are floats, which alone can be wild."""
    return frame.format.name.startswith(("flt", "dbl"))


def _channels(frame: AudioFrame) -> NDArray[np.float32]:
    """Return a frame's samples, full scale ±1, ``[channels, n]``."""
    stored = frame.to_ndarray()
    if not frame.format.is_planar:
        stored = stored.reshape(-1, frame.layout.nb_channels).T
    if stored.dtype.kind == "f":
        with np.errstate(over="ignore"):  # _tame sees to what comes of it
            return stored.astype(np.float32, copy=False)
    samples = stored.astype(np.float32, order="C")
    samples *= np.float32(2.0 ** (1 - 8 * stored.dtype.itemsize))
    if stored.dtype.kind == "u":
        samples -= 1
    return samples


def _mono(samples: NDArray[np.float32], names: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the mean of the channels but the LFE, ``[n]``."""
    heard = [i for i, name in enumerate(names) if name not in LFE_CHANNELS] or [*range(len(names))]
    mono: NDArray[np.float32] = samples[heard[0]].copy()
    with np.errstate(over="ignore", invalid="ignore"):  # _tame sees to what comes of it
        for channel in heard[1:]:
            mono += samples[channel]
        mono *= np.float32(1 / len(heard))
    return mono


def _tame(samples: NDArray[np.float32]) -> int:
    """Zero what is not finite and clip what is absurd, in place; return how many were zeroed."""
    if _is_tame(samples):
        return 0
    wild = ~np.isfinite(samples)
    samples[wild] = 0
    np.clip(samples, -MAX_LEVEL, MAX_LEVEL, out=samples)
    return int(wild.sum())


def _is_tame(samples: NDArray[np.float32]) -> bool:
    return bool(max(samples.max(), -samples.min()) <= MAX_LEVEL)  # false for NaN too


def _resampled(
    chunks: Iterator[tuple[NDArray[np.float32], int]],
) -> Iterator[NDArray[np.float32]]:
    """Yield the chunks at 16,000 Hz; a new resampler starts where the rate changes."""
    import soxr

    nothing = np.empty(0, np.float32)
    resampler = None
    current_rate = SAMPLE_RATE_HZ
    for mono, rate in chunks:
        if rate != current_rate:
            if resampler is not None:
                yield resampler.resample_chunk(nothing, last=True)
            current_rate = rate
            resampler = (
                soxr.ResampleStream(rate, SAMPLE_RATE_HZ, 1, quality=RESAMPLE_QUALITY)
                if rate != SAMPLE_RATE_HZ
                else None
            )
        yield mono if resampler is None else resampler.resample_chunk(mono)
    if resampler is not None:
        yield resampler.resample_chunk(nothing, last=True)


def _in_blocks(pieces: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Cut and join pieces of any length into blocks of ``BLOCK_SAMPLES``."""
    block = np.empty(BLOCK_SAMPLES, np.float32)
    filled = 0
    for piece in pieces:
        used = 0
        while used < len(piece):
            n = min(len(piece) - used, BLOCK_SAMPLES - filled)
            block[filled : filled + n] = piece[used : used + n]
            filled += n
            used += n
            if filled == BLOCK_SAMPLES:
                yield block
                block = np.empty(BLOCK_SAMPLES, np.float32)
                filled = 0
    if filled:
        yield block[:filled]
