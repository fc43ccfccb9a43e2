"""The pieces that songprint composes itself: short, synthetic, and known to the last note.

They stand in for music in the demonstration and in tests, where tempo, key and style must be
true. They are nobody's recordings and no measure of how well a genre is heard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from songprint.errors import UsageError
from songprint.pieces import electric, roots
from songprint.pieces.score import Session

SAMPLE_RATE_HZ = 44_100
LOWEST_SAMPLE_RATE_HZ = 8_000
# After the last bar the room rings on for so long.
TAIL_SECONDS = 1.0


@dataclass(frozen=True)
class Piece:
    """A short piece of music and what is true of it.

    Parameters
    ----------
    name
        Its name, in lower case with hyphens, fit for a file.
    genre
        What it is meant to sound like: a GTZAN genre, ``"electronic"`` or ``"ambient"``.
    tempo_bpm
        Beats a minute.
    key
        Its tonic, such as ``"A"``.
    mode
        ``"major"`` or ``"minor"``.
    meter
        Beats a bar.
    bars
        How many bars there are.
    has_beat
        False where no onset marks the beat.
    """

    name: str
    genre: str
    tempo_bpm: float
    key: str
    mode: str
    meter: int
    bars: int
    compose: Callable[[Session], NDArray[np.float32]] = field(repr=False)
    seed: int = field(repr=False)
    swing: float = field(default=0.5, repr=False)
    swing_pair_beats: float = field(default=1.0, repr=False)
    has_beat: bool = True

    @property
    def seconds(self) -> float:
        """Length, the last echo included."""
        return self.bars * self.meter * 60.0 / self.tempo_bpm + TAIL_SECONDS

    def render(self, *, sample_rate_hz: int = SAMPLE_RATE_HZ) -> NDArray[np.float32]:
        """Play the piece.

        Parameters
        ----------
        sample_rate_hz
            Samples a second, at least 8000.

        Returns
        -------
        ndarray
            float32 ``[samples, 2]``, ``samples`` being ``round(seconds * sample_rate_hz)``. The
            peak is at -1 dBFS and the values lie on the grid of 16-bit audio, which rounds away
            what the last bits of one processor's sine differ by from another's: the same bytes
            on every call.

        Raises
        ------
        UsageError
            If the sample rate is too low.
        """
        if sample_rate_hz < LOWEST_SAMPLE_RATE_HZ:
            raise UsageError(
                f"a sample rate of {sample_rate_hz} Hz is below {LOWEST_SAMPLE_RATE_HZ}"
            )
        session = Session(
            tempo_bpm=self.tempo_bpm,
            seconds=self.seconds,
            sample_rate_hz=sample_rate_hz,
            seed=self.seed,
            swing=self.swing,
            swing_pair_beats=self.swing_pair_beats,
        )
        return self.compose(session)


PIECES: tuple[Piece, ...] = (
    Piece("blues-shuffle", "blues", 156.0, "E", "major", 4, 12, roots.blues_shuffle, 1, swing=0.66),
    Piece("string-chorale", "classical", 112.0, "G", "major", 4, 8, roots.chorale, 2),
    Piece("country-train", "country", 116.0, "D", "major", 4, 8, roots.country_train, 3),
    Piece("disco-floor", "disco", 120.0, "A", "minor", 4, 8, electric.disco_floor, 4),
    Piece(
        "hiphop-boom-bap",
        "hiphop",
        90.0,
        "D",
        "minor",
        4,
        6,
        electric.hiphop_boom_bap,
        5,
        swing=0.57,
        swing_pair_beats=0.5,
    ),
    Piece("jazz-trio", "jazz", 138.0, "Bb", "major", 4, 8, roots.jazz_trio, 6, swing=0.64),
    Piece("metal-gallop", "metal", 152.0, "E", "minor", 4, 9, electric.metal_gallop, 7),
    Piece("pop-chorus", "pop", 118.0, "C", "major", 4, 8, electric.pop_chorus, 8),
    Piece(
        "reggae-one-drop", "reggae", 80.0, "A", "minor", 4, 6, roots.reggae_one_drop, 9, swing=0.56
    ),
    Piece("rock-backbeat", "rock", 126.0, "A", "minor", 4, 8, electric.rock_backbeat, 10),
    Piece("techno-acid", "electronic", 130.0, "C", "minor", 4, 8, electric.techno_acid, 11),
    Piece(
        "ambient-drift",
        "ambient",
        60.0,
        "D",
        "major",
        4,
        4,
        electric.ambient_drift,
        12,
        has_beat=False,
    ),
    Piece("piano-waltz", "classical", 144.0, "B", "minor", 3, 12, roots.piano_waltz, 13),
)
