"""Songs for others and from others, and what was heard into the tags of files."""

from __future__ import annotations

import shutil
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field, StringConstraints, model_validator
from starlette.concurrency import run_in_threadpool

from songprint.library.importing import forget_imported
from songprint.library.overview import origins_of
from songprint.web.api.jobs import ExportJob, ImportJob, TagJob, told
from songprint.web.api.labelled import is_installed
from songprint.web.api.models import BYTES, Model, Name, SongId
from songprint.web.commands import run_command
from songprint.web.jobs import Job
from songprint.web.page import OfPage, Page
from songprint.web.places import is_allowed
from songprint.web.refusal import Refusal

router = APIRouter(tags=["sharing"])

FileName = Annotated[
    str,
    StringConstraints(pattern=r"^[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]{0,99}$"),
    Query(description="What the file is called; its songs are known by it."),
]


class ToExport(Model):
    """What is told of the songs."""

    name: Name = "songprint"
    absolute_paths: bool = Field(default=False, description="Tell where the files lie.")
    plays: bool = Field(default=False, description="Tell how often songs were played.")


class Forgotten(Model):
    """What was forgotten."""

    songs: int


class Origin(Model):
    """A file that songs came in."""

    file: str = Field(description="Its name.")
    songs: int


class ToTag(Model):
    """What is to be written into the tags of files, or taken back."""

    fields: list[Literal["genre", "bpm", "key", "mood"]] = Field(default=[], max_length=4)
    songs: list[SongId] | None = Field(
        default=None, max_length=5000, description="Only files of these songs."
    )
    write: bool = Field(default=False, description="Without it nothing is changed, only told.")
    replace: bool = Field(default=False, description="Also where a field says something else.")
    unsure: bool = Field(default=False, description="Also what is not sure.")
    undo: bool = Field(default=False, description="Take back the last writing, all of it.")

    @model_validator(mode="after")
    def _one_of_both(self) -> ToTag:
        if self.undo == bool(self.fields):
            raise ValueError("either fields or undo are needed")
        if self.undo and (self.replace or self.unsure or self.songs is not None):
            raise ValueError("undo takes back all of the last writing: it goes with write alone")
        return self


@router.post("/api/export", status_code=202)
def export(page: OfPage, asked: ToExport) -> ExportJob:
    """Start to write the library's songs, without audio, into one Parquet file for others.

    The job's result is what ``songprint export --json`` prints, its one file the songs.
    """
    options = ["--absolute-paths"] * asked.absolute_paths + ["--plays"] * asked.plays

    def work(job: Job) -> Any:
        room = page.jobs.room()
        file = room / f"{asked.name}.parquet"
        result = run_command(job, ["export", "--json", *options, *_library(page), "--", str(file)])
        page.jobs.leave(job, room)
        return {**result, "file": file.name} if result else result

    return told(ExportJob, page.jobs.start("export", work))


@router.post("/api/import", status_code=202, openapi_extra=BYTES)
async def import_songs(page: OfPage, request: Request, name: FileName) -> ImportJob:
    """Start to make a stranger's songs findable: the body is a file that an export wrote.

    The job's result is what ``songprint import --json`` prints.
    """
    room = page.jobs.room()
    file = room / name
    try:
        async with page.uploads.received(request) as path:
            await run_in_threadpool(shutil.move, path, file)

        def work(job: Job) -> Any:
            try:
                command = ["import", "--json", *_library(page), "--", str(file)]
                result = run_command(job, command)
            finally:
                shutil.rmtree(room, ignore_errors=True)
            page.shelf.refresh()
            for one in (result or {}).get("imported", []) + (result or {}).get("failed", []):
                one["file"] = name
            return result

        return told(ImportJob, page.jobs.start("import", work))
    except BaseException:
        shutil.rmtree(room, ignore_errors=True)
        raise


@router.get("/api/imported")
def imported(page: OfPage) -> list[Origin]:
    """List the files of others that songs of the library came in."""
    origins = origins_of(page.shelf.library)
    return [Origin(file=file, songs=songs) for file, songs in origins.items()]


@router.delete("/api/imported/{name}")
def forget(page: OfPage, name: Annotated[str, Path(min_length=1, max_length=200)]) -> Forgotten:
    """Forget the songs that came in files of a name."""
    songs = forget_imported(page.shelf.library, name)
    if not songs:
        raise Refusal(404, "no song here came in a file of this name")
    page.shelf.refresh()
    return Forgotten(songs=songs)


@router.post("/api/tag", status_code=202)
def tag(page: OfPage, asked: ToTag) -> TagJob:
    """Start to write genre, tempo, key or mood into the tags of the library's files, or undo it.

    The job's result is what ``songprint tag --json`` prints. Needs mutagen.
    """
    if not is_installed("mutagen"):
        raise Refusal(
            409,
            "writing tags needs mutagen, which is not installed on the server: "
            "pip install 'songprint[tag]'",
        )
    restricted = bool(page.settings.music) or not page.settings.is_local
    if asked.undo and restricted:
        raise Refusal(403, "the last writing is taken back at the server's machine alone")
    command = ["tag", "--json", *_library(page)]
    command += [f"--{field}" for field in dict.fromkeys(asked.fields)]
    for option in ("write", "replace", "unsure", "undo"):
        command += [f"--{option}"] * getattr(asked, option)
    files = _files(page, asked.songs, restricted)

    def work(job: Job) -> Any:
        try:
            return run_command(job, [*command, "--", *files])
        finally:
            page.shelf.refresh()

    return told(TagJob, page.jobs.start("tag", work))


def _files(page: Page, songs: list[SongId] | None, restricted: bool) -> list[str]:
    """Return the library's files of some songs; none stands for all of the library.

    Raises
    ------
    Refusal
        If there are none that this server may write to.
    """
    if songs is None and not restricted:
        return []
    snapshot = page.shelf.current()
    wanted = None if songs is None else {snapshot.row(song) for song in songs}
    paths = snapshot.catalogue.paths
    rows = range(len(paths)) if wanted is None else sorted(wanted)
    found = [path for row in rows if (path := paths[row]) and is_allowed(page, path)]
    if not found:
        raise Refusal(409, "there are no files here whose tags could be written")
    return found


def _library(page: Page) -> list[str]:
    return ["--library", str(page.shelf.library.path)]
