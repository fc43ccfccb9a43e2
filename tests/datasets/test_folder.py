from __future__ import annotations

from pathlib import Path

from songprint.datasets.core import sort_out
from songprint.datasets.folder import open_folder
from support.datasets import make_folder, sound


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
