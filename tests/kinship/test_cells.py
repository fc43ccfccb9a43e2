from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from songprint.kinship import cells as cells_module
from songprint.kinship import hubs, neighbours
from songprint.kinship.cells import Cells
from songprint.kinship.distance import DEFAULT_WEIGHTS, Space
from songprint.kinship.neighbours import Kinship
from songprint.library.catalogue import NUMBERS
from support.kin import kin_catalogue, kind_of


@pytest.fixture
def small_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "_SONGS_A_CELL", 15)


@pytest.mark.usefixtures("small_cells")
def test_every_song_is_in_one_cell() -> None:
    space = Space(kin_catalogue(each=40))
    cells = Cells(space)
    count = int(cells.of_song.max()) + 1
    members = np.concatenate([cells.members(cell) for cell in range(count)])
    assert sorted(members.tolist()) == list(range(160))


@pytest.mark.usefixtures("small_cells")
def test_cells_are_as_near_as_their_middles_however_spread_they_are() -> None:
    catalogue = kin_catalogue(each=40)
    numbers = catalogue.numbers.copy()
    # All is known of these songs, so that their distances are those of points.
    numbers[:, NUMBERS.index("tempo_confidence")] = 1.0
    for name in ("tempo_bpm", "stereo_width"):
        column = numbers[:, NUMBERS.index(name)]
        column[np.isnan(column)] = {"tempo_bpm": 80.0, "stereo_width": 0.2}[name]
    space = Space(replace(catalogue, numbers=numbers))
    cells, points = Cells(space), space.points()
    middles = np.stack(
        [points[cells.members(c)].mean(axis=0) for c in range(cells.of_song.max() + 1)]
    )
    far = np.square(points[:, None] - middles).sum(axis=2)
    order = cells.nearest_cells(space.queries(range(160)), DEFAULT_WEIGHTS)
    assert np.diff(np.take_along_axis(far, order, axis=1), axis=1).min() > -1e-4


@pytest.mark.usefixtures("small_cells")
def test_a_songs_own_kind_lies_in_the_cells_nearest_to_it() -> None:
    catalogue = kin_catalogue(each=40)
    space = Space(catalogue)
    found = Cells(space).candidates(space.queries([0]), DEFAULT_WEIGHTS, 20)
    assert len(found) >= 20
    assert {kind_of(catalogue, row) for row in found} == {"rock"}


@pytest.mark.usefixtures("small_cells")
def test_a_library_in_cells_has_the_neighbours_of_one_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalogue = kin_catalogue(each=40)
    exact = [
        [near.row for near in Kinship(catalogue).neighbours(row, 5)] for row in range(0, 160, 9)
    ]
    monkeypatch.setattr(hubs, "FEWEST_SONGS", 10)
    monkeypatch.setattr(neighbours, "HUGE", 10)
    monkeypatch.setattr(neighbours, "PROBED", 0.25)
    kinship = Kinship(catalogue)
    quick = [[near.row for near in kinship.neighbours(row, 5)] for row in range(0, 160, 9)]
    hits = [len(set(a) & set(b)) for a, b in zip(exact, quick, strict=True)]
    assert np.mean(hits) > 4.5
