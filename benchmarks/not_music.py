"""Counts what is not music and is called music of some genre, and music that is refused.

Sounds are made by the generators that the head was taught with, under another seed, and cut from
recordings of speech by voices that it never heard; the music is the package's own and a folder's.

Run: python benchmarks/not_music.py [--speech FOLDER_OF_VOICES] [--music FOLDER]
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from songprint.evaluate.metrics import wilson
from songprint.fingerprints import default_fingerprinter
from songprint.learn.negatives import speech_clips, synthetic_clips
from songprint.library.scan import find_songs
from songprint.pieces import PIECES

CLIPS = 40
SEED = 99


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--music", type=Path)
    arguments = parser.parse_args()
    fingerprinter = default_fingerprinter()
    heard, sure = Counter[str](), Counter[str]()

    clips = list(synthetic_clips(CLIPS, SEED))
    if arguments.speech:
        clips += speech_clips(arguments.speech, CLIPS, SEED)
    for clip in clips:
        heard[clip.group] += 1
        sure[clip.group] += not fingerprinter.fingerprint_samples(clip.samples, "").unsure
    print(f"model {fingerprinter.model_version}; called music of some genre, with 95 % intervals:")
    for group in heard:
        print(f"  {group:24} {wilson(sure[group], heard[group])} of {heard[group]}")
    print(f"  {'all that is not music':24} {wilson(sure.total(), heard.total())}")

    pieces = [piece.render(sample_rate_hz=16_000).mean(axis=1) for piece in PIECES]
    judged = [fingerprinter.fingerprint_samples(p.astype(np.float32), "") for p in pieces]
    print(f"  {'synthetic pieces':24} {wilson(sum(not f.unsure for f in judged), len(judged))}")
    if arguments.music:
        songs = [found.path for found in find_songs([str(arguments.music)])]
        judged = [fingerprinter.fingerprint(song) for song in songs]
        print(
            f"  {arguments.music.name:24} {wilson(sum(not f.unsure for f in judged), len(judged))}"
        )


if __name__ == "__main__":
    main()
