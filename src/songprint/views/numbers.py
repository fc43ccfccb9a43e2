"""The numbers in which genres are compared: a song's descriptors, by name and unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from songprint.descriptors.core import Descriptors
    from songprint.fingerprints import Fingerprint


@dataclass(frozen=True)
class Number:
    """Something measured of a song.

    Attributes
    ----------
    key : str
        Its name in documents, with the unit.
    title : str
        Its name for people.
    unit : str
        Empty where it has none.
    of : callable
        Returns it, or none where it is not known of a song.
    places : int
        How many decimal places are told.
    """

    key: str
    title: str
    unit: str
    of: Callable[[Fingerprint], float | None]
    places: int = 2

    @property
    def label(self) -> str:
        """The title with its unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title


def _sounding(of: Callable[[Descriptors], float | None]) -> Callable[[Fingerprint], float | None]:
    """Leave out silence, of which the descriptors are 0 for want of anything to measure."""

    def measured(fingerprint: Fingerprint) -> float | None:
        descriptors = fingerprint.descriptors
        return None if descriptors.intensity.loudness_lufs is None else of(descriptors)

    return measured


NUMBERS: tuple[Number, ...] = (
    Number("tempo_bpm", "tempo", "BPM", _sounding(lambda d: d.beat.tempo_bpm), 1),
    Number("beat_strength", "beat strength", "", _sounding(lambda d: d.beat.beat_strength)),
    Number("loudness_lufs", "loudness", "LUFS", _sounding(lambda d: d.intensity.loudness_lufs), 1),
    Number(
        "loudness_range_lu", "loudness range", "LU",
        _sounding(lambda d: d.intensity.loudness_range_lu), 1,
    ),
    Number(
        "dynamic_range_db", "dynamic range", "dB",
        _sounding(lambda d: d.intensity.dynamic_range_db), 1,
    ),
    Number(
        "crest_factor_db", "crest factor", "dB",
        _sounding(lambda d: d.intensity.crest_factor_db), 1,
    ),
    Number("onset_rate_hz", "onset rate", "1/s", _sounding(lambda d: d.rhythm.onset_rate_hz)),
    Number("pulse_clarity", "pulse clarity", "", _sounding(lambda d: d.rhythm.pulse_clarity)),
    Number("swing", "swing", "", _sounding(lambda d: d.rhythm.swing)),
    Number("brightness_hz", "brightness", "Hz", _sounding(lambda d: d.timbre.brightness_hz), 0),
    Number("rolloff_hz", "rolloff", "Hz", _sounding(lambda d: d.timbre.rolloff_hz), 0),
    Number("flatness", "flatness", "", _sounding(lambda d: d.timbre.flatness), 3),
    Number("percussiveness", "percussiveness", "", _sounding(lambda d: d.timbre.percussiveness)),
    Number("roughness", "roughness", "", _sounding(lambda d: d.timbre.roughness)),
    Number("stereo_width", "stereo width", "", _sounding(lambda d: d.timbre.stereo_width)),
)  # fmt: skip
"""The descriptors that have a more and a less; of those of silence none is known."""
