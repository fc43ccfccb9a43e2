"""``songprint gallery``: what genres look like side by side, and in what they differ."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from songprint.cli.by_genre import choose, hear_by_genre, parse_genres
from songprint.cli.options import Workers
from songprint.cli.output import hush_matplotlib, require_place, write_whole
from songprint.cli.text import complain, printable
from songprint.errors import DecodeError, SongprintError, UsageError
from songprint.views.kinds import FORMATS

if TYPE_CHECKING:
    from songprint.views.gallery import Compared, Gallery, Member
    from songprint.views.signals import Signals

PAGE = "html"

EXAMPLES = """\b
Examples:
  songprint gallery ~/Music/sorted-by-genre --out gallery
  songprint gallery gtzan:~/data/genres --per-genre 20 --genres blues,jazz,metal --out genres.pdf
  songprint gallery ~/Music --heard --out gallery.html

\b
A data set is as for songprint evaluate. A folder without folders of genres, or any
with --heard, is sorted by songprint itself, and the figures say so. A folder as
--out gets figures, gallery.html, gallery.md and tables as CSV; a .html has all in
one file; a .png, .svg or .pdf is the figure of a song for each genre.
"""


def gallery(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER|DATASET",
            help="One folder for each genre, gtzan:PATH, fma:PATH[,SUBSET], folder:PATH, "
            "table:FILE, tags:PATH, or a folder of music.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR|FILE",
            help="A folder, made if need be, or a .html, .png, .svg or .pdf.",
            show_default=False,
        ),
    ],
    per_genre: Annotated[
        int, typer.Option(min=1, metavar="N", help="The most songs heard of a genre.")
    ] = 40,
    genres: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Only these genres.", show_default=False),
    ] = None,
    heard: Annotated[
        bool, typer.Option("--heard", help="Sort the songs by what songprint hears.")
    ] = False,
    dpi: Annotated[int, typer.Option(min=50, max=600, metavar="N", help="Dots an inch.")] = 200,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document: what was written and found.")
    ] = False,
    workers: Workers = None,
) -> None:
    """Draw genres side by side, and measure in what they differ."""
    hush_matplotlib()
    target = _Target.of(out)
    wanted = parse_genres(genres)
    chosen = choose(source, wanted, per_genre, heard=heard)
    found, failed = hear_by_genre(chosen, wanted, per_genre, workers)
    result = _draw(found, target, dpi)
    if as_json:
        typer.echo(json.dumps(_document(result, failed), allow_nan=False))
    if failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Target:
    """Where the gallery goes: a folder, or one file of a suffix."""

    path: Path
    suffix: str | None

    @classmethod
    def of(cls, out: Path) -> _Target:
        if out.is_dir() or not out.suffix:
            _require_folder(out)
            return cls(out, None)
        suffix = out.suffix.lower().removeprefix(".")
        if suffix not in (PAGE, *FORMATS):
            raise UsageError(
                f"{out}: --out takes a folder, whose name has no dot if it is to be made, or a "
                f"file that ends in {', '.join(f'.{name}' for name in (PAGE, *FORMATS))}"
            )
        require_place(out)
        return cls(out, suffix)


def _require_folder(folder: Path) -> None:
    """Make sure that a folder is there or can be made, and be written to."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file, not a folder")
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise UsageError(f"{folder}: {there} is a file, not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise SongprintError(f"{folder}: cannot be written: {there} is write-protected")


@dataclass(frozen=True)
class _Result:
    """What was drawn, measured and written."""

    gallery: Gallery
    compared: list[Compared]
    chosen: dict[str, Member]
    written: list[Path]


def _draw(gallery: Gallery, target: _Target, dpi: int) -> _Result:
    """Draw, measure and write."""
    from songprint.views.genres import draw_genres
    from songprint.views.style import render

    drawn = {genre.name: _typical(genre.by_typicality()) for genre in gallery.genres}
    members = {name: member for name, (member, _) in drawn.items()}
    compared = gallery.compared()
    if target.suffix in FORMATS:
        files = {target.path: render(draw_genres(gallery, drawn), str(target.suffix), dpi)}
    else:
        files = _pages(gallery, compared, drawn, target, dpi)
    if target.suffix is None:
        try:
            target.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise SongprintError(f"{target.path}: cannot be made: {reason}") from error
    for path, data in files.items():
        write_whole(path, data)
    complain(f"wrote {printable(str(target.path))}")
    return _Result(gallery, compared, members, list(files))


def _typical(members: list[Member]) -> tuple[Member, Signals]:
    """Return the most typical song that can still be read, and its signals."""
    from songprint.audio.decode import stream
    from songprint.views.genres import GENRE_KINDS
    from songprint.views.signals import measure

    for member in members[:-1]:
        try:
            return member, measure(stream(member.path), GENRE_KINDS)
        except DecodeError:  # the file has changed since it was heard
            continue
    return members[-1], measure(stream(members[-1].path), GENRE_KINDS)


def _pages(
    gallery: Gallery,
    compared: list[Compared],
    drawn: dict[str, tuple[Member, Signals]],
    target: _Target,
    dpi: int,
) -> dict[Path, bytes]:
    from songprint.views import genres, writing
    from songprint.views.report import make_page
    from songprint.views.style import render

    pictures = {
        "genres.png": render(genres.draw_genres(gallery, drawn), "png", dpi),
        "spectra.png": render(genres.draw_spectra(gallery), "png", dpi),
        "descriptors.png": render(genres.draw_numbers(gallery, compared), "png", dpi),
    }
    told = {
        "genres.png": (
            "A song for each genre",
            "Waveform, average spectrum, spectrogram and mel bands of a typical song, genre by "
            "genre",
        ),
        "spectra.png": (
            "Average spectra",
            "Median and spread of the long-term average spectra of each genre's songs",
        ),
        "descriptors.png": (
            "Distributions of descriptors",
            "Each song's descriptors as dots, with quartiles, genre by genre",
        ),
    }
    members = {name: member for name, (member, _) in drawn.items()}
    page = make_page(gallery, compared, members, told)
    if target.suffix == PAGE:
        return {target.path: _encoded(writing.to_html(page, pictures))}
    texts = {
        "gallery.html": writing.to_html(page),
        "gallery.md": writing.to_markdown(page),
        "songs.csv": writing.songs_csv(gallery, members),
        "descriptors.csv": writing.descriptors_csv(compared),
        "effects.csv": writing.effects_csv(compared),
    }
    encoded = {name: _encoded(text) for name, text in texts.items()}
    return {target.path / name: data for name, data in {**pictures, **encoded}.items()}


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")  # a file name need not be UTF-8


def _document(result: _Result, failed: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "written": [str(path) for path in result.written],
        "genres_from": "labels" if result.gallery.labelled else "songprint",
        "songs": result.gallery.songs,
        "genres": [
            {
                "name": genre.name,
                "songs": len(genre.members),
                "artists": genre.artists,
                "drawn": result.chosen[genre.name].path,
            }
            for genre in result.gallery.genres
        ],
        "descriptors": [_descriptor(item) for item in result.compared],
        "notes": list(result.gallery.notes),
        "failed": [{"path": path, "error": error} for path, error in failed],
    }


def _descriptor(item: Compared) -> dict[str, Any]:
    effect = item.effect
    return {
        "name": item.number.key,
        "eta_squared": None if effect is None else _rounded(effect.eta_squared),
        "p": None if effect is None else _rounded(item.p_adjusted, 6),
        "furthest": None
        if effect is None
        else {
            "more": effect.furthest.more,
            "less": effect.furthest.less,
            "delta": _rounded(effect.furthest.delta),
            "interval": [_rounded(effect.furthest.low), _rounded(effect.furthest.high)],
        },
        "genres": {
            name: {
                "songs": spread.songs,
                "quartiles": [_rounded(v) for v in (spread.low, spread.median, spread.high)],
            }
            for name, spread in item.spreads.items()
        },
    }


def _rounded(value: float, places: int = 4) -> float | None:
    return None if math.isnan(value) else round(value, places)
