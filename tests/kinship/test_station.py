from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from songprint.errors import UsageError
from songprint.kinship.distance import Weights
from songprint.kinship.neighbours import Kinship
from songprint.kinship.station import Station, Wishes, grow
from songprint.library.catalogue import Catalogue
from support.kin import KINDS, kin_catalogue, kind_of

EACH = 40


@pytest.fixture(scope="module")
def kinship() -> Kinship:
    return Kinship(kin_catalogue(each=EACH))


def kinds(kinship: Kinship, station: Station) -> Counter[str]:
    return Counter(kind_of(kinship.catalogue, song.row) for song in station.songs)


def rows(station: Station) -> list[int]:
    return [song.row for song in station.songs]


def first_of(kind: str) -> int:
    return list(KINDS).index(kind) * EACH


@pytest.mark.parametrize("kind", KINDS)
def test_a_station_stays_with_its_seeds_kind(kinship: Kinship, kind: str) -> None:
    station = grow(kinship, [first_of(kind)])
    assert kinds(kinship, station) == {kind: 25}
    assert station.guards == [kind]
    assert station.complete
    assert not station.remarks


def test_no_song_comes_twice_and_no_seed_at_all(kinship: Kinship) -> None:
    station = grow(kinship, [0, 1, 2], Wishes(length=30))
    assert len(set(rows(station))) == 30
    assert not {0, 1, 2} & set(rows(station))


def test_every_song_can_seed_a_full_station(kinship: Kinship) -> None:
    for seed in range(0, len(kinship), 3):
        assert grow(kinship, [seed]).complete


def test_an_artist_has_no_more_songs_than_the_cap(kinship: Kinship) -> None:
    station = grow(kinship, [0], Wishes(length=15, artist_cap=1))
    artists = Counter(kinship.artists[row] for row in rows(station))
    assert max(artists.values()) == 1
    free = grow(kinship, [0], Wishes(length=38, artist_cap=0, same_genre=True))
    assert len(free.songs) == 38


def test_same_genre_stops_where_there_is_no_more(kinship: Kinship) -> None:
    station = grow(kinship, [0], Wishes(length=60, same_genre=True))
    assert kinds(kinship, station) == {"rock": EACH - 1}
    assert not station.complete
    assert station.remarks == ["the library has no more kin that are rock: the station stops"]


def test_a_station_that_widens_says_so(kinship: Kinship) -> None:
    station = grow(kinship, [0], Wishes(length=60))
    assert station.remarks[0] == "the library has no more kin that are rock: the station widens"
    beyond = [row for row in rows(station) if kind_of(kinship.catalogue, row) != "rock"]
    assert set(station.widened) == set(beyond)
    assert all("rock" in station.widened[row] for row in beyond)
    # Inside first, then beyond.
    assert rows(station)[-len(beyond) :] == beyond


def test_same_genre_can_be_widened(kinship: Kinship) -> None:
    station = grow(kinship, [0], Wishes(length=60, same_genre=True, widen=True))
    assert station.complete
    assert station.widened


def test_a_library_that_is_used_up_ends_the_station() -> None:
    kinship = Kinship(kin_catalogue("rock", each=5))
    station = grow(kinship, [0], Wishes(length=25))
    assert len(station.songs) == 4
    assert not station.complete
    assert station.remarks[-1] == "the library has no more songs: the station stops"


def test_seeds_of_two_kinds_bring_both(kinship: Kinship) -> None:
    station = grow(kinship, [first_of("rock"), first_of("classical")])
    assert set(kinds(kinship, station)) == {"rock", "classical"}
    assert min(kinds(kinship, station).values()) >= 5
    assert set(station.guards[0].split(" or ")) == {"rock", "classical"}


def test_songs_are_explained_by_the_seed_they_are_nearest_to(kinship: Kinship) -> None:
    seeds = [first_of("rock"), first_of("classical")]
    station = grow(kinship, seeds, Wishes(likes=(first_of("jazz"),)))
    wanted = [*seeds, first_of("jazz")]
    for song in station.songs:
        nearest = wanted[station.kin_of[song.row]]
        assert kind_of(kinship.catalogue, nearest) == kind_of(kinship.catalogue, song.row)
        raw = kinship.space.distances(kinship.space.queries([nearest]))[0]
        assert song.distance == pytest.approx(raw[song.row], abs=1e-4)


def test_the_guard_abstains_where_the_seed_is_unsure(kinship: Kinship) -> None:
    seed = kinship.catalogue.take([0])
    unsure = replace(seed, unsure=np.array([True]))
    station = grow(kinship, unsure)
    assert station.guards == []
    assert station.remarks[0] == "the genre of the seeds is unsure: every genre may come"
    assert station.complete


def test_an_era_is_kept_to(kinship: Kinship) -> None:
    station = grow(kinship, [first_of("electronic")], Wishes(length=10, era="1990s"))
    assert station.guards == ["electronic", "90s"]
    assert kinds(kinship, station) == {"electronic": 10}
    wrong = grow(kinship, [first_of("electronic")], Wishes(length=10, era="60s"))
    assert wrong.songs == []
    assert "electronic, 60s" in wrong.remarks[0]


def test_an_era_that_is_none_is_refused(kinship: Kinship) -> None:
    with pytest.raises(UsageError, match="60s, 70s, 80s, 90s, 00s"):
        grow(kinship, [0], Wishes(era="baroque"))


def test_two_versions_of_a_song_do_not_come() -> None:
    catalogue = kin_catalogue("rock", each=20)
    titles = np.array(["One song", "One song (live)"] * 10, object)
    artists = np.array(["One artist"] * 20, object)
    kinship = Kinship(replace(catalogue, titles=titles, artists=artists))
    assert len(grow(kinship, [0], Wishes(artist_cap=0)).songs) == 1


def test_the_same_wishes_give_the_same_station(kinship: Kinship) -> None:
    again = Kinship(kinship.catalogue)
    assert rows(grow(kinship, [3])) == rows(grow(again, [3]))
    chance = Wishes(chance=5)
    assert rows(grow(kinship, [3], chance)) == rows(grow(again, [3], chance))


def test_another_number_gives_another_station(kinship: Kinship) -> None:
    first, second = (grow(kinship, [3], Wishes(length=10, chance=n)) for n in (1, 2))
    assert set(rows(first)) != set(rows(second))
    assert set(kinds(kinship, first)) == set(kinds(kinship, second)) == {"rock"}


def test_a_liked_song_draws_its_like(kinship: Kinship) -> None:
    jazz = first_of("jazz")
    station = grow(kinship, [0], Wishes(any_genre=True, likes=(jazz, jazz + 2)))
    assert kinds(kinship, station)["jazz"] > 5
    assert jazz not in rows(station)


def test_what_is_like_a_disliked_song_does_not_come(kinship: Kinship) -> None:
    seeds = [first_of("rock"), first_of("jazz")]
    station = grow(kinship, seeds, Wishes(length=15, dislikes=(first_of("jazz") + 4,)))
    plain = grow(kinship, seeds, Wishes(length=15))
    assert kinds(kinship, station)["jazz"] < kinds(kinship, plain)["jazz"]


def test_a_skipped_song_goes_alone(kinship: Kinship) -> None:
    before = rows(grow(kinship, [0], Wishes(length=10)))
    after = rows(grow(kinship, [0], Wishes(length=10, skips=(before[0],))))
    assert before[0] not in after
    assert len(set(before) & set(after)) >= 8


def test_what_shall_never_come_does_not(kinship: Kinship) -> None:
    before = rows(grow(kinship, [0]))
    after = rows(grow(kinship, [0], Wishes(never=tuple(before[:5]))))
    assert not set(before[:5]) & set(after)


def test_the_unpopular_comes_first_and_stays_true(kinship: Kinship) -> None:
    plays = np.random.default_rng(0).permutation(len(kinship)).astype(np.float32)
    played = Kinship(replace(kinship.catalogue, plays=plays))
    usual, seldom = (grow(played, [0], Wishes(length=10, unpopular=u)) for u in (0.0, 1.0))
    assert plays[rows(seldom)].mean() < plays[rows(usual)].mean() - 20
    assert kinds(played, seldom) == {"rock": 10}


def test_without_play_counts_rare_artists_are_unpopular() -> None:
    catalogue = kin_catalogue("rock", each=60)
    artists = np.array(["Famous"] * 40 + [f"rare {i}" for i in range(20)], object)
    kinship = Kinship(replace(catalogue, artists=artists))
    usual, seldom = (
        grow(kinship, [0], Wishes(length=10, artist_cap=0, unpopular=u)) for u in (0.0, 1.0)
    )
    famous = [sum(artists[row] == "Famous" for row in rows(s)) for s in (usual, seldom)]
    assert famous[1] < famous[0]


def test_an_artist_does_not_play_twice_in_a_row(kinship: Kinship) -> None:
    station = rows(grow(kinship, [0]))
    assert all(kinship.artists[a] != kinship.artists[b] for a, b in pairwise(station))


def test_tempo_and_loudness_change_less_than_in_the_order_of_kinship(kinship: Kinship) -> None:
    loudness = kinship.catalogue.number("loudness_lufs")
    octaves = np.log2(kinship.catalogue.number("tempo_bpm"))

    def steps(order: list[int]) -> list[float]:
        return [float(np.nanmean(np.abs(np.diff(x[order])))) for x in (loudness, octaves)]

    seeds = range(0, 40, 4)
    stations = [rows(grow(kinship, [seed], Wishes(length=20))) for seed in seeds]
    ranked = [[n.row for n in kinship.neighbours(seed, 20, artist_cap=2)] for seed in seeds]
    smooth, plain = (
        np.mean([steps(order) for order in orders], 0) for orders in (stations, ranked)
    )
    assert (smooth < plain).all()


def test_weights_are_heard(kinship: Kinship) -> None:
    loud = Weights(beat=0, intensity=1, rhythm=0, timbre=0, genre=0)
    station = grow(kinship, [0], Wishes(length=10, weights=loud, any_genre=True))
    assert all(song.why["intensity"] == pytest.approx(song.distance) for song in station.songs)


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"length": 0}, "a station has 1 song or more"),
        ({"unpopular": 1.5}, "from 0 to 1"),
        ({"same_genre": True, "any_genre": True}, "same genre and of any"),
    ],
)
def test_wishes_that_cannot_be_are_refused(wishes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Wishes(**wishes)  # type: ignore[arg-type]


def test_a_skip_takes_less_with_it_than_a_dislike(kinship: Kinship) -> None:
    wishes = Wishes(length=EACH - 1, same_genre=True, artist_cap=0)
    plain = rows(grow(kinship, [0], wishes))
    skipped = rows(grow(kinship, [0], replace(wishes, skips=(plain[10],))))
    disliked = rows(grow(kinship, [0], replace(wishes, dislikes=(plain[10],))))
    assert set(disliked) < set(skipped) < set(plain)


def few_rock_songs(kinship: Kinship) -> Catalogue:
    return kinship.catalogue.take([*range(6), *range(EACH, 2 * EACH)])


def test_beyond_its_guards_a_station_takes_the_nearest_however_popular(kinship: Kinship) -> None:
    songs = few_rock_songs(kinship)
    plays = np.random.default_rng(0).permutation(len(songs)).astype(np.float32)
    some = Kinship(replace(songs, plays=plays))
    usual, unpopular = (grow(some, [0], Wishes(length=15, unpopular=u)) for u in (0.0, 1.0))
    assert len(usual.widened) == 10
    assert set(usual.widened) == set(unpopular.widened)


def test_an_artist_does_not_come_twice_in_a_row_where_a_station_widens(kinship: Kinship) -> None:
    songs = few_rock_songs(kinship)
    artists = np.array([f"artist {i}" for i in range(len(songs))], object)
    station = grow(Kinship(replace(songs, artists=artists)), [0], Wishes(length=15))
    last, first = rows(station)[4:6]
    assert (last in station.widened, first in station.widened) == (False, True)
    artists[first] = artists[last]
    again = rows(grow(Kinship(replace(songs, artists=artists)), [0], Wishes(length=15)))
    assert all(artists[one] != artists[other] for one, other in pairwise(again))


def test_a_station_needs_a_seed(kinship: Kinship) -> None:
    with pytest.raises(UsageError, match="needs a seed"):
        grow(kinship, [])


def test_a_station_plays_none_of_the_copies_of_what_was_named_and_one_of_others(
    kinship: Kinship,
) -> None:
    plain = rows(grow(kinship, [0], Wishes(length=10)))
    recordings = np.zeros(len(kinship), np.int32)
    recordings[[0, plain[1]]] = 1
    recordings[[plain[2], plain[5], plain[8]]] = 2
    recordings[[EACH, plain[4]]] = 3
    known = Kinship(replace(kinship.catalogue, recordings=recordings))
    played = rows(grow(known, [0], Wishes(length=10, never=(EACH,))))
    assert len(played) == 10
    assert not {0, plain[1], plain[4]} & set(played)
    assert len({plain[2], plain[5], plain[8]} & set(played)) == 1


def test_seeds_told_by_their_sound_leave_out_their_copies_as_rows_do(kinship: Kinship) -> None:
    plain = rows(grow(kinship, [0], Wishes(length=10)))
    recordings = np.zeros(len(kinship), np.int32)
    recordings[[0, plain[1]]] = 1
    known = Kinship(replace(kinship.catalogue, recordings=recordings))
    played = rows(grow(known, known.catalogue.take([0]), Wishes(length=10)))
    assert played == rows(grow(known, [0], Wishes(length=10)))
    assert not {0, plain[1]} & set(played)


def test_a_seed_that_is_not_in_the_library_leaves_out_what_sounds_like_its_copy(
    kinship: Kinship,
) -> None:
    stranger = replace(kinship.catalogue.take([8]), hashes=np.array(["f" * 32]))
    played = rows(grow(kinship, stranger, Wishes(length=10)))
    assert len(played) == 10
    assert 8 not in played
