"""Genres: how those of the library sound, how well they are told, and genres of one's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from songprint.cli.finetuning import remove_unused
from songprint.cli.output import write_whole
from songprint.cli.places import personal_head_path
from songprint.errors import SongprintError, UsageError
from songprint.fingerprints import default_fingerprinter
from songprint.genre.personal import (
    MIN_ARTISTS,
    MIN_SONGS,
    OTHER,
    PersonalHead,
    load_with_encoder,
)
from songprint.views.numbers import NUMBERS
from songprint.web import tasks
from songprint.web.api.jobs import LearnJob, told
from songprint.web.api.models import (
    PERSONAL_NAME,
    Label,
    Model,
    Name,
    Probability,
    Song,
    SongId,
    rounded,
    song_fields,
)
from songprint.web.card import Card, accuracy_card
from songprint.web.jobs import Job
from songprint.web.names import shown
from songprint.web.page import OfPage, Page
from songprint.web.refusal import Refusal
from songprint.web.shelf import Snapshot
from songprint.web.spilling import let_go

router = APIRouter(tags=["genres"])

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TYPICAL = 3
AT_ONCE = 5_000
_COMPARING = threading.Lock()
"""Held while genres are compared: that takes 10 MB among 100,000 songs."""


class Quantiles(Model):
    """How a descriptor is spread over a genre's songs."""

    name: str
    label: str
    unit: str
    values: dict[str, list[float]] = Field(
        description="By genre: the 5th, 25th, 50th, 75th and 95th percentile."
    )


class Genre(Model):
    """A genre of the library."""

    name: str
    songs: int
    hours: float
    typical: list[Song] = Field(description="The songs nearest to the genre's mean.")


class Genres(Model):
    """The genres of the library, and how they differ."""

    genres: list[Genre]
    descriptors: list[Quantiles]


class Personal(Model):
    """Genres of one's own."""

    name: str
    classes: list[str]
    songs: dict[str, int] = Field(description="How many of each it was learnt from.")
    artists: dict[str, int]
    accuracy: dict[str, float] | None = Field(
        description="right, songs, low and high, on artists that were not learnt from."
    )
    encoder: bool = Field(
        default=False,
        description="Whether they have an encoder of their own, fine-tuned for them.",
    )
    error: str | None


class ToLearn(Model):
    """Genres to be learnt: a name for all, and songs for each."""

    name: Name
    genres: dict[Label, Annotated[list[SongId], Field(max_length=2000)]] = Field(
        min_length=1,
        max_length=20,
        description="By genre, ids of songs of the library or of files that were just classified.",
    )


class Called(Song):
    """A song and what it is by one's own genres."""

    mine: list[Probability]
    mine_unsure: bool


@router.get("/api/genres")
def genres(page: OfPage) -> Genres:
    """Tell how the genres of the library differ."""
    snapshot = page.shelf.current()
    catalogue = snapshot.catalogue
    names = catalogue.vocabulary.genres
    rows = {
        name: np.flatnonzero((snapshot.table.genre == names.index(name)) & ~catalogue.unsure)
        for name in snapshot.genre_counts
    }
    with _COMPARING:
        typical = _typical(snapshot, rows)
    return Genres(
        genres=[
            Genre(
                name=name,
                songs=len(found),
                hours=round(float(catalogue.seconds[found].sum(dtype=np.float64)) / 3600, 2),
                typical=[Song(**song_fields(catalogue, row)) for row in typical[name]],
            )
            for name, found in rows.items()
        ],
        descriptors=_quantiles(snapshot, rows),
    )


def _typical(snapshot: Snapshot, rows: dict[str, np.ndarray]) -> dict[str, list[int]]:
    """Return the songs of each genre whose embeddings are nearest to their mean."""
    kinds = np.full(len(snapshot), -1)
    for place, found in enumerate(rows.values()):
        kinds[found] = place
    totals = np.zeros((len(rows), snapshot.catalogue.embeddings.shape[1]))
    for start, block in _embeddings(snapshot):
        own = kinds[start : start + len(block)]
        for place in range(len(rows)):
            totals[place] += block[own == place].sum(axis=0)
    nearness = np.empty((len(snapshot), len(rows)), np.float32)
    for start, block in _embeddings(snapshot):
        nearness[start : start + len(block)] = block @ totals.T
    return {
        name: found[np.argsort(-nearness[found, place], kind="stable")[:TYPICAL]].tolist()
        for place, (name, found) in enumerate(rows.items())
    }


def _embeddings(snapshot: Snapshot) -> Iterator[tuple[int, np.ndarray]]:
    """Yield all embeddings in pieces, and where each begins; not all are in memory at once."""
    catalogue = snapshot.catalogue
    for start in range(0, len(catalogue), AT_ONCE):
        yield start, catalogue.embeddings[start : start + AT_ONCE]
        let_go(catalogue)


def _quantiles(snapshot: Snapshot, rows: dict[str, np.ndarray]) -> list[Quantiles]:
    from songprint.library.catalogue import NUMBERS as KNOWN

    found = []
    for number in NUMBERS:
        if number.key not in KNOWN:
            continue
        column = snapshot.catalogue.number(number.key)
        values = {}
        for genre, index in rows.items():
            known = column[index]
            known = known[np.isfinite(known)].astype(np.float64)
            if len(known):
                values[genre] = [round(float(v), 4) for v in np.quantile(known, QUANTILES)]
        found.append(
            Quantiles(name=number.key, label=number.title, unit=number.unit, values=values)
        )
    return found


@router.get("/api/genres/card")
def card() -> Card:
    """Return how well the genres that ship with songprint are told, as it was measured."""
    return accuracy_card()


@router.get("/api/genres/personal")
def personal_genres() -> list[Personal]:
    """List genres of one's own."""
    folder = personal_head_path("x").parent
    return [_told(path.stem) for path in sorted(folder.glob("*.json"))]


def _told(name: str) -> Personal:
    try:
        head = _load(name)
    except SongprintError as error:
        return Personal(
            name=name, classes=[], songs={}, artists={}, accuracy=None, error=shown(str(error))
        )
    return Personal(
        name=name,
        classes=list(head.head.classes),
        songs=dict(head.songs),
        artists=dict(head.artists),
        accuracy=dict(head.accuracy) if head.accuracy else None,
        encoder=bool(head.encoder),
        error=None,
    )


def _load(name: str) -> PersonalHead:
    head, _ = load_with_encoder(personal_head_path(name), default_fingerprinter().encoder)
    return head


PersonalName = Annotated[str, Path(min_length=1, max_length=80, pattern=PERSONAL_NAME)]


@router.post("/api/genres/personal", status_code=202)
def learn(page: OfPage, asked: ToLearn) -> LearnJob:
    """Start to learn genres of one's own, and to measure how well they are told.

    One genre alone is told from a background of all kinds of music that ships with songprint.
    """
    embeddings, labels, artists = _examples(page, asked)

    def work(_: Job) -> dict[str, Any]:
        text, document = page.own.run(
            tasks.learn, embeddings, labels, artists, asked.name, limit_seconds=300.0
        )
        place = personal_head_path(asked.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, text.encode("utf-8"))
        document["file"] = place.name
        return dict(document)

    return told(LearnJob, page.jobs.start("learn", work))


def _examples(page: Page, asked: ToLearn) -> tuple[Any, list[str], list[str]]:
    snapshot = page.shelf.current_or_none()
    embeddings, labels, artists = [], [], []
    label_of: dict[str, str] = {}
    for label, songs in asked.genres.items():
        if label == OTHER:
            raise UsageError(f"{OTHER}: is what songs of no genre of yours are called")
        for song in dict.fromkeys(songs):
            if label_of.setdefault(song, label) != label:
                raise UsageError(f"a song is in two genres: {label_of[song]} and {label}")
            embedding, artist = _known(page, snapshot, song)
            embeddings.append(embedding)
            labels.append(label)
            # A song by nobody known counts as an artist's only one, as in songprint train.
            artists.append(artist.casefold() if artist else f"song {song}")
    if not embeddings:
        raise UsageError(f"each genre needs {MIN_SONGS} songs by {MIN_ARTISTS} artists")
    return np.stack(embeddings), labels, artists


def _known(page: Page, snapshot: Snapshot | None, song: str) -> tuple[Any, str | None]:
    heard = page.uploads.recall(song)
    if heard is not None:
        return heard.fingerprint.embedding, heard.artist
    row = snapshot.row_of(song) if snapshot is not None else None
    if snapshot is None or row is None:
        raise Refusal(404, f"{song}: is not in the library, and was not heard lately")
    if snapshot.catalogue.model != default_fingerprinter().model_version:
        raise Refusal(409, "another songprint heard the library; songprint add renews it first")
    return snapshot.catalogue.embeddings[row], snapshot.catalogue.artists[row]


@router.get("/api/genres/personal/{name}/songs")
def called(
    page: OfPage,
    name: PersonalName,
    genre: Annotated[str | None, Query(max_length=60)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[Called]:
    """List the songs of the library that are most surely of a genre of one's own, or of any."""
    personal = _load(name)
    if personal.encoder:
        raise Refusal(409, f"{name}: has an encoder of its own, which has not heard the library")
    head = personal.head
    with page.shelf.turn() as snapshot:
        catalogue = snapshot.catalogue
        probabilities = np.concatenate(
            [head.class_probabilities(block) for _, block in _embeddings(snapshot)]
        )
    wanted = [i for i, label in enumerate(head.classes) if label == genre or genre is None]
    if not wanted:
        raise UsageError(f"the genres are {', '.join(head.classes)}")
    likeliest = probabilities.argmax(axis=1)
    score = np.where(np.isin(likeliest, wanted), probabilities.max(axis=1), 0.0)
    rows = np.argsort(-score, kind="stable")[: min(limit, int((score > 0).sum()))]
    return [
        Called(
            **song_fields(catalogue, int(row)),
            mine=[
                Probability(name=label, p=rounded(p) or 0.0)
                for label, p in sorted(
                    zip(head.classes, probabilities[row], strict=True), key=lambda pair: -pair[1]
                )
            ],
            mine_unsure=bool(probabilities[row].max() < head.threshold),
        )
        for row in rows
    ]


@router.delete("/api/genres/personal/{name}", status_code=204)
def forget(name: PersonalName) -> Response:
    """Forget genres of one's own."""
    path = personal_head_path(name)
    if not path.is_file() or "personal" not in json.loads(path.read_text("utf-8", "replace")):
        raise Refusal(404, "there are no genres of this name")
    path.unlink()
    remove_unused(path, used="")
    return Response(status_code=204)
