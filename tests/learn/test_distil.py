"""Shards: what they draw from, and that their number alone decides them."""

import numpy as np
import pytest

from songprint.learn.corpus import Corpus
from songprint.learn.distil import TEACHERS, Distiller
from songprint.learn.teacher import FEATURES
from support.musicnn import random_weights

SONGS = """name,source,artist,genre,split,start,frames
a,emotify,Kept,rock,,0,400
b,open,Held out,,,400,400
c,gtzan,c,blues,train,800,100
d,gtzan,d,blues,valid,900,400
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    frames = np.random.default_rng(0).integers(0, 150, (1300, 96), dtype=np.uint8)
    np.save(folder / "frames.npy", frames)
    (folder / "songs.csv").write_text(SONGS)
    return Corpus(folder)


@pytest.fixture(scope="module")
def distiller(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("teachers")
    for seed, name in enumerate(TEACHERS):
        np.savez(folder / f"{name}.npz", **random_weights(seed))
    return Distiller(corpus, folder, frozenset({"Held out"}), shard_windows=12)


def test_a_shard_holds_windows_and_both_teachers(distiller):
    shard = distiller.shard(0)
    assert shard.windows.shape == (12, 187, 96)
    assert shard.features.shape == (12, 4, 2, 2, FEATURES)
    assert np.isfinite(shard.features.astype(np.float32)).all()


def test_validation_clips_and_held_out_artists_are_never_drawn(distiller):
    drawn = {int(song) for number in range(4) for song in distiller.shard(number).songs}
    assert drawn <= {-1, 0, 2}
    assert {0, 2} <= drawn


def test_the_number_decides_the_shard(distiller):
    first, again, other = (distiller.shard(number) for number in (7, 7, 8))
    np.testing.assert_array_equal(first.windows, again.windows)
    np.testing.assert_array_equal(first.features, again.features)
    assert (first.windows != other.windows).any()
