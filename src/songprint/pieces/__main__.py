"""Write every piece to a file: ``python -m songprint.pieces --out DIR``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from songprint.pieces import PIECES, Piece
from songprint.pieces.repertoire import SAMPLE_RATE_HZ
from songprint.pieces.score import FULL_SCALE_16_BIT

COMMENT = "synthetic, composed by songprint"


def write(piece: Piece, folder: Path, *, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Path:
    """Render a piece to a 16-bit FLAC file with its title and genre, and return its path."""
    path = folder / f"{piece.name}.flac"
    samples = piece.render(sample_rate_hz=sample_rate_hz)
    with soundfile.SoundFile(
        path, "w", sample_rate_hz, channels=2, subtype="PCM_16", format="FLAC"
    ) as file:
        file.title = piece.name.replace("-", " ").capitalize()
        file.genre = piece.genre
        file.artist = "songprint"
        file.comment = COMMENT
        file.write((samples * FULL_SCALE_16_BIT).astype(np.int16))
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pieces into a folder, made if need be; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m songprint.pieces", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write")
    parser.add_argument(
        "--rate", type=int, default=SAMPLE_RATE_HZ, metavar="HZ", help="samples a second"
    )
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for piece in PIECES:
        write(piece, options.out, sample_rate_hz=options.rate)
    sys.stdout.write(
        f"{len(PIECES)} short pieces in {options.out}: all synthetic, composed and rendered by "
        "songprint itself; none is a recording of anybody.\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
