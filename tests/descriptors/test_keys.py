"""What keys are called."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.descriptors import keys
from songprint.descriptors.keys import TONICS, key_name, key_number, short_key_name, told_key


def test_the_examples_are_true() -> None:
    assert doctest.testmod(keys).failed == 0


def test_keys_have_the_names_that_musicians_use() -> None:
    names = [short_key_name(key) for key in range(24)]
    assert " ".join(map(str, names)) == (
        "C Db D Eb E F F# G Ab A Bb B Cm C#m Dm Ebm Em Fm F#m Gm G#m Am Bbm Bm"
    )


@pytest.mark.parametrize("key", range(24))
def test_every_name_of_a_key_leads_back_to_it(key: int) -> None:
    name = key_name(key) or ""
    mode = "minor" if key >= 12 else "major"
    for spelling in (name, name.upper(), short_key_name(key) or "", f"{TONICS[key % 12]} {mode}"):
        assert key_number(spelling) == key
        assert told_key(spelling) == name


@pytest.mark.parametrize("name", ["", "H minor", "Amin7", "A minor scale", "8A", "A##"])
def test_what_is_no_key_stays_as_it_is(name: str) -> None:
    assert key_number(name) is None
    assert told_key(name) == name


@given(st.text(max_size=12))
def test_any_text_is_a_key_or_none(name: str) -> None:
    key = key_number(name)
    assert key is None or 0 <= key < 24
