"""Songs of a library that are one recording: other encodings, lengths, with silence around.

Each song asks the index for some of its rarer landmarks among those that any other place shares,
which costs about the same however large the library is. What is voted for is then compared peak by
peak over the whole of what the two songs have in common. Two encodings of a recording share nine
tenths of their peaks, and two thirds where their frames lie half a frame apart; another take of the
song, live or in the studio, shares what chance gives it, and another singer over the same tracks
something between. A remaster shares most peaks, too, but not the dynamics or the brightness, which
encodings keep.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from songprint.audio.peaks import FRAMES_PER_SECOND, Peaks
from songprint.identify.index import Index, Part
from songprint.identify.landmarks import Landmarks, song_landmarks
from songprint.identify.segment import Segment

RULES = 2
"""Changes when other pairs could be found; libraries are then compared anew."""

LEAST_AGREEMENT = 0.62
"""Of the peaks of both songs beyond chance, for them to be one recording."""

LEAST_IN_STEP = 0.75
"""The same where the frames of both coincide: of mp3 and opus at 32 kbit/s 0.82 agrees and more."""

LEAST_WEAKEST = 0.4
"""The same of the tenth of their stretches that agree least: of a new voice over an old track."""

MOST_DYNAMICS_APART_DB = 2.0
MOST_BRIGHTNESS_APART_OCTAVES = 0.12
"""Between copies; nine of ten encodings are within 1.4 dB and 0.07 octaves (docs/identify.md)."""

COPY_COVERAGE = 0.8
"""Of the peaks of each song, how many are in the time that both have; else one is an excerpt."""

EXCERPT_COVERAGE = 0.9
"""Of the peaks of the shorter one."""

LEAST_ASKED, LANDMARKS_ASKED_A_SECOND = 256, 4.0
LEAST_VOTES = 8
PLACES_COMPARED = 12

LEAST_OVERLAP_SECONDS = 5.0
"""Of two songs that go together only in part, where such are asked for."""

_STRETCH_FRAMES = 160
_CHANCE_SHIFTS = (61, 149, 331, 613)
_LEAST_PEAKS = 20

Kind = Literal["copy", "excerpt", "master", "overlap"]


@dataclass(frozen=True)
class Sound:
    """What tells masters of a recording apart.

    Attributes
    ----------
    dynamic_range_db : float
        Of the song; NaN where unknown.
    brightness_hz : float
        Of the song; NaN where unknown.
    """

    dynamic_range_db: float
    brightness_hz: float

    def is_like(self, other: Sound) -> bool:
        """Tell whether two songs of one recording may be of one master, too."""
        dynamics = abs(self.dynamic_range_db - other.dynamic_range_db)
        octaves = abs(np.log2((self.brightness_hz + 1) / (other.brightness_hz + 1)))
        apart = dynamics > MOST_DYNAMICS_APART_DB or octaves > MOST_BRIGHTNESS_APART_OCTAVES
        return not apart  # also where one is not known


@dataclass(frozen=True)
class Pair:
    """Two songs that are one recording.

    Attributes
    ----------
    first, second : str
        Content hashes; of an excerpt the second is the longer one.
    kind : str
        "copy" if both have all of it, "excerpt" if only the second has, "master" if both have all
        of it but their dynamics or brightness differ, as those of a remaster do, or more of their
        peaks than encoding makes differ; "overlap", where
        that is asked for, if each has something before or after that the other has not.
    agreement : float
        Share of peaks that both have, beyond chance, 0 to 1.
    weakest : float
        The same of the tenth of all stretches of five seconds that agree least.
    offset_seconds : float
        Where the first one starts in the second; negative if it starts before.
    common_seconds : float
        How long they go together.
    covered : float
        Share of the peaks of the longer one that are in that time.
    """

    first: str
    second: str
    kind: Kind
    agreement: float
    weakest: float
    offset_seconds: float
    common_seconds: float
    covered: float


def find_pairs(
    index: Index, sounds: Mapping[str, Sound], on_song: Callable[[], None] = lambda: None
) -> list[Pair]:
    """Return all pairs of songs of a library that are one recording.

    Parameters
    ----------
    index : Index
        Of the library.
    sounds : mapping of str to Sound
        By content hash; a song that is not there is taken for the master that the other one is.
    on_song : callable
        Is called for each song that was looked into.

    Returns
    -------
    list of Pair
        Each pair once, those that agree best first.
    """
    found: dict[frozenset[str], Pair] = {}
    for _, pairs in ask_each(index):
        keep_best(found, pairs)
        on_song()
    return told_apart(found.values(), sounds)


def ask_each(
    index: Index, leave_out: Container[str] = frozenset()
) -> Iterator[tuple[str, list[Pair]]]:
    """Yield the songs of a library, and of each the pairs that it is in, as far as it tells.

    Parameters
    ----------
    index : Index
        Of the library.
    leave_out : container of str
        Content hashes of songs that need not ask; others that ask find them.
    """
    for part in index.parts:
        for row in part.alive.tolist():
            name = str(part.segment.songs[row])
            if name not in leave_out:
                song = _song(part.segment, row)
                yield name, list(pairs_of(index.parts, song, own=(part, row)))


def keep_best(found: dict[frozenset[str], Pair], pairs: Iterable[Pair]) -> None:
    """Add pairs to those that were found; of two of the same songs the better one stays."""
    for pair in pairs:
        key = frozenset((pair.first, pair.second))
        if key not in found or pair.agreement > found[key].agreement:
            found[key] = pair


def told_apart(pairs: Iterable[Pair], sounds: Mapping[str, Sound]) -> list[Pair]:
    """Return pairs, those that agree best first, those of two masters named so."""
    named = (_told_apart(pair, sounds) for pair in pairs)
    return sorted(named, key=lambda pair: (-pair.agreement, pair.first, pair.second))


def pairs_of(
    parts: Sequence[Part],
    song: tuple[str, Peaks],
    *,
    own: tuple[Part, int] | None = None,
    overlaps: bool = False,
) -> Iterator[Pair]:
    """Yield what is one recording with a song; a pair may come twice, at two places.

    Parameters
    ----------
    parts : sequence of Part
        Of the index that is asked.
    song : tuple of str and Peaks
        Its name and its peaks.
    own : tuple of Part and int, optional
        Where the song itself is in the index, if it is.
    overlaps : bool
        Whether songs that go together only in part are pairs, too.
    """
    for other, frame in _places(parts, song[1], own):
        pair = compare_songs(song, other, frame, overlaps=overlaps)
        if pair is not None:
            yield pair


def _told_apart(pair: Pair, sounds: Mapping[str, Sound]) -> Pair:
    first, second = sounds.get(pair.first), sounds.get(pair.second)
    if pair.kind == "copy" and first and second and not first.is_like(second):
        return replace(pair, kind="master")
    return pair


def group_copies(pairs: Iterable[Pair]) -> list[list[str]]:
    """Return the groups of songs that copies tie together, the largest first."""
    return groups_of((pair.first, pair.second) for pair in pairs if pair.kind == "copy")


def groups_of(ties: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the groups of songs that are tied together, the largest first."""
    leader: dict[str, str] = {}

    def find(song: str) -> str:
        while leader.setdefault(song, song) != song:
            song = leader[song]
        return song

    for first, second in ties:
        leader[find(first)] = find(second)
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for song in leader:
        groups[find(song)].append(song)
    return sorted((sorted(group) for group in groups.values()), key=lambda g: (-len(g), g))


def compare_songs(
    first: tuple[str, Peaks], second: tuple[str, Peaks], frame: float, *, overlaps: bool = False
) -> Pair | None:
    """Compare two songs of which the first starts at a frame of the second.

    Parameters
    ----------
    first, second : tuple of str and Peaks
        Content hashes and peaks.
    frame : float
        Where the first is taken to start in the second.
    overlaps : bool
        Whether they may go together only in part, for some seconds.

    Returns
    -------
    Pair or None
        None if they are not one recording.
    """
    (a_name, a), (b_name, b) = first, second
    if min(len(a), len(b)) < _LEAST_PEAKS:
        return None
    shift = _best_shift(a, b, round(frame))
    a_frames, b_frames = a.frames + shift, b.frames
    start = max(a_frames[0], b_frames[0]) - 1
    stop = min(a_frames[-1], b_frames[-1]) + 1
    a_common = (a_frames >= start) & (a_frames <= stop)
    b_common = (b_frames >= start) & (b_frames <= stop)
    a_covered, b_covered = float(a_common.mean()), float(b_common.mean())
    seconds = float(stop - start) / FRAMES_PER_SECOND
    if min(a_common.sum(), b_common.sum()) < _LEAST_PEAKS:
        return None
    is_whole = max(a_covered, b_covered) >= EXCERPT_COVERAGE
    if not is_whole and not (overlaps and seconds >= LEAST_OVERLAP_SECONDS):
        return None
    common = (
        Peaks(a_frames[a_common], a.bins[a_common]),
        Peaks(b_frames[b_common], b.bins[b_common]),
    )
    agreement, weakest = _agreement(*common)
    if agreement < LEAST_AGREEMENT or weakest < LEAST_WEAKEST:
        return None
    kind: Kind = "overlap" if not is_whole else "excerpt"
    if is_whole and min(a_covered, b_covered) >= COPY_COVERAGE:
        kind = "copy" if agreement >= _least_of_copies(*common) else "master"
    if a_covered < b_covered:
        a_name, b_name, shift = b_name, a_name, -shift
    return Pair(
        first=a_name,
        second=b_name,
        kind=kind,
        agreement=agreement,
        weakest=weakest,
        offset_seconds=shift / FRAMES_PER_SECOND,
        common_seconds=seconds,
        covered=min(a_covered, b_covered),
    )


def _agreement(a: Peaks, b: Peaks) -> tuple[float, float]:
    """Return the share of peaks that both have beyond chance, of all and of the weakest tenth."""
    a_there, b_there = _shared(a, b, 0), _shared(b, a, 0)
    share = (float(a_there.mean()) + float(b_there.mean())) / 2
    chance = float(np.median([_shared(a, b, later).mean() for later in _CHANCE_SHIFTS]))
    frames = np.concatenate([a.frames, b.frames])
    there = np.concatenate([a_there, b_there])
    stretch = ((frames - frames.min()) // _STRETCH_FRAMES).astype(np.intp)
    counts = np.bincount(stretch)
    shares = np.bincount(stretch, there)[counts >= _LEAST_PEAKS] / counts[counts >= _LEAST_PEAKS]
    weakest = float(np.quantile(shares, 0.1)) if len(shares) else share
    beyond = 1 - min(chance, 0.95)
    return max(0.0, (share - chance) / beyond), max(0.0, (weakest - chance) / beyond)


def _least_of_copies(a: Peaks, b: Peaks) -> float:
    """Return how well copies agree at least, by how well the frames of both coincide.

    Where they lie half a frame apart, a copy has peaks in either of two frames and loses some;
    where they coincide, what is missing was covered by other sounds or worked away.
    """
    coincide = float(_in_step(a, _places_of(b), 0).sum()) / max(1, int(_shared(a, b, 0).sum()))
    return float(np.interp(coincide, (0.8, 0.9), (LEAST_AGREEMENT, LEAST_IN_STEP)))


def _best_shift(a: Peaks, b: Peaks, frame: int) -> int:
    """Return after how many frames of the second song the first starts, to the frame."""
    places = _places_of(b)
    there = [_in_step(a, places, frame + later) for later in range(-2, 3)]
    votes = [(there[i - 1] | there[i] | there[i + 1]).sum() + there[i].sum() for i in (2, 1, 3)]
    return frame + (0, -1, 1)[int(np.argmax(votes))]


def _shared(a: Peaks, b: Peaks, later: int) -> NDArray[np.bool_]:
    """Tell which peaks of one song the other has so much later, within a frame and half a bin."""
    places = _places_of(b)
    there: NDArray[np.bool_] = np.logical_or.reduce(
        [_in_step(a, places, later + frames) for frames in (-1, 0, 1)]
    )
    return there


def _in_step(a: Peaks, places: NDArray[np.int64], later: int) -> NDArray[np.bool_]:
    """Tell which peaks of one song are so much later among places, within half a bin."""
    there = np.zeros(len(a), bool)
    mine = _keys(a.frames + later, a.bins)
    for higher in (-1, 0, 1):
        row = np.minimum(np.searchsorted(places, mine + higher), len(places) - 1)
        there |= places[row] == mine + higher
    return there


def _places_of(peaks: Peaks) -> NDArray[np.int64]:
    return np.sort(_keys(peaks.frames, peaks.bins))


def _keys(frames: NDArray[np.float32], bins: NDArray[np.float32]) -> NDArray[np.int64]:
    return (np.rint(frames).astype(np.int64) << 12) + np.rint(bins * 2).astype(np.int64)


def _song(segment: Segment, row: int) -> tuple[str, Peaks]:
    packed = np.asarray(segment.packed_peaks(row))
    return str(segment.songs[row]), Peaks.unpacked(packed)


def _places(
    parts: Sequence[Part], peaks: Peaks, own: tuple[Part, int] | None
) -> Iterator[tuple[tuple[str, Peaks], float]]:
    """Yield other songs, and at which frame of each the song may start."""
    seconds = float(peaks.frames[-1]) / FRAMES_PER_SECOND if len(peaks) else 0.0
    asked = _rare(parts, song_landmarks(peaks), 1 if own is None else 2, seconds)
    for part in parts:
        dead = part.dead
        if own is not None and part is own[0]:
            dead = np.zeros(len(part.segment), bool) if dead is None else dead.copy()
            dead[own[1]] = True
        for candidate in part.segment.candidates(asked, PLACES_COMPARED, dead):
            if candidate.votes >= LEAST_VOTES:
                yield _song(part.segment, candidate.song), candidate.frame


def _rare(parts: Sequence[Part], landmarks: Landmarks, least: int, seconds: float) -> Landmarks:
    """Return some of the rarer half of those landmarks that at least so many places have.

    Not the rarest of all: where a recording is there many times, those are what its most alike
    copies share, and the others do not.
    """
    counts = np.zeros(len(landmarks.values), np.int64)
    for part in parts:
        directory = part.segment.directory
        counts += directory[landmarks.values + 1].astype(np.int64) - directory[landmarks.values]
    shared = np.flatnonzero(counts >= least)
    most = max(LEAST_ASKED, round(seconds * LANDMARKS_ASKED_A_SECOND))
    rarer = shared[np.argsort(counts[shared], kind="stable")[: max(most, len(shared) // 2)]]
    some = np.sort(rarer[:: max(1, len(rarer) // most)])
    return Landmarks(landmarks.values[some], landmarks.frames[some])
