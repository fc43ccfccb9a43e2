"""Options for what kinship is judged by, which several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from songprint.kinship.distance import Weights


def _weight(part: str, default: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        f"--{part}",
        metavar="W",
        help=f"How much {part} counts, 0 or more.  [default: {default}]",
        show_default=False,
        rich_help_panel="Weights",
    )
    return option


BeatWeight = Annotated[float | None, _weight("beat", "0.2")]
IntensityWeight = Annotated[float | None, _weight("intensity", "0.2")]
RhythmWeight = Annotated[float | None, _weight("rhythm", "0.2")]
TimbreWeight = Annotated[float | None, _weight("timbre", "0.2")]
GenreWeight = Annotated[float | None, _weight("genre", "1")]

M3u = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a playlist: .m3u8 or .m3u.")]

ArtistCap = Annotated[
    int, typer.Option(min=0, metavar="N", help="The most songs of one artist; 0 for no cap.")
]


def weights_of(
    beat: float | None,
    intensity: float | None,
    rhythm: float | None,
    timbre: float | None,
    genre: float | None,
) -> Weights:
    """Return the weights that were asked for, and the usual ones for the rest."""
    from songprint.kinship.distance import Weights

    return Weights.of(
        {"beat": beat, "intensity": intensity, "rhythm": rhythm, "timbre": timbre, "genre": genre}
    )
