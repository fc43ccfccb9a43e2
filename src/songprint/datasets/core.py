"""What a data set is: an index of tracks with labels, artists and splits, and where it is from.

After mirdata [1]_, but with the official splits. Nothing is decoded here and nothing is
downloaded: a loader says what is on the disk, and what of the data set is not.

References
----------
.. [1] R. M. Bittner et al., "mirdata: software for reproducible usage of datasets", ISMIR 2019.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from songprint.audio.suffixes import AUDIO_SUFFIXES
from songprint.errors import UsageError

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")


@dataclass(frozen=True)
class Track:
    """A song of a data set.

    Attributes
    ----------
    id : str
        Unique in its data set.
    path : Path
        The audio file.
    labels : tuple of str
        Its genres in the taxonomy's spelling, the main one first; never empty.
    artist : str or None
        Groups the songs that must not be split between training and measurement.
    split : {"train", "valid", "test"} or None
        The official part, if the data set has parts.
    """

    id: str
    path: Path
    labels: tuple[str, ...]
    artist: str | None = None
    split: Split | None = None

    @property
    def label(self) -> str:
        """The main label."""
        return self.labels[0]


@dataclass(frozen=True)
class LeftOut:
    """A song of a data set that cannot be used.

    Attributes
    ----------
    id : str
        What it is called: the name of a clip, a path, or a line of a table.
    reason : str
        Why, in lower case, so that "12 songs: REASON" reads well.
    split : {"train", "valid", "test"} or None
        The part that it is missed in.
    expected : bool
        Whether nothing is wrong with the user's copy: the data set itself is so.
    """

    id: str
    reason: str
    split: Split | None = None
    expected: bool = False


@dataclass(frozen=True)
class About:
    """Where a data set is from.

    Attributes
    ----------
    title, licence, citation : str
        What it is called, what may be done with it, and whom to thank.
    where : str
        Where a person gets it.
    splits : mapping of str to int
        Songs in each official part, as published; empty if there are none.
    checksums : mapping of str to str
        ``algorithm:digest`` of the archives that its authors hand out, as far as published.
    """

    title: str
    licence: str
    citation: str
    where: str
    splits: Mapping[str, int] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """A data set on disk; iterating over it reads its index anew and yields its tracks.

    Attributes
    ----------
    name : str
        Of the loader: ``gtzan``, ``fma``, ``folder``, ``table`` or ``tags``.
    path : Path
        Where it lies.
    about : About
        Where it is from.
    entries : callable
        Yields every song, as a track or as left out, in an order that does not change.
    note : str or None
        What had to be guessed to open it, for people.
    """

    name: str
    path: Path
    about: About
    entries: Callable[[], Iterator[Track | LeftOut]]
    note: str | None = None

    def __iter__(self) -> Iterator[Track]:
        for entry in self.entries():
            if isinstance(entry, Track):
                yield entry


def sort_out(entries: Iterable[Track | LeftOut]) -> tuple[list[Track], list[LeftOut]]:
    """Part the tracks from what is left out."""
    tracks: list[Track] = []
    left_out: list[LeftOut] = []
    for entry in entries:
        if isinstance(entry, Track):
            tracks.append(entry)
        else:
            left_out.append(entry)
    return tracks, left_out


def tell_left_out(left_out: Iterable[LeftOut], most: int = 5) -> Iterator[str]:
    """Yield lines that tell what is left out: each song, or how many where there are many.

    Parameters
    ----------
    left_out : iterable of LeftOut
        What is left out.
    most : int
        The most songs that are named for one reason; more are only counted.

    Yields
    ------
    str
        Such as ``"12 songs (9 train, 3 test), each of which is not in the folder"``.
    """
    reasons: dict[str, list[LeftOut]] = {}
    for item in left_out:
        reasons.setdefault(item.reason, []).append(item)
    for reason, items in reasons.items():
        if len(items) <= most:
            yield from (f"{item.id}: {reason}" for item in items)
            continue
        counts = Counter(item.split for item in items)
        parts = ", ".join(f"{counts[split]} {split}" for split in SPLITS if counts[split])
        yield f"{len(items)} songs{f' ({parts})' if parts else ''}, each of which {reason}"


def require_folder(path: Path, what: str, where: str) -> None:
    """Raise `UsageError` unless there is a folder.

    Parameters
    ----------
    path : Path
        Where it should be.
    what : str
        What is expected there.
    where : str
        Where a person gets it.
    """
    if not path.is_dir():
        trouble = "is not a folder" if path.exists() else "there is no such folder"
        raise UsageError(f"{path}: {trouble}; {what} is expected. {where}".rstrip())


def list_folder(folder: Path) -> list[Path]:
    """Return what lies in a folder, by name, without hidden entries.

    Raises
    ------
    UsageError
        If it cannot be read.
    """
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read: {error.strerror or error}") from error


def is_audio(path: Path) -> bool:
    """Tell whether a file is named like a song."""
    return path.suffix.lower() in AUDIO_SUFFIXES


def audio_files(folder: Path) -> Iterator[Path]:
    """Yield the songs in a folder and below, by name; nothing hidden, each folder once.

    A folder below that cannot be read is passed over.
    """
    entered: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        status = os.stat(place)  # noqa: PTH116 - a Path of each folder is slow
        if (status.st_dev, status.st_ino) in entered:  # a link to a folder above
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and is_audio(path := Path(place, name)):
                yield path
