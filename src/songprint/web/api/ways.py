"""Ways through the library: from one song to another, between songs, and what lies together."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from pydantic import Field

from songprint.kinship.clusters import clusters
from songprint.kinship.explain import say_why
from songprint.kinship.mix import mix
from songprint.kinship.neighbours import Kinship
from songprint.kinship.path import travel
from songprint.library.store import Library
from songprint.web.api.jobs import ClustersJob, told
from songprint.web.api.models import (
    Model,
    Neighbour,
    Song,
    SongId,
    Weights,
    neighbours,
    song,
    song_fields,
)
from songprint.web.beside import Tell, run_beside
from songprint.web.jobs import Job
from songprint.web.page import OfPage
from songprint.web.spilling import FEWEST_SONGS

if TYPE_CHECKING:
    from songprint.kinship.distance import Weights as KinshipWeights

router = APIRouter(tags=["ways"])


class PathAsked(Model):
    """A path to be found."""

    start: SongId
    end: SongId
    length: int = Field(default=10, ge=1, le=100, description="Songs between the two.")
    weights: Weights = Weights()
    artist_cap: int = Field(default=1, ge=0, le=100)


class Step(Song):
    """A song on the way."""

    progress: float = Field(description="0 sounds like the first song, 1 like the last.")
    detour: float
    because: str = Field(description="How it compares to the song before.")


class Path(Model):
    """Songs that lead from one to another."""

    start: Song
    end: Song
    distance: float
    songs: list[Step]
    remarks: list[str]


class MixAsked(Model):
    """Songs to be added and taken away."""

    add: list[SongId] = Field(min_length=1, max_length=20)
    subtract: list[SongId] = Field(default=[], max_length=20)
    count: int = Field(default=10, ge=1, le=200)
    weights: Weights = Weights()
    artist_cap: int = Field(default=2, ge=0, le=200)


class ClustersAsked(Model):
    """Playlists that the library suggests."""

    count: int | None = Field(default=None, ge=1, le=100)
    length: int = Field(default=25, ge=1, le=200)
    weights: Weights = Weights()


@router.post("/api/path")
def path(page: OfPage, asked: PathAsked) -> Path:
    """Find songs that lead from one song to another in even steps."""
    with page.shelf.turn() as snapshot:
        catalogue = snapshot.catalogue
        rows = [snapshot.row(asked.start), snapshot.row(asked.end)]
        found = travel(
            snapshot.kinship,
            catalogue.take(rows),
            asked.length,
            asked.weights.of_kinship(),
            artist_cap=asked.artist_cap,
        )
    on_the_way = [rows[0], *(step.row for step in found.steps)]
    because = [say_why(catalogue.take([a]), catalogue.take([b])) for a, b in pairwise(on_the_way)]
    return Path(
        start=song(catalogue, rows[0]),
        end=song(catalogue, rows[1]),
        distance=round(found.distance, 4),
        songs=[
            Step(
                **song_fields(catalogue, step.row),
                progress=round(step.progress, 4),
                detour=round(step.detour, 4),
                because=why,
            )
            for step, why in zip(found.steps, because, strict=True)
        ],
        remarks=found.remarks,
    )


@router.post("/api/mix")
def mixed(page: OfPage, asked: MixAsked) -> list[Neighbour]:
    """Find songs between those added, away from those subtracted."""
    weights = asked.weights.of_kinship()
    with page.shelf.turn(len(asked.add) + len(asked.subtract)) as snapshot:
        catalogue = snapshot.catalogue
        add = catalogue.take(snapshot.rows(asked.add))
        subtract = catalogue.take(snapshot.rows(asked.subtract)) if asked.subtract else None
        found = mix(
            snapshot.kinship, add, subtract, asked.count, weights, artist_cap=asked.artist_cap
        )
        return neighbours(catalogue, found, add)


@router.post("/api/clusters", status_code=202)
def suggest(page: OfPage, asked: ClustersAsked) -> ClustersJob:
    """Start to look for playlists that the library suggests; the job's result lists them."""
    snapshot = page.shelf.current()
    wanted = asked.count, asked.length, asked.weights.of_kinship()

    def work(job: Job) -> Any:
        if len(snapshot) >= FEWEST_SONGS:
            return run_beside(job, _suggested_of, str(page.shelf.library.path), *wanted)
        return _suggested(snapshot.kinship, *wanted)

    return told(ClustersJob, page.jobs.start("clusters", work))


def _suggested_of(tell: Tell, place: str, *wanted: Any) -> list[dict[str, object]]:
    """Suggest playlists of a library; of a large one that takes as much memory as the server."""
    del tell
    return _suggested(Kinship(Library.open(FilePath(place)).catalogue()), *wanted)


def _suggested(
    kinship: Kinship, count: int | None, length: int, weights: KinshipWeights
) -> list[dict[str, object]]:
    return [
        {
            "name": one.name,
            "songs": one.songs,
            "spread": round(one.spread, 4),
            "ids": [str(kinship.catalogue.hashes[row]) for row in one.rows],
        }
        for one in clusters(kinship, count, length, weights)
    ]
