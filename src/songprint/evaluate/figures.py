"""The card's figures, in colours that colour-blind eyes tell apart; needs matplotlib."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from songprint.evaluate.results import HeadScore

DOTS_PER_INCH = 150
INK = "#222222"
FAINT = "#bbbbbb"
BLUE = "#0072b2"


def draw_confusion(score: HeadScore, path: Path) -> Path:
    """Draw what is mistaken for what: shares of each label (colour), numbers of songs (text).

    Parameters
    ----------
    score : HeadScore
        Of the genre head.
    path : Path
        The PNG to write.
    """
    counts = np.array(score.confusion)
    songs = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(songs, 1)
    names = score.confusion_genres
    size = 2.6 + 0.5 * len(names)
    figure = _figure(size, size)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > 0.55 else INK
        text = str(counts[row, column])
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    labels = [f"{name} ({n})" for name, n in zip(names, songs[:, 0], strict=True)]
    axes.set_yticks(range(len(names)), labels)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_ylabel("label (songs)")
    axes.set_xlabel("genre head")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_color(FAINT)
    axes.set_title(
        f"{score.title}: {100 * score.accuracy.value:.0f} % of {score.accuracy.trials} songs right",
        fontsize=10,
        loc="left",
    )
    return _save(figure, path)


def draw_reliability(score: HeadScore, path: Path) -> Path:
    """Draw how often the head is right against how sure it is; perfect is the diagonal.

    Parameters
    ----------
    score : HeadScore
        Of the genre head.
    path : Path
        The PNG to write.
    """
    figure = _figure(4.8, 4.8)
    axes = figure.add_subplot()
    confidence = np.array([b.confidence for b in score.reliability])
    kept = np.array([b.accuracy.value for b in score.reliability])
    low = kept - np.array([b.accuracy.low for b in score.reliability])
    high = np.array([b.accuracy.high for b in score.reliability]) - kept
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", label="perfect")
    axes.errorbar(
        confidence, kept, yerr=[low, high], fmt="o", color=BLUE, ecolor=BLUE, elinewidth=1,
        capsize=2, markersize=5, clip_on=False, label="bins of equal count, 95 %",
    )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    ticks = np.linspace(0, 1, 6)
    axes.set_xticks(ticks, [f"{100 * t:.0f}" for t in ticks])
    axes.set_yticks(ticks, [f"{100 * t:.0f}" for t in ticks])
    axes.set_xlabel("probability of the named genre, %")
    axes.set_ylabel("right, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    axes.set_title(f"{score.title}: ECE {score.ece:.3f}", fontsize=10, loc="left")
    return _save(figure, path)


def _figure(width_inches: float, height_inches: float) -> Figure:
    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> Path:
    # Without a date in it, the same figure is the same file.
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})
    return path
