"""Identifies clips with a library's songs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.errors import DecodeError
from songprint.identify.index import Index
from songprint.identify.matching import Match, identify_samples

if TYPE_CHECKING:
    from songprint.audio.decode import DecodeLimits
    from songprint.library.store import Library

MOST_SECONDS = 600.0
"""How much of a clip's beginning is listened to."""


class Identifier:
    """Names the song that a clip is of; safe to share between threads.

    Songs that are added later are not found: make another.

    Parameters
    ----------
    library : Library
        Holds the songs.

    Raises
    ------
    LibraryError
        If it cannot be read.

    Examples
    --------
    >>> from songprint import Library
    >>> from songprint.identify.identifier import Identifier
    >>> library = Library.open()  # doctest: +SKIP
    >>> match = Identifier(library).identify_file("clip.wav")  # doctest: +SKIP
    >>> match and library.row_of(match.song).title, match.offset_seconds  # doctest: +SKIP
    ('So What', 83.2)
    """

    def __init__(self, library: Library) -> None:
        self.index = Index.of(library)

    def identify(self, samples: NDArray[np.float32]) -> Match | None:
        """Say which song mono float32 samples at 16 kHz are of [shape=(n,)]; None: no match."""
        return identify_samples(self.index.parts, samples)

    def identify_file(
        self, path: str | Path, *, limits: DecodeLimits | None = None
    ) -> Match | None:
        """Say which song a file is a clip of: of a song of the library itself, not of its copy.

        Parameters
        ----------
        path : str or Path
            Any audio file, or a video with a sound track; its first ten minutes are heard.
        limits : DecodeLimits, optional
            What the file may cost.

        Returns
        -------
        Match or None
            None where no song of the library convinces.

        Raises
        ------
        DecodeError
            If nothing can be heard in the file.
        """
        from songprint.audio.decode import DEFAULT_LIMITS, stream
        from songprint.audio.hash import content_hash

        blocks, samples = [], 0
        for block in stream(path, limits=limits or DEFAULT_LIMITS):
            blocks.append(block)
            samples += len(block)
            if samples >= MOST_SECONDS * SAMPLE_RATE_HZ:
                break
        heard = np.concatenate(blocks)
        match = self.identify(heard)
        if match is None:
            return None
        try:
            itself = content_hash(path, limits=limits or DEFAULT_LIMITS)
        except DecodeError:  # it has gone, or changes as it is read
            return match
        if itself == match.song:
            return match
        return identify_samples(self.index.only(itself).parts, heard) or match
