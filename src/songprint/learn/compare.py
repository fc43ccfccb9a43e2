"""Compare networks on one budget: the same windows, steps and measures, a table at the end.

    python -m songprint.learn.compare --runs runs CONFIG.toml...

Each configuration is trained in ``runs/compare/NAME`` (and goes on there if interrupted), exported,
and measured on the labelled songs as the accuracy card does, with fewer draws of the folds. The
figures choose a network; the accuracy card measures the one that was chosen.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from songprint.encoder.inference import Encoder
from songprint.evaluate.cost import windows_per_second
from songprint.evaluate.metrics import accuracy
from songprint.evaluate.protocols import Songs, on_folds, on_split
from songprint.evaluate.representations import encode_songs, our_representation
from songprint.evaluate.retrieval import hub_skew, k_occurrence, precision_at_k
from songprint.learn.corpus import Corpus
from songprint.learn.distil import TEACHERS
from songprint.learn.equalise import equalise
from songprint.learn.export import export_encoder, quantise
from songprint.learn.teacher import MusiCNN
from songprint.learn.train import TrainConfig, Trainer

_LOG = logging.getLogger("songprint.learn")

HEADER = (
    "| network | parameters | MMAC a window | windows/s | GTZAN valid, % | Emotify, % "
    "| unheard artists, % | P@10 | hub skew |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def main() -> None:
    """Train and measure the configurations that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m songprint.learn.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("configs", type=Path, nargs="+", metavar="CONFIG.toml")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--teachers", type=Path, default=Path("runs/teachers"))
    parser.add_argument("--steps", type=int, help="instead of what each configuration says")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    teachers = [MusiCNN(arguments.teachers / f"{name}.npz") for name in TEACHERS]
    corpus = Corpus(arguments.runs / "corpus")
    held_out = Path(__file__).with_name("held_out.txt").read_text("utf-8").splitlines()
    rows = [HEADER]
    for path in arguments.configs:
        config = TrainConfig.load(path)
        if arguments.steps:
            config = replace(config, cycles=(arguments.steps,))
        folder = arguments.runs / "compare" / path.stem
        trainer = Trainer(config, arguments.runs / "shards", teachers, folder, torch.device("cpu"))
        encoder = trainer.run(every=100)
        sample = trainer.data.sample()
        equalise(encoder, torch.from_numpy(sample[::8]))
        export_encoder(encoder, folder / "weights", {"trained": {"steps": trainer.step}})
        quantise(folder / "weights", sample)
        rows.append(measure(path.stem, folder / "weights", corpus, frozenset(held_out)))
        _LOG.info("%s\n%s", path.stem, rows[-1])
    print("\n".join(rows))  # noqa: T201


def measure(name: str, folder: Path, corpus: Corpus, held_out: frozenset[str]) -> str:
    """Return a row of the table.

    Parameters
    ----------
    name : str
        What the row is called.
    folder : Path
        Where its network was exported.
    corpus : Corpus
        Holds GTZAN's clips and Emotify's songs.
    held_out : set of str
        Artists that the network never heard.
    """
    encoder = Encoder(folder)
    songs = [song for song in corpus.songs if song.source in {"gtzan", "emotify"}]
    ours = our_representation(encode_songs(encoder, corpus, songs, _LOG.debug))
    genres = np.array([song.genre for song in songs])
    artists = np.array([song.artist for song in songs])
    gtzan = np.array([song.source == "gtzan" for song in songs])
    train = np.array([song.split == "train" for song in songs])[gtzan]
    unheard = np.array([song.artist in held_out for song in songs])[~gtzan]

    clips = on_split(ours.rows(gtzan), genres[gtzan], train)[0].predicted[0]
    emotify = Songs(genres[~gtzan], artists[~gtzan])
    folds = on_folds(ours.rows(~gtzan), emotify, shuffles=2)[0].predicted
    similarity = ours.rows(~gtzan).similarity()
    found = precision_at_k(similarity, emotify.labels, 10, emotify.artists)
    figures = [
        f"{encoder.card['parameters'] / 1e6:.2f} M",
        f"{encoder.card['macs_per_window'] / 1e6:.0f}",
        f"{windows_per_second((folder / 'encoder.onnx').read_bytes()):.0f}",
        f"{accuracy(genres[gtzan][~train], clips).value:.1%}".rstrip("%"),
        f"{(folds == emotify.labels).mean():.1%}".rstrip("%"),
        f"{(folds == emotify.labels)[:, unheard].mean():.1%}".rstrip("%"),
        f"{np.nanmean(found):.3f}",
        f"{hub_skew(k_occurrence(similarity)):.2f}",
    ]
    return f"| {name} | " + " | ".join(figures) + " |"


if __name__ == "__main__":
    main()
