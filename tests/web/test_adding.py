"""Adding over the API, hearing files without adding them, and the jobs that do it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from songprint.library.store import Library
from support.badfiles import make_bad_files
from support.serving import Client, serving
from support.shelves import small_song


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Client]:
    """A server of an empty library."""
    with serving(tmp_path / "library") as client:
        yield client


def test_a_folder_is_added_and_its_failures_are_named(fresh: Client, tmp_path: Path) -> None:
    small_song(tmp_path / "music" / "a.flac", 1, title="So What")
    small_song(tmp_path / "music" / "b" / "b.flac", 2)
    (tmp_path / "music" / "c.mp3").write_bytes(b"no song at all" * 100)
    started = fresh.post("/api/add", {"folders": [str(tmp_path / "music")]})
    state = fresh.job(started)
    assert (state["state"], state["error"]) == ("done", None)
    assert (state["result"]["added"], len(state["result"]["failed"])) == (2, 1)
    assert state["progress"]["files"] == 3
    assert fresh.get("/api/songs?q=so+what").json["total"] == 1
    assert fresh.get("/api/failed").json[0]["path"].endswith("c.mp3")
    assert fresh.get("/api/library").json["folders"] == [str(tmp_path / "music")]


def test_songs_that_another_process_adds_appear(client: Client, tmp_path: Path) -> None:
    import time

    from songprint.library.ingest import add_folders

    assert client.get("/api/library").json["songs"] == 3
    new = small_song(tmp_path / "more" / "four.flac", 9, title="four")
    add_folders(Library.open(tmp_path / "library"), [str(new.parent)], workers=1)
    deadline = time.monotonic() + 90
    while client.get("/api/songs?q=four").json["total"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_one_job_of_a_kind_is_done_at_a_time(fresh: Client, tmp_path: Path) -> None:
    small_song(tmp_path / "music" / "a.flac", 1)
    asked = {"folders": [str(tmp_path / "music")]}
    first = fresh.post("/api/add", asked)
    assert fresh.post("/api/add", asked).status == 409
    assert fresh.job(first)["state"] == "done"


def test_adding_can_be_stopped(fresh: Client, tmp_path: Path) -> None:
    small_song(tmp_path / "music" / "a.flac", 1)
    started = fresh.post("/api/add", {"folders": [str(tmp_path / "music")]})
    assert fresh.send("DELETE", f"/api/jobs/{started.json['id']}").status == 204
    assert fresh.job(started)["state"] == "cancelled"


@pytest.mark.parametrize("folder", ["music", "/nowhere/at/all", "/etc/passwd", "a\0b", ""])
def test_what_is_no_folder_is_refused(fresh: Client, folder: str) -> None:
    assert fresh.post("/api/add", {"folders": [folder]}).status == 422


def test_nothing_to_look_at_again_is_refused(fresh: Client) -> None:
    assert fresh.post("/api/add", {}).status == 422


def test_only_the_servers_own_music_is_added_where_it_is_named(tmp_path: Path) -> None:
    small_song(tmp_path / "music" / "a.flac", 1)
    small_song(tmp_path / "private" / "b.flac", 2)
    (tmp_path / "music" / "link").symlink_to(tmp_path / "private")
    with serving(tmp_path / "library", music=(tmp_path / "music",)) as client:
        for folder in ("private", "music/../private", "music/link", ""):
            asked = {"folders": [str(tmp_path / folder)]}
            assert client.post("/api/add", asked).status == 403, folder
            assert client.get(f"/api/folders?path={tmp_path / folder}").status == 403
        assert client.get("/api/folders").json["path"] == str(tmp_path / "music")
        added = client.job(client.post("/api/add", {"folders": [str(tmp_path / "music")]}))
        assert added["state"] == "done"


def test_folders_can_be_looked_through(fresh: Client, tmp_path: Path) -> None:
    small_song(tmp_path / "music" / "b" / "b.flac", 2)
    small_song(tmp_path / "music" / "a.flac", 1)
    found = fresh.get(f"/api/folders?path={tmp_path / 'music'}").json
    assert (found["folders"], found["files"]) == (["b"], 1)
    assert found["parent"] == str(tmp_path)


def test_a_file_is_heard_without_being_added(client: Client, tmp_path: Path) -> None:
    song = small_song(tmp_path / "other" / "four.flac", 9, seconds=4.0, title="four")
    heard = client.upload(song.read_bytes()).json
    assert (heard["title"], heard["in_library"]) == ("four", False)
    assert heard["heard"]["seconds"] == pytest.approx(4.0, abs=0.05)
    assert {near["title"] for near in heard["similar"]} == {"one", "two", "three"}
    assert client.get("/api/library").json["songs"] == 3


def test_a_file_of_the_library_is_known(client: Client, songs: list[Path]) -> None:
    heard = client.upload(songs[0].read_bytes(), "whatever.bin").json
    assert heard["in_library"]
    assert heard["id"] == client.get("/api/songs?q=one").json["songs"][0]["id"]


def test_bad_files_are_refused_with_a_reason_and_deleted(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "uploads").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "uploads"))
    (tmp_path / "bad").mkdir()
    for place in make_bad_files(tmp_path / "bad"):
        if not place.is_file():
            continue
        answer = client.upload(place.read_bytes(), quote(place.name))
        assert answer.status == 422, place.name
        assert answer.json["detail"]
        assert "songprint-" not in answer.json["detail"]  # no path of the server's
    assert list((tmp_path / "uploads").iterdir()) == []
