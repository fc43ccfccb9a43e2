"""Axes that all songs share: time, frequency, level; their ticks and their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from songprint.audio.mel import MEL_BANDS, hz_to_mel
from songprint.views.bands import band_centres_hz
from songprint.views.style import FAINT, SMALLEST_POINTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVEL_RANGE_DBFS = (-90.0, -10.0)
"""Of power in a twelfth of an octave: one moment of music in a hundred is louder or softer."""

FREQUENCY_TICKS = {100: "100", 1000: "1k", 8000: "8k"}
_MINOR_HZ = (50, 200, 300, 400, 500, 600, 700, 800, 900, 2000, 3000, 4000, 5000, 6000, 7000)

TIME_STEPS_SECONDS = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
)  # fmt: skip
MOST_TIME_TICKS = 5


def set_time_axis(axes: Axes, seconds: float, *, labelled: bool) -> None:
    """Give axes a time axis from 0 to so many seconds.

    Parameters
    ----------
    axes
        What is drawn on.
    seconds
        Where it ends.
    labelled
        Whether its ticks have words; those of the rows above do without.
    """
    step = next((s for s in TIME_STEPS_SECONDS if seconds / s <= MOST_TIME_TICKS), 14_400.0)
    ticks = np.arange(0, seconds + 1e-6, step)
    axes.set_xlim(0, seconds)
    axes.set_xticks(ticks, [time_words(t, seconds, step) for t in ticks] if labelled else [])
    if labelled:
        axes.set_xlabel(time_unit(seconds))


def time_unit(seconds: float) -> str:
    """Return what the time axis of so many seconds is called."""
    if seconds < 60:
        return "time, s"
    return "time, min:s" if seconds < 3600 else "time, h:min"


def time_words(time: float, seconds: float, step: float) -> str:
    """Return the words of a tick of an axis of so many seconds."""
    if seconds < 60:
        return f"{time:.1f}" if step < 1 else f"{time:.0f}"
    unit = 60 if seconds >= 3600 else 1
    high, low = divmod(round(time / unit), 60)
    return f"{high}:{low:02}"


def set_frequency_axis(axes: Axes, *, labelled: bool) -> None:
    """Give axes a logarithmic horizontal frequency axis in hertz."""
    centres = band_centres_hz()
    axes.set_xscale("log")
    axes.set_xlim(centres[0], 8000)
    axes.set_xticks(list(FREQUENCY_TICKS), list(FREQUENCY_TICKS.values()) if labelled else [])
    axes.set_xticks(_MINOR_HZ, [], minor=True)
    if labelled:
        axes.set_xlabel("frequency, Hz")


def set_band_axis(axes: Axes) -> None:
    """Give axes whose vertical unit is the octave above 1 Hz words in hertz."""
    axes.set_yticks([np.log2(hz) for hz in FREQUENCY_TICKS], list(FREQUENCY_TICKS.values()))
    axes.set_yticks([np.log2(hz) for hz in _MINOR_HZ], [], minor=True)
    axes.set_ylabel("Hz")


def set_mel_axis(axes: Axes) -> None:
    """Give axes whose vertical unit is the mel band words in hertz."""
    axes.set_yticks([band_of(hz) for hz in (500, 1000, 2000, 4000)], ["500", "1k", "2k", "4k"])
    axes.set_ylabel("Hz")


def band_of(hz: float) -> float:
    """Return the number of the mel band, with fractions, whose centre is at a frequency."""
    low, high, at = hz_to_mel(np.array([0.0, 8000.0, hz]))
    return float((at - low) / (high - low) * (MEL_BANDS + 1) - 1)


def set_level_axis(axes: Axes) -> None:
    """Give axes a vertical axis of power in a band."""
    low, high = LEVEL_RANGE_DBFS
    axes.set_ylim(low, high)
    axes.set_yticks(np.arange(low, high + 1, 20))
    axes.grid(axis="y", color=FAINT, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.set_ylabel("dBFS per 1/12 octave", fontsize=SMALLEST_POINTS)
