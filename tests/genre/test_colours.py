"""One colour for each genre, everywhere, that eyes of every kind tell apart."""

from __future__ import annotations

import re
from importlib import resources

import numpy as np
import pytest

from songprint.genre.colours import GENRE_COLOURS, UNSURE_COLOUR, colour_of, colours_of
from songprint.genre.taxonomy import GENRES
from songprint.views.panels import stack_colours

EYES = {
    "all cones": np.eye(3),
    "without long": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "without middle": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "without short": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
"""What eyes make of linear red, green and blue: Machado et al. 2009, at full severity."""

TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.clip(rgb, 0, 1) @ TO_XYZ.T / TO_XYZ.sum(axis=1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def test_every_genre_has_a_colour_of_its_own() -> None:
    assert list(GENRE_COLOURS) == sorted(GENRES)
    assert len({*GENRE_COLOURS.values(), UNSURE_COLOUR}) == len(GENRES) + 1


@pytest.mark.parametrize("eyes", EYES)
def test_eyes_of_every_kind_tell_any_two_apart(eyes: str) -> None:
    rgb = np.array([linear(colour) for colour in (*GENRE_COLOURS.values(), UNSURE_COLOUR)])
    seen = lab(rgb @ EYES[eyes].T)
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    least = apart[np.triu_indices(len(seen), 1)].min()
    assert least > (28 if eyes == "all cones" else 19)


def test_the_page_has_the_same_colours() -> None:
    script = resources.files("songprint.web") / "static" / "js" / "colours.js"
    text = script.read_text("utf-8")
    table = text.partition("const GENRES = {")[2].partition("}")[0]
    assert dict(re.findall(r'"?([\w-]+)"?: "(#[0-9a-f]{6})"', table)) == GENRE_COLOURS
    assert f'UNSURE = "{UNSURE_COLOUR}"' in text


def test_a_genre_has_the_same_colour_whatever_it_is_seen_with() -> None:
    assert colours_of(["rock", "jazz"])["rock"] == colours_of(["blues", "rock"])["rock"]
    assert stack_colours(["rock"])[0] == stack_colours(["jazz", "rock"])[1] == colour_of("rock")


def test_genres_of_the_users_own_have_colours_that_the_others_have_not() -> None:
    names = ["rock", "grunge", "shoegaze", "dream pop", "math rock", "pop"]
    found = colours_of(names)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    assert found["pop"] == colour_of("pop")
    many = colours_of([f"genre {n}" for n in range(30)])
    assert set(many.values()) <= set(GENRE_COLOURS.values())


def test_what_has_no_genre_is_grey() -> None:
    assert {colour_of(name) for name in ("unsure", "other", "")} == {UNSURE_COLOUR}
