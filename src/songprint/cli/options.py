"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Workers = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Songs heard at once.  [default: one for each usable core]"
    ),
]
