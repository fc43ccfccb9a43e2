from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from songprint.errors import UsageError
from songprint.kinship.neighbours import Kinship
from songprint.kinship.path import travel
from songprint.library.catalogue import Catalogue
from support.kin import kin_catalogue

BETWEEN = 60


@pytest.fixture(scope="module")
def bridge() -> Kinship:
    """Songs from rock to classical in small steps; the first and the last row are the ends."""
    pure = kin_catalogue("rock", "classical", each=1)
    share = np.linspace(0, 1, BETWEEN)[:, None].astype(np.float32)

    def mixed(column: np.ndarray) -> np.ndarray:
        return (1 - share) * column[0] + share * column[1]

    embeddings = mixed(pure.embeddings)
    songs = pure.take([0] * BETWEEN)
    return Kinship(
        replace(
            songs,
            hashes=np.array([f"{i:032x}" for i in range(BETWEEN)]),
            embeddings=embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True),
            genres=mixed(pure.genres),
            numbers=mixed(pure.numbers),
            artists=np.array([f"artist {i}" for i in range(BETWEEN)], object),
            titles=np.array([f"song {i}" for i in range(BETWEEN)], object),
        )
    )


def ends(kinship: Kinship) -> Catalogue:
    return kinship.catalogue.take([0, len(kinship) - 1])


def test_a_path_goes_from_one_end_to_the_other_in_even_steps(bridge: Kinship) -> None:
    found = travel(bridge, ends(bridge), 8)
    rows = [step.row for step in found.steps]
    assert rows == sorted(rows)
    progress = [step.progress for step in found.steps]
    np.testing.assert_allclose(progress, np.arange(1, 9) / 9, atol=0.06)


def test_songs_on_the_line_are_no_detour_and_others_are(bridge: Kinship) -> None:
    found = travel(bridge, ends(bridge), 8)
    unknown = 0.1 * found.distance  # of what is not known they are all as far from each other
    assert max(step.detour for step in found.steps) < unknown
    elsewhere = kin_catalogue("electronic", each=6, songs_an_artist=1)
    embeddings = np.concatenate([bridge.catalogue.embeddings[[0, -1]], elsewhere.embeddings])
    few = bridge.catalogue.take([0, BETWEEN - 1, *range(1, 7)])
    found = travel(Kinship(replace(few, embeddings=embeddings)), few.take([0, 1]), 3)
    assert min(step.detour for step in found.steps) > 0.1 * found.distance


def test_the_way_back_is_the_way_reversed(bridge: Kinship) -> None:
    there = travel(bridge, ends(bridge), 6)
    back = travel(bridge, bridge.catalogue.take([len(bridge) - 1, 0]), 6)
    assert [s.row for s in back.steps] == [s.row for s in there.steps][::-1]


def test_the_ends_are_not_on_the_path(bridge: Kinship) -> None:
    rows = [step.row for step in travel(bridge, ends(bridge), 20).steps]
    assert not {0, len(bridge) - 1} & set(rows)
    assert len(set(rows)) == 20


def test_an_artist_comes_once(bridge: Kinship) -> None:
    artists = np.array([f"artist {i // 2}" for i in range(BETWEEN)], object)
    kinship = Kinship(replace(bridge.catalogue, artists=artists))
    found = travel(kinship, ends(kinship), 10)
    names = [artists[step.row] for step in found.steps]
    assert len(names) == len(set(names)) == 10


def test_too_few_artists_are_told_of(bridge: Kinship) -> None:
    one = np.array(["one artist"] * BETWEEN, object)
    kinship = Kinship(replace(bridge.catalogue, artists=one))
    found = travel(kinship, ends(kinship), 5)
    assert len(found.steps) == 5
    assert "too few artists" in found.remarks[0]


@pytest.mark.parametrize("artists", [2, 7, 9])
def test_a_path_is_as_long_as_was_asked_where_songs_are_enough(
    bridge: Kinship, artists: int
) -> None:
    some = bridge.catalogue.take(range(0, BETWEEN, 3))
    names = np.array([f"artist {i % artists}" for i in range(len(some))], object)
    kinship = Kinship(replace(some, artists=names))
    found = travel(kinship, ends(kinship), 10)
    assert len(found.steps) == 10
    assert found.remarks == ["there are too few artists on the way: some come more than once"]


@pytest.mark.parametrize(
    ("songs", "remark"),
    [(2, "there is no song"), (3, "there is only 1 song"), (5, "there are only 3 songs")],
)
@pytest.mark.parametrize("artist_cap", [0, 1])
def test_too_few_songs_are_told_of(songs: int, remark: str, artist_cap: int) -> None:
    kinship = Kinship(kin_catalogue("rock", each=songs, songs_an_artist=1))
    found = travel(kinship, kinship.catalogue.take([0, songs - 1]), 10, artist_cap=artist_cap)
    assert len(found.steps) == songs - 2
    assert found.remarks == [f"{remark} on the way"]


def test_paths_that_cannot_be_are_refused(bridge: Kinship) -> None:
    with pytest.raises(UsageError, match="same song"):
        travel(bridge, bridge.catalogue.take([3, 3]))
    with pytest.raises(UsageError, match="two ends"):
        travel(bridge, bridge.catalogue.take([3]))
    with pytest.raises(UsageError, match="1 song between"):
        travel(bridge, ends(bridge), 0)


def test_a_path_from_a_recording_to_itself_is_refused(bridge: Kinship) -> None:
    two = bridge.catalogue.take([3, 4])
    excerpts = np.empty(2, object)
    excerpts[1] = (str(two.hashes[0]),)
    for known in (
        replace(two, recordings=np.array([7, 7], np.int32)),
        replace(two, excerpts=excerpts),
    ):
        with pytest.raises(UsageError, match="one recording"):
            travel(bridge, known)


def test_a_path_leads_through_no_recording_twice_and_through_no_copy_of_its_ends(
    bridge: Kinship,
) -> None:
    recordings = np.zeros(BETWEEN, np.int32)
    recordings[: BETWEEN // 4] = 1
    recordings[BETWEEN // 4 : BETWEEN // 2] = 2
    known = Kinship(replace(bridge.catalogue, recordings=recordings))
    found = travel(known, known.catalogue.take([0, BETWEEN - 1]), 8)
    numbers = [int(recordings[step.row]) for step in found.steps]
    assert (len(numbers), numbers.count(1), numbers.count(2)) == (8, 0, 1)
