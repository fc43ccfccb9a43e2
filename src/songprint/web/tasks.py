"""What is done in the process that hears songs; each function returns plain data."""

from __future__ import annotations

import base64
import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songprint.web.refusal import Refusal

if TYPE_CHECKING:
    from av import AudioFrame

    from songprint.audio.container import DecodeLimits
    from songprint.fingerprints import Fingerprint
    from songprint.identify.identifier import Identifier
    from songprint.identify.matching import Match
    from songprint.library.store import Library

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


def hear(path: str, limits: DecodeLimits, genres: Path | None = None) -> Heard:
    """Hear a file, and name its genre among songprint's own or those of a person.

    Raises
    ------
    DecodeError
        If no song can be heard in it.
    ModelError, UsageError
        If there are no such genres, or they cannot be used any more.
    """
    from songprint.audio.container import open_song
    from songprint.audio.hash import song_hash
    from songprint.fingerprints import default_fingerprinter
    from songprint.genre.personal import load_with_encoder
    from songprint.library.tags import song_tags

    fingerprinter = default_fingerprinter()
    if genres is not None:
        personal, encoder = load_with_encoder(genres, fingerprinter.encoder)
        fingerprinter = fingerprinter.with_head(personal.head, personal.sha256, encoder)
    with open_song(path, limits) as song:
        tags = song_tags(song)
        identity = song_hash(song, keep=True)
        heard = fingerprinter.fingerprint_song(song, identity, thorough=True)  # for the timeline
    return Heard(heard, tags.title, tags.artist)


CLIP_SECONDS = 120.0
"""How much of a clip is listened to."""


@dataclass(frozen=True)
class Asked:
    """What a clip is of.

    Attributes
    ----------
    match : Match or None
        None where no song of the library convinces.
    seconds : float
        How much was listened to.
    level_dbfs : float
        Its mean power; minus infinity for silence.
    songs : int
        That it could have been.
    """

    match: Match | None
    seconds: float
    level_dbfs: float
    songs: int


def listen(path: str, limits: DecodeLimits) -> NDArray[np.float32]:
    """Return the beginning of a file as mono samples at 16 kHz [shape=(n,)].

    Raises
    ------
    DecodeError
        If no sound can be heard in it.
    """
    from songprint.audio.decode import stream
    from songprint.audio.mel import SAMPLE_RATE_HZ

    blocks: list[NDArray[np.float32]] = []
    most = round(CLIP_SECONDS * SAMPLE_RATE_HZ)
    for block in stream(path, limits=limits):
        blocks.append(block)
        if sum(map(len, blocks)) >= most:
            break
    return np.concatenate(blocks)[:most]


def identify(library: str, samples: NDArray[np.float32]) -> Asked:
    """Say which song of a library mono samples at 16 kHz are of [shape=(n,)].

    Raises
    ------
    LibraryError
        If the library cannot be read.
    """
    from songprint.audio.mel import SAMPLE_RATE_HZ

    identifier = _listening.to(library)
    power = float(np.square(samples, dtype=np.float64).mean())
    return Asked(
        match=identifier.identify(samples) if power else None,
        seconds=len(samples) / SAMPLE_RATE_HZ,
        level_dbfs=10 * np.log10(power) if power else -np.inf,
        songs=len(identifier.index),
    )


class _Listening:
    """The library that was asked last, and its songs as they were then."""

    def __init__(self) -> None:
        self._library: Library | None = None
        self._version = -1
        self._identifier: Identifier | None = None

    def to(self, path: str) -> Identifier:
        from songprint.identify.identifier import Identifier
        from songprint.library.store import Library

        if self._library is None:
            self._library = Library.open(path)
        version = self._library.table("landmarks").version
        if self._identifier is None or version != self._version:
            self._identifier, self._version = Identifier(self._library), version
        return self._identifier


_listening = _Listening()
"""Of this process, which serves one library."""


def convert(path: str, place: str) -> None:
    """Write a song as 16-bit FLAC of one or two channels, which every browser plays.

    Parameters
    ----------
    path : str
        The song.
    place : str
        Where it goes, whole or not at all; nothing is done if it is there already.

    Raises
    ------
    DecodeError
        If no song can be heard in it.
    Refusal
        If it is too long, or the disk is full.
    """
    out = Path(place)
    if out.is_file():
        return
    part = out.with_suffix(".part")
    try:
        _write_flac(path, part)
        part.replace(out)
    except OSError as error:
        raise _unwritten(error) from error
    finally:
        part.unlink(missing_ok=True)


def _unwritten(error: OSError) -> Refusal:
    reason = "it is too long" if error.errno == errno.EFBIG else error.strerror or str(error)
    return Refusal(409, f"it cannot be converted for the browser: {reason}")


PLAYED_RATES_HZ = (44_100, 48_000)


def _write_flac(path: str, part: Path) -> None:
    import av
    from av.audio.resampler import AudioResampler

    from songprint.audio.container import open_song
    from songprint.errors import DecodeError

    with av.open(str(part), "w", format="flac") as file, open_song(path) as song:
        own = song.stream.codec_context
        rate = own.sample_rate if own.sample_rate in PLAYED_RATES_HZ else PLAYED_RATES_HZ[0]
        layout = "mono" if own.channels == 1 else "stereo"
        track = file.add_stream("flac", rate=rate, layout=layout)
        resampler = AudioResampler("s16", layout, rate)
        samples = 0

        def put(frame: AudioFrame | None) -> None:
            try:
                file.mux(track.encode(frame))
            except OSError as error:  # or it would be taken for a fault of the song
                raise _unwritten(error) from error

        for packet in song.packets():
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue  # what is damaged is passed over, as in hearing it
            for frame in frames:
                frame.pts = None  # time stamps may jump where damage was skipped
                for piece in resampler.resample(frame):
                    samples += piece.samples
                    put(piece)
        for piece in resampler.resample(None):
            samples += piece.samples
            put(piece)
        put(None)
    if not samples:
        raise DecodeError(path, "no sound in it can be decoded")


def plot(
    songs: Sequence[tuple[str, str]], kinds: Sequence[str], stretch: bool, suffix: str, dpi: int
) -> bytes:
    """Draw songs, each a path and what it is called; return the picture's file.

    Raises
    ------
    DecodeError
        If one cannot be heard.
    """
    from songprint.audio.decode import stream
    from songprint.cli.output import hush_matplotlib
    from songprint.fingerprints import default_fingerprinter

    hush_matplotlib()
    from songprint.views.portrait import Portrait, remark_of
    from songprint.views.signals import measure
    from songprint.views.songs import draw_songs
    from songprint.views.style import render

    portraits = []
    for path, title in songs:
        heard = default_fingerprinter().fingerprint(path, known_hash="", thorough=True)
        measured = measure(stream(path), kinds)
        portraits.append(Portrait(title, remark_of(heard), measured, heard))
    return render(draw_songs(portraits, kinds, stretch=stretch), suffix, dpi)


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
    from songprint.fingerprints import default_fingerprinter

    heard = default_fingerprinter().fingerprint(path, known_hash="", thorough=True)
    segments: list[dict[str, Any]] = song_document(path, heard, timeline=True)["timeline"]
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
