"""Drum patterns whose tempo and beats are known: thirteen styles, played as people play them.

A performance adds what disturbs a beat tracker in real songs: timing that strays by some
milliseconds, strokes of uneven force, fills, a bass line, chords that do not sit on every beat,
and noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from songprint.pieces import drums
from songprint.pieces import instruments as play
from songprint.pieces.drums import Drum
from songprint.pieces.score import frequency_hz
from songprint.pieces.synth import Signal, cabinet, decibels, lowpass

RATE_HZ = 16_000
STROKES = 4
LOOSEST_MS = 10.0
# Peaks relative to the kick's, and the hiss of every recording: no studio is digitally silent.
BASS_DB = -7.0
CHORDS_DB = -10.0
HISS_DB = -66.0

KIT: dict[str, tuple[Drum, float]] = {
    "kick": (drums.kick, 0.0),
    "snare": (drums.snare, -2.0),
    "hat": (drums.hihat, -14.0),
    "open": (drums.open_hihat, -14.0),
    "ride": (drums.ride, -14.0),
    "rim": (drums.rim, -5.0),
    "clap": (drums.clap, -5.0),
    "shaker": (drums.shaker, -16.0),
    "brush": (drums.brush_tap, -10.0),
    "tom": (drums.tom_tuned(110.0), -4.0),
}


@dataclass(frozen=True)
class Pattern:
    """One bar, or two, of a groove.

    Parameters
    ----------
    name
        Its style.
    meter
        Beats a bar.
    slowest_bpm, fastest_bpm
        Tempos at which it is played.
    strokes
        For each drum, the beats of the pattern on which it is struck.
    bass
        Beats on which the bass plays.
    chords
        Beats on which the chords sound.
    beats
        Length of the pattern in beats.
    swing
        Where the second of a pair of eighths falls: 0.5 straight, 0.667 triplets.
    """

    name: str
    meter: int
    slowest_bpm: float
    fastest_bpm: float
    strokes: dict[str, tuple[float, ...]]
    bass: tuple[float, ...]
    chords: tuple[float, ...]
    beats: int = 4
    swing: float = 0.5


def _steps(step: float, beats: int, offset: float = 0.0) -> tuple[float, ...]:
    return tuple(np.arange(offset, beats, step).tolist())


EIGHTHS = _steps(0.5, 4)
SIXTEENTHS = _steps(0.25, 4)

PATTERNS: tuple[Pattern, ...] = (
    Pattern(
        "rock", 4, 70, 165,
        {"kick": (0, 2, 2.5), "snare": (1, 3), "hat": EIGHTHS},
        EIGHTHS, (0,),
    ),
    Pattern(
        "pop", 4, 80, 140,
        {"kick": (0, 1.5, 2), "snare": (1, 3), "hat": EIGHTHS, "open": (3.5,)},
        (0, 1.5, 2, 3.5), (0, 2),
    ),
    Pattern(
        "disco", 4, 108, 132,
        {"kick": (0, 1, 2, 3), "snare": (1, 3), "hat": (0, 1, 2, 3), "open": (0.5, 1.5, 2.5, 3.5)},
        EIGHTHS, (0, 1.5, 3),
    ),
    Pattern(
        "house", 4, 116, 130,
        {"kick": (0, 1, 2, 3), "clap": (1, 3), "open": (0.5, 1.5, 2.5, 3.5), "shaker": SIXTEENTHS},
        (0.5, 1.5, 2.5, 3.5), (0.75, 2.25),
    ),
    Pattern(
        "waltz", 3, 84, 180,
        {"kick": (0,), "snare": (1, 2), "ride": (0, 1, 2)},
        (0,), (1, 2), beats=3,
    ),
    Pattern(
        "swing", 4, 105, 180,
        {"ride": (0, 1, 1.5, 2, 3, 3.5), "hat": (1, 3), "brush": (1, 3), "kick": (0, 2)},
        (0, 1, 2, 3), (0.0, 1.5), swing=0.64,
    ),
    Pattern(
        "reggae", 4, 62, 95,
        {"kick": (2,), "rim": (2,), "hat": EIGHTHS},
        (0, 0.5, 1.5, 2.5, 3), (1, 3),
    ),
    Pattern(
        "hip-hop", 4, 75, 106,
        {"kick": (0, 0.75, 2.5), "snare": (1, 3), "hat": EIGHTHS},
        (0, 0.75, 2.5), (0,), swing=0.54,
    ),
    Pattern(
        "drum and bass", 4, 160, 180,
        {"kick": (0, 2.5), "snare": (1, 3), "hat": EIGHTHS, "ride": (0, 2)},
        (0, 2.5), (0,),
    ),
    Pattern(
        "shuffle", 4, 80, 150,
        {"kick": (0, 2), "snare": (1, 3), "hat": EIGHTHS},
        (0, 1, 2, 3), EIGHTHS, swing=0.667,
    ),
    Pattern(
        "bossa", 4, 100, 150,
        {
            "kick": (0, 1.5, 2, 3.5, 4, 5.5, 6, 7.5), "rim": (0, 1.5, 3, 5, 6.5),
            "hat": _steps(0.5, 8),
        },
        (0, 1.5, 2, 3.5, 4, 5.5, 6, 7.5), (0, 1.5, 3.5, 5, 6.5), beats=8,
    ),
    Pattern(
        "funk", 4, 90, 120,
        {
            "kick": (0, 0.5, 2.5, 2.75), "snare": (1, 1.75, 2.25, 3), "hat": SIXTEENTHS,
        },
        (0, 0.75, 1.5, 2.5, 3.25), (1.5, 3.5),
    ),
    Pattern(
        "motown", 4, 100, 140,
        {"kick": (0, 1.5, 2), "snare": (0, 1, 2, 3), "shaker": EIGHTHS},
        (0, 1, 1.5, 2, 3, 3.5), (1, 3),
    ),
)  # fmt: skip
PATTERN_BY_NAME = {pattern.name: pattern for pattern in PATTERNS}


@dataclass(frozen=True)
class Performance:
    """A pattern as it was played.

    Parameters
    ----------
    name
        Style, tempo and what plays along.
    tempo_bpm
        Beats a minute; at the start, where it drifts.
    samples
        Mono float32 at 16 kHz.
    beat_seconds
        When each beat falls, the drummer's own errors left out.
    """

    name: str
    tempo_bpm: float
    samples: NDArray[np.float32] = field(repr=False)
    beat_seconds: NDArray[np.float64] = field(repr=False)


def _bass(pitch: float, held: float, rng: np.random.Generator) -> Signal:
    return lowpass(play.electric_bass(frequency_hz(pitch), held, RATE_HZ, rng), 900.0, RATE_HZ)


def _triad(pitch: float, held: float, rng: np.random.Generator) -> Signal:
    notes = [play.electric_guitar(frequency_hz(pitch + s), held, RATE_HZ, rng) for s in (0, 4, 7)]
    longest = max(map(len, notes))
    together = np.sum([np.pad(note, (0, longest - len(note))) for note in notes], axis=0)
    return cabinet(np.asarray(together, np.float64), RATE_HZ)


def perform(
    pattern: Pattern,
    tempo_bpm: float,
    seconds: float = 24.0,
    *,
    seed: int = 0,
    bass: bool = False,
    chords: bool = False,
    noise_db: float | None = None,
    loose_ms: float = LOOSEST_MS,
    fills: bool = True,
    drift: float = 0.0,
    swing: float | None = None,
) -> Performance:
    """Play a pattern.

    Parameters
    ----------
    pattern
        What to play.
    tempo_bpm
        How fast.
    seconds
        How long, cut in the middle of a bar if need be.
    seed
        Of the drummer's irregularities.
    bass, chords
        Who plays along.
    noise_db
        Level of white noise relative to the peak of the kick; None for none.
    loose_ms
        Largest error of a stroke's timing.
    fills
        Whether every fourth bar ends in strokes on the tom.
    drift
        Share by which the tempo has grown at the end.
    swing
        Instead of the pattern's own.
    """
    rng = np.random.default_rng([seed, round(tempo_bpm * 10), len(pattern.name)])
    mix = np.zeros(round(seconds * RATE_HZ))
    ratio = pattern.swing if swing is None else swing

    def seconds_at(beat: float) -> float:
        whole, within = divmod(beat, 1.0)
        straight = min(within, 0.5) * 2 * ratio + max(within - 0.5, 0.0) * 2 * (1 - ratio)
        # With a share x of the song behind it, the tempo is (1 + drift * x) times the first.
        even = (whole + straight) * 60.0 / tempo_bpm
        if drift:
            even = seconds * (np.sqrt(1 + 2 * drift * even / seconds) - 1) / drift
        return float(even)

    def add(sound: Signal, beat: float, level_db: float) -> None:
        late = rng.uniform(-loose_ms, loose_ms) / 1000.0
        start = max(0, round((seconds_at(beat) + late) * RATE_HZ))
        stop = min(len(mix), start + len(sound))
        if stop > start:
            force = decibels(level_db) * rng.uniform(0.7, 1.0)
            mix[start:stop] += force * sound[: stop - start]

    count = 0
    while seconds_at(count) < seconds:
        count += 1
    whole = [n * pattern.beats for n in range(-(-count // pattern.beats))]
    for name, places in pattern.strokes.items():
        drum, level_db = KIT[name]
        strokes = [drum(RATE_HZ, rng) for _ in range(STROKES)]
        for first in whole:
            for place in places:
                sound = strokes[int(rng.integers(STROKES))]
                # Off the beat the stick falls more lightly.
                add(sound, first + place, level_db - (3.0 if place % 1.0 else 0.0))
    if fills:
        tom = [KIT["tom"][0](RATE_HZ, rng) for _ in range(STROKES)]
        bar = pattern.meter
        for last in range(4 * bar - 1, count, 4 * bar):
            for place in (0.0, 0.25, 0.5, 0.75):
                add(tom[int(rng.integers(STROKES))], last + place, KIT["tom"][1])
    beat_long = 60.0 / tempo_bpm
    roots = rng.choice([33, 36, 38, 40, 43], size=len(whole))
    voices: list[tuple[bool, tuple[float, ...], Callable[..., Signal], int, float, float]] = [
        (bass, pattern.bass, _bass, 0, 0.45, BASS_DB),
        (chords, pattern.chords, _triad, 24, 0.9, CHORDS_DB),
    ]
    for playing, places, voice, up, beats, level_db in voices:
        takes: dict[int, Signal] = {}
        for first, root in zip(whole if playing else [], roots, strict=False):
            if int(root) not in takes:
                sound = voice(root + up, beats * beat_long, rng)
                takes[int(root)] = sound / np.abs(sound).max()
            for place in places:
                add(takes[int(root)], first + place, level_db)
    for level_db in [HISS_DB] if noise_db is None else [HISS_DB, noise_db]:
        mix += decibels(level_db) * rng.uniform(-1.0, 1.0, len(mix))
    return Performance(
        name=f"{pattern.name} at {tempo_bpm:g} BPM"
        + "".join(f", {what}" for what, there in (("bass", bass), ("chords", chords)) if there)
        + (f", noise {noise_db:g} dB" if noise_db is not None else ""),
        tempo_bpm=tempo_bpm,
        samples=(0.7 * mix / np.abs(mix).max()).astype(np.float32),
        beat_seconds=np.array([seconds_at(beat) for beat in range(count)]),
    )


def performances(each: int = 6, *, seed: int = 0, seconds: float = 24.0) -> list[Performance]:
    """Return every pattern `each` times, from its slowest tempo to its fastest.

    One in two has a bass, one in two chords, one in three noise 26 dB below the kick.
    """
    played = []
    for style, pattern in enumerate(PATTERNS):
        rng = np.random.default_rng([seed, style])
        edges = np.linspace(pattern.slowest_bpm, pattern.fastest_bpm, each + 1)
        for i in range(each):
            tempo = round(float(rng.uniform(edges[i], edges[i + 1])), 1)
            played.append(
                perform(
                    pattern,
                    tempo,
                    seconds,
                    seed=seed + i,
                    bass=(i + style) % 2 == 0,
                    chords=(i // 2 + style) % 2 == 0,
                    noise_db=-26.0 if i % 3 == 2 else None,
                )
            )
    return played
