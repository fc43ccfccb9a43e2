from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from songprint import Library
from songprint.errors import LibraryError
from songprint.library.guards import guard_of
from songprint.library.schema import song_record
from songprint.library.tags import SongTags
from support.disks import small_disk
from support.killing import contents, kill_and_finish, run_add
from support.shelves import NOW, library_of, made_up_library, made_up_song, shelve, small_song


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    for number in range(6):
        small_song(folder / f"{number}.flac", number, title=f"Song {number}")
    shutil.copy(folder / "3.flac", folder / "copy of 3.flac")
    return folder


def test_killed_at_any_moment_it_ends_with_the_same_library(music: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    code, _, err = run_add(music, tmp_path / "undisturbed")
    assert code == 0, err
    seconds = time.monotonic() - started
    wanted = contents(tmp_path / "undisturbed")
    assert len(wanted["songs"]) == 6
    assert len(wanted["files"]) == 7
    kill_and_finish(music, tmp_path / "killed", seconds, random.Random(os.urandom(8)))
    assert contents(tmp_path / "killed") == wanted


def test_a_second_add_is_refused_while_another_process_writes(music: Path, tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 3)
    with library.writing():
        code, out, err = run_add(music, tmp_path)
        assert len(library.catalogue()) == 3
    assert (code, out) == (1, "")
    assert f"process {os.getpid()} " in err
    assert len(err.splitlines()) == 1


def test_a_reader_never_sees_half_a_write(tmp_path: Path) -> None:
    made_up_library(tmp_path / "library", 1)
    code = (
        "import sys; from pathlib import Path\n"
        "from songprint import Library\n"
        "from support.shelves import made_up_song, shelve\n"
        "library = Library.open(sys.argv[1])\n"
        "for n in range(4):\n"
        "    shelve(library, {f'/m/{n}-{k}': made_up_song(100 + 4 * n + k) for k in range(4)})\n"
        "    with library.writing() as writer: writer.tidy()\n"
    )
    tests = Path(__file__).parents[1]
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "library")],
        env=os.environ | {"PYTHONPATH": str(tests)},
    )
    reader = Library.open(tmp_path / "library")
    sizes = []
    while writer.poll() is None:
        sizes.append(len(reader.catalogue()))
    assert writer.returncode == 0
    assert sizes == sorted(sizes)
    assert {size % 4 for size in sizes} == {1}
    assert len(reader) == 17


def test_a_full_disk_is_told_and_the_library_stays_whole(music: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "4m"):
        made_up_library(disk / "library", 20)
        before = contents(disk / "library")
        filler = disk / "filler"
        free = shutil.disk_usage(disk).free
        filler.write_bytes(bytes(max(free - 24_000, 0)))
        code, out, err = run_add(music, disk / "library")
        assert (code, out) == (1, "")
        assert "the disk is full" in err
        assert len(err.splitlines()) == 1
        after = contents(disk / "library")
        assert before["songs"] == [song for song in after["songs"] if song["model"] == "2-test"]
        filler.unlink()
        code, _, err = run_add(music, disk / "library")
        assert code == 0, err
        assert len(Library.open(disk / "library").files()) == 20 + 7


def test_a_file_system_that_is_read_only_can_be_read(music: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "4m"):
        made_up_library(disk / "library", 3)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        library = Library.open(disk / "library")
        assert len(library.catalogue()) == len(library.find(text="reggae")) == 3
        with pytest.raises(LibraryError, match="read-only"), library.writing():
            pass
        with pytest.raises(LibraryError, match="read-only"):
            library.save_station("day", {})
        code, out, err = run_add(music, disk / "library")
        assert (code, out) == (1, "")
        assert "read-only" in err
        assert len(err.splitlines()) == 1


# Where it strikes a walk through folders, Python closes the walk by itself and says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_waits_for_the_commit(tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    songs = [song_record(made_up_song(n), SongTags(), f"/{n}", NOW) for n in range(20)]
    armed = False
    interrupts = 0
    done = threading.Event()

    def strike(*_: object) -> None:
        nonlocal armed
        if armed:
            armed = False
            raise KeyboardInterrupt

    def interrupt() -> None:
        while not done.wait(random.uniform(0.005, 0.05)):
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, strike)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        for song in songs:
            try:
                armed = True
                with library.writing() as writer:
                    try:
                        writer.put_songs([song])
                    finally:  # as adding does; beside the first this would be a second song
                        writer.put_songs([song])
                armed = False
            except KeyboardInterrupt:
                interrupts += 1
    finally:
        done.set()
        thread.join()
        signal.signal(signal.SIGINT, before)
    assert interrupts
    rows = library.read("songs", "content_hash")["content_hash"].to_pylist()
    assert len(rows) == len(set(rows))


def test_a_library_does_not_grow_with_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    monkeypatch.setattr("songprint.library.writer.OLD_VERSIONS", timedelta(seconds=0.1))
    library = made_up_library(tmp_path, 10)
    for n in range(8):
        shelve(library, {f"/music/{k}.mp3": made_up_song(k, seconds=n) for k in range(10)})
        if n % 4 == 0:
            with library.writing() as writer:
                time.sleep(0.1)
                writer.tidy()
    with library.writing() as writer:
        time.sleep(0.2)
        writer.tidy()
    size = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert size / 10 < 15_000  # small files are kept twice
    assert len(library.catalogue()) == 10


def test_what_a_killed_writer_left_behind_is_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    monkeypatch.setattr("songprint.library.writer.OLD_VERSIONS", timedelta(seconds=0.1))
    library = library_of(tmp_path / "library", small_song(tmp_path / "a.flac"))
    (piece,) = (tmp_path / "library" / "songs.lance" / "data").iterdir()
    left = piece.with_name("0" * len(piece.stem) + piece.suffix)
    shutil.copy(piece, left)
    time.sleep(0.2)
    with library.writing() as writer:
        writer.tidy()
    assert not left.exists()
    assert len(library.catalogue()) == 1


def test_a_commit_that_a_power_cut_tore_is_taken_back(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 3)
    shelve(library, {"/music/new.mp3": made_up_song(7)})
    for name in ("songs", "files"):
        latest = min((tmp_path / f"{name}.lance" / "_versions").glob("*.manifest"))
        latest.write_bytes(latest.read_bytes()[: 100 if name == "songs" else 0])
        guard_of(tmp_path, latest).unlink()  # which is made when all else is on the disk
    again = Library.open(tmp_path)
    assert len(again) == len(again.files()) == len(again.catalogue()) == 3
    shelve(again, {"/music/new.mp3": made_up_song(7)})
    assert len(again) == len(again.find(text="reggae")) == 4


def test_what_was_written_is_flushed_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = made_up_library(tmp_path, 1)
    flushed: list[str] = []
    fsync = os.fsync
    monkeypatch.setattr(
        os,
        "fsync",
        lambda file: (flushed.append(str(Path(f"/proc/self/fd/{file}").readlink())), fsync(file)),
    )
    shelve(library, {"/music/new.mp3": made_up_song(7)})
    for name in ("songs", "files"):
        manifest = min((tmp_path / f"{name}.lance" / "_versions").glob("*.manifest"))
        assert {str(manifest), str(manifest.parent)} <= set(flushed)
