"""Short pieces of music that songprint composes itself, whose tempo, key and style are known.

May import numpy, scipy and songprint's errors; soundfile only to write the pieces to files.
`Piece` and `PIECES` are what to use; `songprint.pieces.signals` has clicks, tones and noises.
"""

from songprint.pieces.repertoire import PIECES, Piece

__all__ = ["PIECES", "Piece"]
