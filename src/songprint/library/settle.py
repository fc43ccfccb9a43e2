"""What is left to do when all files have been looked into: files that are gone, songs without any.

It starts from what the tables hold, not from what this run did, so that it also finishes what a
run that was killed left undone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from songprint.library.objects import exists
from songprint.library.scan import is_within
from songprint.library.schema import read_path, tag_columns
from songprint.library.tags import SongTags

if TYPE_CHECKING:
    from songprint.library.holdings import Holdings
    from songprint.library.ingest import Added
    from songprint.library.scan import Scan
    from songprint.library.store import Library
    from songprint.library.writer import Writer


def settle_files(
    writer: Writer,
    holdings: Holdings,
    seen: Scan,
    added: Added,
    strangers: Iterable[str],
    *,
    prune: bool,
) -> None:
    """Forget the files that were moved away, and mark or forget those that are gone.

    Parameters
    ----------
    writer, holdings : Writer, Holdings
        The library.
    seen : Scan
        What there is.
    added : Added
        Is told what was moved, is missing, or was pruned.
    strangers : iterable of str
        New files of songs that were known before.
    prune : bool
        Forget the files that are gone.
    """
    strangers = set(strangers)
    gone = {
        path for path in holdings.files if path not in seen.files and seen.tells_of(path)
    } | _gone_siblings(holdings, strangers)
    now = datetime.now(UTC)
    forgotten, missing = [], []
    for path in sorted(gone):
        file = holdings.files[path]
        others = set(holdings.paths_of(file.content_hash or "")) - gone
        moved = others & strangers
        if moved:
            strangers.discard(min(moved))
            added.moved += 1
            added.duplicates -= 1
        if others or file.content_hash is None:
            forgotten.append(path)
        elif prune and not is_within(path, seen.empty):
            forgotten.append(path)
            added.pruned += 1
        else:
            added.missing.append(path)
            if file.missing is None:
                missing.append(replace(file, missing=now, changed=now))
    writer.put_files(missing)
    writer.drop_files(forgotten)
    for file in missing:
        holdings.put(file)
    for path in forgotten:
        holdings.drop(path)


def _gone_siblings(holdings: Holdings, strangers: Iterable[str]) -> set[str]:
    """Return the other files of these files' songs that are gone, wherever they were."""
    songs = {holdings.files[path].content_hash or "" for path in strangers}
    siblings = {path for song in songs for path in holdings.paths_of(song)}
    return {path for path in siblings if not exists(path)}


def settle_songs(library: Library, writer: Writer, holdings: Holdings, model: str) -> None:
    """Let each song's main file speak for it; forget songs without files and old fingerprints.

    An old fingerprint goes only when the songs of the new model are at least as many as those
    that it has not heard: until then the library answers with the old one. Songs that came without
    audio do not count, as they cannot be heard.
    """
    columns = ("content_hash", "model", "path", "imported")
    songs = library.read("songs", *columns).to_pylist()
    orphans: set[str] = set()
    mains: dict[str, str] = {}
    for song in songs:
        paths = holdings.paths_of(song["content_hash"])
        if paths:
            main = holdings.main_path(paths)
            if song["path"] is None or read_path(song["path"]) != main:
                mains[song["content_hash"]] = main
        elif not song["imported"]:
            orphans.add(song["content_hash"])
    if mains:
        _rename(library, writer, mains)
    writer.drop_songs(sorted(orphans))
    known = {song["content_hash"] for song in songs} - orphans
    landmarks = library.read("landmarks", "content_hash")["content_hash"].to_pylist()
    writer.drop_landmarks(sorted(set(landmarks) - known))
    new = {song["content_hash"] for song in songs if song["model"] == model} - orphans
    old = {song["content_hash"] for song in songs if song["model"] != model} - orphans
    own = {song["content_hash"] for song in songs if not song["imported"]}
    if len(new & own) >= len((old - new) & own):
        writer.drop_songs(sorted(old & new), but_of=model)


def _rename(library: Library, writer: Writer, mains: dict[str, str]) -> None:
    columns = ("content_hash", "title", "artist", "album", "album_artist", "year", "heard")
    changes: dict[str, dict[str, Any]] = {}
    for row in library.read_songs(list(mains), *columns).to_pylist():
        song, heard = row.pop("content_hash"), row.pop("heard")
        place = tag_columns(SongTags(**row), mains[song], heard)
        changes[song] = {
            "content_hash": song,
            "path": place["path"],
            "words": place["words"],
            "changed": datetime.now(UTC),
        }
    writer.change_songs(list(changes.values()))
