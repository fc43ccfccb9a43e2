"""An exported encoder comes back as the network that it was."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from songprint.encoder.inference import Encoder as OnnxEncoder
from songprint.errors import ModelError
from songprint.learn.export import export_encoder, quantise
from songprint.learn.restore import restore_encoder
from support.encoders import TINY, tiny_encoder


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    export_encoder(tiny_encoder(), folder, {"network": asdict(TINY)})
    return folder


@pytest.fixture
def windows():
    return torch.rand(5, 187, 96, generator=torch.Generator().manual_seed(3)) * 4


def test_a_restored_encoder_computes_what_the_file_computes(exported, windows):
    expected = OnnxEncoder(exported).encode(windows.numpy())
    with torch.inference_mode():
        embeddings, tags = restore_encoder(exported)(windows)
    np.testing.assert_allclose(embeddings.numpy(), expected.embeddings, atol=1e-4)
    np.testing.assert_allclose(tags.numpy(), expected.tags, atol=1e-4)


def test_a_restored_encoder_can_be_exported_and_restored_again(exported, windows, tmp_path):
    restored = restore_encoder(exported)
    export_encoder(restored, tmp_path, {"network": asdict(TINY)})
    with torch.inference_mode():
        torch.testing.assert_close(restore_encoder(tmp_path)(windows), restored(windows))


def test_of_an_encoder_in_eight_bits_the_full_one_is_restored(windows, tmp_path):
    encoder = tiny_encoder()
    export_encoder(encoder, tmp_path, {"network": asdict(TINY)})
    quantise(tmp_path, (torch.rand(32, 187, 96) * 4).numpy())
    with torch.inference_mode():
        expected, found = encoder(windows)[0], restore_encoder(tmp_path)(windows)[0]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "network", [replace(TINY, filters=(16, 16, 32)), replace(TINY, time_rank=2), None]
)
def test_another_architecture_is_refused(exported, tmp_path, network):
    card = json.loads((exported / "encoder.json").read_text())
    del card["network"]  # without it, that of the shipped encoder is expected
    if network is not None:
        card["network"] = asdict(network)
    (tmp_path / "encoder.json").write_text(json.dumps(card))
    (tmp_path / "encoder.onnx").write_bytes((exported / "encoder.onnx").read_bytes())
    with pytest.raises(ModelError, match="another architecture"):
        restore_encoder(tmp_path)


@pytest.mark.parametrize("name", ["encoder.onnx", "encoder.json"])
def test_a_damaged_encoder_is_refused(exported, tmp_path, name):
    for path in exported.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes(b"\xff\xff no network")
    with pytest.raises(ModelError):
        restore_encoder(tmp_path)
