from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from songprint.kinship.distance import Space
from songprint.kinship.parts import FEATURES, PARTS, scaled
from songprint.kinship.reference import fit_reference, load_reference
from songprint.library.catalogue import NUMBERS, Catalogue
from support.kin import kin_catalogue


def with_number(catalogue: Catalogue, name: str, values: object) -> Catalogue:
    numbers = catalogue.numbers.copy()
    numbers[:, NUMBERS.index(name)] = values
    return replace(catalogue, numbers=numbers)


def by_part(space: Space, one: int, other: int) -> dict[str, float]:
    found = space.by_part(space.queries([one]), np.array([other]))[0, 0]
    return dict(zip(PARTS, found.tolist(), strict=True))


def naive(catalogue: Catalogue, one: int, other: int, part: str) -> float:
    """What the docstring of parts.py says, feature by feature."""
    reference = load_reference()
    total = 0.0
    for feature in FEATURES:
        if feature.part == part:
            values = scaled(feature, catalogue, reference)
            evidence = (
                np.ones(len(catalogue)) if feature.evidence is None else feature.evidence(catalogue)
            )
            both = evidence[one] * evidence[other]
            total += feature.share * (1 + both * (np.square(values[one] - values[other]).sum() - 1))
    return total


def test_the_features_of_each_part_share_it_out() -> None:
    for part in PARTS:
        assert sum(f.share for f in FEATURES if f.part == part) == pytest.approx(1)


@pytest.mark.parametrize("part", PARTS)
def test_one_product_is_the_sum_over_features(part: str) -> None:
    catalogue = kin_catalogue(each=3)
    space = Space(catalogue)
    for one, other in ((0, 1), (0, 4), (5, 11), (9, 2)):
        assert by_part(space, one, other)[part] == pytest.approx(
            naive(catalogue, one, other, part), abs=1e-4
        )


def test_songs_at_random_differ_by_one_in_every_part() -> None:
    catalogue = kin_catalogue(each=30)
    space = Space(catalogue, fit_reference(catalogue, "2-test"))
    everything = np.arange(len(catalogue))
    found = space.by_part(space.queries(everything), everything)
    # Half of these songs' stereo width, swing and tempo is unknown, which is neutral: about one.
    np.testing.assert_allclose(found.mean(axis=(0, 1)), 1.0, atol=0.12)


def test_a_song_is_at_no_distance_from_itself_but_for_what_is_unknown() -> None:
    space = Space(kin_catalogue("rock", each=2))
    parts = by_part(space, 0, 0)
    assert parts["genre"] == pytest.approx(0, abs=1e-4)
    assert parts["intensity"] == pytest.approx(0, abs=1e-4)
    width = next(f.share for f in FEATURES if f.name == "stereo_width")
    assert parts["timbre"] == pytest.approx(width, abs=1e-4)


def test_half_and_double_tempo_are_nearer_than_another() -> None:
    catalogue = with_number(kin_catalogue("rock", each=4), "tempo_bpm", [120.0, 120.0, 60.0, 90.0])
    catalogue = with_number(catalogue, "beat_strength", 0.5)
    space = Space(catalogue)
    same, half, other = (by_part(space, 0, row)["beat"] for row in (1, 2, 3))
    assert same < half < other
    assert half < (same + other) / 2


def test_an_unsure_tempo_counts_less() -> None:
    catalogue = with_number(kin_catalogue("rock", each=3), "tempo_bpm", [120.0, 85.0, 85.0])
    catalogue = with_number(catalogue, "beat_strength", 0.5)
    catalogue = with_number(catalogue, "tempo_confidence", [1.0, 1.0, 0.2])
    space = Space(catalogue)
    assert by_part(space, 0, 1)["beat"] > by_part(space, 0, 2)["beat"]


@pytest.mark.parametrize("name", ["loudness_lufs", "tempo_bpm", "swing", "stereo_width"])
def test_what_is_unknown_is_neither_alike_nor_different(name: str) -> None:
    part = {"loudness_lufs": "intensity", "tempo_bpm": "beat", "swing": "rhythm"}.get(
        name, "timbre"
    )
    known = with_number(kin_catalogue("rock", each=3), name, [0.2, 0.2, 0.9])
    if name == "tempo_bpm":
        known = with_number(known, name, [120.0, 120.0, 85.0])
    if name == "loudness_lufs":
        known = with_number(known, name, [-10.0, -10.0, -25.0])
    unknown = with_number(known, name, [np.nan, known.number(name)[1], known.number(name)[2]])
    before, after = Space(known), Space(unknown)
    alike, different = (by_part(before, 0, row)[part] for row in (1, 2))
    assert alike < by_part(after, 0, 1)[part] < by_part(after, 0, 1)[part] + different
    # Where one of the two is unknown, it makes no difference what the other has.
    swapped = with_number(known, name, [np.nan, known.number(name)[2], known.number(name)[1]])
    assert by_part(Space(swapped), 0, 1)[part] == pytest.approx(
        by_part(after, 0, 1)[part], abs=1e-5
    )


def test_an_outlier_does_not_drown_the_rest() -> None:
    catalogue = with_number(kin_catalogue("rock", each=3), "crest_factor_db", [13.0, 13.0, 900.0])
    assert by_part(Space(catalogue), 0, 2)["intensity"] < 2.5


def test_silence_can_be_compared() -> None:
    catalogue = kin_catalogue("rock", each=2)
    silent = replace(
        catalogue,
        numbers=np.where(np.arange(2)[:, None] == 1, np.float32(0), catalogue.numbers),
        patterns=np.zeros_like(catalogue.patterns),
    )
    silent = with_number(silent, "tempo_bpm", np.nan)
    assert np.isfinite(list(by_part(Space(silent), 0, 1).values())).all()
