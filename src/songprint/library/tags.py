"""A song's title, artist, album, year and plays, from the tags of its file.

Read with FFmpeg. Tags are data from anywhere: they never change a fingerprint, and nothing in them
is trusted to be short, printable or a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from songprint.audio.container import Song

MAX_CHARACTERS = 300

PLAY_COUNTS = ("play_count", "playcount", "play count", "fmps_playcount", "play_counter")
"""Names that players give the number of plays."""


@dataclass(frozen=True)
class SongTags:
    """What a file's tags say of its song; None where they are silent.

    Attributes
    ----------
    title, artist, album, album_artist : str or None
        In one line each, at most 300 characters.
    year : int or None
        1000 to 2999.
    plays : float or None
        How often a player has played it.
    """

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    year: int | None = None
    plays: float | None = None


def song_tags(song: Song) -> SongTags:
    """Return the tags of a song that is open."""
    return parse_tags(song.tags())


def parse_tags(metadata: Mapping[str, str]) -> SongTags:
    """Return what names and values, as FFmpeg tells them, say of a song.

    Examples
    --------
    >>> parse_tags({"TITLE": "So What", "date": "1959-08-17"}).year
    1959
    """
    tags = {name.lower(): value for name, value in metadata.items()}
    return SongTags(
        title=one_line(tags.get("title")),
        artist=one_line(tags.get("artist")),
        album=one_line(tags.get("album")),
        album_artist=one_line(tags.get("album_artist") or tags.get("albumartist")),
        year=_year(tags.get("date") or tags.get("year") or ""),
        plays=next((p for name in PLAY_COUNTS if (p := _plays(tags.get(name))) is not None), None),
    )


def one_line(value: str | None) -> str | None:
    """Return a text as tags are kept: one line of what can be shown, or None if nothing is left."""
    shown = "".join(c if c.isprintable() else " " for c in (value or "")[: 4 * MAX_CHARACTERS])
    return " ".join(shown.split())[:MAX_CHARACTERS].rstrip() or None


def _year(value: str) -> int | None:
    found = re.search(r"(?<!\d)[12]\d{3}(?!\d)", value[:MAX_CHARACTERS])
    return int(found[0]) if found else None


def _plays(value: str | None) -> float | None:
    # FMPS writes "12.0"; a number with more digits is none that a person has played.
    found = re.fullmatch(r"\s*(\d{1,7})(?:\.\d{1,9})?\s*", value or "", re.ASCII)
    return float(found[1]) if found else None
