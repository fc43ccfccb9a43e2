"""From what was named to the songs to be heard.

1. A file that is named is always tried, whatever it is called.
2. A folder is walked, in the order of names: files with an audio suffix, nothing hidden.
   Links are followed, each folder is entered once.
3. A file that is found twice is heard once, in the first place.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from songprint.audio.suffixes import AUDIO_SUFFIXES
from songprint.errors import SongprintError
from songprint.library.objects import is_object, look_at_object, songs_under, uri_of

NOTHING_HERE = "there are no songs in this folder"
IN_A_STORE = "is in an object store, whose songs only songprint add hears"


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


@dataclass(frozen=True)
class FileOnDisk:
    """A file as the file system tells of it.

    Attributes
    ----------
    path : str
        Absolute, links resolved: a file and all links to it are one.
    size : int
        Bytes.
    mtime_ns : int
        When it was last written.
    """

    path: str
    size: int
    mtime_ns: int


@dataclass
class Scan:
    """What lies in some places.

    Attributes
    ----------
    files : dict of str to FileOnDisk
        By path, in the order in which they were found.
    problems : list of Found
        Places and folders in which nothing was found or that could not be read.
    roots : list of str
        The folders among the places: absolute, links resolved.
    empty : set of str
        Those of the roots in which there was nothing: perhaps a disk that is not there.
    unread : list of str
        Folders that could not be read, of whose files nothing is known.
    """

    files: dict[str, FileOnDisk] = field(default_factory=dict)
    problems: list[Found] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)
    empty: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)

    def look_for(self, path: str) -> None:
        """Look at a file of which it was known, and which may be named like no song."""
        if is_object(path) and path.lower().endswith(tuple(AUDIO_SUFFIXES)):
            return  # it would have been listed; a thousand cost one question, this would be one
        if self.tells_of(path):
            try:
                file = look_at(path)
            except (FileNotFoundError, NotADirectoryError):
                return
            except OSError:
                self.unread.append(path)
            else:
                self.files.setdefault(file.path, file)

    def tells_of(self, path: str) -> bool:
        """Tell whether a file of this path would have been found if it were there."""
        return is_within(path, self.roots) and not is_within(path, self.unread)


def scan(places: Iterable[str]) -> Scan:
    """Look at files and folders, and at all songs in the folders; none is opened.

    Parameters
    ----------
    places
        Paths of files and folders, and URIs of objects and prefixes.
    """
    places = list(places)
    objects = [place for place in places if is_object(place)]
    places = [place for place in places if not is_object(place)]
    seen = Scan(roots=[os.path.realpath(place) for place in places if _is_folder(place)])
    for uri in map(uri_of, objects):
        _scan_store(uri, seen)
    real_places = _Places()
    for found in find_songs(places):
        if found.problem is None:
            place = real_places.key(found.path)
            try:
                file = look_at(place)
            except FileNotFoundError:
                seen.problems.append(_nowhere(found.path, place))
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                seen.problems.append(Found(found.path, f"cannot be read: {reason}"))
            else:
                seen.files.setdefault(file.path, file)
            continue
        seen.problems.append(found)
        if found.problem == NOTHING_HERE:
            seen.empty.add(os.path.realpath(found.path))
        elif found.path:
            seen.unread.append(os.path.realpath(found.path))
    return seen


def _nowhere(path: str, place: str) -> Found:
    """Say that a file is not there; a link that leads nowhere by where it lies."""
    if os.path.islink(place):  # noqa: PTH114
        return Found(place, f"links to {os.path.realpath(place)}, which is not there")
    return Found(path, "there is no such file")


def _scan_store(uri: str, seen: Scan) -> None:
    """Look at an object, or at all songs under a prefix."""
    try:
        files = [FileOnDisk(*found) for found in songs_under(uri)]
        alone = None if files else look_at_object(uri)
    except SongprintError as error:
        seen.problems.append(Found(uri, str(error).removeprefix(f"{uri}: ")))
        seen.unread.append(uri)
        return
    if alone is not None:
        seen.files.setdefault(uri, FileOnDisk(uri, *alone))
        return
    seen.roots.append(uri)
    seen.files.update((file.path, file) for file in files)
    if not files:
        seen.problems.append(Found(uri, NOTHING_HERE))
        seen.empty.add(uri)


def look_at(path: str) -> FileOnDisk:
    """Return a file as it is now.

    Parameters
    ----------
    path
        Absolute; no folder on the way is a link, but the file may be one. Or a URI.

    Raises
    ------
    OSError
        If it is not there, or may not be looked at.
    """
    if is_object(path):
        found = look_at_object(path)
        if found is None:
            raise FileNotFoundError(path)
        return FileOnDisk(path, *found)
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        path = os.path.realpath(path)
        status = os.stat(path)  # noqa: PTH116 - a Path of each file is slow
    return FileOnDisk(path, status.st_size, status.st_mtime_ns)


def is_within(path: str, folders: Iterable[str]) -> bool:
    """Tell whether a path lies in one of some folders, or is one; all are absolute."""
    return any(path == f or path.startswith(f.rstrip(os.sep) + os.sep) for f in folders)


def _is_folder(place: str) -> bool:
    return bool(place) and os.path.isdir(place)  # noqa: PTH112 - a Path would rewrite the name


def _expand(argument: str) -> Iterator[Found]:
    if not argument:
        yield Found(argument, "there is no such file: the name is empty")
    elif is_object(argument):
        yield Found(argument, IN_A_STORE)
    elif not _is_folder(argument):
        yield Found(argument)
    else:
        empty = True
        for found in _walk(argument):
            empty = False
            yield found
        if empty:
            yield Found(argument, NOTHING_HERE)


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
