"""Songs as pictures, on axes that can be compared."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from songprint.web import tasks
from songprint.web.api.models import BINARY, Model, SongId
from songprint.web.audio import path_of
from songprint.web.names import title_of
from songprint.web.page import OfPage

router = APIRouter(tags=["songs"])

MOST_SONGS = 20
"""More take longer than one likes to wait for an answer."""

HEARD_SECONDS = 110.0

Kind = Literal[
    "waveform", "spectrum", "spectrogram", "mel", "chroma", "tempogram", "timeline", "fingerprint"
]
USUAL: tuple[Kind, ...] = ("waveform", "spectrum", "spectrogram", "timeline")
TYPES = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}


class ToPlot(Model):
    """What is to be drawn: a row for each song, a column for each kind."""

    songs: Annotated[list[SongId], Field(min_length=1, max_length=MOST_SONGS)]
    kinds: list[Kind] = Field(default=list(USUAL), min_length=1, max_length=8)
    stretch: bool = Field(default=False, description="Let each song fill the width.")
    format: Literal["png", "svg", "pdf"] = "png"
    dpi: int = Field(default=150, ge=50, le=300)


@router.post(
    "/api/plot",
    response_class=Response,
    responses={200: {"content": dict.fromkeys(TYPES.values(), BINARY)}},
)
def plot(page: OfPage, asked: ToPlot) -> Response:
    """Draw songs below each other, as ``songprint plot`` does."""
    snapshot = page.shelf.current()
    rows = snapshot.rows(asked.songs)
    songs = [
        (path_of(page.shelf.library, snapshot, str(snapshot.catalogue.hashes[row])),
         title_of(snapshot.catalogue, row))
        for row in rows
    ]  # fmt: skip
    picture: bytes = page.own.run(
        tasks.plot,
        songs,
        list(dict.fromkeys(asked.kinds)),
        asked.stretch,
        asked.format,
        asked.dpi,
        limit_seconds=HEARD_SECONDS,
    )
    name = f'attachment; filename="songs.{asked.format}"'
    return Response(picture, media_type=TYPES[asked.format], headers={"Content-Disposition": name})
