"""Folders that a request may name: those that may be added, and no others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from songprint.cli.text import printable
from songprint.errors import UsageError
from songprint.library.scan import is_within
from songprint.web.refusal import Refusal

if TYPE_CHECKING:
    from songprint.web.page import Page


def allowed_folder(page: Page, folder: str) -> str:
    """Return the real path of a folder.

    Raises
    ------
    UsageError
        If it is none.
    Refusal
        If it lies elsewhere than the server's music.
    """
    expanded = os.path.expanduser(folder)  # noqa: PTH111
    if "\0" in expanded or not os.path.isabs(expanded):  # noqa: PTH117
        raise UsageError("the folder's path must be absolute, such as /home/me/Music")
    real = os.path.realpath(expanded)
    if not is_allowed(page, real):
        raise Refusal(403, "this server only reads music from the folders named at its start")
    if not os.path.isdir(real):  # noqa: PTH112
        raise UsageError(f"{printable(real)}: there is no such folder")
    return real


def is_allowed(page: Page, real: str) -> bool:
    """Tell whether a real path is one that requests may name."""
    music = [os.path.realpath(root) for root in page.settings.music]
    return (page.settings.is_local and not music) or is_within(real, music)
