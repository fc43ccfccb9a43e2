"""One colour for each genre, everywhere, that eyes of every kind tell apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources

import numpy as np
import pytest

from songprint.genre.colours import GENRE_COLOURS, UNSURE_COLOUR, colour_of, colours_of
from songprint.genre.taxonomy import GENRES
from songprint.kinship.parts import PARTS
from songprint.views.panels import stack_colours
from support.eyes import EYES, apart, contrast

LEAST = {"all cones": 20, "without long": 15, "without middle": 15, "without short": 15}
"""CIEDE2000 between any two colours of genres; ten are seen at a glance."""

GROUNDS = ("#ffffff", "#171b21")
"""Paper and the page's light panels, its dark ones."""


def least(colours: Sequence[str], eyes: str) -> float:
    """Return the least difference between any two."""
    return float(apart(colours, eyes)[np.triu_indices(len(colours), 1)].min())


def page_colours() -> str:
    script = resources.files("songprint.web") / "static" / "js" / "colours.js"
    return script.read_text("utf-8")


def test_every_genre_has_a_colour_of_its_own() -> None:
    assert list(GENRE_COLOURS) == sorted(GENRES)
    assert len({*GENRE_COLOURS.values(), UNSURE_COLOUR}) == len(GENRES) + 1


@pytest.mark.parametrize("eyes", EYES)
def test_eyes_of_every_kind_tell_any_two_apart(eyes: str) -> None:
    colours = [*GENRE_COLOURS.values(), UNSURE_COLOUR]
    assert least(colours, eyes) > LEAST[eyes]


def test_colours_stand_out_from_paper_and_from_the_dark_page() -> None:
    for colour in (*GENRE_COLOURS.values(), UNSURE_COLOUR):
        assert min(contrast(colour, ground) for ground in GROUNDS) > 1.8


@pytest.mark.parametrize("eyes", EYES)
def test_eyes_of_every_kind_tell_the_parts_of_kinship_apart(eyes: str) -> None:
    table = page_colours().partition("const PARTS = {")[2].partition("}")[0]
    colours = dict(re.findall(r'(\w+): "(#[0-9a-f]{6})"', table))
    assert tuple(colours) == PARTS
    assert least(list(colours.values()), eyes) > 25


def test_the_page_has_the_same_colours() -> None:
    text = page_colours()
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
