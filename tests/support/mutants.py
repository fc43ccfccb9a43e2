"""Songs, spoiled: deterministic damage to real files, as disks, downloads and enemies do it.

The songs are pieces that songprint composes itself, a second of each in every format that our
encoders write. A mutant is one of them after one to three strokes of damage; the same seed gives
the same bytes, on any machine with the same FFmpeg.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from songprint.pieces import PIECES
from support.audiofiles import write_audio

SECONDS = 1.0
RATE = 44_100
CHANNELS = 2

FORMATS: dict[str, tuple[str, dict[str, str]]] = {
    "wav": (".wav", {}),
    "float wav": (".wav", {"codec": "pcm_f32le"}),
    "adpcm wav": (".wav", {"codec": "adpcm_ms"}),
    "aiff": (".aiff", {}),
    "au": (".au", {"subtype": "PCM_16"}),
    "w64": (".w64", {}),
    "caf": (".caf", {}),
    "flac": (".flac", {}),
    "ogg flac": (".oga", {}),
    "vorbis": (".ogg", {"subtype": "VORBIS"}),
    "opus": (".opus", {}),
    "mp2": (".mp2", {}),
    "mp3": (".mp3", {}),
    "aac": (".aac", {}),
    "ac3": (".ac3", {}),
    "m4a": (".m4a", {}),
    "alac": (".m4a", {"codec": "alac"}),
    "mov": (".mov", {}),
    "matroska": (".mka", {}),
    "webm": (".webm", {}),
    "wma": (".wma", {}),
    "asf": (".asf", {}),
    "wavpack": (".wv", {}),
    "tta": (".tta", {}),
}
"""By name: a suffix, and what :func:`support.audiofiles.write_audio` is told besides."""

OPUS_RATE = 48_000

NAMES = ("hiphop-boom-bap", "country-train", "jazz-trio")
"""Pieces: those that are rendered fastest."""

EXTREMES = (0, 1, 2, 3, 255, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1)
"""What durations, rates and counts are forged to, cut to their fields."""

HEAD_BYTES = 600
"""Where most headers lie."""


@dataclass(frozen=True)
class Mutant:
    """A spoiled song.

    Attributes
    ----------
    name : str
        For a file: its number, the format, what was done, the suffix.
    data : bytes
        The file.
    """

    name: str
    data: bytes


@cache
def sound_songs() -> dict[str, bytes]:
    """Return a song in each of :data:`FORMATS`, in turn from three pieces."""
    songs = {}
    with TemporaryDirectory() as folder:
        for number, (name, (suffix, options)) in enumerate(FORMATS.items()):
            rate = OPUS_RATE if suffix in (".opus", ".webm") else RATE
            piece = NAMES[number % len(NAMES)]
            tags = {} if "subtype" in options else {"title": piece, "artist": "songprint"}
            path = Path(folder) / f"song{suffix}"
            write_audio(path, _sound(piece, rate), rate, metadata=tags, **options)
            songs[name] = path.read_bytes()
    return songs


@cache
def _sound(name: str, rate: int) -> NDArray[np.float32]:
    piece = next(piece for piece in PIECES if piece.name == name)
    return piece.render(sample_rate_hz=rate)[: round(SECONDS * rate)]


def mutants(count: int, seed: int) -> Iterator[Mutant]:
    """Yield spoiled songs: every format and every stroke in turn, their places by `seed`."""
    songs = sound_songs()
    formats, strokes = list(songs), list(STROKES)
    for number in range(count):
        rng = random.Random(f"{seed}-{number}")
        kind = formats[number % len(formats)]
        stroke = strokes[(number // len(formats) + number % len(formats)) % len(strokes)]
        data = spoiled(songs[kind], stroke, rng)
        suffix = FORMATS[kind][0]
        if stroke == "wrong extension":
            suffix = FORMATS[rng.choice(formats)][0]
        words = f"{number:05} {kind} {stroke}".replace(" ", "-")
        yield Mutant(f"{words}{suffix}", data)


def spoiled(whole: bytes, stroke: str, rng: random.Random) -> bytes:
    """Return a file after a stroke of damage, and sometimes one or two more."""
    data = STROKES[stroke](bytearray(whole), rng)
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        if data:
            data = STROKES[rng.choice(list(STROKES))](data, rng)
    return bytes(data)


def _flip_bits(song: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice([1, 2, 8, 64])):
        song[_place(song, rng)] ^= 1 << rng.randrange(8)
    return song


def _flip_in_head(song: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice([1, 3, 16])):
        song[rng.randrange(min(len(song), HEAD_BYTES))] ^= 1 << rng.randrange(8)
    return song


def _cut_end(song: bytearray, rng: random.Random) -> bytearray:
    return song[: rng.randrange(len(song))]


def _cut_start(song: bytearray, rng: random.Random) -> bytearray:
    return song[rng.randrange(1, min(len(song), 4 * HEAD_BYTES)) :]


def _zero(song: bytearray, rng: random.Random) -> bytearray:
    start, stop = _block(song, rng)
    song[start:stop] = bytes(stop - start)
    return song


def _randomise(song: bytearray, rng: random.Random) -> bytearray:
    start, stop = _block(song, rng)
    song[start:stop] = rng.randbytes(stop - start)
    return song


def _repeat(song: bytearray, rng: random.Random) -> bytearray:
    start, stop = _block(song, rng)
    song[stop:stop] = song[start:stop] * rng.choice([1, 2, 30])
    return song


def _remove(song: bytearray, rng: random.Random) -> bytearray:
    start, stop = _block(song, rng)
    del song[start:stop]
    return song


def _exchange(song: bytearray, rng: random.Random) -> bytearray:
    start, stop = _block(song, rng)
    to = rng.randrange(len(song))
    block = song[start:stop]
    del song[start:stop]
    song[to:to] = block
    return song


def _foreign_head(song: bytearray, rng: random.Random) -> bytearray:
    other = sound_songs()[rng.choice(list(FORMATS))]
    n = rng.choice([4, 12, 44, 200, 2000])
    song[: rng.choice([0, n])] = other[:n]
    return song


def _append(song: bytearray, rng: random.Random) -> bytearray:
    other = sound_songs()[rng.choice(list(FORMATS))]
    return song + rng.choice([rng.randbytes(5000), bytes(5000), other, b"TAG" + bytes(125)])


def _prepend_tag(song: bytearray, rng: random.Random) -> bytearray:
    """Put an ID3 tag before it that claims any size."""
    size = rng.choice([b"\0\0\0\x0a", b"\x7f\x7f\x7f\x7f", b"\xff\xff\xff\xff", rng.randbytes(4)])
    frame = rng.choice([b"TIT2", b"APIC", b"TXXX", b"CHAP", rng.randbytes(4)])
    body = (
        frame + rng.choice([b"\0\0\0\x05", b"\x7f\xff\xff\xff", rng.randbytes(4)]) + b"\0\0\3abcd"
    )
    return (
        bytearray(b"ID3" + bytes([rng.choice([2, 3, 4, 9]), 0, rng.randrange(256)]) + size + body)
        + song
    )


def _forge(song: bytearray, rng: random.Random) -> bytearray:
    """Give durations, rates, channels and counts, wherever they stand in the file, other values."""
    fields = [field for field in _true_fields() if field in song]
    for field in rng.sample(fields, min(len(fields), rng.choice([1, 2, 4]))):
        places = _places(song, field)
        if not places:  # the one before was forged over it
            continue
        at = rng.choice(places)
        order = rng.choice(["big", "little"])
        value = rng.choice([*EXTREMES, rng.getrandbits(63)]) % (1 << 8 * len(field))
        song[at : at + len(field)] = value.to_bytes(len(field), order)  # type: ignore[arg-type]
    return song


def _forge_head(song: bytearray, rng: random.Random) -> bytearray:
    """Give whole fields of the header extreme values, whatever they mean."""
    for _ in range(rng.choice([1, 2, 5])):
        width = rng.choice([2, 4, 8])
        at = rng.randrange(0, min(len(song), HEAD_BYTES), 2)
        value = rng.choice([*EXTREMES, rng.getrandbits(63)]) % (1 << 8 * width)
        song[at : at + width] = value.to_bytes(width, rng.choice(["big", "little"]))  # type: ignore[arg-type]
    return song


STROKES: dict[str, Callable[[bytearray, random.Random], bytearray]] = {
    "flipped bits": _flip_bits,
    "flipped head": _flip_in_head,
    "cut end": _cut_end,
    "cut start": _cut_start,
    "zeroed": _zero,
    "noise": _randomise,
    "repeated": _repeat,
    "removed": _remove,
    "exchanged": _exchange,
    "foreign head": _foreign_head,
    "appended": _append,
    "tag before": _prepend_tag,
    "wrong extension": lambda song, _: song,
    "forged": _forge,
    "forged head": _forge_head,
}


def _place(song: bytearray, rng: random.Random) -> int:
    """Return a place: headers are where the danger is, so half of them lie there."""
    return rng.randrange(min(len(song), HEAD_BYTES) if rng.random() < 0.5 else len(song))


def _block(song: bytearray, rng: random.Random) -> tuple[int, int]:
    start = _place(song, rng)
    return start, min(len(song), start + rng.choice([1, 4, 16, 512, 4096, 40_000]))


def _places(song: bytearray, field: bytes) -> list[int]:
    places, at = [], song.find(field)
    while at >= 0 and len(places) < 64:
        places.append(at)
        at = song.find(field, at + 1)
    return places


@cache
def _true_fields() -> tuple[bytes, ...]:
    """Return how files write down what is true of these songs."""
    numbers: set[int] = {CHANNELS}
    for rate in (RATE, OPUS_RATE):
        n = round(SECONDS * rate)
        numbers |= {rate, n, n * CHANNELS * 2, rate * CHANNELS * 2, n * CHANNELS * 4}
    numbers |= {round(SECONDS * unit) for unit in (1000, 10_000_000)}
    fields = {struct.pack(f"{order}{kind}", n) for n in numbers for order in "<>" for kind in "IQ"}
    fields |= {struct.pack(f"{order}H", CHANNELS) for order in "<>"}
    fields.add(bytes.fromhex("400eac44000000000000"))  # 44,100 as AIFF's 80-bit float
    fields.add(struct.pack(">d", RATE))  # as CAF's double
    # FLAC packs its rate, channels, bits and length into eight bytes.
    fields.add(
        (RATE << 44 | (CHANNELS - 1) << 41 | 15 << 36 | round(SECONDS * RATE)).to_bytes(8, "big")
    )
    return tuple(sorted(fields))
