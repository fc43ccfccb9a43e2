"""``songprint evaluate``: how good songprint is on labelled songs."""

from __future__ import annotations

import datetime
import json
import shlex
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from songprint.cli.options import Workers
from songprint.cli.text import complain, printable
from songprint.errors import SongprintError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from songprint.datasets.core import Track
    from songprint.evaluate.dataset import DatasetReport, Measured
    from songprint.evaluate.leaks import LeakReport
    from songprint.evaluate.results import Card, HeadScore
    from songprint.library.listen import Sounds

DEVELOPERS = "developers"
DEVELOPERS_CARD = Path("docs/accuracy.md")
SHOWN_LEAKS = 10

EXAMPLES = """\b
Examples:
  songprint evaluate gtzan:~/data/genres
  songprint evaluate ~/Music/sorted-by-genre --out accuracy.md
  songprint evaluate table:songs.csv --json > accuracy.json
  songprint evaluate developers --corpus runs/corpus --teachers runs/teachers

\b
A data set is GTZAN, FMA, one folder for each genre, a table of path,label[,artist,split],
or songs with tags. Songs of one artist are kept on one side of every split that
songprint makes itself; what is on both sides of an official one is reported.
"""


def evaluate(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="gtzan:PATH, fma:PATH[,SUBSET], folder:PATH, table:FILE, tags:PATH, a path whose "
            'kind is told from what is there, or "developers".',
            show_default=False,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the report to this Markdown file.  [developers: docs/accuracy.md]",
            show_default=False,
        ),
    ] = None,
    corpus: Annotated[
        Path, typer.Option(metavar="DIR", help="Developers: the training corpus.")
    ] = Path("runs/corpus"),
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Developers: the audio that the corpus was made of.")
    ] = Path("../shared/data"),
    teachers: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Developers: the teacher's weights.", show_default=False),
    ] = None,
    speech: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Developers: speech for the genre head.", show_default=False
        ),
    ] = None,
    workers: Workers = None,
) -> None:
    """Measure accuracy on labelled songs, and look for leaks."""
    if dataset == DEVELOPERS:
        _developers(corpus, data, teachers, speech, out or DEVELOPERS_CARD, as_json)
    else:
        _dataset(dataset, out, as_json, workers)


def _developers(
    corpus: Path,
    data: Path,
    teachers: Path | None,
    speech: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    try:
        from songprint.evaluate.developers import Options, run
    except ImportError as error:
        raise UsageError(
            f"the developers' protocols need pip install 'songprint[train]': {error}"
        ) from error
    from songprint.evaluate.card import write
    from songprint.evaluate.representations import has_teachers
    from songprint.evaluate.results import as_json as plain

    if teachers is not None and not has_teachers(teachers):
        raise UsageError(f"{teachers}: the teacher's weights are not here")
    card = run(
        Options(corpus, teachers, speech, data=data),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        command=_command(corpus=corpus, teachers=teachers, speech=speech),
        tell=complain,
    )
    written = write(card, out)
    complain(f"wrote {', '.join(str(path) for path in written)}")
    if as_json:
        typer.echo(json.dumps(plain(card), indent=1))
    else:
        _print_card(card)


def _command(**options: Path | None) -> str:
    words = ["songprint", "evaluate", DEVELOPERS]
    for name, value in options.items():
        words += [f"--{name}", str(value)] if value is not None else []
    return shlex.join(words)


def _dataset(spec: str, out: Path | None, as_json: bool, workers: int | None) -> None:
    from songprint.datasets.core import sort_out, tell_left_out
    from songprint.datasets.folder import refuse_other_folders
    from songprint.datasets.opening import open_dataset
    from songprint.evaluate.dataset import evaluate_songs
    from songprint.evaluate.dataset_card import render_dataset
    from songprint.evaluate.results import as_json as plain

    opened = open_dataset(spec)
    if opened.note:
        complain(opened.note)
    tracks, left_out = sort_out(opened.entries())
    for line in tell_left_out(left_out):
        complain(line)
    if not tracks:
        raise UsageError(f"{spec}: there are no songs here that can be measured")
    if opened.name == "folder":
        refuse_other_folders(opened.path, tracks)
    measured, unheard = _hear(tracks, workers)
    if not measured:
        raise SongprintError("no song could be heard, so nothing can be measured")
    unusable = [{"path": item.id, "error": item.reason} for item in left_out if not item.expected]
    failed = [*unusable, *unheard]
    report = evaluate_songs(opened.about.title, measured)
    if out is not None:
        out.write_text(render_dataset(report), encoding="utf-8")
        complain(f"wrote {out}")
    if as_json:
        typer.echo(json.dumps({**plain(report), "failed": failed}, indent=1))
    else:
        _print_report(report)
    if failed:
        raise typer.Exit(1)


def _hear(
    tracks: list[Track], workers: int | None
) -> tuple[list[Measured], list[dict[str, str | None]]]:
    from songprint.cli.hearing import hear_all, usable_cores
    from songprint.cli.progress import HearingProgress
    from songprint.library.listen import Wanted
    from songprint.library.scan import Found

    measured: list[Measured] = []
    failed: list[dict[str, str | None]] = []
    found = [Found(str(track.path)) for track in tracks]
    with HearingProgress(len(found)) as progress:
        everything = hear_all(found, Wanted(peaks=True), workers or usable_cores(), progress.count)
        with closing(everything):
            for track, heard in zip(tracks, everything, strict=True):
                if heard.sounds is None:
                    failed.append({"path": heard.path, "error": heard.error})
                    with progress.paused():
                        complain(f"{printable(heard.path)}: {heard.error}")
                    continue
                measured.append(_measured(track, heard.path, heard.sounds))
    return measured, failed


def _measured(track: Track, path: str, sounds: Sounds) -> Measured:
    """Add what the data set does not say of the artist from the file's own tags."""
    from songprint.datasets.tags import read_tags
    from songprint.errors import DecodeError
    from songprint.evaluate.dataset import Measured

    artist = track.artist
    if artist is None:
        try:
            artist = read_tags(track.path).artist
        except DecodeError:  # the file has changed since it was heard
            artist = None
    assert sounds.peaks is not None
    return Measured(
        path, track.label, artist or "", track.split or "", sounds.fingerprint, sounds.peaks
    )


def _console() -> Console:
    from rich.console import Console

    # Into a pipe a table is not squeezed into eighty columns.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def _print_report(report: DatasetReport) -> None:
    from rich.text import Text

    from songprint.evaluate.card import decimals

    console = _console()
    genres = ", ".join(f"{name} {count}" for name, count in report.genres.items())
    console.print(Text(f"{report.dataset}: {report.songs} songs ({genres})", style="bold"))
    console.print(Text(f"Split: {report.split}."))
    scores = [score for score in (report.head, report.probe) if score is not None]
    if scores:
        console.print()
        _print_scores(console, scores)
    for score in scores:
        console.print()
        _print_genres(console, score)
    if report.neighbours is not None:
        row = report.neighbours
        console.print()
        console.print(
            Text(
                f"Neighbours: genre P@10 {decimals(row.precision)} among other artists, "
                f"{row.precision_all:.3f} among all; MAP {row.mean_average_precision.value:.3f}; "
                f"hub skew {row.hub_skew:.2f}; never reached {100 * row.never_reached:.1f} %"
            )
        )
    if report.leaks is not None:
        console.print()
        _print_leaks(console, report.leaks)
    for note in report.notes:
        console.print(Text(f"Note: {note}.", style="yellow"))


def _print_scores(console: Console, scores: list[HeadScore]) -> None:
    from songprint.evaluate.card import percent

    header = [
        "",
        "songs",
        "accuracy, %",
        "macro-F1",
        "ECE",
        "called sure, %",
        "right where sure, %",
    ]
    rows = [
        [
            score.title,
            str(score.accuracy.trials),
            percent(score.accuracy),
            f"{score.macro_f1:.3f}",
            f"{score.ece:.3f}",
            percent(score.sure.coverage),
            percent(score.sure.accuracy),
        ]
        for score in scores
    ]
    _print_table(console, header, rows)


def _print_genres(console: Console, score: HeadScore) -> None:
    from songprint.evaluate.card import percent

    rows = []
    for genre, counts in zip(score.genres, score.confusion, strict=True):
        mistakes = sorted(
            ((n, name) for n, name in zip(counts, score.confusion_genres, strict=True) if n),
            reverse=True,
        )
        mistaken = ", ".join(f"{name} {n}" for n, name in mistakes if name != genre.name)
        rows.append(
            [
                genre.name,
                str(genre.songs),
                percent(genre.precision),
                percent(genre.recall),
                f"{genre.f1.value:.2f}",
                mistaken,
            ]
        )
    header = [score.title, "songs", "precision, %", "recall, %", "F1", "mistaken for"]
    _print_table(console, header, rows)


def _print_leaks(console: Console, leaks: LeakReport) -> None:
    from rich.text import Text

    counts = ", ".join(f"{name} {count}" for name, count in leaks.counts().items() if count)
    console.print(Text(f"Leak check across the split: {counts or 'nothing found'}", style="bold"))
    if not leaks.peaks_known:
        console.print(Text("Not all songs could be compared by their spectral peaks."))
    for leak in leaks.leaks[:SHOWN_LEAKS]:
        detail = f" ({leak.detail})" if leak.detail else ""
        console.print(
            Text(
                f"  {leak.reason}{detail}: {printable(leak.train)} | {printable(leak.test)}, "
                f"cosine {leak.cosine:.3f}"
            ),
            soft_wrap=True,
        )
    if len(leaks.leaks) > SHOWN_LEAKS:
        console.print(Text(f"  and {len(leaks.leaks) - SHOWN_LEAKS} more pairs (--json has all)"))


def _print_card(card: Card) -> None:
    from rich.text import Text

    from songprint.evaluate.card import decimals, percent, points

    console = _console()
    for comparison in card.comparisons:
        console.print(Text(f"{comparison.title}: {comparison.songs} songs", style="bold"))
        rows = [
            [row.system, row.classifier, percent(row.accuracy), points(row.difference)]
            for row in comparison.rows
        ]
        _print_table(console, ["", "", "accuracy, %", "difference to the teacher"], rows)
        console.print()
    for neighbourhoods in card.retrieval:
        console.print(Text(f"{neighbourhoods.title}: neighbours", style="bold"))
        rows = [
            [row.system, decimals(row.precision), f"{row.hub_skew:.2f}", f"{row.never_reached:.3f}"]
            for row in neighbourhoods.rows
        ]
        _print_table(console, ["", "P@10, other artists", "hub skew", "never reached"], rows)
        console.print()
    _print_scores(console, list(card.head))


def _print_table(console: Console, header: list[str], rows: list[list[Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, name in enumerate(header):
        words = number == 0 or name in ("", "mistaken for")
        table.add_column(name, justify="left" if words else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
