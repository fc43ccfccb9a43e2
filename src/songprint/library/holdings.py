"""What a library holds, in memory: which files there are and which songs are in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from songprint.audio.peaks import PEAKS_VERSION
from songprint.library.scan import is_within

if TYPE_CHECKING:
    from songprint.library.schema import FileRow
    from songprint.library.store import Library


class Holdings:
    """A library's files and songs, as the one writer knows them while it writes.

    Parameters
    ----------
    library : Library
        The library, which this process alone writes.
    model : str
        The model version that songs are to be heard with.

    Attributes
    ----------
    files : dict of str to FileRow
        By path.
    current, old : set of str
        Content hashes of the songs that this model has heard here, and of those that only another
        model has, or somebody else, or that were heard before songs had landmarks of this version.
    """

    def __init__(self, library: Library, model: str) -> None:
        self.files: dict[str, FileRow] = {file.path: file for file in library.files()}
        self._folders = library.folders()
        self._paths: defaultdict[str, set[str]] = defaultdict(set)
        for file in self.files.values():
            if file.content_hash is not None:
                self._paths[file.content_hash].add(file.path)
        peaks = library.read("landmarks", "content_hash", where=f"version = {PEAKS_VERSION}")
        identified = set(peaks["content_hash"].to_pylist())
        songs = library.read("songs", "content_hash", "model", "imported").to_pylist()
        self.current = {
            song["content_hash"]
            for song in songs
            if song["model"] == model
            and not song["imported"]
            and song["content_hash"] in identified
        }
        self.old = {song["content_hash"] for song in songs} - self.current

    def paths_of(self, song: str) -> Collection[str]:
        """Return the files that hold a song."""
        return self._paths.get(song, ())

    def main_path(self, paths: Iterable[str]) -> str:
        """Return the one of some files whose tags and place speak for their song.

        It is the one in the folder that was added first, whichever was heard first.
        """
        return min(paths, key=self._rank)

    def put(self, file: FileRow) -> None:
        """Take note of a file that is new or has changed."""
        self.drop(file.path)
        self.files[file.path] = file
        if file.content_hash is not None:
            self._paths[file.content_hash].add(file.path)

    def drop(self, path: str) -> None:
        """Take note that a file is no longer the library's."""
        before = self.files.pop(path, None)
        if before is not None and before.content_hash is not None:
            self._paths[before.content_hash].discard(path)

    def heard(self, song: str) -> None:
        """Take note that a song was heard."""
        self.current.add(song)
        self.old.discard(song)

    def _rank(self, path: str) -> tuple[int, str]:
        homes = (n for n, folder in enumerate(self._folders) if is_within(path, [folder]))
        return next(homes, len(self._folders)), path
