"""Jobs: long work, how far it has come, and its result."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar, get_args

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse
from pydantic import Field

from songprint.web.api.documents import (
    Added,
    Doctor,
    Drawn,
    Duplicates,
    Evaluated,
    Exported,
    Imported,
    Learnt,
    Tagged,
)
from songprint.web.api.models import BINARY, Model, SongId
from songprint.web.jobs import Job, State
from songprint.web.page import OfPage
from songprint.web.refusal import Refusal

router = APIRouter(tags=["jobs"])

JobId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


class JobState(Model):
    """What is known of a job of any kind; each kind says what its progress and its result are."""

    id: str
    kind: str
    state: State
    progress: Any
    result: Any
    error: str | None
    files: list[str] = Field(description="Names of what it wrote; kept for a while.")
    began: datetime | None
    ended: datetime | None


class Failure(Model):
    """A file in which no song could be heard."""

    path: str
    error: str


class AddProgress(Model):
    """How far adding has come."""

    files: int = Field(description="Files to be looked at.")
    left: int
    heard: int
    added: int
    failed: int
    failures: list[Failure] = Field(description="The first of them.")
    seconds: float
    songs_per_second: float
    times_real_time: float
    seconds_left: float | None


class CommandProgress(Model):
    """How far a command has come, as a terminal would show it."""

    done: float | None = Field(default=None, description="Of `total`; null where it has no bar.")
    total: float | None = None
    lines: list[str] = Field(default=[], description="The last that it said.")


class Suggested(Model):
    """A playlist that the library suggests."""

    name: str = Field(description="What most of its songs share.")
    songs: int = Field(description="How many songs lie there in all.")
    spread: float = Field(description="Mean squared distance from the middle.")
    ids: list[SongId] = Field(description="The most typical songs first.")


class AddJob(JobState):
    """Folders are added; the result is what ``songprint add --json`` prints."""

    kind: Literal["add"]
    progress: AddProgress | None
    result: Added | None


class ClustersJob(JobState):
    """Playlists are sought."""

    kind: Literal["clusters"]
    progress: None
    result: list[Suggested] | None


class CommandJob(JobState):
    """A command is run; the result is what it prints with ``--json``."""

    progress: CommandProgress | None


class DoctorJob(CommandJob):
    """The machine is examined."""

    kind: Literal["doctor"]
    result: Doctor | None


class DuplicatesJob(CommandJob):
    """Songs are compared."""

    kind: Literal["duplicates"]
    result: Duplicates | None


class EvaluateJob(CommandJob):
    """songprint is measured on songs whose genres are known."""

    kind: Literal["evaluate"]
    result: Evaluated | None


class ExportJob(CommandJob):
    """Songs are written for others."""

    kind: Literal["export"]
    result: Exported | None


class GalleryJob(CommandJob):
    """Genres are drawn side by side."""

    kind: Literal["gallery"]
    result: Drawn | None


class ImportJob(CommandJob):
    """Songs of others are taken in."""

    kind: Literal["import"]
    result: Imported | None


class LearnJob(CommandJob):
    """Genres of one's own are learnt."""

    kind: Literal["learn"]
    result: Learnt | None


class TagJob(CommandJob):
    """Tags are written, or taken back."""

    kind: Literal["tag"]
    result: Tagged | None


AnyJob = Annotated[
    AddJob
    | ClustersJob
    | DoctorJob
    | DuplicatesJob
    | EvaluateJob
    | ExportJob
    | GalleryJob
    | ImportJob
    | LearnJob
    | TagJob,
    Field(discriminator="kind"),
]
KINDS: dict[str, Any] = {
    get_args(model.model_fields["kind"].annotation)[0]: model
    for model in get_args(get_args(AnyJob)[0])
}
OfKind = TypeVar("OfKind", bound=JobState)


def told(model: type[OfKind], job: Job) -> OfKind:
    """Return a job as it is now."""
    # The state first: whoever sees that it is done shall also see the result.
    return model(
        state=job.state,
        id=job.id,
        kind=job.kind,
        progress=job.progress or None,
        result=job.result,
        error=job.error,
        files=list(job.files),
        began=job.began,
        ended=job.ended,
    )


@router.get("/api/jobs")
def jobs(page: OfPage) -> list[AnyJob]:
    """List the jobs that are remembered, the latest first; without their results."""
    return [_told(job).model_copy(update={"result": None}) for job in page.jobs.all()]


@router.get("/api/jobs/{job_id}")
def job(page: OfPage, job_id: JobId) -> AnyJob:
    """Tell how far a job has come, and its result."""
    return _told(page.jobs.get(job_id))


def _told(job: Job) -> AnyJob:
    state: AnyJob = told(KINDS[job.kind], job)
    return state


@router.get(
    "/api/jobs/{job_id}/files/{name}",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": BINARY}}},
)
def file(
    page: OfPage, job_id: JobId, name: Annotated[str, Path(min_length=1, max_length=200)]
) -> FileResponse:
    """Send a file that a job wrote."""
    path = page.jobs.get(job_id).files.get(name)  # by name alone: no path is made of a request
    if path is None or not path.is_file():
        raise Refusal(404, "there is no such file, or it was let go; do the job again")
    # To be saved, not shown: a page that a job wrote is no page of this server.
    return FileResponse(path, media_type="application/octet-stream", filename=name)


@router.delete("/api/jobs/{job_id}", status_code=204)
def stop(page: OfPage, job_id: JobId) -> Response:
    """Stop a job; what it has done until now is kept."""
    page.jobs.get(job_id).stop.set()
    return Response(status_code=204)
