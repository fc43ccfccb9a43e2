"""A song as a row of a figure: its heading, its signals, its fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.descriptors.keys import told_key
from songprint.views.signals import Signals
from songprint.views.style import minus

if TYPE_CHECKING:
    from songprint.fingerprints import Fingerprint

OTHERS = "others"
MOST_GENRES = 7
"""Genres with a colour of their own in a figure; eyes tell no more apart."""


VISIBLE_SHARE = 0.05
"""A genre of a lower probability is a hairline in a timeline."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """A song as a row of a figure.

    Attributes
    ----------
    title : str
        What the row is called; printable, of any length.
    remark : str
        What else the heading says.
    signals : Signals
        At least those of the kinds that are drawn.
    fingerprint : Fingerprint
        What it was heard as.
    spectrum_band : (ndarray, ndarray) or None
        Between which spectra those of its kin lie, drawn behind its own [shape=(b,) each].
    """

    title: str
    remark: str
    signals: Signals
    fingerprint: Fingerprint
    spectrum_band: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None


@dataclass(frozen=True)
class Shared:
    """What all rows of a figure have in common, so that they can be compared.

    Attributes
    ----------
    seconds : float or None
        Where every time axis ends; none where each song fills its panels.
    amplitude : float
        Where the waveforms' axes end.
    genres : tuple of str
        Those with a colour, in the order of the stack.
    reference : ndarray [shape=(256,)] or None
        The first song's embedding, to which the others are compared.
    """

    seconds: float | None
    amplitude: float
    genres: tuple[str, ...]
    reference: NDArray[np.float32] | None

    @classmethod
    def of(cls, portraits: Sequence[Portrait], *, stretch: bool) -> Shared:
        """Gather it from the rows; `stretch` lets each song fill its panels."""
        seconds = max(portrait.signals.seconds for portrait in portraits)
        # Only a float file goes beyond full scale.
        peaks = [
            float(np.abs([e.low.min(), e.high.max()]).max())
            for e in (portrait.signals.envelope for portrait in portraits)
            if e is not None
        ]
        return cls(
            None if stretch else seconds,
            max([1.0, *peaks]),
            leading_genres(portrait.fingerprint for portrait in portraits),
            portraits[0].fingerprint.embedding if len(portraits) > 1 else None,
        )


def leading_genres(fingerprints: Iterable[Fingerprint]) -> tuple[str, ...]:
    """Return the genres that fill most of the songs' timelines, by name.

    Those that are improbable everywhere are not among them: nobody would find their colour.
    """
    shares: dict[str, float] = {}
    highest: dict[str, float] = {}
    for fingerprint in fingerprints:
        for segment in fingerprint.timeline:
            length = (segment.end_seconds - segment.start_seconds) / max(fingerprint.seconds, 1e-9)
            for genre in segment.genres:
                shares[genre.name] = shares.get(genre.name, 0.0) + genre.p * length
                highest[genre.name] = max(highest.get(genre.name, 0.0), genre.p)
    visible = [name for name in shares if highest[name] >= VISIBLE_SHARE]
    leading = sorted(visible, key=lambda name: (-shares[name], name))[:MOST_GENRES]
    return tuple(sorted(leading))


def remark_of(fingerprint: Fingerprint) -> str:
    """Return what a heading says of a song after its title."""
    genre = fingerprint.genres[0]
    named = f"{genre.name} {100 * genre.p:.0f} %"
    said = [duration(fingerprint.seconds), f"unsure ({named})" if fingerprint.unsure else named]
    descriptors = fingerprint.descriptors
    if descriptors.beat.tempo_bpm is not None:
        said.append(f"{descriptors.beat.tempo_bpm:.0f} BPM")
    if descriptors.tonality.key is not None:
        said.append(told_key(f"{descriptors.tonality.key} {descriptors.tonality.mode}"))
    if descriptors.intensity.loudness_lufs is not None:
        said.append(minus(f"{descriptors.intensity.loudness_lufs:.1f} LUFS"))
    return " · ".join(said)


def duration(seconds: float) -> str:
    """Return a duration in words that keep short ones apart.

    Examples
    --------
    >>> duration(0.25), duration(59.4), duration(185.2), duration(3725)
    ('0.25 s', '59.4 s', '3:05 min', '1:02:05 h')
    """
    if seconds < 0.01:
        return "< 0.01 s"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02} h" if hours else f"{minute}:{second:02} min"


def titles_of(paths: Sequence[str]) -> list[str]:
    """Return the names of files, with as many of their folders as it takes to tell them apart.

    Examples
    --------
    >>> titles_of(["a/1.mp3", "b/1.mp3", "b/2.mp3"])
    ['a/1.mp3', 'b/1.mp3', '2.mp3']
    """
    parts = [path.replace("\\", "/").split("/") for path in paths]
    depths = [1] * len(paths)
    while True:
        titles = ["/".join(p[-depth:]) for p, depth in zip(parts, depths, strict=True)]
        again = [
            i
            for i, title in enumerate(titles)
            if titles.count(title) > 1 and depths[i] < len(parts[i])
        ]
        if not again:
            return titles
        for i in again:
            depths[i] += 1
