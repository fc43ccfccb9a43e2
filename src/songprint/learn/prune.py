"""Takes out of a filter bank what never answers, which leaves what it computes as it is.

Most of MusiCNN's filters died in its own training: whatever they hear, their answer is the same.
Such an answer is a constant that later layers can add by themselves.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from songprint.learn.filterbank import FilterBank, TemporalFilters, TimbralFilters
from songprint.learn.student import Encoder

MULTIPLE = 16
"""Filters are kept by as many, which is what a processor computes at once."""


def prune(encoder: Encoder, windows: Tensor) -> Encoder:
    """Return an encoder without the filters whose answers do not vary.

    Parameters
    ----------
    encoder : Encoder
        In evaluation mode. One whose trunk is no filter bank is returned as it is.
    windows : Tensor [shape=(n, 187, 96)]
        Music to hear whether a filter answers; some hundreds of windows.
    """
    trunk = encoder.trunk
    if not isinstance(trunk, FilterBank) or trunk.config.kept is not None:
        return encoder
    with torch.no_grad():
        heard = [trunk.front(part) for part in torch.split(windows, 32)]
        parts = [
            torch.cat(layers).transpose(0, 1).flatten(1) for layers in zip(*heard, strict=True)
        ]
        kept = [_living(part) for part in parts]
        constants = [part[:, 0] for part in parts]
        first, second, third = (len(rows) for rows in kept)
        pruned = Encoder(replace(trunk.config, kept=(first, second, third))).eval()
        _fill(pruned, encoder, kept, constants)
    return pruned


def _living(answers: Tensor) -> Tensor:
    """Return the channels of [c, m] that vary, and as many more as make a whole multiple."""
    spread = answers.var(1)
    living = int((spread > 1e-12 * spread.max()).sum())
    count = min(-(-max(living, 1) // MULTIPLE) * MULTIPLE, len(spread))
    return spread.argsort(descending=True)[:count].sort().values


def _fill(pruned: Encoder, encoder: Encoder, kept: list[Tensor], constants: list[Tensor]) -> None:
    old, new = encoder.trunk, pruned.trunk
    assert isinstance(old, FilterBank)
    assert isinstance(new, FilterBank)
    state = {
        name: value
        for name, value in encoder.state_dict().items()
        if name in pruned.state_dict() and value.shape == pruned.state_dict()[name].shape
    }
    pruned.load_state_dict(state, strict=False)
    fronts = zip((*old.timbral, old.temporal), (*new.timbral, new.temporal), kept, strict=True)
    for before, after, rows in fronts:
        assert isinstance(before, TimbralFilters | TemporalFilters)
        assert isinstance(after, TimbralFilters | TemporalFilters)
        after.rectify.largest.weight.copy_(before.rectify.largest.weight[rows])
        for name in ("turn", "finish"):
            source, target = getattr(before.rectify, name), getattr(after.rectify, name)
            target.scale.copy_(source.scale[rows])
            target.shift.copy_(source.shift[rows])
    for source, target, rows, constant in zip(
        old.middle.narrow, new.middle.narrow, kept, constants, strict=True
    ):
        assert isinstance(source, nn.Conv1d)
        assert isinstance(target, nn.Conv1d)
        assert source.bias is not None
        assert target.bias is not None
        dense = _dense(source)
        target.weight.copy_(dense[:, rows, None])
        target.bias.copy_(source.bias + dense @ _without(constant, rows))
    _follow(pruned, encoder, kept, constants)


def _dense(layer: nn.Conv1d) -> Tensor:
    """Return the weights of a convolution of length one, in groups, as one matrix."""
    weight = torch.zeros(layer.out_channels, layer.in_channels)
    blocks = layer.weight[..., 0].chunk(layer.groups)
    for number, block in enumerate(blocks):
        rows, columns = block.shape
        weight[number * rows :, number * columns :][:rows, :columns] = block
    return weight


def _without(constant: Tensor, rows: Tensor) -> Tensor:
    """Return the constants of the channels that go, and 0 for those that stay."""
    gone = constant.clone()
    gone[rows] = 0
    return gone


def _follow(pruned: Encoder, encoder: Encoder, kept: list[Tensor], constants: list[Tensor]) -> None:
    """Take what is gone out of the norm and the hidden layer, and add what it always gave."""
    norm, new_norm = encoder.pooled_norm, pruned.pooled_norm
    assert norm.running_mean is not None
    assert norm.running_var is not None
    channels = encoder.trunk.channels
    sizes = [len(constant) for constant in constants]
    middle = torch.arange(sum(sizes), channels)
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    stay = torch.cat([*(rows + start for rows, start in zip(kept, starts, strict=True)), middle])
    both = torch.cat([stay, stay + channels])
    for name in ("running_mean", "running_var", "weight", "bias"):
        getattr(new_norm, name).copy_(getattr(norm, name)[both])
    pooled = torch.zeros(2 * channels)
    known = torch.cat(constants)
    pooled[: len(known)], pooled[channels : channels + len(known)] = known, known
    normal = (pooled - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    normal = normal * norm.weight + norm.bias
    normal[both] = 0
    pruned.hidden.weight.copy_(encoder.hidden.weight[:, both])
    pruned.hidden.bias.copy_(encoder.hidden.bias + encoder.hidden.weight @ normal)
