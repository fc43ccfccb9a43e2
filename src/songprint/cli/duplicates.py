"""``songprint duplicates``: which songs of the library are one recording."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from songprint.cli.options import LibraryOption
from songprint.cli.text import clock, complain, count, printable

if TYPE_CHECKING:
    from songprint.identify.duplicates import Pair, Sound
    from songprint.library.schema import FileRow, SongRow
    from songprint.library.store import Library

EXAMPLES = """\b
Examples:
  songprint duplicates
  songprint duplicates --list copies.txt
  songprint duplicates --json > duplicates.json

\b
Copies are of the same recording and master, in whatever encoding, a little longer
or shorter, with silence around. Excerpts and other masters are named apart, and
live versions, covers and new mixes are other recordings. These are proposals:
nothing is deleted. A list has a group after the other, the largest file first.
What was found is remembered, so that only new songs are compared, of small libraries
by songprint add already; stations and lists of kin then have each recording once.
"""


def duplicates(
    list_file: Annotated[
        Path | None,
        typer.Option(
            "--list",
            metavar="FILE",
            help="Write the files of each group to a text file.",
            show_default=False,
        ),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Compare all songs, not only those that are new.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    library: LibraryOption = None,
) -> None:
    """Find recordings that the library has more than once."""
    from songprint.cli.listing import print_document
    from songprint.cli.output import require_place, write_whole

    if list_file is not None:
        require_place(list_file)
    found = _Found(library, anew=anew)
    if list_file is not None:
        write_whole(list_file, found.listed().encode("utf-8", "surrogateescape"))
    if as_json:
        print_document(found.document())
    else:
        for line in found.lines():
            typer.echo(line)


class _Found:
    """The duplicates of a library, and how they are told."""

    def __init__(self, library: Path | None, *, anew: bool) -> None:
        from songprint.cli.progress import CountProgress
        from songprint.identify.duplicates import group_copies, told_apart
        from songprint.identify.index import Index
        from songprint.identify.recordings import Recordings
        from songprint.library.store import Library

        kept = Library.open(library)
        index = Index.of(kept)
        self._songs = {row.content_hash: row for row in kept.find()}
        self._files: defaultdict[str, list[FileRow]] = defaultdict(list)
        for file in kept.files("content_hash is not null and missing is null"):
            self._files[file.content_hash or ""].append(file)
        self._unheard = len(self._songs) - len(index)
        with CountProgress(len(index), "songs") as progress:
            recordings = Recordings.of(kept, index, anew=anew, on_song=progress.move)
        pairs = told_apart(recordings.pairs, _sounds(kept))
        self._pairs = [p for p in pairs if p.first in self._songs and p.second in self._songs]
        grouped = group_copies(self._pairs)
        tied = {song for group in grouped for song in group}
        several = [s for s in self._songs if len(self._files[s]) > 1 and s not in tied]
        self._groups = [self._largest_first(group) for group in grouped]
        self._groups += [[song] for song in sorted(several)]
        if self._unheard > 0:
            complain(
                f"{count(self._unheard, 'song')} cannot be compared: no audio here, or heard by an"
                " older songprint; songprint add hears those again"
            )

    def document(self) -> dict[str, Any]:
        """Return the JSON document; ``schemas/duplicates.json`` describes it."""
        return {
            "songs": len(self._songs),
            "not_compared": max(self._unheard, 0),
            "groups": [
                {
                    "songs": [self._song(song) for song in group],
                    "evidence": [_pair(p) for p in self._pairs_of(group)],
                }
                for group in self._groups
            ],
            "excerpts": [self._with_songs(p) for p in self._pairs if p.kind == "excerpt"],
            "masters": [self._with_songs(p) for p in self._pairs if p.kind == "master"],
        }

    def lines(self) -> list[str]:
        """Return what people are told."""
        lines = []
        for group in self._groups:
            lines.append(_named(self._songs[group[0]]))
            lines += [
                f"  {clock(self._songs[song].seconds)}  {file.size / 1e6:6.1f} MB  "
                f"{printable(file.path)}"
                for song in group
                for file in self._files[song]
            ]
            if found := self._pairs_of(group):
                weakest = min(pair.agreement for pair in found)
                lines.append(f"  same recording: {_percent(weakest)} of the spectral peaks agree")
            else:
                lines.append("  same audio, bit by bit")
        for kind, what in (("excerpt", "an excerpt of"), ("master", "another master of")):
            lines += [
                f"{_named(self._songs[p.first])} is {what} {_named(self._songs[p.second])}"
                + (f", {_place(p)}" if kind == "excerpt" else "")
                for p in self._pairs
                if p.kind == kind
            ]
        return lines or ["no duplicates"]

    def listed(self) -> str:
        """Return the list of files."""
        blocks = []
        for number, group in enumerate(self._groups, 1):
            files = [file for song in group for file in self._files[song]]
            files.sort(key=lambda file: (-file.size, file.path))
            named = f"# {number}: {_named(self._songs[group[0]])}"
            blocks.append("\n".join([named, *(file.path for file in files)]) + "\n")
        return "\n".join(blocks)

    def _largest_first(self, group: list[str]) -> list[str]:
        def size(song: str) -> int:
            return max((file.size for file in self._files[song]), default=0)

        return sorted((song for song in group), key=lambda song: (-size(song), song))

    def _pairs_of(self, group: list[str]) -> list[Pair]:
        return [p for p in self._pairs if p.kind == "copy" and p.first in group]

    def _song(self, song: str) -> dict[str, Any]:
        row = self._songs[song]
        return {
            "content_hash": song,
            "paths": [file.path for file in self._files[song]],
            "title": row.title,
            "artist": row.artist,
            "album": row.album,
            "seconds": round(row.seconds, 3),
        }

    def _with_songs(self, pair: Pair) -> dict[str, Any]:
        return {"songs": [self._song(pair.first), self._song(pair.second)], **_pair(pair)}


def _sounds(library: Library) -> dict[str, Sound]:
    from songprint.identify.duplicates import Sound

    if not len(library):
        return {}
    catalogue = library.catalogue()
    dynamics, brightness = catalogue.number("dynamic_range_db"), catalogue.number("brightness_hz")
    return {
        song: Sound(float(dynamics[row]), float(brightness[row]))
        for row, song in enumerate(catalogue.hashes.tolist())
    }


def _named(song: SongRow) -> str:
    named = f"{song.artist} - {song.title}" if song.artist and song.title else song.title
    return printable(named or song.path or song.content_hash)


def _percent(share: float) -> str:
    """Return a share in whole per cent, rounded down: 100% is all of it."""
    return f"{int(100 * share + 1e-6)}%"


def _place(excerpt: Pair) -> str:
    """Return where in the longer song an excerpt lies."""
    start = max(excerpt.offset_seconds, 0.0)
    return f"{clock(start)} to {clock(start + excerpt.common_seconds)}"


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "agreement": round(pair.agreement, 4),
        "weakest": round(pair.weakest, 4),
        "offset_seconds": round(pair.offset_seconds, 3),
        "common_seconds": round(pair.common_seconds, 3),
        "covered": round(pair.covered, 4),
    }
