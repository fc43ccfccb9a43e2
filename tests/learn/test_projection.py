"""The projection: centred, its axes in order, the same for the same data."""

import torch

from songprint.learn.projection import fit_projection


def hidden_layers():
    generator = torch.Generator().manual_seed(0)
    spread = torch.linspace(3, 0.1, 40)
    return torch.randn(4000, 40, generator=generator) * spread + 5


def test_components_are_uncorrelated_centred_and_in_order():
    hidden = hidden_layers()
    weight, bias = fit_projection(hidden, torch.ones(40), 8, whitening=0)
    components = hidden @ weight.T + bias
    torch.testing.assert_close(components.mean(0), torch.zeros(8), atol=1e-3, rtol=0)
    covariance = components.T.cov()
    deviations = covariance.diagonal().sqrt()
    assert (deviations.diff() <= 0).all()
    off = covariance - torch.diag(covariance.diagonal())
    assert off.abs().max() < 1e-3 * covariance.max()


def test_whitening_divides_deviations_out():
    hidden = hidden_layers()
    for exponent, power in ((1.0, 0.0), (-1.0, 2.0)):
        weight, bias = fit_projection(hidden, torch.ones(40), 8, whitening=exponent)
        plain, _ = fit_projection(hidden, torch.ones(40), 8, whitening=0)
        spread = (hidden @ plain.T).std(0)
        torch.testing.assert_close(
            (hidden @ weight.T + bias).std(0), spread**power, rtol=1e-2, atol=1e-2
        )


def test_the_scale_of_a_unit_is_its_say():
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(4000, 2, generator=generator)
    weight, _ = fit_projection(hidden, torch.tensor([1.0, 0.6]), 2, whitening=0)
    lengths = weight.abs().max(1).values
    torch.testing.assert_close(lengths, torch.tensor([1.0, 0.6]), atol=1e-2, rtol=0)
