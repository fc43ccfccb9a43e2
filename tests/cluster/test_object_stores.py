from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from songprint import Library
from songprint.errors import LibraryError
from songprint.library import lease, objects
from songprint.library.ingest import Added, add_folders
from songprint.library.objects import open_bucket
from support.shelves import small_song

pytest.importorskip("obstore")
moto = pytest.importorskip("moto.server")

TIMES = ("added", "changed", "mtime_ns", "missing")
MUSIC, PLACE = "s3://bucket/music", "s3://bucket/library"


@pytest.fixture(autouse=True)
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    told = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    for reset in ("moto-api/reset", "bucket"):
        method = "PUT" if reset == "bucket" else "POST"
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{reset}", method=method)).close()
    yield
    server.stop()


def upload(folder: Path) -> None:
    for path in sorted(folder.rglob("*.*")):
        open_bucket(MUSIC).put(str(path.relative_to(folder)), path.read_bytes())


def add(library: Library, *places: str) -> Added:
    return add_folders(library, places, workers=1)


def require_the_same(local: Library, remote: Library, music: Path) -> None:
    for table, key in (("songs", "content_hash"), ("landmarks", "content_hash"), ("files", "path")):
        here, there = (one.read(table).sort_by(key).to_pylist() for one in (local, remote))
        for row in [*here, *there]:
            for name in (*TIMES, "words"):
                row.pop(name, None)
            if row.get("path"):
                row["path"] = row["path"].replace(str(music), MUSIC)
        assert here == there


def test_a_library_in_a_store_equals_one_in_a_folder(tmp_path: Path) -> None:
    music = tmp_path / "music"
    small_song(music / "a.flac", 1, title="So What", artist="Miles")
    small_song(music / "b" / "b.flac", 2)
    (music / "bad.mp3").write_bytes(b"no music " * 99)
    upload(music)
    local, remote = Library.open(tmp_path / "here", create=True), Library.open(PLACE, create=True)
    first, second = add(local, str(music)), add(remote, MUSIC)
    assert (second.added, len(second.failed)) == (first.added, len(first.failed)) == (2, 1)
    assert second.failed[0].path == f"{MUSIC}/bad.mp3"
    require_the_same(local, remote, music)
    again = add(Library.open(PLACE), MUSIC)
    assert (again.heard, again.unchanged, again.failed_before) == (0, 2, 1)


def test_a_second_writer_is_refused_until_the_first_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = Library.open(PLACE, create=True), Library.open(PLACE)
    with one.writing():
        with pytest.raises(LibraryError, match=r"process \d+ on .* is writing"), two.writing():
            pass
        monkeypatch.setattr(lease, "LASTS_SECONDS", -1.0)  # as if it had not been renewed
        with pytest.raises(LibraryError, match="another may be"):
            one.require_writer()
    with two.writing():
        pass


def test_a_writer_that_lost_its_lease_leaves_the_next_one_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = Library.open(PLACE, create=True), Library.open(PLACE)
    with one._held("notes"), monkeypatch.context() as patch:
        patch.setattr(lease, "LASTS_SECONDS", -1.0)
        other = two._held("notes")
        other.__enter__()
    with pytest.raises(LibraryError, match="is writing"), Library.open(PLACE)._held("notes"):
        pass
    other.__exit__(None, None, None)


class Forgetful:
    """A store that does as it is told, and whose answers are lost."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.lost = 0

    def put(self, key: str, told: bytes, *, mode: Any = None) -> Any:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        answer = self._store.put(key, told, mode=mode)
        if mode is None:
            return answer
        self.lost += 1  # it was told again, which is refused
        raise AlreadyExistsError("it is there") if mode == "create" else PreconditionError("no")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Failing:
    """A store that has its troubles."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def __getattr__(self, _: str) -> Any:
        from obstore.exceptions import GenericError

        self.asked.set()
        raise GenericError("503 Slow Down")


def test_a_lease_whose_answers_are_lost_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEWED_EVERY_SECONDS", 0.01)
    held = lease.Lease(PLACE, "writer")
    held._store = forgetful = Forgetful(held._store)
    held.acquire(0.0)
    while forgetful.lost < 3:
        held.require()
        time.sleep(0.01)
    held.require()
    held.release()
    with lease.leased(PLACE, "writer"):
        pass


def test_a_store_that_has_its_troubles_does_not_end_a_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lease, "RENEWED_EVERY_SECONDS", 0.01)
    held = lease.Lease(PLACE, "writer")
    held.acquire(0.0)
    store, held._store = held._store, Failing()
    assert held._store.asked.wait(10)
    held._store, renewed = store, held._renewed
    while held._renewed == renewed:
        time.sleep(0.01)
    held.require()
    held.release()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "the object store does not answer"),
        ("AWS_ENDPOINT_URL", "nonsense", "AWS_ENDPOINT_URL is no address: nonsense"),
        ("AWS_ALLOW_HTTP", "false", "is not encrypted, which AWS_ALLOW_HTTP=true allows"),
        ("AWS_ACCESS_KEY_ID", None, "the environment has no key to the object store"),
    ],
)
def test_a_store_that_cannot_be_asked_is_told_in_one_line(
    name: str, value: str | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    objects._opened.cache_clear()
    with pytest.raises(LibraryError) as refused:
        Library.open(PLACE, create=True)
    failed = add(Library.open(tmp_path / "here", create=True), MUSIC).failed
    objects._opened.cache_clear()
    for line in (str(refused.value), failed[0].problem):
        assert line is not None
        assert line.endswith(told)


def test_what_cannot_be_reached_is_told_in_one_line() -> None:
    with pytest.raises(LibraryError, match=r"cannot be opened: The specified bucket .* not exist$"):
        Library.open("s3://no-such-bucket/library")
    with pytest.raises(LibraryError, match="there is no library here"):
        Library.open("s3://bucket/nothing")
    library = Library.open(PLACE, create=True)
    failed = add(library, "s3://no-such-bucket/music").failed
    assert [one.path for one in failed] == ["s3://no-such-bucket/music"]
    assert "\n" not in str(failed[0].problem)


@pytest.mark.timeout(200)
def test_a_cluster_hears_what_lies_in_a_store_and_writes_to_one(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    music = tmp_path / "music"
    for number in range(3):
        small_song(music / f"{number}.flac", number)
    upload(music)
    songprint = [sys.executable, "-m", "songprint", "add", MUSIC, "--library", PLACE, "--json"]
    told = subprocess.run(
        [*songprint, "--ray", "local", "--workers", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert json.loads(told.stdout)["added"] == 3
    local = Library.open(tmp_path / "here", create=True)
    add(local, str(music))
    require_the_same(local, Library.open(PLACE), music)
