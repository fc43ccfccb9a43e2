"""The encoder: an ONNX network, its checksum and the names of its tags."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import MEL_BANDS, WINDOW_FRAMES
from songprint.errors import ModelError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

EMBEDDING_SIZE = 256


@dataclass(frozen=True)
class Encoded:
    """What the encoder makes of windows.

    Attributes
    ----------
    embeddings : ndarray [shape=(n, 256)]
        Unit-length float32 vectors.
    tags : ndarray [shape=(n, T)]
        Probability of each tag of :attr:`Encoder.tag_names`.
    """

    embeddings: NDArray[np.float32]
    tags: NDArray[np.float32]


class Encoder:
    """The network that ships with the package, or another one of the same contract.

    Safe to share between threads; each call runs on the calling thread, so that songs heard in
    parallel never oversubscribe the cores.

    Parameters
    ----------
    folder : Traversable, optional
        Holds ``encoder.onnx`` and ``encoder.json``; the package's own weights by default.

    Raises
    ------
    ModelError
        If the weights are missing, or do not have the checksum that ``encoder.json`` states.
    """

    def __init__(self, folder: Traversable | None = None) -> None:
        folder = folder or resources.files("songprint.encoder") / "weights"
        self.folder = folder
        try:
            self.card: dict[str, Any] = json.loads((folder / "encoder.json").read_text("utf-8"))
            weights = (folder / "encoder.onnx").read_bytes()
            self.sha256: str = self.card["sha256"]
            self.tag_names = tuple[str, ...](self.card["tags"])
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{folder}: the encoder cannot be read: {error}") from error
        if hashlib.sha256(weights).hexdigest() != self.sha256:
            raise ModelError(f"{folder}: encoder.onnx is damaged: its checksum does not match")
        self._weights = weights

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A song's batches have several sizes; the arena would keep memory for each.
        options.enable_mem_pattern = False
        try:
            return onnxruntime.InferenceSession(
                self._weights, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises its own, undocumented classes
            raise ModelError(f"the encoder cannot be loaded: {error}") from error

    def encode(self, windows: NDArray[np.float32]) -> Encoded:
        """Encode windows.

        Parameters
        ----------
        windows : ndarray [shape=(n, 187, 96)]
            Log-mel frames of :mod:`songprint.audio.mel`, n ≥ 1.

        Returns
        -------
        Encoded
            One embedding and one row of tags for each window.

        Raises
        ------
        ValueError
            If `windows` has another shape.
        """
        if windows.ndim != 3 or windows.shape[1:] != (WINDOW_FRAMES, MEL_BANDS):
            raise ValueError(f"windows have shape {windows.shape}, not [n, 187, 96]")
        embeddings, tags = self._session.run(["embedding", "tags"], {"windows": windows})
        return Encoded(embeddings, tags)
