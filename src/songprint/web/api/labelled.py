"""Songs whose genres are known: to measure songprint on, to learn from, to look at by genre."""

from __future__ import annotations

import csv
import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter
from pydantic import Field, model_validator

from songprint.cli.places import personal_head_path
from songprint.errors import SongprintError
from songprint.web.api.jobs import EvaluateJob, GalleryJob, LearnJob, told
from songprint.web.api.models import Label, Model, Name, SongId
from songprint.web.audio import path_of
from songprint.web.commands import run_command
from songprint.web.jobs import Job
from songprint.web.page import OfPage, Page
from songprint.web.places import allowed_folder
from songprint.web.refusal import Refusal

router = APIRouter(tags=["genres"])

Kind = Literal["gtzan", "fma", "folder", "tags"]


class Labelled(Model):
    """Songs and their genres: a folder on the server's machine, or songs of the library."""

    folder: str | None = Field(
        default=None,
        max_length=4096,
        description="One folder for each genre in it, GTZAN, FMA, or songs with tags.",
    )
    kind: Kind | None = Field(
        default=None, description="What the folder is; else it is told from what is there."
    )
    genres: dict[Label, Annotated[list[SongId], Field(max_length=5000)]] = Field(
        default={}, max_length=50, description="By genre, ids of songs of the library."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.folder is None) == (not self.genres):
            raise ValueError("either a folder or genres are needed")
        return self


class ToTrain(Labelled):
    """Genres to be learnt."""

    name: Name
    against: str | None = Field(
        default=None, max_length=4096, description='A folder of other songs, the genre "other".'
    )
    finetune: bool = Field(
        default=False,
        description="Train the whole encoder and keep it if it is better: minutes to hours.",
    )


class ToDraw(Labelled):
    """Genres to be drawn side by side."""

    heard: bool = Field(
        default=False, description="Sort the folder's songs by what songprint hears."
    )
    per_genre: int = Field(default=40, ge=1, le=1000, description="The most songs of a genre.")
    only: list[Label] = Field(default=[], max_length=50, description="Only these genres.")
    format: Literal["pages", "html", "png", "svg", "pdf"] = Field(
        default="pages", description="pages: figures, HTML, Markdown and tables; else one file."
    )
    dpi: int = Field(default=200, ge=50, le=300)


@dataclass(frozen=True)
class Source:
    """What a command is given as its data set.

    Attributes
    ----------
    spec : str
        A folder and its kind; empty for rows.
    rows : list of (str, str, str)
        Path, genre and artist of songs.
    """

    spec: str = ""
    rows: list[tuple[str, str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, page: Page, asked: Labelled) -> Self:
        """Return what was asked for.

        Raises
        ------
        Refusal
            If a song is unknown or has no file here, or the folder may not be named.
        """
        if asked.folder is not None:
            folder = allowed_folder(page, asked.folder)
            return cls(f"{asked.kind}:{folder}" if asked.kind else folder)
        snapshot, library = page.shelf.current(), page.shelf.library
        rows = []
        for label, songs in asked.genres.items():
            for song in dict.fromkeys(songs):
                artist = snapshot.catalogue.artists[snapshot.row(song)]
                rows.append((path_of(library, snapshot, song), label, artist or ""))
        return cls(rows=rows)

    def within(self, room: Path) -> str:
        """Return the data set's name; rows become a table in a folder."""
        if self.spec:
            return self.spec
        table = room / "songs.csv"
        with table.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            csv.writer(file).writerows([("path", "label", "artist"), *self.rows])
        return f"table:{table}"


@router.post("/api/evaluate", status_code=202)
def evaluate(page: OfPage, asked: Labelled) -> EvaluateJob:
    """Start to measure how well songprint tells the genres of songs whose genres are known.

    The job's result is what ``songprint evaluate --json`` prints.
    """
    source = Source.of(page, asked)

    def work(job: Job) -> Any:
        return _in_a_room(page, job, ["evaluate", "--json", *_workers(page), "--"], source)

    return told(EvaluateJob, page.jobs.start("evaluate", work))


@router.post("/api/train", status_code=202)
def train(page: OfPage, asked: ToTrain) -> LearnJob:
    """Start to learn genres of one's own from files, and to measure how well they are told.

    The job's result is what ``songprint train --json`` prints. Fine-tuning needs PyTorch.
    """
    require_for_finetuning(asked.finetune)
    source = Source.of(page, asked)
    place = personal_head_path(asked.name)
    command = ["train", "--json", "--name", asked.name, "--out", str(place), *_workers(page)]
    if asked.against is not None:
        command += ["--against", allowed_folder(page, asked.against)]
    if asked.finetune:
        command.append("--finetune")

    def work(job: Job) -> Any:
        result = _in_a_room(page, job, [*command, "--"], source)
        return {**result, "file": place.name} if result else result

    return told(LearnJob, page.jobs.start("learn", work))


@router.post("/api/gallery", status_code=202)
def gallery(page: OfPage, asked: ToDraw) -> GalleryJob:
    """Start to draw genres side by side and to measure in what they differ.

    The job's result is what ``songprint gallery --json`` prints, its files are the figures, pages
    and tables.
    """
    source = Source.of(page, asked)
    command = ["gallery", "--json", "--per-genre", str(asked.per_genre), "--dpi", str(asked.dpi)]
    command += _workers(page)
    if asked.only:
        command += ["--genres", ",".join(asked.only)]
    if asked.heard:
        command.append("--heard")

    def work(job: Job) -> Any:
        room = page.jobs.room()
        out = room if asked.format == "pages" else room / f"gallery.{asked.format}"
        result = _in_a_room(page, job, [*command, "--out", str(out), "--"], source)
        page.jobs.leave(job, room)
        return {**result, "written": list(job.files)} if result else result

    return told(GalleryJob, page.jobs.start("gallery", work))


def require_for_finetuning(wanted: bool) -> None:
    """Refuse to fine-tune where what it takes is not installed."""
    if wanted and not all(map(is_installed, ("torch", "onnx"))):
        raise Refusal(
            409,
            "fine-tuning needs PyTorch, which is not installed on the server: "
            "pip install 'songprint[train]'",
        )


def is_installed(package: str) -> bool:
    """Tell whether a package can be imported, without importing it."""
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # something of this name stands in its place
        return False


def _in_a_room(page: Page, job: Job, command: Sequence[str], source: Source) -> Any:
    """Run a command on a data set whose table, if it needs one, is gone afterwards."""
    room = page.jobs.room()
    try:
        return run_command(job, [*command, source.within(room)])
    except SongprintError as error:
        raise SongprintError(str(error).replace(f"{room}/", "")) from error
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _workers(page: Page) -> list[str]:
    return ["--workers", str(page.settings.workers)]
