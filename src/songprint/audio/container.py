"""Opens a song: from a path to the one sound track in it, or one line that says why not.

A file is judged by its bytes alone. FFmpeg is handed an open file and never a name, so a
suffix cannot make it guess; it may use only the demuxers of ``DEMUXERS``, none of which follows
a pointer to another file or to the network, and no protocol at all.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from songprint.errors import DecodeError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,iff,latm,loas,matroska,mlp,"
    "mov,mp3,mpc,mpc8,mpeg,mpegts,nut,ogg,oma,rm,tak,truehd,tta,voc,w64,wav,wv,xwma"
)
"""What FFmpeg may open. Left out: playlists, images, raw PCM, devices, and video alone."""

FFMPEG_OPTIONS = {
    "format_whitelist": DEMUXERS,
    "protocol_whitelist": "none",
    # A wav is probed for a codec hidden in its PCM. FFmpeg's own 2500 packets take 30 ms a song.
    "max_probe_packets": "2",
}

READ_BYTES = 1 << 16

KEPT_BYTES = 48 << 20
"""Packets that are kept so that a song is read once, identified and then heard."""

PACKET_BYTES = 600
"""What a packet takes besides what is in it."""

PACKETS_A_CHECK = 32
"""Packets from one look at the clock to the next."""

_NO_UTF8 = {chr(0xDC00 + byte) for byte in range(0x80, 0x100)}
"""What stands for bytes in a text that are not UTF-8 (PEP 383)."""

MAX_FAULTS = 100
"""How often the demuxer may stumble over one file before the rest of it is given up."""

ENCRYPTED_TAGS = {"drms", "enca", "aavd", "p608"}
"""Sample entries of MP4 that hold encrypted sound: FairPlay, Common Encryption, Audible."""

NOT_AUDIO = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b\x08": "a gzip archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"\x7fELF": "a program",
    b"MThd": "a MIDI score, which has no sound of its own",
    b"SQLite format 3": "a database",
    b"\x00\x05\x16\x07": "what macOS notes beside a file of the same name without ._",
}
"""First bytes of files that are often misnamed as songs, and what they are."""

_CUE_SHEET = re.compile(rb'^file ".*" (wave|mp3|aiff|flac|binary)\r?$', re.MULTILINE)
_PLAYLIST = re.compile(rb"#extm3u|\[playlist\]|ffconcat|<\?wpl|<asx|(<\?xml[^>]*>\s*)?<playlist")


@dataclass(frozen=True)
class DecodeLimits:
    """What a file may cost before it is given up.

    Parameters
    ----------
    max_seconds
        The longest song that is heard, in seconds of sound.
    max_decode_seconds
        Wall-clock seconds for one file, not counting what the listener does between blocks.
    max_channels
        The most channels a song may have.
    min_source_rate_hz, max_source_rate_hz
        The sample rates that are taken for sound.
    """

    max_seconds: float = 6 * 3600.0
    max_decode_seconds: float = 300.0
    max_channels: int = 16
    min_source_rate_hz: int = 1_000
    max_source_rate_hz: int = 768_000


DEFAULT_LIMITS = DecodeLimits()


class Stopwatch:
    """Wall-clock spent on one file; paused while the listener has the block."""

    def __init__(self, path: Path, limit_seconds: float) -> None:
        self._path = path
        self._limit_seconds = limit_seconds
        self._deadline = time.monotonic() + limit_seconds
        self._paused_at = 0.0

    def check(self) -> None:
        """Raise ``DecodeError`` once the time is up."""
        if time.monotonic() > self._deadline:
            reason = f"gave up: it took more than {self._limit_seconds:g} s to read"
            raise DecodeError(self._path, reason)

    def pause(self) -> None:
        """Stop counting."""
        self._paused_at = time.monotonic()

    def resume(self) -> None:
        """Count again."""
        self._deadline += time.monotonic() - self._paused_at


class _TimedFile:
    """The open file as FFmpeg reads it: nameless, and out of time once the stopwatch is."""

    def __init__(self, file: BinaryIO, watch: Stopwatch) -> None:
        self._file = file
        self._watch = watch
        self._failed = False
        self.tell = file.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError:  # a damaged file points to before its start: FFmpeg shall decide what then
            return -errno.EINVAL

    def read(self, n: int) -> bytes:
        if self._failed:  # PyAV raises the first error once FFmpeg returns, and prints a second
            return b""
        try:
            self._watch.check()
            return self._file.read(n)
        except BaseException:
            self._failed = True
            raise


@dataclass
class Song:
    """An open file and the sound track in it; valid inside ``open_song``.

    Parameters
    ----------
    path
        The file, as the caller named it.
    container
        PyAV's demuxer.
    stream
        The sound track: the one that a player would choose.
    watch
        To be checked in every loop over the file.
    limits
        What the file may cost.
    """

    path: Path
    container: InputContainer
    stream: AudioStream
    watch: Stopwatch
    limits: DecodeLimits
    _kept: list[Packet[AudioStream]] | None = None
    _was_read: bool = False

    def tags(self) -> dict[str, str]:
        """Return the file's tags by FFmpeg's names for them, in lower case."""
        # Ogg keeps them with the stream, all others with the container.
        both = {**self.container.metadata, **self.stream.metadata}
        return {name.lower(): decoded_tag(value) for name, value in both.items()}

    def packets(self, *, keep: bool = False) -> Iterator[Packet[AudioStream]]:
        """Yield the track's packets, and an empty one at the end that flushes the decoder.

        A fault in the container ends a pass over it; the next begins behind the fault.

        Parameters
        ----------
        keep
            Whether to keep them in memory for :func:`reread`, unless there are too many.

        Raises
        ------
        DecodeError
            When the time is up.
        """
        if self._kept is not None:
            yield from self._timed(self._kept)
            return
        self._was_read = True
        kept: list[Packet[AudioStream]] = []
        n_bytes = 0
        for packet in self._timed(self._demuxed()):
            if keep:
                kept.append(packet)
                n_bytes += packet.size + PACKET_BYTES
                if n_bytes > KEPT_BYTES:
                    keep = False
                    kept.clear()
            yield packet
        self._kept = kept if keep else None

    def _timed(self, packets: Iterable[Packet[AudioStream]]) -> Iterator[Packet[AudioStream]]:
        for count, packet in enumerate(packets):
            if count % PACKETS_A_CHECK == 0:
                self.watch.check()
            yield packet

    def _demuxed(self) -> Iterator[Packet[AudioStream]]:
        import av

        for _ in range(MAX_FAULTS):
            try:
                yield from self.container.demux(self.stream)
            except av.FFmpegError:
                continue
            return


def decoded_tag(value: str) -> str:
    r"""Read a value as Windows' Western encoding if there are bytes in it and no UTF-8.

    Old programs wrote their machine's encoding, of which this one is the most frequent.

    Examples
    --------
    >>> decoded_tag("D\udce9j\udce0 vu")
    'Déjà vu'
    """
    foreign = {c for c in value if not c.isascii()}
    if foreign and foreign <= _NO_UTF8:
        return value.encode("ascii", "surrogateescape").decode("cp1252", "replace")
    # UTF-8 that was cut in the middle of a character, say.
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@contextmanager
def reread(song: Song) -> Iterator[Song]:
    """Have a song's packets once more: from memory if they were kept, else from the file.

    Raises
    ------
    DecodeError
        As :func:`open_song`.
    """
    if song._kept is not None or not song._was_read:
        yield song
    else:
        with open_song(song.path, song.limits) as opened_anew:
            yield opened_anew


@contextmanager
def open_song(path: str | Path, limits: DecodeLimits = DEFAULT_LIMITS) -> Iterator[Song]:
    """Open a file and find its sound track; close both at the end.

    Parameters
    ----------
    path
        Any file.
    limits
        What the file may cost.

    Yields
    ------
    Song
        The open sound track, at its start.

    Raises
    ------
    DecodeError
        When there is no sound to be had from the file, or reading it fails inside the block.
    """
    import av

    path = Path(path)
    watch = Stopwatch(path, limits.max_decode_seconds)
    try:
        with open_regular(path) as file:
            head = file.read(512)
            file.seek(0)
            refuse_by_head(path, head)
            source = _TimedFile(file, watch)
            try:
                container = av.open(
                    source,
                    mode="r",
                    options=dict(FFMPEG_OPTIONS),
                    buffer_size=READ_BYTES,
                    **_byte_exact_tags(),
                )
            except av.FFmpegError as error:
                raise DecodeError(path, _why_unopened(head)) from error
            with container:
                yield Song(path, container, find_sound(path, container), watch, limits)
    except av.FFmpegError as error:
        raise DecodeError(path, f"damaged: FFmpeg says {error.strerror}") from error
    except OSError as error:
        raise DecodeError(path, f"cannot be read: {error.strerror or error}") from error


def _byte_exact_tags() -> dict[str, Any]:
    """Have what of a tag is not UTF-8 kept as surrogates, which PyAV does unasked from 19 on."""
    import av

    return {"metadata_errors": "surrogateescape"} if int(av.__version__.split(".")[0]) < 19 else {}


def open_regular(path: Path) -> BinaryIO:
    """Open an ordinary, non-empty file without ever blocking on a pipe or a device."""
    try:
        _refuse_special(path, path.stat())
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise DecodeError(path, "there is no such file") from error
    except PermissionError as error:
        raise DecodeError(path, "cannot be read: permission denied") from error
    except ValueError as error:  # a null byte in the name
        raise DecodeError(path, "there is no such file: the name is impossible") from error
    file = os.fdopen(fd, "rb", buffering=0)
    try:
        _refuse_special(path, os.fstat(fd))  # it may have been replaced since
    except BaseException:
        file.close()
        raise
    return file


def _refuse_special(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise DecodeError(path, "is a folder, not a song")
    if not stat.S_ISREG(status.st_mode):
        raise DecodeError(path, "is not an ordinary file but a pipe, a socket or a device")
    if status.st_size == 0:
        raise DecodeError(path, "is empty: it has 0 bytes")


def refuse_by_head(path: Path, head: bytes) -> None:
    """Raise ``DecodeError`` if the first bytes are those of a well-known kind that is no audio."""
    for magic, kind in NOT_AUDIO.items():
        if head.startswith(magic):
            raise DecodeError(path, f"is not audio but {kind}")


def _why_unopened(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if _CUE_SHEET.search(start):
        return "is not audio but a cue sheet: add the file that it names"
    if _PLAYLIST.match(start):
        return "is not audio but a playlist: add the songs that it names"
    if start.startswith((b"<!doctype html", b"<html")):
        return "is not audio but a web page"
    if not head.strip(b"\0"):
        return "is not audio: it begins with nothing but zeros"
    if _is_text(head):
        return "is not audio but text"
    if head.startswith(b"ID3"):
        return "has no sound that can be read behind its tags"
    if head[4:8] == b"ftyp":
        return "cut short or damaged: an MP4 without its index"
    return "is no audio that can be read: damaged, or of an unknown kind"


def _is_text(head: bytes) -> bool:
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return 0 < len(head) - 4 < error.start  # only its last character is cut in two
    return True


def find_sound(path: Path, container: InputContainer) -> AudioStream:
    """Return the sound track that a player would choose, decoding on one thread.

    Raises
    ------
    DecodeError
        When there is none, or it is encrypted, or no decoder knows it.
    """
    from av.stream import Discard

    if "ASF_Protection_Type" in container.metadata:
        raise DecodeError(path, "is copy-protected (Windows Media DRM)")
    if not container.streams.audio:
        if any(not _is_picture(stream) for stream in container.streams.video):
            raise DecodeError(path, "is a video without a sound track")
        if container.streams.video:
            raise DecodeError(path, "holds a picture but no sound")
        raise DecodeError(path, "has no sound track")
    best = container.streams.best("audio")
    stream = next((s for s in container.streams.audio if s is best), container.streams.audio[0])
    context = stream.codec_context
    if context is None:
        raise DecodeError(path, "its sound is in a format that FFmpeg cannot decode")
    if _codec_tag(stream) in ENCRYPTED_TAGS:
        raise DecodeError(path, "is copy-protected (DRM): its sound is encrypted")
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    context.thread_count = 1  # many songs are decoded at once
    context.thread_type = "NONE"
    return stream


def _codec_tag(stream: AudioStream) -> str:
    try:
        return stream.codec_context.codec_tag
    except UnicodeDecodeError:  # a damaged header: no name at all
        return ""


def _is_picture(stream: object) -> bool:
    from av.stream import Disposition

    disposition: int = getattr(stream, "disposition", 0)
    return bool(disposition & Disposition.attached_pic)
