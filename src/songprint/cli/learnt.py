"""What ``songprint train`` tells: how well the genres are told apart, and where they are stored."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import typer

from songprint.cli.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from songprint.cli.finetuning import Finetuned
    from songprint.cli.labelled import LabelledSongs
    from songprint.evaluate.metrics import Share
    from songprint.genre.personal import Examples, PersonalHead, Probabilities

MOST_CONFUSIONS = 3


@dataclass(frozen=True)
class GenreResult:
    """How well one genre is told, on artists that were not learnt from.

    Attributes
    ----------
    name : str
        The genre.
    precision : float or None
        Share of the songs called so that are; None if none is called so.
    recall : float
        Share of its songs that are called so.
    taken_for : dict of str to int
        What its other songs are called, and how many, the most first.
    """

    name: str
    precision: float | None
    recall: float
    taken_for: dict[str, int]


@dataclass(frozen=True)
class Learnt:
    """A head and how good it is.

    Attributes
    ----------
    personal : PersonalHead
        With its accuracy written down.
    accuracy : Share
        On artists that were not learnt from.
    commonest : float
        The accuracy of whoever always says the commonest genre.
    genres : list of GenreResult
        In the order of the head's classes.
    """

    personal: PersonalHead
    accuracy: Share
    commonest: float
    genres: list[GenreResult]

    @classmethod
    def measure(cls, personal: PersonalHead, examples: Examples, held_out: Probabilities) -> Self:
        """Compare what songs are with what a head that did not see their artists calls them."""
        import numpy as np

        from songprint.evaluate.confusion import confusion_matrix
        from songprint.evaluate.metrics import accuracy
        from songprint.genre.personal import with_accuracy

        classes = personal.head.classes
        called = np.array(classes)[held_out.argmax(axis=1)]
        matrix = confusion_matrix(examples.labels, called, classes)
        share = accuracy(examples.labels, called, examples.artists)
        return cls(
            with_accuracy(personal, share.successes, share.trials, share.low, share.high),
            share,
            float(matrix.sum(axis=1).max() / matrix.sum()),
            [_result(classes, matrix.tolist(), i) for i in range(len(classes))],
        )


def _result(classes: tuple[str, ...], matrix: list[list[int]], i: int) -> GenreResult:
    called_so = sum(row[i] for row in matrix)
    others = Counter({name: n for j, name in enumerate(classes) if j != i and (n := matrix[i][j])})
    return GenreResult(
        classes[i],
        matrix[i][i] / called_so if called_so else None,
        matrix[i][i] / sum(matrix[i]),
        dict(others.most_common()),
    )


def print_json(
    learnt: Learnt, heard: LabelledSongs, place: Path, finetuned: Finetuned | None = None
) -> None:
    """Print one JSON document."""
    told = document(learnt, heard, place)
    if finetuned is not None:
        told["finetuning"] = finetuned.document()
    typer.echo(json.dumps(told, indent=1))


def document(learnt: Learnt, heard: LabelledSongs, place: Path) -> dict[str, Any]:
    """Return what the document says."""
    personal, accuracy = learnt.personal, learnt.accuracy
    reasons = Counter(item.reason for item in heard.left_out)
    return {
        "name": personal.name,
        "file": str(place),
        "genres": [
            {
                "name": genre.name,
                "songs": personal.songs[genre.name],
                "artists": personal.artists[genre.name],
                "precision": None if genre.precision is None else round(genre.precision, 4),
                "recall": round(genre.recall, 4),
                "taken_for": [{"name": n, "songs": k} for n, k in genre.taken_for.items()],
            }
            for genre in learnt.genres
        ],
        "accuracy": {
            "share": round(accuracy.value, 4),
            "low": round(accuracy.low, 4),
            "high": round(accuracy.high, 4),
            "right": accuracy.successes,
            "songs": accuracy.trials,
            "always_commonest": round(learnt.commonest, 4),
        },
        "songs_without_artist": heard.without_artist,
        "left_out": [{"reason": reason, "songs": n} for reason, n in reasons.items()],
        "failed": [{"path": path, "error": error} for path, error in heard.failed],
        "encoder_sha256": personal.head.encoder_sha256,
    }


def print_people(
    learnt: Learnt, heard: LabelledSongs, place: Path, finetuned: Finetuned | None = None
) -> None:
    """Print a table of the genres and what there is to know of them."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console.print(_table(learnt))
    lines = [
        "",
        f"accuracy on artists that were not learnt from: {learnt.accuracy}",
        f"({learnt.accuracy.successes} of {learnt.accuracy.trials} songs; always to say the "
        f"commonest genre would be right in {100 * learnt.commonest:.1f} %)",
    ]
    if heard.without_artist:
        lines.append(
            f"the artists of {heard.without_artist} songs are unknown: if some are by the same, "
            "the accuracy flatters"
        )
    if learnt.accuracy.low <= learnt.commonest:
        lines.append("that is not surely better than to guess: more songs, by more artists, help")
    if finetuned is not None:
        lines += finetuned.lines()
    lines.append(f"stored in {printable(str(place))}")
    for line in lines:
        console.print(line, soft_wrap=True)


def _table(learnt: Learnt) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("genre", overflow="fold")
    for name in ("songs", "artists", "precision", "recall"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("taken for", overflow="fold")
    for genre in learnt.genres:
        confusions = list(genre.taken_for.items())[:MOST_CONFUSIONS]
        table.add_row(
            Text(printable(genre.name), style="bold"),
            str(learnt.personal.songs[genre.name]),
            str(learnt.personal.artists[genre.name]),
            "-" if genre.precision is None else f"{100 * genre.precision:.0f} %",
            f"{100 * genre.recall:.0f} %",
            ", ".join(f"{printable(name)} {n}" for name, n in confusions),
        )
    return table
