"""How true are tempo, beats, swing, rhythm patterns and keys? Against known truth, and librosa.

Sounds whose truth is known are made here: click tracks, drum patterns played as people play
them, cadences in all keys, noise. A tempo counts within 2 %; *first* is the tempo reported,
*flagged* is it or one of the alternatives named. Beats count within 70 ms (F-measure).

With a folder of songs, nobody knows the truth, and the table says how often ours agrees with
librosa's tempo and how they differ.

Run: python benchmarks/descriptor_truth.py [--each 6] [--music FOLDER...] [--songs 120]
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"  # before numpy is loaded
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the generators are the tests' own

import librosa
import numpy as np
import scipy

from songprint.audio.decode import decode
from songprint.audio.mel import log_mel
from songprint.descriptors.beat import Beat, analyse_beat, onset_envelope
from songprint.descriptors.keys import told_key
from songprint.descriptors.rhythm import Rhythm, analyse_rhythm
from songprint.descriptors.tonality import ChromaMeter, Tonality
from songprint.library.scan import find_songs
from songprint.pieces import PIECES, signals
from support.harmony import KEYS, VOICES, cadence
from support.patterns import PATTERN_BY_NAME, PATTERNS, perform, performances
from support.scoring import f_measure

RATE_HZ = 16_000
TOLERANCE = 0.02
SONG_TOLERANCE = 0.04
SEED = 7
# What librosa's tempo is to ours where they differ by a metrical level.
RATIOS = {
    "half": 1 / 2,
    "double": 2.0,
    "2:3": 2 / 3,
    "3:2": 3 / 2,
    "3:4": 3 / 4,
    "4:3": 4 / 3,
    "third": 1 / 3,
    "triple": 3.0,
}


def beat_of(samples: np.ndarray) -> Beat:
    return analyse_beat(onset_envelope(log_mel(samples)))


def rhythm_of(samples: np.ndarray) -> Rhythm:
    envelope = onset_envelope(log_mel(samples))
    return analyse_rhythm(envelope, analyse_beat(envelope))


def tonality_of(samples: np.ndarray) -> Tonality:
    meter = ChromaMeter()
    meter.add(samples)
    return meter.finish()


def librosa_beat(samples: np.ndarray) -> tuple[float, np.ndarray]:
    tempo, beats = librosa.beat.beat_track(y=samples, sr=RATE_HZ, hop_length=256, units="time")
    return float(np.atleast_1d(tempo)[0]), beats


def is_tempo(found: float | None, true: float, tolerance: float = TOLERANCE) -> bool:
    return found is not None and abs(found / true - 1.0) <= tolerance


def flagged(beat: Beat, true: float) -> bool:
    return any(
        is_tempo(bpm, true) for bpm in (beat.tempo_bpm, *(o.bpm for o in beat.tempo_alternatives))
    )


def tempo_rows(
    title: str, sounds: Iterable[tuple[str, np.ndarray, float, np.ndarray]]
) -> list[str]:
    """Print one line a group of ``(group, samples, BPM, beats)``; return who was wrong."""
    groups: dict[str, list[tuple[Beat, float, np.ndarray, float, np.ndarray]]] = {}
    for group, samples, bpm, beats in sounds:
        tempo, times = librosa_beat(samples)
        groups.setdefault(group, []).append((beat_of(samples), tempo, times, bpm, beats))
    print(f"\n{title:24}    n  first  flagged  none  error %     F   F right   librosa first     F")
    rows = [*groups.items()]
    if len(groups) > 1:
        rows.append(("all", [one for many in groups.values() for one in many]))
    wrong = []
    for group, found in rows:
        first = [is_tempo(b.tempo_bpm, bpm) for b, _, _, bpm, _ in found]
        errors = [abs(f[0].tempo_bpm / f[3] - 1) for f, ok in zip(found, first, strict=True) if ok]
        scores = np.array([f_measure(b.beat_seconds, true) for b, _, _, _, true in found])
        theirs = [is_tempo(tempo, bpm) for _, tempo, _, bpm, _ in found]
        print(
            f"{group:24} {len(found):4} {np.mean(first):6.3f} "
            f"{np.mean([flagged(b, bpm) for b, _, _, bpm, _ in found]):8.3f} "
            f"{sum(b.tempo_bpm is None for b, *_ in found):5} {100 * np.mean(errors):8.3f} "
            f"{scores.mean():6.3f} {scores[np.array(first)].mean():8.3f} "
            f"{np.mean(theirs):15.3f} {np.mean([f_measure(t, b) for _, _, t, _, b in found]):6.3f}"
        )
        if group != "all":
            wrong += [
                f"{group} at {bpm:g}: {b.tempo_bpm and round(b.tempo_bpm, 1)}"
                for (b, _, _, bpm, _), ok in zip(found, first, strict=True)
                if not ok
            ]
    return wrong


def clicks() -> None:
    tempo_rows(
        "click tracks",
        (
            ("50 to 200 BPM by 5", signals.click_track(bpm, 20.0, RATE_HZ), bpm, beats)
            for bpm in range(50, 201, 5)
            for beats in [np.arange(0.0, 20.0, 60.0 / bpm)]
        ),
    )


def drums(each: int) -> None:
    played = performances(each, seed=SEED)
    wrong = tempo_rows(
        "drum patterns",
        ((p.name.split(" at ")[0], p.samples, p.tempo_bpm, p.beat_seconds) for p in played),
    )
    print(f"not in the first place: {'; '.join(wrong) or 'none'}")


def drift() -> None:
    rows = []
    for share in (0.03, 0.1, 0.3):
        for name in ("rock", "swing", "house"):
            p = perform(PATTERN_BY_NAME[name], 108.0, 60.0, drift=share, bass=True)
            # The prevailing tempo of an even drift lies anywhere within it: the beats tell.
            rows.append((f"drift of {100 * share:.0f} %", p.samples, p.beat_seconds))
    print("\ndrifting tempo                n       F   librosa F")
    for group in dict.fromkeys(row[0] for row in rows):
        ours = [f_measure(beat_of(x).beat_seconds, b) for g, x, b in rows if g == group]
        theirs = [f_measure(librosa_beat(x)[1], b) for g, x, b in rows if g == group]
        print(f"{group:27} {len(ours):3} {np.mean(ours):7.3f} {np.mean(theirs):11.3f}")


def nothing() -> None:
    kinds: dict[str, Callable[[int], np.ndarray]] = {
        "white noise": lambda seed: signals.white_noise(20.0, RATE_HZ, seed=seed),
        "pink noise": lambda seed: signals.pink_noise(20.0, RATE_HZ, seed=seed),
        "something like speech": lambda seed: signals.speech_like(20.0, RATE_HZ, seed=seed),
        "a sine": lambda seed: signals.sine(110.0 * (seed + 1), 20.0, RATE_HZ),
        "silence": lambda _: signals.silence(20.0, RATE_HZ),
    }
    print("\nclaimed of what has none      n   tempo   key   librosa tempo")
    for kind, make in kinds.items():
        sounds = [make(seed) for seed in range(1 if kind == "silence" else 10)]
        tempos = sum(beat_of(x).tempo_bpm is not None for x in sounds)
        keys = sum(tonality_of(x).key is not None for x in sounds)
        theirs = sum(librosa_beat(x)[0] > 0 for x in sounds)
        print(f"{kind:27} {len(sounds):3} {tempos:7} {keys:5} {theirs:15}")
    alone = [perform(p, bpm) for p in PATTERNS for bpm in (p.slowest_bpm, p.fastest_bpm)]
    keys = sum(tonality_of(p.samples).key is not None for p in alone)
    print(f"{'drums alone':27} {len(alone):3} {'-':>7} {keys:5} {'-':>15}")


def keys() -> None:
    print("\ncadences in 24 keys        alone  40 cents sharp  with drums")
    plain = sum(
        (t.key, t.mode) == key
        for key in KEYS
        for t in [tonality_of(signals.cadence(*key, RATE_HZ))]
    )
    print(f"{'six partials':24} {plain:7}")
    for voice, play in VOICES.items():
        right = [
            sum(
                (t.key, t.mode) == key
                for key in KEYS
                for t in [tonality_of(cadence(*key, play, cents=cents, drums=with_drums))]
            )
            for cents, with_drums in ((0.0, False), (40.0, False), (0.0, True))
        ]
        print(f"{voice:24} {right[0]:7} {right[1]:15} {right[2]:11}")


def swing() -> None:
    print("\nswing: off the beat at      0.500  0.580  0.620  0.667   (true 0, 0.48, 0.72, 1)")
    for name in ("rock", "disco", "hip-hop", "shuffle"):
        row = []
        for offbeat in (0.5, 0.58, 0.62, 0.667):
            played = perform(PATTERN_BY_NAME[name], 104.0, swing=offbeat, bass=True)
            value = rhythm_of(played.samples).swing
            row.append("   none" if value is None else f"{value:7.2f}")
        print(f"{name:25}{''.join(row)}")


def patterns() -> None:
    names = ("waltz", "swing", "disco", "reggae", "rock", "bossa")
    found = {
        (name, bpm): rhythm_of(perform(PATTERN_BY_NAME[name], bpm, 30.0).samples).pattern
        for name in names
        for bpm in (90, 130)
    }
    print(
        f"\ncosine of patterns, 90 BPM down, 130 across\n{'':10}{''.join(f'{n:>8}' for n in names)}"
    )
    for name in names:
        row = "".join(f"{found[name, 90] @ found[other, 130]:8.2f}" for other in names)
        print(f"{name:10}{row}")


def pieces() -> None:
    print("\npieces                    tempo   heard  confidence  key        heard       librosa")
    for piece in PIECES:
        samples = piece.render(sample_rate_hz=RATE_HZ).mean(axis=1).astype(np.float32)
        beat, tonality = beat_of(samples), tonality_of(samples)
        key = told_key(f"{tonality.key} {tonality.mode}") if tonality.key else "none"
        tempo = f"{beat.tempo_bpm:7.1f}" if beat.tempo_bpm else "   none"
        print(
            f"{piece.name:20} {piece.tempo_bpm if piece.has_beat else 'none':>10} {tempo} "
            f"{beat.tempo_confidence:11.2f}  {piece.key + ' ' + piece.mode:10} {key:10}"
            f"{librosa_beat(samples)[0]:9.1f}"
        )


def cost() -> None:
    """Time four minutes of music: ours against librosa's beat and chroma, alternately."""
    samples = np.tile(perform(PATTERN_BY_NAME["pop"], 118.0, bass=True, chords=True).samples, 10)
    frames = log_mel(samples)
    stages: dict[str, list[float]] = {}

    def timed(stage: str, function: Callable[[], object]) -> object:
        start = time.process_time()
        result = function()
        stages.setdefault(stage, []).append(time.process_time() - start)
        return result

    for _ in range(5):
        envelope = timed("onset envelope", lambda: onset_envelope(frames))
        beat = timed("tempo and beats", lambda e=envelope: analyse_beat(e))
        timed("rhythm", lambda e=envelope, b=beat: analyse_rhythm(e, b))
        timed("tonality", lambda: tonality_of(samples))
        timed("librosa beat_track", lambda: librosa_beat(samples))
        timed("librosa chroma_stft", lambda: librosa.feature.chroma_stft(y=samples, sr=RATE_HZ))
    print(
        f"\ncost of {len(samples) / RATE_HZ:.0f} s of music, ms of processor time, median of five"
    )
    for stage, seconds in stages.items():
        print(f"{stage:24} {1000 * np.median(seconds):8.1f}")
    ours = [sum(stages[s][i] for s in list(stages)[:4]) for i in range(5)]
    theirs = [sum(stages[s][i] for s in list(stages)[4:]) for i in range(5)]
    ratios = np.array(theirs) / np.array(ours)
    print(f"{'ours together':24} {1000 * np.median(ours):8.1f}")
    spread = f"({ratios.min():.1f} to {ratios.max():.1f})"
    print(f"librosa's two / ours     {np.median(ratios):8.1f} {spread}")


def relation(ours: float | None, theirs: float) -> str:
    """Say what librosa's tempo is to ours."""
    if ours is None:
        return "ours abstains"
    if theirs <= 0:
        return "librosa finds none"
    if is_tempo(theirs, ours, SONG_TOLERANCE):
        return "same"
    for named, ratio in RATIOS.items():
        if is_tempo(theirs, ratio * ours, SONG_TOLERANCE):
            return named
    return "other"


def music(folders: list[Path], songs: int) -> None:
    """Compare tempos on songs spread evenly over each folder."""
    print(f"\nlibrosa's tempo against ours, within {100 * SONG_TOLERANCE:.0f} %")
    for folder in folders:
        found = sorted(found.path for found in find_songs([str(folder)]))
        share = max(1, round(songs / len(folders)))
        chosen = [found[int(i)] for i in np.linspace(0, len(found) - 1, min(share, len(found)))]
        table: Counter[str] = Counter()
        keys, among = 0, 0
        named = []
        for path in chosen:
            samples = decode(path)
            beat, (theirs, _) = beat_of(samples), librosa_beat(samples)
            said = relation(beat.tempo_bpm, theirs)
            table[said] += 1
            keys += tonality_of(samples).key is not None
            if said not in ("same", "ours abstains"):
                others = [o for o in beat.tempo_alternatives if is_tempo(o.bpm, theirs, 0.04)]
                among += bool(others)
                ours = f"ours {beat.tempo_bpm:6.1f} ({beat.tempo_confidence:.2f})"
                named.append(
                    f"  {Path(path).stem:16} {ours}, librosa {theirs:6.1f}: "
                    f"{said}{', flagged' if others else ''}"
                )
        print(f"{folder.name}: {len(chosen)} songs; " + ", ".join(
            f"{what} {count}" for what, count in table.most_common()
        ))  # fmt: skip
        print(f"  librosa's among our alternatives: {among}; a key is named for {keys}")
        print("\n".join(named))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=6, help="tempos of every drum pattern")
    parser.add_argument("--music", type=Path, nargs="+", default=[], metavar="FOLDER")
    parser.add_argument("--songs", type=int, default=120, help="how many in all")
    parser.add_argument("--only-music", action="store_true", help="leave the known truth out")
    arguments = parser.parse_args()
    # On silence librosa warns of an empty onset envelope.
    warnings.filterwarnings("ignore", module="librosa")
    print(
        f"{platform.processor() or platform.machine()}, one thread; numpy {np.__version__}, "
        f"scipy {scipy.__version__}, librosa {librosa.__version__}"
    )
    if not arguments.only_music:
        clicks()
        drums(arguments.each)
        drift()
        nothing()
        keys()
        swing()
        patterns()
        pieces()
        cost()
    if arguments.music:
        music(arguments.music, arguments.songs)


if __name__ == "__main__":
    main()
