"""songprint hears what a song is, from its audio alone.

The public API; everything else may change between versions. Names are loaded when first used, so
that ``import songprint`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from songprint.fingerprints import FORMAT_VERSION, Fingerprint, fingerprint
    from songprint.library.store import Library

__all__ = ["FORMAT_VERSION", "Fingerprint", "Library", "__version__", "fingerprint"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'songprint' has no attribute {name!r}")
    if name == "Library":
        from songprint.library import store

        return store.Library
    from songprint import fingerprints

    return getattr(fingerprints, name)
