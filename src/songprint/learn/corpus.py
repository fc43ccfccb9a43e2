"""The training corpus: log-mel frames of every song, and who made it, in two files.

A corpus is a folder with ``frames.npy`` (uint8 ``[frames, 96]``, the front end's values times
:data:`FRAME_SCALE`, all songs end to end) and ``songs.csv`` (where each song lies in it). Eight
bits keep a value to within 0.014, far below the difference between two codecs.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import MEL_BANDS, SAMPLE_RATE_HZ, WINDOW_FRAMES, log_mel
from songprint.audio.suffixes import AUDIO_SUFFIXES
from songprint.errors import DecodeError, UsageError

FRAME_SCALE = 36.0
MUSIC_SECONDS = 90
MIN_MUSIC_SECONDS = 20

_LOG = logging.getLogger(__name__)

Windows = NDArray[np.float32]


@dataclass(frozen=True)
class Song:
    """Where a song lies in the corpus, and what is known of it.

    Attributes
    ----------
    name
        Unique in its source.
    source
        ``open``, ``emotify``, ``gtzan`` or, of folders of the trainer's own, ``music``.
    artist
        Groups the songs that must not be split between training and measurement; for ``gtzan``,
        whose artists are not named, the clip itself.
    genre
        A label by a person, or empty.
    split
        ``train``, ``valid`` or empty.
    start, frames
        The song's rows in ``frames.npy``.
    """

    name: str
    source: str
    artist: str
    genre: str
    split: str
    start: int
    frames: int


class Corpus:
    """A corpus on disk, memory-mapped.

    Parameters
    ----------
    folder : Path
        A folder written by :func:`build`.

    Raises
    ------
    UsageError
        If the folder holds no corpus.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._frames = np.load(folder / "frames.npy", mmap_mode="r")
            with (folder / "songs.csv").open(newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))[1:]
                self.songs = [
                    Song(name, source, artist, genre, split, int(start), int(frames))
                    for name, source, artist, genre, split, start, frames in rows
                ]
        except (OSError, ValueError) as error:
            raise UsageError(f"{folder}: no training corpus here: {error}") from error

    def frames(self, song: Song) -> Windows:
        """Return a song's log-mel frames [shape=(song.frames, 96)]."""
        rows = self._frames[song.start : song.start + song.frames]
        return np.asarray(rows, np.float32) / np.float32(FRAME_SCALE)

    def window(self, song: Song, first_frame: int) -> Windows:
        """Return one window [shape=(187, 96)]; a song shorter than it is repeated."""
        return fill_window(self.frames(song)[first_frame : first_frame + WINDOW_FRAMES])


def fill_window(frames: Windows) -> Windows:
    """Repeat fewer frames than a window holds until they fill it.

    Parameters
    ----------
    frames : ndarray [shape=(n, 96)]
        At least one frame.

    Returns
    -------
    ndarray [shape=(max(n, 187), 96)]
        The same frames, repeated from their start if there were fewer than 187.
    """
    if len(frames) >= WINDOW_FRAMES:
        return frames
    return np.resize(frames, (WINDOW_FRAMES, frames.shape[1]))


def quantise(frames: Windows) -> NDArray[np.uint8]:
    """Round front-end values to the corpus's eight bits."""
    rounded: NDArray[np.uint8] = np.clip(np.rint(frames * FRAME_SCALE), 0, 255).astype(np.uint8)
    return rounded


def build(data: Path, folder: Path, music: Path | None = None) -> Corpus:
    """Decode the developers' data, and other music, once into a corpus.

    Parameters
    ----------
    data : Path
        The folder ``shared/data``: ``open/``, ``emotify/`` and the GTZAN log-mels.
    folder : Path
        Where the corpus is written; made if missing.
    music : Path, optional
        More music, in a folder for each artist or album; its middle :data:`MUSIC_SECONDS` are
        kept, and what is shorter than :data:`MIN_MUSIC_SECONDS` is taken for an effect.

    Returns
    -------
    Corpus
        The corpus just written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    songs: list[Song] = []
    pieces: list[NDArray[np.uint8]] = []
    start = 0
    sources = chain(_read_sources(data), _read_music(music) if music else ())
    for name, source, artist, genre, split, frames in sources:
        songs.append(Song(name, source, artist, genre, split, start, len(frames)))
        pieces.append(frames)
        start += len(frames)
    np.save(folder / "frames.npy", np.concatenate(pieces))
    with (folder / "songs.csv").open("w", newline="", encoding="utf-8") as file:
        names = [field.name for field in fields(Song)]
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([getattr(song, name) for name in names] for song in songs)
    return Corpus(folder)


_Source = tuple[str, str, str, str, str, NDArray[np.uint8]]


def _read_sources(data: Path) -> Iterator[_Source]:
    for source in ("emotify", "open"):
        for row in _rows(data / f"{source}.csv"):
            path = data / source / f"{row['id']}.opus"
            # Whole albums share one sound, and an album may name several artists.
            artist = row["artist"] if source == "emotify" else row["album_or_source"]
            genre = row["genre"] if row.get("genre_basis", "stated") == "stated" else ""
            try:
                samples = _decode(path)
            except DecodeError as error:
                _LOG.warning("left out of the corpus: %s", error)
                continue
            yield row["id"], source, artist, genre, "", quantise(log_mel(samples))
    with np.load(data / "gtzan_mels.npz") as mels:
        for row in _rows(data / "gtzan_mels.csv"):
            clip = row["clip"]
            frames = mels[clip]
            if frames.shape[1] != MEL_BANDS:
                raise UsageError(f"{clip}: {frames.shape[1]} mel bands, not {MEL_BANDS}")
            yield clip, "gtzan", clip, row["genre"], row["split"], frames


def _read_music(folder: Path) -> Iterator[_Source]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in AUDIO_SUFFIXES:
            continue
        try:
            samples = _decode(path)
        except DecodeError as error:
            _LOG.warning("left out of the corpus: %s", error)
            continue
        kept = MUSIC_SECONDS * SAMPLE_RATE_HZ
        if len(samples) < MIN_MUSIC_SECONDS * SAMPLE_RATE_HZ or not samples.any():
            continue
        first = max(0, (len(samples) - kept) // 2)
        name = path.relative_to(folder)
        yield str(name), "music", name.parts[0], "", "", quantise(log_mel(samples[first:][:kept]))


def _rows(path: Path) -> Iterable[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _decode(path: Path) -> NDArray[np.float32]:
    from songprint.audio.decode import decode

    return decode(path)
