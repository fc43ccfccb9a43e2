"""Hears the songs of a data set, so that genres can be learnt from them.

A recording counts once, however many files hold it: on both sides of a measurement it would
flatter. One that carries two genres is not learnt from at all.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from songprint.cli.hearing import Heard, hear_all
from songprint.cli.progress import HearingProgress
from songprint.cli.text import complain, printable
from songprint.errors import DecodeError, SongprintError, UsageError
from songprint.library.scan import Found

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from songprint.datasets.core import Dataset, LeftOut, Track
    from songprint.genre.personal import Examples


TWICE = "is a recording that another file holds as well"


@dataclass(frozen=True, eq=False)
class Song:
    """A labelled song that was heard."""

    path: str
    label: str
    artist: str | None
    embedding: NDArray[np.float32]


@dataclass
class LabelledSongs:
    """What was heard of a data set.

    Attributes
    ----------
    songs : dict of str to Song
        By the hash of their audio.
    failed : list of (str, str)
        Each song that should have been usable but was not, and why.
    left_out : list of LeftOut
        What the data set itself does without.
    contradictions : dict of str to set of str
        The genres of recordings that carry more than one.
    """

    songs: dict[str, Song] = field(default_factory=dict)
    failed: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    contradictions: dict[str, set[str]] = field(default_factory=dict)

    @property
    def without_artist(self) -> int:
        """How many songs are by nobody known."""
        return sum(song.artist is None for song in self.songs.values())

    def fail(self, path: str, reason: str) -> None:
        """Count a song that cannot be used, and say so."""
        self.failed.append((path, reason))
        complain(f"{printable(path)}: {reason}")

    def examples(self) -> Examples:
        """Return what can be learnt from; a song by nobody known counts as an artist's only one.

        Raises
        ------
        SongprintError
            If no song was heard.
        """
        import numpy as np

        from songprint.genre.personal import Examples

        if not self.songs:
            raise SongprintError("no song could be heard, so nothing can be learnt")
        songs = list(self.songs.values())
        artists = [
            f"song {i}" if song.artist is None else f"artist {' '.join(song.artist.split())}"
            for i, song in enumerate(songs)
        ]
        return Examples(
            np.stack([song.embedding for song in songs]),
            np.array([song.label for song in songs]),
            np.array([artist.casefold() for artist in artists]),
        )


def hear_dataset(dataset: Dataset, workers: int) -> LabelledSongs:
    """Hear the songs of a data set, but those of its test part.

    Parameters
    ----------
    dataset
        What to hear.
    workers
        How many songs are heard at once.
    """
    from songprint.datasets.core import LeftOut, sort_out, tell_left_out

    tracks, left_out = sort_out(dataset.entries())
    if not tracks:
        for line in tell_left_out(left_out):
            complain(line)
        raise UsageError(f"{dataset.path}: no song here has a genre to be learnt")
    tested = [track for track in tracks if track.split == "test"]
    reason = "is for tests, and not learnt from"
    left_out += [LeftOut(track.id, reason, "test", expected=True) for track in tested]
    for line in tell_left_out(left_out):
        complain(line)
    labelled = LabelledSongs(
        failed=[(item.id, item.reason) for item in left_out if not item.expected],
        left_out=[item for item in left_out if item.expected],
    )
    _hear(labelled, [t for t in tracks if t.split != "test"], workers)
    _drop_contradictions(labelled)
    return labelled


def hear_background(labelled: LabelledSongs, folder: Path, workers: int) -> None:
    """Add the songs in a folder as the genre "other", but those that have a genre.

    Parameters
    ----------
    labelled
        What the songs are added to.
    folder
        All below it is heard.
    workers
        How many songs are heard at once.
    """
    from songprint.datasets.core import Track, audio_files, require_folder
    from songprint.genre.personal import OTHER

    require_folder(folder, "a folder of other music", "")
    tracks = [Track(str(path), path, (OTHER,)) for path in audio_files(folder)]
    _hear(labelled, tracks, workers)


def _hear(labelled: LabelledSongs, tracks: list[Track], workers: int) -> None:
    from songprint.library.listen import Wanted

    found = [Found(str(track.path)) for track in tracks]
    with HearingProgress(len(found)) as progress:
        everything = hear_all(found, Wanted(), workers, progress.count)
        with closing(everything):
            for track, heard in zip(tracks, everything, strict=True):
                if heard.error is not None:
                    with progress.paused():
                        labelled.fail(heard.path, heard.error)
                else:
                    _add(labelled, track, heard)


def _add(labelled: LabelledSongs, track: Track, heard: Heard) -> None:
    from songprint.datasets.core import LeftOut
    from songprint.genre.personal import OTHER

    if heard.fingerprint is None:
        return
    song = Song(heard.path, track.label, _artist(track), heard.fingerprint.embedding)
    first = labelled.songs.setdefault(heard.fingerprint.content_hash, song)
    if first is song:
        return
    if song.label not in (first.label, OTHER):
        genres = {first.label, song.label}
        labelled.contradictions.setdefault(heard.fingerprint.content_hash, set()).update(genres)
    labelled.left_out.append(LeftOut(heard.path, TWICE, expected=True))


def _drop_contradictions(labelled: LabelledSongs) -> None:
    for content_hash, genres in labelled.contradictions.items():
        song = labelled.songs.pop(content_hash)
        labelled.fail(song.path, f"is a recording with two genres: {', '.join(sorted(genres))}")
    labelled.contradictions.clear()


def _artist(track: Track) -> str | None:
    """Return the artist that the data set names, or else the file's own tags."""
    from songprint.datasets.tags import read_tags

    if track.artist is not None:
        return track.artist
    try:
        return read_tags(track.path).artist
    except DecodeError:  # the file has changed since it was heard
        return None
