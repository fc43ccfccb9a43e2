"""What the command line does, over the API: jobs, their files, and what is refused beforehand."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from urllib.parse import quote

import mutagen.flac
import pyarrow.parquet as pq
import pytest

from songprint.library.ingest import add_folders
from songprint.library.store import Library
from songprint.views.kinds import FORMATS, KINDS, USUAL_KINDS
from songprint.web.api import pictures
from songprint.web.jobs import MOST_WITH_FILES, Jobs
from support.kin import kin_library
from support.serving import Answer, Client, serving
from support.shelves import small_song


def ids(client: Client) -> dict[str, str]:
    return {song["title"]: song["id"] for song in client.get("/api/songs").json["songs"]}


def send(client: Client, path: str, data: bytes) -> Answer:
    return client.send("POST", path, data, {"Content-Type": "application/octet-stream"})


def test_songs_are_drawn(client: Client) -> None:
    songs = list(ids(client).values())
    heads = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for suffix, head in heads.items():
        asked = {"songs": songs[:2], "format": suffix, "kinds": ["waveform"], "dpi": 50}
        answer = client.post("/api/plot", asked)
        assert (answer.status, answer.body[:4]) == (200, head[:4])
        assert answer.headers["content-type"].split(";")[0] == pictures.TYPES[suffix]


def test_the_kinds_are_those_of_the_command_line() -> None:
    assert get_args(pictures.Kind) == KINDS
    assert pictures.USUAL == USUAL_KINDS
    assert tuple(pictures.TYPES) == FORMATS


def test_a_song_without_a_file_is_not_drawn(client: Client, songs: list[Path]) -> None:
    one = ids(client)["one"]
    songs[0].unlink()
    assert client.post("/api/plot", {"songs": [one]}).status == 404
    assert client.post("/api/plot", {"songs": ["0" * 32]}).status == 404
    assert client.post("/api/plot", {"songs": [one], "kinds": ["x"]}).status == 422


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Twenty songs of two kinds, a folder each."""
    folder = tmp_path / "labelled"
    for n in range(20):
        kind = "low" if n < 10 else "high"
        small_song(folder / kind / f"{n}.flac", n, artist=f"{kind} artist {n % 4}")
    return folder


def test_songs_whose_genres_are_known_measure_songprint(client: Client, labelled: Path) -> None:
    state = client.job(client.post("/api/evaluate", {"folder": str(labelled)}))
    assert state["error"] is None
    assert state["progress"]["done"] == state["progress"]["total"] == 20
    assert state["result"]["songs"] == 20
    assert state["result"]["failed"] == []


def test_genres_of_the_library_are_drawn_and_fetched(client: Client) -> None:
    known = ids(client)
    genres = {"odd": [known["one"], known["three"]], "even": [known["two"]]}
    state = client.job(client.post("/api/gallery", {"genres": genres, "dpi": 50}))
    assert state["error"] is None
    assert {"gallery.html", "genres.png", "songs.csv"} <= set(state["files"])
    assert state["result"]["written"] == state["files"]
    fetched = client.get(f"/api/jobs/{state['id']}/files/genres.png")
    assert fetched.body[:4] == b"\x89PNG"
    assert "attachment" in fetched.headers["content-disposition"]


def test_genres_are_learnt_from_a_folder(client: Client, labelled: Path, tmp_path: Path) -> None:
    asked = {"folder": str(labelled), "kind": "folder", "name": "pitch"}
    state = client.job(client.post("/api/train", asked))
    assert (state["error"], state["result"]["file"]) == (None, "pitch.json")
    assert (tmp_path / "genres" / "pitch.json").is_file()
    assert client.get("/api/genres/personal").json[0]["name"] == "pitch"


def test_what_cannot_be_measured_is_told_in_a_line(client: Client, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    state = client.job(client.post("/api/evaluate", {"folder": str(tmp_path / "empty")}))
    assert state["state"] == "failed"
    assert "no songs" in state["error"] or "there are no" in state["error"]


@pytest.mark.parametrize("missing", ["torch", "onnx"])
def test_without_pytorch_fine_tuning_is_refused(
    client: Client, labelled: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    asked = {"folder": str(labelled), "name": "x", "finetune": True}
    answer = client.post("/api/train", asked)
    assert (answer.status, answer.headers["content-type"]) == (409, "application/problem+json")
    assert "songprint[train]" in answer.json["detail"]


def test_a_data_set_is_one_folder_or_songs(kin: Client, tmp_path: Path) -> None:
    one = kin.get("/api/songs?limit=1").json["songs"][0]["id"]
    for asked in (
        {},
        {"folder": str(tmp_path), "genres": {"x": [one]}},
        {"folder": "music"},
        {"folder": "/nowhere/at/all"},
        {"folder": "\0"},
        {"genres": {"": [one]}},
        {"folder": str(tmp_path), "kind": "table"},
    ):
        assert kin.post("/api/evaluate", asked).status == 422, asked
    assert kin.post("/api/evaluate", {"genres": {"x": ["0" * 32]}}).status == 404


def test_songs_go_from_one_library_to_another(client: Client, tmp_path: Path) -> None:
    state = client.job(client.post("/api/export", {"name": "anna"}))
    assert (state["error"], state["files"]) == (None, ["anna.parquet"])
    file = client.get(f"/api/jobs/{state['id']}/files/anna.parquet").body
    assert pq.read_table(io.BytesIO(file)).num_rows == state["result"]["songs"] == 3
    with serving(tmp_path / "other" / "library") as other:
        taken = other.job(send(other, "/api/import?name=anna.parquet", file))
        assert taken["error"] is None
        assert taken["result"]["imported"][0]["added"] == 3
        assert other.get("/api/report").json["origins"] == [{"file": "anna.parquet", "songs": 3}]
        forgotten = other.send("DELETE", "/api/imported/anna.parquet")
        assert forgotten.json == {"songs": 3}
        assert other.send("DELETE", "/api/imported/anna.parquet").status == 404


def test_a_hostile_file_is_not_imported(client: Client) -> None:
    state = client.job(send(client, "/api/import?name=evil.parquet", b"PAR1" * 1000))
    assert state["result"]["imported"] == []
    assert state["result"]["failed"][0]["file"] == "evil.parquet"
    for name in ("../evil", "a/b", ".hidden", "", "x" * 101, "a\0b"):
        assert send(client, f"/api/import?name={quote(name, safe='')}", b"x").status == 422, name


def test_tags_are_written_and_taken_back(tmp_path: Path) -> None:
    file = small_song(tmp_path / "music" / "one.flac", 1, 8.0, title="one")
    other = small_song(tmp_path / "music" / "two.flac", 2, 8.0, title="two")
    library = Library.open(tmp_path / "library", create=True)
    add_folders(library, [str(tmp_path / "music")], workers=1)
    with serving(library.path) as client:
        asked = {"fields": ["genre"], "songs": [ids(client)["one"]], "unsure": True}
        planned = client.job(client.post("/api/tag", asked))["result"]
        assert ([c["path"] for c in planned["changes"]], planned["written"]) == ([str(file)], False)
        assert "genre" not in mutagen.flac.FLAC(file)
        client.job(client.post("/api/tag", {**asked, "write": True}))
        assert mutagen.flac.FLAC(file)["genre"]
        assert "genre" not in mutagen.flac.FLAC(other)
        client.job(client.post("/api/tag", {"undo": True, "write": True}))
        assert "genre" not in mutagen.flac.FLAC(file)


def test_without_mutagen_no_tags_are_written(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mutagen", None)
    answer = client.post("/api/tag", {"fields": ["bpm"]})
    assert answer.status == 409
    assert "songprint[tag]" in answer.json["detail"]


def test_tags_are_written_to_what_may_be_added_alone(heard: Library, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with serving(heard.path, music=(tmp_path / "other",)) as client:
        assert client.post("/api/tag", {"fields": ["bpm"]}).status == 409
        assert client.post("/api/tag", {"undo": True, "write": True}).status == 403
        assert client.post("/api/evaluate", {"folder": str(tmp_path / "music")}).status == 403


def test_duplicates_are_found(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        small_song(tmp_path / "music" / folder / "one.flac", 1, title="one")
    library = Library.open(tmp_path / "library", create=True)
    add_folders(library, [str(tmp_path / "music")], workers=1)
    with serving(library.path) as client:
        state = client.job(client.post("/api/duplicates", None))
    assert state["error"] is None
    [group] = state["result"]["groups"]
    assert [len(song["paths"]) for song in group["songs"]] == [2]


def test_the_machine_is_examined(kin: Client) -> None:
    state = kin.job(kin.post("/api/doctor", None))
    assert {"healthy", "checks"} <= set(state["result"])


def test_a_folder_is_forgotten_by_its_name_in_the_list(client: Client) -> None:
    folders = client.get("/api/library").json["folders"]
    assert client.post("/api/forget", {"folders": ["/"]}).status == 404
    assert client.post("/api/forget", {"folders": folders}).json == {"files": 3}
    assert client.get("/api/library").json["songs"] == 0


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    jobs = Jobs()
    yield jobs
    jobs.close()


def test_files_of_the_last_jobs_alone_are_kept(jobs: Jobs) -> None:
    rooms, kept = [], []
    for number in range(MOST_WITH_FILES + 2):
        room = jobs.room()
        (room / "file").write_text(str(number))
        job = jobs.start(f"kind {number}", lambda _: None)
        jobs.leave(job, room)
        rooms.append(room)
        kept.append(job)
    assert [room.exists() for room in rooms] == [False] * 2 + [True] * MOST_WITH_FILES
    assert [bool(job.files) for job in kept] == [room.exists() for room in rooms]
    jobs.close()
    assert not any(room.exists() for room in rooms)


def test_only_what_a_job_wrote_is_sent(client: Client) -> None:
    state = client.job(client.post("/api/export", {}))
    for name in ("../x", "..%2fsongprint.parquet", "%2e%2e", "songprint", "/etc/passwd", "%00"):
        answer = client.get(f"/api/jobs/{state['id']}/files/{name}")
        assert answer.status in (404, 422), name


def test_a_job_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    library = kin_library(tmp_path / "library")
    with serving(library.path) as client:
        job = client.post("/api/duplicates", None)
        client.send("DELETE", f"/api/jobs/{job.json['id']}")
        state = client.job(job)
        assert (state["state"], state["error"], state["files"]) == ("cancelled", None, [])
