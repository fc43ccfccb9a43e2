"""From an exported 32-bit ONNX encoder back to the PyTorch network, so that it can learn on.

The exporter keeps the names of a filter bank's weights, so that each finds its place.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES
from songprint.errors import ModelError
from songprint.learn.export import PARITY_TOLERANCE, parity
from songprint.learn.filterbank import FilterBankConfig
from songprint.learn.networks import NetworkConfig
from songprint.learn.student import Encoder
from songprint.learn.train import TrainConfig, network_config

SHIPPED_CONFIG = Path(__file__).with_name("encoder.toml")


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
        encoder.load_state_dict(_named_weights(graph) | _not_exported(encoder))
        windows = torch.rand(
            (3, WINDOW_FRAMES, MEL_BANDS), generator=torch.Generator().manual_seed(0)
        )
        difference = parity(encoder, path, windows * 3)
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: of another architecture than this version trains") from error
    if difference > PARITY_TOLERANCE:
        raise ModelError(f"{path}: the restored network differs from it by {difference:.2g}")
    return encoder


def _network(card: dict[str, Any]) -> NetworkConfig | FilterBankConfig:
    if "network" not in card:
        return TrainConfig.load(SHIPPED_CONFIG).network
    return network_config(card["network"])


def _named_weights(graph: Any) -> dict[str, torch.Tensor]:
    from onnx import numpy_helper

    weights = {
        item.name: torch.from_numpy(numpy_helper.to_array(item).copy())
        for item in graph.initializer
    }
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in weights:  # equal ones are stored once
            weights[node.output[0]] = weights[node.input[0]]
    return {name: weight for name, weight in weights.items() if "::" not in name}


def _not_exported(encoder: Encoder) -> dict[str, torch.Tensor]:
    """Return what a network counts while it trains."""
    return {k: v for k, v in encoder.state_dict().items() if k.endswith("num_batches_tracked")}
