from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from songprint import Library, fingerprint
from songprint.errors import SongprintError
from songprint.fingerprints import default_fingerprinter
from songprint.library import ingest, pool
from songprint.library.ingest import Added, Step
from songprint.library.schema import song_record
from songprint.library.tags import SongTags
from songprint.library.writer import Writer
from support.audiofiles import music, write_audio
from support.killing import stillborn
from support.shelves import NOW, library_of, made_up_song, retag, small_song

CURRENT = default_fingerprinter().model_version


def add(library: Library, *places: Path, **options: Any) -> Added:
    return ingest.add_folders(library, [str(place) for place in places], workers=1, **options)


def paths(library: Library) -> list[str | None]:
    return [row.path for row in library.find()]


def test_songs_are_stored_as_they_are_heard(tmp_path: Path) -> None:
    small_song(tmp_path / "music" / "a.flac", 1, title="So What", artist="Miles")
    small_song(tmp_path / "music" / "b" / "b.flac", 2)
    library = Library.open(tmp_path / "library", create=True)
    added = add(library, tmp_path / "music")
    assert (added.added, added.heard, added.failed, added.missing) == (2, 2, [], [])
    assert added.heard_seconds == pytest.approx(2.0)
    catalogue = library.catalogue()
    for path in catalogue.paths:
        heard = fingerprint(path)
        row = list(catalogue.hashes).index(heard.content_hash)
        np.testing.assert_array_equal(catalogue.embeddings[row], heard.embedding)
        genres = dict(zip(catalogue.vocabulary.genres, catalogue.genres[row], strict=True))
        assert genres == {p.name: np.float32(p.p) for p in heard.genres}
    assert set(catalogue.titles) == {"So What", None}
    assert library.folders() == [str(tmp_path / "music")]


def test_a_song_is_heard_whole_on_demand(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    song = write_audio(tmp_path / "music" / "a.flac", music(100, 16_000, channels=1), 16_000)
    fingerprinter = default_fingerprinter()
    for thorough in (False, True):
        library = Library.open(tmp_path / f"library-{thorough}", create=True)
        add(library, tmp_path / "music", thorough=thorough)
        heard = fingerprinter.fingerprint(song, thorough=thorough)
        np.testing.assert_array_equal(library.catalogue().embeddings[0], heard.embedding)
        other = fingerprinter.fingerprint(song, thorough=not thorough)
        assert (other.embedding != heard.embedding).any()


def test_what_has_not_changed_is_not_opened(tmp_path: Path) -> None:
    song = small_song(tmp_path / "music" / "a.flac")
    library = library_of(tmp_path / "library", song)
    before = song.stat()
    song.write_bytes(b"x" * before.st_size)
    os.utime(song, ns=(before.st_atime_ns, before.st_mtime_ns))
    versions = {name: library.table(name).version for name in ("songs", "files", "folders")}
    added = add(library, tmp_path / "music")
    assert (added.unchanged, added.updated, added.failed) == (1, 0, [])
    assert {name: library.table(name).version for name in versions} == versions


def test_a_moved_song_is_not_heard_again(tmp_path: Path) -> None:
    song = small_song(tmp_path / "music" / "a.flac")
    library = library_of(tmp_path / "library", song)
    moved = tmp_path / "music" / "sub" / "c.flac"
    moved.parent.mkdir()
    song.rename(moved)
    added = add(library, tmp_path / "music")
    assert (added.moved, added.heard, added.duplicates, added.missing) == (1, 0, 0, [])
    assert paths(library) == [file.path for file in library.files()] == [str(moved)]
    assert library.find(text="sub")


def test_a_song_may_move_to_another_folder_and_get_other_tags(tmp_path: Path) -> None:
    song = small_song(tmp_path / "inbox" / "track01.flac")
    library = library_of(tmp_path / "library", song)
    moved = tmp_path / "music" / "So What.flac"
    moved.parent.mkdir()
    song.rename(moved)
    retag(moved, title="So What")
    added = add(library, moved.parent)
    assert (added.moved, added.heard) == (1, 0)
    (row,) = library.find(text="what")
    assert (row.path, row.title) == (str(moved), "So What")
    assert len(library.files()) == 1


def test_an_edit_of_tags_changes_the_titles_alone(tmp_path: Path) -> None:
    song = small_song(tmp_path / "music" / "a.flac", title="Old")
    library = library_of(tmp_path / "library", song)
    before = library.catalogue()
    retag(song, title="Blue in Green", date="1959")
    added = add(library, song.parent)
    assert (added.updated, added.unchanged, added.heard) == (1, 0, 0)
    (row,) = library.find(text="green")
    assert (row.title, row.year, row.added) == ("Blue in Green", 1959, NOW)
    np.testing.assert_array_equal(library.catalogue().embeddings, before.embeddings)


def test_a_file_that_was_only_touched_is_unchanged(tmp_path: Path) -> None:
    song = small_song(tmp_path / "music" / "a.flac")
    library = library_of(tmp_path / "library", song)
    os.utime(song)
    added = add(library, song.parent)
    assert (added.updated, added.unchanged, added.heard) == (0, 1, 0)
    assert library.files()[0].mtime_ns == song.stat().st_mtime_ns


def test_a_copy_is_a_second_file_of_one_song(tmp_path: Path) -> None:
    song = small_song(tmp_path / "music" / "a.flac", title="Old")
    library = library_of(tmp_path / "library", song)
    backup = tmp_path / "backup" / "a.flac"
    backup.parent.mkdir()
    shutil.copy(song, backup)
    retag(backup, title="A copy")
    added = add(library, tmp_path / "backup", tmp_path / "music")
    assert (added.duplicates, added.moved, added.heard) == (1, 0, 0)
    assert len(library.files()) == 2
    (row,) = library.find()
    # The folder that was added first speaks for the song.
    assert (row.path, row.title) == (str(song), "Old")
    song.unlink()
    assert add(library, tmp_path / "music", prune=True).missing == []
    assert paths(library) == [str(backup)]


def test_the_same_song_twice_in_one_run_is_heard_once(tmp_path: Path) -> None:
    song = small_song(tmp_path / "music" / "a.flac")
    shutil.copy(song, tmp_path / "music" / "b.flac")
    library = Library.open(tmp_path / "library", create=True)
    added = ingest.add_folders(library, [str(tmp_path / "music")], workers=2)
    assert (added.added, added.heard, added.duplicates) == (1, 1, 1)
    assert paths(library) == [str(song)]
    assert len(library.files()) == 2


def test_files_that_are_gone_are_kept_and_told_until_pruned(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    a, b = (small_song(folder / f"{n}.flac", n) for n in range(2))
    library = library_of(tmp_path / "library", a, b)
    away = tmp_path / "away.flac"
    b.rename(away)
    for _ in range(2):
        assert add(library, folder).missing == [str(b)]
    assert len(library.catalogue()) == 2
    away.rename(b)
    assert add(library, folder).missing == []
    assert [file.missing for file in library.files()] == [None, None]
    b.unlink()
    added = add(library, folder, prune=True)
    assert (added.pruned, added.missing) == (1, [])
    assert paths(library) == [str(a)]
    assert len(library.files()) == 1


def test_nothing_is_pruned_where_a_disk_seems_to_be_away(tmp_path: Path) -> None:
    song = small_song(tmp_path / "disk" / "a.flac")
    library = library_of(tmp_path / "library", song)
    song.unlink()
    added = add(library, tmp_path / "disk", prune=True)
    assert (added.pruned, added.missing) == (0, [str(song)])
    assert len(library) == 1
    shutil.rmtree(tmp_path / "disk")
    assert add(library, tmp_path / "disk", prune=True).pruned == 0
    assert len(library) == 1


def test_files_in_a_folder_that_cannot_be_read_are_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = small_song(tmp_path / "music" / "a.flac")
    b = small_song(tmp_path / "music" / "closed" / "b.flac", 1)
    library = library_of(tmp_path / "library", a, b)
    scandir = os.scandir

    def refuse(path: str) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    added = add(library, tmp_path / "music", prune=True)
    assert [found.path for found in added.failed] == [str(b.parent)]
    assert (added.unchanged, added.pruned, added.missing) == (1, 0, [])


def test_other_audio_under_the_same_name_is_another_song(tmp_path: Path) -> None:
    song = small_song(tmp_path / "music" / "a.flac", 1)
    library = library_of(tmp_path / "library", song)
    (before,) = library.find()
    small_song(song, 2)
    added = add(library, song.parent)
    assert (added.updated, added.added, added.heard) == (1, 0, 1)
    (row,) = library.find()
    assert row.content_hash != before.content_hash
    assert row.path == str(song)


def test_two_files_may_exchange_their_names(tmp_path: Path) -> None:
    a, b = (small_song(tmp_path / "music" / f"{n}.flac", n, title=f"T{n}") for n in range(2))
    library = library_of(tmp_path / "library", a, b)
    songs = {row.title: row.content_hash for row in library.find()}
    a.rename(tmp_path / "c")
    b.rename(a)
    (tmp_path / "c").rename(b)
    os.utime(a)  # small files written together may be of one size and time
    os.utime(b)
    added = add(library, tmp_path / "music")
    assert (added.updated, added.heard, added.missing) == (2, 0, [])
    assert {row.path: row.title for row in library.find()} == {str(a): "T1", str(b): "T0"}
    assert {row.title: row.content_hash for row in library.find()} == songs


def test_a_file_that_failed_is_tried_again_when_it_changes_or_on_demand(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    good, bad = small_song(folder / "a.flac"), folder / "b.mp3"
    library = library_of(tmp_path / "library", good)
    bad.write_text("no song")
    (failure,) = add(library, folder).failed
    assert (failure.path, failure.problem) == (str(bad), "is not audio but text")
    assert [(file.path, file.error) for file in library.failed()] == [
        (str(bad), "is not audio but text")
    ]
    again = add(library, folder)
    assert (again.failed, again.failed_before) == ([], 1)
    assert len(add(library, folder, retry=True).failed) == 1
    shutil.copy(small_song(tmp_path / "c.flac", 3), bad)
    assert add(library, folder).added == 1
    assert library.failed() == []


def test_a_failed_file_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    bad = tmp_path / "music" / "b.mp3"
    bad.parent.mkdir()
    bad.write_text("no song")
    library = Library.open(tmp_path / "library", create=True)
    add(library, bad.parent)
    bad.unlink()
    assert add(library, bad.parent).missing == []
    assert library.files() == []


def three_songs(folder: Path) -> tuple[Path, Path, Path]:
    """A short, a very long and another short song."""
    folder.mkdir()
    noise = np.random.default_rng(0).standard_normal((300 * 8000, 1)).astype(np.float32)
    return (
        small_song(folder / "a.flac", 1),
        write_audio(folder / "b.wav", np.tile(noise * 0.1, (12, 1)), 8000),
        small_song(folder / "c.flac", 2),
    )


def strike_at_the_second(blow: Callable[[psutil.Process], None]) -> Callable[[Step], None]:
    """Do something to the worker while it hears the second song."""
    struck = False

    def on_step(step: Step) -> None:
        nonlocal struck
        if not struck and step.added.heard == 1 and step.outcome is None:
            for process in psutil.Process().children():
                if "spawn_main" in " ".join(process.cmdline()):
                    blow(process)
                    struck = True

    return on_step


@pytest.mark.parametrize(
    ("number", "reason"), [(signal.SIGSEGV, "SIGSEGV"), (signal.SIGKILL, "want of memory")]
)
def test_a_song_that_crashes_its_worker_is_told_and_the_others_are_heard(
    tmp_path: Path, number: signal.Signals, reason: str
) -> None:
    a, b, c = three_songs(tmp_path / "music")
    library = Library.open(tmp_path / "library", create=True)
    crash = strike_at_the_second(lambda process: process.send_signal(number))
    (failure,) = add(library, tmp_path / "music", on_step=crash).failed
    assert failure.path == str(b)
    assert failure.problem is not None
    assert "crashed the process that heard it" in failure.problem
    assert reason in failure.problem
    assert paths(library) == [str(a), str(c)]
    assert add(library, tmp_path / "music").failed_before == 1


def test_a_song_that_hangs_its_worker_is_given_up(tmp_path: Path) -> None:
    a, b, c = three_songs(tmp_path / "music")
    library = Library.open(tmp_path / "library", create=True)
    hang = strike_at_the_second(lambda process: process.suspend())
    added = add(library, tmp_path / "music", on_step=hang, time_limit_seconds=4)
    assert [(found.path, found.problem) for found in added.failed] == [
        (str(b), "gave up: it took more than 4 s")
    ]
    assert paths(library) == [str(a), str(c)]


def test_workers_that_do_not_start_are_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "serve", stillborn)
    small_song(tmp_path / "music" / "a.flac")
    library = Library.open(tmp_path / "library", create=True)
    with pytest.raises(SongprintError, match="do not start: exit code 7"):
        add(library, tmp_path / "music")
    assert library.files() == []


def test_no_worker_outlives_the_run(tmp_path: Path) -> None:
    small_song(tmp_path / "music" / "a.flac")
    library = Library.open(tmp_path / "library", create=True)
    add(library, tmp_path / "music")
    workers = [p for p in psutil.Process().children() if "spawn_main" in " ".join(p.cmdline())]
    assert workers == []


def test_what_was_heard_before_an_interrupt_is_kept(tmp_path: Path) -> None:
    for n in range(4):
        small_song(tmp_path / "music" / f"{n}.flac", n)
    library = Library.open(tmp_path / "library", create=True)

    def interrupt(step: Step) -> None:
        if step.added.heard == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add(library, tmp_path / "music", on_step=interrupt)
    assert len(library) == len(library.files()) == 2
    added = add(library, tmp_path / "music")
    assert (added.added, added.unchanged) == (2, 2)
    assert len(library) == 4


def test_a_second_interrupt_waits_until_what_was_heard_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_song(tmp_path / "music" / "a.flac")
    library = Library.open(tmp_path / "library", create=True)
    put_landmarks = Writer.put_landmarks

    def interrupted(writer: Writer, rows: Sequence[Mapping[str, Any]]) -> None:
        signal.raise_signal(signal.SIGINT)
        put_landmarks(writer, rows)

    def interrupt(step: Step) -> None:
        if step.added.heard:
            raise KeyboardInterrupt

    monkeypatch.setattr(Writer, "put_landmarks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add(library, tmp_path / "music", on_step=interrupt)
    assert len(library) == len(library.files()) == 1


def test_songs_of_an_older_model_are_heard_anew(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    a, b = (small_song(folder / f"{n}.flac", n) for n in range(2))
    library = library_of(tmp_path / "library", a, b, model="1-old")
    row = library.row_of(str(a))
    assert row is not None
    library.set_plays({row.content_hash: 7.0})
    added = add(library, folder)
    assert (added.renewed, added.added, added.unchanged) == (2, 0, 0)
    assert library.models() == {CURRENT: 2}
    row = library.row_of(str(a))
    assert row is not None
    assert (row.model, row.added, row.plays) == (CURRENT, NOW, 7.0)


def test_until_all_are_renewed_the_old_model_answers_for_all(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    songs = [small_song(folder / f"{n}.flac", n) for n in range(3)]
    library = library_of(tmp_path / "library", *songs, model="1-old")

    def interrupt(step: Step) -> None:
        if step.added.heard == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add(library, folder, on_step=interrupt)
    assert library.models() == {"1-old": 3, CURRENT: 1}
    assert len(library.catalogue()) == len(library) == len(library.find()) == 3
    assert library.catalogue().model == "1-old"
    add(library, folder)
    assert library.models() == {CURRENT: 3}


def test_a_song_without_its_file_keeps_its_old_fingerprint(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    songs = [small_song(folder / f"{n}.flac", n) for n in range(3)]
    library = library_of(tmp_path / "library", *songs, model="1-old")
    songs[2].unlink()
    add(library, folder)
    assert library.models() == {CURRENT: 2, "1-old": 1}
    assert library.model == CURRENT


def test_a_song_that_was_imported_is_heard_when_it_is_added(tmp_path: Path) -> None:
    song = small_song(tmp_path / "music" / "a.flac")
    library = library_of(tmp_path / "theirs", song)
    (theirs,) = library.find()
    stranger = replace(made_up_song(1, model=CURRENT), content_hash=theirs.content_hash)
    library = library_of(tmp_path / "library")
    with library.writing() as writer:
        writer.put_songs([song_record(stranger, SongTags(), None, NOW) | {"imported": True}])
    assert add(library, tmp_path / "nothing").missing == []
    assert len(library) == 1
    assert add(library, song.parent).renewed == 1
    (row,) = library.find()
    assert (row.imported, row.path) == (False, str(song))


def test_names_that_are_not_utf8_links_and_loops_are_taken_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    song = small_song(folder / "a.flac")
    odd = os.fsencode(folder) + b"/caf\xe9.flac"
    song.rename(os.fsdecode(odd))
    (folder / "link.flac").symlink_to(os.fsdecode(odd))
    (folder / "loop").symlink_to(folder)
    library = Library.open(tmp_path / "library", create=True)
    added = add(library, folder)
    assert (added.added, added.duplicates, added.failed) == (1, 0, [])
    assert paths(library) == [os.fsdecode(odd)]
    assert add(library, folder).unchanged == 1


def test_a_file_that_was_named_is_looked_after_like_its_folder(tmp_path: Path) -> None:
    song = small_song(tmp_path / "music" / "a.flac")
    video = song.with_suffix(".mkv")
    song.rename(video)
    library = library_of(tmp_path / "library", video)
    small_song(tmp_path / "music" / "b.flac")
    added = add(library, tmp_path / "music", prune=True)
    assert (added.unchanged, added.duplicates, added.pruned) == (1, 1, 0)


def test_a_file_whose_fault_may_pass_keeps_its_song(tmp_path: Path) -> None:
    song = small_song(tmp_path / "music" / "a.flac")
    library = library_of(tmp_path / "library", song)
    os.utime(song)

    def vanish(_: Any) -> None:
        song.rename(tmp_path / "away")

    (failure,) = add(library, song.parent, on_plan=vanish).failed
    assert failure.problem == "there is no such file"
    assert len(library) == 1
    (tmp_path / "away").rename(song)
    assert add(library, song.parent).unchanged == 1
    assert library.failed() == []
