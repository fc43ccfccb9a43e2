"""One colour for each genre, in the terminal, in figures and on the page (``colours.js``).

The twelve were searched by simulated annealing, in hues such as the page had before, for the
greatest least difference (CIEDE2000) between any two as people see them and as people do who lack
the cones for long, middle or short waves (Machado et al. 2009 [1]_): 20.7, and 16.0, 15.9 and 16.1,
where Okabe and Ito's seven have 21.7, 12.2, 11.6 and 10.9, and ten are seen at a glance. So many
differ in lightness too; on the page each dot has a rim that stands out from the ground.

References
----------
.. [1] G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, "A physiologically-based model for
       simulation of color vision deficiency", IEEE TVCG 15(6), 2009.
"""

from __future__ import annotations

from collections.abc import Iterable

GENRE_COLOURS = {
    "blues": "#0b83ff",
    "classical": "#c2c096",
    "country": "#a38177",
    "disco": "#7f7198",
    "electronic": "#1ecaff",
    "hip-hop": "#5700f8",
    "jazz": "#f5b126",
    "metal": "#93120b",
    "pop": "#6f2f6f",
    "reggae": "#0d634e",
    "rock": "#e84200",
}
UNSURE_COLOUR = "#9aa3af"
NO_GENRES = ("unsure", "other", "")
"""What songs and stretches without a genre are called."""


def colour_of(name: str) -> str:
    """Return the colour of a genre: its own, or for one of the user's one by its name."""
    if name in NO_GENRES:
        return UNSURE_COLOUR
    colours = list(GENRE_COLOURS.values())
    return GENRE_COLOURS.get(name) or colours[_lot(name) % len(colours)]


def colours_of(names: Iterable[str]) -> dict[str, str]:
    """Return the colours of genres that are seen together, no two alike while there are enough.

    Genres of the user's own whose colours by name are taken get the next that is free.
    """
    names = list(names)
    found = {name: colour_of(name) for name in names if name in GENRE_COLOURS or name in NO_GENRES}
    colours = list(GENRE_COLOURS.values())
    for name in sorted(set(names) - found.keys()):
        start = _lot(name) % len(colours)
        order = colours[start:] + colours[:start]
        free = (colour for colour in order if colour not in found.values())
        found[name] = next(free, order[0])
    return {name: found[name] for name in names}


def _lot(name: str) -> int:
    """Return a number of a name, the same as the page's."""
    lot = 0
    for letter in name:
        lot = (lot * 31 + ord(letter)) % 997
    return lot
