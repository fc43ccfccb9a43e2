"""What do the descriptors of a song cost? All of ours against librosa's classic set, alternately.

Ours: beat, intensity, rhythm, timbre and tonality of four minutes of stereo at 44.1 kHz, from the
song's own channels, its mono samples at 16 kHz and its log-mel frames, in the pieces in which they
stream by. librosa: MFCC, chroma, mel spectrogram, spectral contrast and tonnetz of the same mono
samples with librosa's own defaults; it measures neither tempo nor loudness here. Neither decodes.

Then K weighting alone: our loudness against the standard's filter run by scipy.

Run: python benchmarks/descriptors.py [--song FILE] [--seconds 240] [--rounds 5]
Without a file it hears the synthetic pieces, one after the other.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Iterator

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"  # before numpy is loaded

import librosa
import numpy as np
import scipy
import soxr
from scipy.signal import sosfilt

from songprint.audio.decode import BLOCK_SAMPLES, GATHER_SAMPLES, SAMPLE_RATE_HZ, stream
from songprint.audio.mel import stream_log_mel
from songprint.descriptors.beat import analyse_beat
from songprint.descriptors.core import Descriptors, Listener
from songprint.descriptors.intensity import Intensity, IntensityMeter
from songprint.descriptors.onsets import onset_envelope
from songprint.descriptors.rhythm import analyse_rhythm
from songprint.descriptors.timbre import TimbreMeter
from songprint.descriptors.tonality import ChromaMeter
from songprint.pieces import PIECES

STEREO = ("FL", "FR")


class Song:
    """The same seconds of sound in every form that is measured."""

    def __init__(self, path: str | None, seconds: float) -> None:
        self.rate, self.channels = synthetic(seconds) if path is None else own(path, seconds)
        mono = self.channels.mean(axis=0)
        self.mono = soxr.resample(mono, self.rate, SAMPLE_RATE_HZ).astype(np.float32)
        self.frames = list(stream_log_mel(self.blocks()))
        self.seconds = self.channels.shape[1] / self.rate

    def blocks(self) -> list[np.ndarray]:
        """Return the mono samples as they stream by."""
        return pieces(self.mono, BLOCK_SAMPLES)

    def chunks(self) -> list[np.ndarray]:
        """Return the song's own channels as they stream by."""
        return pieces(self.channels, GATHER_SAMPLES)


def pieces(samples: np.ndarray, n: int) -> list[np.ndarray]:
    return [samples[..., i : i + n] for i in range(0, samples.shape[-1], n)]


def synthetic(seconds: float) -> tuple[int, np.ndarray]:
    rate, n = 44_100, round(seconds * 44_100)
    rendered: list[np.ndarray] = []
    while sum(len(samples) for samples in rendered) < n:
        piece = PIECES[len(rendered) % len(PIECES)]
        rendered.append(piece.render(sample_rate_hz=rate).astype(np.float32))
    return rate, np.ascontiguousarray(np.concatenate(rendered)[:n].T)


def own(path: str, seconds: float) -> tuple[int, np.ndarray]:
    """Repeat a file's sound until it lasts so long."""
    heard: list[np.ndarray] = []
    rates: list[int] = []

    def tap(samples: np.ndarray, rate: int, _names: tuple[str, ...]) -> None:
        heard.append(samples.copy())
        rates.append(rate)

    for _ in stream(path, tap=tap):
        pass
    samples = np.concatenate(heard, axis=1)[:2]
    samples = np.repeat(samples, 2, axis=0) if len(samples) == 1 else samples
    n = round(seconds * rates[0])
    return rates[0], np.tile(samples, (1, -(-n // samples.shape[1])))[:, :n]


def ours(song: Song) -> Descriptors:
    listener = Listener(native=True)
    for chunk in song.chunks():
        listener.add_channels(chunk, song.rate, STEREO)
    for block in song.blocks():
        listener.add(block)
    for frames in song.frames:
        listener.add_log_mel(frames)
    return listener.finish()


def intensity(song: Song) -> Intensity:
    meter = IntensityMeter()
    for chunk in song.chunks():
        meter.add(chunk, song.rate, STEREO)
    return meter.finish()


def timbre(song: Song) -> None:
    meter = TimbreMeter()
    for chunk in song.chunks():
        meter.add_channels(chunk, STEREO)
    for block in song.blocks():
        meter.add(block)
    for frames in song.frames:
        meter.add_log_mel(frames)
    meter.finish()


def tonality(song: Song) -> None:
    meter = ChromaMeter()
    for block in song.blocks():
        meter.add(block)
    meter.finish()


def parts(song: Song) -> dict[str, Callable[[], object]]:
    envelope = onset_envelope(np.concatenate(song.frames))
    beat = analyse_beat(envelope)
    return {
        "intensity": lambda: intensity(song),
        "timbre": lambda: timbre(song),
        "tonality": lambda: tonality(song),
        "onset envelope": lambda: [onset_envelope(frames) for frames in song.frames],
        "beat": lambda: analyse_beat(envelope),
        "rhythm": lambda: analyse_rhythm(envelope, beat),
        "log-mel (the encoder's, not counted)": lambda: list(stream_log_mel(song.blocks())),
    }


def librosa_set(song: Song) -> dict[str, Callable[[], object]]:
    y, sr, feature = song.mono, SAMPLE_RATE_HZ, librosa.feature
    return {
        "mfcc": lambda: feature.mfcc(y=y, sr=sr),
        "chroma_stft": lambda: feature.chroma_stft(y=y, sr=sr),
        "melspectrogram": lambda: feature.melspectrogram(y=y, sr=sr),
        "spectral_contrast": lambda: feature.spectral_contrast(y=y, sr=sr),
        "tonnetz": lambda: feature.tonnetz(y=y, sr=sr),
    }


def filtered(song: Song) -> None:
    """K weighting as the standard writes it down; its coefficients do not change the cost."""
    sections = np.array([[1.5, -2.7, 1.2, 1, -1.7, 0.7], [1, -2, 1, 1, -1.99, 0.99]])
    state = np.zeros((2, 2, 2))
    for chunk in song.chunks():
        weighted, state = sosfilt(sections, chunk, zi=state)
        np.einsum("cn,cn->c", weighted, weighted)


def seconds_of(function: Callable[[], object]) -> float:
    start = time.process_time()  # what other processes do on this core is not counted
    function()
    return time.process_time() - start


def rounds_of(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Run them in turn, over and over, after once for nothing."""
    for function in functions.values():
        function()
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            taken[name].append(seconds_of(function))
    return taken


def table(taken: dict[str, list[float]]) -> Iterator[str]:
    for name, values in taken.items():
        low, high = min(values), max(values)
        yield f"  {name:36} {statistics.median(values):7.3f} s  (from {low:.3f} to {high:.3f})"


def ratio(taken: dict[str, list[float]], rival: str, name: str) -> str:
    ratios = [a / b for a, b in zip(taken[rival], taken[name], strict=True)]
    low, high = min(ratios), max(ratios)
    return f"  ratio: {statistics.median(ratios):.1f} (from {low:.1f} to {high:.1f})"


def main() -> None:
    warnings.filterwarnings("ignore", module="librosa")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--song")
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    song = Song(arguments.song, arguments.seconds)
    print(
        f"{platform.processor() or platform.machine()}, one thread; Python "
        f"{platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, librosa "
        f"{librosa.__version__}; {song.seconds:.0f} s of stereo at {song.rate} Hz"
    )

    classic = librosa_set(song)
    both = {
        "songprint, all descriptors": lambda: ours(song),
        "librosa, classic set": lambda: [function() for function in classic.values()],
    }
    taken = rounds_of(both, arguments.rounds)
    print(*table(taken), ratio(taken, *reversed(both)), sep="\n")
    print("by part:", *table(rounds_of(parts(song), arguments.rounds)), sep="\n")
    print("librosa's:", *table(rounds_of(classic, min(arguments.rounds, 3))), sep="\n")
    loudness = {"intensity": lambda: intensity(song), "the filter alone": lambda: filtered(song)}
    taken = rounds_of(loudness, arguments.rounds)
    print("K weighting:", *table(taken), ratio(taken, *reversed(loudness)), sep="\n")


if __name__ == "__main__":
    main()
