"""One function a panel: each draws one kind of picture of one song into its axes."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from songprint.descriptors.tonality import PITCH_CLASSES
from songprint.genre.colours import colours_of
from songprint.views.axes import (
    LEVEL_RANGE_DBFS,
    set_band_axis,
    set_frequency_axis,
    set_level_axis,
    set_mel_axis,
    set_time_axis,
)
from songprint.views.bands import POINTS_PER_OCTAVE, band_centres_hz
from songprint.views.portrait import Portrait, Shared
from songprint.views.style import (
    BLUE,
    DARK_BLUE,
    DIM,
    FAINT,
    INK,
    NOTE_POINTS,
    OTHERS_COLOUR,
    PAPER,
    SMALLEST_POINTS,
    VERMILION,
    drawable,
    minus,
    shortened,
    signed,
)
from songprint.views.tempogram import tempos_bpm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from songprint.fingerprints import Segment
    from songprint.views.signals import Picture

MEL_RANGE = (0.0, 6.0)
EMBEDDING_RANGE = 0.2
"""Components of a unit vector of 256 are 0.06 on average; few exceed this."""

TIMELINE_LEVEL_DBFS = (-60.0, 0.0)
TOP_GENRES = 5

LEVEL_MAP, MEL_MAP, SHARE_MAP, SIGNED_MAP = "viridis", "viridis", "cividis", "PuOr_r"


def draw_waveform(axes: Axes, portrait: Portrait, shared: Shared, *, labelled: bool) -> None:
    """Draw the samples' envelope, light, and their root mean square, dark."""
    envelope = portrait.signals.envelope
    assert envelope is not None
    seconds = portrait.signals.seconds
    edges = np.linspace(0, seconds, len(envelope.low) + 1)
    for low, high, colour in (
        (envelope.low, envelope.high, BLUE),
        (-envelope.rms, envelope.rms, DARK_BLUE),
    ):
        axes.fill_between(
            edges, np.append(low, low[-1]), np.append(high, high[-1]), step="post", color=colour,
            # A line as well, so that a click narrower than a dot of the printer is still black.
            linewidth=0.3,
        )  # fmt: skip
    limit = shared.amplitude
    axes.set_ylim(-limit, limit)
    axes.set_yticks([-1, 0, 1], [minus("-1"), "0", "1"])
    if limit > 1:
        axes.axhline(1, color=DIM, linewidth=0.4)
        axes.axhline(-1, color=DIM, linewidth=0.4)
    set_time_axis(axes, shared.seconds or seconds, labelled=labelled)


def draw_spectrum(axes: Axes, portrait: Portrait, _shared: Shared, *, labelled: bool) -> None:
    """Draw the long-term average spectrum, before those of its kin if they are known."""
    spectrum = portrait.signals.spectrum_dbfs
    assert spectrum is not None
    centres = band_centres_hz()
    set_level_axis(axes)
    if portrait.spectrum_band is not None:
        axes.fill_between(centres, *portrait.spectrum_band, color=FAINT, linewidth=0)
    # What is softer runs along the bottom, rather than be missing.
    shown = np.maximum(spectrum, LEVEL_RANGE_DBFS[0])
    axes.plot(centres, shown, color=BLUE, linewidth=1.0)
    set_frequency_axis(axes, labelled=labelled)


def draw_spectrogram(axes: Axes, portrait: Portrait, shared: Shared, *, labelled: bool) -> None:
    """Draw power over log frequency along the song, on one scale of colours for all songs."""
    picture = portrait.signals.spectrogram
    assert picture is not None
    octaves = np.log2(band_centres_hz())
    half = 0.5 / POINTS_PER_OCTAVE
    _show(axes, picture, (octaves[0] - half, octaves[-1] + half), LEVEL_RANGE_DBFS, LEVEL_MAP)
    axes.set_ylim(octaves[0], np.log2(8000))
    set_band_axis(axes)
    set_time_axis(axes, shared.seconds or portrait.signals.seconds, labelled=labelled)


def draw_mel(axes: Axes, portrait: Portrait, shared: Shared, *, labelled: bool) -> None:
    """Draw what the encoder hears: 96 mel bands."""
    picture = portrait.signals.mel
    assert picture is not None
    _show(axes, picture, (-0.5, picture.values.shape[1] - 0.5), MEL_RANGE, MEL_MAP)
    set_mel_axis(axes)
    set_time_axis(axes, shared.seconds or portrait.signals.seconds, labelled=labelled)


def draw_chroma(axes: Axes, portrait: Portrait, shared: Shared, *, labelled: bool) -> None:
    """Draw the strength of the twelve pitch classes."""
    picture = portrait.signals.chroma
    assert picture is not None
    _show(axes, picture, (-0.5, 11.5), (0, 1), SHARE_MAP)
    axes.set_yticks(range(12), PITCH_CLASSES, fontsize=SMALLEST_POINTS)
    axes.tick_params(axis="y", length=0)
    set_time_axis(axes, shared.seconds or portrait.signals.seconds, labelled=labelled)


def draw_tempogram(axes: Axes, portrait: Portrait, shared: Shared, *, labelled: bool) -> None:
    """Draw how strongly each tempo is felt."""
    picture = portrait.signals.tempogram
    assert picture is not None
    log_tempos = np.log2(tempos_bpm())
    half = (log_tempos[1] - log_tempos[0]) / 2
    _show(axes, picture, (log_tempos[0] - half, log_tempos[-1] + half), (0, 1), SHARE_MAP)
    ticks = (40, 60, 90, 120, 180, 240)
    axes.set_yticks([np.log2(bpm) for bpm in ticks], [str(bpm) for bpm in ticks])
    axes.set_ylabel("BPM")
    tempo = portrait.fingerprint.descriptors.beat.tempo_bpm
    if tempo is not None:
        axes.plot(
            1.02, np.log2(tempo), marker="<", markersize=4, color=VERMILION, clip_on=False,
            transform=axes.get_yaxis_transform(),
        )  # fmt: skip
    axes.set_ylim(log_tempos[0] - half, log_tempos[-1] + half)
    set_time_axis(axes, shared.seconds or portrait.signals.seconds, labelled=labelled)


def _show(
    axes: Axes,
    picture: Picture,
    vertical: tuple[float, float],
    values: tuple[float, float],
    colours: str,
) -> None:
    axes.imshow(
        picture.values.T, aspect="auto", origin="lower", interpolation="nearest", cmap=colours,
        vmin=values[0], vmax=values[1],
        extent=(picture.start_seconds, picture.end_seconds, *vertical),
    )  # fmt: skip


def draw_timeline(
    axes: Axes, level_axes: Axes, portrait: Portrait, shared: Shared, *, labelled: bool
) -> None:
    """Draw the genres' probabilities along the song, stacked, and below them the level."""
    segments = portrait.fingerprint.timeline
    edges = np.array([segments[0].start_seconds, *(s.end_seconds for s in segments)])
    bottom = np.zeros(len(segments))
    for name, colour in zip([*shared.genres, None], stack_colours(shared.genres), strict=True):
        height = [_probability(segment, name, shared.genres) for segment in segments]
        # Rounding must not leave a seam of paper above the stack.
        top = bottom + height if name is not None else np.ones(len(segments))
        axes.fill_between(
            edges, _ended(bottom), _ended(top), step="post", color=colour, linewidth=0
        )
        bottom = top
    for unsure, stretch in groupby(segments, key=lambda segment: segment.unsure):
        first, *rest = stretch
        if unsure:
            end = rest[-1].end_seconds if rest else first.end_seconds
            axes.axvspan(
                first.start_seconds, end, facecolor="none", edgecolor=PAPER, hatch="/////",
                linewidth=0,
            )  # fmt: skip
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0", "50", "100 %"])
    axes.get_yticklabels()[0].set_verticalalignment("bottom")  # or it would lie on the level's
    seconds = shared.seconds or portrait.signals.seconds
    set_time_axis(axes, seconds, labelled=False)
    low, high = TIMELINE_LEVEL_DBFS
    levels = np.clip([segment.level_dbfs for segment in segments], low, high)
    level_axes.fill_between(edges, low, _ended(levels), step="post", color=FAINT, linewidth=0)
    level_axes.stairs(levels, edges, baseline=None, color=INK, linewidth=0.8)
    level_axes.set_ylim(low, high)
    level_axes.set_yticks([low, high], [minus(f"{low:.0f}"), "0 dBFS"])
    level_axes.get_yticklabels()[-1].set_verticalalignment("top")
    set_time_axis(level_axes, seconds, labelled=labelled)


def stack_colours(genres: Sequence[str]) -> list[str]:
    """Return the colours of some genres, and of the others."""
    return [*colours_of(genres).values(), OTHERS_COLOUR]


def _probability(segment: Segment, name: str | None, named: tuple[str, ...]) -> float:
    if name is None:
        return sum(genre.p for genre in segment.genres if genre.name not in named)
    return sum(genre.p for genre in segment.genres if genre.name == name)


def _ended(values: np.typing.ArrayLike) -> np.typing.NDArray[np.float64]:
    """Repeat the last of some values, as steps want one for each edge."""
    array = np.asarray(values, np.float64)
    return np.append(array, array[-1])


def draw_fingerprint(axes: Axes, genre_axes: Axes, portrait: Portrait, shared: Shared) -> None:
    """Draw the embedding as a square of signed numbers, and beside it the likeliest genres."""
    fingerprint = portrait.fingerprint
    side = round(len(fingerprint.embedding) ** 0.5)
    axes.imshow(
        fingerprint.embedding.reshape(side, side), cmap=SIGNED_MAP, interpolation="nearest",
        vmin=-EMBEDDING_RANGE, vmax=EMBEDDING_RANGE,
    )  # fmt: skip
    axes.set_xticks([])
    axes.set_yticks([])
    top = fingerprint.genres[:TOP_GENRES]
    genre_axes.set_axis_off()
    genre_axes.set_xlim(0, 1)
    genre_axes.set_ylim(TOP_GENRES + 1, 0)  # as high for every song, and a line to spare
    for row, genre in enumerate(top):
        colour = DIM if fingerprint.unsure else BLUE
        genre_axes.barh(row + 0.8, genre.p, height=0.3, color=colour, linewidth=0)
        genre_axes.barh(row + 0.8, 1 - genre.p, left=genre.p, height=0.3, color="#eeeeee")
        name = drawable(shortened(genre.name, 16))
        genre_axes.text(0, row + 0.55, name, fontsize=NOTE_POINTS, va="bottom")
        share = f"{100 * genre.p:.0f} %"
        genre_axes.text(1, row + 0.55, share, fontsize=NOTE_POINTS, va="bottom", ha="right")
    if shared.reference is not None:
        cosine = float(shared.reference @ fingerprint.embedding)
        text = f"cosine to the first: {signed(cosine, 2)}"
        genre_axes.text(0, TOP_GENRES + 0.9, text, fontsize=NOTE_POINTS, va="bottom", color=DIM)
