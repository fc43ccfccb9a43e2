"""Lists of songs, as documents and for people, which several commands print."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from songprint.cli.asked import label
from songprint.cli.text import clock, printable

if TYPE_CHECKING:
    from rich.text import Text

    from songprint.cli.asked import Named
    from songprint.kinship.neighbours import Neighbour
    from songprint.library.catalogue import Catalogue

SURE_TEMPO = 0.5
"""A tempo with less confidence is not told to people."""


def song_document(catalogue: Catalogue, row: int) -> dict[str, Any]:
    """Return what a document says of a song of the library."""
    likeliest = int(catalogue.genres[row].argmax())
    return {
        "path": catalogue.paths[row],
        "title": catalogue.titles[row],
        "artist": catalogue.artists[row],
        "album": catalogue.albums[row],
        "seconds": round(float(catalogue.seconds[row]), 4),
        "genre": catalogue.vocabulary.genres[likeliest],
        "unsure": bool(catalogue.unsure[row]),
        "imported": catalogue.paths[row] is None,
        "content_hash": str(catalogue.hashes[row]),
    }


def named_document(named: Named) -> dict[str, Any]:
    """Return what a document says of a song that a person named."""
    return {**song_document(named.song, 0), "in_library": named.row is not None}


def neighbour_document(catalogue: Catalogue, near: Neighbour, because: str) -> dict[str, Any]:
    """Return what a document says of a song and of why it is kin."""
    return {
        **song_document(catalogue, near.row),
        "kinship": round(near.kinship, 4),
        "distance": round(near.distance, 4),
        "why": {part: round(value, 4) for part, value in near.why.items()},
        "because": because,
    }


def print_document(document: Mapping[str, Any]) -> None:
    """Print one JSON document."""
    # Escapes for all that is not ASCII: they alone can hold a file name that is not UTF-8.
    typer.echo(json.dumps(document, ensure_ascii=True, allow_nan=False, indent=1))


def print_songs(catalogue: Catalogue, songs: Iterable[tuple[int, str, str]]) -> None:
    """Print songs for people, a line each, and more below if there is more to say.

    Parameters
    ----------
    catalogue : Catalogue
        Holds them.
    songs : iterable of (int, str, str)
        A row, what stands before it, and what is said below it.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for row, before, below in songs:
        more = [Text(f"{'':{len(before)}}  {said}", style="dim") for said in below.splitlines()]
        for line in (_line(catalogue, row, before), *more):
            if console.is_terminal:
                console.print(line, overflow="ellipsis", no_wrap=True)
            else:  # into a pipe a line goes whole
                console.print(line, soft_wrap=True)


def _line(catalogue: Catalogue, row: int, before: str) -> Text:
    from rich.text import Text

    from songprint.cli.timeline import genre_style

    genre = catalogue.vocabulary.genres[int(catalogue.genres[row].argmax())]
    line = Text.assemble(
        (before, "dim"),
        "  ",
        (printable(label(catalogue, row)), "bold"),
        f"  {clock(float(catalogue.seconds[row]))}  ",
        ("unsure", "dim") if catalogue.unsure[row] else (genre, genre_style(genre)),
    )
    tempo = float(catalogue.number("tempo_bpm")[row])
    if tempo > 0 and catalogue.number("tempo_confidence")[row] >= SURE_TEMPO:
        line.append(f"  {tempo:.0f} BPM")
    if catalogue.paths[row] is None:
        line.append("  no audio here: imported", style="yellow")
    return line


def percent(kinship: float) -> str:
    """Return a kinship as people read it, right-aligned."""
    return f"{100 * kinship:3.0f}%"
