"""Songs by genre for a gallery: which are heard, and what is heard of them."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from songprint.cli.text import complain, printable
from songprint.errors import SongprintError, UsageError
from songprint.library.scan import Found, find_songs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from songprint.datasets.core import Dataset, Track
    from songprint.views.gallery import Gallery


def parse_genres(text: str | None) -> list[str] | None:
    """Return the genres that a person named, in the taxonomy's spelling; none for no choice."""
    from songprint.genre.taxonomy import canonical_genre

    if text is None:
        return None
    names = [canonical_genre(name) for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("--genres names nothing")
    return list(dict.fromkeys(names))


@dataclass
class Chosen:
    """The songs that are to be heard.

    Attributes
    ----------
    title : str
        What they are.
    songs : list of Found
        Their files.
    tracks : dict of str to Track or None
        By path; none where songprint itself says what genre they are.
    notes : list of str
        What a reader must know.
    failed : list of (str, str)
        Songs that the data set should have had, and what became of them.
    """

    title: str
    songs: list[Found]
    tracks: dict[str, Track] | None
    notes: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def choose(source: str, wanted: list[str] | None, per_genre: int, *, heard: bool) -> Chosen:
    """Choose the songs that are heard.

    Parameters
    ----------
    source
        A data set or a folder, as a person names it.
    wanted
        The genres that are wanted; none for all.
    per_genre
        The most songs of a genre.
    heard
        Whether labels are passed over, and songprint says what genre a song is.

    Raises
    ------
    UsageError
        If there are no songs, no such genres, or too many genres for a figure.
    """
    from songprint.datasets.opening import open_dataset

    if heard:
        return _choose_unlabelled(source, wanted, per_genre)
    dataset = open_dataset(source)
    if dataset.name == "tags" and not source.startswith("tags:"):
        complain(f"{source}: has no folders of genres; the genres are what songprint hears")
        return _choose_unlabelled(source, wanted, per_genre)
    if dataset.note:
        complain(dataset.note)
    return _choose_labelled(dataset, wanted, per_genre)


def _choose_labelled(dataset: Dataset, wanted: list[str] | None, per_genre: int) -> Chosen:
    from songprint.datasets.core import sort_out, tell_left_out
    from songprint.views.gallery import MOST_GENRES, select

    tracks, left_out = sort_out(dataset.entries())
    for line in tell_left_out(left_out):
        complain(line)
    present = sorted({track.label for track in tracks})
    missing = [name for name in wanted or [] if name not in present]
    if missing:
        raise UsageError(f"there are no songs of {', '.join(missing)}; there is {_list(present)}")
    if wanted is not None:
        tracks = [track for track in tracks if track.label in wanted]
    labels = {track.label for track in tracks}
    if not labels:
        raise UsageError(f"{dataset.path}: there are no songs here that can be heard")
    if len(labels) > MOST_GENRES:
        raise UsageError(
            f"{dataset.path}: {len(labels)} genres do not fit a figure: name {MOST_GENRES} at most "
            "with --genres, or let songprint sort the songs with --heard"
        )
    selection = select(tracks, per_genre)
    notes = []
    more = [label for label, count in selection.of.items() if count > per_genre]
    if more:
        notes.append(
            f"Of {len(tracks)} songs {len(selection.tracks)} were heard, at most {per_genre} of a "
            "genre, drawn by lot, by as many artists as there are"
        )
    title = dataset.path.resolve().name or dataset.about.title
    return Chosen(
        title,
        [Found(str(track.path)) for track in selection.tracks],
        {str(track.path): track for track in selection.tracks},
        notes,
        [(item.id, item.reason) for item in left_out if not item.expected],
    )


def _choose_unlabelled(source: str, wanted: list[str] | None, per_genre: int) -> Chosen:
    from songprint.genre.taxonomy import GENRES
    from songprint.views.gallery import lot

    if not os.path.exists(source):  # noqa: PTH110 - a Path would rewrite the name
        raise UsageError(f"{source}: there is no such file or folder")
    unknown = [name for name in wanted or [] if name not in GENRES]
    if unknown:
        raise UsageError(f"songprint hears no {', '.join(unknown)}; it hears {_list(GENRES)}")
    found = find_songs([source])
    most = per_genre * len(GENRES)
    songs = sorted(found, key=lambda song: lot(song.path))[:most]
    notes = []
    if len(songs) < len(found):
        notes.append(f"Of {len(found)} songs {len(songs)} were heard, drawn by lot")
    title = Path(source).resolve().name
    return Chosen(title, sorted(songs, key=lambda song: song.path), None, notes)


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:30])
    return f"{shown} and {len(names) - 30} more" if len(names) > 30 else shown


def hear_by_genre(
    chosen: Chosen, wanted: list[str] | None, per_genre: int, workers: int | None
) -> tuple[Gallery, list[tuple[str, str]]]:
    """Hear the songs and sort them by genre.

    Returns
    -------
    gallery : Gallery
        The genres.
    failed : list of (str, str)
        Songs that should have been in it, and why they are not.

    Raises
    ------
    SongprintError
        If there is no song left.
    """
    from songprint.cli.hearing import hear_all, usable_cores
    from songprint.cli.progress import HearingProgress
    from songprint.library.listen import Wanted
    from songprint.views.gallery import Gallery, Member, collect

    spectra = Wanted(views=("spectrum",))
    failed = list(chosen.failed)
    members = []
    unsure = unwanted = 0
    with HearingProgress(len(chosen.songs)) as progress:
        everything = hear_all(chosen.songs, spectra, workers or usable_cores(), progress.count)
        with closing(everything):
            for heard in everything:
                if heard.sounds is None:
                    failed.append((heard.path, heard.error or ""))
                    with progress.paused():
                        complain(f"{printable(heard.path)}: {heard.error}")
                    continue
                fingerprint, signals = heard.sounds.fingerprint, heard.sounds.signals
                track = None if chosen.tracks is None else chosen.tracks[heard.path]
                if track is None and fingerprint.unsure:
                    unsure += 1
                    continue
                genre = fingerprint.genres[0].name if track is None else track.label
                if track is None and wanted is not None and genre not in wanted:
                    unwanted += 1
                    continue
                artist = None if track is None else track.artist
                assert signals is not None
                assert signals.spectrum_dbfs is not None
                assert signals.level_dbfs is not None
                spectrum, level = signals.spectrum_dbfs, signals.level_dbfs
                members.append(Member(heard.path, genre, artist, fingerprint, spectrum, level))
    genres, notes = collect(members, per_genre)
    notes = [*chosen.notes, *notes]
    if unsure:
        notes.append(f"{unsure} left out: songprint is unsure of their genre")
    if unwanted:
        notes.append(f"{unwanted} left out: of other genres")
    if not genres:
        raise SongprintError("no song could be heard and sorted, so there is nothing to draw")
    shown = printable(chosen.title)
    return Gallery(shown, genres, chosen.tracks is not None, tuple(notes)), failed
