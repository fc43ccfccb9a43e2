"""Songs: the table, one song, its sound, its pictures and its kin."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import FileResponse
from pydantic import Field, TypeAdapter

from songprint.library.catalogue import NUMBERS
from songprint.web import tasks
from songprint.web.api.models import (
    Model,
    Neighbour,
    Probability,
    Song,
    SongId,
    Weights,
    neighbours,
    rounded,
    song,
    song_fields,
)
from songprint.web.audio import path_of, response
from songprint.web.names import shown
from songprint.web.page import OfPage, Page
from songprint.web.playable import PLAYED
from songprint.web.table import Filter
from songprint.web.wording import describe

router = APIRouter(tags=["songs"])

MOST_IDS = 5000

_AT_ONCE = 100
_SONGS = TypeAdapter(list[Song])

Sort = Literal[
    "title", "artist", "album", "genre", "year", "seconds", "tempo_bpm", "loudness_lufs", "key",
    "plays", "path",
]  # fmt: skip
Texts = Annotated[list[str], Query(max_length=30)]
Bound = Annotated[float | None, Query(ge=-1e6, le=1e6)]


class Songs(Model):
    """A stretch of the table."""

    total: int = Field(description="How many songs pass the filter.")
    snapshot: int
    songs: list[Song]


class Failed(Model):
    """A file in which no song could be heard."""

    path: str
    error: str


class Detail(Song):
    """All that is known of a song."""

    path: str | None
    model: str
    genres: list[Probability]
    eras: list[Probability]
    moods: list[Probability]
    styles: list[Probability]
    instruments: list[Probability]
    descriptors: dict[str, float | None]
    words: list[str] = Field(description="What it sounds like, in a listener's words.")


class Segment(Model):
    """A stretch of a song."""

    start: float
    end: float
    level_dbfs: float
    unsure: bool
    genres: list[Probability]


class Waveform(Model):
    """The least, the greatest and the mean sample of equal stretches."""

    low: list[float]
    high: list[float]
    rms: list[float]


class Spectrogram(Model):
    """A picture: a byte for each band of each column, 0 at the floor, 255 at the ceiling."""

    columns: int
    bands: int
    start_seconds: float
    end_seconds: float
    lowest_hz: float
    highest_hz: float
    floor_dbfs: float
    ceiling_dbfs: float
    data: str = Field(description="Base64; column by column, low bands first.")


class Signals(Model):
    """A song's waveform and spectrogram."""

    seconds: float
    waveform: Waveform
    spectrogram: Spectrogram
    spectrum_dbfs: list[float]


def _filter(
    q: Annotated[str, Query(max_length=500, description="Words in names, or parts.")] = "",
    genre: Texts = [],  # noqa: B006 - FastAPI copies it
    mood: Texts = [],  # noqa: B006
    era: Texts = [],  # noqa: B006
    key: Texts = [],  # noqa: B006
    unsure: bool | None = None,
    playable: bool | None = None,
    tempo_from: Bound = None,
    tempo_to: Bound = None,
    loudness_from: Bound = None,
    loudness_to: Bound = None,
    seconds_from: Bound = None,
    seconds_to: Bound = None,
    year_from: Bound = None,
    year_to: Bound = None,
) -> Filter:
    return Filter(
        words=q,
        genres=tuple(genre),
        moods=tuple(mood),
        eras=tuple(era),
        keys=tuple(key),
        unsure=unsure,
        playable=playable,
        tempo_bpm=(tempo_from, tempo_to),
        loudness_lufs=(loudness_from, loudness_to),
        seconds=(seconds_from, seconds_to),
        year=(year_from, year_to),
    )


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("/api/songs")
def songs(
    page: OfPage,
    wanted: Wanted,
    sort: Sort = "title",
    descending: bool = False,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Songs:
    """List songs: filtered, sorted, a stretch at a time."""
    snapshot = page.shelf.current_or_none()
    if snapshot is None:
        return Songs(total=0, snapshot=0, songs=[])
    rows = snapshot.table.find(wanted, sort, descending=descending)
    listed = [song(snapshot.catalogue, int(row)) for row in rows[offset : offset + limit]]
    return Songs.model_construct(total=len(rows), snapshot=snapshot.version, songs=listed)


@router.get("/api/song-ids")
def song_ids(
    page: OfPage,
    wanted: Wanted,
    sort: Sort = "title",
    descending: bool = False,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_IDS)] = MOST_IDS,
) -> list[SongId]:
    """List only the ids, in the same order: to select or to play a long list."""
    snapshot = page.shelf.current_or_none()
    if snapshot is None:
        return []
    rows = snapshot.table.find(wanted, sort, descending=descending)
    return [str(name) for name in snapshot.catalogue.hashes[rows[offset : offset + limit]]]


@router.post("/api/songs/of", response_model=list[Song])
def songs_of(page: OfPage, ids: Annotated[list[SongId], Field(max_length=MOST_IDS)]) -> Response:
    """Return songs by id, those that are not in the library left out."""
    snapshot = page.shelf.current()
    found = (snapshot.row_of(name) for name in dict.fromkeys(ids))
    rows = [row for row in found if row is not None]
    # In pieces: a song as an object takes ten times what its text does.
    pieces = [
        _SONGS.dump_json([song(snapshot.catalogue, row) for row in rows[start : start + _AT_ONCE]])
        for start in range(0, len(rows), _AT_ONCE)
    ]
    listed = b",".join(piece[1:-1] for piece in pieces)
    return Response(b"[" + listed + b"]", media_type="application/json")


@router.get("/api/failed")
def failed(page: OfPage, limit: Annotated[int, Query(ge=1, le=5000)] = 500) -> list[Failed]:
    """List the files in which no song could be heard, with the reasons."""
    files = page.shelf.library.failed()[:limit]
    return [Failed(path=shown(file.path) or "", error=shown(file.error) or "") for file in files]


@router.get("/api/songs/{song_id}")
def detail(page: OfPage, song_id: SongId) -> Detail:
    """Tell all that is known of a song."""
    snapshot = page.shelf.current()
    catalogue, row = snapshot.catalogue, snapshot.row(song_id)
    names = catalogue.vocabulary
    return Detail(
        **song_fields(catalogue, row),
        path=shown(catalogue.paths[row]),
        model=catalogue.model,
        genres=_ranked(names.genres, catalogue.genres[row]),
        eras=_ranked(names.eras, catalogue.eras[row]),
        moods=_ranked(names.moods, catalogue.moods[row]),
        styles=_ranked(names.styles, catalogue.styles[row]),
        instruments=_ranked(names.instruments, catalogue.instruments[row]),
        descriptors={name: rounded(catalogue.number(name)[row]) for name in NUMBERS},
        words=describe(catalogue, row),
    )


def _ranked(names: tuple[str, ...], probabilities: Any) -> list[Probability]:
    pairs = sorted(zip(names, probabilities, strict=True), key=lambda pair: -pair[1])
    return [Probability(name=name, p=rounded(p) or 0.0) for name, p in pairs]


@router.get(
    "/api/songs/{song_id}/audio",
    response_class=FileResponse,
    responses={206: {"description": "The range that was asked for"}, 416: {}},
)
def audio(
    page: OfPage,
    song_id: SongId,
    converted: Annotated[
        bool, Query(description="As FLAC, whatever it is; for a browser that cannot play it.")
    ] = False,
) -> FileResponse:
    """Send the song's file, or the range of it that is asked for; as FLAC if browsers need it."""
    path = path_of(page.shelf.library, page.shelf.current(), song_id)
    if converted or os.path.splitext(path)[1].lower() not in PLAYED:  # noqa: PTH122
        path = str(page.playable.of(song_id, path, page.copier))
    return response(path)


@router.get("/api/songs/{song_id}/signals", response_model=Signals)
def signals(page: OfPage, song_id: SongId) -> Response:
    """Return the song's waveform and spectrogram."""
    return _picture(page, song_id, "signals", tasks.signals)


@router.get("/api/songs/{song_id}/timeline", response_model=list[Segment])
def timeline(page: OfPage, song_id: SongId) -> Response:
    """Return the genres along the song."""
    model = page.shelf.current().catalogue.model
    return _picture(page, song_id, f"timeline-{model}", tasks.timeline)


def _picture(page: Page, song_id: str, kind: str, task: Callable[[str], Any]) -> Response:
    name = f"{song_id}-{kind}"
    text = page.pictures.get(name)
    if text is None:
        path = path_of(page.shelf.library, page.shelf.current(), song_id)
        text = json.dumps(page.own.run(task, path), separators=(",", ":")).encode("ascii")
        page.pictures.put(name, text)
    return Response(
        text, media_type="application/json", headers={"Cache-Control": "private, max-age=3600"}
    )


@router.get("/api/songs/{song_id}/similar")
def similar(
    page: OfPage,
    song_id: SongId,
    weights: Annotated[Weights, Query()],
) -> list[Neighbour]:
    """Return the ten songs nearest to a song, and why."""
    return _neighbours(page, song_id, 10, weights)


class Likeness(Model):
    """What is asked for of a song's neighbours."""

    song: SongId
    count: int = Field(default=10, ge=1, le=500)
    weights: Weights = Weights()
    artist_cap: int = Field(
        default=0, ge=0, le=500, description="The most songs of one artist; 0: no cap."
    )
    other_artists: bool = False


@router.post("/api/similar")
def similar_with(page: OfPage, asked: Likeness) -> list[Neighbour]:
    """Return the songs nearest to a song, and why."""
    return _neighbours(
        page,
        asked.song,
        asked.count,
        asked.weights,
        artist_cap=asked.artist_cap or None,
        other_artists=asked.other_artists,
    )


def _neighbours(
    page: Page, song_id: str, count: int, weights: Weights, **options: Any
) -> list[Neighbour]:
    with page.shelf.turn() as snapshot:
        catalogue, row = snapshot.catalogue, snapshot.row(song_id)
        found = snapshot.kinship.neighbours(row, count, weights.of_kinship(), **options)
        return neighbours(catalogue, found, catalogue.take([row]))
