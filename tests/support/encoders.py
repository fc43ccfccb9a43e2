"""A tiny encoder with random weights and batch norms that have seen something."""

import torch
from torch import nn

from songprint.learn.filterbank import FilterBankConfig
from songprint.learn.student import Encoder

TINY = FilterBankConfig(
    filters=(16, 16, 16),
    first_channels=16,
    time_rank=1,
    time_strides=(2, 2),
    timbral_ranks=(2, 2),
    timbral_strides=(6, 6),
    temporal_rank=1,
    temporal_frames=32,
    temporal_stride=(4, 12),
    refinement=2,
    dropout=0.2,
)


def tiny_encoder(seed: int = 0) -> Encoder:
    """Return one in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = Encoder(TINY)
        for module in encoder.modules():
            if isinstance(module, nn.BatchNorm1d):
                for values in (module.weight.data, module.running_var):
                    values.uniform_(0.5, 2)
                for values in (module.bias.data, module.running_mean):
                    values.normal_(0, 0.3)
        encoder.trunk.input_shift.fill_(-1.0)
        return encoder.eval()
