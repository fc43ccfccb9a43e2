"""The spectral peaks of the songs that the leak check compares, found once and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songprint.audio.decode import stream
from songprint.audio.peaks import PEAKS_VERSION, PeakMeter, Peaks
from songprint.errors import DecodeError
from songprint.files import replacing

PEAKS_CACHE = "peaks.npz"
"""Beside the corpus, as they outlive it."""


def cached_peaks(
    files: Mapping[str, Path], cache: Path, tell: Callable[[str], None]
) -> dict[str, Peaks]:
    """Return the spectral peaks of songs, of those that can be heard.

    Parameters
    ----------
    files : mapping of str to Path
        Where each song is, by its name.
    cache : Path
        An ``.npz`` file with what was found before; files of another size are heard anew.
    tell : callable
        Told of progress, in a few words.
    """
    known: dict[str, NDArray[np.uint32]] = {}
    if cache.exists():
        with np.load(cache) as kept:
            known = {key: kept[key] for key in kept.files}
    keys = {
        name: f"{name} {path.stat().st_size} {PEAKS_VERSION}"
        for name, path in files.items()
        if path.is_file()
    }
    missing = [name for name, key in keys.items() if key not in known]
    if missing:
        tell(f"finding the spectral peaks of {len(missing)} songs")
    for name in missing:
        try:
            known[keys[name]] = _packed_peaks(files[name])
        except DecodeError as error:
            tell(f"{name} is not compared with other recordings: {error.reason}")
    if missing:
        with replacing(cache) as part:
            np.savez(part, **known)  # type: ignore[arg-type]
    return {name: Peaks.unpacked(known[key]) for name, key in keys.items() if key in known}


def _packed_peaks(path: Path) -> NDArray[np.uint32]:
    meter = PeakMeter()
    for block in stream(path):
        meter.add(block)
    return meter.finish().packed()
