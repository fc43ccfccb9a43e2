"""The map: every song a point."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Field

from songprint.web.api.models import BINARY, Model
from songprint.web.page import OfPage
from songprint.web.refusal import Refusal

router = APIRouter(tags=["map"])


class Map(Model):
    """What the points of the map mean."""

    songs: int
    snapshot: int
    genres: list[str] = Field(description="By number; 255 where unsure.")
    explained: list[float] = Field(description="The share of all variance along x and y.")


@router.get("/api/map")
def overview(page: OfPage) -> Map:
    """Tell what the points of the map mean."""
    snapshot = page.shelf.current()
    axes = snapshot.map(page.shelf.cache)[0]
    return Map(
        songs=len(snapshot),
        snapshot=snapshot.version,
        genres=list(snapshot.catalogue.vocabulary.genres),
        explained=[round(share, 4) for share in axes.explained],
    )


@router.get(
    "/api/map/points",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": BINARY}}},
)
def points(page: OfPage, version: int | None = None) -> Response:
    """Return the points, little-endian.

    All x and all y as float32, then a byte for each song's genre, then 16 bytes each of its id.
    """
    snapshot = page.shelf.current()
    if version is not None and version != snapshot.version:
        raise Refusal(409, "the library has changed; ask for the map again")
    return Response(
        snapshot.map(page.shelf.cache)[1],
        media_type="application/octet-stream",
        headers={"Cache-Control": "private, no-cache"},
    )
