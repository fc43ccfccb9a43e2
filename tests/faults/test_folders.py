"""What file systems do: loops, strange names, permissions, devices, files that change, clocks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from songprint import Library
from songprint.library import store, worker
from songprint.library.ingest import Added, Step, add_folders
from songprint.library.scan import scan
from support.requiring import do_without
from support.shelves import library_of, small_song

NAMES = (
    "🎸🔥.flac",
    "e\u0301 and é.flac",
    "  spaces  .flac",
    "new\nline.flac",
    "tab\tand\x1b[31mred.flac",
    "'; drop table songs --.flac",
    "-rf.flac",
    "%s%n{0}.flac",
    "x" * 250 + ".flac",
)


def add(library: Path, *places: Path | str, **options: object) -> Added:
    opened = Library.open(library, create=True)
    return add_folders(opened, [str(p) for p in places], workers=1, **options)  # type: ignore[arg-type]


def test_names_of_any_kind_are_kept_as_they_are(tmp_path: Path) -> None:
    song = small_song(tmp_path / "song.flac")
    music = os.fsencode(tmp_path / "music")
    os.mkdir(music)  # noqa: PTH102
    names = [*map(os.fsencode, NAMES), b"caf\xe9.flac", b"\xff\xfe.flac"]
    for number, name in enumerate(names):
        small_song(song, number)
        shutil.copy(os.fsencode(song), os.path.join(music, name))  # noqa: PTH118
    added = add(tmp_path / "library", tmp_path / "music")
    assert (added.failed, added.added) == ([], len(names))
    files = Library.open(tmp_path / "library").files()
    kept = {os.fsencode(file.path).rpartition(b"/")[2] for file in files}
    assert kept == set(names)
    assert add(tmp_path / "library", tmp_path / "music").unchanged == len(names)


def test_loops_of_links_end(tmp_path: Path) -> None:
    music = tmp_path / "music"
    small_song(music / "deep" / "song.flac")
    (music / "deep" / "up").symlink_to(music)
    (music / "self").symlink_to(music / "self")
    (music / "self.flac").symlink_to(music / "self.flac")
    (music / "one.flac").symlink_to(music / "two.flac")
    (music / "two.flac").symlink_to(music / "one.flac")
    (music / "twin").symlink_to(music / "deep")
    added = add(tmp_path / "library", music)
    assert added.added == 1
    assert {Path(found.path).name for found in added.failed} == {
        "self.flac",
        "one.flac",
        "two.flac",
    }


def test_pipes_sockets_and_devices_are_named_and_never_waited_for(tmp_path: Path) -> None:
    music = tmp_path / "music"
    small_song(music / "song.flac")
    os.mkfifo(music / "pipe.mp3")
    (music / "zero.mp3").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(music)  # as the address of a socket is short
        listening.bind("socket.mp3")
        os.chdir(here)
        added = add(tmp_path / "library", music)
    assert added.added == 1
    assert sorted(Path(found.path).name for found in added.failed) == [
        "pipe.mp3",
        "socket.mp3",
        "zero",
    ]
    assert all("not an ordinary file" in (found.problem or "") for found in added.failed)


def test_what_may_not_be_read_is_named_and_comes_back_when_it_may(tmp_path: Path) -> None:
    music = tmp_path / "music"
    for number, folder in enumerate(("open", "closed", "file")):
        small_song(music / folder / "song.flac", number)
    (music / "closed").chmod(0)
    (music / "file" / "song.flac").chmod(0)
    command = [sys.executable, "-m", "songprint", "add", "--workers", "1", str(music)]
    command += ["--library", str(tmp_path / "library")]
    if os.geteuid() == 0:  # whom nothing is forbidden, unless it says so itself
        if shutil.which("setpriv") is None:
            do_without("there is no setpriv here")
        bound = "-dac_override,-dac_read_search"
        command = ["setpriv", "--bounding-set", bound, "--inh-caps", bound, *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (music / "closed").chmod(0o755)
    (music / "file" / "song.flac").chmod(0o644)
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert done.stderr.lower().count("permission denied") == 2
    assert len(Library.open(tmp_path / "library")) == 1
    added = add(tmp_path / "library", music)
    assert (added.added, added.failed) == (2, [])


def test_ten_thousand_files_in_a_folder_are_looked_at_in_no_time(tmp_path: Path) -> None:
    song = small_song(tmp_path / "song.flac")
    music = tmp_path / "music"
    music.mkdir()
    for number in range(10_000):
        os.link(song, music / f"{number:05}.flac")
    started = time.monotonic()
    assert len(scan([str(music)]).files) == 10_000
    assert time.monotonic() - started < 10


def test_files_that_vanish_or_change_while_they_are_added_cost_nothing_but_themselves(
    tmp_path: Path,
) -> None:
    music = tmp_path / "music"
    songs = [small_song(music / f"{number}.flac", number) for number in range(12)]
    spare = small_song(tmp_path / "spare.flac", 99).read_bytes()
    stop = threading.Event()

    def meddle() -> None:
        while not stop.is_set():
            songs[5].unlink(missing_ok=True)
            songs[6].write_bytes(spare[: os.urandom(1)[0] * 40])  # being written, again and again
            songs[7].write_bytes(spare)
            os.utime(songs[8])

    thread = threading.Thread(target=meddle)
    thread.start()
    try:
        add(tmp_path / "library", music)
    finally:
        stop.set()
        thread.join()
    songs[6].write_bytes(small_song(tmp_path / "other.flac", 98).read_bytes())
    added = add(tmp_path / "library", music)
    assert added.failed == []
    held = {Path(f.path).name: f for f in Library.open(tmp_path / "library").files()}
    whole = [f"{n}.flac" for n in range(12) if n != 5]
    for name in whole:
        assert held[name].error is None
        assert held[name].content_hash == worker.identify(str(music / name)).content_hash
    assert len({held[name].content_hash for name in whole}) == len(
        Library.open(tmp_path / "library")
    )


def test_a_folder_that_vanishes_midway_keeps_what_was_known(tmp_path: Path) -> None:
    music = tmp_path / "music"
    for number in range(3):
        small_song(music / "known" / f"{number}.flac", number)
    add(tmp_path / "library", music)
    small_song(music / "new" / "song.flac", 7)

    def vanish(_: Step) -> None:
        shutil.rmtree(music, ignore_errors=True)

    add(tmp_path / "library", music, on_plan=lambda _: vanish(None))  # type: ignore[arg-type]
    assert len(Library.open(tmp_path / "library")) == 3
    again = add(tmp_path / "library", music)
    assert again.pruned == 0
    assert len(Library.open(tmp_path / "library")) == 3


@pytest.mark.parametrize("when", [0, 2**33])
def test_a_clock_that_is_wrong_changes_nothing(tmp_path: Path, when: int) -> None:
    song = small_song(tmp_path / "music" / "song.flac")
    os.utime(song, (when, when))
    library = tmp_path / "library"
    assert add(library, tmp_path / "music").added == 1
    assert add(library, tmp_path / "music").unchanged == 1
    os.utime(song, (when + 9, when + 9))
    assert add(library, tmp_path / "music").unchanged == 1  # touched, and the same song


def test_a_clock_that_goes_backwards_loses_no_songs(tmp_path: Path) -> None:
    library = library_of(tmp_path / "library", small_song(tmp_path / "music" / "song.flac"))
    future = time.time() + 10 * 365 * 86400
    for file in library.path.rglob("*"):
        os.utime(file, (future, future))
    with library.writing() as writer:
        writer.tidy()
    small_song(tmp_path / "music" / "new.flac", 5)
    assert add(library.path, tmp_path / "music").added == 1
    assert len(Library.open(library.path).catalogue()) == 2


def test_the_last_word_on_a_song_holds_although_the_clock_goes_backwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SetBack(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) - timedelta(days=400)

    library = Library.open(tmp_path / "library", create=True)
    library.add_feedback("day", "0" * 32, "like")
    monkeypatch.setattr(store, "datetime", SetBack)
    library.add_feedback("day", "0" * 32, "dislike")
    assert library.feedback("day") == {"0" * 32: "dislike"}
