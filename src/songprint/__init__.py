"""songprint hears what a song is, from its audio alone.

The public API; everything else may change between versions. Names are loaded when first used, so
that ``import songprint`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from songprint.fingerprints import FORMAT_VERSION, Fingerprint, fingerprint
    from songprint.kinship.distance import Weights
    from songprint.kinship.neighbours import Kinship
    from songprint.kinship.station import Station, Wishes, grow
    from songprint.library.store import Library

__all__ = [
    "FORMAT_VERSION",
    "Fingerprint",
    "Kinship",
    "Library",
    "Station",
    "Weights",
    "Wishes",
    "__version__",
    "fingerprint",
    "grow",
]

_HOMES = {
    "Kinship": "kinship.neighbours",
    "Library": "library.store",
    "Station": "kinship.station",
    "Weights": "kinship.distance",
    "Wishes": "kinship.station",
    "grow": "kinship.station",
}
"""Modules of the names that are not in ``fingerprints``."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'songprint' has no attribute {name!r}")
    return getattr(import_module(f"songprint.{_HOMES.get(name, 'fingerprints')}"), name)
