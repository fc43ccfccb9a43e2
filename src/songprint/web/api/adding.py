"""Adding folders to the library, and hearing a file without adding it."""

from __future__ import annotations

import os
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from songprint.audio.container import DecodeLimits
from songprint.cli.document import song_document
from songprint.cli.places import personal_head_path
from songprint.cli.text import printable
from songprint.errors import UsageError
from songprint.library.catalogue import catalogue_of
from songprint.library.forget import forget_folders
from songprint.web.adding import add
from songprint.web.api.documents import HeardSong
from songprint.web.api.jobs import AddJob, told
from songprint.web.api.models import BYTES, PERSONAL_NAME, Model, Neighbour, neighbours
from songprint.web.jobs import Job
from songprint.web.names import shown
from songprint.web.page import OfPage, Page
from songprint.web.places import allowed_folder, is_allowed
from songprint.web.refusal import Refusal
from songprint.web.shelf import Snapshot
from songprint.web.tasks import Heard, hear

router = APIRouter(tags=["adding"])

LONGEST_UPLOAD_SECONDS = 2 * 3600.0
MOST_LISTED = 500
NEIGHBOURS = 10


class FoldersToAdd(Model):
    """What is to be added."""

    folders: list[str] = Field(
        default=[],
        max_length=20,
        description="Absolute paths on the server's machine; those added before if there is none.",
    )
    prune: bool = Field(default=False, description="Forget files that are gone, and their songs.")
    retry: bool = Field(default=False, description="Try files again that failed before.")
    thorough: bool = Field(
        default=False, description="Hear every moment of long songs, not a third of them."
    )


class FoldersToForget(Model):
    """What is to be taken out of the library."""

    folders: list[str] = Field(
        min_length=1, max_length=100, description="As they are listed by /api/library."
    )


class Forgotten(Model):
    """What was taken out of the library."""

    files: int


class Folder(Model):
    """A folder on the server's machine."""

    path: str
    parent: str | None
    folders: list[str] = Field(description="Names of the folders in it.")
    files: int = Field(description="Files in it that look like songs.")


class Classified(Model):
    """What was heard in a file that was not added."""

    id: str = Field(description="Its content hash; genres can be learnt from it for a while.")
    in_library: bool
    title: str | None
    artist: str | None
    heard: HeardSong = Field(description="As songprint classify --json --timeline prints it.")
    similar: list[Neighbour] = Field(description="The nearest songs of the library.")


@router.post("/api/add", status_code=202)
def add_folders(page: OfPage, asked: FoldersToAdd) -> AddJob:
    """Start to add folders to the library; what is new or has changed is heard."""
    folders = [allowed_folder(page, folder) for folder in asked.folders]
    folders = folders or page.shelf.library.folders()
    if not folders:
        raise UsageError("no folder was added yet; name one")

    def work(job: Job) -> dict[str, Any] | None:
        try:
            return add(
                job,
                page.shelf.library.path,
                folders,
                page.settings.workers,
                prune=asked.prune,
                retry=asked.retry,
                thorough=asked.thorough,
            )
        finally:
            page.shelf.refresh()

    return told(AddJob, page.jobs.start("add", work))


@router.post("/api/forget")
def forget(page: OfPage, asked: FoldersToForget) -> Forgotten:
    """Take folders out of the library again; the files stay as they are."""
    library = page.shelf.library
    known = {printable(folder): folder for folder in library.folders()}
    for folder in asked.folders:
        if folder not in known:
            raise Refusal(404, f"{printable(folder)}: was never added")
    files = forget_folders(library, [known[folder] for folder in asked.folders])
    page.shelf.refresh()
    return Forgotten(files=files)


@router.get("/api/folders")
def folders(
    page: OfPage,
    path: Annotated[
        str | None, Query(max_length=4096, description="The home folder if none.")
    ] = None,
) -> Folder:
    """List the folders in a folder, to choose one that is to be added."""
    from songprint.audio.suffixes import AUDIO_SUFFIXES

    start = str(page.settings.music[0]) if page.settings.music else os.path.expanduser("~")  # noqa: PTH111
    folder = allowed_folder(page, path or start)
    names, files = [], 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    names.append(entry.name)
                elif os.path.splitext(entry.name)[1].lower() in AUDIO_SUFFIXES:  # noqa: PTH122
                    files += 1
    except OSError as error:
        raise UsageError(f"the folder cannot be read: {error.strerror}") from None
    names = sorted((name for name in names if name.isprintable()), key=str.casefold)
    parent = os.path.dirname(folder)  # noqa: PTH120
    above = parent if parent != folder and is_allowed(page, parent) else None
    return Folder(
        path=printable(folder),
        parent=shown(above),
        folders=names[:MOST_LISTED],
        files=files,
    )


@router.post("/api/classify", openapi_extra=BYTES)
async def classify(
    page: OfPage,
    request: Request,
    name: Annotated[str, Query(max_length=300, description="What the file is called.")] = "",
    genres: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=80,
            pattern=PERSONAL_NAME,
            description="Genres of one's own, instead of songprint's.",
        ),
    ] = None,
) -> Classified:
    """Hear a file: the body is its bytes. It is gone when it was heard, and is not added."""
    own = personal_head_path(genres) if genres is not None else None
    if own is not None and not own.is_file():
        raise Refusal(404, "there are no genres of this name")
    limits = DecodeLimits(
        max_seconds=LONGEST_UPLOAD_SECONDS, max_decode_seconds=page.settings.upload_seconds
    )
    async with page.uploads.received(request) as path:
        heard = await run_in_threadpool(
            page.strange.run,
            hear,
            str(path),
            limits,
            own,
            limit_seconds=page.settings.upload_seconds,
        )
    if own is None:  # else an encoder of one's own may have heard it
        page.uploads.remember(heard)
    return await run_in_threadpool(_classified, page, heard, name)


def _classified(page: Page, heard: Heard, name: str) -> Classified:
    snapshot = page.shelf.current_or_none()
    song = heard.fingerprint.content_hash
    title = heard.title or (os.path.splitext(os.path.basename(name))[0] or None)  # noqa: PTH119, PTH122
    return Classified(
        id=song,
        in_library=snapshot is not None and snapshot.row_of(song) is not None,
        title=shown(title),
        artist=shown(heard.artist),
        heard=song_document(printable(name), heard.fingerprint, timeline=True),
        similar=_similar(snapshot, heard) if snapshot is not None else [],
    )


def _similar(snapshot: Snapshot, heard: Heard) -> list[Neighbour]:
    catalogue = snapshot.catalogue
    if heard.fingerprint.model != catalogue.model:
        return []  # an older songprint heard the library: their numbers cannot be compared
    one = catalogue_of([heard.fingerprint], paths=[None])
    return neighbours(catalogue, snapshot.kinship.neighbours(one, NEIGHBOURS), one)
