"""Figures of genres: a song for each, their average spectra, their descriptors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from songprint.views.axes import set_frequency_axis
from songprint.views.bands import band_centres_hz
from songprint.views.gallery import FEWEST_FOR_BAND, Compared, Gallery, Member
from songprint.views.grid import Edge, Grid
from songprint.views.portrait import Portrait, titles_of
from songprint.views.songs import draw_songs
from songprint.views.style import (
    BLUE,
    DIM,
    FAINT,
    SMALLEST_POINTS,
    TICK_POINTS,
    drawable,
    minus,
    shortened,
    signed,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from songprint.views.signals import Signals

GENRE_KINDS = ("waveform", "spectrum", "spectrogram", "mel")
"""What is drawn of the song that stands for a genre."""

SPECTRA_ACROSS = 4
RELATIVE_RANGE_DB = (-60.0, 0.0)
NUMBERS_ACROSS = 3
LIGHT_BLUE, PALE_BLUE = "#a6cfe8", "#d9eaf5"


def origin_note(gallery: Gallery) -> str:
    """Return where the genres come from, in a sentence."""
    if gallery.labelled:
        return f"Genres as labelled in {gallery.title}."
    return "The genres are songprint's own opinion of these songs, not labels."


def draw_genres(gallery: Gallery, chosen: Mapping[str, tuple[Member, Signals]]) -> Figure:
    """Draw a genre a row: the song that stands for it.

    Parameters
    ----------
    gallery : Gallery
        The genres.
    chosen : mapping of str to (Member, Signals)
        The song of each genre, with the signals of ``GENRE_KINDS``.
    """
    titles = titles_of([member.path for member, _ in chosen.values()])
    rows = []
    for genre, title in zip(gallery.genres, titles, strict=True):
        member, signals = chosen[genre.name]
        low, _, high = genre.spectra(relative=False).astype(np.float32)
        many = len(genre.members) > 1
        remark = f"{title} · {f'one of {len(genre.members)} songs' if many else 'the only song'}"
        band = (low, high) if len(genre.members) >= FEWEST_FOR_BAND else None
        rows.append(Portrait(genre.name, remark, signals, member.fingerprint, band))
    note = origin_note(gallery)
    if gallery.songs > len(gallery.genres):
        note += " Drawn is the song nearest to the mean of its genre's embeddings."
    return draw_songs(rows, GENRE_KINDS, note=note)


def count_songs(n: int) -> str:
    """Return how many songs, in words."""
    return "1 song" if n == 1 else f"{n} songs"


def draw_spectra(gallery: Gallery) -> Figure:
    """Draw the average spectrum of each genre with its spread, before those of the others."""
    with styled():
        grid = Grid(len(gallery.genres), SPECTRA_ACROSS, 1.9, 1.4, 0.45, 0.38, every_bottom=False)
        return grid.fill(
            "Average spectra by genre",
            "Median of the genre's songs (line), middle half (dark) and middle four fifths "
            "(light); grey: the medians of the other genres. Each song is taken relative to its "
            f"own level, so that loudness does not count. {origin_note(gallery)}",
            lambda i, axes, edge: _draw_spectra(gallery, i, axes, edge),
        )


def _draw_spectra(gallery: Gallery, index: int, axes: Axes, edge: Edge) -> str:
    centres = band_centres_hz()
    own = gallery.genres[index]
    for genre in gallery.genres:
        if genre is not own:
            axes.plot(centres, genre.spectra(relative=True)[1], color=FAINT, linewidth=0.5)
    spectra = np.stack([m.spectrum_dbfs - m.level_dbfs for m in own.members])
    if len(spectra) >= FEWEST_FOR_BAND:
        for low, high, colour in ((10, 90, PALE_BLUE), (25, 75, LIGHT_BLUE)):
            band = np.percentile(spectra, [low, high], axis=0)
            axes.fill_between(centres, *band, color=colour, linewidth=0, zorder=1.5)
    axes.plot(centres, np.median(spectra, axis=0), color=BLUE, linewidth=1.2)
    axes.set_ylim(*RELATIVE_RANGE_DB)
    ticks = np.arange(RELATIVE_RANGE_DB[0], 1, 20)
    axes.set_yticks(ticks, [minus(f"{t:.0f}") for t in ticks] if edge.left else [])
    axes.grid(axis="y", color=FAINT, linewidth=0.3)
    axes.set_axisbelow(True)
    if edge.left:
        axes.set_ylabel("dB of the song's power,\nper 1/12 octave", fontsize=SMALLEST_POINTS)
    set_frequency_axis(axes, labelled=edge.bottom)
    return f"{own.name}  ({count_songs(len(own.members))})"


def draw_numbers(gallery: Gallery, compared: Sequence[Compared]) -> Figure:
    """Draw how descriptors are distributed in each genre, one panel a descriptor."""
    compared = [item for item in compared if item.known]
    height = max(0.9, 0.155 * len(gallery.genres) + 0.1)
    with styled():
        grid = Grid(len(compared), NUMBERS_ACROSS, 2.2, height, 0.8, 0.22, every_bottom=True)
        return grid.fill(
            "Descriptors by genre",
            "Each dot is a song; bar: the middle half; line: the median. "
            "η²: share of the ranks' variance that the genre explains (Kruskal-Wallis; about 0 by "
            "chance); the panels are in its order. Dots beyond an axis lie on its edge. "
            f"{origin_note(gallery)}",
            lambda i, axes, edge: _draw_number(gallery, compared[i], axes, edge),
        )


def _draw_number(gallery: Gallery, compared: Compared, axes: Axes, edge: Edge) -> str:
    number = compared.number
    values = [genre.values(number) for genre in gallery.genres]
    known = np.concatenate(values)
    known = known[~np.isnan(known)]
    low, high = _limits(known)
    for row, own in enumerate(values):
        shown = np.clip(own[~np.isnan(own)], low, high)
        axes.scatter(
            shown, row + _jitter(len(shown)), s=2.5, color=DIM, linewidths=0, zorder=5,
            clip_on=False,
        )  # fmt: skip
        spread = compared.spreads[gallery.genres[row].name]
        if spread.songs >= FEWEST_FOR_BAND:
            axes.barh(
                row, spread.high - spread.low, left=spread.low, height=0.7, color=LIGHT_BLUE,
                linewidth=0, zorder=1,
            )  # fmt: skip
        if spread.songs:
            axes.plot(
                [spread.median] * 2, [row - 0.35, row + 0.35], color=BLUE, linewidth=1.6, zorder=4
            )
    axes.set_xlim(low, high)
    axes.set_ylim(len(values) - 0.4, -0.6)
    names = [drawable(shortened(genre.name, 14)) for genre in gallery.genres]
    axes.set_yticks(range(len(values)), names if edge.left else [], fontsize=TICK_POINTS)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=4)
    axes.grid(axis="x", color=FAINT, linewidth=0.3)
    axes.set_axisbelow(True)
    if compared.effect is None:
        return number.label
    return f"{number.label}   η² {signed(compared.effect.eta_squared, 2)}"


def _limits(known: np.typing.NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of an axis that a few outliers do not stretch."""
    if len(known) == 0:
        return 0.0, 1.0
    low, first, third, high = np.percentile(known, [0, 25, 75, 100])
    reach = 3 * (third - first) or max(abs(high), 1.0) * 0.05
    low, high = max(low, first - reach), min(high, third + reach)
    margin = 0.04 * (high - low) or reach
    return float(low - margin), float(high + margin)


def _jitter(n: int) -> np.typing.NDArray[np.float64]:
    """Spread dots over the height of their row, always in the same way."""
    return np.array([(i * 0.618034 % 1 - 0.5) * 0.55 for i in range(n)])
