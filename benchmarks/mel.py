"""How fast are log-mel frames? Ours against librosa's, on one thread, alternately.

Run: python benchmarks/mel.py [--seconds 120] [--rounds 15]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"  # before numpy is loaded

import librosa
import numpy as np
import scipy

from songprint.audio.mel import (
    FFT_SAMPLES,
    HOP_SAMPLES,
    MEL_BANDS,
    SAMPLE_RATE_HZ,
    log_mel,
)


def librosa_log_mel(samples: np.ndarray) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE_HZ, n_fft=FFT_SAMPLES, hop_length=HOP_SAMPLES, n_mels=MEL_BANDS
    )
    return np.log10(1 + 10_000 * mel).T


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    samples = rng.standard_normal(int(arguments.seconds * SAMPLE_RATE_HZ)).astype(np.float32) * 0.1

    difference = np.abs(log_mel(samples) - librosa_log_mel(samples)).max()
    speeds: dict[str, list[float]] = {"songprint": [], "librosa": []}
    for _ in range(arguments.rounds):
        for system, function in (("songprint", log_mel), ("librosa", librosa_log_mel)):
            # Processor time: what another process does on this core is not counted.
            start = time.process_time()
            function(samples)
            speeds[system].append(arguments.seconds / (time.process_time() - start))
    ratios = [a / b for a, b in zip(speeds["songprint"], speeds["librosa"], strict=True)]
    print(
        f"{platform.processor() or platform.machine()}, one thread; numpy {np.__version__}, "
        f"scipy {scipy.__version__}, librosa {librosa.__version__}; largest difference "
        f"{difference:.1e}"
    )
    for system, values in speeds.items():
        print(f"{system:10} {statistics.median(values):8.0f} x real time")
    low, high = min(ratios), max(ratios)
    print(f"ratio      {statistics.median(ratios):8.2f} (from {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
