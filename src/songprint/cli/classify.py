"""``songprint classify``: what songs are, for people or for programs."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songprint.cli.options import Thorough, Workers
from songprint.cli.text import complain, printable
from songprint.library.scan import find_songs

if TYPE_CHECKING:
    from songprint.cli.document import JsonReport
    from songprint.cli.render import PeopleReport
    from songprint.fingerprints import Fingerprinter

EXAMPLES = """\b
Examples:
  songprint classify song.mp3
  songprint classify --top 5 --timeline song.flac
  songprint classify --json ~/Music > genres.json
  songprint classify --genres my-genres song.mp3

\b
A song is "unsure" where it is probably no music, or no genre is likely enough.
Era, moods, styles and instruments are the tagger's opinion: unlike the genres
they were never measured against labels.
"""


def classify(
    songs: Annotated[
        list[str],
        typer.Argument(
            metavar="SONG",
            help="Files, of any format and name, and folders, in which every audio file is heard.",
            show_default=False,
        ),
    ],
    top: Annotated[int, typer.Option(min=1, metavar="N", help="How many genres to show.")] = 3,
    timeline: Annotated[
        bool,
        typer.Option(
            "--timeline",
            help="Show genre (colour) and level (height) over time; hears every moment.",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document, with all genres.")
    ] = False,
    genres: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE", help="Name genres of your own, which songprint train learnt."
        ),
    ] = None,
    thorough: Thorough = False,
    workers: Workers = None,
) -> None:
    """Say what songs are: genre, era and moods, from the audio alone."""
    from songprint.cli.hearing import hear_all, usable_cores
    from songprint.cli.progress import HearingProgress

    fingerprinter = _fingerprinter(genres)
    found = find_songs(songs)
    failed = False
    with HearingProgress(len(found)) as progress, _report(as_json, top, timeline) as report:
        everything = hear_all(
            found,
            partial(fingerprinter.fingerprint, thorough=thorough or timeline),
            workers or usable_cores(),
            progress.count,
        )
        with closing(everything):
            for heard in everything:
                with progress.paused():
                    report.add(heard)
                    if heard.error is not None:
                        failed = True
                        complain(f"{printable(heard.path)}: {heard.error}")
    if failed:
        raise typer.Exit(1)


def _fingerprinter(genres: str | None) -> Fingerprinter:
    from songprint.cli.places import personal_head_path
    from songprint.fingerprints import default_fingerprinter
    from songprint.genre.personal import load_with_encoder

    fingerprinter = default_fingerprinter()
    if genres is None:
        return fingerprinter
    named = Path(genres)
    # The folder that they were learnt from often has their name and lies here.
    path = named if named.is_file() else personal_head_path(genres)
    personal, encoder = load_with_encoder(path, fingerprinter.encoder)
    return fingerprinter.with_head(personal.head, personal.sha256, encoder)


def _report(as_json: bool, top: int, timeline: bool) -> JsonReport | PeopleReport:
    if as_json:
        from songprint.cli.document import JsonReport

        return JsonReport(timeline=timeline)
    from songprint.cli.render import PeopleReport

    return PeopleReport(top=top, timeline=timeline)
