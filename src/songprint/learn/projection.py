"""From the hidden layer, which speaks as the teachers do, to the embedding that is kept of a song.

The embedding is the hidden layer's leading principal components, each hidden unit brought to one
deviation and the mean window taken away: without a mean that all songs share, fewer songs are
everybody's neighbours (Radovanović et al. 2010 [1]_; centring after Suzuki et al. 2013 [2]_).
Strong components are made stronger, the contrary of whitening: what many songs differ in is style,
what few differ in is often the recording.

References
----------
.. [1] M. Radovanović, A. Nanopoulos and M. Ivanović, "Hubs in space", JMLR 11, 2010.
.. [2] I. Suzuki et al., "Centering similarity measures to reduce hubs", EMNLP 2013.
"""

from __future__ import annotations

import torch
from torch import Tensor

WHITENING = -1.5
"""Exponent of the components' deviations that is divided out: 0 keeps, 1 equalises them.

Chosen among 0, -0.5, -1 and -1.5 on Emotify's neighbours and GTZAN's validation clips.
"""


def fit_projection(
    hidden: Tensor, scale: Tensor, size: int, whitening: float = WHITENING
) -> tuple[Tensor, Tensor]:
    """Fit the linear map from hidden layer to embedding.

    Parameters
    ----------
    hidden : Tensor [shape=(n, h)]
        Hidden layers of many windows.
    scale : Tensor [shape=(h,)]
        What each unit is multiplied by first.
    size : int
        Values of the embedding, at most `h`.
    whitening : float
        See :data:`WHITENING`.

    Returns
    -------
    weight : Tensor [shape=(size, h)]
    bias : Tensor [shape=(size,)]
        The embedding, before it is scaled to unit length, is ``weight @ hidden + bias``.
    """
    mean = hidden.double().mean(0)
    standard = (hidden.double() - mean) * scale.double()
    deviations, axes = torch.linalg.eigh(standard.T @ standard / len(hidden))
    leading = axes.flip(1)[:, :size].T
    spread = deviations.flip(0)[:size].clamp_min(1e-9).sqrt()
    # An eigenvector's sign is the solver's whim; the same data must give the same embedding.
    signs = torch.sign(leading.gather(1, leading.abs().argmax(1, keepdim=True)))
    weight = leading * signs * scale.double() / spread.pow(whitening)[:, None]
    return weight.float(), (-weight @ mean).float()
