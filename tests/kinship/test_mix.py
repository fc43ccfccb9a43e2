from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from songprint.errors import UsageError
from songprint.kinship.mix import mix
from songprint.kinship.neighbours import Kinship
from support.kin import kin_catalogue, kind_of

EACH = 20


@pytest.fixture(scope="module")
def kinship() -> Kinship:
    return Kinship(kin_catalogue(each=EACH))


def test_one_song_added_brings_its_kin(kinship: Kinship) -> None:
    found = mix(kinship, kinship.catalogue.take([0]))
    assert {kind_of(kinship.catalogue, near.row) for near in found} == {"rock"}


def test_what_is_subtracted_stays_away(kinship: Kinship) -> None:
    both = kinship.catalogue.take([0, EACH])
    plain = mix(kinship, both, k=20, artist_cap=0)
    less = mix(kinship, both, kinship.catalogue.take([EACH + 5]), k=20, artist_cap=0)
    kinds = [[kind_of(kinship.catalogue, n.row) for n in found] for found in (plain, less)]
    assert kinds[0].count("classical") > kinds[1].count("classical") == 0


def test_of_equally_near_songs_those_far_from_what_is_subtracted_come_first(
    kinship: Kinship,
) -> None:
    rock, jazz = kinship.catalogue.take([0]), kinship.catalogue.take([3 * EACH])
    away = kinship.space.distances(kinship.space.queries(jazz))[0]
    plain, less = (
        [near.row for near in mix(kinship, rock, subtract, k=8, artist_cap=0)]
        for subtract in (None, jazz)
    )
    assert {kind_of(kinship.catalogue, row) for row in (*plain, *less)} == {"rock"}
    assert away[less].mean() > away[plain].mean()


def test_what_is_nearer_to_what_is_subtracted_never_comes(kinship: Kinship) -> None:
    rock, jazz = kinship.catalogue.take([0]), kinship.catalogue.take([3 * EACH])
    found = mix(kinship, rock, jazz, k=len(kinship), artist_cap=0)
    kinds = {kind_of(kinship.catalogue, near.row) for near in found}
    assert "rock" in kinds
    assert "jazz" not in kinds


def test_neither_what_is_added_nor_what_is_subtracted_comes(kinship: Kinship) -> None:
    found = mix(kinship, kinship.catalogue.take([0, 1]), kinship.catalogue.take([2]), k=15)
    assert not {0, 1, 2} & {near.row for near in found}


def test_reasons_sum_to_the_distance(kinship: Kinship) -> None:
    for near in mix(kinship, kinship.catalogue.take([0, 3]), k=5):
        assert sum(near.why.values()) == pytest.approx(near.distance, abs=1e-5)


def test_nothing_added_is_refused(kinship: Kinship) -> None:
    with pytest.raises(UsageError, match="a song to add"):
        mix(kinship, kinship.catalogue.take([]))


def test_a_mix_has_no_copy_of_what_is_added_and_no_recording_twice(kinship: Kinship) -> None:
    added = kinship.catalogue.take([0])
    plain = [near.row for near in mix(kinship, added, k=6)]
    recordings = np.zeros(len(kinship), np.int32)
    recordings[[0, plain[1]]] = 1
    recordings[[plain[2], plain[3]]] = 2
    known = Kinship(replace(kinship.catalogue, recordings=recordings))
    found = [near.row for near in mix(known, known.catalogue.take([0]), k=6)]
    assert found[:4] == [plain[0], plain[2], plain[4], plain[5]]


def test_what_sounds_like_a_copy_of_what_is_added_does_not_come(kinship: Kinship) -> None:
    stranger = replace(kinship.catalogue.take([8]), hashes=np.array(["f" * 32]))
    found = mix(kinship, stranger, k=10)
    assert len(found) == 10
    assert 8 not in [near.row for near in found]
