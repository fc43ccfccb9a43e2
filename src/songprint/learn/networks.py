"""The student network: what the package's ONNX encoder is trained as.

Inverted residual blocks after MobileNetV2 [1]_ (fused where a map has few channels, as in
EfficientNetV2 [2]_), strided over frequency before time: genre lives in how spectra move, and a
window has only 187 frames. The map is then collapsed over frequency, looked at over a
second or more by bottlenecked filters (the teacher's longest last two seconds), and pooled over
time by mean and maximum, as the teacher does.

References
----------
.. [1] M. Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018.
.. [2] M. Tan and Q. Le, "EfficientNetV2: smaller models and faster training", ICML 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES
from songprint.learn.mixed_maximum import MixedMaximum


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of a student.

    Attributes
    ----------
    stem
        Channels of the first convolution.
    stages
        One tuple a stage: channels, blocks, expansion, time stride, frequency stride, fused.
    collapsed
        Channels once frequency is gone.
    temporal
        One tuple a block that follows: narrow channels, filter length in frames of the map.
    dropout
        Share of the pooled features that a training step leaves out.
    """

    stem: int = 24
    stages: tuple[tuple[int, int, int, int, int, bool], ...] = (
        (24, 1, 2, 1, 2, True),
        (40, 2, 4, 2, 2, False),
        (64, 3, 4, 1, 2, False),
        (112, 3, 4, 2, 1, False),
    )
    collapsed: int = 384
    temporal: tuple[tuple[int, int], ...] = ()
    dropout: float = 0.0


def _convolution(
    inputs: int, outputs: int, kernel: tuple[int, int], stride: tuple[int, int], groups: int = 1
) -> nn.Sequential:
    padding = (kernel[0] // 2, kernel[1] // 2)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


class InvertedResidual(nn.Module):
    """Widen, filter each channel in time and frequency, narrow; [n, c, t, f] → [n, c', t', f']."""

    def __init__(
        self, inputs: int, outputs: int, expansion: int, stride: tuple[int, int], fused: bool
    ) -> None:
        super().__init__()
        wide = inputs * expansion
        self.residual = stride == (1, 1) and inputs == outputs
        if fused:
            widen: list[nn.Module] = [_convolution(inputs, wide, (3, 3), stride), nn.ReLU()]
        else:
            widen = [
                _convolution(inputs, wide, (1, 1), (1, 1)),
                nn.ReLU(),
                _convolution(wide, wide, (5, 3), stride, groups=wide),
                nn.ReLU(),
            ]
        self.body = nn.Sequential(*widen, _convolution(wide, outputs, (1, 1), (1, 1)))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y: Tensor = self.body(x)
        return x + y if self.residual else y


class TemporalBlock(nn.Module):
    """Narrow, filter over time, widen; [n, c, t] → [n, c, t]."""

    def __init__(self, channels: int, narrow: int, length: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(channels, narrow, 1, bias=False),
            nn.BatchNorm1d(narrow),
            nn.ReLU(),
            nn.Conv1d(narrow, narrow, length, padding=length // 2, bias=False),
            nn.BatchNorm1d(narrow),
            nn.ReLU(),
            nn.Conv1d(narrow, channels, 1, bias=False),
            nn.BatchNorm1d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y: Tensor = self.body(x)
        return F.relu(x + y)


class Student(nn.Module):
    """The encoder's trunk: windows of log-mel frames to features over time."""

    input_mean: Tensor
    input_scale: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.channels = config.collapsed
        self.register_buffer("input_mean", torch.zeros(MEL_BANDS))
        self.register_buffer("input_scale", torch.ones(MEL_BANDS))
        layers: list[nn.Module] = [_convolution(1, config.stem, (5, 5), (2, 2)), nn.ReLU()]
        channels, bands = config.stem, (MEL_BANDS + 1) // 2
        self.time_stride = 2
        for outputs, blocks, expansion, time_stride, band_stride, fused in config.stages:
            for block in range(blocks):
                stride = (time_stride, band_stride) if block == 0 else (1, 1)
                layers.append(InvertedResidual(channels, outputs, expansion, stride, fused))
                channels = outputs
            bands = (bands - 1) // band_stride + 1
            self.time_stride *= time_stride
        self.map = nn.Sequential(*layers)
        self.collapse = nn.Sequential(
            nn.Conv2d(channels, config.collapsed, (1, bands), bias=False),
            nn.BatchNorm2d(config.collapsed),
            nn.ReLU(),
        )
        self.temporal = nn.Sequential(
            *[TemporalBlock(config.collapsed, *shape) for shape in config.temporal]
        )

    def forward(self, windows: Tensor) -> list[Tensor]:
        """Map [n, 187, 96] log-mel windows to [n, collapsed, ceil(187 / time_stride)] features."""
        x = (windows - self.input_mean) * self.input_scale
        over_time: Tensor = self.temporal(self.collapse(self.map(x[:, None]))[..., 0])
        return [over_time]


def count_macs(network: nn.Module) -> int:
    """Count the multiply-accumulates that one window costs in convolutions and dense layers."""
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv1d | nn.Conv2d):
            kernel = module.weight[0].numel()
            total += kernel * output[0].numel()
        elif isinstance(module, MixedMaximum):
            total += module.weight.numel() * inputs[0][0, 0].numel()
        elif isinstance(module, nn.Linear):
            total += module.in_features * module.out_features

    hooks = [m.register_forward_hook(count) for m in network.modules()]
    was_training = network.training
    with torch.inference_mode():
        network.eval()(torch.zeros(1, WINDOW_FRAMES, MEL_BANDS))
    network.train(was_training)
    for hook in hooks:
        hook.remove()
    return total
