"""From a clip to its song: candidates by landmarks, a verdict by agreement.

What plays too fast or too slow is found by asking again at other speeds: the clip's peaks are
stretched, not the songs'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log2

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.audio.peaks import FRAMES_PER_SECOND, Peaks, clip_peaks
from songprint.identify.agreement import ClipGrid
from songprint.identify.index import Part
from songprint.identify.landmarks import clip_landmarks

SURE_EVIDENCE = 16.0
"""From here on no other speed is tried, and no other window of the clip."""

CANDIDATES = 40
QUICK_CANDIDATES = 12
QUICK_LANDMARKS = 4000
"""What a first look takes, and each look at another speed: enough for all but the hardest clips."""

FEW_FROM_SECONDS = 1.5
"""How long a clip is that can do without its less likely landmarks then."""

OTHER_SPEEDS = (0.995, 1.005, 0.99, 1.01, 0.985, 1.015, 0.98, 1.02)

WINDOW_SECONDS = 12.0
MOST_WINDOWS = 5
"""Of a longer clip, at even distances."""

_FITTED_HOURS, _EVIDENCE_A_DOUBLING = 12.0, 0.25
_ODDS_PER_EVIDENCE = 1.17
_EVEN_BELOW = 1.25
"""Fitted where clips of songs that are not in the library are as many as of those that are."""


@dataclass(frozen=True)
class Match:
    """A place of a song that a clip is from.

    Attributes
    ----------
    song : str
        Content hash.
    offset_seconds : float
        Where the clip starts in the song; negative if it starts before.
    confidence : float
        Estimated probability that this is right, 0 to 1.
    evidence : float
        Log-likelihood ratio; see :mod:`songprint.identify.agreement`.
    share : float
        Of the song's peaks at that place, how many are in the clip.
    speed : float
        Of the clip; above one it runs faster than the song.
    convinces : bool
        Whether the evidence is enough to tell anybody.
    """

    song: str
    offset_seconds: float
    confidence: float
    evidence: float
    share: float
    speed: float
    convinces: bool


def least_evidence(seconds: float, hours: float = 0.0) -> float:
    """Return the evidence from which on a match is told.

    The longer a clip and the larger the library, the better the one agrees with some place of the
    other by chance. Fitted on clips of songs that were not in the library, at all of the speeds
    that are tried (docs/identify.md).

    Parameters
    ----------
    seconds : float
        Of the clip.
    hours : float
        Of all songs of the library.
    """
    by_length = min(8.0 + 1.3 * log2(max(seconds, 1.0)), 11.5)
    return by_length + _EVIDENCE_A_DOUBLING * log2(max(hours / _FITTED_HOURS, 1.0))


def identify_samples(parts: Sequence[Part], samples: NDArray[np.float32]) -> Match | None:
    """Say which song a clip is of.

    Parameters
    ----------
    parts : sequence of Part
        Of the library's :class:`~songprint.identify.index.Index`.
    samples : ndarray [shape=(n,)]
        Mono float32 samples at 16 kHz; of a long clip some windows are heard.

    Returns
    -------
    Match or None
        None where no song of the library convinces.
    """
    best: Match | None = None
    for start in window_starts(len(samples) / SAMPLE_RATE_HZ):
        first = round(start * SAMPLE_RATE_HZ)
        window = samples[first : first + round(WINDOW_SECONDS * SAMPLE_RATE_HZ)]
        found = best_match(parts, window)
        if (
            found is not None
            and found.convinces
            and (best is None or found.evidence > best.evidence)
        ):
            best = replace(found, offset_seconds=found.offset_seconds - start * found.speed)
            if best.evidence >= SURE_EVIDENCE:
                break
    return best


def window_starts(seconds: float) -> list[float]:
    """Return where the windows of a clip start, in seconds: the middle one first."""
    spare = seconds - WINDOW_SECONDS
    if spare <= 0:
        return [0.0]
    count = min(MOST_WINDOWS, 1 + int(np.ceil(spare / WINDOW_SECONDS)))
    starts = np.linspace(0.0, spare, count).tolist()
    return sorted(starts, key=lambda start: abs(start - spare / 2))


def best_match(parts: Sequence[Part], samples: NDArray[np.float32]) -> Match | None:
    """Return the place that a clip of some seconds agrees with best, however little that proves."""
    heard = clip_peaks(samples)
    seconds = len(samples) / SAMPLE_RATE_HZ
    best = match_peaks(parts, heard, seconds, quick=True)
    if best is not None and best.evidence >= SURE_EVIDENCE:
        return best
    found = match_peaks(parts, heard, seconds)
    if found is not None and (best is None or found.evidence > best.evidence):
        best = found
    if best is not None and best.convinces:
        return best
    for speed in OTHER_SPEEDS:
        found = match_peaks(parts, heard, seconds, speed, quick=True)
        if found is not None and (best is None or found.evidence > best.evidence):
            best = found
        if best is not None and best.evidence >= SURE_EVIDENCE:
            break
    return best


def match_peaks(
    parts: Sequence[Part],
    heard: Peaks,
    seconds: float,
    speed: float = 1.0,
    *,
    quick: bool = False,
) -> Match | None:
    """Return the place that a clip agrees with best if it plays at a speed.

    Parameters
    ----------
    parts : sequence of Part
        Of the index.
    heard : Peaks
        Of the clip.
    seconds : float
        Its length.
    speed : float
        How much faster it is taken to play than the song.
    quick : bool
        Ask for fewer landmarks, and look at fewer places.
    """
    peaks = Peaks(heard.frames * np.float32(speed), heard.bins / np.float32(speed))
    landmarks = clip_landmarks(peaks, few=quick and seconds >= FEW_FROM_SECONDS)
    grid = ClipGrid(peaks, seconds * speed)
    songs, starts, names = [], [], []
    most = CANDIDATES
    if quick:
        landmarks, most = landmarks.some(QUICK_LANDMARKS), QUICK_CANDIDATES
    for part in parts:
        for candidate in part.segment.candidates(landmarks, most, part.dead):
            start = candidate.frame
            songs.append(
                part.segment.packed_within(candidate.song, start - 2, start + grid.frames + 2)
            )
            starts.append(start)
            names.append(part.segment.songs[candidate.song])
    best = grid.best(songs, starts)
    if best is None:
        return None
    which, agreement = best
    hours = sum(part.segment.seconds for part in parts) / 3600
    beyond = agreement.evidence - least_evidence(seconds, hours)
    return Match(
        song=str(names[which]),
        offset_seconds=agreement.frame / FRAMES_PER_SECOND,
        confidence=1 / (1 + exp(-_ODDS_PER_EVIDENCE * (beyond + _EVEN_BELOW))),
        evidence=agreement.evidence,
        share=agreement.share,
        speed=speed,
        convinces=beyond >= 0,
    )
