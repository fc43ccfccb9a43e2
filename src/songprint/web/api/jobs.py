"""Jobs: long work, how far it has come, and its result."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse
from pydantic import Field

from songprint.web.api.models import Model
from songprint.web.jobs import Job
from songprint.web.page import OfPage
from songprint.web.refusal import Refusal

router = APIRouter(tags=["jobs"])

JobId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


class JobState(Model):
    """A job."""

    id: str
    kind: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    progress: dict[str, Any]
    result: Any
    error: str | None
    files: list[str] = Field(description="Names of what it wrote; kept for a while.")
    began: datetime | None
    ended: datetime | None


def told(job: Job) -> JobState:
    """Return a job as it is now."""
    # The state first: whoever sees that it is done shall also see the result.
    return JobState(
        state=job.state,
        id=job.id,
        kind=job.kind,
        progress=job.progress,
        result=job.result,
        error=job.error,
        files=list(job.files),
        began=job.began,
        ended=job.ended,
    )


@router.get("/api/jobs")
def jobs(page: OfPage) -> list[JobState]:
    """List the jobs that are remembered, the latest first; without their results."""
    return [told(job).model_copy(update={"result": None}) for job in page.jobs.all()]


@router.get("/api/jobs/{job_id}")
def job(page: OfPage, job_id: JobId) -> JobState:
    """Tell how far a job has come, and its result."""
    return told(page.jobs.get(job_id))


@router.get(
    "/api/jobs/{job_id}/files/{name}",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}},
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
