"""From a trained PyTorch encoder to the ONNX file and card that the package ships."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES
from songprint.errors import ModelError
from songprint.learn.networks import count_macs
from songprint.learn.student import Encoder
from songprint.learn.teacher import MSD_TAGS, MTT_TAGS

OPSET = 17
PARITY_TOLERANCE = 1e-4
QUANTISED_COSINE = 0.995

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
    to_onnx(encoder.eval(), example, partial, ["embedding", "tags"])
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


def quantise(folder: Path, windows: NDArray[np.float32]) -> Path:
    """Turn an exported encoder's products into those of 8-bit integers.

    Weights are rounded to seven bits, so that no processor's 16-bit sums overflow: those without
    dot products of bytes (VNNI) would otherwise hear other embeddings than those with them. The
    32-bit network stays beside it as ``encoder.fp32.onnx``.

    Parameters
    ----------
    folder : Path
        Where :func:`export_encoder` wrote.
    windows : ndarray [shape=(n, 187, 96)]
        Music from which the range of each layer's values is taken, and with which the loss of
        direction is measured (by halves).

    Returns
    -------
    Path
        The 8-bit ``encoder.onnx``.

    Raises
    ------
    ModelError
        If the mean cosine between 8-bit and 32-bit embeddings is below 0.995; the 32-bit network
        stays in its place.
    """
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    calibration, judged = windows[::2], windows[1::2]

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter(np.array_split(calibration, max(1, len(calibration) // 32)))

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            batch = next(self._batches, None)
            return None if batch is None else {"windows": batch}

    full, target = folder / "encoder.fp32.onnx", folder / "encoder.onnx"
    partial = folder / "encoder.partial.onnx"
    with TemporaryDirectory() as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        quant_pre_process(target, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            partial,
            Reader(),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["Conv", "MaxPool"],
            nodes_to_exclude=_better_in_floats(prepared),
        )
    exact, rounded = (_embeddings(path, judged) for path in (target, partial))
    cosines = (exact * rounded).sum(axis=1)
    if cosines.mean() < QUANTISED_COSINE:
        partial.unlink()
        raise ModelError(f"8 bits turn the embeddings: mean cosine {cosines.mean():.4f}")
    target.replace(full)
    partial.replace(target)
    path = folder / "encoder.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card |= {
        "fp32": {"sha256": card["sha256"], "bytes": card["bytes"]},
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "bytes": target.stat().st_size,
        "int8_cosine": {
            "mean": round(float(cosines.mean()), 4),
            "least": round(float(cosines.min()), 4),
        },
    }
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return target


def _better_in_floats(network: Path) -> list[str]:
    """Name what stays in floats.

    Convolutions of one channel, which take longer in bytes, and what feeds them; and convolutions
    over time alone, which cost little and whose inputs reach too far for eight bits.
    """
    import onnx

    graph = onnx.load(network).graph
    shapes = {item.name: item.dims for item in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    names = {
        n.name: None for n in graph.node if n.op_type == "Conv" and len(shapes[n.input[1]]) == 3
    }
    waiting = [n for n in graph.node if n.op_type == "Conv" and shapes[n.input[1]][1] == 1]
    while waiting:
        node = waiting.pop()
        if node.name not in names:
            names[node.name] = None
            waiting += [makers[name] for name in node.input if name in makers]
    return list(names)


def _embeddings(onnx_file: Path, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
    embeddings: NDArray[np.float32] = session.run(["embedding"], {"windows": windows})[0]
    return embeddings


def to_onnx(network: nn.Module, windows: torch.Tensor, path: Path, outputs: list[str]) -> None:
    """Write a network of windows, however many, as ONNX; `windows` are an example."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter deprecates itself on every call
        torch.onnx.export(
            network,
            (windows,),
            str(path),
            input_names=["windows"],
            output_names=outputs,
            dynamic_axes={name: {0: "n"} for name in ("windows", *outputs)},
            opset_version=OPSET,
            do_constant_folding=False,  # it would rename weights, which `restore` finds by name
            dynamo=False,
        )


def parity(network: nn.Module, onnx_file: Path, windows: torch.Tensor) -> float:
    """Return the largest difference between PyTorch's and ONNX Runtime's outputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
    ours = session.run(None, {"windows": windows.numpy()})
    with torch.inference_mode():
        theirs = network(windows)
    pairs = zip(ours, theirs if isinstance(theirs, tuple) else (theirs,), strict=True)
    return max(float(np.abs(a - b.numpy()).max()) for a, b in pairs)
