"""The measure of colours that other tests rest on."""

from __future__ import annotations

import numpy as np
import pytest

from support.eyes import EYES, apart, ciede2000, contrast, lab


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_differences_are_those_that_sharma_published(
    one: tuple[float, ...], other: tuple[float, ...], difference: float
) -> None:
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=1e-4)
    assert ciede2000(np.array(other), np.array(one)) == pytest.approx(difference, abs=1e-4)


@pytest.mark.parametrize("eyes", EYES)
def test_grey_is_grey_to_eyes_of_every_kind(eyes: str) -> None:
    np.testing.assert_allclose(lab(["#777777"], eyes)[0, 1:], 0, atol=0.1)


def test_red_and_green_are_nearer_to_eyes_that_lack_cones_for_either() -> None:
    pair = ["#c05040", "#808030"]
    assert apart(pair, "without middle")[0, 1] < 0.5 * apart(pair)[0, 1]


def test_black_on_white_has_the_greatest_contrast() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
