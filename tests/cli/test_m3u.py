"""Playlists that players open, whatever files are called."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.cli.m3u import location, playlist
from support.kin import kin_catalogue

NAMES = st.text(
    st.characters(blacklist_categories=[], blacklist_characters="/\0"), min_size=1, max_size=20
).filter(lambda name: name not in {".", ".."})


def opened(line: str, folder: str) -> str:
    """Return the file that a player opens for a line of a playlist in a folder."""
    if line.startswith("file://"):
        return os.fsdecode(unquote_to_bytes(line.removeprefix("file://")))
    return os.path.normpath(os.path.join(folder, line))  # noqa: PTH118


@given(NAMES)
def test_a_player_finds_every_file(name: str) -> None:
    try:
        path = os.fsdecode(os.fsencode(f"/music/{name}"))
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte: no file is called so
        return
    line = location(path, "/lists")
    line.encode("utf-8")
    assert not set(line) & set("\r\n")
    assert not line.startswith("#")
    assert line == line.strip()
    assert opened(line, "/lists") == path


def test_paths_are_relative_to_the_playlist() -> None:
    assert location("/music/a/b.mp3", "/music/lists") == "../a/b.mp3"
    assert location("/music/b.mp3", "/music") == "b.mp3"
    assert location("/music/#1.mp3", "/music") == "./#1.mp3"


def test_what_lies_in_an_object_store_is_named_by_its_uri() -> None:
    assert location("s3://bucket/music/1.mp3", "/music") == "s3://bucket/music/1.mp3"


@pytest.mark.parametrize("name", ["caf\udce9.mp3", "two\nlines.mp3", " padded.mp3 "])
def test_what_a_line_cannot_hold_is_an_address(name: str) -> None:
    assert location(f"/music/{name}", "/music").startswith("file:///music/")


def test_a_playlist_names_lengths_artists_and_titles() -> None:
    songs = kin_catalogue("rock", each=2)
    titles = np.array(["Öl\nund Wasser", None], object)
    songs = replace(songs, titles=titles, seconds=np.array([61.6, 5.0], np.float32))
    written = playlist(songs, [0, 1], Path("/music/list.m3u8"), "my list").decode("utf-8")
    assert written == (
        "#EXTM3U\n"
        "#PLAYLIST:my list\n"
        "#EXTINF:62,rock artist 0 - Öl und Wasser\n"
        "rock/0.mp3\n"
        "#EXTINF:5,1.mp3\n"
        "rock/1.mp3\n"
    )


def test_songs_without_audio_are_left_out() -> None:
    songs = kin_catalogue("rock", each=2)
    songs = replace(songs, paths=np.array([None, "/music/1.mp3"], object))
    written = playlist(songs, [0, 1], Path("/music/list.m3u8"), None).decode("utf-8")
    assert [line for line in written.splitlines() if line[0] != "#"] == ["1.mp3"]
