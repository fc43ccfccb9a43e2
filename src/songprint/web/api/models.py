"""What several routes take or return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from songprint.descriptors.keys import key_name
from songprint.kinship.explain import say_why
from songprint.web.names import shown, title_of

if TYPE_CHECKING:
    from songprint.kinship.distance import Weights as KinshipWeights
    from songprint.kinship.neighbours import Neighbour as KinshipNeighbour
    from songprint.library.catalogue import Catalogue

SURE_TEMPO = 0.5

SongId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{32}$"),
    Field(description="The song's content hash.", examples=["0123456789abcdef0123456789abcdef"]),
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[^/\\\x00-\x1f\x7f]{1,80}$"),
    Field(description="Letters, digits, spaces and signs, but no slashes.", examples=["evening"]),
]
Label = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$"
    ),
]
"""What a genre of one's own is called."""

PERSONAL_NAME = r"^[\w .-]+$"
"""What genres of one's own may be called in an address."""

BINARY = {"schema": {"type": "string", "format": "binary"}}
"""Of a body that is a file."""

BYTES = {"requestBody": {"required": True, "content": {"application/octet-stream": BINARY}}}
"""Of a route whose body is a file."""


class Model(BaseModel):
    """Takes no field that it does not know, and no number that JSON has not."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Probability(Model):
    """A name and how probable it is."""

    name: str
    p: float


class Song(Model):
    """A song of the library, in short."""

    id: SongId
    title: str
    artist: str | None
    album: str | None
    year: int | None
    genre: str = Field(description="The most probable, even where unsure.")
    p: float = Field(description="How probable it is.")
    unsure: bool
    seconds: float
    tempo_bpm: float | None = Field(description="Only if it is sure.")
    loudness_lufs: float | None
    key: str | None
    plays: float | None
    playable: bool = Field(description="Whether its audio is here.")


class Neighbour(Song):
    """A song and how near it is to another, with the reasons."""

    kinship: float = Field(description="1 for the same song, 0.5 for a usual neighbour.")
    distance: float
    why: dict[str, float] = Field(description="What each part adds to the distance.")
    because: str = Field(description="The same in words.")


class Weights(Model):
    """How much each part of kinship counts."""

    beat: float = Field(default=0.2, ge=0, le=100)
    intensity: float = Field(default=0.2, ge=0, le=100)
    rhythm: float = Field(default=0.2, ge=0, le=100)
    timbre: float = Field(default=0.2, ge=0, le=100)
    genre: float = Field(default=1.0, ge=0, le=100)

    def of_kinship(self) -> KinshipWeights:
        """Return them as kinship takes them.

        Raises
        ------
        UsageError
            If all are 0.
        """
        from songprint.kinship.distance import Weights as KinshipWeights

        return KinshipWeights(**self.model_dump())


def song_fields(catalogue: Catalogue, row: int) -> dict[str, Any]:
    """Return the fields of :class:`Song`."""
    likeliest = int(catalogue.genres[row].argmax())
    sure = float(catalogue.number("tempo_confidence")[row]) >= SURE_TEMPO
    year = int(catalogue.years[row])
    return {
        "id": str(catalogue.hashes[row]),
        "title": title_of(catalogue, row),
        "artist": shown(catalogue.artists[row]),
        "album": shown(catalogue.albums[row]),
        "year": year or None,
        "genre": catalogue.vocabulary.genres[likeliest],
        "p": rounded(catalogue.genres[row, likeliest]) or 0.0,
        "unsure": bool(catalogue.unsure[row]),
        "seconds": rounded(catalogue.seconds[row], 2) or 0.0,
        "tempo_bpm": rounded(catalogue.number("tempo_bpm")[row], 1) if sure else None,
        "loudness_lufs": rounded(catalogue.number("loudness_lufs")[row], 1),
        "key": key_name(int(catalogue.keys[row])),
        "plays": rounded(catalogue.plays[row], 1),
        "playable": catalogue.paths[row] is not None,
    }


def song(catalogue: Catalogue, row: int) -> Song:
    """Return a song of a catalogue."""
    return Song.model_construct(**song_fields(catalogue, row))


def neighbour_fields(
    catalogue: Catalogue, found: Sequence[KinshipNeighbour], kin: Catalogue, kin_of: Sequence[int]
) -> list[dict[str, Any]]:
    """Return the fields of :class:`Neighbour` of songs.

    Parameters
    ----------
    catalogue : Catalogue
        They are of it.
    found : sequence of Neighbour
        The songs.
    kin : Catalogue
        What they are near.
    kin_of : sequence of int
        Which of these each song is compared with in words.
    """
    songs = catalogue.take([near.row for near in found])
    each = [kin.take([place]) for place in range(len(kin))]
    return [
        {
            **song_fields(songs, place),
            "kinship": rounded(near.kinship) or 0.0,
            "distance": rounded(near.distance) or 0.0,
            "why": {part: rounded(value) or 0.0 for part, value in near.why.items()},
            "because": say_why(each[of], songs.take([place])),
        }
        for place, (near, of) in enumerate(zip(found, kin_of, strict=True))
    ]


def neighbours(
    catalogue: Catalogue, found: Sequence[KinshipNeighbour], kin: Catalogue
) -> list[Neighbour]:
    """Return songs as neighbours of the first song of `kin`."""
    fields = neighbour_fields(catalogue, found, kin, [0] * len(found))
    return [Neighbour.model_construct(**each) for each in fields]


def rounded(number: float | np.floating[Any], digits: int = 4) -> float | None:
    """Return a number as JSON can hold it: None for NaN."""
    return round(float(number), digits) if np.isfinite(number) else None
