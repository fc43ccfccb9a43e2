"""``untag_files``: the way back, run by run, whatever has happened since."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mutagen
import mutagen.flac
import pytest

from songprint import Library
from songprint.errors import UsageError
from songprint.library import ingest
from songprint.library.tagging import TagWishes, untag_files
from support.audiofiles import music, write_audio
from support.shelves import library_of, small_song
from support.tagging import TEXTS, texts, write


def test_undoing_goes_back_run_by_run(library: Library, song: Path) -> None:
    write(library, TagWishes(("genre",)))
    write(library, TagWishes(("bpm",)))
    planned = untag_files(library)
    assert not planned.written
    assert (planned.changes[0].before, planned.changes[0].after) == ({"bpm": ["118"]}, {"bpm": []})
    assert texts(song)["bpm"] == ["118"]
    untag_files(library, write=True)
    assert (texts(song)["genre"], texts(song)["bpm"]) == (["Reggae"], [])
    untag_files(library, write=True)
    assert texts(song)["genre"] == []
    with pytest.raises(UsageError, match="nothing to take back"):
        untag_files(library, write=True)


def test_undoing_leaves_what_a_person_wrote_since(library: Library, song: Path) -> None:
    write(library, TagWishes(("genre", "bpm")))
    file = mutagen.flac.FLAC(song)
    file["genre"] = ["Ska"]
    file.save()
    ingest.add_folders(library, [str(song.parent)], workers=1)
    done = untag_files(library, write=True)
    assert done.kept == 1
    assert (texts(song)["genre"], texts(song)["bpm"]) == (["Ska"], [])


def test_a_file_without_tags_has_none_after_undoing(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.wav", music(1.0, 16_000), 16_000, subtype="PCM_16")
    library = library_of(tmp_path / "library", path)
    write(library)
    assert mutagen.File(path).tags is not None
    untag_files(library, write=True)
    assert mutagen.File(path).tags is None


def test_a_song_that_is_gone_does_not_bar_the_way_back(library: Library, song: Path) -> None:
    write(library, TagWishes(("genre",)))
    other = small_song(song.parent / "other.flac", 5)
    both = library_of(library.path, song, other)
    write(both, TagWishes(("bpm",)), other)
    with both.writing() as writer:
        writer.drop_files([str(other)])
    assert len(untag_files(both, write=True).failed) == 1
    untag_files(both, write=True)
    assert texts(song)["genre"] == []


def test_a_file_that_is_out_of_reach_does_not_bar_the_way_back(
    library: Library, song: Path, tmp_path: Path
) -> None:
    write(library, TagWishes(("genre",)))
    other = small_song(song.parent / "other.flac", 5)
    both = library_of(library.path, song, other)
    write(both, TagWishes(("bpm",)), other)
    away = other.rename(tmp_path / "unplugged.flac")
    for _ in range(2):  # looking does not change what is next
        assert [f.problem for f in untag_files(both).failed] == ["is not there"]
    assert [f.problem for f in untag_files(both, write=True).failed] == ["is not there"]
    assert untag_files(both, write=True).failed == []
    assert texts(song)["genre"] == []
    with pytest.raises(UsageError, match="nothing to take back"):
        untag_files(both)
    away.rename(other)
    assert untag_files(both, write=True).failed == []
    assert texts(other)["bpm"] == []


def test_the_last_run_is_taken_back_first_whatever_the_clock_says(
    library: Library, song: Path
) -> None:
    write(library, TagWishes(("genre",)))
    (log,) = (library.path / "tagged").iterdir()
    log.rename(log.with_name("2999-12-31T23-59-59.000000.jsonl"))
    write(library, TagWishes(("bpm",)))
    untag_files(library, write=True)
    assert (texts(song)["genre"], texts(song)["bpm"]) == (["Reggae"], [])


def test_a_killed_run_loses_nothing(tmp_path: Path, song: Path) -> None:
    library = library_of(tmp_path / "library", song)
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from songprint import Library\n"
        "from songprint.library.tagging import TagWishes, tag_files\n"
        "move = Path.replace\n"
        "def die(self, target):\n"
        "    if target.suffix == '.flac':\n"
        "        os.kill(os.getpid(), 9)\n"
        "    return move(self, target)\n"
        "Path.replace = die\n"
        "tag_files(Library.open(sys.argv[1]), TagWishes(('genre',)), write=True)\n"
    )
    before = song.read_bytes()
    died = subprocess.run([sys.executable, "-c", code, str(library.path)], check=False)
    assert died.returncode == -9
    assert song.read_bytes() == before
    done = untag_files(library, write=True)
    assert (done.same, done.changes, done.failed) == (1, [], [])
    assert write(library).changes[0].after == TEXTS


def test_the_log_survives_a_torn_last_line(library: Library, song: Path) -> None:
    write(library, TagWishes(("genre",)))
    (log,) = (library.path / "tagged").iterdir()
    log.write_bytes(log.read_bytes() + b'{"noted": {"path": "/mu')
    untag_files(library, write=True)
    assert texts(song)["genre"] == []
    with pytest.raises(UsageError):
        untag_files(library)


def test_a_name_that_is_not_utf8_is_tagged_and_taken_back(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp3")
    write_audio(tmp_path / "a.mp3", music(1.0, 16_000), 16_000).rename(path)
    library = library_of(tmp_path / "library", path)
    assert write(library).failed == []
    assert texts(path) == TEXTS
    untag_files(library, write=True)
    assert texts(path)["bpm"] == []
