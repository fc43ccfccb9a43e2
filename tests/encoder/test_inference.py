"""The shipped encoder keeps its contract and notices damage."""

import json
from importlib import resources

import numpy as np
import pytest

from songprint.encoder.inference import EMBEDDING_SIZE, Encoder
from songprint.errors import ModelError

WEIGHTS = resources.files("songprint.encoder") / "weights"


@pytest.fixture(scope="module")
def encoder():
    return Encoder()


def windows(n, seed=0):
    return np.random.default_rng(seed).uniform(0, 4, (n, 187, 96)).astype(np.float32)


def test_embeddings_have_unit_length_and_tags_are_probabilities(encoder):
    encoded = encoder.encode(windows(5))
    assert encoded.embeddings.shape == (5, EMBEDDING_SIZE)
    assert encoded.embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(encoded.embeddings, axis=1), 1, atol=1e-5)
    assert encoded.tags.shape == (5, len(encoder.tag_names))
    assert ((encoded.tags >= 0) & (encoded.tags <= 1)).all()


def test_a_window_is_heard_alike_alone_and_in_a_batch(encoder):
    batch = windows(7)
    alone = np.concatenate([encoder.encode(batch[i : i + 1]).embeddings for i in range(7)])
    np.testing.assert_allclose(encoder.encode(batch).embeddings, alone, atol=1e-5)


def test_silence_is_finite(encoder):
    encoded = encoder.encode(np.zeros((1, 187, 96), np.float32))
    assert np.isfinite(encoded.embeddings).all()
    assert np.isfinite(encoded.tags).all()


@pytest.mark.parametrize("shape", [(187, 96), (1, 186, 96), (1, 187, 95)])
def test_other_shapes_are_refused(encoder, shape):
    with pytest.raises(ValueError, match="shape"):
        encoder.encode(np.zeros(shape, np.float32))


def copy_weights(folder):
    for name in ("encoder.onnx", "encoder.json"):
        (folder / name).write_bytes((WEIGHTS / name).read_bytes())


def test_a_flipped_bit_is_noticed(tmp_path):
    copy_weights(tmp_path)
    damaged = bytearray((tmp_path / "encoder.onnx").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "encoder.onnx").write_bytes(damaged)
    with pytest.raises(ModelError, match="checksum"):
        Encoder(tmp_path)


def test_weights_that_are_no_network_are_refused(tmp_path):
    import hashlib

    (tmp_path / "encoder.onnx").write_bytes(b"nothing")
    card = {"sha256": hashlib.sha256(b"nothing").hexdigest(), "tags": []}
    (tmp_path / "encoder.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="cannot be loaded"):
        Encoder(tmp_path).encode(windows(1))


def test_missing_weights_are_refused(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        Encoder(tmp_path)


def test_the_card_states_cost_and_size(encoder):
    assert encoder.card["macs_per_window"] <= 120_000_000
    assert encoder.card["bytes"] == len((WEIGHTS / "encoder.onnx").read_bytes())
