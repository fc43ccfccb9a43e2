"""What is in the library as a whole, and songs found by words for how they sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from pydantic import Field

from songprint import __version__
from songprint.cli.report import MOST_COMPARED, NEIGHBOURS, report_document
from songprint.cli.text import printable
from songprint.descriptors.keys import key_name
from songprint.kinship.guards import sorted_eras
from songprint.kinship.neighbours import Kinship
from songprint.kinship.reference import load_reference
from songprint.kinship.words import SOUNDS, understand
from songprint.kinship.words import find as find_songs
from songprint.library.overview import overview
from songprint.library.store import Library
from songprint.web.api.documents import Report
from songprint.web.api.models import Model, Song, rounded, song_fields
from songprint.web.api.songs import Wanted
from songprint.web.beside import Tell, run_beside
from songprint.web.commands import in_print
from songprint.web.jobs import Job
from songprint.web.page import OfPage
from songprint.web.spilling import FEWEST_SONGS
from songprint.web.table import Filter

router = APIRouter(tags=["library"])


class Overview(Model):
    """The library, and the names by which it can be filtered."""

    version: str = Field(description="Of songprint.")
    snapshot: int = Field(description="Another number when songs have come or gone.")
    songs: int
    hours: float
    model: str | None
    genres: dict[str, int] = Field(description="Songs of each genre, most first.")
    unsure: int
    moods: list[str]
    eras: list[str]
    keys: list[str]
    sounds: list[str] = Field(description="Words of which `find` knows the sound.")
    folders: list[str]
    failed: int
    has_plays: bool
    local: bool = Field(description="Whether only this machine reaches the server.")


class Found(Song):
    """A song and how well it fits."""

    fit: float = Field(description="0 to 1; where no song fits all words, the mean over them.")
    lacks: list[str] = Field(description="The words that it does not fit.")


class Findings(Model):
    """Songs that words fit, best first; where none fits all of them, the ten nearest to it."""

    heard: list[str] = Field(description="The words that were understood as sounds.")
    text: str = Field(description="The words that are looked for in titles and names.")
    total: int = Field(description="How many songs fit; if 0, those that follow are the nearest.")
    songs: list[Found]
    remarks: list[str] = Field(description="What a listener should know.")


@router.get("/api/library")
def library(page: OfPage) -> Overview:
    """Tell what there is."""
    snapshot = page.shelf.current_or_none()
    kept = page.shelf.library
    catalogue = snapshot.catalogue if snapshot else None
    words = catalogue.vocabulary if catalogue else None
    return Overview(
        version=__version__,
        snapshot=snapshot.version if snapshot else 0,
        songs=len(snapshot) if snapshot else 0,
        hours=round(float(catalogue.seconds.sum(dtype=np.float64)) / 3600, 2) if catalogue else 0.0,
        model=catalogue.model if catalogue else None,
        genres=snapshot.genre_counts if snapshot else {},
        unsure=int(catalogue.unsure.sum()) if catalogue else 0,
        moods=list(words.moods) if words else [],
        eras=sorted_eras(words.eras) if words else [],
        keys=[name for key in range(24) if (name := key_name(key))],
        sounds=sorted(SOUNDS),
        folders=[printable(folder) for folder in kept.folders()],
        failed=kept.table("files").count_rows("error is not null"),
        has_plays=bool(np.isfinite(catalogue.plays).any()) if catalogue else False,
        local=page.settings.is_local,
    )


@router.get("/api/report")
def report(page: OfPage, hubs: bool = False) -> Report:
    """Report on the library as ``songprint report --json`` does.

    Hubs are measured on request, in libraries of up to 20,000 songs; else they are null.
    """
    kept = page.shelf.library
    if kept.table("songs").count_rows() >= FEWEST_SONGS:
        large: Report = run_beside(Job("report"), _report, str(kept.path))
        return large
    seen = overview(kept)
    measured = None
    if hubs and NEIGHBOURS < seen.songs <= MOST_COMPARED:
        snapshot = page.shelf.current()
        before = Kinship(snapshot.catalogue, correct_hubs=False).reach(NEIGHBOURS)
        measured = before, snapshot.kinship.reach(NEIGHBOURS)
    document: Report = in_print(report_document(kept, seen, measured))
    return document


def _report(tell: Tell, place: str) -> Any:
    """Report on a library whose rows and files would take the server's memory."""
    del tell
    library = Library.open(Path(place))
    return in_print(report_document(library, overview(library), None))


@router.get("/api/find")
def find(
    page: OfPage,
    wanted: Wanted,
    words: Annotated[str, Query(min_length=1, max_length=500, examples=["calm piano, 90s"])],
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Findings:
    """Find songs by words for how they sound, and words in their tags, among those of a filter.

    Where none fits all of the words, the nearest are named, and what each lacks.
    """
    with page.shelf.turn() as snapshot:
        catalogue = snapshot.catalogue
        wish = understand(words, catalogue)
        among = None
        if wanted != Filter():
            among = np.zeros(len(catalogue), bool)
            among[snapshot.table.find(wanted)] = True
        named = snapshot.table.named(wish.text) if wish.text else None
        found = find_songs(wish, catalogue, load_reference(), limit, named=named, among=among)
    return Findings(
        heard=[str(term) for term in wish.terms],
        text=printable(wish.text) if wish.text else "",
        total=found.fitting,
        songs=[
            Found(
                **song_fields(catalogue, row),
                fit=rounded(found.fit[row]) or 0.0,
                lacks=[printable(word) for word in found.lacks(row)],
            )
            for row in found.rows
        ],
        remarks=[printable(remark) for remark in found.remarks],
    )
