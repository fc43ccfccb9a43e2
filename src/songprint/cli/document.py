"""The JSON document of ``songprint classify --json``; ``schemas/classify.json`` describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import typer

if TYPE_CHECKING:
    from songprint.cli.hearing import Heard
    from songprint.descriptors.core import Descriptors
    from songprint.fingerprints import Fingerprint, Probability, Segment

SEGMENT_GENRES = 3
"""Genres told of each segment of a timeline."""


class JsonReport:
    """Prints a list, one song a line as it comes, so that nothing is kept; always closes it.

    Parameters
    ----------
    timeline : bool
        Whether each song has its timeline.
    """

    def __init__(self, *, timeline: bool) -> None:
        self._timeline = timeline
        self._separator = "\n"

    def __enter__(self) -> Self:
        typer.echo("[", nl=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, OSError):  # of stdout itself
            typer.echo("\n]")

    def add(self, heard: Heard) -> None:
        """Print one song."""
        if heard.fingerprint is None:
            document: dict[str, Any] = {"path": heard.path, "error": heard.error}
        else:
            document = song_document(heard.path, heard.fingerprint, timeline=self._timeline)
        # Escapes for all that is not ASCII: they alone can hold a file name that is not UTF-8.
        text = json.dumps(document, ensure_ascii=True, allow_nan=False)
        typer.echo(self._separator + text, nl=False)
        self._separator = ",\n"


def song_document(path: str, fingerprint: Fingerprint, *, timeline: bool) -> dict[str, Any]:
    """Return what the document says of a song that was heard.

    Parameters
    ----------
    path
        Its file.
    fingerprint
        What it is.
    timeline
        Whether to tell its timeline.
    """
    fields: dict[str, Any] = {
        "path": path,
        "seconds": round(fingerprint.seconds, 4),
        "genres": _probabilities(fingerprint.genres),
        "unsure": fingerprint.unsure,
        "why_unsure": fingerprint.doubt,
        "era": _probabilities(fingerprint.era),
        "moods": _probabilities(fingerprint.moods),
        "styles": _probabilities(fingerprint.styles),
        "instruments": _probabilities(fingerprint.instruments),
        "descriptors": _descriptors(fingerprint.descriptors),
    }
    if timeline:
        fields["timeline"] = [_segment(segment) for segment in fingerprint.timeline]
    fields["model"] = fingerprint.model
    return fields


def _descriptors(descriptors: Descriptors) -> dict[str, Any]:
    beat, intensity, rhythm = descriptors.beat, descriptors.intensity, descriptors.rhythm
    timbre, tonality = descriptors.timbre, descriptors.tonality
    return {
        "tempo_bpm": _rounded(beat.tempo_bpm),
        "tempo_alternatives": [
            {"bpm": _rounded(tempo.bpm), "weight": _rounded(tempo.weight)}
            for tempo in beat.tempo_alternatives
        ],
        "tempo_confidence": _rounded(beat.tempo_confidence),
        "beat_strength": _rounded(beat.beat_strength),
        "loudness_lufs": _rounded(intensity.loudness_lufs),
        "loudness_range_lu": _rounded(intensity.loudness_range_lu),
        "dynamic_range_db": _rounded(intensity.dynamic_range_db),
        "crest_factor_db": _rounded(intensity.crest_factor_db),
        "onset_rate_hz": _rounded(rhythm.onset_rate_hz),
        "pulse_clarity": _rounded(rhythm.pulse_clarity),
        "swing": _rounded(rhythm.swing),
        "brightness_hz": _rounded(timbre.brightness_hz),
        "rolloff_hz": _rounded(timbre.rolloff_hz),
        "flatness": _rounded(timbre.flatness),
        "percussiveness": _rounded(timbre.percussiveness),
        "roughness": _rounded(timbre.roughness),
        "stereo_width": _rounded(timbre.stereo_width),
        "key": tonality.key,
        "mode": tonality.mode,
        "key_confidence": _rounded(tonality.key_confidence),
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(float(number), 4)


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "start": round(segment.start_seconds, 4),
        "end": round(segment.end_seconds, 4),
        "level_dbfs": round(segment.level_dbfs, 4),
        "unsure": bool(segment.unsure),
        "genres": _probabilities(segment.genres[:SEGMENT_GENRES]),
    }


def _probabilities(ranked: Iterable[Probability]) -> list[dict[str, Any]]:
    return [{"name": item.name, "p": round(item.p, 4)} for item in ranked]
