"""The background: embeddings of all kinds of music, against which one genre alone can be learnt.

They belong to one encoder and are written anew whenever it is trained. A recording cannot be had
back from them.
"""

from __future__ import annotations

import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songprint.genre.personal import OTHER, Examples

FILE = "background.npz"


def load_background(encoder_sha256: str, folder: Path | None = None) -> Examples | None:
    """Return the background that ships with the package.

    Parameters
    ----------
    encoder_sha256 : str
        The encoder that it must have been made with.
    folder : Path, optional
        Holds ``background.npz``; the package's own by default.

    Returns
    -------
    Examples or None
        All labelled "other"; None if there is none for this encoder.
    """
    place = folder or resources.files("songprint.genre") / "weights"
    try:
        with (place / FILE).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if str(arrays["encoder_sha256"]) != encoder_sha256:
                return None
            embeddings = arrays["embeddings"].astype(np.float32)
            artists = arrays["artists"].astype(np.str_)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return Examples(embeddings, np.full(len(embeddings), OTHER), artists)


def write_background(
    path: Path, embeddings: NDArray[np.float32], artists: NDArray[np.str_], encoder_sha256: str
) -> None:
    """Write a background.

    Parameters
    ----------
    path : Path
        Where to; ``src/songprint/genre/weights/background.npz`` to ship it.
    embeddings : ndarray [shape=(n, d)]
        One unit-length row a song; kept at half precision.
    artists : ndarray [shape=(n,)]
        Who made each; only numbers are written, not names.
    encoder_sha256 : str
        The encoder that made the embeddings.
    """
    _, numbers = np.unique(artists, return_inverse=True)
    np.savez_compressed(
        path,
        embeddings=embeddings.astype(np.float16),
        artists=np.array([f"background {number}" for number in numbers]),
        encoder_sha256=np.array(encoder_sha256),
    )
