"""The map: near each other where songs are kin, and the same whenever it is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from songprint.kinship.distance import Space
from songprint.web.map import UNSURE, axes_for, fit_axes, packed, place
from support.kin import KINDS, kin_catalogue, kind_of
from support.serving import Client


def test_songs_of_a_kind_lie_together() -> None:
    catalogue = kin_catalogue(each=20)
    space = Space(catalogue)
    places = place(space, fit_axes(space))
    kinds = np.array([kind_of(catalogue, row) for row in range(len(catalogue))])
    middles = np.stack([places[kinds == kind].mean(axis=0) for kind in KINDS])
    away = np.linalg.norm(places[:, None] - middles[None], axis=2)
    assert np.mean(np.array(list(KINDS))[away.argmin(axis=1)] == kinds) > 0.9


def test_the_axes_are_those_of_a_plain_decomposition() -> None:
    space = Space(kin_catalogue(each=10))
    axes = fit_axes(space)
    points = space.points().astype(np.float64)
    centred = points - points.mean(axis=0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(
        np.abs(np.sum(directions[:2] * axes.directions.T, axis=1)), 1.0, atol=1e-6
    )
    np.testing.assert_allclose(axes.explained, (spread**2 / np.sum(spread**2))[:2], rtol=1e-6)


def test_a_song_stays_where_it_is_when_others_come(tmp_path: Path) -> None:
    few, more = Space(kin_catalogue(each=20)), Space(kin_catalogue(each=30))
    before = place(few, axes_for(few, tmp_path))
    after = place(more, axes_for(more, tmp_path))
    old, new = few.catalogue.hashes.tolist(), more.catalogue.hashes.tolist()
    np.testing.assert_allclose(after[[new.index(song) for song in old]], before, atol=1e-5)


def test_a_library_that_outgrew_its_map_gets_new_axes(tmp_path: Path) -> None:
    small, large = Space(kin_catalogue(each=5)), Space(kin_catalogue(each=20))
    assert axes_for(small, tmp_path).songs == 20
    assert axes_for(large, tmp_path).songs == 80


def test_a_damaged_map_is_computed_anew(tmp_path: Path) -> None:
    space = Space(kin_catalogue(each=5))
    first = axes_for(space, tmp_path)
    (tmp_path / "map.npz").write_bytes(b"PK no zip")
    np.testing.assert_allclose(axes_for(space, tmp_path).directions, first.directions)


def test_points_are_packed_as_the_page_reads_them() -> None:
    hashes = np.array(["0f" * 16, "ff" * 16])
    places = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    data = packed(hashes, places, np.array([3, 4], np.int16), np.array([False, True]))
    assert np.frombuffer(data[:16], "<f4").tolist() == [1.0, 3.0, 2.0, 4.0]
    assert list(data[16:18]) == [3, UNSURE]
    assert data[18:].hex() == "0f" * 16 + "ff" * 16


def test_the_map_has_every_song(kin: Client) -> None:
    told = kin.get("/api/map").json
    points = kin.get(f"/api/map/points?version={told['snapshot']}")
    assert (told["songs"], len(points.body)) == (60, 25 * 60)
    assert kin.get("/api/map/points?version=123456789").status == 409
