"""Notes, chords and scales, and the session that places them in time and mixes them.

A beat is the unit that the tempo counts. A pitch is a MIDI number: 60 is C4, 69 is A4 at 440 Hz.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from songprint.errors import UsageError
from songprint.pieces.drums import Drum
from songprint.pieces.synth import Signal, decibels, echo, highpass, reverb

# A pitched instrument: frequency in Hz, seconds held, sample rate in Hz, source of chance.
Voice = Callable[[float, float, int, np.random.Generator], Signal]

PEAK_DBFS = -1.0
# What lies below is not music: the limiter's offset above all.
LOWEST_HZ = 22.0
# The rendered samples lie on the grid of 16-bit audio, so that a FLAC file holds them exactly.
FULL_SCALE_16_BIT = 32768

# A player has so many different renderings of the same note, and so many strokes of a drum.
TAKES = 3
STROKES = 5

PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "blues": (0, 3, 5, 6, 7, 10),
}
CHORDS = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "5": (0, 7, 12),
    "6": (0, 4, 7, 9),
    "7": (0, 4, 7, 10),
    "9": (0, 4, 10, 14),
    "13": (0, 4, 10, 21),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "m9": (0, 3, 10, 14),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
}


@dataclass(frozen=True)
class Note:
    """One note.

    Parameters
    ----------
    beat
        When it starts, in beats from the beginning.
    beats
        How long it is held, in beats.
    pitch
        MIDI number.
    velocity
        How hard it is played, 0 to 1.
    """

    beat: float
    beats: float
    pitch: int
    velocity: float = 0.8


def pitch_class(name: str) -> int:
    """Return the pitch class, 0 (C) to 11 (B), of a name such as ``F#`` or ``Bb``."""
    if not name or name[0] not in PITCH_CLASSES or name[1:].strip("#b"):
        raise UsageError(f"not the name of a note: {name!r}")
    return (PITCH_CLASSES[name[0]] + name.count("#") - name[1:].count("b")) % 12


def pitch_of(name: str) -> int:
    """Return the MIDI number of a name such as ``Eb3``; ``C4`` is 60."""
    letters = name.rstrip("0123456789")
    octave = name[len(letters) :]
    if not octave:
        raise UsageError(f"a pitch needs an octave: {name!r}")
    shift = letters.count("#") - letters[1:].count("b")
    pitch_class(letters)
    return PITCH_CLASSES[letters[0]] + shift + 12 * (int(octave) + 1)


def frequency_hz(pitch: float) -> float:
    """Return the frequency of a MIDI number in equal temperament, A4 being 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def scale(key: str, mode: str, octave: int) -> tuple[int, ...]:
    """Return the pitches of one octave of a scale (``major``, ``minor`` or ``blues``)."""
    root = pitch_of(f"{key}{octave}")
    return tuple(root + step for step in SCALES[mode])


def chord(symbol: str, octave: int = 3, inversion: int = 0) -> tuple[int, ...]:
    """Return the pitches of a chord.

    Parameters
    ----------
    symbol
        A root and a kind, such as ``A``, ``F#m7`` or ``Bbmaj7``.
    octave
        Octave of the root.
    inversion
        How many of the lowest notes go up an octave.
    """
    root = symbol[:2] if symbol[1:2] in ("#", "b") else symbol[:1]
    kind = symbol[len(root) :]
    if kind not in CHORDS:
        raise UsageError(f"not a known kind of chord: {symbol!r}")
    pitches = [pitch_of(f"{root}{octave}") + step for step in CHORDS[kind]]
    return tuple(sorted(pitches[inversion:] + [pitch + 12 for pitch in pitches[:inversion]]))


def line(text: str, start: float = 0.0, velocity: float = 0.8) -> list[Note]:
    """Read a line of music.

    Parameters
    ----------
    text
        Words ``PITCH:BEATS`` one after another, ``-`` a rest, ``+`` joining the notes of a chord
        and ``!`` after the word marking an accent: ``"E2:1 -:0.5 C4+E4+G4:2!"``. A length left
        out is that of the word before.
    start
        The beat on which the line starts.
    velocity
        How hard it is played; an accent adds a quarter.

    Returns
    -------
    list[Note]
        The notes, in order.
    """
    notes: list[Note] = []
    beat, beats = start, 1.0
    for word in text.split():
        names, _, length = word.rstrip("!").partition(":")
        beats = float(length) if length else beats
        force = min(1.0, velocity * 1.25) if word.endswith("!") else velocity
        if names != "-":
            notes += [Note(beat, beats, pitch_of(name), force) for name in names.split("+")]
        beat += beats
    return notes


def comp(
    chords: Sequence[Sequence[int]], beats_each: float, rhythm: Iterable[tuple[float, float]]
) -> list[Note]:
    """Play each chord in turn to the same rhythm of ``(beat, beats)`` pairs."""
    strokes = list(rhythm)
    return [
        Note(i * beats_each + beat, beats, pitch)
        for i, pitches in enumerate(chords)
        for beat, beats in strokes
        for pitch in pitches
    ]


def repeated(notes: Iterable[Note], every: float, times: int) -> list[Note]:
    """Return the notes said `times` times, `every` so many beats."""
    kept = list(notes)
    return [replace(n, beat=n.beat + i * every) for i in range(times) for n in kept]


def transposed(notes: Iterable[Note], semitones: int) -> list[Note]:
    """Return the notes moved up by a number of semitones."""
    return [replace(note, pitch=note.pitch + semitones) for note in notes]


def phrased(notes: Iterable[Note], beats: float, depth: float = 0.35) -> list[Note]:
    """Return the notes with a swell and a fall in every phrase of so many beats."""
    return [
        replace(
            n, velocity=n.velocity * (1.0 - depth * (1.0 - np.sin(np.pi * (n.beat / beats % 1))))
        )
        for n in notes
    ]


@dataclass
class Session:
    """A tempo, a length and a mixing desk.

    Parameters
    ----------
    tempo_bpm
        Beats a minute.
    seconds
        Length of the whole, tail included.
    sample_rate_hz
        Samples a second.
    seed
        Of every chance in the session.
    swing
        Where the second of a pair of notes falls within the pair: 0.5 straight, 0.67 a shuffle.
    swing_pair_beats
        Length of such a pair: 1 swings eighths, 0.5 sixteenths.
    """

    tempo_bpm: float
    seconds: float
    sample_rate_hz: int
    seed: int
    swing: float = 0.5
    swing_pair_beats: float = 1.0
    _dry: NDArray[np.float64] = field(init=False, repr=False)
    _send: Signal = field(init=False, repr=False)

    def __post_init__(self) -> None:
        samples = round(self.seconds * self.sample_rate_hz)
        self._dry = np.zeros((samples, 2))
        self._send = np.zeros(samples)

    def seconds_at(self, beat: float) -> float:
        """Return when a beat is played, swing included."""
        pairs, within = divmod(beat / self.swing_pair_beats, 1.0)
        if within <= 0.5:
            swung = within * 2.0 * self.swing
        else:
            swung = self.swing + (within - 0.5) * 2.0 * (1.0 - self.swing)
        return (pairs + swung) * self.swing_pair_beats * 60.0 / self.tempo_bpm

    def part(self, name: str, *, loose_ms: float = 4.0) -> Part:
        """Return a player with an empty page; the name decides their small irregularities."""
        rng = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        return Part(self, rng, np.zeros(len(self._send)), loose_ms / 1000.0)

    def mix(
        self,
        part: Part | Signal,
        level_db: float,
        *,
        pan: float = 0.0,
        room: float = 0.1,
        echo_beats: float = 0.0,
    ) -> None:
        """Put a part into the mix.

        Parameters
        ----------
        part
            What was played.
        level_db
            Its peak, in decibels relative to the other parts' scale.
        pan
            -1 left, 0 middle, 1 right (constant power).
        room
            How much of it goes to the reverb.
        echo_beats
            Distance of echoes in beats; 0 for none.
        """
        x = part.signal if isinstance(part, Part) else part
        x = x * (decibels(level_db) / (max(x.max(), -x.min()) + 1e-12))
        if echo_beats:
            x = x + echo(x, echo_beats * 60.0 / self.tempo_bpm, 0.4, self.sample_rate_hz)
        angle = (pan + 1.0) * np.pi / 4.0
        self._dry[:, 0] += np.cos(angle) * x
        self._dry[:, 1] += np.sin(angle) * x
        if room:
            self._send += room * x

    def master(
        self, *, room_seconds: float = 1.2, damping_hz: float = 3500.0, drive: float = 1.0
    ) -> NDArray[np.float32]:
        """Return the finished piece.

        Parameters
        ----------
        room_seconds
            Reverberation time of the room that all share.
        damping_hz
            Above this the room swallows sound faster.
        drive
            How hard the soft limiter works; its ceiling rounds off the highest peaks.

        Returns
        -------
        ndarray
            float32 ``[samples, 2]``, its peak at -1 dBFS, on the grid of 16-bit audio.
        """
        rate = self.sample_rate_hz
        wet = reverb(highpass(self._send, 180.0, rate), room_seconds, rate, damping_hz)
        both = self._dry + wet
        limited = np.tanh(drive * 1.5 * both / np.abs(both).max())
        both = np.stack([highpass(side, LOWEST_HZ, rate) for side in limited.T], axis=1)
        fade = min(len(both), round(0.35 * rate))
        both[len(both) - fade :] *= np.cos(np.linspace(0.0, np.pi / 2.0, fade))[:, None] ** 2
        peak_steps = int(decibels(PEAK_DBFS) * FULL_SCALE_16_BIT)
        steps = np.round(both * (peak_steps / np.abs(both).max()))
        # Adding zero leaves no negative zero, whose sign would depend on the processor.
        return np.asarray(steps / FULL_SCALE_16_BIT + 0.0, dtype=np.float32)


@dataclass
class Part:
    """One player's page within a session: what has been played so far.

    Parameters
    ----------
    session
        Where and when they play.
    rng
        Their small irregularities.
    signal
        What they have played, ``[samples]``.
    loose_seconds
        Standard deviation, roughly, of their timing.
    """

    session: Session
    rng: np.random.Generator
    signal: Signal
    loose_seconds: float

    def _add(self, sound: Signal, seconds: float) -> None:
        late = (self.rng.random() + self.rng.random() - 1.0) * 2.4 * self.loose_seconds
        start = max(0, round((seconds + late) * self.session.sample_rate_hz))
        stop = min(len(self.signal), start + len(sound))
        if stop > start:
            self.signal[start:stop] += sound[: stop - start]

    def _force(self, velocity: float) -> float:
        return float(velocity * (0.92 + 0.16 * self.rng.random()))

    def play(
        self, voice: Voice, notes: Iterable[Note], *, legato: float = 0.95, strum_ms: float = 0.0
    ) -> Part:
        """Play notes on an instrument.

        Parameters
        ----------
        voice
            The instrument.
        notes
            What to play.
        legato
            Share of its written length for which each note is held.
        strum_ms
            Time between the strings of a chord.
        """
        session = self.session
        takes: dict[tuple[int, int], list[Signal]] = {}
        before, string = -1.0, 0
        for note in sorted(notes, key=lambda n: (n.beat, n.pitch)):
            string = string + 1 if note.beat == before else 0
            before = note.beat
            start = session.seconds_at(note.beat)
            held = (session.seconds_at(note.beat + note.beats) - start) * legato
            kept = takes.setdefault((note.pitch, round(held * 1000.0)), [])
            if len(kept) < TAKES:
                hz = frequency_hz(note.pitch)
                kept.append(voice(hz, held, session.sample_rate_hz, self.rng))
                sound = kept[-1]
            else:
                sound = kept[int(self.rng.random() * TAKES)]
            self._add(self._force(note.velocity) * sound, start + string * strum_ms / 1000.0)
        return self

    def hit(self, drum: Drum, beats: Iterable[float], velocity: float = 0.8) -> Part:
        """Strike a drum on each of the beats."""
        strokes = [drum(self.session.sample_rate_hz, self.rng) for _ in range(STROKES)]
        for i, beat in enumerate(beats):
            sound = strokes[i % STROKES]
            self._add(self._force(velocity) * sound, self.session.seconds_at(beat))
        return self

    def through(self, effect: Callable[[Signal, int], Signal]) -> Part:
        """Send all that was played through an effect of a signal and a sample rate."""
        peak = np.abs(self.signal).max() + 1e-12
        self.signal = effect(self.signal / peak, self.session.sample_rate_hz)
        return self


def every(step: float, beats: float, offset: float = 0.0) -> list[float]:
    """Return the beats from `offset`, `step` apart, that lie before `beats`."""
    return [offset + i * step for i in range(int(np.ceil((beats - offset) / step - 1e-9)))]
