"""``tag_files``: tags change, sound does not, and it can be taken back."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import mutagen
import mutagen.flac
import mutagen.id3
import mutagen.mp3
import pytest

from songprint import Library
from songprint.audio.hash import content_hash
from songprint.errors import SongprintError, UsageError
from songprint.fingerprints import default_fingerprinter
from songprint.library import ingest, tagging
from songprint.library.tagfields import FIELDS, FileTags
from songprint.library.tagging import TagWishes, tag_files, untag_files
from support.audiofiles import music, with_cover, write_audio
from support.badfiles import png_bytes
from support.madeup import silent_descriptors
from support.shelves import library_of, made_up_song, shelve, small_song
from support.tagging import ALL, TEXTS, texts, write

NOTHING: dict[str, list[str]] = {field: [] for field in FIELDS}
SUFFIXES = ["aiff", "flac", "m4a", "mp3", "oga", "ogg", "opus", "tta", "wav", "wma", "wv"]


def genre_by_ffmpeg(path: Path) -> str | None:
    with av.open(str(path)) as container:
        tags = {**container.metadata, **container.streams.audio[0].metadata}
    return {name.lower(): value for name, value in tags.items()}.get("genre")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_kind_of_file_takes_all_fields_and_gives_them_back(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / "music" / f"song.{suffix}"
    path.parent.mkdir()
    write_audio(path, music(1.0, 48_000), 48_000, metadata={"title": "So What"})
    library = library_of(tmp_path / "library", path)
    before, song = texts(path), content_hash(path)
    assert before == NOTHING

    done = write(library)
    assert done.failed == []
    assert [change.path for change in done.changes] == [str(path)]
    assert texts(path) == TEXTS
    assert content_hash(path) == song
    assert suffix == "tta" or genre_by_ffmpeg(path) == "Reggae"  # which reads no ID3 there
    added = ingest.add_folders(library, [str(path.parent)], workers=1)
    assert (added.unchanged, added.updated, added.heard, added.failed) == (1, 0, 0, [])

    assert untag_files(library, write=True).failed == []
    assert texts(path) == before
    assert content_hash(path) == song
    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_changed_unless_asked_to_write(library: Library, song: Path) -> None:
    before = song.read_bytes(), song.stat().st_mtime_ns
    done = tag_files(library, ALL)
    assert not done.written
    assert done.changes[0].after == TEXTS
    assert (song.read_bytes(), song.stat().st_mtime_ns) == before
    with pytest.raises(UsageError, match="nothing to take back"):
        untag_files(library)


def test_only_the_fields_asked_for_are_touched(library: Library, song: Path) -> None:
    write(library, TagWishes(("bpm",)))
    assert texts(song) == {**NOTHING, "bpm": ["118"]}
    tags = mutagen.flac.FLAC(song).tags
    assert (tags["TITLE"], tags["ARTIST"]) == (["So What"], ["Miles"])


def test_what_a_person_wrote_stays_unless_replaced(library: Library, song: Path) -> None:
    file = mutagen.flac.FLAC(song)
    file["genre"] = ["Ska", "Dub"]
    file.save()
    ingest.add_folders(library, [str(song.parent)], workers=1)
    done = write(library, TagWishes(("genre", "bpm")))
    assert (done.kept, len(done.changes)) == (1, 1)
    assert texts(song)["genre"] == ["Ska", "Dub"]
    done = write(library, TagWishes(("genre", "bpm"), replace=True))
    assert done.changes[0].before == {"genre": ["Ska", "Dub"]}
    assert texts(song)["genre"] == ["Reggae"]
    untag_files(library, write=True)
    assert texts(song)["genre"] == ["Ska", "Dub"]
    assert texts(song)["bpm"] == ["118"]


def test_what_is_said_already_is_not_written(library: Library, song: Path) -> None:
    write(library)
    before = song.stat().st_mtime_ns
    done = write(library)
    assert (done.same, done.changes) == (1, [])
    assert song.stat().st_mtime_ns == before


def in_b_flat_minor(library: Library, song: Path) -> None:
    row = library.row_of(str(song))
    assert row is not None
    heard = made_up_song(0, model=row.model)
    tonality = replace(heard.descriptors.tonality, key="A#")
    descriptors = replace(heard.descriptors, tonality=tonality)
    shelve_as(library, song, replace(heard, content_hash=row.content_hash, descriptors=descriptors))


def test_a_key_is_spelt_as_others_spell_it(library: Library, song: Path) -> None:
    in_b_flat_minor(library, song)
    write(library, TagWishes(("key",)))
    assert FileTags(song).get("key") == ["Bbm"]


def test_a_key_that_is_said_in_another_spelling_is_left(library: Library, song: Path) -> None:
    in_b_flat_minor(library, song)
    tags = FileTags(song)
    tags.set("key", ["A# minor"])
    tags.save()
    done = tag_files(library, TagWishes(("key",), replace=True))
    assert (done.same, done.changes) == (1, [])


def unsure_song(library: Library, song: Path) -> None:
    row = library.row_of(str(song))
    assert row is not None
    doubtful = made_up_song(0, model=row.model)
    beat = replace(doubtful.descriptors.beat, tempo_confidence=0.3)
    tonality = replace(doubtful.descriptors.tonality, key_confidence=0.4)
    shelve_as(
        library,
        song,
        replace(
            doubtful,
            doubt="no genre",
            content_hash=row.content_hash,
            moods=tuple(replace(mood, p=mood.p / 10) for mood in doubtful.moods),
            descriptors=replace(doubtful.descriptors, beat=beat, tonality=tonality),
        ),
    )


def shelve_as(library: Library, song: Path, heard: Any) -> None:
    files = library.files()
    shelve(library, {str(song): heard})
    with library.writing() as writer:
        writer.put_files(files)


def test_what_is_not_sure_is_not_written_unless_asked(library: Library, song: Path) -> None:
    unsure_song(library, song)
    done = write(library)
    assert (done.unsure, done.changes) == (1, [])
    done = write(library, replace(ALL, unsure=True))
    assert (done.unsure, done.changes[0].after) == (0, TEXTS)


def test_what_is_unknown_is_never_written(library: Library, song: Path) -> None:
    row = library.row_of(str(song))
    assert row is not None
    silent = replace(
        made_up_song(0, model=row.model),
        content_hash=row.content_hash,
        descriptors=silent_descriptors(),
    )
    shelve_as(library, song, silent)
    done = write(library, TagWishes(("bpm", "key"), unsure=True))
    assert (done.unsure, done.changes) == (1, [])


def test_mode_owner_and_attributes_stay_and_the_time_is_new(library: Library, song: Path) -> None:
    song.chmod(0o640)
    os.utime(song, ns=(1, song.stat().st_mtime_ns))
    try:
        os.setxattr(song, "user.note", b"mine")
        attributes = {"user.note": b"mine"}
    except OSError:  # not every file system has any
        attributes = {}
    before = song.stat()
    write(library)
    after = song.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )
    assert after.st_mtime_ns > before.st_mtime_ns
    assert {name: os.getxattr(song, name) for name in attributes} == attributes


def test_a_file_whose_sound_would_change_is_left(
    library: Library, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = song.read_bytes()

    def spoil(self: FileTags, **_: object) -> None:
        data = self._path.read_bytes()
        self._path.write_bytes(data[:-100] + bytes(100))

    monkeypatch.setattr(FileTags, "save", spoil)
    done = write(library)
    assert [found.problem for found in done.failed] == [
        "its sound would not stay the same: left as it was"
    ]
    assert done.changes == []
    assert song.read_bytes() == before
    assert list(song.parent.iterdir()) == [song]


def test_a_file_that_does_not_take_the_tags_is_left(
    library: Library, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = song.read_bytes()
    monkeypatch.setattr(FileTags, "save", lambda *_, **__: None)
    done = write(library)
    assert [found.problem for found in done.failed] == [
        "its tags do not take these values: left as it was"
    ]
    assert song.read_bytes() == before


def test_a_file_that_has_changed_since_is_left(library: Library, song: Path) -> None:
    os.utime(song, ns=(1, 1))
    done = write(library)
    assert [found.problem for found in done.failed] == [
        "has changed since it was added: songprint add first"
    ]


def test_files_that_cannot_be_tagged_are_told_and_the_others_done(
    tmp_path: Path, song: Path
) -> None:
    raw = write_audio(tmp_path / "music" / "raw.mkv", music(1.0, 48_000), 48_000)
    gone = small_song(tmp_path / "music" / "gone.flac", 7)
    library = library_of(tmp_path / "library", raw, gone, song)
    gone.unlink()
    done = write(library)
    told = {Path(found.path).name: found.problem for found in done.failed}
    assert told["raw.mkv"] == "tags cannot be written to files of this kind"
    assert told["gone.flac"].startswith("its tags cannot be read: ")
    assert [change.path for change in done.changes] == [str(song)]


def test_a_full_disk_leaves_the_file(
    library: Library, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = song.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", full)
    done = write(library)
    assert [f.problem for f in done.failed] == ["cannot be written: No space left on device"]
    assert song.read_bytes() == before


def test_songs_in_an_object_store_are_told_and_left(library: Library, song: Path) -> None:
    model = default_fingerprinter().model_version
    shelve(library, {"s3://bucket/1.flac": made_up_song(50, model=model)})
    done = write(library)
    [told] = done.failed
    assert told.path == "s3://bucket/1.flac"
    assert told.problem == "is in an object store: only tags of files can be written"
    assert [change.path for change in done.changes] == [str(song)]


def test_all_copies_of_a_song_are_tagged_and_only_those_in_the_places(tmp_path: Path) -> None:
    first = small_song(tmp_path / "music" / "a" / "song.flac")
    second = tmp_path / "music" / "b" / "song.flac"
    second.parent.mkdir()
    shutil.copy2(first, second)
    library = library_of(tmp_path / "library", first, second)
    done = write(library, ALL, second.parent)
    assert [change.path for change in done.changes] == [str(second)]
    assert texts(first)["bpm"] == []
    assert len(write(library).changes) == 1
    assert texts(first) == texts(second) == TEXTS


def test_imported_songs_have_nothing_to_tag(library: Library, song: Path) -> None:
    model = default_fingerprinter().model_version
    shelve(library, {None: made_up_song(50, model=model)})
    assert [change.path for change in write(library).changes] == [str(song)]


def test_what_a_killed_run_left_is_swept_away_later(library: Library, song: Path) -> None:
    left = song.parent / ".songprint-1-abcd.part.flac"
    left.write_bytes(b"half")
    write(library, TagWishes(("genre",)))
    assert left.exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("songprint.files._LEFT_AFTER_SECONDS", -1.0)
        write(library, TagWishes(("bpm",)))
    assert not left.exists()


def test_without_mutagen_it_is_said_how_to_get_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mutagen", None)
    with pytest.raises(SongprintError, match=r"GPL.*pip install 'songprint\[tag\]'"):
        tag_files(library, ALL)


@pytest.mark.parametrize("fields", [(), ("genre", "colour")])
def test_fields_that_are_none_are_bad_usage(fields: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        TagWishes(fields)


# ID3, of which there are many


def an_mp3(path: Path) -> Path:
    return write_audio(path, music(1.0, 44_100), 44_100)


@pytest.mark.parametrize("version", [3, 4])
def test_the_version_of_an_id3_tag_and_its_other_frames_stay(tmp_path: Path, version: int) -> None:
    path = an_mp3(tmp_path / "song.mp3")
    tags = mutagen.id3.ID3()
    frames = [
        mutagen.id3.TIT2(encoding=1, text=["Jóga"]),
        mutagen.id3.TYER(encoding=0, text=["1997"]),
        mutagen.id3.COMM(encoding=1, lang="isl", desc="x", text=["góð"]),
        mutagen.id3.PRIV(owner="me", data=b"\x00\x01"),
        mutagen.id3.POPM(email="a@b", rating=196, count=7),
    ]
    for frame in frames:
        tags.add(frame)
    tags.save(path, v2_version=version, v1=0)
    write(library_of(tmp_path / "library", path))
    after = mutagen.id3.ID3(path, translate=False)
    assert after.version == (2, version, 0)
    for frame in frames:
        assert after[frame.HashKey] == frame
    assert texts(path) == TEXTS
    assert ("TMOO" in after) == (version == 4)


def test_an_id3v1_tag_stays_as_it_is(tmp_path: Path) -> None:
    path = an_mp3(tmp_path / "song.mp3")
    old = b"TAG" + b"Only here".ljust(90, b"\0") + b"1997" + b"x".ljust(30, b"\0") + b"\x11"
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TPE1(encoding=1, text=["Björk"]))
    tags.save(path, v1=0)
    path.write_bytes(path.read_bytes() + old)
    library = library_of(tmp_path / "library", path)
    write(library, TagWishes(("bpm",)))
    assert path.read_bytes()[-128:] == old
    assert texts(path)["bpm"] == ["118"]


def test_a_numbered_genre_is_known_and_comes_back_as_it_was(tmp_path: Path) -> None:
    path = an_mp3(tmp_path / "song.mp3")
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TCON(encoding=0, text=["(17)"]))
    tags.save(path, v2_version=3)
    library = library_of(tmp_path / "library", path)
    assert FileTags(path).shown("genre") == ["Rock"]
    assert write(library, TagWishes(("genre",))).kept == 1
    write(library, TagWishes(("genre",), replace=True))
    assert FileTags(path).shown("genre") == ["Reggae"]
    untag_files(library, write=True)
    assert texts(path)["genre"] == ["(17)"]


@pytest.mark.parametrize("suffix", ["flac", "m4a", "mp3"])
def test_covers_stay(tmp_path: Path, suffix: str) -> None:
    plain = write_audio(tmp_path / f"plain.{suffix}", music(1.0, 44_100), 44_100)
    path = with_cover(plain, tmp_path / f"song.{suffix}", png_bytes())
    write(library_of(tmp_path / "library", path))
    assert png_bytes() in path.read_bytes()
    assert texts(path) == TEXTS


def test_the_library_learns_of_many_files_in_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    songs = [small_song(tmp_path / "music" / f"{n}.flac", n) for n in range(5)]
    library = library_of(tmp_path / "library", *songs)
    monkeypatch.setattr(tagging, "FILES_AT_ONCE", 2)
    seen: list[tuple[int, int]] = []
    tag_files(library, ALL, write=True, on_file=lambda done, files: seen.append((done, files)))
    assert seen == [(n, 5) for n in range(1, 6)]
    for file in library.files():
        status = Path(file.path).stat()
        assert (file.size, file.mtime_ns) == (status.st_size, status.st_mtime_ns)
