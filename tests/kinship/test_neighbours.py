from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from songprint.errors import UsageError
from songprint.kinship.distance import Weights
from songprint.kinship.mix import mix
from songprint.kinship.neighbours import Kinship, fold, nearest
from songprint.kinship.station import Wishes, grow
from songprint.library.catalogue import NUMBERS, Catalogue
from support.kin import kin_catalogue, kind_of


@pytest.fixture(scope="module")
def kinship() -> Kinship:
    return Kinship(kin_catalogue(each=30))


def test_the_neighbours_of_a_song_are_of_its_kind(kinship: Kinship) -> None:
    for row in (0, 45, 100):
        kinds = {kind_of(kinship.catalogue, near.row) for near in kinship.neighbours(row)}
        assert kinds == {kind_of(kinship.catalogue, row)}


def test_a_song_is_not_its_own_neighbour(kinship: Kinship) -> None:
    assert 7 not in [near.row for near in kinship.neighbours(7, 50)]


def test_reasons_sum_to_the_distance(kinship: Kinship) -> None:
    for near in kinship.neighbours(3, 20, Weights(beat=1, genre=0.3)):
        assert sum(near.why.values()) == pytest.approx(near.distance, abs=1e-5)
        assert set(near.why) == {"beat", "intensity", "rhythm", "timbre", "genre"}


def test_kinship_lies_between_0_and_1_and_falls(kinship: Kinship) -> None:
    found = [near.kinship for near in kinship.neighbours(3, 60)]
    assert all(0 <= value <= 1 for value in found)
    assert found == sorted(found, reverse=True)


def test_a_part_without_weight_does_not_count(kinship: Kinship) -> None:
    silent = Weights(beat=0, intensity=1, rhythm=0, timbre=0, genre=0)
    first, *_ = kinship.neighbours(3, 1, silent)
    assert first.why["genre"] == 0
    assert first.why["intensity"] == pytest.approx(first.distance)


def test_a_song_outside_the_library_has_neighbours(kinship: Kinship) -> None:
    inside = kinship.catalogue.take([8])
    stranger = replace(inside, hashes=np.array(["f" * 32]), seconds=inside.seconds * 2)
    found = [near.row for near in kinship.neighbours(stranger, 5)]
    assert found[0] == 8  # which sounds the same, and is no copy: it is half as long
    assert set(found[1:]) <= {near.row for near in kinship.neighbours(8, 8)}


def test_copies_of_the_recording_are_left_out() -> None:
    catalogue = kin_catalogue("rock", each=10)
    copied = catalogue.take([*range(10), 0])
    hashes = copied.hashes.copy()
    hashes[10] = "c" * 32
    found = [near.row for near in Kinship(replace(copied, hashes=hashes)).neighbours(0, 10)]
    assert 10 not in found
    assert len(found) == 9


def test_copies_do_not_count_for_how_near_kin_are() -> None:
    pair = kin_catalogue("rock", each=2)
    copied = pair.take([0, 0, 0, 1])
    copied = replace(copied, hashes=np.array([f"{i:032x}" for i in range(4)]))
    assert Kinship(pair).neighbours(0)[0].kinship == pytest.approx(0.5, abs=1e-4)
    [near] = Kinship(copied).neighbours(0)
    assert near.kinship == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("outside", [False, True], ids=["by row", "by fingerprint"])
def test_two_songs_are_as_much_kin_whoever_asks(kinship: Kinship, outside: bool) -> None:
    one = kinship.catalogue.take([3])
    similar = {near.row: near.kinship for near in kinship.neighbours(one if outside else 3, 60)}
    station = grow(kinship, one if outside else [3], Wishes(length=10)).songs
    for near in [*station, *mix(kinship, one, k=10)]:
        assert near.kinship == pytest.approx(similar[near.row], abs=1e-5)
        [back] = [b for b in kinship.neighbours(near.row, 100) if b.row == 3]
        assert near.kinship == pytest.approx(back.kinship, abs=1e-5)


def test_an_artist_fills_no_more_than_the_cap(kinship: Kinship) -> None:
    found = kinship.neighbours(0, 12, artist_cap=1)
    artists = [kinship.catalogue.artists[near.row] for near in found]
    assert len(artists) == len(set(artists)) == 12


def test_the_cap_looks_beyond_an_artist_with_hundreds_of_songs() -> None:
    catalogue = kin_catalogue(each=70)
    artists = np.array(["one artist"] * 210 + [f"artist {i}" for i in range(70)], object)
    found = Kinship(replace(catalogue, artists=artists)).neighbours(0, 10, artist_cap=1)
    assert len(found) == 10
    assert [near.row < 210 for near in found].count(True) == 1


def test_the_own_artist_can_be_left_out(kinship: Kinship) -> None:
    artists = kinship.catalogue.artists
    found = kinship.neighbours(0, 20, other_artists=True)
    assert artists[0] not in {artists[near.row] for near in found}


def test_rows_can_be_left_out(kinship: Kinship) -> None:
    first = kinship.neighbours(0, 3)[0].row
    assert first not in {near.row for near in kinship.neighbours(0, 20, leave_out=[first])}


def test_there_are_no_more_neighbours_than_songs() -> None:
    assert len(Kinship(kin_catalogue("rock", each=3)).neighbours(0, 10)) == 2
    assert Kinship(kin_catalogue("rock", each=1)).neighbours(0) == []


def test_a_row_that_is_not_there_is_refused(kinship: Kinship) -> None:
    with pytest.raises(UsageError, match="there is no song 500"):
        kinship.neighbours(500)


def hubby() -> Catalogue:
    """Songs of one kind around a middle, near to which some lie: these are near to all."""
    catalogue = kin_catalogue("rock", each=120).take([0] * 120)
    rng = np.random.default_rng(0)
    far = np.linspace(0.04, 0.08, 120)[:, None]
    embeddings = catalogue.embeddings + far * rng.standard_normal((120, 256))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return replace(
        catalogue,
        embeddings=embeddings.astype(np.float32),
        hashes=np.array([f"{i:032x}" for i in range(120)]),
    )


def test_local_scaling_takes_hubs_down() -> None:
    songs = hubby()
    plain, corrected = (Kinship(songs, correct_hubs=on).reach() for on in (False, True))
    assert corrected.skew < plain.skew
    assert corrected.most < plain.most / 1.5


def test_no_song_is_nobodys_neighbour() -> None:
    songs = hubby()
    assert Kinship(songs, correct_hubs=False).reach().never > 30
    assert Kinship(songs).reach().never == 0


def test_near_copies_are_all_somebodys_neighbours() -> None:
    """They lie nearer to each other than the least scale, and one in seven a little apart."""
    songs = kin_catalogue(each=10).take([*range(1, 40), *[0] * 40])
    numbers, embeddings = songs.numbers.copy(), songs.embeddings.copy()
    numbers[:, [NUMBERS.index("tempo_confidence"), NUMBERS.index("stereo_width")]] = 1.0, 0.2
    apart = np.where(np.arange(40) % 7, 0.002, 0.008)[:, None]
    embeddings[39:] += apart * np.random.default_rng(0).standard_normal((40, 256))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    hashes = np.array([f"{i:032x}" for i in range(79)])
    songs = replace(songs, numbers=numbers, embeddings=embeddings, hashes=hashes)
    assert Kinship(songs).reach().never == 0


def test_reach_tells_what_is_never_found() -> None:
    reach = Kinship(kin_catalogue(each=10)).reach(k=10)
    assert reach.share == pytest.approx(1 - reach.never / 40)


def test_nearest_are_in_order_and_finite() -> None:
    distances = np.array([3.0, np.inf, 1.0, 2.0, 1.0], np.float32)
    assert nearest(distances, 3).tolist() == [2, 4, 3]
    assert nearest(distances, 9).tolist() == [2, 4, 3, 0]


@pytest.mark.parametrize(
    ("name", "same"),
    [("Björk", "BJORK"), ("  The   Clash ", "the clash"), ("Sigur Rós", "sigur ros")],
)
def test_names_are_the_same_without_case_accents_and_spaces(name: str, same: str) -> None:
    assert fold(name) == fold(same)


@pytest.mark.parametrize(
    "version", ["So What (live)", "So what - Remastered 2011", "SO WHAT [mono]"]
)
def test_versions_of_a_song_are_the_same_work(version: str) -> None:
    catalogue = kin_catalogue("jazz", each=2)
    titles = np.array(["So What", version], object)
    artists = np.array(["Miles Davis"] * 2, object)
    kinship = Kinship(replace(catalogue, titles=titles, artists=artists))
    assert kinship.same_recording(np.array([0]), np.array([1])).all()


def test_threads_that_ask_at_once_get_the_same_answers() -> None:
    songs = hubby()
    alone = [[near.row for near in Kinship(songs).neighbours(row)] for row in range(8)]
    shared = Kinship(songs)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(shared.neighbours, range(8)))
    assert [[near.row for near in each] for each in found] == alone


def test_of_songs_known_to_be_one_recording_only_the_nearest_comes(kinship: Kinship) -> None:
    plain = [near.row for near in kinship.neighbours(0, 10)]
    recordings = np.zeros(len(kinship), np.int32)
    recordings[[plain[1], plain[4], plain[7]]] = 1
    recordings[[0, plain[2]]] = 2
    known = Kinship(replace(kinship.catalogue, recordings=recordings))
    left_out = {plain[2], plain[4], plain[7]}
    found = [near.row for near in known.neighbours(0, 10)]
    assert found[:7] == [row for row in plain if row not in left_out]
    assert len(found) == 10
