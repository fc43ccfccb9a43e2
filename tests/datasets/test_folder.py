from __future__ import annotations

from pathlib import Path

import pytest

from songprint.datasets.core import sort_out
from songprint.datasets.folder import open_folder, refuse_other_folders
from songprint.errors import UsageError
from support.datasets import make_folder, sound
from support.shelves import small_song


def test_folders_are_genres_and_the_folders_in_them_artists(tmp_path: Path) -> None:
    assert {t.id: (t.label, t.artist) for t in open_folder(make_folder(tmp_path))} == {
        "Hip Hop/one.wav": ("hip-hop", None),
        "Hip Hop/The Artist/An Album/two.flac": ("hip-hop", "The Artist"),
        "grunge/three.mp3": ("grunge", None),
    }


def test_a_song_beside_the_folders_is_left_out(tmp_path: Path) -> None:
    _, left_out = sort_out(open_folder(make_folder(tmp_path)).entries())
    assert [(item.id, item.expected) for item in left_out] == [("stray.wav", False)]


def test_artists_are_read_from_tags_if_asked_for(tmp_path: Path) -> None:
    sound(tmp_path / "rock" / "a.flac", tags={"artist": "From The Tag"})
    sound(tmp_path / "rock" / "From The Folder" / "b.flac", tags={"artist": "From The Tag"})
    (tmp_path / "rock" / "c.flac").write_bytes(b"broken")
    dataset = open_folder(tmp_path, artists_from_tags=True)
    assert [track.artist for track in dataset] == ["From The Tag", None, "From The Folder"]


def test_folders_of_a_few_songs_are_refused_as_genres(tmp_path: Path) -> None:
    for number in range(8):
        sound(tmp_path / f"folder {number % 3}" / f"{number}.mp3")
    refuse_other_folders(tmp_path, open_folder(tmp_path))  # all but one have three songs
    for name in ("folder 3", "folder 4"):
        sound(tmp_path / name / "a.mp3")
    with pytest.raises(UsageError, match=r"3 of 5 folders hold fewer than 3 songs.*tags:"):
        refuse_other_folders(tmp_path, open_folder(tmp_path))


def test_folders_called_like_their_artists_are_refused_as_genres(tmp_path: Path) -> None:
    for artist in ("Nina", "Miles"):
        for number in range(3):
            small_song(tmp_path / artist / "album" / f"{number}.flac", artist=artist)
    with pytest.raises(UsageError, match=r"called like the artists of their songs \(Miles\)"):
        refuse_other_folders(tmp_path, open_folder(tmp_path))
