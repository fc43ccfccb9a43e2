"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Workers = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Songs heard at once.  [default: one for each usable core]"
    ),
]

Thorough = Annotated[
    bool,
    typer.Option(
        "--thorough", help="Hear every moment of long songs, not a third of them; takes longer."
    ),
]

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="PATH",
        help="The library's folder.  [default: $SONGPRINT_LIBRARY, or in the platform's data"
        " folder]",
        show_default=False,
    ),
]
