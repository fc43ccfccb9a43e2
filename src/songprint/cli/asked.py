"""From the songs that a person names to songs of the library, or of none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songprint.cli.text import complain
from songprint.errors import UsageError

if TYPE_CHECKING:
    from songprint.kinship.neighbours import Kinship
    from songprint.library.catalogue import Catalogue
    from songprint.library.store import Library

_NAMED = 5


@dataclass(frozen=True, eq=False)
class Named:
    """A song that was named.

    Attributes
    ----------
    row : int or None
        Its row in the library's catalogue; None if it is not in the library.
    song : Catalogue
        The song alone.
    """

    row: int | None
    song: Catalogue


class Shelf:
    """A library, open to be asked for kin.

    Parameters
    ----------
    library : Path, optional
        Its folder, or where libraries usually lie.
    """

    def __init__(self, library: Path | None) -> None:
        from songprint.library.store import Library

        self.library: Library = Library.open(library)
        self.catalogue: Catalogue = self.library.catalogue()

    @cached_property
    def kinship(self) -> Kinship:
        """How alike the library's songs are."""
        from songprint.kinship.neighbours import Kinship

        return Kinship(self.catalogue)

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each content hash."""
        return {content: row for row, content in enumerate(self.catalogue.hashes.tolist())}

    def set_plays(self, plays: Mapping[str, float]) -> None:
        """Take play counts, by content hash, for those of the library from here on."""
        counts = self.catalogue.plays.copy()
        for content, count in plays.items():
            counts[self.rows[content]] = count
        self.catalogue = replace(self.catalogue, plays=counts)
        self.__dict__.pop("kinship", None)

    def find(self, name: str) -> Named:
        """Return the song that a person means: a file, a content hash, or words of a title.

        A file that is not in the library is heard.

        Raises
        ------
        UsageError
            If it means no song or several.
        DecodeError
            If the file cannot be heard.
        """
        found = self.library.row_of(name)
        if found is not None and found.content_hash in self.rows:
            return self._of_row(self.rows[found.content_hash])
        if os.path.isfile(name):  # noqa: PTH113 - a Path would rewrite the name
            return self._hear(name)
        return self._search(name)

    def find_own(self, names: Sequence[str]) -> list[int]:
        """Return the rows of songs that must be in the library.

        Raises
        ------
        UsageError
            If one is not.
        """
        rows = []
        for name in names:
            named = self.find(name)
            if named.row is None:
                raise UsageError(f"{name}: is not in the library; songprint add puts it there")
            rows.append(named.row)
        return rows

    def find_all(self, names: Sequence[str]) -> tuple[list[Named], Catalogue]:
        """Return songs, and a catalogue of them; each song once.

        Raises
        ------
        UsageError
            As :meth:`find`.
        """
        named = [self.find(name) for name in names]
        once = {one.song.hashes[0]: one for one in named}
        return list(once.values()), joined([one.song for one in once.values()])

    def _of_row(self, row: int) -> Named:
        return Named(row, self.catalogue.take([row]))

    def _hear(self, path: str) -> Named:
        from songprint.fingerprints import default_fingerprinter
        from songprint.library.catalogue import catalogue_of

        fingerprinter = default_fingerprinter()
        if fingerprinter.model_version != self.catalogue.model:
            raise UsageError(
                f"{path}: is not in the library, whose songs an older songprint heard;"
                " songprint add hears them again"
            )
        heard = fingerprinter.fingerprint(path)
        if heard.content_hash in self.rows:
            return self._of_row(self.rows[heard.content_hash])
        tags = _tags(path)
        return Named(
            None,
            catalogue_of(
                [heard],
                paths=[path],
                titles=[tags.title],
                artists=[tags.artist],
                albums=[tags.album],
            ),
        )

    def _search(self, words: str) -> Named:
        # A word that looks like a path was meant as one.
        looks_like_path = os.sep in words or "/" in words
        found = [] if looks_like_path else self.library.find(text=words, limit=_NAMED + 1)
        rows = [self.rows[song.content_hash] for song in found if song.content_hash in self.rows]
        exact = [
            row for row in rows if (self.catalogue.titles[row] or "").casefold() == words.casefold()
        ]
        rows = exact if len(exact) == 1 else rows
        if not rows:
            raise UsageError(
                f"{words or repr(words)}: there is no such file, and no such song in the library"
            )
        if len(rows) > 1:
            several = f"{len(rows)}" if len(rows) <= _NAMED else f"more than {_NAMED}"
            titles = "; ".join(label(self.catalogue, row) for row in rows[:_NAMED])
            raise UsageError(f"{words}: may mean {several} songs: {titles}")
        if not exact:
            complain(f"{words}: taken for {label(self.catalogue, rows[0])}")
        return self._of_row(rows[0])


class DiskShelf(Shelf):
    """A library that need not fit into memory: only what a name may mean, then what is near it.

    Parameters
    ----------
    library : Path, optional
        Its folder, or where libraries usually lie.
    name : str
        What :meth:`find` will be asked for.
    """

    def __init__(self, library: Path | None, name: str) -> None:
        from songprint.library.store import Library

        self.library = Library.open(library)
        meant = [self.library.row_of(name), *self.library.find(text=name, limit=_NAMED + 1)]
        self.catalogue = self.library.catalogue([row.content_hash for row in meant if row])

    def find(self, name: str) -> Named:
        """Return the song that a person means, with its candidates as the catalogue from then on.

        Raises
        ------
        UsageError, DecodeError
            As :meth:`Shelf.find`.
        """
        from songprint.cli.progress import SongProgress
        from songprint.kinship.ondisk import KinshipIndex

        named = super().find(name)
        index = KinshipIndex(self.library)
        with SongProgress() as progress:
            index.update(progress.show)
        itself = str(named.song.hashes[0])
        self.catalogue = self.library.catalogue({*index.candidates(named.song), itself})
        self.__dict__.pop("rows", None)
        return Named(self.rows.get(itself), named.song)


def _tags(path: str) -> Any:
    from songprint.audio.container import open_song
    from songprint.library.tags import song_tags

    with open_song(path) as song:
        return song_tags(song)


def joined(catalogues: Sequence[Catalogue]) -> Catalogue:
    """Return the songs of several catalogues of one model as one, in order.

    Parameters
    ----------
    catalogues : sequence of Catalogue
        One or more.
    """
    import numpy as np

    first = catalogues[0]
    columns = {
        field.name: np.concatenate([getattr(one, field.name) for one in catalogues])
        for field in fields(first)
        if isinstance(getattr(first, field.name), np.ndarray)
    }
    return type(first)(vocabulary=first.vocabulary, model=first.model, **columns)


def label(catalogue: Catalogue, row: int) -> str:
    """Return what a song is called: artist and title, or its file's name."""
    title, artist, path = catalogue.titles[row], catalogue.artists[row], catalogue.paths[row]
    if title:
        return f"{artist} - {title}" if artist else str(title)
    return os.path.basename(path) if path else str(catalogue.hashes[row])  # noqa: PTH119
