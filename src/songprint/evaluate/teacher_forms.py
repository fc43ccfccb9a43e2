"""The teacher written in ways that ONNX can say, so that its speed is compared fairly.

PyTorch's, of :mod:`songprint.learn.teacher`, is quick there but cannot be exported. These compute
the same: convolutions as they are, and with time unfolded into channels, which turns the longest
filters into matrix products.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES
from songprint.learn.teacher import MusiCNN

OPSET = 17
TIMBRAL_FRAMES = 7
TEMPORAL_FRAMES = (128, 64, 32)


class DirectMusiCNN(MusiCNN):
    """The first layer as convolutions of two dimensions."""

    def answers(self, windows: Tensor) -> list[Tensor]:
        """Return each filter's largest answer over bands."""
        x, answers = windows * self.scale_0 + self.shift_0, []
        for kernel in self._kernels():
            largest = F.conv2d(pad_time(x, kernel.shape[2])[:, None], kernel).amax(3)
            answers.append(largest.transpose(1, 2))
        return answers

    def _kernels(self) -> list[Tensor]:
        kernels = []
        for i in range(2):
            kernel: Tensor = getattr(self, f"kernel_{i}")
            taps = kernel.view(len(kernel), -1, TIMBRAL_FRAMES).transpose(1, 2)
            kernels.append(taps[:, None].contiguous())
        for i in range(len(TEMPORAL_FRAMES)):
            kernel = getattr(self, f"kernel_{i + 2}")
            kernels.append(kernel[:, None, :, None])
        return kernels


class UnfoldedMusiCNN(DirectMusiCNN):
    """The first layer with a filter's frames as channels: products over frames, not windows."""

    def answers(self, windows: Tensor) -> list[Tensor]:
        """Return each filter's largest answer over bands."""
        x, answers = windows * self.scale_0 + self.shift_0, []
        for kernel in self._kernels():
            length, frames = kernel.shape[2], x.shape[1]
            padded = pad_time(x, length)
            shifted = torch.stack([padded[:, t : t + frames] for t in range(length)], 1)
            largest = F.conv2d(shifted, kernel.transpose(1, 2).contiguous()).amax(3)
            answers.append(largest.transpose(1, 2))
        return answers


def pad_time(x: Tensor, length: int) -> Tensor:
    """Pad [n, frames, bands] for a filter of `length` frames, as TensorFlow's "same" does."""
    before = (length - 1) // 2
    return F.pad(x, (0, 0, before, length - 1 - before))


FORMS: dict[str, type[MusiCNN]] = {
    "direct convolutions": DirectMusiCNN,
    "frames unfolded into channels": UnfoldedMusiCNN,
}


def export_form(network: MusiCNN, windows: int, path: Path) -> bytes:
    """Write a network as ONNX for batches of `windows` windows to `path`; return the file.

    Its input is ``windows [n, 187, 96]``, its outputs are ``embedding`` and ``logits``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter deprecates itself on every call
        torch.onnx.export(
            network,
            (torch.zeros(windows, WINDOW_FRAMES, MEL_BANDS),),
            str(path),
            input_names=["windows"],
            output_names=["embedding", "logits"],
            opset_version=OPSET,
            dynamo=False,
        )
    return path.read_bytes()
