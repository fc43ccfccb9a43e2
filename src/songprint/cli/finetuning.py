"""What ``songprint train --finetune`` adds: an encoder of one's own, if it is worth it.

PyTorch and all that needs it, of the extra ``[train]``, is imported only when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from songprint.cli.learnt import Learnt
from songprint.cli.text import complain
from songprint.errors import UsageError

if TYPE_CHECKING:
    from songprint.encoder.inference import Encoder
    from songprint.evaluate.metrics import Share
    from songprint.genre.personal import Examples
    from songprint.learn.finetune import Finetuner
    from songprint.learn.student import Encoder as Network

LIKELY_CHANCE = 0.05
"""From this p on, people are told that the gain may be chance."""

ENCODER_FILES = ("encoder.onnx", "encoder.json")


@dataclass(frozen=True, eq=False)
class Finetuned:
    """What came of fine-tuning.

    Attributes
    ----------
    learnt : Learnt
        The head to store: the fine-tuned encoder's, or else the frozen one's.
    kept : bool
        Whether it is the fine-tuned one's.
    frozen, finetuned : Share
        Accuracy of both on the same held-out artists.
    p : float
        Of McNemar's exact test: how likely such a difference is between equally good encoders.
    nearness : float
        Mean cosine between the songs' embeddings before and after.
    """

    learnt: Learnt
    kept: bool
    frozen: Share
    finetuned: Share
    p: float
    nearness: float

    def document(self) -> dict[str, Any]:
        """Return what the JSON document says of it."""
        return {
            "kept": self.kept,
            "frozen": _share(self.frozen),
            "finetuned": _share(self.finetuned),
            "p": round(self.p, 4),
            "cosine_to_frozen": round(self.nearness, 4),
            "encoder": self.learnt.personal.encoder or None,
        }

    def lines(self) -> list[str]:
        """Return what people are told of it."""
        from songprint.learn.finetune import MIN_NEARNESS

        lines = [
            "on the same artists, none of them learnt from: "
            f"frozen {self.frozen}, fine-tuned {self.finetuned} (McNemar's p {self.p:.2g})",
        ]
        if self.kept:
            lines.append(
                "the fine-tuned encoder is kept; as it was chosen on these songs, its accuracy "
                "flatters a little"
            )
            if self.p >= LIKELY_CHANCE:
                lines.append("the gain may be chance: more songs, by more artists, would tell")
        elif self.finetuned.successes > self.frozen.successes:
            lines.append(
                f"it moves embeddings too far (mean cosine {self.nearness:.2f}, "
                f"{MIN_NEARNESS} is needed): the frozen encoder is kept"
            )
        else:
            lines.append("fine-tuning is not better: the frozen encoder is kept")
        return lines


def _share(share: Share) -> dict[str, float]:
    return {
        "share": round(share.value, 4),
        "low": round(share.low, 4),
        "high": round(share.high, 4),
        "right": share.successes,
        "songs": share.trials,
    }


def trainable(encoder: Encoder) -> Network:
    """Return an encoder as the network that can be trained on.

    Raises
    ------
    UsageError
        Where the extra ``[train]`` is not installed.
    ModelError
        If the encoder is not of the architecture that this version trains.
    """
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "--finetune needs PyTorch, which is not installed: pip install 'songprint[train]'"
        ) from error
    from songprint.learn.restore import restore_encoder

    return restore_encoder(Path(str(encoder.folder)))


def finetune_songs(
    network: Network,
    frozen: Learnt,
    examples: Examples,
    paths: list[str],
    place: Path,
    workers: int,
) -> Finetuned:
    """Fine-tune the encoder, measure it, and write it if it is worth it.

    Parameters
    ----------
    network
        Where to start.
    frozen
        What was learnt on its embeddings.
    examples
        The songs that it was learnt from.
    paths
        Their files.
    place
        Where the personal genre file will be stored; the encoder goes beside it.
    workers
        How many threads to use.

    Raises
    ------
    UsageError
        If the encoder cannot be written.
    DecodeError
        If a song cannot be heard any more.
    """
    import numpy as np
    import torch

    from songprint.cli.progress import EpochProgress
    from songprint.evaluate.intervals import mcnemar
    from songprint.evaluate.metrics import share_of
    from songprint.genre.personal import conclude
    from songprint.learn import finetune as tuning

    torch.set_num_threads(workers)
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(tuning.song_windows, paths))
    windows = tuning.gather(parts, examples.labels, examples.artists)
    config = tuning.FinetuneConfig()
    tuner = tuning.Finetuner(network, windows, config)
    complain(_announcement(tuner, workers))
    learnt = frozen
    with EpochProgress((tuner.runs + 1) * config.epochs) as progress:
        tuner.on_epoch = progress.count
        comparison = tuner.compare()
        tuned = tuner.finetune(np.ones(len(paths), np.bool_)) if comparison.kept else None
    if tuned is not None:
        facts = tuning.facts(tuned, frozen.personal.head.encoder_sha256, windows)
        facts["cosine_to_original"] = round(comparison.nearness, 4)
        folder, sha256 = _write_encoder(tuned, place, facts)
        moved = tuner.embed(tuned)
        personal, held_out = conclude(
            moved, frozen.personal.name, sha256, comparison.finetuned, comparison.strength
        )
        personal = replace(personal, encoder=folder.relative_to(place.parent).as_posix())
        learnt = Learnt.measure(personal, moved, held_out)
    finetuned_right, frozen_right = comparison.right
    return Finetuned(
        learnt,
        comparison.kept,
        share_of(frozen_right, examples.artists),
        share_of(finetuned_right, examples.artists),
        mcnemar(finetuned_right, frozen_right).p,
        comparison.nearness,
    )


def _announcement(tuner: Finetuner, threads: int) -> str:
    minutes = max(1, round(tuner.estimate_seconds() / 60))
    return (
        f"fine-tuning on {len(tuner.windows.windows)} windows of {len(tuner.windows.labels)} "
        f"songs: {tuner.config.epochs} epochs for each of {tuner.runs} groups of artists and for "
        f"all, about {minutes} minute{'s' * (minutes != 1)} on the CPU (threads: {threads})"
    )


def encoders_folder(place: Path) -> Path:
    """Return where the encoders of a personal genre file lie: NAME.encoder for NAME.json."""
    name = place.stem if place.suffix == ".json" else place.name
    return place.with_name(f"{name}.encoder")


def _write_encoder(network: Network, place: Path, facts: dict[str, Any]) -> tuple[Path, str]:
    """Write the encoder into a folder named by its checksum, whole or not at all."""
    from songprint.encoder.inference import Encoder
    from songprint.learn.export import export_encoder

    parent = encoders_folder(place)
    part: Path | None = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        part = Path(mkdtemp(prefix="part-", dir=parent))
        export_encoder(network, part, facts)
        sha256 = Encoder(part).sha256
        folder = parent / sha256[:8]
        if folder.is_dir():  # made by the same run before, perhaps for the file that is there now
            for name in ENCODER_FILES:
                (part / name).replace(folder / name)
        else:
            part.rename(folder)
    except OSError as error:
        raise UsageError(f"{parent}: cannot be written: {error.strerror or error}") from error
    finally:
        if part is not None and part.exists():
            _remove([part])
    return folder, sha256


def remove_unused(place: Path, used: str) -> None:
    """Remove the encoders that the stored personal genre file does not name any more.

    Parameters
    ----------
    place
        The personal genre file.
    used
        Folder of its encoder, relative to its own; empty if it has none.
    """
    parent = encoders_folder(place)
    if parent.is_dir():
        _remove([folder for folder in parent.iterdir() if folder != place.parent / used])
        with suppress(OSError):
            parent.rmdir()


def _remove(folders: Iterable[Path]) -> None:
    """Remove what songprint wrote there, and nothing else; what cannot be removed may stay."""
    for folder in folders:
        if folder.is_dir() and not folder.is_symlink():
            for name in (*ENCODER_FILES, "encoder.partial.onnx"):
                with suppress(OSError):
                    (folder / name).unlink()
            with suppress(OSError):
                folder.rmdir()
