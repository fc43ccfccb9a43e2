"""Genres over the API: how they differ, the accuracy card, genres of one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from songprint.fingerprints import default_fingerprinter
from songprint.web.card import parse
from support.kin import kin_library
from support.serving import Client, serving


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Client]:
    """A server of sixty songs that this model has heard."""
    model = default_fingerprinter().model_version
    with serving(kin_library(tmp_path / "library", model=model).path) as client:
        yield client


def of(client: Client, genre: str) -> list[str]:
    return [song["id"] for song in client.get(f"/api/songs?genre={genre}").json["songs"]]


def test_genres_differ_as_their_songs_do(kin: Client) -> None:
    found = kin.get("/api/genres").json
    assert {genre["name"]: genre["songs"] for genre in found["genres"]} == {
        "rock": 15, "classical": 15, "electronic": 15, "jazz": 15,
    }  # fmt: skip
    loudness = next(d for d in found["descriptors"] if d["name"] == "loudness_lufs")
    assert loudness["values"]["classical"][4] < loudness["values"]["rock"][0]
    tempo = next(d for d in found["descriptors"] if d["name"] == "tempo_bpm")
    assert "classical" not in tempo["values"]  # none of them has a beat


def test_the_card_is_the_one_in_the_documents(kin: Client) -> None:
    card = kin.get("/api/genres/card").json
    head = next(s for s in card["sections"] if s["title"].startswith("The genre head"))
    assert "accuracy, %" in head["tables"][0]["columns"]
    matrix = next(s for s in card["sections"] if s["title"].startswith("What is mistaken"))
    table = matrix["tables"][0]
    assert table["columns"][1:] == [row[0] for row in table["rows"]]


def test_a_table_of_the_card_keeps_its_cells() -> None:
    card = parse(
        "# Card\n\nBy *us*.\n\n## Part\n\nText `x`.\n\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n"
    )
    assert card.measured == "By us."
    assert card.sections[0].text == ["Text x."]
    assert card.sections[0].tables[0].rows == [["1", "2"]]


def test_genres_of_ones_own_are_learnt_and_measured(own: Client, tmp_path: Path) -> None:
    genres = {"loud": of(own, "rock"), "soft": of(own, "classical")}
    state = own.job(own.post("/api/genres/personal", {"name": "evening", "genres": genres}))
    assert (state["state"], state["error"]) == ("done", None)
    accuracy = state["result"]["accuracy"]
    assert (accuracy["right"], accuracy["songs"]) == (30, 30)
    assert state["result"]["confusion"] == {
        "classes": ["loud", "soft"],
        "matrix": [[15, 0], [0, 15]],
    }
    assert (tmp_path / "genres" / "evening.json").is_file()
    told = own.get("/api/genres/personal").json
    assert [(head["name"], head["accuracy"]["right"]) for head in told] == [("evening", 30)]
    found = own.get("/api/genres/personal/evening/songs?genre=soft&limit=5").json
    assert {song["genre"] for song in found} == {"classical"}
    assert own.send("DELETE", "/api/genres/personal/evening").status == 204
    assert own.get("/api/genres/personal").json == []


def test_genres_with_an_encoder_of_their_own_are_told_and_used(
    own: Client, songs: list[Path], tmp_path: Path
) -> None:
    genres = {"loud": of(own, "rock"), "soft": of(own, "classical")}
    own.job(own.post("/api/genres/personal", {"name": "deep", "genres": genres}))
    give_encoder(tmp_path / "genres" / "deep.json")
    (told,) = own.get("/api/genres/personal").json
    assert (told["name"], told["encoder"], told["error"]) == ("deep", True, None)
    heard = own.upload(songs[0].read_bytes(), "song.flac&genres=deep").json["heard"]
    assert {genre["name"] for genre in heard["genres"]} == {"loud", "soft"}
    assert own.get("/api/genres/personal/deep/songs").status == 409  # it heard none of them
    assert own.send("DELETE", "/api/genres/personal/deep").status == 204
    assert list((tmp_path / "genres").iterdir()) == []


def give_encoder(head: Path) -> None:
    """Put an encoder beside a head as if it had been fine-tuned; it is the one that ships."""
    shipped = default_fingerprinter().encoder
    place = head.with_suffix(".encoder") / shipped.sha256[:8]
    place.mkdir(parents=True)
    (place / "encoder.onnx").write_bytes((shipped.folder / "encoder.onnx").read_bytes())
    card = {**shipped.card, "finetuned_from": shipped.sha256}
    (place / "encoder.json").write_text(json.dumps(card))
    document = json.loads(head.read_text())
    document["encoder"] = f"{place.parent.name}/{place.name}"
    head.write_text(json.dumps(document))


def test_a_file_is_heard_by_genres_of_ones_own(own: Client, songs: list[Path]) -> None:
    genres = {"loud": of(own, "rock"), "soft": of(own, "classical")}
    own.job(own.post("/api/genres/personal", {"name": "evening", "genres": genres}))
    heard = own.upload(songs[0].read_bytes(), "song.flac&genres=evening").json["heard"]
    assert {genre["name"] for genre in heard["genres"]} == {"loud", "soft"}
    assert own.upload(songs[0].read_bytes(), "song.flac&genres=morning").status == 404
    assert own.upload(songs[0].read_bytes(), "song.flac&genres=..%2Fevening").status == 422


def test_too_few_songs_are_refused_with_what_is_needed(own: Client) -> None:
    genres = {"loud": of(own, "rock")[:3], "soft": of(own, "classical")}
    state = own.job(own.post("/api/genres/personal", {"name": "few", "genres": genres}))
    assert state["state"] == "failed"
    assert "8 are needed" in state["error"]


def test_a_song_in_two_genres_is_refused(own: Client) -> None:
    genres = {"loud": of(own, "rock"), "also": of(own, "rock")}
    assert own.post("/api/genres/personal", {"name": "both", "genres": genres}).status == 422


def test_a_song_that_nobody_heard_is_refused(own: Client) -> None:
    asked = {"name": "none", "genres": {"mine": ["0" * 32]}}
    assert own.post("/api/genres/personal", asked).status == 404
