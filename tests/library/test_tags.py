from __future__ import annotations

import struct
from pathlib import Path

import mutagen.id3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.library.tags import MAX_CHARACTERS, SongTags, parse_tags
from songprint.library.worker import identify
from support.audiofiles import music, write_audio
from support.shelves import retag

NAMES = st.sampled_from(["TITLE", "artist", "Album", "ALBUM_ARTIST", "date", "year", "play_count"])


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".m4a", ".opus", ".wma"])
def test_tags_are_read_from_every_kind_of_file(tmp_path: Path, suffix: str) -> None:
    tags = {
        "title": "So What",
        "artist": "Miles Davis",
        "album": "Kind of Blue",
        "album_artist": "Various",
        "date": "1959-08-17",
    }
    path = write_audio(tmp_path / f"a{suffix}", music(1.0, 48_000), 48_000, metadata=tags)
    found = identify(str(path)).tags
    assert found == SongTags("So What", "Miles Davis", "Kind of Blue", "Various", 1959)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Déjà vu".encode(), "Déjà vu"),
        ("Déjà vu".encode("cp1252"), "Déjà vu"),
        ("Déjà".encode()[:-1], "Déj\ufffd"),
        (b"\x81\x82", "\ufffd\u201a"),
    ],
    ids=["UTF-8", "Western", "UTF-8 cut short", "undefined"],
)
def test_tags_are_read_in_whatever_encoding(tmp_path: Path, written: bytes, read: str) -> None:
    path = write_audio(tmp_path / "a.wav", music(1.0, 8000), 8000)
    info = b"INFOINAM" + struct.pack("<I", len(written) + 1) + written + b"\0"
    info += b"\0" * (len(info) % 2)
    with path.open("ab") as file:
        file.write(b"LIST" + struct.pack("<I", len(info)) + info)
    assert identify(str(path)).tags.title == read


def test_a_play_count_is_read_where_a_player_wrote_one(tmp_path: Path) -> None:
    flac = write_audio(tmp_path / "a.flac", music(1.0, 8000), 8000)
    retag(flac, FMPS_PLAYCOUNT="12.0")
    assert identify(str(flac)).tags.plays == 12.0
    mp3 = write_audio(tmp_path / "a.mp3", music(1.0, 48_000), 48_000)
    id3 = mutagen.id3.ID3()
    id3.add(mutagen.id3.TXXX(encoding=3, desc="PLAY_COUNT", text=["7"]))
    id3.save(mp3)
    assert identify(str(mp3)).tags.plays == 7.0


def test_the_identity_of_a_song_is_not_in_its_tags(tmp_path: Path) -> None:
    flac = write_audio(tmp_path / "a.flac", music(1.0, 8000), 8000)
    before = identify(str(flac))
    assert before.claimed_seconds == pytest.approx(1.0)
    retag(flac, title="Other")
    after = identify(str(flac))
    assert (after.content_hash, after.tags.title) == (before.content_hash, "Other")


@pytest.mark.parametrize(
    ("date", "year"),
    [("1959", 1959), ("17.08.1959", 1959), ("2003-1", 2003), ("59", None), ("12345", None)],
)
def test_years_are_found_in_dates(date: str, year: int | None) -> None:
    assert parse_tags({"date": date}).year == year


@pytest.mark.parametrize("plays", ["-1", "many", "1e9", "99999999", "", "٣"])
def test_what_is_no_count_is_none(plays: str) -> None:
    assert parse_tags({"play_count": plays}).plays is None


@given(st.dictionaries(NAMES, st.text() | st.text("0123456789. ")))
def test_tags_are_bounded_and_in_one_line(metadata: dict[str, str]) -> None:
    tags = parse_tags(metadata)
    for text in (tags.title, tags.artist, tags.album, tags.album_artist):
        assert text is None or (text.isprintable() and 0 < len(text) <= MAX_CHARACTERS)
    assert tags.year is None or 1000 <= tags.year <= 2999
    assert tags.plays is None or 0 <= tags.plays < 1e7
