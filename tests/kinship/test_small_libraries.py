"""A library may hold one song, or nothing but copies of one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from songprint.kinship.clusters import clusters
from songprint.kinship.mix import mix
from songprint.kinship.neighbours import Kinship
from songprint.kinship.path import travel
from songprint.kinship.station import Wishes, grow
from songprint.library.catalogue import Catalogue
from support.kin import kin_catalogue


def few(songs: int) -> Catalogue:
    return kin_catalogue("jazz", each=songs)


def copies(songs: int) -> Catalogue:
    return replace(few(1).take([0] * songs), hashes=np.array([f"{i:032x}" for i in range(songs)]))


STRANGERS = kin_catalogue("rock", each=2)


@pytest.mark.parametrize("library", [few(1), few(2), few(3), copies(2), copies(15)])
def test_it_can_be_asked_for_everything(library: Catalogue) -> None:
    kinship = Kinship(library)
    n = len(library)
    assert len(kinship.neighbours(0)) <= n - 1
    near = kinship.neighbours(STRANGERS.take([0]))
    assert all(np.isfinite([song.kinship, song.distance]).all() for song in near)
    assert len(near) == min(n, 10)
    assert len(grow(kinship, STRANGERS.take([0]), Wishes(any_genre=True, chance=1)).songs) <= n
    assert len(mix(kinship, STRANGERS.take([0]), STRANGERS.take([1]))) <= n
    assert len(travel(kinship, STRANGERS, 3).steps) <= n
    assert len(clusters(kinship)) <= n
    assert kinship.reach().share <= 1
