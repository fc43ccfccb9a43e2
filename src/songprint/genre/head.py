"""The genre head: a calibrated linear classifier on song embeddings, with abstention.

Multinomial logistic regression over the genres and one class for what is not music; a temperature,
fitted on artists that the regression did not see (Guo et al. [1]_), makes its probabilities mean
what they say. It is higher for what is short: three seconds say less of a song than three minutes.

References
----------
.. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songprint.errors import ModelError
from songprint.genre.taxonomy import NOT_MUSIC

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


LEAST_MUSIC = 0.5
"""The least probability of being music of what is called music."""


@dataclass(frozen=True)
class Verdict:
    """What the head says of one embedding.

    Attributes
    ----------
    probabilities : ndarray [shape=(G,)]
        One for each of :attr:`GenreHead.genres`; they sum to one. They are conditional on the
        sound being music.
    music : float
        Probability that it is music at all.
    unsure : bool
        Whether the head abstains: probably not music, or no genre is likely enough.
    """

    probabilities: NDArray[np.float64]
    music: float
    unsure: bool


@dataclass(frozen=True)
class GenreHead:
    """A linear classifier with a temperature and an abstention threshold.

    Attributes
    ----------
    classes : tuple of str
        The genres, in taxonomy order, then ``"not music"``.
    weights : ndarray [shape=(d, C)]
        Of the embedding's components.
    bias : ndarray [shape=(C,)]
        Of the classes.
    temperature : float
        Divides the logits of a long song.
    threshold : float
        The least probability of a genre, times that of music, that is called sure.
    encoder_sha256 : str
        The encoder whose embeddings it was fitted on.
    brevity : float
        The temperature of a song of n windows is ``temperature * (1 + brevity / n)``.
    """

    classes: tuple[str, ...]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    temperature: float
    threshold: float
    encoder_sha256: str
    brevity: float = 0.0

    @property
    def genres(self) -> tuple[str, ...]:
        """The classes that are genres, in the order of a verdict's probabilities."""
        return tuple(name for name in self.classes if name != NOT_MUSIC)

    def class_probabilities(
        self,
        embeddings: NDArray[np.floating[Any]],
        windows: int | NDArray[np.integer[Any]] | None = None,
    ) -> NDArray[np.float64]:
        """Return calibrated probabilities of all classes.

        Parameters
        ----------
        embeddings : ndarray [shape=(n, d)]
            One row a song.
        windows : int or ndarray [shape=(n,)], optional
            How many windows of it were heard; many, if left out.

        Returns
        -------
        ndarray [shape=(n, C)]
            In the order of :attr:`classes`; each row sums to one.
        """
        temperature: Any = self.temperature
        if windows is not None:
            heard = np.atleast_1d(np.asarray(windows))[:, None]
            temperature = self.temperature * (1 + self.brevity / heard)
        logits = (np.asarray(embeddings, np.float64) @ self.weights + self.bias) / temperature
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
        return probabilities

    def judge(self, embedding: NDArray[np.floating[Any]], windows: int | None = None) -> Verdict:
        """Classify one embedding [shape=(d,)], of so many windows."""
        probabilities = self.class_probabilities(embedding[None], windows)[0]
        music = 1.0
        if NOT_MUSIC in self.classes:
            index = self.classes.index(NOT_MUSIC)
            music = 1.0 - float(probabilities[index])
            probabilities = np.delete(probabilities, index)
        total = probabilities.sum()
        if total > 0:
            probabilities = probabilities / total
        else:  # certainly not music: nothing is known of a genre
            probabilities = np.full(len(probabilities), 1 / len(probabilities))
        unsure = music < LEAST_MUSIC or float(probabilities.max()) * music < self.threshold
        return Verdict(probabilities, music, unsure)

    def to_json(self) -> str:
        """Serialise; float32 precision, one line a class."""
        rows = [
            json.dumps([float(np.format_float_positional(v, 6, trim="-")) for v in column])
            for column in self.weights.T
        ]
        return (
            "{\n"
            f' "encoder_sha256": {json.dumps(self.encoder_sha256)},\n'
            f' "classes": {json.dumps(self.classes)},\n'
            f' "temperature": {self.temperature:.6f},\n'
            f' "brevity": {self.brevity:.6f},\n'
            f' "threshold": {self.threshold:.6f},\n'
            f' "bias": {json.dumps([round(float(v), 6) for v in self.bias])},\n'
            ' "weights": [\n  ' + ",\n  ".join(rows) + "\n ]\n}\n"
        )

    @classmethod
    def from_json(cls, text: str) -> GenreHead:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ModelError
            If the text is not a head.
        """
        try:
            fields = json.loads(text)
            head = cls(
                tuple(fields["classes"]),
                np.array(fields["weights"], np.float64).T,
                np.array(fields["bias"], np.float64),
                float(fields["temperature"]),
                float(fields["threshold"]),
                fields["encoder_sha256"],
                float(fields.get("brevity", 0.0)),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"not a genre head: {error}") from error
        if head.weights.ndim != 2 or head.weights.shape[1] != len(head.classes):
            raise ModelError("not a genre head: its weights do not fit its classes")
        return head


def load_head(folder: Traversable | None = None) -> tuple[GenreHead, str]:
    """Load the genre head that ships with the package.

    Parameters
    ----------
    folder : Traversable, optional
        Holds ``head.json``; the package's own by default.

    Returns
    -------
    head : GenreHead
        The head.
    sha256 : str
        Checksum of its file.

    Raises
    ------
    ModelError
        If it is missing or damaged.
    """
    folder = folder or resources.files("songprint.genre") / "weights"
    try:
        data = (folder / "head.json").read_bytes()
    except OSError as error:
        raise ModelError(f"{folder}: the genre head cannot be read: {error}") from error
    return GenreHead.from_json(data.decode("utf-8", "replace")), hashlib.sha256(data).hexdigest()
