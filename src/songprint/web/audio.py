"""The sound of a song of the library, by its identity; the path comes from the library alone."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from starlette.responses import FileResponse

from songprint.library.schema import quoted
from songprint.web.refusal import Refusal

if TYPE_CHECKING:
    from songprint.library.store import Library
    from songprint.web.shelf import Snapshot

MEDIA_TYPES = {
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".mp4": "audio/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".wave": "audio/wav",
    ".weba": "audio/webm",
    ".webm": "audio/webm",
}
"""What a browser is told; it never sees the file's name, and may not guess (nosniff)."""


def path_of(library: Library, snapshot: Snapshot, song: str) -> str:
    """Return a file that holds a song.

    Raises
    ------
    Refusal
        If the song is not in the library, or has no file here any more.
    """
    row = snapshot.row(song)
    first = snapshot.catalogue.paths[row]
    if first is not None and _is_plain(first):
        return str(first)
    for file in library.files(f"content_hash = {quoted(song)}"):
        if _is_plain(file.path):
            return file.path
    gone = "its file is not there any more" if first else "it came without audio"
    raise Refusal(404, f"the song cannot be played: {gone}")


def _is_plain(path: str) -> bool:
    """Tell whether a path still is the file that was added, and no link that took its place."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode) and os.path.realpath(path) == path
    except (OSError, ValueError):
        return False


def response(path: str) -> FileResponse:
    """Return a file's bytes, or the range of them that is asked for."""
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122
    media_type = MEDIA_TYPES.get(suffix, "application/octet-stream")
    return FileResponse(path, media_type=media_type, headers={"Cache-Control": "private, no-cache"})
