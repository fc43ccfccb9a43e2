"""What a tap is given: the song's own channels at their own rate, and the song stays the same."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from songprint.audio.decode import MAX_LEVEL, DecodeLimits, decode, stream
from songprint.errors import DecodeError
from support.audiofiles import music, sine, write_audio
from support.badfiles import wav_bytes

RATE = 44_100


class Tapped:
    """Hears a file and keeps the pieces."""

    def __init__(self, path: Path, **options: object) -> None:
        self.pieces: list[np.ndarray] = []
        self.kinds: list[tuple[int, tuple[str, ...]]] = []
        self.mono = np.concatenate(list(stream(path, tap=self.tap, **options)))

    def tap(self, samples: np.ndarray, rate: int, names: tuple[str, ...]) -> None:
        self.pieces.append(samples.copy())
        self.kinds.append((rate, names))
        samples[:] = np.nan  # the pieces are the tap's own

    @property
    def samples(self) -> np.ndarray:
        return np.concatenate(self.pieces, axis=1)


@pytest.mark.parametrize("suffix", [".flac", ".m4a"])
def test_a_tap_is_given_the_file_s_own_samples(tmp_path: Path, suffix: str) -> None:
    song = music(3, RATE)
    codec = "alac" if suffix == ".m4a" else None
    tapped = Tapped(write_audio(tmp_path / f"song{suffix}", song, RATE, codec=codec))
    assert set(tapped.kinds) == {(RATE, ("FL", "FR"))}
    assert tapped.samples.dtype == np.float32
    np.testing.assert_allclose(tapped.samples, song.T, atol=2 / 2**15)


@pytest.mark.parametrize(
    ("subtype", "tolerance"),
    [("PCM_U8", 2**-6), ("PCM_16", 2**-14), ("PCM_24", 2**-22), ("PCM_32", 1e-7), ("DOUBLE", 1e-7)],
)
def test_full_scale_is_one_at_every_width(tmp_path: Path, subtype: str, tolerance: float) -> None:
    song = sine(1, RATE, level=0.9, channels=2)
    tapped = Tapped(write_audio(tmp_path / "song.wav", song, RATE, subtype=subtype))
    np.testing.assert_allclose(tapped.samples, song.T, atol=tolerance)


@pytest.mark.parametrize("suffix", [".mp3", ".m4a", ".ogg", ".flac"])
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_heard_is_the_same_with_a_tap(tmp_path: Path, suffix: str, channels: int) -> None:
    path = write_audio(tmp_path / f"song{suffix}", music(12, RATE, channels=channels), RATE)
    np.testing.assert_array_equal(Tapped(path).mono, decode(path))


def test_channels_of_a_surround_mix_have_their_names(tmp_path: Path) -> None:
    song = np.concatenate([sine(1, RATE, hz=200 * (i + 1)) for i in range(6)], axis=1)
    tapped = Tapped(write_audio(tmp_path / "song.flac", song, RATE))
    assert tapped.kinds[0][1] == ("FL", "FR", "FC", "LFE", "BL", "BR")
    np.testing.assert_allclose(tapped.samples, song.T, atol=1e-4)


def test_a_piece_comes_ahead_of_the_block_that_holds_it(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.flac", music(25, 16_000, channels=1), 16_000)
    tapped, heard = 0, 0

    def tap(samples: np.ndarray, _rate: int, _names: tuple[str, ...]) -> None:
        nonlocal tapped
        tapped += samples.shape[1]

    for block in stream(path, tap=tap):
        heard += len(block)
        assert heard <= tapped < heard + 40_000
    assert heard == tapped == 25 * 16_000


def test_rate_and_channels_may_change_midway(tmp_path: Path) -> None:
    first = write_audio(tmp_path / "a.mp3", sine(1, 48_000, channels=2), 48_000)
    second = write_audio(tmp_path / "b.mp3", sine(1, 32_000), 32_000)
    (tmp_path / "joined.mp3").write_bytes(first.read_bytes() + second.read_bytes())
    tapped = Tapped(tmp_path / "joined.mp3")
    assert (48_000, ("FL", "FR")) in tapped.kinds
    assert tapped.kinds[-1] == (32_000, ("FC",))
    for piece, (_, names) in zip(tapped.pieces, tapped.kinds, strict=True):
        assert len(piece) == len(names)


def test_samples_that_are_not_numbers_are_silence_to_a_tap_too(tmp_path: Path) -> None:
    song = np.repeat(sine(1, 16_000), 2, axis=1).astype("<f4")
    song[100:200, 1], song[300, 0], song[400, 1] = np.nan, np.inf, -1e30
    data = wav_bytes(song.tobytes(), rate=16_000, channels=2, bits=32, tag=3)
    (tmp_path / "song.wav").write_bytes(data)
    tapped = Tapped(tmp_path / "song.wav")
    left, right = tapped.samples
    assert not right[100:200].any()
    np.testing.assert_array_equal(left[:300], song[:300, 0])
    assert left[300] == 0
    assert right[400] == -MAX_LEVEL
    np.testing.assert_array_equal(tapped.mono, decode(tmp_path / "song.wav"))


def test_a_tap_s_time_does_not_count(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.wav", sine(3, RATE), RATE)

    def tap(*_: object) -> None:
        time.sleep(0.3)

    for _ in stream(path, limits=DecodeLimits(max_decode_seconds=0.5), tap=tap):
        pass


def test_a_tap_s_error_reaches_the_caller(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.wav", sine(1, RATE), RATE)

    def tap(*_: object) -> None:
        raise DecodeError(path, "enough")

    with pytest.raises(DecodeError, match="enough"):
        list(stream(path, tap=tap))


def test_pieces_are_small(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.flac", np.zeros((60 * 16_000, 2), np.float32), 16_000)
    tracemalloc.start()
    try:
        for _ in stream(path, tap=lambda *_: None):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000
