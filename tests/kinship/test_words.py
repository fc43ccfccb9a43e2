from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.kinship.reference import load_reference
from songprint.kinship.words import (
    MOST_NEAREST,
    SOUNDS,
    Term,
    find,
    fit,
    fits,
    shared_words,
    understand,
)
from songprint.library.catalogue import NUMBERS, Catalogue
from support.kin import kin_catalogue, kind_of

CATALOGUE = kin_catalogue(each=10)


def kinds(catalogue: Catalogue, found: np.ndarray) -> set[str]:
    return {kind_of(catalogue, row) for row in np.flatnonzero(found > 0)}


@pytest.mark.parametrize(
    ("wish", "terms", "text"),
    [
        ("calm piano, 90s", ["sound calm", "instruments piano", "eras 90s"], ""),
        ("Rock from the 1980s", ["genres rock", "eras 80s"], "from"),
        ("hip hop", ["genres hip-hop"], ""),
        ("female voice", ["instruments female voice"], ""),
        ("R&B and hard rock", ["styles R&B", "styles hard rock"], ""),
        ("techno 128 bpm", ["tempo 128", "styles techno"], ""),
        ("techno 00 bpm", ["styles techno"], "00 bpm"),
        ("sad violin in Bb minor", ["key Bb minor", "moods sad", "instruments violin"], ""),
        ("rock in A# minor", ["key Bb minor", "genres rock"], ""),
        ("E flat major", ["key Eb major"], ""),
        ("miles davis slow", ["sound slow"], "miles davis"),
        ("90's", ["eras 90s"], ""),
        ("", [], ""),
    ],
)
def test_words_are_understood(wish: str, terms: list[str], text: str) -> None:
    understood = understand(wish, CATALOGUE)
    assert [f"{term.kind} {term.name}" for term in understood.terms] == terms
    assert understood.text == text


@pytest.mark.parametrize("word", ["no", "not", "without"])
def test_a_word_can_be_turned_round(word: str) -> None:
    (term,) = understand(f"{word} drums", CATALOGUE).terms
    assert term == Term("instruments", "drums", wanted=False)


@given(st.text(max_size=60))
def test_any_text_is_understood(wish: str) -> None:
    understood = understand(wish, CATALOGUE)
    found = fits(understood.terms, CATALOGUE, load_reference())
    assert found.shape == (len(CATALOGUE),)
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ("rock", {"rock"}),
        ("quiet piano", {"classical"}),
        ("90s synth", {"electronic"}),
        ("dark", {"classical"}),
        ("without piano jazz", {"jazz"}),
        ("slow", {"jazz"}),
        ("reggae", set()),
    ],
)
def test_songs_are_found_by_how_they_sound(wish: str, found: set[str]) -> None:
    terms = understand(wish, CATALOGUE).terms
    assert kinds(CATALOGUE, fits(terms, CATALOGUE, load_reference())) == found


def test_a_song_must_fit_every_word() -> None:
    terms = understand("rock piano", CATALOGUE).terms
    assert not fits(terms, CATALOGUE, load_reference()).any()


def test_words_are_told_as_they_are_said() -> None:
    terms = understand("rock without piano 128 bpm", CATALOGUE).terms
    assert [str(term) for term in terms] == ["128 BPM", "rock", "no piano"]


def test_songs_that_fit_a_wish_come_best_first() -> None:
    found = find(understand("loud rock", CATALOGUE), CATALOGUE, load_reference(), 5)
    assert len(found.rows) == 5 <= found.fitting
    assert {kind_of(CATALOGUE, row) for row in found.rows} == {"rock"}
    assert found.fit[found.rows].tolist() == sorted(found.fit[found.rows], reverse=True)
    assert not found.remarks
    assert not any(found.lacks(row) for row in found.rows)


@pytest.mark.parametrize("count", [1, 3, 9, 40])
def test_fewer_songs_are_the_first_of_more(count: int) -> None:
    twice = CATALOGUE.take([*range(len(CATALOGUE)), *range(len(CATALOGUE))])  # of each an equal
    wish = understand("rock", CATALOGUE)
    everything = find(wish, twice, load_reference(), 500)
    ranked = sorted(range(len(twice)), key=lambda row: (-everything.fit[row], row))
    assert everything.rows == ranked[: everything.fitting]
    assert find(wish, twice, load_reference(), count).rows == everything.rows[:count]


def test_where_none_fits_all_the_nearest_are_named_and_what_they_lack() -> None:
    found = find(understand("rock piano", CATALOGUE), CATALOGUE, load_reference(), 500)
    assert found.fitting == 0
    assert 0 < len(found.rows) <= MOST_NEAREST
    assert all(found.lacks(row) in (["rock"], ["piano"]) for row in found.rows)
    assert found.remarks == ["no song fits all of this; the nearest are"]


def test_only_songs_that_may_be_found_are() -> None:
    wish = understand("rock piano", CATALOGUE)
    among = np.zeros(len(CATALOGUE), bool)
    assert not find(wish, CATALOGUE, load_reference(), 5, among=among).rows
    among[:3] = True
    rows = find(wish, CATALOGUE, load_reference(), 5, among=among).rows
    assert set(rows) <= {0, 1, 2}


def test_a_name_that_no_song_has_is_told_and_does_not_hide_what_sounds_right() -> None:
    wish = understand("loud rock zappa", CATALOGUE)
    named = np.zeros(len(CATALOGUE), bool)
    found = find(wish, CATALOGUE, load_reference(), 5, named=named)
    assert found.remarks[0] == 'no song has "zappa" in its title, artist, album or path'
    assert {kind_of(CATALOGUE, row) for row in found.rows} == {"rock"}
    assert all(found.lacks(row) == ["zappa"] for row in found.rows)


def test_a_tempo_is_met_within_a_few_per_cent() -> None:
    numbers = CATALOGUE.numbers.copy()
    numbers[:4, NUMBERS.index("tempo_bpm")] = [128, 131, 120, np.nan]
    found = fit(Term("tempo", "128"), replace(CATALOGUE, numbers=numbers), load_reference())
    assert found[0] == 1
    assert found[1] >= 0.6 > found[2]
    assert np.isnan(found[3])


def test_a_key_is_met_or_not() -> None:
    keys = np.array([9 + 12, 9, -1], np.int8)
    catalogue = replace(CATALOGUE.take([0, 1, 2]), keys=keys)
    found = fit(Term("key", "A minor"), catalogue, load_reference())
    np.testing.assert_array_equal(found, [1, 0, np.nan])


@pytest.mark.parametrize("word", SOUNDS)
def test_every_sound_names_descriptors(word: str) -> None:
    assert all(name in NUMBERS and direction in (-1, 1) for name, direction in SOUNDS[word])


def test_a_playlist_is_named_by_what_its_songs_share() -> None:
    piano = kin_catalogue("classical", each=10)
    words = shared_words(piano, load_reference())
    assert "classical" in words
    assert "piano" in words
    assert {"quiet", "calm"} & set(words)
    assert len(words) <= 4
