"""Writes what was heard into the tags of files, and takes it back.

A file is never changed: its copy is tagged, is heard to hold the same song by its content hash, and
takes the file's place. What a field was before is noted before that, in a log in the library.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from songprint.descriptors.keys import key_number, short_key_name
from songprint.errors import DecodeError, LibraryError, SongprintError, UsageError
from songprint.files import replacing, sweep
from songprint.library.objects import is_object
from songprint.library.scan import Found, is_within
from songprint.library.schema import WORD_FROM, FileRow
from songprint.library.tagfields import FIELDS, FileTags, require_mutagen
from songprint.library.taglog import TagLog, last_log, within_reach

if TYPE_CHECKING:
    from songprint.library.catalogue import Catalogue
    from songprint.library.store import Library
    from songprint.library.writer import Writer

SURE_TEMPO = 0.5
SURE_KEY = 0.5
"""Confidence from which a tempo or a key is sure enough to be written."""

FILES_AT_ONCE = 100
"""Files that are written before the library is told of their new sizes and times."""

Texts = dict[str, list[str]]


@dataclass(frozen=True)
class TagWishes:
    """What shall be written.

    Attributes
    ----------
    fields : tuple of str
        Of "genre", "bpm", "key" and "mood".
    unsure : bool
        Also what is not sure.
    replace : bool
        Also where a field says something else.
    """

    fields: tuple[str, ...]
    unsure: bool = False
    replace: bool = False

    def __post_init__(self) -> None:
        if not self.fields:
            raise UsageError(f"name a field to write: {', '.join(FIELDS)}")
        if unknown := set(self.fields) - set(FIELDS):
            raise UsageError(f"{min(unknown)}: is none of {', '.join(FIELDS)}")


@dataclass(frozen=True)
class TagChange:
    """What changes in the tags of a file.

    Attributes
    ----------
    path : str
        The file.
    before, after : dict of str to list of str
        The texts of each field that changes; none where it is not there.
    """

    path: str
    before: Texts
    after: Texts


@dataclass
class Tagged:
    """What became of the files.

    Attributes
    ----------
    written : bool
        Whether they were written, or it was only looked at what would be.
    changes : list of TagChange
        One for each file that changes.
    same : int
        Files that say all of it already.
    kept : int
        Files that say something else somewhere, which was left.
    unsure : int
        Files of which something was not sure enough.
    failed : list of Found
        Files that were not changed, and why.
    """

    written: bool
    changes: list[TagChange] = field(default_factory=list)
    same: int = 0
    kept: int = 0
    unsure: int = 0
    failed: list[Found] = field(default_factory=list)


OnFile = Callable[[int, int], None]


def tag_files(
    library: Library,
    wishes: TagWishes,
    places: Sequence[str] = (),
    *,
    write: bool = False,
    on_file: OnFile | None = None,
) -> Tagged:
    """Write what was heard of a library's songs into the tags of their files.

    The mode, owner and extended attributes of a file stay; its time becomes that of the writing, so
    that a backup or a player notices. Of a file with several hard links the one that the library
    knows is changed.

    Parameters
    ----------
    library : Library
        The library.
    wishes : TagWishes
        What shall be written.
    places : sequence of str
        Only files in these folders, and these files; all if there are none.
    write : bool
        Write it; else say what would be.
    on_file : callable, optional
        Is told how many files were looked at, and how many there are.

    Raises
    ------
    SongprintError
        If mutagen is not installed.
    LibraryError
        If there are no songs, or another process is writing.
    UsageError
        If a place has none of the library's files.
    """
    require_mutagen()
    catalogue = library.catalogue()
    rows = {content_hash: row for row, content_hash in enumerate(catalogue.hashes.tolist())}
    roots = [os.path.realpath(place) for place in places]
    known = library.files("content_hash is not null and missing is null and error is null")
    for place, root in zip(places, roots, strict=True):
        if not any(is_within(file.path, [root]) for file in known):
            raise UsageError(f"{place}: no song of the library is there")
    files = [
        file
        for file in known
        if file.content_hash in rows and (not roots or is_within(file.path, roots))
    ]
    tagged = Tagged(write)
    with _session(library, write) as session:
        for number, file in enumerate(files, 1):
            try:
                if is_object(file.path):
                    raise SongprintError("is in an object store: only tags of files can be written")
                wanted = wanted_texts(catalogue, rows[file.content_hash or ""], wishes)
                change = _change(file, wanted, wishes, tagged)
                if change is not None:
                    if session is not None:
                        session.write(file, change)
                    tagged.changes.append(change)
            except LibraryError:
                raise  # without a way back, no file may be written
            except SongprintError as error:
                tagged.failed.append(Found(file.path, _reason(error, file.path)))
            if on_file is not None:
                on_file(number, len(files))
    return tagged


def untag_files(library: Library, *, write: bool = False, on_file: OnFile | None = None) -> Tagged:
    """Take back what the last :func:`tag_files` wrote that was not taken back yet.

    A field that says something else by now is left. A file that is not there, or write-protected,
    is named once, and does not bar the way to the runs before; its turn comes when it is back.

    Parameters
    ----------
    library, write, on_file
        As in :func:`tag_files`.

    Raises
    ------
    UsageError
        If nothing was written, or all was taken back.
    """
    require_mutagen()
    log = last_log(library.path)
    if log is None:
        raise UsageError(f"{library.place}: there is nothing to take back")
    files = {file.path: file for file in library.files()}
    tagged = Tagged(write)
    entries = log.open_entries()
    with _session(library, write, undoing=log) as session:
        for number, (entry, noted) in enumerate(entries.items(), 1):
            try:
                file = files.get(noted.path)
                if file is None or file.content_hash != noted.content_hash:
                    if write:  # or what was written before could never be taken back
                        log.close_entry(entry)
                    raise SongprintError("is not in the library any more as the song that it was")
                if not within_reach(noted.path):
                    if write:
                        log.leave_entry(entry)
                    _require_within_reach(Path(noted.path))
                change = _way_back(file, TagChange(noted.path, noted.before, noted.after), tagged)
                if change is not None:
                    if session is not None:
                        session.write(file, change, or_delete=not noted.had_tags)
                    tagged.changes.append(change)
                if session is not None:
                    log.close_entry(entry)
            except LibraryError:
                raise
            except SongprintError as error:
                tagged.failed.append(Found(noted.path, _reason(error, noted.path)))
            if on_file is not None:
                on_file(number, len(entries))
    return tagged


def wanted_texts(catalogue: Catalogue, row: int, wishes: TagWishes) -> dict[str, str | None]:
    """Return what tags should say of a song, by field; None where it is not sure enough.

    Examples
    --------
    A song in D minor at 118.2 BPM: ``{"genre": "Hip-Hop", "bpm": "118", "key": "Dm"}``.
    """
    texts = {
        "genre": _genre(catalogue, row, wishes.unsure),
        "bpm": _bpm(catalogue, row, wishes.unsure),
        "key": _key(catalogue, row, wishes.unsure),
        "mood": _mood(catalogue, row, wishes.unsure),
    }
    return {name: texts[name] for name in wishes.fields}


def _genre(catalogue: Catalogue, row: int, unsure: bool) -> str | None:
    if catalogue.unsure[row] and not unsure:
        return None
    return catalogue.vocabulary.genres[int(catalogue.genres[row].argmax())].title()


def _bpm(catalogue: Catalogue, row: int, unsure: bool) -> str | None:
    bpm = float(catalogue.number("tempo_bpm")[row])
    sure = unsure or catalogue.number("tempo_confidence")[row] >= SURE_TEMPO
    return f"{bpm:.0f}" if bpm > 0 and sure else None  # NaN where there is none


def _key(catalogue: Catalogue, row: int, unsure: bool) -> str | None:
    key = int(catalogue.keys[row])
    sure = unsure or catalogue.number("key_confidence")[row] >= SURE_KEY
    return short_key_name(key) if sure else None


def _mood(catalogue: Catalogue, row: int, unsure: bool) -> str | None:
    best = int(catalogue.moods[row].argmax())
    sure = unsure or catalogue.moods[row, best] >= WORD_FROM
    return catalogue.vocabulary.moods[best].title() if sure else None


def _change(
    file: FileRow, wanted: dict[str, str | None], wishes: TagWishes, tagged: Tagged
) -> TagChange | None:
    """Compare a file's tags with what is wanted, and count."""
    tags = FileTags(Path(file.path))
    before: Texts = {}
    after: Texts = {}
    kept = False
    for name, text in wanted.items():
        if text is None:
            continue
        shown = tags.shown(name)
        if len(shown) == 1 and _says(name, shown[0], text):
            continue
        if any(shown) and not wishes.replace:
            kept = True
            continue
        before[name], after[name] = tags.get(name), [text]
    tagged.unsure += None in wanted.values()
    tagged.kept += kept
    tagged.same += not after and not kept and None not in wanted.values()
    return TagChange(file.path, before, after) if after else None


def _says(field: str, told: str, text: str) -> bool:
    """Tell whether a tag says so already: a key in whatever spelling."""
    key = key_number(text) if field == "key" else None
    return told.casefold() == text.casefold() or (key is not None and key_number(told) == key)


def _way_back(file: FileRow, done: TagChange, tagged: Tagged) -> TagChange | None:
    tags = FileTags(Path(file.path))
    now = {name: tags.get(name) for name in done.after}
    ours = [name for name in now if now[name] == done.after[name]]
    tagged.kept += any(now[n] not in (done.after[n], done.before[n]) for n in now)
    tagged.same += all(now[n] == done.before[n] for n in now)
    if not ours:
        return None
    return TagChange(file.path, {n: now[n] for n in ours}, {n: done.before[n] for n in ours})


class _Session:
    """Writes tags, notes what was there before, and tells the library of new sizes and times."""

    def __init__(self, writer: Writer, log: TagLog | None) -> None:
        self._writer = writer
        self._log = log
        self._written: list[FileRow] = []
        self._swept: set[Path] = set()

    def write(self, file: FileRow, change: TagChange, *, or_delete: bool = False) -> None:
        path = Path(file.path)
        try:
            status = path.stat()
            if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
                raise SongprintError("has changed since it was added: songprint add first")
            _require_within_reach(path)
            self._sweep(path.parent)
            with replacing(path) as part:
                _copy(path, part)
                tags = FileTags(part)
                for name, texts in change.after.items():
                    tags.set(name, texts)
                tags.save(or_delete=or_delete)
                _require_same_song(part, file, change)
                if self._log is not None:
                    self._log.note(file, change.before, change.after, had_tags=tags.had_tags)
            status = path.stat()
        except OSError as error:
            raise SongprintError(f"cannot be written: {error.strerror or error}") from error
        self._written.append(
            replace(
                file,
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                changed=datetime.now(UTC),
            )
        )
        if len(self._written) >= FILES_AT_ONCE:
            self.tell()

    def _sweep(self, folder: Path) -> None:
        if folder not in self._swept:
            self._swept.add(folder)
            sweep(folder)

    def tell(self) -> None:
        """Tell the library, so that the next ``songprint add`` finds nothing new."""
        self._writer.put_files(self._written)
        self._written = []


@contextmanager
def _session(
    library: Library, write: bool, undoing: TagLog | None = None
) -> Iterator[_Session | None]:
    if not write:
        yield None
        return
    with library.writing() as writer:
        log = undoing or TagLog.new(library.path)
        session = _Session(writer, None if undoing else log)
        try:
            yield session
        finally:
            session.tell()
            log.close()


def _require_within_reach(path: Path) -> None:
    if not within_reach(str(path)):
        raise SongprintError("is write-protected" if path.exists() else "is not there")


def _copy(path: Path, part: Path) -> None:
    shutil.copy2(path, part)  # with its mode and extended attributes
    status = path.stat()
    with suppress(OSError, AttributeError):  # only an administrator may give files away
        os.chown(part, status.st_uid, status.st_gid)


def _require_same_song(part: Path, file: FileRow, change: TagChange) -> None:
    """Refuse a copy that is not the same song with the tags that were to be written."""
    from songprint.audio.hash import content_hash

    try:
        same = content_hash(part) == file.content_hash
    except DecodeError:
        same = False
    if not same:
        raise SongprintError("its sound would not stay the same: left as it was")
    tags = FileTags(part)
    if any(tags.get(name) != texts for name, texts in change.after.items()):
        raise SongprintError("its tags do not take these values: left as it was")


def _reason(error: SongprintError, path: str) -> str:
    return str(error).removeprefix(f"{path}: ")
