"""songprint hears what a song is, from its audio alone.

The public API; everything else may change between versions. Names are loaded when first used, so
that ``import songprint`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing takes ten times as long to import as this module
if TYPE_CHECKING:
    from typing import Any

    from songprint.errors import (
        DecodeError,
        LibraryError,
        ModelError,
        PortableError,
        SongprintError,
        UsageError,
    )
    from songprint.fingerprints import FORMAT_VERSION, Fingerprint, fingerprint
    from songprint.identify.identifier import Identifier
    from songprint.identify.matching import Match
    from songprint.kinship.distance import Weights
    from songprint.kinship.neighbours import Kinship, Neighbour
    from songprint.kinship.station import Station, Wishes, grow
    from songprint.library.catalogue import Catalogue, catalogue_of
    from songprint.library.exporting import export_songs
    from songprint.library.importing import forget_imported, import_songs
    from songprint.library.ingest import add_folders
    from songprint.library.schema import SongRow
    from songprint.library.store import Library
    from songprint.library.tagging import TagWishes, tag_files, untag_files

__all__ = [
    "FORMAT_VERSION",
    "Catalogue",
    "DecodeError",
    "Fingerprint",
    "Identifier",
    "Kinship",
    "Library",
    "LibraryError",
    "Match",
    "ModelError",
    "Neighbour",
    "PortableError",
    "SongRow",
    "SongprintError",
    "Station",
    "TagWishes",
    "UsageError",
    "Weights",
    "Wishes",
    "__version__",
    "add_folders",
    "catalogue_of",
    "export_songs",
    "fingerprint",
    "forget_imported",
    "grow",
    "import_songs",
    "tag_files",
    "untag_files",
]

_HOMES = {
    "errors": (
        *("DecodeError", "LibraryError", "ModelError", "PortableError", "SongprintError"),
        "UsageError",
    ),
    "fingerprints": ("FORMAT_VERSION", "Fingerprint", "fingerprint"),
    "identify.identifier": ("Identifier",),
    "identify.matching": ("Match",),
    "kinship.distance": ("Weights",),
    "kinship.neighbours": ("Kinship", "Neighbour"),
    "kinship.station": ("Station", "Wishes", "grow"),
    "library.catalogue": ("Catalogue", "catalogue_of"),
    "library.exporting": ("export_songs",),
    "library.importing": ("forget_imported", "import_songs"),
    "library.ingest": ("add_folders",),
    "library.schema": ("SongRow",),
    "library.store": ("Library",),
    "library.tagging": ("TagWishes", "tag_files", "untag_files"),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'songprint' has no attribute {name!r}")
    return getattr(import_module(f"songprint.{_MODULES[name]}"), name)
