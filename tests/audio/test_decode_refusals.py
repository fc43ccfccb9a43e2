"""What is refused, with one line that says why, within its limits, whatever the bytes."""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from songprint.audio import container
from songprint.audio.decode import (
    SAMPLE_RATE_HZ,
    DecodeLimits,
    decode,
    stream,
)
from songprint.errors import DecodeError
from support.audiofiles import music, sine, write_audio
from support.badfiles import make_bad_files, wav_bytes

RATE = 44_100


# --- one line says why not ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def bad_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_bad_files(tmp_path_factory.mktemp("bad"))


def test_every_bad_file_gives_one_plain_line_and_soon(bad_files: list[Path]) -> None:
    assert len(bad_files) >= 40
    for path in bad_files:
        start = time.monotonic()
        with pytest.raises(DecodeError) as caught:
            decode(path)
        assert time.monotonic() - start < 5, path
        assert caught.value.path == path
        reason = caught.value.reason
        assert 10 < len(reason) < 90, reason
        assert "Error" not in reason
        assert "<none>" not in reason
        assert not reason.endswith("."), reason


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty.mp3", "0 bytes"),
        ("text.mp3", "text"),
        ("image.mp3", "PNG image"),
        ("playlist.m3u8", "playlist"),
        ("playlist.xspf", "playlist"),
        ("playlist.wpl", "playlist"),
        ("sheet.cue", "cue sheet"),
        ("._good.mp3", "macOS"),
        ("web_page.mp3", "web page"),
        ("encrypted.m4p", "DRM"),
        ("encrypted.wma", "Windows Media DRM"),
        ("no_sound.mp4", "video without a sound track"),
        ("no_samples.wav", "not one sample"),
        ("not_a_number.wav", "NaN"),
        ("60_channels.wav", "60 channels"),
        ("rate_2_billion.wav", "samples a second"),
        ("missing.mp3", "no such file"),
        ("folder.mp3", "folder"),
        ("without_index.m4a", "without its index"),
        ("unknown_codec.wav", "cannot decode"),
    ],
)
def test_the_reason_names_the_fault(bad_files: list[Path], name: str, words: str) -> None:
    path = next(path for path in bad_files if path.name == name)
    with pytest.raises(DecodeError, match=words):
        decode(path)


def test_noise_and_other_files_bytes_are_never_taken_for_a_song(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    contents = [rng.bytes(size) for size in (10, 100, 1_000, 10_000, 100_000) for _ in range(6)]
    contents += [rng.bytes(2_000_000), Path(sys.executable).read_bytes()[:500_000]]
    for i, content in enumerate(contents):
        for suffix in [".mp3", ".wav", ".m4a", ".ogg", ".flac"]:
            path = tmp_path / f"{i}{suffix}"
            path.write_bytes(content)
            with pytest.raises(DecodeError):
                decode(path)
            path.unlink()


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp3", "list.ffconcat"])
def test_a_playlist_never_opens_the_files_it_names(tmp_path: Path, name: str) -> None:
    song = write_audio(tmp_path / "song.mp3", sine(2, RATE), RATE)
    for text in [
        f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:2,\n{song}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{song.name}'\n",
    ]:
        (tmp_path / name).write_text(text)
        with pytest.raises(DecodeError, match="playlist"):
            decode(tmp_path / name)


def test_a_playlist_never_reaches_the_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/song.mp3"
        path = tmp_path / "list.m3u8"
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n")
        with pytest.raises(DecodeError):
            decode(path)
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_file_without_read_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_audio(tmp_path / "song.wav", sine(1, RATE), RATE)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(container.os, "open", refuse)  # root may read anything
    with pytest.raises(DecodeError, match="permission denied"):
        decode(path)


def test_a_disk_that_fails_midway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_audio(tmp_path / "song.wav", sine(30, RATE), RATE)
    read = container._TimedFile.read

    def fail(self: container._TimedFile, n: int) -> bytes:
        if self.tell() > 1_000_000:
            raise OSError(5, "Input/output error")
        return read(self, n)

    monkeypatch.setattr(container._TimedFile, "read", fail)
    with pytest.raises(DecodeError, match="Input/output error"):
        decode(path)


def test_a_device_is_refused() -> None:
    with pytest.raises(DecodeError, match="device"):
        decode("/dev/zero")


def test_a_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.mp3"))
        with pytest.raises(DecodeError, match="socket"):
            decode(tmp_path / "s.mp3")


def test_a_name_that_cannot_be(tmp_path: Path) -> None:
    for name in ["a\0b.mp3", "x" * 5_000]:
        with pytest.raises(DecodeError):
            decode(tmp_path / name)


# --- limits -------------------------------------------------------------------------------------


def test_a_song_longer_than_the_limit_is_refused(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.flac", sine(30, 16_000), 16_000)
    assert len(decode(path, limits=DecodeLimits(max_seconds=30))) == 30 * SAMPLE_RATE_HZ
    with pytest.raises(DecodeError, match="longer than"):
        decode(path, limits=DecodeLimits(max_seconds=29))


def test_more_channels_than_the_limit_are_refused(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.flac", sine(1, RATE, channels=6), RATE)
    with pytest.raises(DecodeError, match="6 channels"):
        decode(path, limits=DecodeLimits(max_channels=5))


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.flac", np.zeros((60 * RATE, 2), np.float32), RATE)
    with pytest.raises(DecodeError, match=r"more than 0\.001 s"):
        decode(path, limits=DecodeLimits(max_decode_seconds=0.001))


def test_a_disk_that_stalls_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_audio(tmp_path / "song.wav", sine(60, RATE), RATE)
    read = container._TimedFile.read

    def slowly(self: container._TimedFile, n: int) -> bytes:
        time.sleep(0.05)
        return read(self, n)

    monkeypatch.setattr(container._TimedFile, "read", slowly)
    start = time.monotonic()
    with pytest.raises(DecodeError, match="gave up"):
        decode(path, limits=DecodeLimits(max_decode_seconds=0.3))
    assert time.monotonic() - start < 2


def test_the_listener_s_own_time_does_not_count(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.wav", sine(35, 16_000), 16_000)
    for _ in stream(path, limits=DecodeLimits(max_decode_seconds=0.5)):
        time.sleep(0.2)


def test_the_error_is_the_same_in_a_thread(tmp_path: Path) -> None:
    path = tmp_path / "no.mp3"
    path.write_bytes(b"no song at all")
    caught: list[BaseException] = []

    def listen() -> None:
        try:
            decode(path)
        except DecodeError as error:
            caught.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert [str(error) for error in caught] == [f"{path}: is not audio but text"]


# --- anything at all ----------------------------------------------------------------------------

LIMITS = DecodeLimits(max_seconds=60, max_decode_seconds=10)
EVERY = settings(
    max_examples=40,
    deadline=10_000,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def hear(path: Path, content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """Assert that the bytes give finite samples or a ``DecodeError``, and nothing else."""
    path.write_bytes(content)
    try:
        samples = decode(path, limits=LIMITS)
    except DecodeError:
        return
    finally:
        assert capfd.readouterr() == ("", "")
    assert len(samples) > 0
    assert np.isfinite(samples).all()


@EVERY
@given(
    data=st.binary(max_size=3_000),
    rate=st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([8_000, 44_100, 192_000])),
    channels=st.one_of(st.integers(0, 2**16 - 1), st.integers(1, 8)),
    bits=st.one_of(st.integers(0, 2**16 - 1), st.sampled_from([8, 16, 24, 32, 64])),
    tag=st.one_of(st.integers(0, 2**16 - 1), st.sampled_from([1, 2, 3, 6, 7, 17, 0x55, 0x161])),
)
def test_any_wav_header(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    data: bytes,
    rate: int,
    channels: int,
    bits: int,
    tag: int,
) -> None:
    align = max(1, channels * bits // 8) % 2**16
    header = bytearray(wav_bytes(b"", bits=16))
    header[20:36] = (
        tag.to_bytes(2, "little")
        + channels.to_bytes(2, "little")
        + rate.to_bytes(4, "little")
        + (rate * align % 2**32).to_bytes(4, "little")
        + align.to_bytes(2, "little")
        + bits.to_bytes(2, "little")
    )
    header[40:44] = len(data).to_bytes(4, "little")
    hear(tmp_path / "any.wav", bytes(header) + data, capfd)


@pytest.fixture(scope="module")
def short_songs(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("short")
    song = music(1, 48_000)
    suffixes = [".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wma", ".wav", ".wv", ".aiff", ".mka"]
    return [write_audio(folder / f"song{s}", song, 48_000).read_bytes() for s in suffixes]


@settings(EVERY, max_examples=150)
@given(data=st.data())
def test_any_mutated_song(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    short_songs: list[bytes],
    data: st.DataObject,
) -> None:
    song = bytearray(data.draw(st.sampled_from(short_songs)))
    # Headers are where the danger is: half of the strikes fall there.
    places = st.one_of(st.integers(0, 400), st.integers(0, len(song) - 1))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(places)
        strike = data.draw(st.binary(min_size=1, max_size=16))
        song[at : at + len(strike)] = strike
    length = data.draw(st.integers(len(song) // 2, len(song)))
    hear(tmp_path / "mutant", bytes(song[:length]), capfd)
