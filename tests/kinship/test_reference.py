from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from songprint.kinship.parts import FEATURES
from songprint.kinship.reference import Reference, fit_reference, load_reference
from songprint.library.catalogue import NUMBERS
from support.kin import kin_catalogue


def test_the_reference_knows_every_feature_and_tag() -> None:
    reference = load_reference()
    assert set(reference.scales) == set(reference.centres) == {f.name for f in FEATURES}
    assert all(scale > 0 for scale in reference.scales.values())
    vocabulary = kin_catalogue("rock", each=1).vocabulary
    tags = {f"genres/{name}" for name in vocabulary.genres}
    tags |= {f"instruments/{name}" for name in vocabulary.instruments}
    assert tags <= set(reference.quantiles)
    assert set(NUMBERS) - set(reference.quantiles) <= {"stereo_width"}


def test_ranks_are_shares_of_songs_below() -> None:
    reference = Reference("m", {}, {}, {"tempo_bpm": (60.0, 100.0, 140.0)})
    values = np.array([60, 80, 100, 140, 200, 20, np.nan])
    np.testing.assert_allclose(reference.rank("tempo_bpm", values), [0, 0.25, 0.5, 1, 1, 0, np.nan])


def test_of_equal_quantiles_the_middle_counts() -> None:
    reference = Reference("m", {}, {}, {"swing": (0.0, 0.0, 0.0, 0.5, 1.0)})
    values = np.array([0.0, 1e-9, 0.25, 0.5], np.float32)
    np.testing.assert_allclose(reference.rank("swing", values), [0.25, 0.5, 0.625, 0.75], atol=1e-6)


def test_it_is_fitted_to_a_mean_distance_of_one() -> None:
    catalogue = kin_catalogue(each=40)
    reference = fit_reference(catalogue, "2-test")
    for feature in FEATURES:
        if feature.evidence is None:
            values = feature.read(catalogue) * reference.scales[feature.name]
            distances = np.square(values[:, None] - values[None]).sum(axis=2)
            n = len(values)
            assert distances.sum() / (n * (n - 1)) == pytest.approx(1, abs=0.1), feature.name


def test_what_few_songs_know_is_assumed() -> None:
    reference = fit_reference(kin_catalogue(each=40), "2-test")
    assert reference.scales["stereo_width"] == load_reference().scales["stereo_width"]


def test_the_shipped_reference_fits_the_shipped_model(shared_data: Path) -> None:
    """Its unit is the mean distance of songs as this model hears them, within a tenth."""
    from songprint.fingerprints import fingerprint
    from songprint.kinship.distance import Space
    from songprint.library.catalogue import catalogue_of

    songs = sorted((shared_data / "open").glob("*.opus"))[::53]
    heard = catalogue_of([fingerprint(song) for song in songs], paths=[str(s) for s in songs])
    space = Space(heard)
    rows = np.arange(len(heard))
    genre = space.by_part(space.queries(rows), rows)[..., -1]
    n = len(rows)
    assert genre.sum() / (n * (n - 1)) == pytest.approx(1, abs=0.15)
