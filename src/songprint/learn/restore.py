"""From an exported 32-bit ONNX encoder back to the PyTorch network, so that it can learn on.

The exporter has folded most batch norms into the convolutions before them. They come back as norms
that only add the folded bias: the restored network computes what the file computes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES
from songprint.errors import ModelError
from songprint.learn.export import PARITY_TOLERANCE, parity
from songprint.learn.networks import NetworkConfig
from songprint.learn.student import Encoder
from songprint.learn.train import TrainConfig

SHIPPED_CONFIG = Path(__file__).with_name("encoder.toml")

Arrays = list[NDArray[np.float32]]


def restore_encoder(folder: Path) -> Encoder:
    """Rebuild an exported encoder.

    Parameters
    ----------
    folder : Path
        Holds ``encoder.json`` and ``encoder.fp32.onnx`` or, where nothing was turned into eight
        bits, ``encoder.onnx``.

    Returns
    -------
    Encoder
        In evaluation mode.

    Raises
    ------
    ModelError
        If the files cannot be read or are of another architecture than the card states, or than
        ``learn/encoder.toml`` where it states none.
    """
    import onnx

    full = folder / "encoder.fp32.onnx"
    path = full if full.exists() else folder / "encoder.onnx"
    try:
        card = json.loads((folder / "encoder.json").read_text("utf-8"))
        graph = onnx.load(path).graph
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: the encoder cannot be read: {error}") from error
    except Exception as error:  # protobuf raises its own class for a damaged file
        raise ModelError(f"{path}: no ONNX network: {error}") from error
    encoder = Encoder(_network(card)).eval()
    try:
        _fill(encoder, graph)
        windows = torch.rand(
            (3, WINDOW_FRAMES, MEL_BANDS), generator=torch.Generator().manual_seed(0)
        )
        difference = parity(encoder, path, windows * 3)
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: of another architecture than this version trains") from error
    if difference > PARITY_TOLERANCE:
        raise ModelError(f"{path}: the restored network differs from it by {difference:.2g}")
    return encoder


def _network(card: dict[str, Any]) -> NetworkConfig:
    if "network" not in card:
        return TrainConfig.load(SHIPPED_CONFIG).network
    values: dict[str, Any] = {
        name: tuple(tuple(block) for block in value) if isinstance(value, list) else value
        for name, value in card["network"].items()
    }
    return NetworkConfig(**values)


def _fill(encoder: Encoder, graph: Any) -> None:
    """Put the graph's numbers into the network; `ValueError` where they do not fit."""
    found: dict[str, list[Arrays]] = {}
    for kind, arrays in _weighted_nodes(graph):
        found.setdefault(kind, []).append(arrays)
    with torch.no_grad():
        trunk = encoder.trunk
        (mean,), (scale,) = found["Sub"][0], found["Mul"][0]
        _put(trunk.input_mean, mean)
        _put(trunk.input_scale, scale)
        layers = list(_convolutions(trunk))
        for (convolution, norm), (weight, bias) in zip(layers, found["Conv"], strict=True):
            _put(convolution.weight, weight)
            _put(norm.bias, bias)
            _neutralise(norm)
        norm, ((gamma, beta, mean, variance),) = encoder.pooled_norm, found["BatchNormalization"]
        _put(norm.weight, gamma)
        _put(norm.bias, beta)
        _put(_buffer(norm.running_mean), mean)
        _put(_buffer(norm.running_var), variance)
        dense = (encoder.hidden, encoder.embedding, encoder.tags)  # in the order of `forward`
        for layer, (weight, bias) in zip(dense, found["Gemm"], strict=True):
            _put(layer.weight, weight)
            _put(layer.bias, bias)


def _weighted_nodes(graph: Any) -> Iterator[tuple[str, Arrays]]:
    """Yield each operation that has numbers of its own, and these, in order of execution."""
    from onnx import numpy_helper

    numbers = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity":  # equal initialisers are stored once
            if node.input[0] in numbers:
                numbers[node.output[0]] = numbers[node.input[0]]
        elif arrays := [numbers[name] for name in node.input if name in numbers]:
            yield node.op_type, arrays


def _convolutions(trunk: nn.Module) -> Iterator[tuple[nn.Module, nn.Module]]:
    """Yield each convolution with the batch norm after it."""
    layers = [
        module
        for module in trunk.modules()
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.BatchNorm1d | nn.BatchNorm2d)
    ]
    yield from zip(layers[::2], layers[1::2], strict=True)


def _neutralise(norm: nn.Module) -> None:
    """Let a batch norm do nothing but add its bias."""
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
    norm.weight.fill_(1)
    _buffer(norm.running_mean).zero_()
    # The norm adds epsilon to the variance before it divides by the root.
    _buffer(norm.running_var).fill_(1 - norm.eps)


def _buffer(value: Tensor | None) -> Tensor:
    assert value is not None
    return value


def _put(target: Any, numbers: NDArray[np.float32]) -> None:
    if target.shape != numbers.shape:
        raise ValueError(f"shape {numbers.shape} where {tuple(target.shape)} is needed")
    target.copy_(torch.from_numpy(numbers.copy()))
