"""What was found on a data set of the user's, as a page."""

from __future__ import annotations

from songprint.evaluate.card import (
    genre_tables,
    leak_table,
    retrieval_table,
    score_table,
    sentence,
)
from songprint.evaluate.dataset import DatasetReport
from songprint.evaluate.results import Neighbourhoods


def render_dataset(report: DatasetReport) -> str:
    """Return what was found on a data set of the user's as Markdown."""
    genres = ", ".join(f"{name} {count}" for name, count in report.genres.items())
    scores = [score for score in (report.head, report.probe) if score is not None]
    lines = [
        f"# Accuracy on {report.dataset}",
        "",
        f"{report.songs} songs ({genres}), songprint model {report.model}. Split: {report.split}.",
        "",
        *(f"- {sentence(note)}." for note in report.notes),
        *([""] if report.notes else []),
        *score_table(scores),
    ]
    for score in scores:
        lines += genre_tables(score)
    if report.neighbours is not None:
        neighbours = Neighbourhoods("Neighbours", report.songs, 0, (report.neighbours,), None)
        lines += retrieval_table(neighbours)
    if report.leaks is not None:
        lines += leak_table({"training against test": report.leaks})
    return "\n".join(lines).rstrip() + "\n"
