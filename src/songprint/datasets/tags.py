"""The genres with which the user's own files are tagged, read with FFmpeg.

Tags are data from anywhere: files are opened as safely as songs are, and nothing in them is
trusted to be short or printable. FFmpeg tells only the first of several genres in an ID3v2.4 or
MP4 tag; those in one text ("Rock; Pop") and those of Vorbis comments are all told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from pathlib import Path

from songprint.datasets.core import (
    About,
    Dataset,
    LeftOut,
    Track,
    audio_files,
    require_folder,
)
from songprint.errors import DecodeError, UsageError
from songprint.genre.taxonomy import canonical_genre

ABOUT = About(
    title="the tags of the user's own files",
    licence="the user's own files",
    citation="",
    where="Tag the songs with a genre in any player, or put them in one folder for each genre.",
)

NO_GENRE = "has no genre in its tags"
MEANINGLESS = frozenset({"", "other", "unknown", "none", "genre", "n/a", "various", "misc"})
"""Genres that name none."""

VARIOUS = frozenset({"various artists", "various", "va", "v.a.", "verschiedene interpreten"})
"""Album artists that are nobody."""

MAX_GENRES = 8
MAX_CHARACTERS = 100

_SEPARATORS = re.compile(r"[;,/|\0]|\s-\s")
_IN_BRACKETS = re.compile(r"\((\d{1,3}|RX|CR)\)")
_OTHER_IDS = {"RX": "remix", "CR": "cover"}


@dataclass(frozen=True)
class Tags:
    """What a file's tags say of it.

    Attributes
    ----------
    genres : tuple of str
        In the taxonomy's spelling, each once, in the tag's order.
    artist : str or None
        The album's artist, unless that is nobody; else the song's.
    """

    genres: tuple[str, ...]
    artist: str | None


def open_tags(path: Path) -> Dataset:
    """Open a folder of tagged files.

    Parameters
    ----------
    path : Path
        The folder; all below it is read.

    Raises
    ------
    UsageError
        If there is no song in it.
    """
    require_folder(path, "a folder of songs", "")
    if next(audio_files(path), None) is None:
        raise UsageError(f"{path}: there are no songs in this folder. {ABOUT.where}")
    return Dataset("tags", path, ABOUT, partial(_entries, path))


def _entries(root: Path) -> Iterator[Track | LeftOut]:
    for song in audio_files(root):
        name = song.relative_to(root).as_posix()
        try:
            tags = read_tags(song)
        except DecodeError as error:
            yield LeftOut(name, error.reason)
            continue
        if tags.genres:
            yield Track(name, song, tags.genres, tags.artist)
        else:
            yield LeftOut(name, NO_GENRE, expected=True)


def read_tags(path: Path) -> Tags:
    """Read the tags of a song.

    Parameters
    ----------
    path : Path
        Any audio file.

    Raises
    ------
    DecodeError
        If it is none.
    """
    from songprint.audio.container import open_song

    with open_song(path) as song:
        tags = song.tags()
    return Tags(split_genres(tags.get("genre", "")), _artist(tags))


def split_genres(text: str) -> tuple[str, ...]:
    """Return the genres that a tag's text names.

    Parameters
    ----------
    text : str
        Names or ID3 numbers, parted by any usual sign.

    Examples
    --------
    >>> split_genres("Hip Hop; (17)")
    ('hip-hop', 'rock')
    """
    parted = _IN_BRACKETS.sub(r";\1;", text[: MAX_GENRES * MAX_CHARACTERS])
    whole = canonical_genre(parted)
    if whole in numbered_genres():  # some hold a sign that parts others: "pop/funk"
        parts = [whole]
    else:
        parts = [part.strip(" &\t") for part in _SEPARATORS.split(parted)]
    names = dict.fromkeys(_name(part) for part in parts)
    return tuple(name for name in names if name not in MEANINGLESS)[:MAX_GENRES]


def _name(part: str) -> str:
    """Return the genre that a part of a tag names or numbers."""
    if part in _OTHER_IDS:
        return _OTHER_IDS[part]
    if part.isascii() and part.isdigit() and len(part) <= 3:
        number = int(part)
        known = numbered_genres()
        return canonical_genre(known[number]) if number < len(known) else ""
    return canonical_genre(part[:MAX_CHARACTERS])


@cache
def numbered_genres() -> tuple[str, ...]:
    """Return the genres that ID3 tags name by a number [1]_: number n is the n-th.

    References
    ----------
    .. [1] The eighty of ID3v1, and the additions of Winamp up to its version 5.6.
    """
    file = resources.files("songprint.datasets") / "id3_genres.txt"
    return tuple(file.read_text(encoding="ascii").splitlines())


def _artist(tags: Mapping[str, str]) -> str | None:
    album_artist = _clean(tags.get("album_artist") or tags.get("albumartist") or "")
    if album_artist and album_artist.casefold() not in VARIOUS:
        return album_artist
    return _clean(tags.get("artist", "")) or None


def _clean(name: str) -> str:
    return " ".join(name[:MAX_CHARACTERS].split())
