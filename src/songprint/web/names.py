"""What songs are called on the page: text that is safe to send and to show."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from songprint.cli.text import printable

if TYPE_CHECKING:
    from songprint.library.catalogue import Catalogue


def shown(text: str | None) -> str | None:
    """Return a text of a tag or a path, or None where there is none."""
    return printable(text) if text else None


def title_of(catalogue: Catalogue, row: int) -> str:
    """Return a song's title; without one its file's name, or else its identity."""
    title, path = catalogue.titles[row], catalogue.paths[row]
    if title:
        return printable(title)
    if path:
        return printable(os.path.splitext(os.path.basename(path))[0])  # noqa: PTH119, PTH122
    return str(catalogue.hashes[row])
