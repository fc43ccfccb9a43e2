"""Stations over the API: grown, kept, renamed, told what is liked, exported."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from songprint.kinship.station import Wishes
from songprint.web.api import ways
from songprint.web.shelf import MOST_POINTS, Shelf
from songprint.web.wishes import MOST_MINDED, with_verdicts
from support.drawing import command
from support.kin import kin_library
from support.serving import Client, serving


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Client]:
    """A server of sixty songs that may be written to."""
    with serving(kin_library(tmp_path / "library").path) as client:
        yield client


def rock(client: Client, count: int = 2) -> list[str]:
    songs = client.get(f"/api/songs?genre=rock&limit={count}").json["songs"]
    return [song["id"] for song in songs]


def grow(client: Client, seeds: list[str], **more: object) -> list[str]:
    station = client.post("/api/station", {"seeds": seeds, **more}).json
    return [song["id"] for song in station["songs"]]


def test_a_station_keeps_to_its_seeds_genre(kin: Client) -> None:
    asked = {"seeds": rock(kin), "wishes": {"length": 10, "same_genre": True}}
    station = kin.post("/api/station", asked).json
    assert {song["genre"] for song in station["songs"]} == {"rock"}
    assert (station["guards"], station["complete"]) == (["rock"], True)
    assert all(song["because"] for song in station["songs"])


def test_a_station_that_widens_says_where(kin: Client) -> None:
    station = kin.post("/api/station", {"seeds": rock(kin), "wishes": {"length": 40}}).json
    assert any("widens" in remark for remark in station["remarks"])
    assert any(song["beyond"] == ["rock"] for song in station["songs"])


def test_what_is_skipped_now_is_not_played(kin: Client) -> None:
    seeds = rock(kin)
    first = grow(kin, seeds)
    assert first[0] not in grow(kin, seeds, said={first[0]: "skip"})


def test_a_kept_station_comes_back_as_it_was(own: Client) -> None:
    wishes = {"length": 7, "weights": {"beat": 2.0}, "unpopular": 0.5, "era": "70s"}
    name = "it's Größe"
    kept = own.post(f"/api/stations/{quote(name)}", {"seeds": rock(own), "wishes": wishes}, "PUT")
    assert kept.status == 204
    back = own.get(f"/api/stations/{quote(name)}").json
    assert [song["id"] for song in back["seeds"]] == rock(own)
    assert {key: back["wishes"][key] for key in ("length", "unpopular", "era")} == {
        "length": 7, "unpopular": 0.5, "era": "70s",
    }  # fmt: skip
    assert back["wishes"]["weights"]["beat"] == 2.0
    assert own.get("/api/stations").json == [{"name": name}]


def test_a_kept_station_is_the_command_lines_too(own: Client) -> None:
    own.post("/api/stations/evening", {"seeds": rock(own), "wishes": {"length": 9}}, "PUT")
    done = command("station", "evening", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert [s["content_hash"] for s in told["results"]] == grow(
        own, rock(own), wishes={"length": 9}, name="evening"
    )


def test_a_skip_is_remembered_by_a_kept_station_alone(own: Client) -> None:
    seeds = rock(own)
    own.post("/api/stations/evening", {"seeds": seeds}, "PUT")
    first = grow(own, seeds, name="evening")[0]
    said = {"station": "evening", "song": first, "verdict": "skip"}
    assert own.post("/api/feedback", said).status == 204
    assert first not in grow(own, seeds, name="evening")
    assert first in grow(own, seeds)
    said = {"song": first, "verdict": "skip"}
    assert own.post("/api/feedback", said).status == 422


def test_never_holds_for_every_station(own: Client) -> None:
    seeds = rock(own)
    first = grow(own, seeds)[0]
    assert own.post("/api/feedback", {"song": first, "verdict": "never"}).status == 204
    assert first not in grow(own, seeds)


def test_a_renamed_station_keeps_what_was_said(own: Client) -> None:
    seeds = rock(own)
    own.post("/api/stations/evening", {"seeds": seeds}, "PUT")
    first = grow(own, seeds, name="evening")[0]
    own.post("/api/feedback", {"station": "evening", "song": first, "verdict": "skip"})
    assert own.post("/api/stations/evening", {"name": "night"}, "PATCH").status == 204
    assert own.get("/api/stations").json == [{"name": "night"}]
    assert first not in grow(own, seeds, name="night")


def test_a_station_is_not_renamed_over_another(own: Client) -> None:
    for name in ("one", "two"):
        own.post(f"/api/stations/{name}", {"seeds": rock(own)}, "PUT")
    assert own.post("/api/stations/one", {"name": "two"}, "PATCH").status == 409


def test_a_forgotten_station_is_gone(own: Client) -> None:
    own.post("/api/stations/evening", {"seeds": rock(own)}, "PUT")
    assert own.send("DELETE", "/api/stations/evening").status == 204
    assert own.send("DELETE", "/api/stations/evening").status == 404


def test_a_playlist_names_files_by_absolute_paths(kin: Client) -> None:
    asked = {"songs": rock(kin), "name": "loud"}
    lines = kin.post("/api/playlist", asked).body.decode("utf-8").splitlines()
    assert lines[:2] == ["#EXTM3U", "#PLAYLIST:loud"]
    assert [line for line in lines if line.startswith("/music/rock/")] == lines[3::2]


def test_a_path_leads_from_one_song_to_another(kin: Client) -> None:
    ends = [*rock(kin, 1), kin.get("/api/songs?genre=jazz&limit=1").json["songs"][0]["id"]]
    path = kin.post("/api/path", {"start": ends[0], "end": ends[1], "length": 5}).json
    assert len(path["songs"]) == 5
    assert not {song["id"] for song in path["songs"]} & set(ends)


def test_of_many_songs_that_were_liked_the_last_are_minded_and_none_is_played(
    tmp_path: Path,
) -> None:
    shelf = Shelf(kin_library(tmp_path / "library").path)
    snapshot = shelf.current()
    said = dict.fromkeys(map(str, snapshot.catalogue.hashes[:40]), "like")
    wishes = with_verdicts(Wishes(), snapshot, said)
    assert wishes.likes == tuple(range(40 - MOST_MINDED, 40))
    assert wishes.never == tuple(range(40 - MOST_MINDED))


def test_who_asks_by_many_songs_asks_alone(tmp_path: Path) -> None:
    shelf = Shelf(kin_library(tmp_path / "library").path)
    alone = threading.Event()

    def ask() -> None:
        with shelf.turn(MOST_POINTS + 1):
            alone.set()

    asking = threading.Thread(target=ask)
    with shelf.turn(MOST_POINTS):
        asking.start()
        assert not alone.wait(0.2)
    assert alone.wait(60)
    asking.join()


def test_a_mix_is_like_what_is_added(kin: Client) -> None:
    jazz = kin.get("/api/songs?genre=jazz&limit=1").json["songs"][0]["id"]
    found = kin.post("/api/mix", {"add": rock(kin), "subtract": [jazz], "count": 5}).json
    assert {song["genre"] for song in found} == {"rock"}


def test_playlists_of_a_large_library_are_sought_beside_the_server(
    kin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"count": 4, "length": 10}
    here = kin.job(kin.post("/api/clusters", asked))["result"]
    monkeypatch.setattr(ways, "FEWEST_SONGS", 10)
    beside = kin.job(kin.post("/api/clusters", asked))
    assert (beside["error"], beside["result"]) == (None, here)


def test_playlists_are_suggested_by_a_job(kin: Client) -> None:
    state = kin.job(kin.post("/api/clusters", {"count": 4, "length": 10}))
    assert state["state"] == "done"
    assert len(state["result"]) == 4
    assert all(len(one["ids"]) >= 5 for one in state["result"])
