"""Draws a song's timeline in a terminal: level as height, genre as colour or letter."""

from __future__ import annotations

import math
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from typing import TYPE_CHECKING

from rich.text import Text

from songprint.cli.text import clock
from songprint.genre.colours import colour_of, colours_of

if TYPE_CHECKING:
    from songprint.fingerprints import Segment

UNSURE = "unsure"

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.:-=+*#"
MARK_STEPS_SECONDS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
MARK_COLUMNS = 10
MIN_RANGE_DB, MAX_RANGE_DB = 12.0, 40.0
"""The range of levels that the heights span, so that a steady song looks steady."""


@dataclass(frozen=True)
class Column:
    """A stretch of the timeline as wide as a character."""

    start_seconds: float
    end_seconds: float
    level_dbfs: float
    genre: str


def genre_style(name: str) -> str:
    """Return the colour of a genre."""
    return colour_of(name)


def draw_timeline(
    segments: Sequence[Segment], *, columns: int, colour: bool, unicode: bool
) -> Iterator[Text]:
    """Yield the lines of a timeline.

    Parameters
    ----------
    segments
        The song, in order.
    columns
        The most characters to be used; more segments than these share columns.
    colour
        Whether there are colours enough to tell the genres; letters tell them otherwise.
    unicode
        Whether blocks can be drawn.
    """
    drawn = to_columns(segments, max(columns, 1))
    if not drawn:
        return
    present = dict.fromkeys(column.genre for column in drawn)
    letters = dict(zip(present, cycle(LETTERS), strict=False))
    styles = colours_of(present)
    heights = _heights([column.level_dbfs for column in drawn])
    blocks = BLOCKS if unicode else ASCII_BLOCKS
    bars = Text("  ")
    for column, height in zip(drawn, heights, strict=True):
        bars.append(blocks[height], style=styles[column.genre])
    yield bars
    if not colour:
        yield Text("  " + "".join(letters[column.genre] for column in drawn))
    yield Text("  " + _marks(drawn), style="dim")
    yield _legend(styles, letters, colour, unicode)


def to_columns(segments: Sequence[Segment], columns: int) -> list[Column]:
    """Join neighbouring segments until at most so many columns are left."""
    n = min(len(segments), columns)
    bounds = [i * len(segments) // n for i in range(n + 1)] if n else []
    return [_join(segments[start:stop]) for start, stop in pairwise(bounds)]


def _join(segments: Sequence[Segment]) -> Column:
    power = sum(10 ** (segment.level_dbfs / 10) for segment in segments) / len(segments)
    sums: dict[str, float] = {}
    for segment in segments:
        for genre in segment.genres:
            sums[genre.name] = sums.get(genre.name, 0.0) + genre.p
    unsure = 2 * sum(segment.unsure for segment in segments) > len(segments)
    return Column(
        segments[0].start_seconds,
        segments[-1].end_seconds,
        10 * math.log10(power),
        UNSURE if unsure else max(sums, key=lambda name: sums[name]),
    )


def _heights(levels_dbfs: list[float]) -> list[int]:
    top = max(levels_dbfs)
    span = min(max(top - min(levels_dbfs), MIN_RANGE_DB), MAX_RANGE_DB)
    last = len(BLOCKS) - 1
    return [max(0, round(last * (1 - (top - level) / span))) for level in levels_dbfs]


def _marks(columns: Sequence[Column]) -> str:
    """Return a line with times under the columns in which they lie, the end's at the end."""
    duration = columns[-1].end_seconds
    wanted = duration * MARK_COLUMNS / len(columns)
    step = next((s for s in MARK_STEPS_SECONDS if s >= wanted), math.ceil(wanted / 3600) * 3600)
    end = clock(duration)
    room = len(columns) - len(end) - 1
    line = clock(0)
    time = step
    for i, column in enumerate(columns):
        if column.end_seconds > time:
            if len(line) < i and i + len(clock(time)) <= room:
                line = line.ljust(i) + clock(time)
            time += step
    return f"{line.ljust(room)} {end}" if len(line) <= room else line


def _legend(styles: dict[str, str], letters: dict[str, str], colour: bool, unicode: bool) -> Text:
    legend = Text("  ")
    for name, style in styles.items():
        swatch = ("■" if unicode else "#") if colour else letters[name]
        legend.append(swatch, style=style)
        legend.append(f" {name}  ")
    legend.rstrip()
    return legend
