"""``songprint add``: what it says and prints, and how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from songprint import Library
from songprint.cli.adding import Forecast, Pace
from songprint.library.scan import FileOnDisk
from songprint.library.watch import changes
from support.audiofiles import write_audio
from support.clips import tune
from support.drawing import command, document
from support.killing import start_add
from support.shelves import library_of, small_song


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The library that commands use unless they name another."""
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


def add(*arguments: str | Path) -> Any:
    return command("add", *arguments, "--workers", "1")


def test_a_folder_is_heard_and_told(tmp_path: Path) -> None:
    small_song(tmp_path / "music" / "a.flac")
    done = add(tmp_path / "music")
    assert (done.exit_code, done.stderr) == (0, "")
    heard, counts, kept = done.stdout.splitlines()
    assert heard.startswith("heard 1 song, 0:01 of music in 0:0")
    assert "songs/s" in heard
    assert counts == "1 added"
    assert kept == f"1 song in {tmp_path / 'library'}"


def test_the_document_counts_and_names_what_failed(tmp_path: Path, library: Path) -> None:
    small_song(tmp_path / "music" / "a.flac", 1)
    bad = tmp_path / "music" / "bad.mp3"
    bad.write_text("no song")
    nowhere = tmp_path / "nowhere"
    done = add(tmp_path / "music", nowhere, "--json")
    assert done.exit_code == 1
    told = document("add", done.stdout)
    assert told["library"] == str(library)
    assert told["added"] == 1
    assert told["songs_per_second"] > 0
    assert {failure["path"] for failure in told["failed"]} == {str(bad), str(nowhere)}
    assert sorted(done.stderr.splitlines()) == [
        f"songprint: {bad}: is not audio but text",
        f"songprint: {nowhere}: there is no such file",
    ]


def test_without_a_folder_it_looks_again_at_those_added_before(
    tmp_path: Path, library: Path
) -> None:
    library_of(library, small_song(tmp_path / "music" / "a.flac"))
    done = add("--json")
    assert done.exit_code == 0
    assert document("add", done.stdout)["unchanged"] == 1


def test_without_a_folder_there_must_be_one_from_before(library: Path) -> None:
    assert add().exit_code == 1
    assert not library.exists()
    Library.open(library, create=True)
    done = add()
    assert done.exit_code == 2
    assert "name one" in done.stderr


def test_another_library_can_be_named(tmp_path: Path, library: Path) -> None:
    other = tmp_path / "other"
    library_of(other, small_song(tmp_path / "music" / "a.flac"))
    assert add(tmp_path / "music", "--library", other).stdout.endswith(f"in {other}\n")
    assert not library.exists()


def test_files_that_are_gone_are_named_and_pruned_on_demand(tmp_path: Path, library: Path) -> None:
    a, b = (small_song(tmp_path / "music" / f"{n}.flac", n) for n in range(2))
    library_of(library, a, b)
    b.unlink()
    told = document("add", add("--json").stdout)
    assert (told["missing"], told["pruned"], told["unchanged"]) == ([str(b)], 0, 1)
    done = add()
    assert done.exit_code == 0
    assert str(b) in done.stdout
    assert "--prune" in done.stdout
    assert document("add", add("--prune", "--json").stdout)["pruned"] == 1
    assert len(Library.open(library)) == 1


def test_a_link_that_leads_nowhere_is_named_in_full_and_counted_apart_from_what_failed(
    tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small_song(tmp_path / "music" / "a.flac")
    (tmp_path / "music" / "b.flac").write_text("no song")
    link = tmp_path / "music" / "c.flac"
    link.symlink_to("nowhere")
    done = add("music")
    assert done.exit_code == 1
    assert f"songprint: {link}: links to {tmp_path / 'music' / 'nowhere'}" in done.stderr
    assert "1 added, 1 failed, 1 not found or not readable" in done.stdout
    assert len(Library.open(library).failed()) == 1
    assert "1 file failed before and has not changed:" in add("music").stdout


def test_of_many_files_that_are_gone_the_first_are_named_and_the_others_counted(
    tmp_path: Path,
) -> None:
    songs = [small_song(tmp_path / "music" / f"{n:02}.flac", n) for n in range(13)]
    add(tmp_path / "music")
    for song in songs[1:]:
        song.unlink()
    done = add(tmp_path / "music")
    assert f"  {songs[10]}\n  and 2 more: songprint report --all names all\n" in done.stdout
    assert str(songs[11]) not in done.stdout


def test_a_folder_can_be_taken_out_again(tmp_path: Path, library: Path) -> None:
    a, b = (small_song(tmp_path / folder / "a.flac", n) for n, folder in enumerate(["in", "out"]))
    library_of(library, a, b)
    shutil.copy(a, b.parent / "copy.flac")
    assert add().exit_code == 0
    shutil.rmtree(b.parent)
    done = add("--forget", b.parent, "--json")
    assert document("add", done.stdout)["pruned"] == 2
    kept = Library.open(library)
    assert [row.path for row in kept.find()] == [file.path for file in kept.files()] == [str(a)]
    assert kept.folders() == [str(a.parent)]
    assert add("--forget").exit_code == 2


def test_names_that_are_not_utf8_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.mp3")).write_text("no song")
    done = add(folder, "--json")
    (failure,) = document("add", done.stdout)["failed"]
    assert failure["path"].endswith("caf\udce9.mp3")
    assert r"caf\xe9.mp3: is not audio but text" in done.stderr


def test_watching_has_no_document(tmp_path: Path) -> None:
    assert add(tmp_path, "--watch", "--json").exit_code == 2


def test_watching_hears_what_comes_and_ends_when_interrupted(tmp_path: Path, library: Path) -> None:
    small_song(tmp_path / "music" / "a.flac", 1)
    with add_watching(tmp_path / "music") as watching:
        wait_for(lambda: (library / "songs.lance").exists() and len(Library.open(library)) == 1)
        small_song(tmp_path / "new.flac", 2).rename(tmp_path / "music" / "b.flac")
        wait_for(lambda: len(Library.open(library)) == 2)
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=20)
        assert watching.returncode == 130


def test_watching_waits_while_another_process_writes(tmp_path: Path, library: Path) -> None:
    small_song(tmp_path / "music" / "a.flac", 1)
    with add_watching(tmp_path / "music") as watching:
        assert watching.stdout
        assert watching.stderr
        while not watching.stdout.readline().startswith("1 song in"):
            assert watching.poll() is None
        with Library.open(library).writing():
            small_song(tmp_path / "new.flac", 2).rename(tmp_path / "music" / "b.flac")
            assert "trying again" in watching.stderr.readline()
        wait_for(lambda: len(Library.open(library)) == 2)


@contextmanager
def add_watching(music: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the command in a hurry, for the length of a block."""
    code = (
        "from songprint.library import watch; watch.PAUSE_SECONDS = 0.2\n"
        "from songprint.cli import add; add.RETRY_SECONDS = 0.2\n"
        "from songprint.cli.app import main; main()"
    )
    watching = subprocess.Popen(
        [sys.executable, "-u", "-c", code, "add", "--watch", "--workers", "1", str(music)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield watching
    finally:
        watching.kill()
        watching.communicate()


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_interrupt_keeps_what_was_heard(tmp_path: Path, library: Path) -> None:
    for number in range(60):
        small_song(tmp_path / "music" / f"{number}.flac", number)
    adding = start_add(tmp_path / "music", library)
    wait_for(lambda: (library / "songs.lance").exists() and len(Library.open(library)) > 0)
    os.killpg(adding.pid, signal.SIGINT)  # as a terminal does on Ctrl-C: to the workers, too
    out, err = adding.communicate(timeout=20)
    assert (adding.returncode, out) == (130, "")
    kept = len(Library.open(library))
    assert 0 < kept < 60
    assert err == f"songprint: interrupted: {kept} songs were heard and are kept\n"
    assert len(Library.open(library).files()) == kept


def test_what_changes_is_noticed_when_it_has_come_to_rest(tmp_path: Path) -> None:
    song = tmp_path / "a.mp3"
    steps = iter([b"", b"1", b"12", None, None])
    looks = []

    def sleep(_: float) -> None:
        step = next(steps)
        if step is not None:
            song.write_bytes(step)
        looks.append(step)

    watching = changes([str(tmp_path)], sleep=sleep)
    next(watching)
    next(watching)
    assert looks == [b"", b"1", b"12", None]


def test_time_is_forecast_by_what_a_second_takes_in_each_kind_of_file() -> None:
    flac = [FileOnDisk(f"{n}.flac", 40_000_000, 0) for n in range(3)]
    opus = [FileOnDisk(f"{n}.opus", 2_000_000, 0) for n in range(3)]
    forecast = Forecast([*flac, *opus])
    for file in (flac[0], opus[0]):
        forecast.done(file, 400.0)
    assert forecast.seconds_left == pytest.approx(4 * 400, rel=0.4)
    for file in (*flac[1:], *opus[1:]):
        forecast.done(file, 400.0)
    assert forecast.seconds_left == 0


def test_time_left_is_told_by_the_pace_of_the_last_minute() -> None:
    pace = Pace()
    pace.mark(1.0, 0.0)
    pace.mark(2.0, 500.0)
    assert pace.time_for(1000.0) is None  # too early to know
    for second in range(3, 100):
        pace.mark(float(second), 500.0 + 200.0 * second)
    assert pace.time_for(1000.0) == pytest.approx(5.0)


def test_a_recording_that_comes_again_in_another_format_is_known(
    tmp_path: Path, library: Path
) -> None:
    (tmp_path / "music").mkdir()
    write_audio(tmp_path / "music" / "a.flac", tune(1), 16_000)
    write_audio(tmp_path / "music" / "other.flac", tune(2), 16_000)
    assert add(tmp_path / "music").exit_code == 0
    assert not Library.open(library).catalogue().recordings.any()
    write_audio(tmp_path / "music" / "a.mp3", tune(1), 16_000)
    assert add(tmp_path / "music").exit_code == 0
    assert sorted(Library.open(library).catalogue().recordings.tolist()) == [0, 1, 1]
