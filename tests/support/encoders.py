"""A tiny encoder with random weights and batch norms that have seen something."""

import torch
from torch import nn

from songprint.learn.networks import NetworkConfig
from songprint.learn.student import Encoder

TINY = NetworkConfig(4, ((8, 1, 1, 2, 2, True), (8, 2, 2, 2, 2, False)), 16, ((8, 3),), 0.2)


def tiny_encoder(seed: int = 0) -> Encoder:
    """Return one in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = Encoder(TINY)
        for module in encoder.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                for values in (module.weight.data, module.running_var):
                    values.uniform_(0.5, 2)
                for values in (module.bias.data, module.running_mean):
                    values.normal_(0, 0.3)
        encoder.trunk.input_mean.fill_(2.0)
        return encoder.eval()
