from __future__ import annotations

from collections import Counter

import pytest

from songprint.errors import UsageError
from songprint.kinship.clusters import clusters
from songprint.kinship.neighbours import Kinship
from support.kin import kin_catalogue, kind_of


@pytest.fixture(scope="module")
def kinship() -> Kinship:
    return Kinship(kin_catalogue(each=20))


def test_playlists_are_of_one_kind_each(kinship: Kinship) -> None:
    found = clusters(kinship, 4)
    assert len(found) == 4
    for playlist in found:
        kinds = Counter(kind_of(kinship.catalogue, row) for row in playlist.rows)
        assert len(kinds) == 1
        assert next(iter(kinds)) in playlist.name
        assert playlist.songs == 20


def test_names_differ(kinship: Kinship) -> None:
    names = [playlist.name for playlist in clusters(kinship, 10)]
    assert len(names) == len(set(names))


def test_the_same_library_gives_the_same_playlists(kinship: Kinship) -> None:
    again = Kinship(kinship.catalogue)
    assert clusters(kinship) == clusters(again)


def test_the_closest_come_first(kinship: Kinship) -> None:
    spreads = [playlist.spread for playlist in clusters(kinship, 4)]
    assert spreads == sorted(spreads)


def test_length_and_artist_cap_are_kept(kinship: Kinship) -> None:
    for playlist in clusters(kinship, 4, 6, artist_cap=1):
        artists = [kinship.artists[row] for row in playlist.rows]
        assert len(artists) == len(set(artists)) == 6


def test_a_handful_of_songs_makes_no_playlist() -> None:
    assert clusters(Kinship(kin_catalogue("rock", each=3))) == []


def test_counts_below_one_are_refused(kinship: Kinship) -> None:
    with pytest.raises(UsageError):
        clusters(kinship, 0)
