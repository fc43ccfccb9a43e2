"""A figure of many small panels of one size, with a title and a note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from songprint.views.style import (
    LETTERS_PER_INCH,
    NOTE_LINE,
    TEXT_POINTS,
    TITLE_POINTS,
    add_axes,
    add_note,
    add_text,
    fit,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN = 0.1
GAP = 0.22
PANEL_TITLE = 0.2
TITLE = 0.22


@dataclass(frozen=True)
class Edge:
    """Whether a panel is the first of its row, and the last of its column."""

    left: bool
    bottom: bool


@dataclass(frozen=True)
class Grid:
    """Where the panels are; lengths are inches.

    Attributes
    ----------
    panels : int
        How many there are; at least one.
    across : int
        The most in a row.
    width, height : float
        Of a panel.
    left_words, bottom_words : float
        Room for the words of the axes, left of each row and below each column.
    every_bottom : bool
        Whether each panel has words below, rather than only the last of its column.
    """

    panels: int
    across: int
    width: float
    height: float
    left_words: float
    bottom_words: float
    every_bottom: bool

    def fill(self, title: str, note: str, draw: Callable[[int, Axes, Edge], str]) -> Figure:
        """Draw all panels.

        Parameters
        ----------
        title : str
            Of the figure.
        note : str
            What is said below it.
        draw : callable
            Takes a panel's number, axes and edge; returns its title.
        """
        across = min(self.across, self.panels)
        down = -(-self.panels // self.across)
        width = 2 * MARGIN + self.left_words + across * (self.width + GAP)
        row = PANEL_TITLE + self.height + (self.bottom_words if self.every_bottom else 0.08)
        lines = wrap(note, int((width - 2 * MARGIN) * LETTERS_PER_INCH))
        below = (0.0 if self.every_bottom else self.bottom_words) + NOTE_LINE * len(lines) + MARGIN
        height = MARGIN + TITLE + down * row + below
        figure = new_figure(width, height)
        heading = add_text(figure, MARGIN, MARGIN, title, fontsize=TITLE_POINTS, fontweight="bold")
        fit(heading, width - 2 * MARGIN)
        for i in range(self.panels):
            line, column = divmod(i, self.across)
            left = MARGIN + self.left_words + column * (self.width + GAP)
            top = MARGIN + TITLE + line * row
            axes = add_axes(figure, left, top + PANEL_TITLE, self.width, self.height)
            edge = Edge(column == 0, self.every_bottom or i + self.across >= self.panels)
            name = add_text(
                figure, left, top + 0.055, draw(i, axes, edge), fontsize=TEXT_POINTS,
                fontweight="bold",
            )  # fmt: skip
            fit(name, self.width)
        add_note(figure, MARGIN, height - MARGIN - NOTE_LINE * len(lines), lines)
        return figure
