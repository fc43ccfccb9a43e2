"""Which song a clip is of, over the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.library.ingest import add_folders
from songprint.library.store import Library
from support.audiofiles import write_audio
from support.clips import cut, tune, with_noise
from support.serving import Answer, Client, serving


@pytest.fixture(scope="module")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server of three tunes of twenty seconds, that were really added."""
    folder = tmp_path_factory.mktemp("tunes")
    (folder / "music").mkdir()
    for n in range(3):
        tags = {"title": f"tune {n}", "artist": "nobody"}
        write_audio(folder / "music" / f"{n}.flac", tune(n)[:, None], SAMPLE_RATE_HZ, metadata=tags)
    library = Library.open(folder / "library", create=True)
    add_folders(library, [str(folder / "music")], workers=1)
    with serving(library.path) as client:
        yield client


def identify(client: Client, data: bytes) -> Answer:
    return client.send("POST", "/api/identify", data, {"Content-Type": "application/octet-stream"})


def clip(path: Path, samples: np.ndarray) -> bytes:
    return write_audio(path, samples[:, None], SAMPLE_RATE_HZ).read_bytes()


def test_a_noisy_clip_names_its_song_and_the_place(tunes: Client, tmp_path: Path) -> None:
    noisy = with_noise(cut(tune(1), 7.0, 6.0), 5.0)
    answer = identify(tunes, clip(tmp_path / "clip.ogg", noisy)).json
    assert answer["match"]["song"]["title"] == "tune 1"
    assert answer["match"]["offset_seconds"] == pytest.approx(7.0, abs=0.1)
    assert answer["match"]["confidence"] > 0.9
    assert (answer["songs"], answer["seconds"]) == (3, pytest.approx(6.0, abs=0.1))


def test_another_song_is_no_match(tunes: Client, tmp_path: Path) -> None:
    answer = identify(tunes, clip(tmp_path / "clip.flac", cut(tune(77), 2.0, 6.0)))
    assert (answer.status, answer.json["match"]) == (200, None)


def test_silence_is_told_by_its_level(tunes: Client, tmp_path: Path) -> None:
    answer = identify(tunes, clip(tmp_path / "clip.wav", np.zeros(3 * SAMPLE_RATE_HZ, np.float32)))
    assert (answer.json["match"], answer.json["level_dbfs"]) == (None, None)


def test_what_is_no_sound_is_refused(tunes: Client) -> None:
    assert identify(tunes, b"no sound" * 100).status == 422
    assert identify(tunes, b"").status == 422


def test_a_song_that_is_new_is_known_at_once(client: Client, tmp_path: Path) -> None:
    song = tune(5)
    data = clip(tmp_path / "clip.flac", cut(song, 3.0, 6.0))
    assert identify(client, data).json["match"] is None
    (tmp_path / "more").mkdir()
    write_audio(tmp_path / "more" / "new.flac", song[:, None], SAMPLE_RATE_HZ)
    assert client.job(client.post("/api/add", {"folders": [str(tmp_path / "more")]}))["result"]
    assert identify(client, data).json["match"]["song"]["title"] == "new"
