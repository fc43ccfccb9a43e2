"""``songprint identify``: which song of the library a clip is of, and where in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import clock, complain, printable
from songprint.errors import DecodeError, UsageError

if TYPE_CHECKING:
    from songprint.identify.identifier import Identifier
    from songprint.identify.matching import Match
    from songprint.library.schema import SongRow
    from songprint.library.store import Library

EXAMPLES = """\b
Examples:
  songprint identify heard-in-a-bar.m4a
  songprint identify --mic 5
  songprint identify --json clips/ > songs.json

\b
A clip of three seconds is enough as a rule, of one if it is clean; noise, rooms,
telephones and a speed that is off by 2% are put up with. What plays must be in the
library: a clip of anything else is "no match", and so is another take of a song.
"""

MICROPHONE = "microphone"


@dataclass(frozen=True, eq=False)
class _Answer:
    path: str
    match: Match | None = None
    song: SongRow | None = None
    error: str | None = None


def identify(
    clips: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CLIP",
            help="Files, and folders, in which every audio file is a clip.",
            show_default=False,
        ),
    ] = None,
    mic: Annotated[
        float | None,
        typer.Option(
            "--mic",
            min=1.0,
            max=60.0,
            metavar="SECONDS",
            help="Listen to the microphone.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Say which songs of the library clips are of, and where in them."""
    from songprint.identify.identifier import Identifier
    from songprint.library.store import Library

    if not clips and mic is None:
        raise UsageError("name a clip, or listen with --mic SECONDS")
    kept = Library.open(library)
    identifier = Identifier(kept)
    if len(identifier.index) == 0:
        complain("no song of the library can be identified yet; songprint add sees to it")
    answers = []
    for answer in _answers(kept, identifier, clips or [], mic):
        if answer.error is not None:
            complain(f"{printable(answer.path)}: {answer.error}")
        elif not as_json:
            typer.echo(_line(answer))
        answers.append(answer)
    if as_json:
        # Escapes for all that is not ASCII: they alone can hold a file name that is not UTF-8.
        typer.echo(json.dumps([_document(answer) for answer in answers], indent=1, allow_nan=False))
    if any(answer.error is not None for answer in answers):
        raise typer.Exit(1)


def _answers(
    library: Library, identifier: Identifier, clips: list[str], mic: float | None
) -> Iterator[_Answer]:
    from songprint.library.scan import find_songs

    if mic is not None:
        from songprint.cli.microphone import record

        typer.echo(f"listening for {mic:g} s", err=True)
        samples = record(mic)
        yield _answer(library, MICROPHONE, partial(identifier.identify, samples))
    for clip in find_songs(clips):
        if clip.problem is not None:
            yield _Answer(clip.path, error=clip.problem)
        else:
            yield _answer(library, clip.path, partial(identifier.identify_file, clip.path))


def _answer(library: Library, path: str, ask: Callable[[], Match | None]) -> _Answer:
    try:
        match = ask()
    except DecodeError as error:
        return _Answer(path, error=error.reason)
    song = library.row_of(match.song) if match is not None else None
    return _Answer(path, match if song is not None else None, song)


def _line(answer: _Answer) -> str:
    clip = printable(answer.path)
    if answer.match is None or answer.song is None:
        return f"{clip}: no match"
    song = answer.song
    named = f"{song.artist} - {song.title}" if song.artist else song.title
    place = clock(max(answer.match.offset_seconds, 0.0))
    line = f"{clip}: {printable(named or song.path or song.content_hash)} at {place}"
    off = 100 * (answer.match.speed - 1)
    if off:
        line += f", {abs(off):.1f}% too {'fast' if off > 0 else 'slow'}"
    return f"{line} ({100 * answer.match.confidence:.0f}%)"


def _document(answer: _Answer) -> dict[str, Any]:
    if answer.error is not None:
        return {"path": answer.path, "match": None, "error": answer.error}
    if answer.match is None or answer.song is None:
        return {"path": answer.path, "match": None}
    match, song = answer.match, answer.song
    return {
        "path": answer.path,
        "match": {
            "path": song.path,
            "title": song.title,
            "artist": song.artist,
            "album": song.album,
            "content_hash": song.content_hash,
            "offset_seconds": round(match.offset_seconds, 3),
            "confidence": round(match.confidence, 4),
            "evidence": round(match.evidence, 2),
            "share": round(match.share, 4),
            "speed": match.speed,
        },
    }
