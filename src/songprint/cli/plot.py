"""``songprint plot``: songs as pictures of their signals, on scales that can be compared."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songprint.cli.options import Workers
from songprint.cli.output import hush_matplotlib, require_place, require_suffix, write_whole
from songprint.cli.text import complain, printable
from songprint.errors import SongprintError, UsageError
from songprint.library.scan import Found, find_songs
from songprint.views.kinds import FORMATS, KINDS, USUAL_KINDS

if TYPE_CHECKING:
    from songprint.views.portrait import Portrait

ALL = "all"
MOST_SONGS = 50

EXAMPLES = """\b
Examples:
  songprint plot song.mp3 --out song.png
  songprint plot one.flac two.flac --kind waveform,chroma,tempogram --out two.pdf
  songprint plot ~/Music/album --kind all --stretch --out album.svg

\b
Each song is a row, each kind a column: waveform, spectrum, spectrogram, mel,
chroma, tempogram, timeline, fingerprint. All songs have the same axes, colours
and reference (0 dBFS: a mean square of 1), so that they can be compared.
"""


def plot(
    songs: Annotated[
        list[str],
        typer.Argument(
            metavar="SONG",
            help="Files, and folders, of which every audio file is drawn; 50 songs at most.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="FILE", help="The picture: .png, .svg or .pdf.", show_default=False),
    ],
    kind: Annotated[
        str, typer.Option(metavar="KINDS", help='What is drawn, with commas between; or "all".')
    ] = ",".join(USUAL_KINDS),
    stretch: Annotated[
        bool,
        typer.Option("--stretch", help="Let each song fill the width; else all share the time."),
    ] = False,
    dpi: Annotated[int, typer.Option(min=50, max=600, metavar="N", help="Dots an inch.")] = 200,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document: what was drawn.")
    ] = False,
    workers: Workers = None,
) -> None:
    """Draw songs as pictures that can be compared."""
    hush_matplotlib()
    kinds = parse_kinds(kind)
    suffix = require_suffix(out, FORMATS)
    require_place(out)
    found = find_songs(songs)
    if len(found) > MOST_SONGS:
        raise UsageError(f"{len(found)} songs do not fit one picture: name {MOST_SONGS} at most")
    drawn = hear_to_draw(found, kinds, workers)
    if drawn.portraits:
        _tell_missing_letters(drawn.portraits)
        write_whole(out, _render(drawn.portraits, kinds, stretch, suffix, dpi))
        complain(f"wrote {printable(str(out))}")
    if as_json:
        typer.echo(json.dumps(_document(drawn, kinds, out)))
    if not drawn.portraits:
        raise SongprintError("no song could be heard, so nothing is drawn")
    if drawn.failed:
        raise typer.Exit(1)


def parse_kinds(text: str) -> list[str]:
    """Return the kinds that a person named, each once.

    Raises
    ------
    UsageError
        If one is unknown, or there are none.
    """
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if names == [ALL]:
        return list(KINDS)
    known = f"the kinds are {', '.join(KINDS)}, or {ALL}"
    for name in names:
        if name not in KINDS:
            raise UsageError(f"--kind {name}: there is no such kind; {known}")
    if not names:
        raise UsageError(f"--kind names nothing; {known}")
    return list(dict.fromkeys(names))


@dataclass
class Drawn:
    """The rows of a figure, and what has none.

    Attributes
    ----------
    paths : list of str
        The song of each row.
    portraits : list of Portrait
        The rows.
    failed : list of (str, str)
        Songs that could not be heard, and why.
    """

    paths: list[str] = field(default_factory=list)
    portraits: list[Portrait] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def hear_to_draw(found: list[Found], kinds: list[str], workers: int | None) -> Drawn:
    """Hear songs and gather what their panels need; those that fail get a line on stderr."""
    from songprint.cli.hearing import hear_all, usable_cores
    from songprint.cli.progress import HearingProgress
    from songprint.library.listen import Wanted
    from songprint.views.portrait import Portrait, remark_of, titles_of

    wanted = Wanted(thorough=True, views=tuple(kinds))
    drawn = Drawn()
    heard_well = []
    with HearingProgress(len(found)) as progress:
        everything = hear_all(found, wanted, workers or usable_cores(), progress.count)
        with closing(everything):
            for heard in everything:
                if heard.sounds is not None and heard.sounds.signals is not None:
                    heard_well.append((heard.path, heard.sounds.fingerprint, heard.sounds.signals))
                    continue
                drawn.failed.append((heard.path, heard.error or ""))
                with progress.paused():
                    complain(f"{printable(heard.path)}: {heard.error}")
    drawn.paths = [path for path, _, _ in heard_well]
    for title, (_, fingerprint, signals) in zip(titles_of(drawn.paths), heard_well, strict=True):
        remark = remark_of(fingerprint)
        drawn.portraits.append(Portrait(printable(title), remark, signals, fingerprint))
    return drawn


def _tell_missing_letters(portraits: list[Portrait]) -> None:
    from songprint.views.style import undrawable

    letters = undrawable("".join(portrait.title for portrait in portraits))
    if letters:
        complain(f"no font on this machine draws {letters}: boxes stand for them in the picture")


def _render(
    portraits: list[Portrait], kinds: list[str], stretch: bool, suffix: str, dpi: int
) -> bytes:
    from songprint.views.songs import draw_songs
    from songprint.views.style import render

    return render(draw_songs(portraits, kinds, stretch=stretch), suffix, dpi)


def _document(drawn: Drawn, kinds: list[str], out: Path) -> dict[str, object]:
    songs = [
        {"path": path, "title": portrait.title, "seconds": round(portrait.signals.seconds, 4)}
        for path, portrait in zip(drawn.paths, drawn.portraits, strict=True)
    ]
    return {
        "out": str(out) if songs else None,
        "kinds": kinds,
        "songs": songs,
        "failed": [{"path": path, "error": error} for path, error in drawn.failed],
    }
