"""From what the student says as its teachers do, to the embedding that is kept of a song.

An embedding has two parts. The roots of the tags' probabilities say what people would call the
song: their squared distance is Hellinger's, to which a tag that turns from never to sometimes is as
far as one that turns from often to always. The hidden layer's leading principal components, at half
that weight, say what no tag names. The mean window is taken away from both: without a mean that all
songs share, fewer songs are everybody's neighbours (Radovanović et al. 2010 [1]_; centring after
Suzuki et al. 2013 [2]_).

Last, the axes are turned at random. The parts' lengths say what counts how much; a classifier that
gives each axis the same spread, as is usual, would undo that, and cannot when each is a blend.

References
----------
.. [1] M. Radovanović, A. Nanopoulos and M. Ivanović, "Hubs in space", JMLR 11, 2010.
.. [2] I. Suzuki et al., "Centering similarity measures to reduce hubs", EMNLP 2013.
"""

from __future__ import annotations

import torch
from torch import Tensor

HIDDEN_WEIGHT = 0.5
"""Length of the hidden layer's part where the tags' is 1.

Chosen, as the roots were among roots, logarithms and plain probabilities, by the genres of GTZAN's
training clips (cross-validated) and the neighbours of Emotify's songs that the encoder has heard.
"""


def fit_projection(
    roots: Tensor, hidden: Tensor, scale: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Fit the linear map from tags' roots and hidden layer to the embedding.

    Parameters
    ----------
    roots : Tensor [shape=(n, t)]
        Square roots of the tags' probabilities of many windows.
    hidden : Tensor [shape=(n, h)]
        Their hidden layers.
    scale : Tensor [shape=(h,)]
        What each hidden unit is multiplied by first.
    size : int
        Values of the embedding, more than `t` and at most `t + h`.

    Returns
    -------
    weight : Tensor [shape=(size, t + h)]
    bias : Tensor [shape=(size,)]
        The embedding, before it is scaled to unit length, is ``weight @ [roots, hidden] + bias``.
    """
    n, tags = roots.shape
    known = torch.cat([roots, hidden * scale], 1).double()
    mean = known.mean(0)
    centred = known - mean
    deviations, axes = torch.linalg.eigh(centred[:, tags:].T @ centred[:, tags:] / n)
    leading = axes.flip(1)[:, : size - tags].T
    # An eigenvector's sign is the solver's whim; the same data must give the same embedding.
    leading = leading * torch.sign(leading.gather(1, leading.abs().argmax(1, keepdim=True)))
    spread = deviations.flip(0)[: size - tags].sum().sqrt()
    parts = torch.zeros(size, known.shape[1], dtype=known.dtype)
    parts[:tags, :tags] = torch.eye(tags) / centred[:, :tags].square().sum(1).mean().sqrt()
    parts[tags:, tags:] = leading * (HIDDEN_WEIGHT / spread)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((size, size), dtype=known.dtype, generator=generator)
    weight = torch.linalg.qr(noise)[0] @ parts
    bias = -weight @ mean
    weight[:, tags:] *= scale.double()
    return weight.float(), bias.float()
