"""Cost is counted and timed; the teacher's forms are the teacher."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES  # noqa: E402
from songprint.encoder.inference import Encoder  # noqa: E402
from songprint.evaluate.cost import count_onnx_macs, measure_cost  # noqa: E402
from songprint.evaluate.representations import (  # noqa: E402
    has_teachers,
    teacher_representations,
    teacher_songs,
)
from songprint.evaluate.teacher_forms import FORMS, export_form  # noqa: E402
from songprint.learn.corpus import Corpus, Song, quantise  # noqa: E402
from songprint.learn.teacher import MusiCNN  # noqa: E402

FRONT_KERNELS = ((7, 38, 204), (7, 67, 204), (128, 1, 51), (64, 1, 51), (32, 1, 51))


@pytest.fixture(scope="module")
def teachers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the teacher's shapes, drawn at random."""
    rng = np.random.default_rng(0)
    arrays = {}

    def batch_norm(index, size):
        name = "batch_normalization" + (f"_{index}" if index else "")
        arrays[f"{name}/gamma"] = rng.uniform(-1, 1, size).astype(np.float32)
        arrays[f"{name}/beta"] = rng.normal(size=size).astype(np.float32)
        arrays[f"{name}/moving_mean"] = rng.normal(size=size).astype(np.float32)
        arrays[f"{name}/moving_variance"] = rng.uniform(0.5, 2, size).astype(np.float32)

    def layer(name, *shape):
        scale = 1 / np.sqrt(np.prod(shape[:-1]))
        arrays[f"{name}/kernel"] = (scale * rng.normal(size=shape)).astype(np.float32)
        arrays[f"{name}/bias"] = rng.normal(size=shape[-1]).astype(np.float32)

    batch_norm(0, 1)
    for i, (frames, bands, filters) in enumerate(FRONT_KERNELS):
        layer("conv2d" + (f"_{i}" if i else ""), frames, bands, 1, filters)
        batch_norm(i + 1, filters)
    for i, channels in ((5, 561), (6, 64), (7, 64)):
        layer(f"conv2d_{i}", 7, channels, 1, 64)
        batch_norm(i + 1, 64)
    batch_norm(9, 1506)
    layer("dense", 1506, 200)
    batch_norm(10, 200)
    layer("dense_1", 200, 50)
    folder = tmp_path_factory.mktemp("teachers")
    for name in ("MSD_musicnn", "MTT_musicnn"):
        np.savez(folder / f"{name}.npz", **arrays)
    return folder


def windows(n):
    shape = (n, WINDOW_FRAMES, MEL_BANDS)
    return np.random.default_rng(1).uniform(0, 4, shape).astype(np.float32)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_each_form_is_the_teacher(teachers, form):
    batch = torch.from_numpy(windows(2))
    with torch.inference_mode():
        expected = MusiCNN(teachers / "MSD_musicnn.npz")(batch)
        got = form(teachers / "MSD_musicnn.npz")(batch)
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_both_are_counted_and_timed_in_one_run(teachers):
    from importlib import resources

    folder = resources.files("songprint.encoder") / "weights"
    told = []
    cost = measure_cost((folder / "encoder.onnx").read_bytes(), teachers, told.append, rounds=1)
    assert cost.ours_macs == Encoder().card["macs_per_window"]
    # By hand: five front ends, three convolutions over time, two dense layers.
    front = 204 * WINDOW_FRAMES * (266 * 59 + 469 * 30) + 51 * WINDOW_FRAMES * 96 * 224
    middle = 64 * 7 * WINDOW_FRAMES * (561 + 64 + 64)
    assert cost.teacher_macs == front + middle + 1506 * 200 + 200 * 50
    assert cost.ratio.value > 1
    assert cost.teacher_form in FORMS
    assert told


def test_multiply_accumulates_by_hand(tmp_path):
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(WINDOW_FRAMES * MEL_BANDS, 5), torch.nn.Linear(5, 3)
    )
    path = tmp_path / "small.onnx"
    with pytest.warns():
        torch.onnx.export(
            network, (torch.zeros(1, WINDOW_FRAMES, MEL_BANDS),), str(path),
            input_names=["windows"], dynamo=False,
        )  # fmt: skip
    assert count_onnx_macs(path.read_bytes()) == WINDOW_FRAMES * MEL_BANDS * 5 + 15


def test_a_form_is_exported_for_one_size_of_batch(teachers, tmp_path):
    import onnxruntime

    form = next(iter(FORMS.values()))(teachers / "MSD_musicnn.npz")
    graph = export_form(form, 1, tmp_path / "form.onnx")
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    embedding, logits = session.run(None, {"windows": windows(1)})
    assert (embedding.shape, logits.shape) == ((1, 200), (1, 50))


@pytest.fixture
def corpus(tmp_path) -> Corpus:
    frames = quantise(windows(2).reshape(-1, MEL_BANDS))
    np.save(tmp_path / "frames.npy", frames)
    rows = ["name,source,artist,genre,split,start,frames", "a,emotify,x,rock,,0,200"]
    (tmp_path / "songs.csv").write_text("\n".join([*rows, "b,emotify,y,pop,,200,174"]))
    return Corpus(tmp_path)


def test_the_teacher_hears_a_song_once(corpus, teachers, tmp_path):
    cache = tmp_path / "teacher_songs.npz"
    heard = teacher_songs(corpus, corpus.songs, teachers, cache, lambda _: None)
    assert heard.shape == (2, 500)
    # Now it is known, and the weights are not needed any more.
    again = teacher_songs(corpus, corpus.songs, None, cache, lambda _: None)
    np.testing.assert_array_equal(heard, again)
    both = teacher_representations(heard)
    assert [teacher.features.shape[1] for teacher in both] == [200, 400]


def test_without_weights_an_unknown_song_is_left_out(corpus, tmp_path):
    unknown = [Song("c", "emotify", "z", "pop", "", 0, 10)]
    cache = tmp_path / "teacher_songs.npz"
    assert teacher_songs(corpus, unknown, None, cache, lambda _: None) is None
    assert not has_teachers(tmp_path)
    assert not has_teachers(None)
