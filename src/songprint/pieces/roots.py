"""The acoustic pieces: blues, chorale, country, jazz and waltz.

Each function plays into a session that has its tempo, length and swing, and returns the mix.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from songprint.pieces import drums
from songprint.pieces import instruments as play
from songprint.pieces.score import (
    Note,
    Session,
    chord,
    comp,
    every,
    line,
    phrased,
    pitch_of,
    repeated,
    transposed,
)
from songprint.pieces.synth import Signal, cabinet, distorted, highpass, tremolo

Mix = NDArray[np.float32]

# Semitones above the tonic of each bar of a twelve-bar blues with a quick change.
TWELVE_BARS = (0, 5, 0, 0, 5, 5, 0, 0, 7, 5, 0, 7)


def _warm(x: Signal, rate: int) -> Signal:
    return cabinet(distorted(x, 2.5, rate), rate, 4200.0)


def _singing(x: Signal, rate: int) -> Signal:
    return cabinet(distorted(x, 7.0, rate), rate, 5000.0)


def blues_shuffle(session: Session) -> Mix:
    """Twelve bars in E: walking bass, boogie guitar, a shuffle beat and a bent lead."""
    beats = 48.0
    low_e = pitch_of("E2")
    walk = line("E2:1 G#2 B2 C#3", velocity=0.85)
    bass: list[Note] = []
    boogie: list[Note] = []
    for bar, up in enumerate(TWELVE_BARS):
        down = up - 12 if up >= 7 else up
        bass += [Note(n.beat + 4 * bar, n.beats, n.pitch + down, n.velocity) for n in walk]
        for beat in range(4):
            sixth = 9 if beat % 2 else 7
            if bar % 2 and beat == 3:
                sixth = 10
            for eighth, force in ((0.0, 0.9), (0.5, 0.6)):
                at = 4 * bar + beat + eighth
                boogie += [Note(at, 0.45, low_e + up, force)]
                boogie += [Note(at, 0.45, low_e + up + sixth, force)]
    lead = line(
        "-:1 E4:0.5 G4:0.5 A4:0.5 B4:1.5! | B4:0.5 A4:0.5 G4:0.5 E4:1 D4:0.5 E4:1".replace("|", "")
    )
    lead += line("-:2 G4:0.5 A4:0.5 B4:1! D5:0.5 E5:1.5! D5:0.5 B4:0.5 A4:0.5 G4:0.5", 8)
    lead += line("G4:0.5 E4:1.5 -:1 E4:0.5 G4:0.5 A4:0.5 A#4:0.5 A4:1.5! G4:0.5 E4:1", 16)
    lead += line("-:1 B4:0.5 D5:0.5 E5:2! G5:0.5 E5:0.5 D5:0.5 B4:0.5 A4:0.5 B4:1.5", 24)
    lead += line(
        "F#4:0.5 A4:0.5 B4:1.5! D5:0.5 B4:1 A4:0.5 C5:0.5 E5:1.5! D5:0.5 C5:0.5 A4:0.5", 32
    )
    lead += line("G#4:0.5 B4:0.5 A4:0.5 G4:0.5 E4:1 D4:0.5 E4:0.5 F#4:0.5 A4:0.5 B4:3!", 40)

    session.mix(session.part("bass").play(play.upright_bass, bass), -4.0, room=0.05)
    guitar = session.part("boogie").play(play.electric_guitar, boogie, strum_ms=6.0)
    session.mix(guitar.through(_warm), -9.0, pan=-0.45)
    solo = session.part("lead", loose_ms=9.0).play(play.blues_lead, lead)
    session.mix(solo.through(_singing), -5.0, pan=0.25, room=0.25)
    kit = session.part("kick").hit(drums.kick, every(2, beats), 0.9)
    session.mix(kit, -5.0, room=0.05)
    session.mix(session.part("snare").hit(drums.snare, every(2, beats, 1)), -6.0, room=0.2)
    hat = session.part("hat").hit(drums.hihat, every(1, beats), 0.9)
    hat.hit(drums.hihat_tuned(0.12), every(1, beats, 0.5), 0.55)
    session.mix(hat, -15.0, pan=0.35)
    fills = session.part("fills").hit(drums.snare, [15.5, 31.5, 46.5, 47.0, 47.5], 0.6)
    session.mix(fills, -10.0, room=0.2)
    return session.master(room_seconds=0.9, drive=1.1)


def chorale(session: Session) -> Mix:
    """Play a string quartet in G, four voices moving by step to a full close."""
    soprano = line(
        "B4:1 D5 D5 C5 B4:1.5 A4:0.5 A4:2 B4:1 C5 D5 G5 E5:1.5 D5:0.5 B4:2 "
        "E5:1 D5 C5 B4 C5 B4 A4:2 G4:0.5 A4:0.5 B4:1 C5 A4 G4:4"
    )
    alto = line(
        "G4:1 G4 F#4 F#4 G4:1 E4 F#4:2 G4:1 G4 G4 B4 G4:2 G4:2 "
        "G4:1 G4 A4 G4 G4 G4 F#4:2 E4:1 G4 G4 F#4 D4:4"
    )
    tenor = line(
        "D4:1 B3 A3 D4 D4:1 C4 D4:2 D4:1 E4 D4 D4 C4:2 D4:2 "
        "C4:1 D4 E4 D4 E4 D4 D4:1 C4 B3:1 D4 E4 D4:0.5 C4:0.5 B3:4"
    )
    bass = line(
        "G2:1 G3:0.5 F#3:0.5 D3:1 D3 G2:0.5 A2:0.5 C3:1 D3:2 G3:0.5 F#3:0.5 E3:1 B2 G2 C3:2 "
        "G2:2 C3:1 B2 A2 B2 C3 G2 D3:2 E3:1 B2 C3 D3 G2:4"
    )
    voices = (("violin", soprano, -0.5, -4.0), ("second", alto, -0.2, -7.0),
              ("viola", tenor, 0.2, -7.0), ("cello", bass, 0.5, -4.0))  # fmt: skip
    for name, notes, pan, level in voices:
        part = session.part(name, loose_ms=10.0)
        part.play(play.solo_string, phrased(notes, 8.0, 0.5), legato=1.0)
        session.mix(part, level, pan=pan, room=0.45)
    return session.master(room_seconds=2.0, damping_hz=3000.0, drive=0.4)


def country_train(session: Session) -> Mix:
    """Boom-chick in D: alternating bass, strummed guitar, a train on the snare, pedal steel."""
    beats = 32.0
    chords = ("D", "D", "G", "D", "A", "A", "G", "D")
    roots = {"D": "D2:1 -:1 A2:1 -:1", "G": "G2:1 -:1 D2:1 -:1", "A": "A2:1 -:1 E2:1 -:1"}
    bass = [n for i, name in enumerate(chords) for n in line(roots[name], 4.0 * i, 0.9)]
    bass += line("A2:1", 15) + line("B2:1 C#3:1", 30)
    shapes = {"D": "D3+A3+D4+F#4", "G": "G3+B3+D4+G4", "A": "A3+E4+A4+C#5"}
    strum = [
        n
        for i, name in enumerate(chords)
        for n in line(f"-:1 {shapes[name]}:0.9! -:0.1 -:0.5 {shapes[name]}:0.5 {shapes[name]}:0.5! "
                      f"{shapes[name]}:0.5", 4.0 * i, 0.6)
    ]  # fmt: skip
    steel = line("F#4:2 A4:1.5 B4:0.5 A4:2 F#4:2 G4:1 B4:2 D5:1 A4:3 -:1", 0)
    steel += line("C#5:2 E5:1 C#5:1 A4:3 B4:0.5 C#5:0.5 B4:2 G4:1 E4:1 D4:4", 16)
    picking = line(
        "D4:0.5 F#4 A4 F#4 B4 A4 F#4 E4 D4 E4 F#4 A4 B4 D5 B4 A4 "
        "G4 B4 D5 B4 A4 G4 E4 D4 F#4 A4 B4 A4 F#4 E4 D4 -",
        0,
        0.7,
    )
    picking += transposed(line("D4:0.5 F#4 A4 B4 D5 B4 A4 F#4 E4 F4 F#4 A4 B4 A4 F#4 D4", 16), -5)
    picking += line("B4:0.5 G4 D5 B4 G4 A4 B4 G4 F#4 A4 D5 A4 F#4 E4 D4 -", 24, 0.7)

    session.mix(session.part("bass").play(play.upright_bass, bass), -3.0, room=0.05)
    guitar = session.part("strum").play(play.steel_guitar, strum, strum_ms=9.0)
    session.mix(guitar, -5.0, pan=-0.4)
    tele = session.part("picking").play(play.telecaster, picking, legato=0.8)
    session.mix(tele, -8.0, pan=0.45, room=0.2, echo_beats=0.5)
    slide = session.part("steel", loose_ms=12.0).play(play.pedal_steel, steel)
    session.mix(slide, -6.0, pan=0.1, room=0.35)
    train = session.part("train").hit(drums.brush_tap, every(0.25, beats), 0.4)
    train.hit(drums.snare_tuned(210.0, 0.12, 0.9), every(1, beats, 0.5), 0.5)
    session.mix(train, -12.0, pan=0.1)
    session.mix(session.part("kick").hit(drums.kick, every(1, beats)), -9.0, room=0.03)
    return session.master(room_seconds=0.8, drive=0.8)


def jazz_trio(session: Session) -> Mix:
    """ii-V-I in B flat, twice, for piano, double bass and brushes."""
    beats = 32.0
    walking = line(
        "C3:1 D3 Eb3 E3 F3 Eb3 D3 C3 Bb2 D3 F3 Bb3 G3 F3 D3 B2 "
        "C3 Eb3 G3 Gb3 F3 C3 A2 B2 Bb2 D3 F3 D3 Bb2 F2 Bb2 -"
    )
    symbols = ("Cm9", "F13", "Bbmaj7", "G7", "Cm9", "F13", "Bbmaj7", "Bb6")
    charleston = ((0.0, 1.0), (1.5, 0.5))
    pushed = ((0.5, 0.5), (2.5, 1.2))
    shells = [chord(symbol, 3)[0 if symbol[1] == "b" else 1 :] for symbol in symbols]
    comping = []
    for i, shell in enumerate(shells):
        rhythm = pushed if i % 2 else charleston
        comping += [Note(4 * i + b, d, p, 0.6) for b, d in rhythm for p in shell]
    melody = line("-:0.5 G4:0.5 Bb4 D5 F5 Eb5 D5 Bb4 A4:1 C5:0.5 Eb5 D5 C5 A4 G4", 0, 0.85)
    melody += line("F4:0.5 A4 Bb4 D5 Bb5:1.5! D5:0.5 B4 D5 F5 Ab5 G5 F5 D5 B4", 8, 0.85)
    melody += line("Eb5:1.5! D5:0.5 C5 Bb4 G4 Eb4 F4 A4 C5 Eb5 Gb5 F5 Eb5 C5", 16, 0.85)
    melody += line("D5:1 Bb4:0.5 C5 Db5 D5 F5:1 Bb5:0.5 G5 F5 D5 Bb4:2!", 24, 0.85)

    session.mix(session.part("bass", loose_ms=6).play(play.upright_bass, walking), -3.0, room=0.08)
    left = session.part("comping", loose_ms=8.0).play(play.piano, comping, legato=0.7)
    session.mix(left, -9.0, pan=-0.3, room=0.25)
    right = session.part("melody", loose_ms=10.0).play(play.piano, phrased(melody, 8.0))
    session.mix(right, -4.0, pan=-0.15, room=0.25)
    cymbal = session.part("ride", loose_ms=5.0).hit(drums.ride, every(1, beats), 0.75)
    cymbal.hit(drums.ride, every(2, beats, 1.5), 0.6)
    session.mix(cymbal, -18.0, pan=0.4, room=0.15)
    brushes = session.part("brushes", loose_ms=6.0).hit(drums.brush_sweep, every(1, beats), 0.5)
    brushes.hit(drums.brush_tap, every(2, beats, 1), 0.9)
    brushes.hit(drums.brush_tap, [6.5, 11.5, 14.5, 19.5, 22.5, 27.5, 30.5], 0.6)
    session.mix(brushes, -15.0, pan=-0.2, room=0.15)
    pedal = session.part("pedal").hit(drums.hihat_tuned(0.05), every(2, beats, 1))
    session.mix(pedal, -17.0, pan=0.3)
    feathered = drums.kick_tuned(60.0, 0.2, 60.0, 0.05)
    session.mix(session.part("kick").hit(feathered, every(1, beats), 0.5), -16.0)
    return session.master(room_seconds=1.1, drive=0.5)


def piano_waltz(session: Session) -> Mix:
    """Play a slow salon waltz in B minor for piano alone."""
    chords = ("Am", "Am", "Dm", "Dm", "E7", "E7", "Am", "Am", "Dm", "Am", "E7", "Am")
    basses = ("A2", "E2", "D2", "A2", "E2", "B2", "A2", "E2", "D2", "E2", "E2", "A1")
    left = comp([chord(name, 3) for name in chords], 3.0, ((1.0, 0.8), (2.0, 0.7)))
    left = [Note(n.beat, n.beats, n.pitch, 0.45) for n in left]
    left += [Note(3.0 * i, 2.8, pitch_of(name), 0.75) for i, name in enumerate(basses)]
    right = line(
        "E5:2! D5:0.5 C5:0.5 A4:2 C5:1 F5:2! E5:0.5 D5:0.5 A4:2 D5:1 "
        "G#4:1 B4 D5 E5:1.5 D5:0.5 B4:1 C5:2 B4:0.5 A4:0.5 E4:3 "
        "F5:1! E5 D5 C5 B4 A4 G#4:1 B4:1 D5:1 A4:3",
        0,
        0.85,
    )
    hands = session.part("left", loose_ms=7.0).play(
        play.piano, transposed(left, 2), legato=1.05, strum_ms=4.0
    )
    session.mix(hands, -7.0, pan=-0.2, room=0.3)
    tune = phrased(transposed(right, 2), 12.0, 0.45)
    hands = session.part("right", loose_ms=10.0).play(play.piano, tune, legato=1.05)
    session.mix(hands, -3.0, pan=0.2, room=0.3)
    return session.master(room_seconds=1.8, drive=0.4)


def reggae_one_drop(session: Session) -> Mix:
    """One drop in A minor: the bass leads, guitar and organ answer on the off-beats."""
    beats = 24.0
    riff = line(
        "-:0.5 A1:0.5 A1:0.5 C2:0.5 E2:1 D2:0.5 C2:0.5 D2:1 -:0.5 D2:0.5 F2:0.5 E2:0.5 D2:1"
    )
    names = ("Am", "Dm")
    chords = [chord(name, 3, 1) for name in names]
    skank = repeated(comp(chords, 4.0, ((1.0, 0.22), (3.0, 0.22))), 8.0, 3)
    bubble = repeated(comp(chords, 4.0, tuple((b + 0.5, 0.3) for b in range(4))), 8.0, 3)
    melody = line("E5:0.5 D5:0.5 C5:1 A4:1 -:1 F4:0.5 A4:0.5 D5:1.5 C5:0.5 A4:1", 0)
    melody += line("-:1 A4:0.5 C5:0.5 E5:1.5 G5:0.5 F5:1 E5:0.5 D5:0.5 A4:2", 8)
    melody += line("E5:1 C5:0.5 D5:0.5 A4:2 D5:0.5 F5:0.5 E5:0.5 D5:0.5 C5:0.5 A4:1.5", 16)

    bass = session.part("bass", loose_ms=8.0).play(play.dub_bass, repeated(riff, 8.0, 3))
    session.mix(bass, -1.5, room=0.0)
    chop = session.part("skank", loose_ms=5.0).play(play.clean_chop, skank, strum_ms=5.0)
    session.mix(chop.through(lambda x, rate: highpass(x, 350.0, rate)), -6.0, pan=-0.4, room=0.3)
    keys = session.part("bubble", loose_ms=6.0).play(play.organ, bubble)
    session.mix(keys, -13.0, pan=0.4, room=0.2)
    wind = session.part("melody", loose_ms=12.0).play(play.organ, melody, legato=0.9)
    swaying = wind.through(lambda x, rate: tremolo(x, 6.0, 0.3, rate))
    session.mix(swaying, -11.0, pan=0.1, room=0.3, echo_beats=0.75)
    drop = every(4, beats, 2)
    kick = session.part("kick").hit(drums.kick_tuned(48.0, 0.4), drop, 0.9)
    session.mix(kick, -3.0, room=0.1)
    session.mix(session.part("rim").hit(drums.rim, drop), -5.0, room=0.5, echo_beats=0.75)
    hat = session.part("hat", loose_ms=5.0).hit(drums.hihat, every(1, beats), 0.8)
    hat.hit(drums.hihat, every(1, beats, 0.5), 0.5)
    session.mix(hat, -13.0, pan=0.3, room=0.1)
    fill = session.part("fill").hit(drums.tom_tuned(150.0), [15.0, 15.33, 15.66], 0.7)
    session.mix(fill.hit(drums.tom_tuned(100.0), [23.0, 23.5]), -8.0, pan=-0.3, room=0.4)
    return session.master(room_seconds=1.4, drive=0.9)
