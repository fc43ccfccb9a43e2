from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from songprint.datasets.core import SPLITS, sort_out, tell_left_out
from songprint.datasets.gtzan import ABOUT, GENRES, LAYOUTS, open_gtzan, read_split
from support.datasets import make_gtzan


def test_the_split_has_the_published_sizes_and_no_clip_twice() -> None:
    parts = {split: read_split(split) for split in SPLITS}
    assert {split: len(clips) for split, clips in parts.items()} == dict(ABOUT.splits)
    clips = [clip for part in parts.values() for clip in part]
    assert len(set(clips)) == len(clips) == 930
    assert {clip.partition(".")[0] for clip in clips} == set(GENRES)


def test_clips_have_the_split_and_the_taxonomys_label(tmp_path: Path) -> None:
    tracks = {track.id: track for track in open_gtzan(make_gtzan(tmp_path))}
    assert {clip: track.split for clip, track in tracks.items()} == {
        "blues.00029": "train",
        "blues.00000": "valid",
        "blues.00012": "test",
        "hiphop.00010": "train",
    }
    assert tracks["hiphop.00010"].labels == ("hip-hop",)
    assert all(track.artist is None for track in tracks.values())


def test_the_corrupt_clip_is_left_out_with_its_reason(tmp_path: Path) -> None:
    left_out = {item.id: item for item in sort_out(open_gtzan(make_gtzan(tmp_path)).entries())[1]}
    assert "corrupt" in left_out["jazz.00054"].reason
    assert left_out["jazz.00054"].expected


def test_missing_clips_are_counted_by_part(tmp_path: Path) -> None:
    tracks, left_out = sort_out(open_gtzan(make_gtzan(tmp_path)).entries())
    absent = Counter(item.split for item in left_out if not item.expected)
    of = Counter(track.split for track in tracks)
    assert absent == {
        "train": 442 - of["train"],
        "valid": 197 - of["valid"],
        "test": 290 - of["test"],
    }
    lines = list(tell_left_out(left_out))
    assert any(
        line.startswith(f"{absent.total()} songs ({absent['train']} train, ") for line in lines
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("suffix", [".wav", ".au"])
def test_copies_of_all_layouts_are_known(tmp_path: Path, layout: str, suffix: str) -> None:
    assert len(list(open_gtzan(make_gtzan(tmp_path, layout, suffix)))) == 4
