"""MusiCNN, the teacher: a re-implementation in PyTorch that reads the published weights.

The networks are those of Pons and Serra [1]_, trained on the Million Song Dataset (MSD) and on
MagnaTagATune (MTT). Their weights come with the PyPI wheel ``musicnn==0.1.0`` (ISC licence) as
TensorFlow 1 checkpoints; ``python -m songprint.learn.checkpoints`` turns them into ``.npz``.

References
----------
.. [1] J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music
       audio tagging", ISMIR late-breaking demo, 2019. https://arxiv.org/abs/1909.06654
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES
from songprint.errors import ModelError

BATCH_NORM_EPSILON = 1e-3
FEATURES = 753
SEGMENT_FRAMES = 48
_BANDS_AT_A_TIME = 4

MSD_TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s",
    "alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists",
    "classic rock", "soul", "indie rock", "mellow", "electronica", "80s", "folk", "90s", "chill",
    "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
    "experimental", "female vocalist", "guitar", "hip-hop", "70s", "party", "country",
    "easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "progressive rock",
    "60s", "rnb", "indie pop", "sad", "house", "happy",
)  # fmt: skip

MTT_TAGS = (
    "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast",
    "piano", "ambient", "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male",
    "singing", "vocals", "no vocals", "harpsichord", "loud", "quiet", "flute", "woman",
    "male vocal", "no vocal", "pop", "soft", "sitar", "solo", "man", "classic", "choir", "voice",
    "new age", "dance", "male voice", "female vocal", "beats", "harp", "cello", "no voice",
    "weird", "country", "metal", "female voice", "choral",
)  # fmt: skip


class MusiCNN(nn.Module):
    """One MusiCNN network with its published weights, for inference.

    Parameters
    ----------
    weights : Path
        A ``.npz`` written by :mod:`songprint.learn.checkpoints`.
    front_end_dtype : torch.dtype
        Precision of the first layer's products, nine tenths of the cost; bfloat16 changes the
        embedding's direction by less than 1e-4 and is twice as fast on a CPU that has it.

    Raises
    ------
    ModelError
        If the file is missing or does not hold a MusiCNN.
    """

    scale_0: Tensor
    shift_0: Tensor
    dense_0: Tensor
    dense_1: Tensor
    dense_bias_0: Tensor
    dense_bias_1: Tensor

    def __init__(self, weights: Path, front_end_dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.front_end_dtype = front_end_dtype
        try:
            with np.load(weights) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except (OSError, ValueError) as error:
            raise ModelError(f"{weights}: cannot read the teacher's weights: {error}") from error
        try:
            self._load(arrays)
        except (KeyError, RuntimeError) as error:
            raise ModelError(f"{weights}: not a MusiCNN network: {error}") from error
        self.eval().requires_grad_(False)

    def _load(self, arrays: dict[str, np.ndarray]) -> None:
        def batch_norm(index: int) -> tuple[Tensor, Tensor]:
            name = "batch_normalization" + (f"_{index}" if index else "")
            scale = arrays[f"{name}/gamma"] / np.sqrt(
                arrays[f"{name}/moving_variance"] + BATCH_NORM_EPSILON
            )
            shift = arrays[f"{name}/beta"] - arrays[f"{name}/moving_mean"] * scale
            return torch.from_numpy(scale), torch.from_numpy(shift)

        def kernel(index: int) -> tuple[Tensor, Tensor]:
            name = "conv2d" + (f"_{index}" if index else "")
            # TensorFlow stores height (time), width, in, out.
            return (
                torch.from_numpy(arrays[f"{name}/kernel"].transpose(3, 2, 0, 1).copy()),
                torch.from_numpy(arrays[f"{name}/bias"]),
            )

        self.tags = len(arrays["dense_1/bias"])
        for i in range(11):
            scale, shift = batch_norm(i)
            self.register_buffer(f"scale_{i}", scale)
            self.register_buffer(f"shift_{i}", shift)
        for i in range(8):
            weight, bias = kernel(i)
            if i >= 5:  # [out, 1, 7, channels] is a convolution over time: [out, channels, 7]
                weight = weight[:, 0].transpose(1, 2).contiguous()
            else:
                sign = torch.sign(getattr(self, f"scale_{i + 1}"))
                self.register_buffer(f"sign_{i}", sign)
                weight = weight[:, 0].transpose(1, 2).flatten(1) if i < 2 else weight[:, 0, :, 0]
                weight = (weight * sign[:, None]).to(self.front_end_dtype)
            self.register_buffer(f"kernel_{i}", weight)
            self.register_buffer(f"bias_{i}", bias)
        for i, name in enumerate(("dense", "dense_1")):
            self.register_buffer(f"dense_{i}", torch.from_numpy(arrays[f"{name}/kernel"].T.copy()))
            self.register_buffer(f"dense_bias_{i}", torch.from_numpy(arrays[f"{name}/bias"]))

    def _normalise(self, x: Tensor, index: int) -> Tensor:
        shape = (-1,) + (1,) * (x.ndim - 2)
        scale: Tensor = getattr(self, f"scale_{index}")
        shift: Tensor = getattr(self, f"shift_{index}")
        return x * scale.view(shape) + shift.view(shape)

    def _convolve(self, x: Tensor, index: int) -> Tensor:
        return F.relu(F.conv1d(x, getattr(self, f"kernel_{index}"), getattr(self, f"bias_{index}")))

    def _rectify(self, largest: Tensor, index: int) -> Tensor:
        """Finish a front-end block whose maximum over frequency was taken before its bias.

        Batch norm is monotonic, so it commutes with the maximum; a filter with a negative batch
        norm scale had its kernel's sign turned in :meth:`_load`, which makes the maximum a minimum.
        """
        sign = getattr(self, f"sign_{index}")
        rectified = F.relu(largest * sign + getattr(self, f"bias_{index}"))
        return self._normalise(rectified.transpose(1, 2), index + 1)

    def answers(self, windows: Tensor) -> list[Tensor]:
        """Return each front-end filter's largest answer over bands, before its bias.

        A convolution with one input channel is a matrix product over unfolded patches, which in
        bfloat16 runs several times faster than the library's convolution on a CPU. A few bands at a
        time, the patches stay in the cache.

        Parameters
        ----------
        windows : Tensor [shape=(n, frames, 96)]
            Log-mel frames.

        Returns
        -------
        list of five Tensor [shape=(n, frames, c)]
            Of the timbral filters of both heights, then of the temporal ones of three lengths.
        """
        x = (windows * self.scale_0 + self.shift_0).to(self.front_end_dtype)
        n, frames, _ = x.shape
        answers = []
        strips = F.pad(x, (0, 0, 3, 3)).unfold(1, 7, 1).contiguous()  # [n, frames, 96, 7]
        for i in range(2):
            kernel: Tensor = getattr(self, f"kernel_{i}")
            width = kernel.shape[1] // 7
            largest: Tensor | None = None
            positions = range(MEL_BANDS - width + 1)
            for first in positions[::_BANDS_AT_A_TIME]:
                group = positions[first : first + _BANDS_AT_A_TIME]
                rows = torch.stack([strips[:, :, band : band + width] for band in group])
                rows = rows.view(len(group) * n * frames, -1)
                found = (rows @ kernel.t()).view(len(group), n, frames, -1).amax(0)
                largest = found if largest is None else torch.maximum(largest, found)
            assert largest is not None
            answers.append(largest.float())
        # TensorFlow's "same" puts the odd sample of padding at the end.
        padded = F.pad(x, (0, 0, 63, 64)).transpose(1, 2).contiguous()
        stretches = [bands.unfold(2, 128, 1) for bands in torch.split(padded, _BANDS_AT_A_TIME, 1)]
        for i in range(2, 5):
            kernel = getattr(self, f"kernel_{i}")
            length = kernel.shape[1]
            margin = (128 - length) // 2
            maxima = [
                (rows[..., margin : margin + length] @ kernel.t()).amax(1) for rows in stretches
            ]
            answers.append(torch.stack(maxima).amax(0).float())
        return answers

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Hear windows.

        Parameters
        ----------
        windows : Tensor [shape=(n, frames, 96)]
            Log-mel frames; the networks were trained on 187 of them.

        Returns
        -------
        embedding : Tensor [shape=(n, 200)]
            The penultimate layer.
        logits : Tensor [shape=(n, 50)]
            The tags before their sigmoid.
        """
        return self.read_out(pool_segments(self.segments(windows)))

    def segments(self, windows: Tensor) -> Tensor:
        """Return what the layers before pooling find in each stretch of a window.

        Parameters
        ----------
        windows : Tensor [shape=(n, frames, 96)]
            Log-mel frames.

        Returns
        -------
        Tensor [shape=(n, ceil(frames / 48), 2, 753)]
            Maximum and mean over 48 frames (the last stretch may be shorter) of the front end's
            561 channels and the three middle layers' 64 each.
        """
        if windows.shape[-1] != MEL_BANDS:
            raise ValueError(f"windows have {windows.shape[-1]} mel bands, not {MEL_BANDS}")
        features = torch.cat(self.layers(windows), 1)
        # Slices, for ONNX cannot say torch.split of lengths that do not divide.
        starts = range(0, windows.shape[1], SEGMENT_FRAMES)
        pieces = [features[:, :, start : start + SEGMENT_FRAMES] for start in starts]
        return torch.stack([torch.stack([p.amax(2), p.mean(2)], 1) for p in pieces], 1)

    def layers(self, windows: Tensor) -> list[Tensor]:
        """Return what each layer before pooling finds in windows [shape=(n, frames, 96)].

        The front end's 561 channels and the three middle layers' 64 each [shape=(n, c, frames)].
        """
        return self.layers_after(self.answers(windows))

    def layers_after(self, answers: Sequence[Tensor]) -> list[Tensor]:
        """Return :meth:`layers` of what :meth:`answers` returns."""
        front = torch.cat([self._rectify(largest, i) for i, largest in enumerate(answers)], 1)
        first = self._normalise(self._convolve(F.pad(front, (3, 3)), 5), 6)
        second = self._normalise(self._convolve(F.pad(first, (3, 3)), 6), 7) + first
        third = self._normalise(self._convolve(F.pad(second, (3, 3)), 7), 8) + second
        return [front, first, second, third]

    def read_out(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Return embedding and logits of pooled features [shape=(n, 2, 753)], maximum and mean."""
        embedding = self._normalise(self.hidden(pooled), 10)
        return embedding, F.linear(embedding, self.dense_1, self.dense_bias_1)

    def hidden(self, pooled: Tensor) -> Tensor:
        """Return the layer before the embedding's norm, of pooled features [shape=(n, 2, 753)]."""
        # Flattened per channel as [max, mean], the order in which TensorFlow's dense expects it.
        normal = self._normalise(pooled.transpose(1, 2).flatten(1), 9)
        return F.relu(F.linear(normal, self.dense_0, self.dense_bias_0))


def pool_segments(segments: Tensor, frames: int = WINDOW_FRAMES) -> Tensor:
    """Pool stretches [shape=(n, s, 2, c)] of `frames` frames in all to [shape=(n, 2, c)]."""
    lengths = torch.full((segments.shape[1],), float(SEGMENT_FRAMES), device=segments.device)
    lengths[-1] = frames - SEGMENT_FRAMES * (len(lengths) - 1)
    mean = torch.einsum("nsc,s->nc", segments[:, :, 1], lengths / frames)
    return torch.stack([segments[:, :, 0].amax(1), mean], 1)
