"""A mixing layer and the maximum over bands that follows it, as one operation while training.

Apart, they write, pad and read again every filter's answer at every band, though the maximum lets
the gradient pass at one band alone; on a CPU that memory traffic takes four times as long as the
arithmetic.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_ROWS = 512  # answers of so many frames stay in the cache


class _MixedMaximum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, basis: Tensor, weight: Tensor) -> Tensor:
        n, rank, frames, bands = basis.shape
        by_band = basis.permute(3, 0, 2, 1).reshape(bands, n * frames, rank)
        largest = basis.new_empty(n * frames, len(weight))
        mix = weight.to(basis.dtype).t().contiguous()  # laid out alike here and in `backward`
        for start in range(0, n * frames, _ROWS):
            rows = by_band[:, start : start + _ROWS]
            best = rows[0] @ mix
            for band in range(1, bands):
                torch.maximum(best, rows[band] @ mix, out=best)
            largest[start : start + _ROWS] = best
        ctx.save_for_backward(by_band, weight, largest)
        return largest.view(n, frames, -1).transpose(1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        by_band, weight, largest = ctx.saved_tensors
        n, _, frames = gradients[0].shape
        gradient = gradients[0].transpose(1, 2).reshape(n * frames, -1).to(by_band.dtype)
        unmix = weight.to(by_band.dtype)
        mix = unmix.t().contiguous()
        to_basis = torch.empty_like(by_band)
        to_weight = torch.zeros_like(weight, dtype=torch.float32)
        for start in range(0, n * frames, _ROWS):
            part = slice(start, start + _ROWS)
            for band in range(len(by_band)):
                # Mixed once more: that takes less time than to keep where the maximum was.
                answer = by_band[band, part] @ mix
                here = torch.ge(answer, largest[part], out=answer).mul_(gradient[part])
                torch.mm(here, unmix, out=to_basis[band, part])
                to_weight += here.t() @ by_band[band, part]
        bands, _, rank = by_band.shape
        shaped = to_basis.view(bands, n, frames, rank).permute(1, 3, 2, 0)
        return shaped, to_weight.to(weight.dtype)


class MixedMaximum(nn.Module):
    """Mix channels and keep the largest answer of each over bands; [n, r, t, bands] → [n, c, t].

    Parameters
    ----------
    rank, filters : int
        Channels before and after.
    bands : int
        How many bands there are.
    """

    def __init__(self, rank: int, filters: int, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.weight = nn.Parameter(torch.empty(filters, rank))
        nn.init.normal_(self.weight, std=rank**-0.5)

    def forward(self, basis: Tensor) -> Tensor:
        """Return ``(weight @ basis).amax(bands)``; each of equal answers has the gradient."""
        if torch.onnx.is_in_onnx_export():
            answers = F.conv2d(basis, self.weight[:, :, None, None])
            return F.max_pool2d(answers, (1, self.bands)).flatten(2)
        largest: Tensor = _MixedMaximum.apply(basis, self.weight)  # type: ignore[no-untyped-call]
        return largest
