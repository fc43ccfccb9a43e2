"""Files that unfold to far more than they are: heard or refused in bounded time and memory."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from songprint.audio.decode import DecodeLimits, stream
from songprint.errors import DecodeError
from support.audiofiles import music, write_audio
from support.faults import Ordeal, undergo

RATE = 16_000
SLOWEST_SECONDS = 60.0
MOST_BYTES = 400 << 20
QUARTER_SECONDS = 900


def silent(path: Path, seconds: int, codec: str) -> Path:
    """Write digital silence, which a lossless codec makes next to nothing of."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream(codec, rate=8000, layout="mono")
        second = av.AudioFrame.from_ndarray(np.zeros((1, 80_000), np.int16), layout="mono")
        second.sample_rate = 8000
        for at in range(0, seconds, 10):
            second.pts = at * 8000
            container.mux(sound.encode(second))
        container.mux(sound.encode(None))
    return path


def ordeal(tmp_path: Path) -> Ordeal:
    return undergo(
        tmp_path / "music", tmp_path / "library", workers=1, slowest_seconds=SLOWEST_SECONDS
    )


def test_long_silence_in_a_small_file_is_heard(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    for name, codec in (("silence.flac", "flac"), ("silence.m4a", "alac")):
        file = silent(tmp_path / "music" / name, QUARTER_SECONDS, codec)
        assert file.stat().st_size < 8_000_000
    found = ordeal(tmp_path)
    assert (found.faults, found.heard) == ([], 2)
    assert found.peak_bytes < MOST_BYTES


def test_what_is_longer_than_the_longest_song_is_given_up_there(tmp_path: Path) -> None:
    file = silent(tmp_path / "long.flac", QUARTER_SECONDS, "flac")
    limits = DecodeLimits(max_seconds=600)
    heard: list[int] = []
    with pytest.raises(DecodeError, match="longer than"):
        heard.extend(len(block) for block in stream(file, limits=limits))
    assert sum(heard) <= 600 * 16_000


def test_a_duration_that_is_forged_makes_no_difference(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    whole = write_audio(tmp_path / "song.m4a", music(2, RATE), RATE).read_bytes()
    for number, duration in enumerate((0, 1, 0x7FFFFFFF, 0xFFFFFFFF)):
        forged = bytearray(whole)
        for box, at in ((b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)):
            struct.pack_into(">I", forged, forged.index(box) + at, duration)
        (folder / f"{number}.m4a").write_bytes(forged)
    found = ordeal(tmp_path)
    assert found.faults == []
    assert found.heard + len(found.refusals) == 4
    assert found.heard >= 3
    assert found.peak_bytes < MOST_BYTES


def test_a_cover_as_large_as_an_album_costs_no_more_than_its_reading(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    song = write_audio(tmp_path / "song.mp3", music(2, RATE), RATE).read_bytes()
    cover = b"\0image/png\0\3\0\x89PNG\r\n\x1a\n" + bytes(60 << 20)
    (folder / "cover.mp3").write_bytes(_tag(_frame(b"APIC", cover)) + song)
    found = ordeal(tmp_path)
    assert (found.faults, found.heard) == ([], 1)
    assert found.peak_bytes < MOST_BYTES


def test_thousands_of_tags_and_chapters_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    tags = {f"tag{number}": "x" * 500 for number in range(5000)} | {"title": "y" * 1_000_000}
    for suffix in (".flac", ".mka"):
        write_audio(folder / f"tags{suffix}", music(2, RATE), RATE, metadata=tags)
    song = write_audio(tmp_path / "song.mp3", music(2, RATE), RATE).read_bytes()
    frames = b"".join(
        _frame(b"CHAP", b"c%d\0" % n + struct.pack(">IIII", n, n + 1, 0xFFFFFFFF, 0xFFFFFFFF))
        for n in range(5_000)
    )
    (folder / "chapters.mp3").write_bytes(_tag(frames) + song)
    found = ordeal(tmp_path)
    assert (found.faults, found.heard) == ([], 3)
    assert found.peak_bytes < MOST_BYTES


def _tag(frames: bytes) -> bytes:
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + frames


def _frame(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">I", len(body)) + b"\0\0" + body


def test_a_file_of_a_hundred_sound_tracks_is_heard_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    sound = music(1, RATE, channels=1)
    with av.open(str(folder / "tracks.mka"), "w") as container:
        tracks = [container.add_stream("flac", rate=RATE, layout="mono") for _ in range(100)]
        for track in tracks:
            frame = av.AudioFrame.from_ndarray(
                (sound.T * 32767).astype(np.int16), format="s16", layout="mono"
            )
            frame.sample_rate = RATE
            frame.pts = 0
            container.mux(track.encode(frame))
        for track in tracks:
            container.mux(track.encode(None))
    found = ordeal(tmp_path)
    assert (found.faults, found.heard) == ([], 1)
    assert found.peak_bytes < MOST_BYTES
