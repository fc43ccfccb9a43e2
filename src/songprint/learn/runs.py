"""What a training run keeps in its folder: ``config.json``, ``log.jsonl``, ``checkpoint.pt``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from songprint.errors import UsageError


def claim(folder: Path, config: dict[str, Any]) -> None:
    """Make a folder that of a run of a configuration.

    Raises
    ------
    UsageError
        If it holds a run of another configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    described = json.dumps(config, indent=1)
    path = folder / "config.json"
    if path.exists() and path.read_text(encoding="utf-8") != described:
        raise UsageError(f"{folder}: holds a run of another configuration")
    path.write_text(described, encoding="utf-8")


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint, replacing the last one only once it is whole."""
    partial = folder / "checkpoint.partial"
    torch.save(state, partial)
    partial.replace(folder / "checkpoint.pt")


def load_checkpoint(folder: Path, device: torch.device) -> dict[str, Any] | None:
    """Return the last checkpoint, or None where there is none yet."""
    path = folder / "checkpoint.pt"
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location=device)
    return state


def log(folder: Path, line: dict[str, Any]) -> None:
    """Add a line to the log."""
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Let averaged weights follow those of a model after a step, faster at first."""
    decay = min(decay, (1 + step) / (10 + step))
    pairs = zip(average.state_dict().values(), model.state_dict().values(), strict=True)
    for mean, value in pairs:
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)
