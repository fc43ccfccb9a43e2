"""What is heard: every format, rate and layout, in blocks, in bounded memory, past damage."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from songprint.audio.decode import (
    BLOCK_SAMPLES,
    MAX_LEVEL,
    SAMPLE_RATE_HZ,
    decode,
    stream,
)
from songprint.errors import DecodeError
from support.audiofiles import LAYOUTS, music, sine, with_cover, write_audio, write_video
from support.badfiles import png_bytes, wav_bytes

RATE = 44_100


def peak_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * SAMPLE_RATE_HZ / len(samples)


def level(samples: np.ndarray) -> float:
    """Return the peak of a sine from the power of its middle half."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(np.sqrt(2 * np.mean(middle**2)))


def assert_hears_sine(path: Path, seconds: float, *, hz: float = 440, peak: float = 0.5) -> None:
    samples = decode(path)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert len(samples) == pytest.approx(seconds * SAMPLE_RATE_HZ, abs=0.11 * SAMPLE_RATE_HZ)
    assert peak_hz(samples) == pytest.approx(hz, abs=1.5)
    assert level(samples) == pytest.approx(peak, rel=0.03)
    assert np.isfinite(samples).all()


# --- what is heard ------------------------------------------------------------------------------

LOSSY = [".aac", ".ac3", ".asf", ".m4a", ".mp2", ".mp3", ".ogg", ".wma"]
LOSSLESS = [".aiff", ".caf", ".flac", ".mka", ".oga", ".tta", ".w64", ".wav", ".wv"]


@pytest.mark.parametrize("suffix", LOSSY + LOSSLESS)
def test_hears_a_sine_in_every_format(tmp_path: Path, suffix: str) -> None:
    path = write_audio(tmp_path / f"song{suffix}", sine(2, RATE, channels=2), RATE)
    lame_scale = 0.95 if suffix == ".mp3" else 1.0
    assert_hears_sine(path, 2, peak=0.5 * lame_scale)


@pytest.mark.parametrize("suffix", [".opus", ".webm"])
def test_hears_opus(tmp_path: Path, suffix: str) -> None:
    assert_hears_sine(write_audio(tmp_path / f"song{suffix}", sine(2, 48_000), 48_000), 2)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_hears_the_sound_track_of_a_video(tmp_path: Path, suffix: str) -> None:
    assert_hears_sine(write_video(tmp_path / f"film{suffix}", sine(1, RATE), RATE), 1)


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_formats_have_the_exact_length(tmp_path: Path, suffix: str) -> None:
    path = write_audio(tmp_path / f"song{suffix}", sine(1.5, 16_000), 16_000)
    assert len(decode(path)) == 24_000


@pytest.mark.parametrize("suffix", [".m4a", ".mp3", ".opus"])
def test_the_coder_s_delay_is_cut_off(tmp_path: Path, suffix: str) -> None:
    click = np.zeros((48_000, 1), np.float32)
    click[24_000] = 0.9
    samples = decode(write_audio(tmp_path / f"song{suffix}", click, 48_000))
    assert int(np.argmax(np.abs(samples))) == pytest.approx(8_000, abs=32)


@pytest.mark.parametrize("suffix", [".wav", ".aiff"])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_hears_every_pcm_width(tmp_path: Path, suffix: str, subtype: str) -> None:
    path = write_audio(tmp_path / f"song{suffix}", sine(1, RATE), RATE, subtype=subtype)
    assert_hears_sine(path, 1)


@pytest.mark.parametrize("codec", ["alac", "pcm_alaw", "adpcm_ima_wav"])
def test_hears_rarer_codecs(tmp_path: Path, codec: str) -> None:
    suffix = ".m4a" if codec == "alac" else ".wav"
    assert_hears_sine(write_audio(tmp_path / f"s{suffix}", sine(1, RATE), RATE, codec=codec), 1)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 32_000, 48_000, 96_000, 192_000])
def test_hears_every_rate(tmp_path: Path, rate: int) -> None:
    path = write_audio(tmp_path / "song.wav", sine(1, rate), rate)
    assert_hears_sine(path, 1)
    assert len(decode(path)) == pytest.approx(SAMPLE_RATE_HZ, abs=1)


@pytest.mark.parametrize("channels", LAYOUTS)
def test_the_mean_of_equal_channels_is_each_of_them(tmp_path: Path, channels: int) -> None:
    song = sine(0.5, RATE, channels=channels)
    assert_hears_sine(write_audio(tmp_path / "song.flac", song, RATE), 0.5)


@pytest.mark.parametrize("channel", range(6))
def test_every_channel_of_a_surround_mix_but_the_lfe_weighs_a_fifth(
    tmp_path: Path, channel: int
) -> None:
    song = np.zeros((8_000, 6), np.float32)
    song[:, channel] = sine(0.5, 16_000)[:, 0]
    lfe = 3
    samples = decode(write_audio(tmp_path / "song.flac", song, 16_000))
    assert level(samples) == pytest.approx(0.0 if channel == lfe else 0.1, abs=1e-3)


def test_a_note_above_8_khz_does_not_fold_back(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.wav", sine(1, RATE, hz=9_500), RATE)
    assert level(decode(path)) < 1e-3


def test_opposite_channels_cancel(tmp_path: Path) -> None:
    song = sine(1, RATE, channels=2) * np.array([1, -1], np.float32)
    assert level(decode(write_audio(tmp_path / "song.flac", song, RATE))) < 1e-3


def test_silence_is_sound(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.wav", np.zeros((8_000, 1), np.float32), 16_000)
    np.testing.assert_array_equal(decode(path), np.zeros(8_000, np.float32))


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".m4a"])
def test_cover_art_changes_nothing(tmp_path: Path, suffix: str) -> None:
    plain = write_audio(tmp_path / f"plain{suffix}", sine(1, RATE), RATE)
    covered = with_cover(plain, tmp_path / f"covered{suffix}", png_bytes())
    np.testing.assert_array_equal(decode(covered), decode(plain))


def test_the_name_decides_nothing(tmp_path: Path) -> None:
    song = write_audio(tmp_path / "song.flac", sine(1, RATE), RATE)
    for name in ["song.mp3", "song.txt", "song", "söng 🎵.m3u8"]:
        np.testing.assert_array_equal(decode(song.rename(tmp_path / name)), decode(tmp_path / name))
        song = tmp_path / name
    assert_hears_sine(song, 1)


def test_a_name_may_be_a_string(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.wav", sine(0.2, RATE), RATE)
    np.testing.assert_array_equal(decode(str(path)), decode(path))


def test_rate_and_channels_may_change_midway(tmp_path: Path) -> None:
    parts = [sine(1, 48_000, channels=2), sine(1, 48_000), sine(1, 48_000, channels=2)]
    joined = tmp_path / "joined.mp3"
    first = write_audio(tmp_path / "a.mp3", parts[0], 48_000)
    second = write_audio(tmp_path / "b.mp3", sine(1, 32_000), 32_000)
    third = write_audio(tmp_path / "c.mp3", parts[1], 48_000)
    joined.write_bytes(first.read_bytes() + second.read_bytes() + third.read_bytes())
    samples = decode(joined)
    assert len(samples) == pytest.approx(3 * SAMPLE_RATE_HZ, abs=0.3 * SAMPLE_RATE_HZ)
    assert peak_hz(samples) == pytest.approx(440, abs=2)


def test_what_ffmpeg_gives_up_midway_is_heard_up_to_there(tmp_path: Path) -> None:
    """FFmpeg refuses a Vorbis stream chained to one of another rate."""
    first = write_audio(tmp_path / "a.ogg", sine(1, RATE, channels=2), RATE)
    second = write_audio(tmp_path / "b.ogg", sine(1, 22_050), 22_050)
    (tmp_path / "chained.ogg").write_bytes(first.read_bytes() + second.read_bytes())
    assert_hears_sine(tmp_path / "chained.ogg", 1)


@pytest.mark.parametrize("behind", [bytes(100_000), b"junk" * 50_000])
def test_junk_behind_a_song_is_not_heard(tmp_path: Path, behind: bytes) -> None:
    path = write_audio(tmp_path / "song.mp3", sine(1, RATE), RATE)
    path.write_bytes(path.read_bytes() + behind)
    assert_hears_sine(path, 1, peak=0.475)


# --- blocks, memory, threads --------------------------------------------------------------------


@pytest.mark.parametrize("rate", [16_000, RATE])
def test_blocks_of_ten_seconds_join_to_the_whole(tmp_path: Path, rate: int) -> None:
    path = write_audio(tmp_path / "song.flac", music(25, rate), rate)
    blocks = list(stream(path))
    assert [len(block) for block in blocks] == [BLOCK_SAMPLES, BLOCK_SAMPLES, 5 * SAMPLE_RATE_HZ]
    np.testing.assert_array_equal(np.concatenate(blocks), decode(path))


def test_a_block_is_the_listener_s_own(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.wav", sine(25, 16_000), 16_000)
    blocks = []
    for block in stream(path):
        blocks.append(block.copy())
        block[:] = np.nan
    np.testing.assert_array_equal(np.concatenate(blocks), decode(path))


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    n_bytes = 2 * 16_000 * 3_600
    path.write_bytes(wav_bytes(b"", rate=16_000)[:-4] + n_bytes.to_bytes(4, "little"))
    os.truncate(path, n_bytes + 44)  # an hour of silence that takes no room on the disk
    script = (
        "import resource, sys\n"
        "from songprint.audio.decode import stream\n"
        "blocks = stream(sys.argv[1])\n"
        "next(blocks)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "samples = sum(len(block) for block in blocks)\n"
        "print(samples, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    run = [sys.executable, "-c", script, str(path)]
    out = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert int(out[0]) == 3_590 * SAMPLE_RATE_HZ
    assert int(out[1]) < 8_000  # kibibytes; the hour itself takes 230,000


def test_python_s_own_memory_stays_small(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "long.flac", np.zeros((120 * 16_000, 2), np.float32), 16_000)
    tracemalloc.start()
    try:
        for _ in stream(path):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


def test_threads_hear_what_one_hears(tmp_path: Path) -> None:
    paths = [write_audio(tmp_path / f"{i}.mp3", music(3, RATE, seed=i), RATE) for i in range(4)]
    alone = [decode(path) for path in paths]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            for one, other in zip(alone, pool.map(decode, paths), strict=True):
                np.testing.assert_array_equal(one, other)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
def test_a_stream_left_midway_leaves_nothing_open(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.flac", sine(25, 16_000), 16_000)
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(b"no song")
    before = open_files()
    for _ in range(3):
        next(stream(path))
        with pytest.raises(DecodeError):
            decode(bad)
    gc.collect()
    assert open_files() == before


def test_ffmpeg_writes_nothing_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    song = bytearray(write_audio(tmp_path / "song.mp3", sine(2, RATE), RATE).read_bytes())
    song[4_000:6_000] = bytes(range(250)) * 8
    (tmp_path / "hurt.mp3").write_bytes(song)
    decode(tmp_path / "hurt.mp3")
    assert capfd.readouterr() == ("", "")


def test_importing_it_is_cheap() -> None:
    script = (
        "import sys, songprint.audio.decode, songprint.audio.hash\n"
        "print([m for m in ('av', 'soxr', 'soundfile', 'scipy') if m in sys.modules])"
    )
    run = [sys.executable, "-c", script]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "[]\n"


# --- damage -------------------------------------------------------------------------------------

DAMAGED = [".aac", ".ac3", ".flac", ".m4a", ".mka", ".mp3", ".ogg", ".opus", ".wav", ".wma", ".wv"]


@pytest.mark.parametrize("suffix", [s for s in DAMAGED if s != ".m4a"])
def test_a_song_cut_short_is_heard_as_far_as_it_goes(tmp_path: Path, suffix: str) -> None:
    whole = write_audio(tmp_path / f"whole{suffix}", music(6, 48_000), 48_000).read_bytes()
    (tmp_path / f"cut{suffix}").write_bytes(whole[: len(whole) // 2])
    seconds = len(decode(tmp_path / f"cut{suffix}")) / SAMPLE_RATE_HZ
    assert 1.5 < seconds < 4.5


@pytest.mark.parametrize("suffix", DAMAGED)
def test_the_song_goes_on_after_damage(tmp_path: Path, suffix: str) -> None:
    song = bytearray(write_audio(tmp_path / f"song{suffix}", music(6, 48_000), 48_000).read_bytes())
    at = len(song) // 2
    song[at : at + 600] = np.random.default_rng(1).bytes(600)
    (tmp_path / f"hurt{suffix}").write_bytes(song)
    assert len(decode(tmp_path / f"hurt{suffix}")) > 4.5 * SAMPLE_RATE_HZ


@pytest.mark.parametrize("claimed", [0, 1_000, 2**32 - 1])
def test_a_forged_length_is_not_believed(tmp_path: Path, claimed: int) -> None:
    song = bytearray(write_audio(tmp_path / "song.wav", sine(2, 16_000), 16_000).read_bytes())
    at = song.index(b"data") + 4
    song[at : at + 4] = claimed.to_bytes(4, "little")
    (tmp_path / "forged.wav").write_bytes(song)
    try:
        samples = decode(tmp_path / "forged.wav")
    except DecodeError:
        assert claimed == 0
    else:
        assert 0 < len(samples) <= 2.1 * SAMPLE_RATE_HZ


def test_samples_that_are_not_numbers_become_silence(tmp_path: Path) -> None:
    song = sine(1, 16_000)[:, 0].astype("<f4")
    song[100:200], song[300], song[400] = np.nan, np.inf, -1e30
    (tmp_path / "song.wav").write_bytes(wav_bytes(song.tobytes(), rate=16_000, bits=32, tag=3))
    samples = decode(tmp_path / "song.wav")
    assert not samples[100:200].any()
    assert samples[300] == 0
    assert samples[400] == -MAX_LEVEL
    np.testing.assert_array_equal(samples[500:], song[500:])
