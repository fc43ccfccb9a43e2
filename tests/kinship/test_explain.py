from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from songprint.kinship.explain import say_why
from songprint.library.catalogue import NUMBERS, Catalogue
from support.kin import kin_catalogue


def song(kind: str = "rock", **numbers: float) -> Catalogue:
    one = kin_catalogue(kind, each=1)
    changed = one.numbers.copy()
    for name, value in {"tempo_bpm": 118.0, "loudness_lufs": -10.0, **numbers}.items():
        changed[0, NUMBERS.index(name)] = value
    return replace(one, numbers=changed)


def test_two_songs_alike_are_said_to_be() -> None:
    said = say_why(song(), song())
    assert said.startswith("both ~118 BPM, equally loud; both rock")
    assert "guitar" in said


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"tempo_bpm": 140}, "140 BPM, faster"),
        ({"tempo_bpm": 90}, "90 BPM, slower"),
        ({"tempo_bpm": 59.2}, "59 BPM, half the tempo"),
        ({"tempo_bpm": 236}, "236 BPM, double the tempo"),
        ({"loudness_lufs": -7}, "a little louder"),
        ({"loudness_lufs": -20}, "softer"),
        ({"loudness_range_lu": 14}, "more dynamic"),
        ({"onset_rate_hz": 9}, "busier"),
        ({"onset_rate_hz": 0.8}, "calmer"),
        ({"brightness_hz": 4000}, "brighter"),
        ({"brightness_hz": 900}, "darker"),
        ({"percussiveness": 0.6}, "more percussive"),
    ],
)
def test_a_difference_is_said_in_a_listeners_words(numbers: dict[str, float], said: str) -> None:
    assert said in say_why(song(), song(**numbers)).split(";")[0]


def test_what_is_unsure_is_left_out() -> None:
    unsure = song(tempo_confidence=0.2, loudness_lufs=np.nan)
    said = say_why(unsure, song())
    assert "BPM" not in said
    assert "loud" not in said


def test_songs_without_a_beat_are_said_to_have_none() -> None:
    free = song(tempo_bpm=np.nan, beat_strength=0.0)
    assert say_why(free, free).startswith("both without a steady beat")


def test_two_genres_are_told_apart() -> None:
    assert "jazz rather than rock" in say_why(song("rock"), song("jazz"))


def test_what_is_perhaps_a_songs_genre_is_no_other_genre() -> None:
    sure = song("rock")
    genres = np.full_like(sure.genres, 0.7 / (sure.genres.shape[1] - 1))
    genres[0, sure.genres[0].argmax()] = 0.3
    assert "both perhaps rock" in say_why(replace(sure, genres=genres), sure)
