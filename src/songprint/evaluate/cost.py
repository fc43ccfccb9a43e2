"""What a window costs: multiply-accumulates and windows a second, ours beside the teacher's.

Both networks run as ONNX graphs in ONNX Runtime on one thread, in turns, so that whatever else the
machine does slows both. The teacher is given the faster of two forms
(:mod:`songprint.evaluate.teacher_forms`). Multiply-accumulates are counted in both graphs alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES
from songprint.errors import ModelError
from songprint.evaluate.intervals import Interval
from songprint.evaluate.representations import TEACHERS
from songprint.evaluate.results import Cost

BATCH_WINDOWS = 4
ROUNDS = 7
OUR_SECONDS_A_ROUND = 1.0
PARITY_TOLERANCE = 1e-3


def measure_cost(
    ours: bytes, teachers: Path, tell: Callable[[str], None], rounds: int = ROUNDS
) -> Cost:
    """Measure both networks in turns.

    Parameters
    ----------
    ours : bytes
        Our ONNX file; its input is ``windows [n, 187, 96]``.
    teachers : Path
        Folder with the teacher's ``.npz`` weights; the MSD network alone is measured, although
        our encoder stands for both.
    tell : callable
        Told of progress.
    rounds : int
        How often each runs.
    """
    rng = np.random.default_rng(0)
    batch = rng.uniform(0, 4, (BATCH_WINDOWS, WINDOW_FRAMES, MEL_BANDS)).astype(np.float32)
    mine = _session(ours)
    tell("exporting the teacher")
    with TemporaryDirectory() as folder:
        forms, single = _export_forms(teachers / f"{TEACHERS[0]}.npz", Path(folder), batch)
    sessions = {name: _session(graph) for name, graph in forms.items()}
    tell("finding the teacher's faster form")
    best = min(sessions, key=lambda name: min(_time(sessions[name], batch) for _ in range(2)))

    own = min(_time(mine, batch) for _ in range(2))
    repeats = max(1, round(OUR_SECONDS_A_ROUND / own))
    speeds: list[tuple[float, float]] = []
    for number in range(rounds):
        tell(f"timing, round {number + 1} of {rounds}")
        our_seconds = sum(_time(mine, batch) for _ in range(repeats)) / repeats
        speeds.append((BATCH_WINDOWS / our_seconds, BATCH_WINDOWS / _time(sessions[best], batch)))
    ratios = [our / their for our, their in speeds]
    return Cost(
        count_onnx_macs(ours),
        count_onnx_macs(single),
        median(our for our, _ in speeds),
        median(their for _, their in speeds),
        Interval(median(ratios), min(ratios), max(ratios)),
        best,
        rounds,
        BATCH_WINDOWS,
    )


def windows_per_second(graph: bytes, rounds: int = ROUNDS) -> float:
    """Return the median speed of an ONNX encoder on one thread."""
    batch = np.zeros((BATCH_WINDOWS, WINDOW_FRAMES, MEL_BANDS), np.float32)
    session = _session(graph)
    return BATCH_WINDOWS / median(_time(session, batch) for _ in range(rounds))


def count_onnx_macs(graph: bytes) -> int:
    """Count the multiply-accumulates of one window in convolutions and matrix products.

    The graph is run on one window and asked for what each of these products gives, since shapes
    that depend on the input are not in the file.

    Parameters
    ----------
    graph : bytes
        An ONNX model whose one input is ``windows [n, 187, 96]``, n being 1 or free.
    """
    import onnx

    model = onnx.load_from_string(graph)
    products = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    weights = {weight.name: tuple(weight.dims) for weight in model.graph.initializer}
    asked = {node.output[0] for node in products}
    asked |= {node.input[1] for node in products if node.input[1] not in weights}
    known = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(asked - known))
    window = np.zeros((1, WINDOW_FRAMES, MEL_BANDS), np.float32)
    values = _session(model.SerializeToString()).run(sorted(asked), {"windows": window})
    shapes = weights | {
        name: value.shape for name, value in zip(sorted(asked), values, strict=True)
    }
    total = 0
    for node in products:
        weight = shapes[node.input[1]]
        if node.op_type == "Conv":
            inputs = int(np.prod(weight[1:]))
        else:
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            inputs = weight[-1] if transposed else weight[-2]
        total += inputs * int(np.prod(shapes[node.output[0]]))
    return total


def _session(graph: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _time(session: Any, batch: NDArray[np.float32]) -> float:
    started = time.perf_counter()
    session.run(None, {"windows": batch})
    return time.perf_counter() - started


def _export_forms(
    weights: Path, folder: Path, batch: NDArray[np.float32]
) -> tuple[dict[str, bytes], bytes]:
    """Return the teacher's forms for `batch`, and the first of them for a single window."""
    import torch

    from songprint.evaluate.teacher_forms import FORMS, export_form
    from songprint.learn.teacher import MusiCNN

    with torch.inference_mode():
        expected = MusiCNN(weights)(torch.from_numpy(batch[:2]))[0].numpy()
    forms = {}
    for name, form in FORMS.items():
        forms[name] = export_form(form(weights), len(batch), folder / "form.onnx")
        heard = _session(forms[name]).run(["embedding"], {"windows": batch})[0][:2]
        if np.abs(heard - expected).max() > PARITY_TOLERANCE * np.abs(expected).max():
            raise ModelError(f"the teacher in the form of {name} is not the teacher")
    single = export_form(next(iter(FORMS.values()))(weights), 1, folder / "form.onnx")
    return forms, single
