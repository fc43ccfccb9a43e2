"""Decoding to 16 kHz mono: how fast it is, and which decoder is the fastest for a format.

    python benchmarks/decode.py [--seconds 120] [--song PATH] [--rounds 5]

Every decoder hears the same file in turn, one thread each; the table gives seconds of sound per
second of processor time, median (and spread, as half the range over the median) of the rounds.

- ``pyav+soxr``: PyAV with its defaults, frame by frame, mixed in numpy, resampled by soxr HQ
- ``pyav+swr``: PyAV with FFmpeg's own mixing and resampling
- ``sndfile+soxr``: soundfile, mixed in numpy, resampled by soxr HQ
- ``songprint``: ``songprint.audio.decode.decode``, with all its checks
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

from songprint.audio.decode import SAMPLE_RATE_HZ, decode
from songprint.audio.hash import content_hash

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.audiofiles import music, write_audio

RATE = 44_100
FORMATS: dict[str, dict[str, object]] = {
    "mp3": {"bit_rate": 192_000},
    "flac": {},
    "ogg": {},
    "opus": {},
    "m4a": {"bit_rate": 192_000},
    "alac.m4a": {"codec": "alac"},
    "wma": {},
    "wav": {},
    "24.wav": {"subtype": "PCM_24"},
    "aiff": {},
    "wv": {},
}


def pyav_soxr(path: Path) -> None:
    """Decode as a user of PyAV and soxr would at first."""
    resampler = None
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            samples = frame.to_ndarray()
            channels = frame.layout.nb_channels
            if not frame.format.is_planar:
                samples = samples.reshape(-1, channels).T
            scale = 1.0 if samples.dtype.kind == "f" else 2.0 ** (8 * samples.itemsize - 1)
            mono = samples[0].astype(np.float32)
            for channel in samples[1:]:
                mono += channel
            mono *= np.float32(1 / (channels * scale))
            if resampler is None:
                resampler = soxr.ResampleStream(frame.sample_rate, SAMPLE_RATE_HZ, 1)
            resampler.resample_chunk(mono)
    assert resampler is not None
    resampler.resample_chunk(np.empty(0, np.float32), last=True)


def pyav_swr(path: Path) -> None:
    """Decode, mix and resample in FFmpeg alone."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            for resampled in resampler.resample(frame):
                resampled.to_ndarray()


def sndfile_soxr(path: Path) -> None:
    """Decode with libsndfile, in large blocks."""
    with soundfile.SoundFile(path) as file:
        resampler = soxr.ResampleStream(file.samplerate, SAMPLE_RATE_HZ, 1)
        buffer = np.empty((1 << 16, file.channels), np.float32)
        while len(samples := file.read(out=buffer)):
            mono = samples[:, 0].copy()
            for channel in range(1, file.channels):
                mono += samples[:, channel]
            mono *= np.float32(1 / file.channels)
            resampler.resample_chunk(mono)
        resampler.resample_chunk(np.empty(0, np.float32), last=True)


DECODERS: dict[str, Callable[[Path], object]] = {
    "pyav+soxr": pyav_soxr,
    "pyav+swr": pyav_swr,
    "sndfile+soxr": sndfile_soxr,
    "songprint": decode,
}


def processor_seconds(run: Callable[[Path], object], path: Path) -> float | None:
    """Return the processor time of one run, or None where the decoder cannot open the format."""
    start = time.process_time()
    try:
        run(path)
    except soundfile.LibsndfileError:
        return None
    return time.process_time() - start


def measure(path: Path, rounds: int) -> dict[str, list[float]]:
    """Run every decoder, and the hash, ``rounds`` times in turn, after one round to warm up."""
    runs: dict[str, Callable[[Path], object]] = {**DECODERS, "hash": content_hash}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(rounds + 1):
        for name, run in runs.items():
            taken = processor_seconds(run, path)
            if taken is not None and round_:
                times[name].append(taken)
    return times


def processor_name() -> str:
    """Return the processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120.0, help="length of the made song")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--song", type=Path, help="measure this song instead, as it is")
    options = parser.parse_args()

    ffmpeg = ".".join(map(str, av.library_versions["libavcodec"]))
    print(f"{processor_name()}, one thread; Python {platform.python_version()}, PyAV", end=" ")
    print(f"{av.__version__} (libavcodec {ffmpeg}), soundfile {soundfile.__version__}", end=" ")
    print(f"({soundfile.__libsndfile_version__}), soxr {soxr.__version__}")
    print(f"{'x real time':12}", *(f"{name:>14}" for name in DECODERS), "   ours/best", "     hash")
    with tempfile.TemporaryDirectory() as folder:
        if options.song:
            songs = {options.song.suffix[1:]: options.song}
        else:
            songs = {}
            for name, how in FORMATS.items():
                rate = 48_000 if name == "opus" else RATE
                samples = music(options.seconds, rate)
                songs[name] = write_audio(Path(folder) / f"song.{name}", samples, rate, **how)
        for name, path in songs.items():
            seconds = len(decode(path)) / SAMPLE_RATE_HZ
            times = measure(path, options.rounds)
            cells, speeds = [], {}
            for decoder in DECODERS:
                taken = times[decoder]
                if not taken:
                    cells.append(f"{'-':>14}")
                    continue
                middle = statistics.median(taken)
                speeds[decoder] = seconds / middle
                spread = (max(taken) - min(taken)) / 2 / middle
                cells.append(f"{seconds / middle:8.0f} ±{spread:4.0%}")
            ratio = speeds["songprint"] / max(v for k, v in speeds.items() if k != "songprint")
            hashing = seconds / statistics.median(times["hash"])
            print(f"{name:12}", *cells, f"{ratio:12.2f}", f"{hashing:9.0f}")


if __name__ == "__main__":
    main()
