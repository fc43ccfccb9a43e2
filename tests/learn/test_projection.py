"""The projection: tags and hidden layer, centred, each with its say, on axes that are blends."""

import torch

from songprint.learn.projection import HIDDEN_WEIGHT, fit_projection


def windows():
    generator = torch.Generator().manual_seed(0)
    roots = torch.rand(4000, 6, generator=generator)
    hidden = torch.randn(4000, 40, generator=generator) * torch.linspace(3, 0.1, 40) + 5
    return roots, hidden


def project(roots, hidden, scale=None, size=16):
    scale = torch.ones(hidden.shape[1]) if scale is None else scale
    weight, bias = fit_projection(roots, hidden, scale, size)
    return torch.cat([roots, hidden], 1) @ weight.T + bias


def test_the_mean_window_is_nowhere():
    torch.testing.assert_close(project(*windows()).mean(0), torch.zeros(16), atol=1e-4, rtol=0)


def test_each_part_has_its_say():
    roots, hidden = windows()
    tags_alone = project(roots, hidden.mean(0).expand_as(hidden) + 1e-4 * hidden)
    both = project(roots, hidden)
    assert (both.square().sum(1).mean() - (1 + HIDDEN_WEIGHT**2)).abs() < 1e-3
    assert tags_alone.shape == both.shape


def test_distances_are_those_of_the_parts():
    roots, hidden = windows()
    whole = project(roots, hidden, size=46)  # no component is left out
    spread = hidden.var(0, correction=0).sum().sqrt()
    weighed = torch.cat(
        [
            roots / roots.var(0, correction=0).sum().sqrt(),
            hidden * HIDDEN_WEIGHT / spread,
        ],
        1,
    )
    torch.testing.assert_close(
        torch.cdist(whole[:50], whole[50:100]),
        torch.cdist(weighed[:50], weighed[50:100]),
        atol=1e-3,
        rtol=1e-3,
    )


def test_what_varies_least_is_left_out():
    roots, hidden = windows()
    scale = torch.ones(40)
    scale[20] = 100.0
    projected = project(roots, hidden, scale, size=7)  # one component
    kinship = torch.corrcoef(torch.stack([projected.norm(dim=1), (hidden[:, 20] - 5).abs()]))
    assert kinship[0, 1] > 0.5


def test_every_axis_is_a_blend():
    projected = project(*windows())
    spread = projected.std(0)
    assert spread.max() < 3 * spread.min()


def test_the_same_windows_give_the_same_embedding():
    torch.testing.assert_close(project(*windows()), project(*windows()))
