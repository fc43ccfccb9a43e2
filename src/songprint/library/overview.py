"""What there is in a library: songs, hours, genres, files that failed, are gone or are copies."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from songprint.library.schema import quoted

if TYPE_CHECKING:
    from songprint.library.schema import FileRow
    from songprint.library.store import Library


@dataclass(frozen=True)
class GenreShare:
    """Songs of a genre.

    Attributes
    ----------
    name : str
        The genre; None for the songs of which no genre is sure.
    songs : int
        How many.
    hours : float
        What they last.
    """

    name: str | None
    songs: int
    hours: float


@dataclass(frozen=True)
class Overview:
    """What there is in a library.

    Attributes
    ----------
    songs, files, imported : int
        Songs of the library's model, files, and songs that came without audio.
    hours : float
        What the songs last.
    model : str or None
        The library's model.
    waiting : int
        Songs that this model has not heard yet, or cannot.
    origins : dict of str to int
        The files that songs of any model came in, and how many.
    genres : list of GenreShare
        Most songs first, the unsure last.
    failed, missing : list of FileRow
        Files in which no song could be heard; files that are gone.
    duplicates : dict of str to list of str
        Songs that several files hold: content hash to paths.
    n_bytes : int
        What the library takes on the disk.
    """

    songs: int
    files: int
    imported: int
    hours: float
    model: str | None
    waiting: int
    origins: dict[str, int]
    genres: list[GenreShare]
    failed: list[FileRow]
    missing: list[FileRow]
    duplicates: dict[str, list[str]]
    n_bytes: int


def overview(library: Library) -> Overview:
    """Look over a library.

    Raises
    ------
    LibraryError
        If it cannot be read.
    """
    model = library.model
    songs = library.read(
        "songs", "genre", "unsure", "seconds", "imported", where=f"model = {quoted(model or '')}"
    )
    files = library.files()
    return Overview(
        songs=len(songs),
        files=len(files),
        imported=pc.sum(songs["imported"]).as_py() or 0,
        hours=(pc.sum(songs["seconds"]).as_py() or 0.0) / 3600,
        model=model,
        waiting=len(library) - len(songs),
        origins=origins_of(library),
        genres=_genres(songs.to_pylist()),
        failed=[file for file in files if file.error is not None],
        missing=[file for file in files if file.missing is not None],
        duplicates=_duplicates(files),
        n_bytes=library.n_bytes(),
    )


def origins_of(library: Library) -> dict[str, int]:
    """Return how many songs came in files of each name, by name."""
    rows = library.read("songs", "content_hash", "origin", where="imported").to_pylist()
    came = {(row["origin"] or "unnamed", row["content_hash"]) for row in rows}
    return dict(sorted(Counter(origin for origin, _ in came).items()))


def _genres(songs: list[dict[str, object]]) -> list[GenreShare]:
    seconds = defaultdict[str | None, list[float]](list)
    for song in songs:
        name = None if song["unsure"] else str(song["genre"])
        seconds[name].append(float(str(song["seconds"])))
    shares = [GenreShare(name, len(s), sum(s) / 3600) for name, s in seconds.items()]
    return sorted(shares, key=lambda share: (share.name is None, -share.songs, share.name or ""))


def _duplicates(files: list[FileRow]) -> dict[str, list[str]]:
    paths = defaultdict[str, list[str]](list)
    for file in files:
        if file.content_hash is not None and file.missing is None:
            paths[file.content_hash].append(file.path)
    return {song: held for song, held in paths.items() if len(held) > 1}
