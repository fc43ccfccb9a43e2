"""From what was named on the command line to the songs to be heard.

1. A file that is named is always tried, whatever it is called.
2. A folder is walked, in the order of names: files with an audio suffix, nothing hidden.
   Links are followed, each folder is entered once.
3. A file that is found twice is heard once, in the first place.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from songprint.audio.suffixes import AUDIO_SUFFIXES


@dataclass(frozen=True)
class Found:
    """A path and, unless it may be heard, why not.

    Attributes
    ----------
    path : str
        As the caller named it, or as the folder that the caller named leads to it.
    problem : str or None
        Why there is nothing to be heard, in lower case.
    """

    path: str
    problem: str | None = None


def find_songs(arguments: Iterable[str]) -> list[Found]:
    """Expand files and folders into songs, in order, each once.

    Parameters
    ----------
    arguments
        Paths of files and folders.

    Returns
    -------
    list of Found
        Songs, and a problem for each folder that is empty or cannot be read.
    """
    places = _Places()
    firsts: dict[str, Found] = {}
    for argument in arguments:
        for found in _expand(argument):
            firsts.setdefault(places.key(found.path), found)
    return list(firsts.values())


def _expand(argument: str) -> Iterator[Found]:
    if not argument:
        yield Found(argument, "there is no such file: the name is empty")
    elif not os.path.isdir(argument):  # noqa: PTH112 - a Path would rewrite the name
        yield Found(argument)
    else:
        empty = True
        for found in _walk(argument):
            empty = False
            yield found
        if empty:
            yield Found(argument, "there are no songs in this folder")


def _walk(folder: str) -> Iterator[Found]:
    """Yield a folder's songs and its unreadable sub-folders, in the order of names."""
    entered: set[tuple[int, int]] = set()
    waiting = [folder]  # a stack, since a tree may be deeper than Python recurses
    while waiting:
        path = waiting.pop()
        try:
            if path == folder or os.path.isdir(path):  # noqa: PTH112
                waiting += reversed(_entries(path, entered))
            else:
                yield Found(path)
        except OSError as error:
            yield Found(path, f"cannot be read: {error.strerror or error}")


def _entries(folder: str, entered: set[tuple[int, int]]) -> list[str]:
    """Return the sub-folders and songs of a folder, by name; nothing if it was entered before."""
    status = os.stat(folder)  # noqa: PTH116
    if (status.st_dev, status.st_ino) in entered:
        return []
    entered.add((status.st_dev, status.st_ino))
    with os.scandir(folder) as entries:
        return sorted(entry.path for entry in entries if _is_wanted(entry))


def _is_wanted(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith("."):
        return False
    if os.path.splitext(entry.name)[1].lower() in AUDIO_SUFFIXES:  # noqa: PTH122
        return True
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


class _Places:
    """Tells whether two paths are the same entry of the same folder, however it was reached."""

    def __init__(self) -> None:
        self._real_folders: dict[str, str] = {}

    def key(self, path: str) -> str:
        folder, name = os.path.split(os.path.normpath(path) if path else "")
        if folder not in self._real_folders:
            self._real_folders[folder] = os.path.realpath(folder)
        return os.path.join(self._real_folders[folder], name)  # noqa: PTH118
