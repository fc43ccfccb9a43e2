"""From a trained PyTorch encoder to the ONNX file and card that the package ships."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES
from songprint.errors import ModelError
from songprint.learn.networks import count_macs
from songprint.learn.teacher import MSD_TAGS, MTT_TAGS
from songprint.learn.train import Encoder

OPSET = 17
PARITY_TOLERANCE = 1e-4

TAG_NAMES = tuple(f"msd/{tag}" for tag in MSD_TAGS) + tuple(f"mtt/{tag}" for tag in MTT_TAGS)


def export_encoder(encoder: Encoder, folder: Path, facts: dict[str, Any]) -> Path:
    """Write ``encoder.onnx`` and ``encoder.json``.

    Parameters
    ----------
    encoder : Encoder
        In evaluation mode, on the CPU.
    folder : Path
        Where both files go.
    facts : dict
        What the card says besides checksum, size, cost and tags.

    Returns
    -------
    Path
        The ONNX file.

    Raises
    ------
    ModelError
        If ONNX Runtime's outputs differ from PyTorch's by more than 1e-4; nothing is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    example = torch.rand(3, WINDOW_FRAMES, MEL_BANDS) * 3
    target = folder / "encoder.onnx"
    partial = folder / "encoder.partial.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter deprecates itself on every call
        torch.onnx.export(
            encoder.eval(),
            (example,),
            str(partial),
            input_names=["windows"],
            output_names=["embedding", "tags"],
            dynamic_axes={name: {0: "n"} for name in ("windows", "embedding", "tags")},
            opset_version=OPSET,
            dynamo=False,
        )
    difference = parity(encoder, partial, example)
    if difference > PARITY_TOLERANCE:
        partial.unlink()
        raise ModelError(f"the ONNX encoder differs from PyTorch's by {difference:.2g}")
    partial.replace(target)
    weights = target.read_bytes()
    card = {
        "sha256": hashlib.sha256(weights).hexdigest(),
        "bytes": len(weights),
        "parameters": sum(p.numel() for p in encoder.parameters()),
        "macs_per_window": count_macs(encoder),
        "parity": float(f"{difference:.2g}"),
        **facts,
        "tags": list(TAG_NAMES),
    }
    (folder / "encoder.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return target


def parity(encoder: Encoder, onnx_file: Path, windows: torch.Tensor) -> float:
    """Return the largest difference between PyTorch's and ONNX Runtime's outputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
    ours = session.run(["embedding", "tags"], {"windows": windows.numpy()})
    with torch.inference_mode():
        theirs = encoder(windows)
    pairs = zip(ours, theirs, strict=True)
    return max(float(np.abs(a - b.numpy()).max()) for a, b in pairs)
