"""The card says what was measured, and is the same page for the same result."""

import json
from itertools import pairwise

import numpy as np
import pytest

from songprint.evaluate.card import points, render, table, write
from songprint.evaluate.head_check import ece_by_chance
from songprint.evaluate.results import as_json
from support.evaluating import small_card


def test_it_says_what_was_measured_on_what_and_by_which_command():
    page = render(small_card())
    for words in (
        "# Accuracy card",
        "2026-11-23",
        "`songprint evaluate developers`",
        "GTZAN valid: 109 songs",
        "64.2 (54.9-72.6)",
        "+50.0 (+40.0 to +60.0)",
        "reference",
        "0.15",
        "transductive",
        "hub skew",
        "ECE",
        "same audio",
        "16.0 times",
        "Not measured here: blues",
        "never measured: eras",
        "The teacher was left out.",
    ):
        assert words in page, words


def test_the_same_result_is_the_same_page():
    assert render(small_card()) == render(small_card())


def test_every_table_is_whole():
    lines = render(small_card()).splitlines()
    for first, second in pairwise(lines):
        if first.startswith("|") and second.startswith("|"):
            assert first.count("|") == second.count("|")


def test_parts_that_were_not_measured_are_left_out():
    page = render(small_card(votes=(), seed=(), leaks={}, cost=None, head=(), retrieval=()))
    assert "Leak check" not in page
    assert "## Cost" not in page


def test_it_is_written_with_its_figures(tmp_path):
    pytest.importorskip("matplotlib")
    page, *figures = write(small_card(), tmp_path / "docs" / "accuracy.md")
    assert [figure.name for figure in figures] == ["genre-confusion.png", "genre-reliability.png"]
    for figure in figures:
        assert figure.read_bytes().startswith(b"\x89PNG")
        assert f"](figures/{figure.name})" in page.read_text("utf-8")


def test_without_matplotlib_the_page_has_no_figures(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "songprint.evaluate.figures", None)
    written = write(small_card(), tmp_path / "accuracy.md")
    assert [path.name for path in written] == ["accuracy.md"]
    assert "![" not in written[0].read_text("utf-8")


def test_a_result_can_be_written_as_json():
    document = json.loads(json.dumps(as_json(small_card()), allow_nan=False))
    row = document["comparisons"][0]["rows"][0]
    assert row["accuracy"] == {
        "value": 0.6422, "low": 0.5488, "high": 0.7259, "successes": 70, "songs": 109,
    }  # fmt: skip
    assert as_json(float("nan")) is None
    assert as_json(np.float32(0.5)) == 0.5


def test_a_table_is_markdown():
    assert table(["a", "b"], [["1", "2"]]) == ["| a | b |", "| --- | ---: |", "| 1 | 2 |", ""]
    assert points(None) == ""


def test_chance_alone_makes_a_calibration_error_that_shrinks_with_songs():
    rng = np.random.default_rng(0)
    few, many = ece_by_chance(rng.random(40)), ece_by_chance(rng.random(4000))
    assert 0.005 < many < few < 0.25
