"""Songs that browsers cannot play: converted, bounded, kept for a while."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from songprint.web.cache import Cache
from songprint.web.hearing import Hearer
from songprint.web.playable import Playable
from songprint.web.refusal import Refusal
from support.audiofiles import music, write_audio
from support.serving import serving
from support.shelves import library_of

RATE_HZ = 44_100


@pytest.fixture(scope="module")
def copier() -> Iterator[Hearer]:
    copier = Hearer(file_bytes=1_000_000)
    yield copier
    copier.close()


def song(path: Path, seconds: float = 1.0) -> Path:
    return write_audio(path, music(seconds, RATE_HZ, seed=1, channels=2), RATE_HZ)


def test_the_sound_stays_the_same_bit_by_bit(tmp_path: Path, copier: Hearer) -> None:
    original = song(tmp_path / "x.aiff")
    file = Playable(tmp_path / "kept").of("x", str(original), copier)
    told, rate = soundfile.read(file, dtype="float32")
    assert rate == RATE_HZ
    np.testing.assert_allclose(told, music(1.0, RATE_HZ, seed=1, channels=2), atol=1 / 32000)


@pytest.mark.parametrize("suffix", [".wma", ".aiff", ".wv"])
def test_a_range_of_it_is_that_range(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "music").mkdir()
    file = song(tmp_path / "music" / f"x{suffix}")
    with serving(library_of(tmp_path / "library", file).path) as client:
        one = client.get("/api/songs").json["songs"][0]["id"]
        whole = client.get(f"/api/songs/{one}/audio")
        assert (whole.status, whole.headers["content-type"]) == (200, "audio/flac")
        assert len(soundfile.read(io.BytesIO(whole.body))[0]) == pytest.approx(RATE_HZ, rel=0.1)
        part = client.get(f"/api/songs/{one}/audio", Range="bytes=100-299")
        assert (part.status, part.body) == (206, whole.body[100:300])


def test_it_is_made_once(tmp_path: Path, copier: Hearer) -> None:
    original = song(tmp_path / "x.wv")
    playable = Playable(tmp_path / "kept")
    made = playable.of("x", str(original), copier)
    original.unlink()
    assert playable.of("x", str(original), copier) == made


def test_what_was_not_played_for_longest_goes_first(tmp_path: Path, copier: Hearer) -> None:
    original = str(song(tmp_path / "x.wv"))
    size = Playable(tmp_path / "one").of("x", original, copier).stat().st_size
    playable = Playable(tmp_path / "kept", most_bytes=int(2.5 * size))
    for number, name in enumerate(("a", "b")):
        os.utime(playable.of(name, original, copier), (number, number))
    os.utime(playable.of("a", original, copier))
    playable.of("c", original, copier)
    assert {file.stem for file in (tmp_path / "kept").iterdir()} == {"a", "c"}


def test_what_is_too_long_is_refused_and_leaves_nothing(tmp_path: Path, copier: Hearer) -> None:
    original = song(tmp_path / "x.aiff", 20.0)
    with pytest.raises(Refusal, match="too long"):
        Playable(tmp_path / "kept").of("x", str(original), copier)
    assert list((tmp_path / "kept").iterdir()) == []


def test_what_is_no_song_is_refused(tmp_path: Path, copier: Hearer) -> None:
    (tmp_path / "x.wma").write_bytes(b"no song" * 1000)
    with pytest.raises(Refusal):
        Playable(tmp_path / "kept").of("x", str(tmp_path / "x.wma"), copier)


def test_of_what_was_computed_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, most_bytes=2500)
    text = random.Random(0).randbytes(1000)
    for number, name in enumerate("ab"):
        cache.put(name, text)
        os.utime(tmp_path / f"{name}.json.gz", (number, number))
    assert cache.get("a") == text
    cache.put("c", text)
    assert [cache.get(name) for name in "abc"] == [text, None, text]
