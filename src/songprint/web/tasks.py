"""What is done in the process that hears songs; each function returns plain data."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from songprint.audio.container import DecodeLimits
    from songprint.fingerprints import Fingerprint

COLUMNS = 1000
FLOOR_DBFS, CEILING_DBFS = -78.0, -18.0
"""What the darkest and the brightest colour of every spectrogram stand for."""


@dataclass(frozen=True, eq=False)
class Heard:
    """A file that was heard.

    Attributes
    ----------
    fingerprint : Fingerprint
        What it is.
    title, artist : str or None
        From its tags.
    """

    fingerprint: Fingerprint
    title: str | None
    artist: str | None


def hear(path: str, limits: DecodeLimits) -> Heard:
    """Hear a file.

    Raises
    ------
    DecodeError
        If no song can be heard in it.
    """
    from songprint.audio.container import open_song
    from songprint.fingerprints import default_fingerprinter
    from songprint.library.tags import song_tags

    with open_song(path, limits) as song:
        tags = song_tags(song)
    return Heard(default_fingerprinter().fingerprint(path, limits=limits), tags.title, tags.artist)


def signals(path: str) -> dict[str, Any]:
    """Return a song's waveform and spectrogram, reduced to what a page shows.

    Raises
    ------
    DecodeError
        If no song can be heard in it.
    """
    from songprint.audio.decode import stream
    from songprint.views.bands import HIGHEST_HZ, LOWEST_HZ
    from songprint.views.signals import measure

    found = measure(stream(path), ("waveform", "spectrogram", "spectrum"), COLUMNS)
    envelope, picture = found.envelope, found.spectrogram
    assert envelope is not None
    assert picture is not None
    assert found.spectrum_dbfs is not None
    levels = (picture.values - FLOOR_DBFS) / (CEILING_DBFS - FLOOR_DBFS)
    pixels = np.round(255 * np.clip(levels, 0, 1)).astype(np.uint8)
    return {
        "seconds": found.seconds,
        "waveform": {
            "low": _rounded(envelope.low),
            "high": _rounded(envelope.high),
            "rms": _rounded(envelope.rms),
        },
        "spectrogram": {
            "columns": pixels.shape[0],
            "bands": pixels.shape[1],
            "start_seconds": picture.start_seconds,
            "end_seconds": picture.end_seconds,
            "lowest_hz": LOWEST_HZ,
            "highest_hz": HIGHEST_HZ,
            "floor_dbfs": FLOOR_DBFS,
            "ceiling_dbfs": CEILING_DBFS,
            "data": base64.b64encode(pixels.tobytes()).decode("ascii"),
        },
        "spectrum_dbfs": [round(float(v), 1) for v in found.spectrum_dbfs],
    }


def timeline(path: str) -> list[dict[str, Any]]:
    """Return the genres along a song.

    Raises
    ------
    DecodeError
        If no song can be heard in it.
    """
    from songprint.cli.document import song_document
    from songprint.cli.hearing import Heard as Listed
    from songprint.fingerprints import default_fingerprinter

    heard = default_fingerprinter().fingerprint(path, known_hash="")
    segments: list[dict[str, Any]] = song_document(Listed(path, heard, None), timeline=True)[
        "timeline"
    ]
    return segments


def learn(
    embeddings: NDArray[np.float32], labels: Sequence[str], artists: Sequence[str], name: str
) -> tuple[str, dict[str, Any]]:
    """Learn personal genres, and measure them on artists that were not learnt from.

    Parameters
    ----------
    embeddings : ndarray [shape=(n, d)]
        Of the songs.
    labels, artists : sequence of str
        Of each.
    name : str
        What the genres are called together.

    Returns
    -------
    text : str
        The head's file.
    document : dict
        As ``songprint train --json`` prints it, with the confusion matrix.

    Raises
    ------
    UsageError
        If the songs cannot support it.
    """
    from pathlib import Path

    from songprint.cli.labelled import LabelledSongs
    from songprint.cli.learnt import Learnt, document
    from songprint.errors import UsageError
    from songprint.evaluate.confusion import confusion_matrix
    from songprint.fingerprints import default_fingerprinter
    from songprint.genre.background import load_background
    from songprint.genre.personal import Examples
    from songprint.genre.personal import learn as learn_head

    sha256 = default_fingerprinter().encoder.sha256
    examples = Examples(embeddings, np.array(labels), np.array(artists))
    if len(examples.classes) == 1:
        background = load_background(sha256)
        if background is None:
            raise UsageError("one genre alone cannot be told from others: add another")
        examples = Examples(
            np.concatenate([examples.embeddings, background.embeddings]),
            np.concatenate([examples.labels, background.labels]),
            np.concatenate([examples.artists, background.artists]),
        )
    personal, held_out = learn_head(examples, name, sha256)
    learnt = Learnt.measure(personal, examples, held_out)
    told = document(learnt, LabelledSongs(), Path(name))
    classes = examples.classes
    called = np.array(classes)[held_out.argmax(axis=1)]
    told["confusion"] = {
        "classes": list(classes),
        "matrix": confusion_matrix(examples.labels, called, classes).tolist(),
    }
    return learnt.personal.to_json(), told


def _rounded(values: NDArray[np.float32]) -> list[float]:
    return [round(float(v), 3) for v in values]
