"""Songs over the API: the table, one song, its sound and pictures, its kin."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from songprint.library.store import Library
from songprint.web.api import songs as songs_routes
from support.serving import Client


def ids(client: Client, query: str = "") -> list[str]:
    return [song["id"] for song in client.get(f"/api/songs?limit=500&{query}").json["songs"]]


def test_the_table_comes_in_stretches(kin: Client) -> None:
    first = kin.get("/api/songs?limit=40").json
    rest = kin.get("/api/songs?limit=40&offset=40").json
    assert first["total"] == rest["total"] == 60
    assert [len(first["songs"]), len(rest["songs"])] == [40, 20]
    assert len({song["id"] for song in first["songs"] + rest["songs"]}) == 60


def test_words_are_found_in_parts_and_whatever_their_case(kin: Client) -> None:
    found = kin.get("/api/songs?q=ON+14%20R%C3%96ck").json["songs"]
    assert [song["title"] for song in found] == ["rock song 14"]


def test_a_genre_and_a_tempo_filter_together(kin: Client) -> None:
    found = kin.get("/api/songs?genre=rock&genre=jazz&tempo_from=120&limit=500").json["songs"]
    assert found
    assert {song["genre"] for song in found} == {"rock"}
    assert min(song["tempo_bpm"] for song in found) >= 120


def test_what_has_no_tempo_comes_last_whichever_way(kin: Client) -> None:
    for query in ("sort=tempo_bpm", "sort=tempo_bpm&descending=true"):
        tempos = [s["tempo_bpm"] for s in kin.get(f"/api/songs?limit=500&{query}").json["songs"]]
        known = [tempo for tempo in tempos if tempo is not None]
        assert tempos == sorted(known, reverse="descending" in query) + [None] * 15


def test_ids_come_in_the_tables_own_order(kin: Client) -> None:
    assert kin.get("/api/song-ids?sort=loudness_lufs").json == ids(kin, "sort=loudness_lufs")


def test_an_unknown_genre_is_a_problem_with_a_reason(kin: Client) -> None:
    answer = kin.get("/api/songs?genre=polka")
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "polka" in answer.json["detail"]


def test_a_song_tells_all_that_is_known(kin: Client) -> None:
    song = kin.get(f"/api/songs/{ids(kin, 'genre=rock')[0]}").json
    assert song["genres"][0]["name"] == "rock"
    assert sum(genre["p"] for genre in song["genres"]) == pytest.approx(1, abs=0.01)
    assert song["descriptors"]["loudness_lufs"] == pytest.approx(-9, rel=0.1)
    assert song["words"]


def test_kin_come_with_reasons_that_add_up(kin: Client) -> None:
    one = ids(kin, "genre=rock")[0]
    near = kin.post("/api/similar", {"song": one, "count": 5}).json
    assert [song["genre"] for song in near] == ["rock"] * 5
    assert sum(near[0]["why"].values()) == pytest.approx(near[0]["distance"], abs=0.001)
    assert "both rock" in near[0]["because"]
    assert kin.get(f"/api/songs/{one}/similar").json[:5] == near


def test_no_song_of_a_made_up_id_is_there(kin: Client) -> None:
    assert kin.get(f"/api/songs/{'0' * 32}").status == 404


@pytest.mark.parametrize("asked", [0, 1, 7, 60])
def test_songs_come_by_id_in_the_order_asked_for(
    kin: Client, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(songs_routes, "_AT_ONCE", 7)
    listed = kin.get("/api/songs?limit=500").json["songs"][::-1][:asked]
    wanted = [song["id"] for song in listed]
    assert kin.post("/api/songs/of", ["0" * 32, *wanted, *wanted]).json == listed


def test_words_for_a_sound_find_songs(kin: Client) -> None:
    found = kin.get("/api/find?words=loud%20rock%20song").json
    assert found["heard"] == ["loud", "rock"]
    assert {song["genre"] for song in found["songs"]} <= {"rock"}


def test_words_for_a_sound_find_songs_among_those_of_a_filter(kin: Client) -> None:
    found = kin.get("/api/find?words=song&genre=jazz&limit=500").json
    assert {song["genre"] for song in found["songs"]} == {"jazz"}
    assert found["total"] == len(found["songs"]) == 15


def test_where_no_song_fits_all_words_the_nearest_come_with_what_they_lack(kin: Client) -> None:
    found = kin.get("/api/find?words=loud%20rock%20piano&limit=500").json
    assert found["total"] == 0
    assert 0 < len(found["songs"]) <= 10
    assert all(0 < len(song["lacks"]) < 3 for song in found["songs"])
    assert [song["fit"] for song in found["songs"]] == sorted(
        (song["fit"] for song in found["songs"]), reverse=True
    )
    assert found["remarks"] == ["no song fits all of this; the nearest are"]


def test_the_nearest_are_among_those_of_a_filter(kin: Client) -> None:
    found = kin.get("/api/find?words=rock%20piano&genre=classical").json
    assert {(song["genre"], *song["lacks"]) for song in found["songs"]} == {("classical", "rock")}


def test_songs_that_fit_lack_nothing(kin: Client) -> None:
    found = kin.get("/api/find?words=loud%20rock").json
    assert found["remarks"] == []
    assert all(song["lacks"] == [] for song in found["songs"])


def test_the_sound_of_a_song_is_its_files_bytes(client: Client, songs: list[Path]) -> None:
    one = client.get("/api/songs?q=one").json["songs"][0]["id"]
    answer = client.get(f"/api/songs/{one}/audio")
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/flac")
    assert answer.body == songs[0].read_bytes()


@pytest.mark.parametrize(
    ("asked", "status", "start", "stop"),
    [("bytes=0-9", 206, 0, 10), ("bytes=100-", 206, 100, None), ("bytes=-7", 206, -7, None)],
)
def test_a_range_of_the_sound_is_that_range(
    client: Client, songs: list[Path], asked: str, status: int, start: int, stop: int | None
) -> None:
    one = client.get("/api/songs?q=one").json["songs"][0]["id"]
    answer = client.get(f"/api/songs/{one}/audio", Range=asked)
    assert (answer.status, answer.body) == (status, songs[0].read_bytes()[start:stop])


def test_a_range_beyond_the_end_is_refused(client: Client) -> None:
    one = client.get("/api/songs?q=one").json["songs"][0]["id"]
    assert client.get(f"/api/songs/{one}/audio", Range="bytes=99999999-").status == 416


def test_pictures_span_the_song_and_are_kept(client: Client, heard: Library) -> None:
    one = client.get("/api/songs?q=one").json["songs"][0]["id"]
    signals = client.get(f"/api/songs/{one}/signals").json
    assert signals["seconds"] == pytest.approx(1.0, abs=0.01)
    spectrogram = signals["spectrogram"]
    pixels = base64.b64decode(spectrogram["data"])
    assert len(pixels) == spectrogram["columns"] * spectrogram["bands"]
    assert max(pixels) > 100
    assert len(signals["waveform"]["low"]) == len(signals["waveform"]["high"])
    segments = client.get(f"/api/songs/{one}/timeline").json
    assert segments[-1]["end"] == pytest.approx(1.0, abs=0.01)
    kept = heard.path.with_name("library.cache") / "pictures"
    assert len(list(kept.glob(f"{one}-*.json.gz"))) == 2


def test_a_song_whose_file_is_gone_says_so(client: Client, songs: list[Path]) -> None:
    one = client.get("/api/songs?q=one").json["songs"][0]["id"]
    songs[0].unlink()
    answer = client.get(f"/api/songs/{one}/audio")
    assert (answer.status, "not there any more" in answer.json["detail"]) == (404, True)


def test_an_empty_library_has_a_page_too(tmp_path: Path) -> None:
    from support.serving import serving

    with serving(tmp_path / "none") as client:
        assert client.get("/").status == 200
        assert client.get("/api/library").json["songs"] == 0
        assert client.get("/api/songs").json["total"] == 0
        assert client.get("/api/map").status == 409
