"""Where genre, tempo, key and mood lie in the tags of each kind of file.

Read and written with mutagen, which is under the GPL and comes with the extra ``[tag]`` alone. Only
the fields that are asked for are touched; all else in the tags stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songprint.errors import SongprintError

if TYPE_CHECKING:
    from mutagen import FileType

Field = str
FIELDS: tuple[Field, ...] = ("genre", "bpm", "key", "mood")

NO_MUTAGEN = (
    "tags are written with mutagen, which is under the GPL and does not come with songprint:"
    " pip install 'songprint[tag]'"
)

ID3V1_BYTES = 128

_VORBIS = {
    "genre": ("GENRE",),
    "bpm": ("BPM", "TEMPO"),
    "key": ("INITIALKEY", "KEY"),
    "mood": ("MOOD",),
}
_APE = {"genre": ("Genre",), "bpm": ("BPM",), "key": ("Initialkey", "Key"), "mood": ("Mood",)}
_ASF = {
    "genre": ("WM/Genre",),
    "bpm": ("WM/BeatsPerMinute",),
    "key": ("WM/InitialKey",),
    "mood": ("WM/Mood",),
}
_FREE = "----:com.apple.iTunes:"
_MP4 = {
    "genre": ("\xa9gen",),
    "bpm": ("tmpo",),
    "key": (f"{_FREE}initialkey", f"{_FREE}KEY"),
    "mood": (f"{_FREE}MOOD",),
}
_ID3 = {"genre": ("TCON",), "bpm": ("TBPM",), "key": ("TKEY",), "mood": ("TMOO", "TXXX:MOOD")}
"""Names of each field: the first that is there is read and written, or else the very first."""


def require_mutagen() -> None:
    """Raise ``SongprintError`` if mutagen is not installed."""
    try:
        import mutagen  # noqa: F401
    except ImportError as error:
        raise SongprintError(NO_MUTAGEN) from error


class FileTags:
    """The tags of a file, as texts by field.

    Parameters
    ----------
    path : Path
        The file; it is read now, and written by :meth:`save`.

    Raises
    ------
    SongprintError
        If its kind holds no tags that can be written, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _open(path)
        self.had_tags = self._file.tags is not None
        if not self.had_tags:
            try:
                self._file.add_tags()
            except Exception as error:
                raise _untaggable(path) from error
        self._tags: Any = self._file.tags
        self._family = _family_of(self._tags)
        if self._family is None:
            raise _untaggable(path)

    def get(self, field: Field) -> list[str]:
        """Return the texts of a field; none if it is not there."""
        name = self._name(field)
        return [] if name not in self._tags else self._family.read(self._tags, name)

    def shown(self, field: Field) -> list[str]:
        """Return the texts of a field as people know them: ID3 may number its genres."""
        name = self._name(field)
        if name == "TCON" and name in self._tags:
            return [str(genre) for genre in self._tags[name].genres]
        return self.get(field)

    def set(self, field: Field, texts: Sequence[str]) -> None:
        """Write the texts of a field, or take it away if there are none."""
        name = self._name(field)
        if texts:
            self._family.write(self._tags, name, list(texts))
        elif name in self._tags:
            del self._tags[name]

    def save(self, *, or_delete: bool = False) -> None:
        """Write the tags to the file; with `or_delete`, no tags at all if nothing is in them."""
        if or_delete and not len(self._tags):
            self._file.delete()
        elif self._family is _Id3:
            self._save_id3()
        else:
            self._file.save()

    def _name(self, field: Field) -> str:
        names: tuple[str, ...] = self._family.NAMES[field]
        if self._family is _Id3 and field == "mood" and self._tags.version[:2] == (2, 3):
            names = names[::-1]  # TMOO came with version 2.4
        return next((name for name in names if name in self._tags), names[0])

    def _save_id3(self) -> None:
        """Keep the tag's version, and an ID3v1 tag as it is: it may say what ID3v2 does not."""
        end = _id3v1(self._path)
        minor = 3 if self._tags.version[:2] == (2, 3) else 4
        self._file.save(v2_version=minor, v23_sep=None)
        if end is not None and _id3v1(self._path) not in (None, end):
            with self._path.open("r+b") as file:
                file.seek(-ID3V1_BYTES, 2)
                file.write(end)


def _open(path: Path) -> FileType:
    import mutagen

    file: FileType | None
    try:
        file = mutagen.File(path)
        tags: Any = getattr(file, "tags", None)
        if file is not None and _family_of(tags) is _Id3 and tags.version >= (2, 3):
            # Or mutagen would turn the frames of version 2.3 into those of 2.4.
            file.load(path, translate=False)
    except Exception as error:  # it was written for files that are as they should be
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SongprintError(f"{path}: its tags cannot be read: {reason[:200]}") from error
    if file is None:
        raise _untaggable(path)
    return file


def _untaggable(path: Path) -> SongprintError:
    return SongprintError(f"{path}: tags cannot be written to files of this kind")


def _id3v1(path: Path) -> bytes | None:
    with path.open("rb") as file:
        if path.stat().st_size < ID3V1_BYTES:
            return None
        file.seek(-ID3V1_BYTES, 2)
        end = file.read()
    return end if end.startswith(b"TAG") else None


class _Vorbis:
    NAMES = _VORBIS

    @staticmethod
    def read(tags: Any, name: str) -> list[str]:
        return list(tags[name])

    @staticmethod
    def write(tags: Any, name: str, texts: list[str]) -> None:
        tags[name] = texts


class _Ape(_Vorbis):
    NAMES = _APE


class _Asf:
    NAMES = _ASF

    @staticmethod
    def read(tags: Any, name: str) -> list[str]:
        return [str(value) for value in tags[name]]

    @staticmethod
    def write(tags: Any, name: str, texts: list[str]) -> None:
        tags[name] = texts


class _Mp4:
    NAMES = _MP4

    @staticmethod
    def read(tags: Any, name: str) -> list[str]:
        if name.startswith(_FREE):
            return [bytes(value).decode("utf-8", "replace") for value in tags[name]]
        return [str(value) for value in tags[name]]

    @staticmethod
    def write(tags: Any, name: str, texts: list[str]) -> None:
        from mutagen.mp4 import MP4FreeForm

        if name.startswith(_FREE):
            form: Any = MP4FreeForm  # which has no types
            tags[name] = [form(text.encode()) for text in texts]
        else:
            tags[name] = [int(text) for text in texts] if name == "tmpo" else texts


class _Id3:
    NAMES = _ID3

    @staticmethod
    def read(tags: Any, name: str) -> list[str]:
        return [str(text) for text in tags[name].text]

    @staticmethod
    def write(tags: Any, name: str, texts: list[str]) -> None:
        from mutagen import id3

        latin = all(text.isascii() for text in texts)
        encoding = id3.Encoding.LATIN1 if latin else id3.Encoding.UTF16  # known to every version
        kind, _, description = name.partition(":")
        described = {"desc": description} if description else {}
        tags.setall(name, [getattr(id3, kind)(encoding=encoding, text=texts, **described)])


def _family_of(tags: Any) -> Any:
    from mutagen._vorbis import VComment
    from mutagen.apev2 import APEv2
    from mutagen.asf import ASFTags
    from mutagen.id3 import ID3
    from mutagen.mp4 import MP4Tags

    kinds = {ID3: _Id3, VComment: _Vorbis, MP4Tags: _Mp4, ASFTags: _Asf, APEv2: _Ape}
    return next((family for kind, family in kinds.items() if isinstance(tags, kind)), None)
