from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.datasets.core import sort_out
from songprint.datasets.tags import (
    MAX_CHARACTERS,
    MAX_GENRES,
    MEANINGLESS,
    numbered_genres,
    open_tags,
    read_tags,
    split_genres,
)
from songprint.errors import DecodeError
from support.audiofiles import sine, write_audio
from support.datasets import make_tags, sound


def test_songs_have_all_their_genres_and_their_artist(tmp_path: Path) -> None:
    assert {t.id: (t.labels, t.artist) for t in open_tags(make_tags(tmp_path))} == {
        "a.mp3": (("hip-hop",), "Somebody"),
        "deep/b.flac": (("rock", "grunge"), None),
    }


def test_songs_without_a_genre_and_broken_ones_are_told_apart(tmp_path: Path) -> None:
    _, left_out = sort_out(open_tags(make_tags(tmp_path)).entries())
    told = {item.id: (item.reason, item.expected) for item in left_out}
    assert told["c.flac"] == ("has no genre in its tags", True)
    assert told["broken.mp3"] == ("is not audio but text", False)


@pytest.mark.parametrize(
    "suffix", [".mp3", ".flac", ".m4a", ".wma", ".wv", ".mka", ".wav", ".opus"]
)
def test_tags_of_every_usual_format_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"song{suffix}"
    rate = 48_000 if suffix == ".opus" else 44_100
    metadata = {"genre": "Rock; Pop", "artist": "The Artist"}
    write_audio(path, sine(0.1, rate), rate, metadata=metadata)
    tags = read_tags(path)
    assert (tags.genres, tags.artist) == (("rock", "pop"), "The Artist")


@pytest.mark.parametrize(
    ("text", "genres"),
    [
        (b"(17)", ("rock",)),
        (b"17", ("rock",)),
        (b"(189)", ("dubstep",)),
        (b"Hip-Hop/Rap", ("hip-hop",)),
    ],
)
def test_genres_in_id3_may_be_numbers(tmp_path: Path, text: bytes, genres: tuple[str, ...]) -> None:
    song = sound(tmp_path / "a.mp3").read_bytes()
    plain = song[song.index(b"\xff\xfb") if b"\xff\xfb" in song else song.index(b"\xff\xf3") :]
    frame = b"TCON" + struct.pack(">IH", len(text) + 1, 0) + b"\x00" + text
    tag = b"ID3\x03\x00\x00" + bytes((0, 0, 0, len(frame))) + frame
    path = tmp_path / "b.mp3"
    path.write_bytes(tag + plain)
    assert read_tags(path).genres == genres


@pytest.mark.parametrize(
    ("text", "genres"),
    [
        ("Rock", ("rock",)),
        ("  HIP   HOP ", ("hip-hop",)),
        ("(17)(6)", ("rock", "grunge")),
        ("(17)Grunge", ("rock", "grunge")),
        ("17; 13", ("rock", "pop")),
        ("(RX)", ("remix",)),
        ("(999)", ()),
        ("1984", ("1984",)),
        ("Rock\0Pop", ("rock", "pop")),
        ("Rock;rock", ("rock",)),
        ("Pop/Funk", ("pop/funk",)),
        ("Drum & Bass", ("drum & bass",)),
        ("Folk, World, & Country", ("folk", "world", "country")),
        ("Other", ()),
        ("12", ()),
        ("", ()),
    ],
)
def test_texts_are_split_into_canonical_genres(text: str, genres: tuple[str, ...]) -> None:
    assert split_genres(text) == genres


def test_the_numbers_are_those_of_id3() -> None:
    known = numbered_genres()
    assert len(known) == 192
    numbers = {
        0: "blues",
        17: "rock",
        79: "hard rock",
        80: "folk",
        147: "synthpop",
        191: "psybient",
    }
    assert {number: known[number] for number in numbers} == numbers


@given(st.text(max_size=2000))
def test_any_text_gives_few_short_names(text: str) -> None:
    genres = split_genres(text)
    assert len(genres) <= MAX_GENRES
    assert len(set(genres)) == len(genres)
    for name in genres:
        assert name not in MEANINGLESS
        assert len(name) <= 3 * MAX_CHARACTERS  # lower case may be longer


@pytest.mark.parametrize(
    ("tags", "artist"),
    [
        ({"artist": "A feat. B", "album_artist": "A"}, "A"),
        ({"artist": "A", "album_artist": "Various Artists"}, "A"),
        ({"album_artist": "various artists"}, None),
        ({}, None),
    ],
)
def test_the_albums_artist_groups_songs_unless_it_is_nobody(
    tmp_path: Path, tags: dict[str, str], artist: str | None
) -> None:
    assert read_tags(sound(tmp_path / "a.flac", tags=tags)).artist == artist


def test_what_is_no_song_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DecodeError):
        read_tags(tmp_path / "missing.mp3")
