"""Draw the README's figures, from songprint's own synthetic pieces: python docs/figures/draw.py."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
COMMANDS = (
    "plot PIECES/reggae-one-drop.flac PIECES/metal-gallop.flac "
    "--kind waveform,spectrogram,tempogram,timeline --dpi 100 --out plot.png",
    "gallery tags:PIECES --genres blues,disco,jazz,metal,reggae --dpi 100 --out gallery.png",
)


def main() -> None:
    """Compose the pieces, draw them, and shrink the gallery by a palette of 256 colours."""
    with tempfile.TemporaryDirectory() as folder:
        pieces = Path(folder) / "pieces"
        subprocess.run([sys.executable, "-m", "songprint.pieces", "--out", pieces], check=True)
        for command in COMMANDS:
            words = command.replace("PIECES", str(pieces)).split()
            subprocess.run([sys.executable, "-m", "songprint", *words], check=True, cwd=HERE)
    with Image.open(HERE / "gallery.png") as image:
        small = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        small.save(HERE / "gallery.png", optimize=True)


if __name__ == "__main__":
    main()
