"""Copies, excerpts and other masters are told; other songs and other takes are not."""

from __future__ import annotations

import itertools
from math import nan

import numpy as np
import pytest

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.identify.duplicates import Pair, Sound, find_pairs, group_copies
from songprint.identify.index import Index
from support.clips import Samples, cut, part_of, tune, with_noise
from support.shelves import made_up_hash

SILENCE = np.zeros(3 * SAMPLE_RATE_HZ, np.float32)


def pairs_of(*songs: Samples, sounds: dict[str, Sound] | None = None) -> list[Pair]:
    return find_pairs(Index([part_of(*songs)]), sounds or {})


def kinds(pairs: list[Pair]) -> set[tuple[str, str, str]]:
    return {(*sorted((pair.first, pair.second)), pair.kind) for pair in pairs}


def pair(a: int, b: int, kind: str) -> tuple[str, str, str]:
    return (made_up_hash(a), made_up_hash(b), kind)


def test_different_songs_are_no_pair() -> None:
    assert pairs_of(*map(tune, range(6))) == []


@pytest.mark.parametrize(
    "copy",
    [
        with_noise(tune(1), 25.0),
        np.concatenate([SILENCE[:-77], tune(1), SILENCE]),
        cut(tune(1), 1.5, 17.0),
        tune(1) * np.float32(0.25),
    ],
    ids=["another encoding", "silence around", "a little shorter", "softer"],
)
def test_a_copy_is_found(copy: Samples) -> None:
    found = pairs_of(tune(0), tune(1), tune(2), copy)
    assert kinds(found) == {pair(1, 3, "copy")}
    assert found[0].agreement > 0.7


def test_a_copy_half_a_frame_off_is_found_beside_many_that_are_more_alike() -> None:
    alike = [with_noise(tune(1), 50.0, seed) for seed in range(6)]
    late = np.concatenate([SILENCE[: SAMPLE_RATE_HZ + 256], with_noise(tune(1), 20.0)])
    found = pairs_of(tune(1), *alike, late)
    assert kinds(found) == {pair(a, b, "copy") for a in range(8) for b in range(a + 1, 8)}


@pytest.mark.parametrize(("level", "told"), [(0.7, {"master"}), (1.2, set())])
def test_a_song_with_other_sounds_over_it_is_no_copy(level: float, told: set[str]) -> None:
    over = (tune(5) + np.float32(level) * tune(6)) / 3
    assert {found.kind for found in pairs_of(tune(5), over)} == told


def test_a_song_with_another_middle_is_no_copy() -> None:
    song, other = tune(1, 40.0), tune(2, 12.0)
    first, last = cut(song, 0.0, 14.0), cut(song, 26.0, 14.0)
    assert pairs_of(song, np.concatenate([first, other, last])) == []


def test_where_one_starts_in_the_other_is_told() -> None:
    [found] = pairs_of(tune(1), np.concatenate([SILENCE, tune(1)]))
    start = {made_up_hash(0): 3.0, made_up_hash(1): -3.0}[found.first]
    assert found.offset_seconds == pytest.approx(start, abs=0.05)
    assert found.common_seconds == pytest.approx(20.0, abs=1.0)


def test_a_part_of_a_song_is_an_excerpt_of_it() -> None:
    [found] = pairs_of(tune(1), tune(2), cut(tune(1), 8.0, 8.0))
    assert (found.first, found.second, found.kind) == (made_up_hash(2), made_up_hash(0), "excerpt")
    assert found.offset_seconds == pytest.approx(8.0, abs=0.05)


def test_two_songs_with_a_part_in_common_are_no_pair() -> None:
    medley = np.concatenate([cut(tune(1), 0.0, 8.0), cut(tune(2), 0.0, 12.0)])
    assert pairs_of(tune(1), medley) == []


def test_the_same_notes_played_anew_are_another_recording() -> None:
    time = np.arange(20 * SAMPLE_RATE_HZ)
    sway = time + 0.25 * SAMPLE_RATE_HZ * np.sin(2 * np.pi * time / (7 * SAMPLE_RATE_HZ))
    live = np.interp(sway, time, tune(1)).astype(np.float32)
    assert pairs_of(tune(1), live) == []


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (Sound(12.0, 2000.0), "copy"),
        (Sound(11.0, 2050.0), "copy"),
        (Sound(8.0, 2000.0), "master"),
        (Sound(12.0, 2500.0), "master"),
        (Sound(nan, nan), "copy"),
    ],
)
def test_another_sound_is_another_master(other: Sound, kind: str) -> None:
    sounds = {made_up_hash(0): Sound(12.0, 2000.0), made_up_hash(1): other}
    found = pairs_of(tune(1), with_noise(tune(1), 30.0), sounds=sounds)
    assert kinds(found) == {pair(0, 1, kind)}


def test_silent_songs_are_no_pairs() -> None:
    assert pairs_of(SILENCE, SILENCE, tune(1)) == []


def test_songs_of_other_segments_are_found() -> None:
    first, second = part_of(tune(1), tune(2)), part_of(tune(0), tune(2))
    renamed = type(second.segment)(
        **{**vars(second.segment), "songs": np.array([made_up_hash(8), made_up_hash(9)])}
    )
    found = find_pairs(Index([first, type(second)(renamed)]), {})
    assert kinds(found) == {pair(1, 9, "copy")}


def test_copies_of_copies_are_one_group() -> None:
    def tie(a: str, b: str, kind: str = "copy") -> Pair:
        return Pair(a, b, kind, 0.9, 0.8, 0.0, 60.0, 1.0)  # type: ignore[arg-type]

    ties = [tie("a", "b"), tie("c", "b"), tie("x", "y"), tie("y", "p", "excerpt")]
    for order in itertools.permutations(ties):
        assert group_copies(order) == [["a", "b", "c"], ["x", "y"]]
