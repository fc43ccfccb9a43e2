"""Takes folders out of a library again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from songprint.library.holdings import Holdings
from songprint.library.objects import real
from songprint.library.scan import is_within
from songprint.library.settle import settle_songs

if TYPE_CHECKING:
    from songprint.library.store import Library


def forget_folders(library: Library, places: Iterable[str]) -> int:
    """Forget folders, the files in them, and the songs that no other file holds.

    Parameters
    ----------
    library : Library
        The library.
    places : iterable of str
        Folders or files, which need not be there any more. Nothing on the disk is touched.

    Returns
    -------
    int
        How many files were forgotten.

    Raises
    ------
    LibraryError
        If another process is writing.
    """
    from songprint.fingerprints import default_fingerprinter

    places = [real(place) for place in places]
    model = default_fingerprinter().model_version
    with library.writing() as writer:
        holdings = Holdings(library, model)
        forgotten = [path for path in holdings.files if is_within(path, places)]
        writer.drop_folders(folder for folder in library.folders() if is_within(folder, places))
        writer.drop_files(forgotten)
        for path in forgotten:
            holdings.drop(path)
        settle_songs(library, writer, holdings, model)
        writer.tidy_if_needed()
    return len(forgotten)
