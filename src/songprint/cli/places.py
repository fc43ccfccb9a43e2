"""Where songprint keeps what it is not told where to keep."""

from __future__ import annotations

import re
from pathlib import Path

from songprint.library.places import library_path


def personal_head_path(name: str) -> Path:
    """Return where the genres of a name are stored: in ``genres``, beside the library."""
    safe = re.sub(r"[^\w .-]+", "-", name).strip(". ") or "genres"
    return library_path().parent / "genres" / f"{safe}.json"
