"""A folder per genre: ``GENRE/song.mp3``, or ``GENRE/ARTIST/…/song.mp3``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from songprint.datasets.core import (
    About,
    Dataset,
    LeftOut,
    Track,
    audio_files,
    is_audio,
    list_folder,
    require_folder,
)
from songprint.errors import DecodeError, UsageError
from songprint.genre.taxonomy import canonical_genre

ABOUT = About(
    title="a folder per genre",
    licence="the user's own files",
    citation="",
    where="Make one folder for each genre and put its songs there, or GENRE/ARTIST/song.",
)

FEWEST_SONGS = 3
"""Of a genre; where most folders hold fewer, they are no genres."""

FOLDERS_ASKED = 50
"""Folders of whose first song the artist is read, to know folders of artists."""

IN_NO_GENRE = "lies beside the folders of the genres, in none of them"


def open_folder(path: Path, *, artists_from_tags: bool = False) -> Dataset:
    """Open a folder of one folder per genre.

    Parameters
    ----------
    path : Path
        The folder of the genres' folders.
    artists_from_tags : bool
        Whether a song that lies in no folder of an artist is opened to read who made it.

    Raises
    ------
    UsageError
        If no folder in it holds a song.
    """
    require_folder(path, "a folder of one folder for each genre", "")
    if not has_genres(path):
        raise UsageError(f"{path}: no folder in it holds songs. {ABOUT.where}")
    return Dataset("folder", path, ABOUT, partial(_entries, path, artists_from_tags))


def has_genres(path: Path) -> bool:
    """Tell whether a folder holds folders that hold songs."""
    folders = (entry for entry in list_folder(path) if entry.is_dir())
    return any(next(audio_files(folder), None) for folder in folders)


def refuse_other_folders(path: Path, tracks: Iterable[Track]) -> None:
    """Raise `UsageError` if the folders are hardly genres, but artists or albums.

    Parameters
    ----------
    path : Path
        The folder of the folders.
    tracks : iterable of Track
        What :func:`open_folder` found in them.
    """
    songs: dict[str, list[Track]] = {}
    for track in tracks:
        songs.setdefault(track.id.partition("/")[0], []).append(track)
    few = [name for name, inside in songs.items() if len(inside) < FEWEST_SONGS]
    asked = list(songs)[:FOLDERS_ASKED]
    artists = [name for name in asked if _is_artist(name, songs[name][0])]
    if 2 * len(few) > len(songs):
        what = f"{len(few)} of {len(songs)} folders hold fewer than {FEWEST_SONGS} songs"
    elif 2 * len(artists) > len(asked):
        what = f"folders are called like the artists of their songs ({artists[0]})"
    else:
        return
    raise UsageError(
        f"{path}: {what} and are hardly genres; sort songs into a folder for each genre, or take "
        f"the genres in their tags: tags:{path}"
    )


def _is_artist(name: str, song: Track) -> bool:
    return (_tagged_artist(song.path) or "").casefold() == name.casefold()


def _entries(root: Path, artists_from_tags: bool) -> Iterator[Track | LeftOut]:
    for entry in list_folder(root):
        if entry.is_dir():
            label = canonical_genre(entry.name)
            for song in audio_files(entry):
                yield _track(root, entry, song, label, artists_from_tags)
        elif is_audio(entry):
            yield LeftOut(entry.name, IN_NO_GENRE)


def _track(root: Path, genre: Path, song: Path, label: str, from_tags: bool) -> Track:
    folders = song.relative_to(genre).parts[:-1]
    artist = folders[0] if folders else _tagged_artist(song) if from_tags else None
    return Track(song.relative_to(root).as_posix(), song, (label,), artist)


def _tagged_artist(song: Path) -> str | None:
    from songprint.datasets.tags import read_tags

    try:
        return read_tags(song).artist
    except DecodeError:  # whoever hears the song will say so
        return None
