"""Train the encoder and the genre head that the package ships, from the data, in one command.

    python -m songprint.learn --data ../shared/data --teachers runs/teachers --speech SPEECH

Every step is kept in the run folder and skipped when it is there already, so a run that was
interrupted goes on where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from collections import Counter
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch

from songprint.encoder.inference import Encoder as OnnxEncoder
from songprint.genre.background import FILE as BACKGROUND
from songprint.genre.background import write_background
from songprint.learn import heads
from songprint.learn.corpus import Corpus, build
from songprint.learn.distil import TEACHERS, Distiller
from songprint.learn.equalise import equalise
from songprint.learn.export import export_encoder, quantise
from songprint.learn.teacher import MusiCNN
from songprint.learn.train import TrainConfig, Trainer

BACKGROUND_SONGS_PER_ARTIST = 8

_LOG = logging.getLogger("songprint.learn")


def main() -> None:
    """Run the steps that the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m songprint.learn",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--teachers", type=Path, default=Path("runs/teachers"))
    parser.add_argument("--speech", type=Path, help="recordings of speech, a folder a voice")
    parser.add_argument("--music", type=Path, help="more music, a folder an artist or album")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("encoder.toml"))
    parser.add_argument(
        "--held-out",
        type=Path,
        default=Path(__file__).with_name("held_out.txt"),
        help="artists that the encoder never hears, so that it can be measured on them",
    )
    parser.add_argument("--shards", type=int, default=48, help="of 1,024 windows each")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--export-only", action="store_true", help="export the last checkpoint")
    parser.add_argument("--head-only", action="store_true", help="fit the shipped encoder's head")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    corpus_folder = arguments.runs / "corpus"
    if not (corpus_folder / "songs.csv").exists():
        _LOG.info("decoding %s", arguments.data)
        build(arguments.data, corpus_folder, arguments.music)
    corpus = Corpus(corpus_folder)
    weights = Path(str(resources.files("songprint.encoder"))) / "weights"
    if not arguments.head_only:
        _train_encoder(arguments, corpus, weights)
    _fit_head(corpus, arguments.speech)


def _train_encoder(arguments: argparse.Namespace, corpus: Corpus, weights: Path) -> None:
    held_out = arguments.held_out.read_text("utf-8").splitlines()
    shards = arguments.runs / "shards"
    if not arguments.export_only:
        _distil(corpus, arguments.teachers, frozenset(held_out), shards, arguments.shards)
    config = TrainConfig.load(arguments.config)
    teachers = [MusiCNN(arguments.teachers / f"{name}.npz") for name in TEACHERS]
    device = torch.device(arguments.device)
    trainer = Trainer(config, shards, teachers, arguments.runs / "encoder", device)
    if not arguments.export_only:
        _LOG.info("training from step %d to %d", trainer.step, config.steps)
        trainer.run()
    facts: dict[str, Any] = {
        "trained": {
            "windows": len(trainer.data),
            "steps": trainer.step,
            "batch_windows": config.batch_windows,
            "held_out_artists": held_out,
        },
        "network": asdict(config.network),
    }
    sample = trainer.data.sample()
    encoder = trainer.averaged_encoder().to("cpu")
    equalise(encoder, torch.from_numpy(sample[::8]))
    export_encoder(encoder, weights, facts)
    _LOG.info("wrote %s", quantise(weights, sample))


def _distil(
    corpus: Corpus, teachers: Path, held_out: frozenset[str], folder: Path, count: int
) -> None:
    missing = [n for n in range(count) if not (folder / f"{n:05d}.npz").exists()]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    distiller = Distiller(corpus, teachers, held_out)
    for number in missing:
        distiller.shard(number).save(folder / f"{number:05d}.npz")
        _LOG.info("distilled shard %d of %d", number + 1, count)


def _fit_head(corpus: Corpus, speech: Path | None) -> None:
    encoder = OnnxEncoder()
    _write_background(encoder, corpus)
    head, report = heads.fit(heads.gather(encoder, corpus, speech), encoder.sha256)
    target = Path(str(resources.files("songprint.genre"))) / "weights" / "head.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(head.to_json(), encoding="utf-8")
    _LOG.info("wrote %s\n%s", target, json.dumps(report, indent=1))


def _write_background(encoder: OnnxEncoder, corpus: Corpus) -> None:
    """Write what a personal genre is told from when its owner has nothing else at hand."""
    songs = [song for song in corpus.songs if song.source != "gtzan"]
    # No more than a few of each: one synthesiser or one album must not be what "other" means.
    taken = Counter[str]()
    kept = []
    for song in sorted(songs, key=lambda song: hashlib.sha256(song.name.encode()).digest()):
        taken[song.artist] += 1
        if taken[song.artist] <= BACKGROUND_SONGS_PER_ARTIST:
            kept.append(song)
    embeddings = np.stack([heads.embed_song(encoder, corpus.frames(song))[0] for song in kept])
    artists = np.array([song.artist for song in kept])
    target = Path(str(resources.files("songprint.genre"))) / "weights" / BACKGROUND
    write_background(target, embeddings, artists, encoder.sha256)
    _LOG.info("wrote %s: %d songs", target, len(kept))


if __name__ == "__main__":
    main()
