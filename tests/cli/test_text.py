"""Small pieces of text that commands share."""

from __future__ import annotations

import doctest

from songprint.cli import text
from songprint.cli.text import first_of, lasting


def test_the_examples_are_true() -> None:
    assert doctest.testmod(text).failed == 0


def test_names_are_cut_only_where_that_saves_a_line() -> None:
    assert first_of(["a", "b", "c"], 2, "--json") == ["a", "b", "c"]
    assert first_of(["a", "b", "c", "d"], 2, "--json") == [
        "a",
        "b",
        "and 2 more: --json names all",
    ]
    assert first_of([str(n) for n in range(99)], None, "--json") == [str(n) for n in range(99)]


def test_music_lasts_in_its_own_unit() -> None:
    units = [lasting(seconds) for seconds in (0, 59.4, 59.6, 3569, 3571, 36_000)]
    assert units == ["0 s", "59 s", "1 min", "59 min", "1.0 h", "10.0 h"]
