"""Which recording a clip is of, and which songs of the library are one recording."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from songprint.audio.container import DecodeLimits
from songprint.web import tasks
from songprint.web.api.jobs import DoctorJob, DuplicatesJob, told
from songprint.web.api.models import BYTES, Model, Song, rounded, song
from songprint.web.commands import run_command
from songprint.web.jobs import Job
from songprint.web.page import OfPage, Page

router = APIRouter(tags=["identify"])

LONGEST_CLIP_SECONDS = 2 * 3600.0
ASKING_SECONDS = 300.0
"""It takes so long where songs were added by an older songprint, whose landmarks are made first."""


class Match(Model):
    """A place of a song."""

    song: Song
    offset_seconds: float = Field(description="Where in the song the clip begins.")
    confidence: float = Field(description="How probable it is that this is right.")
    speed: float = Field(description="Above 1 the clip runs faster than the song.")


class Identified(Model):
    """What a clip is of."""

    match: Match | None = Field(description="Null where no song of the library convinces.")
    seconds: float = Field(description="How much of the clip was listened to.")
    level_dbfs: float | None = Field(description="How loud it is; null for silence.")
    songs: int = Field(description="How many songs of the library can be identified.")


@router.post("/api/identify", openapi_extra=BYTES)
async def identify(page: OfPage, request: Request) -> Identified:
    """Say which song of the library a clip is of, and where in it: the body is an audio file.

    Its first two minutes are listened to. It is gone when it was heard.
    """
    limits = DecodeLimits(
        max_seconds=LONGEST_CLIP_SECONDS, max_decode_seconds=page.settings.upload_seconds
    )
    async with page.uploads.received(request) as path:
        samples = await run_in_threadpool(
            page.strange.run,
            tasks.listen,
            str(path),
            limits,
            limit_seconds=page.settings.upload_seconds,
        )
    return await run_in_threadpool(_identified, page, samples)


def _identified(page: Page, samples: Any) -> Identified:
    found = page.ears.run(
        tasks.identify, str(page.shelf.library.path), samples, limit_seconds=ASKING_SECONDS
    )
    match = None
    if found.match is not None:
        snapshot = page.shelf.current()
        row = snapshot.row_of(found.match.song)
        if row is None:  # it was added just now
            page.shelf.refresh()
            snapshot = page.shelf.current()
            row = snapshot.row_of(found.match.song)
        if row is not None:
            match = Match(
                song=song(snapshot.catalogue, row),
                offset_seconds=round(found.match.offset_seconds, 2),
                confidence=rounded(found.match.confidence) or 0.0,
                speed=found.match.speed,
            )
    return Identified(
        match=match,
        seconds=round(found.seconds, 2),
        level_dbfs=rounded(found.level_dbfs, 1),
        songs=found.songs,
    )


@router.post("/api/duplicates", status_code=202)
def duplicates(
    page: OfPage,
    anew: Annotated[
        bool, Query(description="Compare all songs, not only those that are new.")
    ] = False,
) -> DuplicatesJob:
    """Start to look for recordings that the library has more than once.

    The job's result is what ``songprint duplicates --json`` prints.
    """

    def work(job: Job) -> Any:
        library = str(page.shelf.library.path)
        again = ["--anew"] if anew else []
        return run_command(job, ["duplicates", "--json", "--library", library, *again])

    return told(DuplicatesJob, page.jobs.start("duplicates", work))


@router.post("/api/doctor", status_code=202)
def doctor(page: OfPage) -> DoctorJob:
    """Start to check that songprint is whole and works on the server's machine.

    The job's result is what ``songprint doctor --json`` prints.
    """
    command = ["doctor", "--json", "--library", str(page.shelf.library.path)]
    return told(DoctorJob, page.jobs.start("doctor", lambda job: run_command(job, command)))
