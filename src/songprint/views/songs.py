"""The grid of a figure: a song a row, a kind of picture a column, on scales that all rows share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from songprint.views import panels
from songprint.views.axes import LEVEL_RANGE_DBFS
from songprint.views.portrait import OTHERS, Portrait, Shared
from songprint.views.style import (
    DIM,
    FAINT,
    LETTERS_PER_INCH,
    NOTE_LINE,
    NOTE_POINTS,
    PAPER,
    TEXT_POINTS,
    TICK_POINTS,
    TITLE_POINTS,
    add_axes,
    add_note,
    add_text,
    drawable,
    fit,
    minus,
    new_figure,
    shortened,
    styled,
    width_of,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL_HEIGHT = 1.2
HEADING_HEIGHT = 0.21
"""Of a row, above its panels."""

ROW_GAP = 0.13
LEFT, RIGHT, TOP, BOTTOM = 0.08, 0.2, 0.08, 0.08
TIME_WORDS_HEIGHT = 0.36
COLUMN_GAP = 0.12
LEGEND_COLUMNS = 3
LEGEND_LINE = 0.12

LEVEL_SHARE = 0.27
"""How much of the timeline's panel is the level's."""

HEARD_NOTE = "songprint hears one channel, 0 to 8 kHz."
SOUND_NOTE = (
    "0 dBFS is a mean square of 1, that of a full-scale square wave; a full-scale sine is "
    "\N{MINUS SIGN}3 dBFS."
)
SAME_TIME_NOTE = "All songs have the same time scale."
STRETCHED_NOTE = "Each song fills the width of its panels: their time scales differ."
TEMPO_NOTE = "Triangle: the tempo of the whole song."
UNSURE_NOTE = "Hatched: unsure."


@dataclass(frozen=True)
class _Scale:
    """A colour bar: its map, its ends, its ticks and their words."""

    colours: str
    low: float
    high: float
    ticks: tuple[float, ...]
    words: tuple[str, ...]
    extend: str = "neither"


@dataclass(frozen=True)
class _Column:
    """A kind of picture: its head and how wide it is, in inches."""

    title: str
    unit: str
    width: float
    left: float
    scale: _Scale | None = None
    over_time: bool = True


def _level_scale() -> _Scale:
    low, high = LEVEL_RANGE_DBFS
    ticks = tuple(low + 20 * i for i in range(int((high - low) / 20) + 1))
    words = tuple(minus(f"{t:.0f}") for t in ticks)
    return _Scale(panels.LEVEL_MAP, low, high, ticks, words, "both")


_SIGNED = panels.EMBEDDING_RANGE
_COLUMNS = {
    "waveform": _Column("Waveform", "full scale ±1", 2.3, 0.27),
    "spectrum": _Column("Average spectrum", "", 1.75, 0.47, over_time=False),
    "spectrogram": _Column(
        "Spectrogram", "dBFS per 1/12 octave", 2.3, 0.4, _level_scale()
    ),
    "mel": _Column(
        "Mel bands", "log10(1 + 10⁴ \N{MULTIPLICATION SIGN} mel)", 2.3, 0.4,
        _Scale(panels.MEL_MAP, *panels.MEL_RANGE, (0, 2, 4, 6), tuple("0246"), "max"),
    ),
    "chroma": _Column(
        "Chroma", "share of the strongest", 2.3, 0.27,
        _Scale(panels.SHARE_MAP, 0, 1, (0, 0.5, 1), ("0", "0.5", "1")),
    ),
    "tempogram": _Column(
        "Tempogram", "onset autocorrelation", 2.3, 0.42,
        _Scale(panels.SHARE_MAP, 0, 1, (0, 0.5, 1), ("0", "0.5", "1")),
    ),
    "timeline": _Column("Genre and level", "probability", 2.6, 0.47),
    "fingerprint": _Column(
        "Fingerprint", "256 components; genres", 2.75, 0.12,
        _Scale(
            panels.SIGNED_MAP, -_SIGNED, _SIGNED, (-_SIGNED, 0, _SIGNED),
            (minus(f"-{_SIGNED}"), "0", f"{_SIGNED}"), "both",
        ),
        over_time=False,
    ),
}  # fmt: skip


def draw_songs(
    portraits: Sequence[Portrait],
    kinds: Sequence[str],
    *,
    stretch: bool = False,
    note: str = "",
) -> Figure:
    """Draw songs side by side.

    Parameters
    ----------
    portraits : sequence of Portrait
        The rows; at least one.
    kinds : sequence of str
        The columns, of ``songprint.views.kinds.KINDS``; at least one.
    stretch : bool
        Whether each song fills its panels, rather than all having the same time scale.
    note : str
        What else is to be said below the figure.

    Returns
    -------
    Figure
        For :func:`songprint.views.style.render`.
    """
    with styled():
        return _Page(portraits, kinds, stretch=stretch, note=note).draw()


class _Page:
    """Places everything by hand: constrained layout takes minutes for some hundred axes."""

    def __init__(
        self, portraits: Sequence[Portrait], kinds: Sequence[str], *, stretch: bool, note: str
    ) -> None:
        self._portraits = portraits
        self._kinds = kinds
        self._shared = Shared.of(portraits, stretch=stretch)
        self._columns = [_COLUMNS[kind] for kind in kinds]
        gaps = (COLUMN_GAP + column.left + column.width for column in self._columns)
        self._width = LEFT + sum(gaps) - COLUMN_GAP + RIGHT
        self._notes = self._wrapped(note)
        legend = LEGEND_LINE * -(-(len(self._shared.genres) + 1) // LEGEND_COLUMNS)
        scales = 0.24 if any(column.scale for column in self._columns) else 0.0
        self._head = 0.2 + max(scales, legend if "timeline" in kinds else 0.0) + 0.06
        self._row = HEADING_HEIGHT + PANEL_HEIGHT + ROW_GAP
        # Where each song has its own times, each row has its own words.
        words_every_row = stretch and any(column.over_time for column in self._columns)
        self._words_every_row = words_every_row
        if words_every_row:
            self._row += TIME_WORDS_HEIGHT - ROW_GAP / 2
        words_below = 0.0 if words_every_row else TIME_WORDS_HEIGHT - ROW_GAP
        if set(kinds) == {"fingerprint"}:
            words_below = 0.0
        below = words_below + 0.06 + NOTE_LINE * len(self._notes) + BOTTOM
        self._height = TOP + self._head + self._row * len(portraits) + below
        self._figure = new_figure(self._width, self._height)

    def _wrapped(self, note: str) -> list[str]:
        notes = [HEARD_NOTE]
        if {"spectrum", "spectrogram", "timeline"} & set(self._kinds):
            notes.append(SOUND_NOTE)
        over_time = any(column.over_time for column in self._columns)
        if over_time and len(self._portraits) > 1:
            notes.append(SAME_TIME_NOTE if self._shared.seconds else STRETCHED_NOTE)
        unsure = any(s.unsure for p in self._portraits for s in p.fingerprint.timeline)
        if unsure and "timeline" in self._kinds:
            notes.append(UNSURE_NOTE)
        if "tempogram" in self._kinds and any(
            p.fingerprint.descriptors.beat.tempo_bpm for p in self._portraits
        ):
            notes.append(TEMPO_NOTE)
        if any(portrait.spectrum_band for portrait in self._portraits):
            notes.append("Grey behind a spectrum: the middle half of the genre's songs.")
        if note:
            notes.append(note)
        return wrap(" ".join(notes), int((self._width - LEFT - RIGHT) * LETTERS_PER_INCH))

    def draw(self) -> Figure:
        left = LEFT
        for kind, column in zip(self._kinds, self._columns, strict=True):
            left += column.left
            self._draw_head(column, left)
            if kind == "timeline":
                self._draw_legend(left, column.width)
            for row, portrait in enumerate(self._portraits):
                top = TOP + self._head + row * self._row + HEADING_HEIGHT
                labelled = self._words_every_row or row == len(self._portraits) - 1
                self._draw_panel(kind, portrait, (left, top, column.width), labelled)
            left += column.width + COLUMN_GAP
        for row, portrait in enumerate(self._portraits):
            self._draw_heading(portrait, TOP + self._head + row * self._row)
        top = self._height - BOTTOM - NOTE_LINE * len(self._notes)
        add_note(self._figure, LEFT, top, self._notes)
        return self._figure

    def _draw_head(self, column: _Column, left: float) -> None:
        title = add_text(
            self._figure, left, TOP, column.title, fontsize=TITLE_POINTS, fontweight="bold"
        )
        fit(title, column.width)
        add_text(
            self._figure, left + column.width, TOP + 0.03, column.unit, fontsize=TICK_POINTS,
            color=DIM, ha="right",
        )  # fmt: skip
        if column.scale is None:
            return
        scale = column.scale
        width = PANEL_HEIGHT if column.title == "Fingerprint" else column.width
        axes = add_axes(self._figure, left, TOP + 0.2, width, 0.07)
        bar = self._figure.colorbar(
            ScalarMappable(Normalize(scale.low, scale.high), scale.colours),
            cax=axes, orientation="horizontal", extend=scale.extend, extendfrac=0.03,
        )  # fmt: skip
        bar.set_ticks(list(scale.ticks), labels=list(scale.words))
        bar.ax.tick_params(labelsize=NOTE_POINTS, length=2, pad=1)
        bar.outline.set_linewidth(0.4)

    def _draw_legend(self, left: float, width: float) -> None:
        names = [*self._shared.genres, OTHERS]
        colours = panels.stack_colours(self._shared.genres)
        lines = -(-len(names) // LEGEND_COLUMNS)
        for i, (name, colour) in enumerate(zip(names, colours, strict=True)):
            column, line = divmod(i, lines)
            x = left + column * width / LEGEND_COLUMNS
            y = TOP + 0.2 + line * LEGEND_LINE
            across, down = self._width, self._height
            self._figure.add_artist(
                Rectangle(
                    (x / across, 1 - (y + 0.085) / down), 0.1 / across, 0.07 / down,
                    facecolor=colour, edgecolor=FAINT, linewidth=0.3,
                )
            )  # fmt: skip
            text = add_text(self._figure, x + 0.13, y, shortened(name, 40), fontsize=NOTE_POINTS)
            fit(text, width / LEGEND_COLUMNS - 0.16)

    def _draw_heading(self, portrait: Portrait, top: float) -> None:
        room = self._width - LEFT - RIGHT
        top += 0.045
        remark = drawable(portrait.remark)
        title = add_text(
            self._figure, LEFT, top, portrait.title, fontsize=TEXT_POINTS, fontweight="bold"
        )
        told = add_text(self._figure, LEFT, top, remark, fontsize=TEXT_POINTS, color=DIM)
        fit(told, room * 0.7)
        remark_width = width_of(told)
        fit(title, max(room - remark_width - 0.15, room * 0.3))
        told.set_x((LEFT + 1.01 * width_of(title) + 0.1) / self._width)

    def _draw_panel(
        self, kind: str, portrait: Portrait, place: tuple[float, float, float], labelled: bool
    ) -> None:
        left, top, width = place
        if kind == "fingerprint":
            axes = add_axes(self._figure, left, top, PANEL_HEIGHT, PANEL_HEIGHT)
            room = width - PANEL_HEIGHT - 0.12
            beside = add_axes(self._figure, left + width - room, top, room, PANEL_HEIGHT)
            panels.draw_fingerprint(axes, beside, portrait, self._shared)
        elif kind == "timeline":
            height = PANEL_HEIGHT * (1 - LEVEL_SHARE)
            axes = add_axes(self._figure, left, top, width, height - 0.05)
            level = add_axes(self._figure, left, top + height, width, PANEL_HEIGHT - height)
            panels.draw_timeline(axes, level, portrait, self._shared, labelled=labelled)
        else:
            axes = add_axes(self._figure, left, top, width, PANEL_HEIGHT)
            _DRAWERS[kind](axes, portrait, self._shared, labelled=labelled)
            axes.set_facecolor(PAPER)


_DRAWERS = {
    "waveform": panels.draw_waveform,
    "spectrum": panels.draw_spectrum,
    "spectrogram": panels.draw_spectrogram,
    "mel": panels.draw_mel,
    "chroma": panels.draw_chroma,
    "tempogram": panels.draw_tempogram,
}
