"""The look of every figure: sizes for print, colours that colour-blind eyes tell apart, fonts.

Sizes are inches at which a figure is printed 1:1, with no letter below 6 points. Quantities have
perceptually uniform maps (viridis, cividis), lines the colours of Okabe and Ito [1]_, genres those
of ``genre/colours.py``. Nothing is read from the user's own matplotlib settings, and the same
figure is the same file.

References
----------
.. [1] M. Okabe and K. Ito, "Color universal design", 2008, jfly.uni-koeln.de/color.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

INK, DIM, FAINT, PAPER = "#222222", "#6b6b6b", "#c4c4c4", "#ffffff"
BLUE, DARK_BLUE, VERMILION = "#0072b2", "#00456b", "#d55e00"
OTHERS_COLOUR = "#dddddd"

TITLE_POINTS, TEXT_POINTS, TICK_POINTS, NOTE_POINTS = 9.0, 8.0, 7.0, 6.5
SMALLEST_POINTS = 6.0

NOTE_LINE = 0.12
LETTERS_PER_INCH = 21.0
"""How high a note's line is, in inches, and how many letters it has on average."""

MISSING_GLYPH = "□"
ELLIPSIS = "…"

MAX_PIXELS = 60_000_000
"""A picture of more would not fit the memory of those who look at it; it gets fewer an inch."""

FALLBACK_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "Noto Sans JP", "Noto Sans SC",
    "Source Han Sans", "IPAGothic", "IPAexGothic", "TakaoPGothic", "VL Gothic", "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei", "Droid Sans Fallback", "Hiragino Sans", "PingFang SC", "Yu Gothic",
    "Microsoft YaHei", "MS Gothic", "Malgun Gothic", "Apple SD Gothic Neo", "NanumGothic",
    "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Arabic", "Noto Sans Hebrew",
    "Nirmala UI", "Leelawadee UI", "Arial Unicode MS", "Noto Sans Symbols2", "Noto Emoji",
    "Segoe UI Symbol", "Unifont",
)  # fmt: skip
"""Where letters are looked for that matplotlib's own DejaVu Sans lacks."""

_SETTINGS: dict[Any, Any] = {
    "font.size": TEXT_POINTS,
    "axes.linewidth": 0.6,
    "axes.edgecolor": DIM,
    "axes.labelcolor": INK,
    "axes.labelsize": TICK_POINTS,
    "axes.labelpad": 2.0,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": DIM,
    "ytick.color": DIM,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": TICK_POINTS,
    "ytick.labelsize": TICK_POINTS,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "hatch.linewidth": 0.5,
    "lines.linewidth": 1.0,
    "text.hinting": "no_hinting",  # or a text's width would depend on the dots an inch
    "text.parse_math": False,  # a title may hold dollars
    "pdf.fonttype": 42,
    "svg.hashsalt": "songprint",
    "svg.fonttype": "path",
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw with our settings in place of the user's."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        mpl.rcParams["font.family"] = list(_families())
        yield


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """Return an empty figure with no window behind it."""
    figure = Figure(figsize=(width_inches, height_inches), facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def add_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes at a place given in inches from the figure's left and top."""
    across, down = figure.get_size_inches()
    rectangle = (left / across, 1 - (top + height) / down, width / across, height / down)
    return figure.add_axes(rectangle)


def add_text(figure: Figure, left: float, top: float, text: str, **look: Any) -> Text:
    """Add text whose upper left corner is at a place in inches from the figure's left and top."""
    across, down = figure.get_size_inches()
    options: dict[str, Any] = {"ha": "left", "va": "top", **look}
    return figure.text(left / across, 1 - top / down, drawable(text), **options)


def add_note(figure: Figure, margin: float, top: float, lines: Sequence[str]) -> None:
    """Add small lines of text that begin at a margin; one of wide letters is shortened to fit."""
    for i, line in enumerate(lines):
        text = add_text(figure, margin, top + i * NOTE_LINE, line, fontsize=NOTE_POINTS, color=DIM)
        fit(text, figure.get_size_inches()[0] - 2 * margin)


def render(figure: Figure, suffix: str, dots_per_inch: int) -> bytes:
    """Return a figure as the bytes of a file.

    Parameters
    ----------
    figure : Figure
        Drawn under :func:`styled`.
    suffix : {"png", "svg", "pdf"}
        The format.
    dots_per_inch : int
        Of a PNG, and of the pictures within the other two.
    """
    across, down = figure.get_size_inches()
    limit = (MAX_PIXELS / (across * down)) ** 0.5
    side = 65_000 / max(across, down)  # Agg's own limit is 2 ** 16
    dots = max(1, int(min(dots_per_inch, limit, side)))
    # Without a date and a version in it, the same figure is the same file.
    undated = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    file = io.BytesIO()
    with styled():
        figure.savefig(file, format=suffix, dpi=dots, metadata=undated[suffix])
    return file.getvalue()


def drawable(text: str) -> str:
    """Return text with a box for each letter that no font at hand can draw."""
    return "".join(letter if _has_glyph(letter) else MISSING_GLYPH for letter in text)


def undrawable(text: str) -> str:
    """Return the letters of a text that no font at hand can draw, each once."""
    return "".join(dict.fromkeys(letter for letter in text if not _has_glyph(letter)))


def width_of(text: Text) -> float:
    """Return how wide a text is drawn, in inches."""
    figure = text.get_figure(root=True)
    assert figure is not None
    return float(text.get_window_extent().width / figure.dpi)


def fit(text: Text, width_inches: float) -> None:
    """Shorten a text in its middle until it is no wider than so many inches."""
    whole = text.get_text()
    least, most = 0, len(whole) + 1
    while most - least > 1:  # it fits with `least` letters, not with `most`
        letters = len(whole) if most > len(whole) else (least + most) // 2
        text.set_text(shortened(whole, letters))
        if width_of(text) <= width_inches:
            least = letters
        else:
            most = letters
    text.set_text(shortened(whole, least))


def shortened(text: str, letters: int) -> str:
    """Return a text with so many of its letters, two thirds of them from its beginning.

    Examples
    --------
    >>> shortened("a rather long title", 9)
    'a rath…tle'
    """
    if letters >= len(text):
        return text
    end = letters // 3
    return text[: letters - end] + ELLIPSIS + (text[-end:] if end else "")


def signed(value: float, places: int) -> str:
    """Return a number with so many decimal places; nothing is "-0.00"."""
    text = f"{value:.{places}f}"
    return minus(text if float(text) else text.removeprefix("-"))


def minus(text: str) -> str:
    """Return a number's text with a minus sign as wide as a plus."""
    return text.replace("-", "\N{MINUS SIGN}")


@cache
def _families() -> tuple[str, ...]:
    """Return the fonts at hand, the usual one first."""
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in FALLBACK_FONTS if name in known))


@cache
def _glyphs() -> frozenset[int]:
    """Return the letters that can be drawn both bold and not."""
    weights: list[set[int]] = []
    for weight in ("normal", "bold"):
        found: set[int] = set()
        for family in _families():
            properties = font_manager.FontProperties(family=[family], weight=weight)
            path = font_manager.findfont(properties)
            found.update(font_manager.get_font(path).get_charmap())
        weights.append(found)
    return frozenset.intersection(*map(frozenset, weights))


def _has_glyph(letter: str) -> bool:
    return ord(letter) in _glyphs()
