"""The table in memory: what it finds is what a plain look at every song finds."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from songprint.descriptors.keys import key_name
from songprint.web.table import SORTS, Filter, Table, fold, key_index
from support.kin import KINDS, kin_catalogue

CATALOGUE = kin_catalogue(each=12)
TABLE = Table(CATALOGUE)

WORDS = st.lists(st.sampled_from(["rock", "SONG", "ist 3", "zz", "1", "mp3", "é"]), max_size=3).map(
    " ".join
)
FILTERS = st.builds(
    Filter,
    words=WORDS,
    genres=st.lists(st.sampled_from(sorted(KINDS)), max_size=2).map(tuple),
    unsure=st.sampled_from([None, True, False]),
    tempo_bpm=st.tuples(st.none() | st.floats(60, 150), st.none() | st.floats(60, 150)),
)


SHARED = os.path.commonpath(list(CATALOGUE.paths))
"""A folder that no search looks in."""


def fits(row: int, wanted: Filter) -> bool:
    columns = (CATALOGUE.titles, CATALOGUE.artists, CATALOGUE.albums)
    path = CATALOGUE.paths[row].removeprefix(SHARED)
    names = fold(" ".join([*(column[row] for column in columns if column[row]), path]))
    genre = CATALOGUE.vocabulary.genres[int(CATALOGUE.genres[row].argmax())]
    tempo = CATALOGUE.number("tempo_bpm")[row]
    low, high = wanted.tempo_bpm
    return (
        all(word in names for word in fold(wanted.words).split())
        and (not wanted.genres or (genre in wanted.genres and not CATALOGUE.unsure[row]))
        and (wanted.unsure is None or CATALOGUE.unsure[row] == wanted.unsure)
        and (low is None or tempo >= low)
        and (high is None or tempo <= high)
    )


@given(FILTERS, st.sampled_from(SORTS), st.booleans())
def test_songs_are_those_that_fit_each_once(wanted: Filter, sort: str, descending: bool) -> None:
    found = TABLE.find(wanted, sort, descending=descending).tolist()
    assert len(found) == len(set(found))
    assert set(found) == {row for row in range(len(CATALOGUE)) if fits(row, wanted)}


def test_a_folder_that_all_songs_are_in_is_not_looked_in() -> None:
    paths = ["/home/rocky/jazz/a.mp3", None, "/home/rocky/blues/b.mp3"]
    titles = ["so what", "rocky", "one bourbon"]
    rest = np.array([None] * 3, object)
    table = Table(
        dataclasses.replace(
            CATALOGUE.take(range(3)),
            paths=np.array(paths, object),
            titles=np.array(titles, object),
            artists=rest,
            albums=rest,
        )
    )
    assert table.named("rock").tolist() == [False, True, False]
    assert table.named("jazz mp3").tolist() == [True, False, False]


def test_titles_are_sorted_as_people_read_them() -> None:
    titles = [fold(CATALOGUE.titles[row]) for row in TABLE.find(Filter())]
    assert titles == sorted(titles)


def test_a_descending_sort_turns_the_rising_one_round() -> None:
    rising = CATALOGUE.seconds[TABLE.find(Filter(), "seconds")]
    falling = CATALOGUE.seconds[TABLE.find(Filter(), "seconds", descending=True)]
    np.testing.assert_array_equal(rising, falling[::-1])


def test_keys_have_names_and_names_keys() -> None:
    assert [key_index(key_name(key) or "") for key in range(24)] == list(range(24))
    assert (key_name(9), key_name(22), key_name(-1)) == ("A major", "Bb minor", None)
    assert key_index("A# minor") == key_index("Bb minor") == 22
