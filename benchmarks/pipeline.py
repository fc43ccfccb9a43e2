"""Hearing a whole song: how fast, beside decoding alone and beside what others do for less.

    python benchmarks/pipeline.py [--seconds 240] [--rounds 5] [--song PATH ...] [--by-stage]
                                  [--formats mp3-192 flac ...] [--thorough] [--profile]

In each round every system hears the same file in turn, on one thread; the table gives seconds of
sound per second of processor time, and how many times as fast songprint is, round by round: median
(least to greatest). The song is made of real ones (``../shared/data/open``, joined, at 44.1 kHz in
stereo) unless one is named.

- ``songprint``: all that ``songprint add`` does of a song but for writing it: tags, identity,
  decoding, log-mel, the encoder, genres, descriptors, and the peaks it is identified by
- ``decode``: ``songprint.audio.decode.stream`` alone, to mono samples at 16 kHz
- ``pyav+soxr``: the same as a user of both would write it at first, without any check
- ``musicnn``: librosa (load, mel) and a MusiCNN network in PyTorch as convolutions, the fastest of
  three ways, windows end to end
- ``musicnn x2``: the same with both of the MusiCNN networks that the encoder stands for
- ``librosa``: load, then its MFCC, chroma, mel spectrogram, contrast, tonnetz and beats
- ``essentia``: MusicExtractor, where essentia is installed (it is under the AGPL: not a dependency)
"""

from __future__ import annotations

import os

os.environ |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}

import argparse
import cProfile
import importlib.util
import platform
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import librosa
import numpy as np
import onnxruntime
import scipy
import soxr
import torch
from numpy.typing import NDArray

from decode import processor_name, pyav_soxr
from songprint.audio.container import open_song
from songprint.audio.decode import SAMPLE_RATE_HZ, decode, stream
from songprint.audio.hash import song_hash
from songprint.audio.mel import (
    FFT_SAMPLES,
    HOP_SAMPLES,
    MEL_BANDS,
    WINDOW_FRAMES,
    stream_log_mel,
)
from songprint.audio.peaks import PeakMeter
from songprint.descriptors.core import Listener
from songprint.encoder.windows import cover, cut_windows
from songprint.evaluate.teacher_forms import DirectMusiCNN
from songprint.fingerprints import default_fingerprinter
from songprint.library.tags import song_tags

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.audiofiles import write_audio

RATE = 44_100
MUSIC = Path(__file__).parents[2] / "shared" / "data" / "open"
FORMATS: dict[str, tuple[str, int | None]] = {
    "mp3-128": ("mp3", 128_000),
    "mp3-192": ("mp3", 192_000),
    "mp3-320": ("mp3", 320_000),
    "flac": ("flac", None),
    "ogg": ("ogg", None),
    "m4a": ("m4a", 192_000),
    "opus": ("opus", None),
}


def made_song(folder: Path, name: str, seconds: float) -> Path:
    """Return a file of several real songs, one after the other, with some stereo width."""
    samples: list[NDArray[np.float32]] = []
    for path in sorted(MUSIC.iterdir())[::7]:
        if sum(map(len, samples)) >= seconds * SAMPLE_RATE_HZ:
            break
        samples.append(decode(path))
    mono = np.concatenate(samples)[: int(seconds * SAMPLE_RATE_HZ)]
    suffix, bit_rate = FORMATS[name]
    rate = 48_000 if suffix == "opus" else RATE
    left = soxr.resample(mono, SAMPLE_RATE_HZ, rate)
    stereo = np.stack([left, 0.8 * left + 0.2 * np.roll(left, 300)], axis=1)
    options = {} if bit_rate is None else {"bit_rate": bit_rate}
    return write_audio(folder / f"{name}-{seconds:g}s.{suffix}", stereo, rate, **options)


class Songprint:
    """What ``add`` does of a song, in one process."""

    def __init__(self, thorough: bool) -> None:
        self.thorough = thorough
        self.fingerprinter = default_fingerprinter()

    def __call__(self, path: Path) -> None:
        """Hear a song."""
        peaks = PeakMeter()
        with open_song(path) as song:
            song_tags(song)
            identity = song_hash(song, keep=True)
            self.fingerprinter.fingerprint_song(
                song, identity, on_samples=peaks.add, thorough=self.thorough
            )
        peaks.finish()


def decode_alone(path: Path) -> None:
    for _ in stream(path):
        pass


class MusiCNNPipeline:
    """The usual way to a MusiCNN embedding today; the weights' values do not change its speed."""

    def __init__(self, *weights: Path) -> None:
        self.networks = [DirectMusiCNN(file).eval() for file in weights]

    def __call__(self, path: Path) -> None:
        """Hear a song."""
        samples, _ = librosa.load(path, sr=SAMPLE_RATE_HZ, mono=True)
        mel = librosa.feature.melspectrogram(
            y=samples,
            sr=SAMPLE_RATE_HZ,
            n_fft=FFT_SAMPLES,
            hop_length=HOP_SAMPLES,
            n_mels=MEL_BANDS,
        )
        frames = np.log10(1 + 10_000 * mel).T.astype(np.float32)
        windows = frames[: len(frames) // WINDOW_FRAMES * WINDOW_FRAMES]
        with torch.inference_mode():
            for batch in torch.from_numpy(windows.reshape(-1, WINDOW_FRAMES, MEL_BANDS)).split(8):
                for network in self.networks:
                    network(batch)


def librosa_features(path: Path) -> None:
    samples, rate = librosa.load(path)
    librosa.feature.mfcc(y=samples, sr=rate)
    librosa.feature.chroma_stft(y=samples, sr=rate)
    librosa.feature.melspectrogram(y=samples, sr=rate)
    librosa.feature.spectral_contrast(y=samples, sr=rate)
    librosa.feature.tonnetz(y=samples, sr=rate)
    librosa.beat.beat_track(y=samples, sr=rate)


def essentia_features(path: Path) -> None:
    import essentia.standard

    essentia.log.infoActive = False
    essentia.standard.MusicExtractor()(str(path))


def systems(options: argparse.Namespace) -> dict[str, Callable[[Path], None]]:
    found: dict[str, Callable[[Path], None]] = {
        "songprint": Songprint(options.thorough),
        "decode": decode_alone,
        "pyav+soxr": pyav_soxr,
    }
    networks = [options.teachers / f"{name}_musicnn.npz" for name in ("MSD", "MTT")]
    if all(network.exists() for network in networks):
        found["musicnn"] = MusiCNNPipeline(networks[0])
        found["musicnn x2"] = MusiCNNPipeline(*networks)
    else:
        print(f"no {networks[0]} and {networks[1].name}: without MusiCNN", file=sys.stderr)
    found["librosa"] = librosa_features
    if importlib.util.find_spec("essentia"):
        found["essentia"] = essentia_features
    return found


def processor_seconds(run: Callable[[Path], None], path: Path) -> float:
    start = time.process_time()
    run(path)
    return time.process_time() - start


def reads(run: Callable[[Path], None], path: Path) -> bool:
    """Tell whether a system can hear a song at all: some refuse valid Opus files."""
    try:
        run(path)
    except Exception:  # each system raises its own
        return run in (decode_alone, pyav_soxr) or isinstance(run, Songprint)
    return True


def spread(values: list[float], digits: int) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def compare(path: Path, found: dict[str, Callable[[Path], None]], rounds: int) -> None:
    """Print what each system needs for a song, after a round to warm up."""
    seconds = len(decode(path)) / SAMPLE_RATE_HZ
    taken: dict[str, list[float]] = {name: [] for name in found}
    for round_ in range(rounds + 1):
        for name, run in found.items():
            if round_ == 0 and not reads(run, path):
                print(f"{name} cannot read {path.name}", file=sys.stderr)
                del taken[name]
            if name not in taken:
                continue
            needed = processor_seconds(run, path)
            if round_:
                taken[name].append(needed)
    print(f"{path.name}, {seconds:.0f} s")
    for name, times in taken.items():
        speed = spread([seconds / t for t in times], 0)
        ratio = [t / ours for t, ours in zip(times, taken["songprint"], strict=True)]
        versus = "" if name == "songprint" else f"songprint {spread(ratio, 2)} times as fast"
        print(f"  {name:10} {speed:>24} x real time   {versus}".rstrip())


def by_stage(path: Path, rounds: int) -> None:
    """Print the processor time of each stage alone, fed with what the stage before it made."""
    tapped: list[tuple[NDArray[np.float32], int, tuple[str, ...]]] = []
    for _ in stream(path, tap=lambda samples, *kind: tapped.append((samples.copy(), *kind))):
        pass
    blocks = list(stream(path))
    frames = list(stream_log_mel(blocks))
    windows = [windows for _, windows in cover(cut_windows(frames))]
    encoder = default_fingerprinter().encoder
    every = Listener(native=True)
    for some in frames:
        every.add_log_mel(some)

    def identity() -> None:
        with open_song(path) as song:
            song_tags(song)
            song_hash(song, keep=True)

    def each(make: Callable[[], Callable[..., object]], inputs: list[Any]) -> Callable[[], None]:
        def run() -> None:
            add = make()
            for one in inputs:
                add(*one) if isinstance(one, tuple) else add(one)

        return run

    stages: dict[str, Callable[[], object]] = {
        "identity, tags": identity,
        "decode": lambda: decode_alone(path),
        "log-mel": lambda: list(stream_log_mel(blocks)),
        "encoder": lambda: [encoder.encode(batch) for batch in windows],
        "peaks": each(lambda: PeakMeter().add, blocks),
        "loudness, stereo": each(lambda: Listener(native=True).add_channels, tapped),
        "roughness, chroma": each(lambda: Listener(native=True).add, blocks),
        "timbre, onsets": each(lambda: Listener(native=True).add_log_mel, frames),
        "beat, rhythm, sums": every.finish,
    }
    least = dict.fromkeys(stages, np.inf)
    for _ in range(rounds + 1):
        for name, run in stages.items():
            start = time.process_time()
            run()
            least[name] = min(least[name], time.process_time() - start)
    print("  least milliseconds of each stage alone; identity reads the packets that decode needs")
    for name, seconds in least.items():
        print(f"    {name:20} {1000 * seconds:6.1f}")


def profile(path: Path, run: Callable[[Path], None], functions: int = 12) -> None:
    """Print in which functions songprint's time goes; being watched slows what is called often."""
    watching = cProfile.Profile()
    watching.runcall(run, path)
    entries = sorted(watching.getstats(), key=lambda entry: -entry.inlinetime)
    whole = sum(entry.inlinetime for entry in entries)
    print(f"  milliseconds of {1000 * whole:.0f} in each function itself")
    for entry in entries[:functions]:
        name = entry.code if isinstance(entry.code, str) else entry.code.co_qualname
        print(f"    {name:70} {1000 * entry.inlinetime:6.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[240.0])
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=["mp3-192"])
    parser.add_argument("--song", type=Path, nargs="+", help="measure these, as they are")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--thorough", action="store_true", help="hear every window")
    parser.add_argument("--by-stage", action="store_true", help="where songprint's time goes")
    parser.add_argument("--profile", action="store_true", help="and in which functions")
    parser.add_argument("--teachers", type=Path, default=Path("runs/teachers"))
    options = parser.parse_args()
    versions = {"PyAV": av, "soxr": soxr, "numpy": np, "scipy": scipy, "onnxruntime": onnxruntime}
    versions |= {"librosa": librosa, "torch": torch}
    print(f"{processor_name()}, one thread; Python {platform.python_version()},", end=" ")
    print(", ".join(f"{name} {module.__version__}" for name, module in versions.items()))
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    found = systems(options)
    with tempfile.TemporaryDirectory() as folder:
        songs = options.song or [
            made_song(Path(folder), name, seconds)
            for seconds in options.seconds
            for name in options.formats
        ]
        for path in songs:
            compare(path, found, options.rounds)
            if options.by_stage:
                by_stage(path, options.rounds)
            if options.profile:
                profile(path, found["songprint"])


if __name__ == "__main__":
    main()
