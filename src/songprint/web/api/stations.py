"""Stations: grown live, kept by name, told what is liked, exported as playlists."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field

from songprint.cli.m3u import playlist
from songprint.errors import UsageError
from songprint.kinship.station import Station as Grown
from songprint.kinship.station import Wishes, grow
from songprint.web.api.models import (
    Model,
    Name,
    Neighbour,
    Song,
    SongId,
    Weights,
    neighbour_fields,
    song,
)
from songprint.web.page import OfPage
from songprint.web.refusal import Refusal
from songprint.web.shelf import Snapshot
from songprint.web.wishes import kept_wishes, to_keep, with_verdicts

router = APIRouter(tags=["stations"])

MOST_SEEDS = 50
MOST_SONGS = 500
MOST_EXPORTED = 5000

Verdict = Literal["like", "dislike", "skip", "never"]
Seeds = Annotated[list[SongId], Field(min_length=1, max_length=MOST_SEEDS)]
StationName = Annotated[str, Path(min_length=1, max_length=200)]
NewStationName = Annotated[str, Path(pattern=r"^[^/\\\x00-\x1f\x7f]{1,80}$")]


class WishedFor(Model):
    """What a station shall be like."""

    length: int = Field(default=25, ge=1, le=MOST_SONGS)
    weights: Weights = Weights()
    same_genre: bool = Field(
        default=False, description="Stop where no more songs are of the genre."
    )
    any_genre: bool = Field(default=False, description="Let songs of all genres pass.")
    era: str | None = Field(default=None, max_length=10, examples=["90s"])
    widen: bool = Field(default=False, description="Go on beyond same_genre and era, and say so.")
    unpopular: float = Field(default=0.0, ge=0, le=1)
    artist_cap: int = Field(default=2, ge=0, le=MOST_SONGS)
    chance: int | None = Field(default=None, ge=0, le=2**31)

    def wishes(self) -> Wishes:
        """Return them as kinship takes them."""
        told = self.model_dump(exclude={"weights"})
        return Wishes(weights=self.weights.of_kinship(), **told)


class StationAsked(Model):
    """A station to be grown."""

    seeds: Seeds
    wishes: WishedFor = WishedFor()
    name: str = Field(
        default="", max_length=200, description="If it was saved: what was said there holds."
    )
    said: dict[SongId, Verdict] = Field(
        default={}, max_length=MOST_EXPORTED, description="What is said of songs here and now."
    )


class StationSong(Neighbour):
    """A song of a station."""

    beyond: list[str] = Field(description="Guards that it does not pass: the station widened.")


class Station(Model):
    """Songs in the order in which they are played."""

    name: str
    seeds: list[Song]
    songs: list[StationSong]
    guards: list[str] = Field(description="What its songs have in common.")
    remarks: list[str]
    complete: bool
    milliseconds: float = Field(description="What growing it took.")


class Kept(Model):
    """A station that was saved."""

    name: str
    seeds: list[Song]
    missing: int = Field(description="Seeds that are not in the library any more.")
    wishes: WishedFor


class KeptBrief(Model):
    """The name of a station that was saved."""

    name: str


class ToKeep(Model):
    """A station to be saved."""

    seeds: Seeds
    wishes: WishedFor = WishedFor()


class NewName(Model):
    """What a station shall be called."""

    name: Name


class Feedback(Model):
    """What is said of a song."""

    station: str = Field(
        default="", max_length=200, description="Empty for one that was not saved."
    )
    song: SongId
    verdict: Verdict


class ToExport(Model):
    """Songs of a playlist."""

    songs: list[SongId] = Field(min_length=1, max_length=MOST_EXPORTED)
    name: Name = "songprint"


@router.post("/api/station")
def station(page: OfPage, asked: StationAsked) -> Station:
    """Grow a station from seeds."""
    started = time.perf_counter()
    said = {**page.shelf.library.feedback(asked.name), **asked.said}
    minded = sum(verdict != "never" for verdict in said.values())
    with page.shelf.turn(len(asked.seeds) + minded) as snapshot:
        seeds = snapshot.rows(asked.seeds)
        wishes = with_verdicts(asked.wishes.wishes(), snapshot, said)
        grown = grow(snapshot.kinship, seeds, wishes)
        songs = _songs(snapshot, [*seeds, *wishes.likes], grown)
    took = 1e3 * (time.perf_counter() - started)
    return Station.model_construct(
        name=asked.name,
        seeds=[song(snapshot.catalogue, row) for row in seeds],
        songs=songs,
        guards=grown.guards,
        remarks=grown.remarks,
        complete=grown.complete,
        milliseconds=round(took, 1),
    )


def _songs(snapshot: Snapshot, wanted: list[int], grown: Grown) -> list[StationSong]:
    kin_of = [grown.kin_of[near.row] for near in grown.songs]
    kin = snapshot.catalogue.take(wanted)
    fields = neighbour_fields(snapshot.catalogue, grown.songs, kin, kin_of)
    return [
        StationSong.model_construct(**each, beyond=grown.widened.get(near.row, []))
        for near, each in zip(grown.songs, fields, strict=True)
    ]


@router.get("/api/stations")
def stations(page: OfPage) -> list[KeptBrief]:
    """List the stations that were saved."""
    return [KeptBrief(name=name) for name in page.shelf.library.station_names()]


@router.get("/api/stations/{name:path}")
def kept_station(page: OfPage, name: StationName) -> Kept:
    """Return a station that was saved."""
    kept, snapshot = _kept(page, name), page.shelf.current()
    rows = [row for seed in kept["seeds"] if (row := snapshot.row_of(seed)) is not None]
    told = kept_wishes(kept)
    fields = {field: getattr(told, field) for field in WishedFor.model_fields if field != "weights"}
    weights = Weights.model_construct(**kept["wishes"]["weights"])
    return Kept(
        name=name,
        seeds=[song(snapshot.catalogue, row) for row in rows],
        missing=len(kept["seeds"]) - len(rows),
        wishes=WishedFor.model_construct(weights=weights, **fields),
    )


@router.put("/api/stations/{name:path}", status_code=204)
def keep_station(page: OfPage, name: NewStationName, told: ToKeep) -> Response:
    """Save a station; it replaces one of this name."""
    page.shelf.current().rows(told.seeds)
    page.shelf.library.save_station(name, to_keep(told.seeds, told.wishes.wishes()))
    return Response(status_code=204)


@router.patch("/api/stations/{name:path}", status_code=204)
def rename_station(page: OfPage, name: StationName, new: NewName) -> Response:
    """Give a station another name; what was said of songs there goes with it."""
    library = page.shelf.library
    kept = _kept(page, name)
    if new.name != name:
        if new.name in library.station_names():
            raise Refusal(409, f"there is a station {new.name} already")
        library.save_station(new.name, kept)
        for content, verdict in library.feedback(name).items():
            library.add_feedback(new.name, content, verdict)  # type: ignore[arg-type]
        library.drop_station(name)
    return Response(status_code=204)


@router.delete("/api/stations/{name:path}", status_code=204)
def forget_station(page: OfPage, name: StationName) -> Response:
    """Forget a station."""
    _kept(page, name)
    page.shelf.library.drop_station(name)
    return Response(status_code=204)


def _kept(page: OfPage, name: str) -> dict[str, Any]:
    kept = page.shelf.library.station(name)
    if kept is None:
        raise Refusal(404, "there is no station of this name")
    return kept


@router.post("/api/feedback", status_code=204)
def feedback(page: OfPage, told: Feedback) -> Response:
    """Remember what is said of a song; without a station's name only "never" can be."""
    page.shelf.current().row(told.song)
    if not told.station and told.verdict != "never":
        raise UsageError("only a station that was saved remembers this; save it first")
    if told.station:
        _kept(page, told.station)
    page.shelf.library.add_feedback(told.station, told.song, told.verdict)
    return Response(status_code=204)


@router.post(
    "/api/playlist",
    responses={200: {"content": {"audio/x-mpegurl": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
def export(page: OfPage, asked: ToExport) -> Response:
    """Write songs as an M3U8 playlist, with absolute paths; those without audio are left out."""
    snapshot = page.shelf.current()
    rows = [snapshot.row(one) for one in asked.songs]
    text = playlist(snapshot.catalogue, rows, None, asked.name)
    return Response(
        text,
        media_type="audio/x-mpegurl",
        headers={"Content-Disposition": 'attachment; filename="station.m3u8"'},
    )
