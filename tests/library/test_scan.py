from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path

import pytest

from songprint.library.scan import FileOnDisk, Found, find_songs, scan


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(found: list[Found], folder: Path) -> list[str]:
    return [os.path.relpath(item.path, folder) for item in found]


def test_a_named_file_is_tried_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path / "notes.txt", tmp_path / ".hidden", tmp_path / "film.mp4")
    arguments = [str(tmp_path / name) for name in ("notes.txt", "missing.mp3", ".hidden")]
    assert find_songs(arguments) == [Found(argument) for argument in arguments]


def test_what_lies_in_an_object_store_is_only_there_for_a_library() -> None:
    [found] = find_songs(["s3://bucket/song.mp3"])
    assert found.problem == "is in an object store, whose songs only songprint add hears"


def test_a_folder_gives_its_audio_files_in_the_order_of_names(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("c.ogg", "a.MP3", "b/z.flac", "b/y.wav", "b/x/1.opus")))
    assert names(find_songs([str(tmp_path)]), tmp_path) == [
        "a.MP3",
        "b/x/1.opus",
        "b/y.wav",
        "b/z.flac",
        "c.ogg",
    ]


def test_a_folder_is_not_searched_for_hidden_files_or_other_kinds(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("a.mp3", "._a.mp3", ".git/b.mp3", "cover.jpg", "x.mkv")))
    assert names(find_songs([str(tmp_path)]), tmp_path) == ["a.mp3"]


def test_a_hidden_folder_that_is_named_is_walked(tmp_path: Path) -> None:
    touch(tmp_path / ".music" / "a.mp3")
    assert names(find_songs([str(tmp_path / ".music")]), tmp_path) == [".music/a.mp3"]


def test_a_folder_named_like_a_song_is_walked(tmp_path: Path) -> None:
    touch(tmp_path / "folder.mp3" / "a.mp3")
    assert names(find_songs([str(tmp_path)]), tmp_path) == ["folder.mp3/a.mp3"]


def test_paths_are_kept_as_they_were_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "music" / "a.mp3")
    monkeypatch.chdir(tmp_path)
    assert find_songs(["./music"]) == [Found("./music/a.mp3")]
    assert find_songs(["music/"]) == [Found("music/a.mp3")]


def test_an_empty_folder_is_a_problem(tmp_path: Path) -> None:
    touch(tmp_path / "cover.jpg")
    assert find_songs([str(tmp_path)]) == [
        Found(str(tmp_path), "there are no songs in this folder")
    ]


def test_an_empty_name_is_a_problem_and_not_the_current_folder() -> None:
    (found,) = find_songs([""])
    assert found.problem


def test_what_is_named_twice_is_heard_once_in_the_first_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "a.mp3", tmp_path / "b.mp3")
    monkeypatch.chdir(tmp_path)
    arguments = ["b.mp3", "./b.mp3", str(tmp_path / "b.mp3"), ".", str(tmp_path)]
    assert find_songs(arguments) == [Found("b.mp3"), Found("./a.mp3")]


def test_a_loop_of_links_is_walked_once(tmp_path: Path) -> None:
    touch(tmp_path / "b" / "a.mp3")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    assert names(find_songs([str(tmp_path)]), tmp_path) == ["b/a.mp3"]


def test_links_to_folders_and_songs_are_followed(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere" / "a.mp3", tmp_path / "b.mp3")
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "c.mp3").symlink_to(tmp_path / "b.mp3")
    found = find_songs([str(tmp_path / "music")])
    assert names(found, tmp_path) == ["music/c.mp3", "music/link/a.mp3"]


def test_an_unreadable_folder_is_a_problem_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "locked" / "a.mp3", tmp_path / "open" / "b.mp3")
    real = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "locked":  # root may read everything, so the mode would not do
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert find_songs([str(tmp_path)]) == [
        Found(str(tmp_path / "locked"), "cannot be read: Permission denied"),
        Found(str(tmp_path / "open" / "b.mp3")),
    ]


def test_a_tree_deeper_than_python_recurses_is_walked(tmp_path: Path) -> None:
    depth = 200
    song = tmp_path / ("d/" * depth) / "a.mp3"
    touch(song)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + depth // 2)  # a deeper tree would outlive pytest
    try:
        found = find_songs([str(tmp_path)])
    finally:
        sys.setrecursionlimit(limit)
    assert found == [Found(str(song))]


def test_a_scan_tells_sizes_and_times_of_what_links_lead_to(tmp_path: Path) -> None:
    song = tmp_path / "real" / "a.mp3"
    touch(song)
    song.write_bytes(b"123")
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "b.mp3").symlink_to(song)
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    places = [tmp_path / "music", tmp_path / "folder", song]
    seen = scan(map(str, places))
    assert seen.problems == []
    assert list(seen.files.values()) == [FileOnDisk(str(song), 3, song.stat().st_mtime_ns)]
    assert seen.roots == [str(tmp_path / "music"), str(tmp_path / "real")]


def test_a_scan_tells_what_it_cannot_tell(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    broken = tmp_path / "music" / "broken.mp3"
    touch(tmp_path / "music" / "a.mp3")
    broken.symlink_to("nowhere")
    seen = scan([str(tmp_path / name) for name in ("empty", "music", "gone")])
    assert {found.path for found in seen.problems} == {
        str(tmp_path / "empty"),
        str(broken),
        str(tmp_path / "gone"),
    }
    assert seen.empty == {str(tmp_path / "empty")}
    assert f"links to {tmp_path / 'music' / 'nowhere'}, which is not there" in {
        found.problem for found in seen.problems
    }
    assert seen.tells_of(str(tmp_path / "music" / "old.mp3"))
    assert not seen.tells_of(str(tmp_path / "gone" / "old.mp3"))
    assert not seen.tells_of(str(tmp_path / "music2" / "old.mp3"))
