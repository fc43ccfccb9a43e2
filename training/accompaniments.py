"""More music to distil from: accompaniments in the styles of MMA, played by FluidSynth.

    apt-get install mma fluidsynth fluid-soundfont-gm
    python training/accompaniments.py FOLDER

Musical MIDI Accompaniment (MMA) knows hundreds of grooves from blues to zydeco, among them styles
of which free recordings are rare. Each is played over a chord progression in some key and tempo,
most of them with a melody; all is drawn from the groove's name: two runs give the same songs.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

LIBRARY = Path("/usr/share/mma/lib")
SOUND_FONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
BARS = 24
GROOVES_PER_FILE = 3
PROGRESSIONS = [
    text.split()
    for text in (
        "C F G C", "C Am F G", "Am F C G", "Dm7 G7 CM7 CM7", "C7 C7 C7 C7 F7 F7 C7 C7 G7 F7 C7 G7",
        "Am G F E7", "Em C G D", "G G C D", "Cm Ab Bb Cm", "C G Am F",
        "Am7 D7 GM7 CM7 F#m7b5 B7 Em Em", "E A E B7", "Dm Dm Am Am", "C C F F C G7 C G7",
    )
]  # fmt: skip
VOICES = (
    "Violin", "AltoSax", "Flute", "Trumpet", "ChoirAahs", "VoiceOohs", "Harmonica", "CleanGuitar",
    "OverdriveGuitar", "DistortionGuitar", "JazzGuitar", "Piano1", "SquareWave", "Clarinet",
    "SteelStringGuitar", None, None,
)  # fmt: skip
SCALE = ("c", "d", "e", "g", "a", "c+", "d+", "e+")


def melody(rng: random.Random, beats: float) -> str:
    """Return a bar of a pentatonic walk in MMA's notation."""
    notes, place, left = [], rng.randrange(len(SCALE)), beats
    while left > 0:
        value = rng.choice([4, 8, 8, 8, 2, 4])
        if 4 / value > left:
            value = 4
        place = max(0, min(len(SCALE) - 1, place + rng.choice([-2, -1, -1, 0, 1, 1, 2])))
        notes.append(f"{value}{rng.choice([SCALE[place]] * 5 + ['r'])}")
        left -= 4 / value
    return ";".join(notes) + ";"


def scores(groove: str, rng: random.Random) -> list[str]:
    """Return MMA's source with a melody, where one was drawn, and without."""
    chords = rng.choice(PROGRESSIONS)
    voice = rng.choice(VOICES)
    tempo = max(60, min(190, int(rng.gauss(115, 28))))
    head = [f"Tempo {tempo}", f"Groove {groove}", f"Transpose {rng.randrange(-5, 6)}"]
    bars = [(number + 1, chords[number % len(chords)]) for number in range(BARS)]
    plain = "\n".join(head + [f"{number} {chord}" for number, chord in bars])
    if voice is None:
        return [plain]
    solo = ["Begin Solo", f"  Voice {voice}", "  Articulate 85", "  Octave 5", "End"]
    sung = [f"{number} {chord} {{ {melody(rng, 4)} }}" for number, chord in bars]
    return ["\n".join(head + solo + sung), plain]


def play(source: str, target: Path) -> bool:
    """Render MMA's source as a WAV file; tell whether that worked."""
    with TemporaryDirectory() as folder:
        score, midi = Path(folder) / "song.mma", Path(folder) / "song.mid"
        wave = target.with_suffix(".partial")
        score.write_text(source + "\n", encoding="utf-8")
        made = subprocess.run(["mma", "-f", midi, score], capture_output=True, check=False)
        if made.returncode or not midi.exists():
            return False
        command = ["fluidsynth", "-ni", "-g", "0.5", "-r", "16000", "-T", "wav", "-F", wave]
        subprocess.run([*command, SOUND_FONT, midi], capture_output=True, check=True, timeout=120)
        wave.replace(target)
        return True


def main() -> None:
    """Play a few grooves of every file of MMA's library."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for file in sorted(LIBRARY.glob("*/*.mma")):
        names = re.findall(r"^\s*DefGroove\s+(\S+)", file.read_text(errors="replace"), re.MULTILINE)
        names = [n for n in names if not re.search("intro|end|fill|metro", n, re.IGNORECASE)]
        rng = random.Random(str(file))
        target = folder / f"mma-{file.parent.name}"
        target.mkdir(parents=True, exist_ok=True)
        for name in rng.sample(names, min(GROOVES_PER_FILE, len(names))):
            wave = target / f"{file.stem}-{name}.wav"
            own = random.Random(f"{file}:{name}")
            if not wave.exists() and not any(play(s, wave) for s in scores(f"{file}:{name}", own)):
                print(f"not played: {file.stem}-{name}")


if __name__ == "__main__":
    main()
