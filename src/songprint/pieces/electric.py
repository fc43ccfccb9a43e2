"""The amplified pieces: disco, hip-hop, metal, pop, rock, techno and ambient.

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
    pitch_of,
    repeated,
    transposed,
)
from songprint.pieces.synth import (
    Signal,
    cabinet,
    distorted,
    highpass,
    lowpass,
    noise,
    swept_lowpass,
)

Mix = NDArray[np.float32]


def _crunch(x: Signal, rate: int) -> Signal:
    return cabinet(distorted(highpass(x, 100.0, rate), 12.0, rate), rate, 4800.0)


def _high_gain(x: Signal, rate: int) -> Signal:
    tight = highpass(x, 110.0, rate)
    return cabinet(distorted(distorted(tight, 14.0, rate), 5.0, rate), rate, 5200.0)


def _solo(x: Signal, rate: int) -> Signal:
    return cabinet(distorted(x, 18.0, rate), rate, 5500.0)


def disco_floor(session: Session) -> Mix:
    """Four on the floor in A minor: octave bass, open hats between, strings and scratch guitar."""
    beats = 32.0
    names = ("Am7", "Dm7", "G7", "Cmaj7", "Am7", "Dm7", "E7", "Am7")
    roots = ("A1", "D2", "G1", "C2", "A1", "D2", "E1", "A1")
    bass = []
    for bar, name in enumerate(roots):
        low = pitch_of(name)
        for eighth in range(8):
            pitch = low + 12 * (eighth % 2)
            bass.append(Note(4 * bar + eighth / 2, 0.42, pitch, 0.9 if eighth % 2 == 0 else 0.75))
    chords = [chord(name, 4, 2) for name in names]
    chords = [tuple(p - 12 if p > 74 else p for p in pitches) for pitches in chords]
    scratch = comp(chords, 4.0, [(b + s, 0.12) for b in range(4) for s in (0.25, 0.5, 0.75)])
    stabs = comp([tuple(p + 12 for p in c) for c in chords], 4.0, ((0.0, 0.4), (1.5, 0.4)))
    tune = line("A5:1.5 G5:0.5 E5:1 C5:1 D5:1.5 F5:0.5 A5:2 B5:1.5 A5:0.5 G5:1 D5:1 E5:3 -:1", 0)
    tune += line("C6:1.5 B5:0.5 A5:1 E5:1 F5:1.5 E5:0.5 D5:2 G#5:1 B5 D6 B5 A5:4", 16)

    session.mix(session.part("bass", loose_ms=2).play(play.synth_bass, bass), -5.0, room=0.02)
    guitar = session.part("scratch").play(play.clean_chop, scratch, strum_ms=2.0)
    session.mix(guitar.through(lambda x, r: highpass(x, 400.0, r)), -11.0, pan=0.5)
    hits = session.part("stabs").play(play.string_stab, stabs, legato=0.8)
    session.mix(hits, -11.0, pan=-0.4, room=0.4)
    strings = session.part("tune", loose_ms=8.0).play(play.string_section, tune)
    session.mix(strings, -8.0, pan=-0.1, room=0.4)
    keys = session.part("keys").play(play.electric_piano, comp(chords, 4.0, ((0.0, 3.6),)))
    session.mix(keys, -14.0, pan=0.2, room=0.2)
    floor = session.part("kick", loose_ms=1.0).hit(drums.kick, every(1, beats), 0.95)
    session.mix(floor, -1.5, room=0.02)
    back = session.part("snare", loose_ms=2.0).hit(drums.snare, every(2, beats, 1))
    session.mix(back.hit(drums.clap, every(2, beats, 1), 0.7), -6.0, room=0.2)
    hat = session.part("hat", loose_ms=2.0).hit(drums.open_hihat, every(1, beats, 0.5), 0.9)
    hat.hit(drums.hihat, every(0.25, beats), 0.35)
    session.mix(hat, -11.0, pan=0.2, room=0.05)
    session.mix(session.part("crash").hit(drums.crash, [0.0, 16.0]), -11.0, pan=-0.3, room=0.2)
    return session.master(room_seconds=1.2, drive=1.3)


def hiphop_boom_bap(session: Session) -> Mix:
    """Boom-bap in D minor: a dusty sampled loop, a sub bass and a dry, lazy kit."""
    beats = 24.0
    loop = comp([chord("Dm9", 3), chord("Bbmaj7", 3)], 4.0, ((0.0, 1.4), (1.75, 1.9)))
    riff = line("A4:0.5 C5:0.5 D5:1 -:0.5 F5:0.5 E5:0.5 C5:0.5 A4:1 -:1 F4:0.5 A4:0.5 D5:1")
    bass = line("D2:0.75 -:0.75 D2:0.5 -:0.5 F2:0.5 A1:0.5 C2:0.5 Bb1:1 -:0.5 Bb1:0.75 -:0.75 C2:1")
    chords = session.part("loop", loose_ms=8.0)
    chords.play(play.electric_piano, repeated(loop, 8.0, 3), strum_ms=6.0)
    chords.play(play.piano, repeated(riff, 8.0, 3))

    def dusty(x: Signal, rate: int) -> Signal:
        crackle = noise(len(x), np.random.default_rng(5))
        crackle = np.where(np.abs(crackle) > 0.9995, crackle, 0.004 * crackle)
        worn = np.tanh(2.0 * highpass(x, 160.0, rate)) + 0.5 * crackle
        return lowpass(worn, 3200.0, rate, order=3)

    session.mix(chords.through(dusty), -9.0, pan=-0.1, room=0.15)
    low = session.part("bass", loose_ms=5.0).play(play.sub_bass, repeated(bass, 8.0, 3))
    session.mix(low, -3.0, room=0.0)
    pattern = [0.0, 0.75, 2.5, 4.0, 4.75, 6.25, 6.5]
    boom = drums.kick_tuned(56.0, 0.3, 140.0, 0.4)
    where = [bar + at for bar in every(8, beats) for at in pattern]
    session.mix(session.part("kick", loose_ms=5.0).hit(boom, where, 0.95), -1.0, room=0.03)
    crack = drums.snare_tuned(205.0, 0.17, 1.0, 7500.0)
    back = session.part("snare", loose_ms=6.0).hit(crack, every(2, beats, 1), 0.95)
    back.hit(crack, [3.75, 11.75, 15.5, 19.75], 0.25)
    session.mix(back, -3.0, room=0.12)
    hat = session.part("hat", loose_ms=6.0).hit(drums.hihat, every(0.5, beats), 0.7)
    hat.hit(drums.hihat, every(2, beats, 1.75), 0.4)
    hat.hit(drums.open_hihat, every(8, beats, 7.5), 0.6)
    session.mix(hat, -13.0, pan=0.25)
    chant = line("D4:0.25 D4 -:0.5 F4:0.25 D4 -:0.5 D4:0.5 C4:0.25 D4:0.75 -:0.5", velocity=0.7)
    chant = repeated(chant, 4.0, 5)
    voice = session.part("voice", loose_ms=12.0).play(play.sung("a", "e", "o"), chant, legato=0.7)
    session.mix(voice, -9.0, pan=0.05, room=0.08)
    return session.master(room_seconds=0.6, drive=1.4)


def metal_gallop(session: Session) -> Mix:
    """Palm-muted gallop in E minor under ringing power chords, double kick throughout."""
    beats = 36.0
    mutes: list[Note] = []
    ringing: list[Note] = []
    bass: list[Note] = []
    plan = ("E2", "E2", "G2", "F2", "E2", "E2", "C3", "D3", "E2")
    for bar, name in enumerate(plan):
        root = pitch_of(name)
        start = 4.0 * bar
        if bar in (3, 6, 7):
            for at, length in ((0.0, 1.5), (1.5, 1.5), (3.0, 1.0)):
                ringing += [Note(start + at, length, root + up, 0.9) for up in (0, 7, 12)]
        elif bar == len(plan) - 1:
            ringing += [Note(start, 4.0, root + up, 1.0) for up in (0, 7, 12)]
        else:
            for beat in range(3):
                for at, length in ((0.0, 0.45), (0.5, 0.22), (0.75, 0.22)):
                    mutes += [Note(start + beat + at, length, root + up) for up in (0, 7)]
            ringing += [Note(start + 3.0, 0.5, root + up + 3, 0.9) for up in (0, 7, 12)]
            ringing += [Note(start + 3.5, 0.5, root + up + 1, 0.9) for up in (0, 7, 12)]
        bass += [Note(start + i / 2, 0.48, root - 12, 0.85) for i in range(8)]
    tune = line("B4:1 E5:1 G5:1 F#5:0.5 E5:0.5 D5:1.5 B4:0.5 C5:1 B4:1", 16)
    run = "E5:0.25 G5 B5 G5 E5 G5 C6 G5 E5 G5 B5 A5 G5 F#5 E5 D5"
    tune += line(run, 24) + line("F#5:0.25 A5 D6 A5 F#5 A5 E6 D6 A5 F#5 A5 G5 F#5 E5 D#5 F#5", 28)
    tune += line("E5:3.5!", 32)
    for side, pan in (("left", -0.8), ("right", 0.8)):
        guitar = session.part(f"guitar {side}", loose_ms=5.0).play(play.palm_mute, mutes)
        guitar.play(play.electric_guitar, ringing, strum_ms=3.0)
        session.mix(guitar.through(_high_gain), -6.0, pan=pan, room=0.05)
    lead = session.part("lead").play(play.blues_lead, tune)
    session.mix(lead.through(_solo), -7.0, pan=0.1, room=0.25)
    low = session.part("bass").play(play.electric_bass, bass)
    session.mix(low.through(lambda x, r: distorted(x, 3.0, r)), -8.0, room=0.0)
    tight = drums.kick_tuned(62.0, 0.16, 200.0, 0.9)
    feet = [b for bar in range(8) for b in every(0.25, 4 * bar + 4.0, 4.0 * bar)] + [32.0]
    session.mix(session.part("kick", loose_ms=2.0).hit(tight, feet, 0.9), -5.0, room=0.02)
    back = session.part("snare", loose_ms=3.0)
    back.hit(drums.snare_tuned(200.0, 0.2, 1.0, 9000.0), every(2, 32.0, 1), 0.95)
    back.hit(drums.snare, [15.0, 15.25, 15.5, 15.75, 31.0, 31.25, 31.5, 31.75], 0.8)
    session.mix(back, -3.0, room=0.2)
    cymbals = session.part("cymbals").hit(drums.crash, [*every(8, beats), 12.0, 28.0], 0.9)
    session.mix(cymbals, -12.0, pan=-0.3, room=0.1)
    session.mix(session.part("ride").hit(drums.ride, every(1, 32.0)), -14.0, pan=0.35)
    return session.master(room_seconds=0.9, drive=2.0)


def pop_chorus(session: Session) -> Mix:
    """I-V-vi-IV in C with a sung line, piano, pad and handclaps."""
    beats = 32.0
    names = ("C", "G", "Am", "F") * 2
    chords = [chord(name, 4 if name in ("C",) else 3, i) for name, i in
              zip(names, (0, 1, 1, 2) * 2, strict=True)]  # fmt: skip
    roots = ("C2", "G1", "A1", "F1") * 2
    bass = [
        Note(4 * i + b, d, pitch_of(name), 0.85)
        for i, name in enumerate(roots)
        for b, d in ((0.0, 1.4), (1.5, 0.5), (2.0, 0.9), (3.0, 0.5), (3.5, 0.5))
    ]
    tune = line("E4:0.5 E4 G4 G4 A4:1 G4:1 D4:0.5 D4 G4 B4 A4:1 G4:1", 0)
    tune += line("C5:0.5 C5 B4 A4 E4:1 G4:1 A4:1 G4:0.5 F4:0.5 E4:1 D4:1", 8)
    tune += line("E4:0.5 G4 C5 C5 D5:1 C5:1 B4:0.5 B4 A4 G4 D5:2!", 16)
    tune += line("E5:1! D5:0.5 C5:0.5 A4:1 C5:1 A4:0.5 G4 F4 A4 G4:1 C5:3", 24)
    strum = comp(chords, 4.0, [(b, 0.5) for b in (0, 1, 1.5, 2.5, 3, 3.5)])
    sparkle = [
        Note(4 * i + step / 2, 0.5, c[(0, 1, 2, 1)[step % 4]] + 12, 0.6)
        for i, c in enumerate(chords)
        for step in range(8)
    ]
    session.mix(session.part("bass", loose_ms=3).play(play.electric_bass, bass), -5.0, room=0.02)
    keys = session.part("piano").play(play.piano, comp(chords, 4.0, [(b, 0.9) for b in range(4)]))
    session.mix(keys, -9.0, pan=-0.3, room=0.2)
    guitar = session.part("guitar").play(play.steel_guitar, strum, strum_ms=8.0)
    session.mix(guitar, -12.0, pan=0.5)
    wash = session.part("pad").play(play.pad(attack=0.2, release=0.5, top_hz=3500.0),
                                    comp(chords, 4.0, ((0.0, 4.0),)))  # fmt: skip
    session.mix(wash, -14.0, room=0.3)
    arpeggio = session.part("arpeggio", loose_ms=2.0).play(play.lead_synth, sparkle, legato=0.6)
    session.mix(arpeggio, -17.0, pan=0.3, room=0.3, echo_beats=0.75)
    vowels = play.sung("a", "e", "o", "a", "u")
    voice = session.part("voice", loose_ms=12.0).play(vowels, tune)
    session.mix(voice, -3.0, room=0.25)
    for side, pan in (("low", -0.6), ("high", 0.6)):
        choir = session.part(f"choir {side}", loose_ms=15.0)
        choir.play(vowels, transposed([n for n in tune if n.beat >= 16], -12 if pan < 0 else 0))
        session.mix(choir, -13.0, pan=pan, room=0.4)
    where = [bar + at for bar in every(4, beats) for at in (0.0, 2.0, 2.5)]
    session.mix(session.part("kick", loose_ms=2).hit(drums.kick, where, 0.95), -3.0, room=0.03)
    back = session.part("snare", loose_ms=2.0).hit(drums.snare, every(2, beats, 1))
    session.mix(back.hit(drums.clap, every(2, beats, 1), 0.9), -6.0, room=0.25)
    hat = session.part("hat", loose_ms=3.0).hit(drums.hihat, every(0.5, beats), 0.7)
    session.mix(hat.hit(drums.shaker, every(0.25, beats), 0.5), -14.0, pan=0.2)
    session.mix(session.part("crash").hit(drums.crash, [0.0, 16.0]), -12.0, pan=-0.3)
    return session.master(room_seconds=1.3, drive=1.3)


def rock_backbeat(session: Session) -> Mix:
    """Play a riff in A minor over a backbeat, two crunching guitars and a bass at the octave."""
    beats = 32.0
    riff = line("A2+E3+A3:1! A2+E3:0.5 A2+E3:0.5 C3+G3+C4:0.5! D3+A3+D4:1.5!")
    riff += line("A2+E3+A3:1! A2+E3:0.5 A2+E3:0.5 D3+A3+D4:0.5! C3+G3:0.5 G2+D3+G3:1!", 4)
    turn = line("D3+A3+D4:1.5! D3+A3:0.5 D3+A3:1 C3+G3+C4:1 A2+E3+A3:1.5! A2+E3:0.5 A2+E3:2")
    end = line("E3+B3+E4:1.5! E3+B3:0.5 D3+A3:1 E3+B3:1 A2+E3+A3:4!")
    chords = repeated(riff, 8.0, 2)
    chords += [Note(n.beat + 16, n.beats, n.pitch, n.velocity) for n in turn]
    chords += [Note(n.beat + 24, n.beats, n.pitch, n.velocity) for n in end]
    bottom = "A1:0.5 A1 A1 A1 C2 D2 D2 D2 A1 A1 A1 A1 D2 C2 G1 G1"
    bass = line(f"{bottom} {bottom}", 0) + line("D2:0.5 " + "D2 " * 5 + "C2 C2 " + "A1 " * 8, 16)
    bass += line("E2:0.5 E2 E2 E2 D2 D2 E2 E2 A1:4!", 24)
    tune = line("E5:1.5! D5:0.5 C5:0.5 D5:0.5 A4:1 -:1 A4:0.5 C5:0.5 D5:0.5 E5:1.5!", 8)
    tune += line("F#5:1.5! E5:0.5 D5:1 A4:1 C5:2! B4:0.5 A4:1.5 B4:0.5 E5:2! D5:0.5 B4:1 A4:4", 16)

    for side, pan in (("left", -0.7), ("right", 0.7)):
        guitar = session.part(f"guitar {side}", loose_ms=6.0)
        guitar.play(play.electric_guitar, chords, strum_ms=5.0)
        session.mix(guitar.through(_crunch), -7.0, pan=pan, room=0.1)
    lead = session.part("lead", loose_ms=9.0).play(play.blues_lead, tune)
    session.mix(lead.through(_solo), -6.0, pan=0.1, room=0.3, echo_beats=0.75)
    session.mix(session.part("bass").play(play.electric_bass, bass), -6.0, room=0.03)
    where = [bar + at for bar in every(4, 28.0) for at in (0.0, 0.5, 2.0, 2.5)] + [28.0]
    boom = drums.kick_tuned(55.0, 0.25, 180.0, 0.5)
    session.mix(session.part("kick").hit(boom, where, 0.9), -4.0, room=0.08)
    back = session.part("snare").hit(drums.snare_tuned(185.0, 0.28), every(2, 28.0, 1), 0.95)
    back.hit(drums.snare, [15.5, 15.75, 27.0, 27.25, 27.5, 27.75], 0.7)
    session.mix(back, -3.0, room=0.35)
    hat = session.part("hat").hit(drums.hihat_tuned(0.16), every(0.5, 16.0), 0.8)
    hat.hit(drums.ride, every(0.5, 28.0, 16.0), 0.8)
    session.mix(hat, -11.0, pan=0.35, room=0.1)
    crashes = session.part("crash").hit(drums.crash, [0.0, 8.0, 16.0, 24.0, 28.0])
    session.mix(crashes, -9.0, pan=-0.3, room=0.15)
    toms = session.part("toms").hit(drums.tom_tuned(160.0), [14.5, 15.0], 0.8)
    session.mix(toms.hit(drums.tom_tuned(95.0), [26.5, beats - 4.25]), -7.0, pan=-0.4, room=0.2)
    return session.master(room_seconds=1.1, drive=1.6)


def techno_acid(session: Session) -> Mix:
    """Four on the floor in C minor with a squealing bass line and one held chord."""
    beats = 32.0
    pattern = "A1:0.25 A1 A2 A1 C2 A1 E2 A1 A1 G2 A1 A1 A2 Bb1 A1 E1"
    bass = transposed([n for bar in range(8) for n in line(pattern, 4.0 * bar)], 3)
    stab = comp([chord("Cm7", 4)], 4.0, ((0.5, 0.2), (1.75, 0.2), (3.25, 0.2)))
    squeal = session.part("acid", loose_ms=1.0).play(play.acid, bass, legato=0.85)

    def opening(x: Signal, rate: int) -> Signal:
        arc = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(len(x)) / len(x))
        return swept_lowpass(distorted(x, 3.0, rate), 500.0 + 4500.0 * arc, 1.5, rate)

    session.mix(squeal.through(opening), -9.0, room=0.06)
    session.mix(session.part("stab", loose_ms=1.0).play(play.lead_synth, repeated(stab, 4.0, 8)),
                -15.0, pan=-0.3, room=0.4, echo_beats=0.75)  # fmt: skip
    held = [Note(16.0 * i, 16.0, p) for i in range(2) for p in chord("Cm", 3)]
    session.mix(session.part("pad").play(play.pad(), held), -17.0, room=0.3)
    boom = drums.kick_tuned(65.4, 0.26, 230.0, 0.3)
    floor = session.part("kick", loose_ms=0.2).hit(boom, every(1, beats), 1.0)
    session.mix(floor, 0.0, room=0.03)
    session.mix(session.part("clap", loose_ms=0.5).hit(drums.clap, every(2, 32.0, 1)), -9.0,
                room=0.25)  # fmt: skip
    hat = session.part("hat", loose_ms=0.5).hit(drums.open_hihat, every(1, beats, 0.5), 0.9)
    hat.hit(drums.hihat, every(0.25, beats), 0.45)
    session.mix(hat, -10.0, pan=0.1)
    session.mix(
        session.part("shaker").hit(drums.shaker, every(0.25, beats, 16.25)), -15.0, pan=-0.4
    )
    toms = session.part("tom", loose_ms=0.5).hit(drums.tom_tuned(98.0), every(4, beats, 3.75))
    session.mix(toms, -11.0, pan=0.4, room=0.2)
    return session.master(room_seconds=1.0, drive=1.5)


def ambient_drift(session: Session) -> Mix:
    """Slow chords over a drone on D, a few bells far away; no beat."""
    pads = line("D3+A3+F#4:4 G3+D4+B4:4 A3+E4+C#5:4 D3+A3+F#4:4")
    drone = line("D2:16") + line("A2:16")
    bells = line("-:1 A5:1.5 F#5:2.5 -:1 B5:1 D6:2.5 E5:1.5 A5:2 C#6:1.5 -:0.5 D5:1", 0, 0.6)
    slow = play.pad(attack=1.8, release=2.5)
    wash = session.part("pad", loose_ms=60.0).play(slow, pads, legato=1.0)
    session.mix(wash, -3.0, pan=-0.2, room=0.7)
    under = session.part("drone").play(play.pad(attack=3.0, release=2.0, top_hz=500.0), drone)
    session.mix(under, -6.0, pan=0.1, room=0.4)
    choir = session.part("choir", loose_ms=80.0)
    choir.play(play.pad(attack=2.2, release=2.5, top_hz=2400.0), transposed(pads, 12), legato=1.0)
    session.mix(choir, -13.0, pan=0.4, room=0.8)
    far = session.part("bells", loose_ms=60.0).play(play.bell, bells)
    session.mix(far, -10.0, pan=0.3, room=0.7, echo_beats=1.5)
    air = lowpass(noise(len(wash.signal), np.random.default_rng(9)), 900.0, session.sample_rate_hz)
    tide = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(len(air)) / len(air) * 3.0)
    session.mix(air * tide, -22.0, room=0.4)
    return session.master(room_seconds=4.0, damping_hz=2500.0, drive=0.4)
