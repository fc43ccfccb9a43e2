from __future__ import annotations

import csv
from pathlib import Path

import pytest

from songprint.datasets.core import sort_out
from songprint.datasets.fma import BAD_CLIPS, open_fma
from songprint.datasets.opening import open_dataset
from songprint.errors import UsageError
from support.datasets import make_fma


def test_tracks_have_genre_artist_and_split(tmp_path: Path) -> None:
    tracks = {track.id: track for track in open_fma(make_fma(tmp_path))}
    assert {name: (t.label, t.artist, t.split) for name, t in tracks.items()} == {
        "000002": ("hip-hop", "1", "train"),
        "000005": ("hip-hop", "1", "valid"),
    }
    assert tracks["000002"].path == tmp_path / "fma_small" / "000" / "000002.mp3"


def test_a_subset_holds_the_smaller_ones(tmp_path: Path) -> None:
    make_fma(tmp_path, "large")
    sizes = {name: len(list(open_fma(tmp_path, name))) for name in ("small", "medium", "large")}
    assert sizes == {"small": 2, "medium": 3, "large": 4}


def test_the_smallest_subset_on_the_disk_is_taken_and_said(tmp_path: Path) -> None:
    dataset = open_fma(make_fma(tmp_path, "medium"))
    assert [track.id for track in dataset] == ["000002", "000005", "000140"]
    assert dataset.note == "subset medium, since fma_medium is here"


def test_a_subset_can_be_named_behind_a_comma(tmp_path: Path) -> None:
    make_fma(tmp_path, "large")
    assert len(list(open_dataset(f"fma:{tmp_path},medium"))) == 3


def test_useless_clips_are_left_out_with_their_reason(tmp_path: Path) -> None:
    left_out = {item.id: item for item in sort_out(open_fma(make_fma(tmp_path)).entries())[1]}
    assert "no audio" in left_out["099134"].reason
    assert "less than 2 s" in left_out["098565"].reason
    assert left_out["099134"].expected


def test_the_untrimmed_songs_of_full_are_whole(tmp_path: Path) -> None:
    tracks = {track.id for track in open_fma(make_fma(tmp_path, "full"))}
    assert {"098565", "099134"} <= tracks


def test_six_clips_of_the_small_subset_are_known_to_be_bad() -> None:
    assert {99134, 108925, 133297, 98565, 98567, 98569} <= BAD_CLIPS.keys()


def test_a_track_of_several_genres_and_an_absent_file_are_told_apart(tmp_path: Path) -> None:
    left_out = {item.id: item for item in sort_out(open_fma(make_fma(tmp_path)).entries())[1]}
    assert left_out["000666"].reason == "has no top genre: it belongs to several"
    assert left_out["000777"].reason == "is not in fma_small"
    assert not left_out["000777"].expected


def test_a_biography_may_be_long(tmp_path: Path) -> None:
    table = make_fma(tmp_path) / "fma_metadata" / "tracks.csv"
    table.write_text(table.read_text().replace("words", "words" * 50_000))
    usual = csv.field_size_limit()
    assert len(list(open_fma(tmp_path))) == 2
    assert csv.field_size_limit() == usual


def test_another_table_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    table = make_fma(tmp_path) / "fma_metadata" / "tracks.csv"
    table.write_text(",track,track\n,title,genre_top\ntrack_id,,\n2,A,Rock\n")
    with pytest.raises(UsageError, match=r"set\.split, set\.subset, artist\.id, album\.id missing"):
        list(open_fma(tmp_path))


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    table = make_fma(tmp_path) / "fma_metadata" / "tracks.csv"
    with table.open("a") as file:
        file.write("150001,0\n")
    with pytest.raises(UsageError, match=r"line 20 is damaged"):
        list(open_fma(tmp_path))


@pytest.mark.parametrize(
    ("subset", "message"), [("tiny", "no subset tiny"), ("large", "fma_large")]
)
def test_a_subset_that_is_not_there_is_refused(tmp_path: Path, subset: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_fma(make_fma(tmp_path), subset)
