from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from songprint.errors import UsageError
from songprint.kinship.guards import era_guard, genre_guard
from songprint.kinship.reference import load_reference
from support.kin import KINDS, kin_catalogue, kind_of

CATALOGUE = kin_catalogue(each=6)


def passing(guard_passes: np.ndarray) -> set[str]:
    return {kind_of(CATALOGUE, row) for row in np.flatnonzero(guard_passes)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_seeds_genre_passes_and_no_other(kind: str) -> None:
    guard = genre_guard(CATALOGUE, CATALOGUE.take([list(KINDS).index(kind) * 6]))
    assert guard is not None
    assert guard.name == kind
    assert passing(guard.passes) == {kind}


def test_a_seed_between_two_genres_lets_both_pass() -> None:
    seed = CATALOGUE.take([0])
    names = list(CATALOGUE.vocabulary.genres)
    genres = np.zeros_like(seed.genres)
    genres[0, names.index("rock")], genres[0, names.index("jazz")] = 0.55, 0.45
    guard = genre_guard(CATALOGUE, replace(seed, genres=genres))
    assert guard is not None
    assert guard.name == "rock or jazz"
    assert passing(guard.passes) == {"rock", "jazz"}


def test_unsure_seeds_guard_nothing_and_count_for_nothing() -> None:
    seeds = CATALOGUE.take([0, 6])
    assert genre_guard(CATALOGUE, replace(seeds, unsure=np.array([True, True]))) is None
    guard = genre_guard(CATALOGUE, replace(seeds, unsure=np.array([True, False])))
    assert guard is not None
    assert guard.name == "classical"


@pytest.mark.parametrize(("era", "kinds"), [("90s", {"electronic"}), ("1970s", {"rock"})])
def test_an_era_passes_songs_that_sound_of_it(era: str, kinds: set[str]) -> None:
    assert passing(era_guard(CATALOGUE, era, load_reference()).passes) == kinds


def test_a_song_without_a_clear_decade_passes_none() -> None:
    flat = replace(CATALOGUE, eras=np.full_like(CATALOGUE.eras, 1e-5))
    for era in CATALOGUE.vocabulary.eras:
        assert not era_guard(flat, era, load_reference()).passes.any()


def test_an_unknown_era_is_refused() -> None:
    with pytest.raises(UsageError, match="--era 30s: the decades are 60s, 70s, 80s, 90s, 00s"):
        era_guard(CATALOGUE, "30s", load_reference())
