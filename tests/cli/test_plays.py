"""Play counts from what players and services export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from songprint.cli.plays import Played, plays_of, read_plays
from songprint.errors import SongprintError, UsageError
from support.kin import kin_catalogue

CATALOGUE = kin_catalogue("rock", each=4)


def counts(tmp_path: Path, text: str | bytes) -> dict[str, float]:
    """Return plays by title."""
    file = tmp_path / "plays"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    titles = dict(zip(CATALOGUE.hashes.tolist(), CATALOGUE.titles, strict=True))
    found = plays_of(CATALOGUE, read_plays(file))
    return {titles[content]: count for content, count in found.items()}


def listen(title: str, artist: str = "rock artist 0") -> dict[str, Any]:
    return {"listened_at": 1, "track_metadata": {"artist_name": artist, "track_name": title}}


@pytest.mark.parametrize(
    "text",
    [
        "artist,title,plays\nRock Artist 0,ROCK song 0,7\nrock artist 0,rock song 1,2\n",
        "Title;Artist;Play Count\nrock song 0;rock artist 0;7\nrock song 1;rock artist 0;2\n",
        "name\tartist\tplaycount\nrock song 0\trock artist 0\t7\nrock song 1\trock artist 0\t2\n",
        "path,plays\n/music/rock/0.mp3,7\n/music/rock/1.mp3,2\n/elsewhere.mp3,9\n",
        "\ufeffartist,title,plays\nrock artist 0,rock song 0,7\nrock artist 0,rock song 1,2\n",
    ],
)
def test_a_table_with_counts_is_understood(tmp_path: Path, text: str) -> None:
    assert counts(tmp_path, text) == {"rock song 0": 7, "rock song 1": 2}


@pytest.mark.parametrize(
    "text",
    [
        "artist,album,title,date\nrock artist 0,A,rock song 0,1\nrock artist 0,A,rock song 0,2\n",
        "rock artist 0,A,rock song 0,01 Jan 2020\nrock artist 0,A,rock song 0,02 Jan 2020\n",
        json.dumps([listen("rock song 0"), listen("Rock Song 0"), listen("another")]),
        "\n".join(json.dumps(listen("rock song 0")) for _ in range(2)),
        json.dumps({"payload": {"listens": [listen("rock song 0"), listen("rock song 0")]}}),
        json.dumps(
            [{"track": [{"name": "rock song 0", "artist": {"#text": "rock artist 0"}}] * 2}]
        ),
        json.dumps(
            {"toptracks": {"track": [
                {"name": "rock song 0", "playcount": "2", "artist": {"name": "rock artist 0"}}
            ]}}
        ),
    ],
)  # fmt: skip
def test_listens_are_counted(tmp_path: Path, text: str) -> None:
    assert counts(tmp_path, text) == {"rock song 0": 2}


def test_songs_of_one_title_need_the_artist(tmp_path: Path) -> None:
    assert counts(tmp_path, "artist,title,plays\nsomebody else,rock song 0,3\n") == {}


@pytest.mark.parametrize("text", ["", "hello", "[1, 2]", "{}", '{"a": ', "a,b\n1,2\n"])
def test_a_file_without_plays_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="holds no play counts"):
        counts(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SongprintError, match="cannot be read"):
        read_plays(tmp_path / "none.csv")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.mktemp("plays") / "file"
    file.write_bytes(data)
    try:
        found = read_plays(file)
    except UsageError:
        return
    assert all(isinstance(one, Played) and one.count >= 0 for one in found)
