"""``songprint classify``: what songs are, for people or for programs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from songprint.cli.options import Thorough, Workers
from songprint.cli.text import complain, printable
from songprint.library.scan import find_songs

if TYPE_CHECKING:
    from songprint.cli.document import JsonReport
    from songprint.cli.render import PeopleReport

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
    from songprint.library.listen import Wanted

    wanted = Wanted(thorough=thorough or timeline, genres=_own_genres(genres))
    found = find_songs(songs)
    failed = False
    with HearingProgress(len(found)) as progress, _report(as_json, top, timeline) as report:
        everything = hear_all(found, wanted, workers or usable_cores(), progress.count)
        with closing(everything):
            for heard in everything:
                with progress.paused():
                    report.add(heard)
                    if heard.error is not None:
                        failed = True
                        complain(f"{printable(heard.path)}: {heard.error}")
    if failed:
        raise typer.Exit(1)


def _own_genres(name: str | None) -> str | None:
    """Return the file of genres of one's own."""
    from songprint.cli.places import personal_head_path

    if name is None:
        return None
    named = Path(name)
    # The folder that they were learnt from often has their name and lies here.
    return str(named if named.is_file() else personal_head_path(name))


def _report(as_json: bool, top: int, timeline: bool) -> JsonReport | PeopleReport:
    if as_json:
        from songprint.cli.document import JsonReport

        return JsonReport(timeline=timeline)
    from songprint.cli.render import PeopleReport

    return PeopleReport(top=top, timeline=timeline)
