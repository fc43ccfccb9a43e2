"""One colour for each genre, in the terminal, in figures and on the page (``colours.js``).

The twelve were searched by simulated annealing, near to the hues that the page had, for the
greatest least distance between any two as people see them and as people do who lack the cones for
long, middle or short waves (Machado et al. 2009 [1]_): 29, and 22, 22 and 19 in CIELAB, where Okabe
and Ito's seven have 26, 21, 17 and 16. They stand out from white and from the page's dark ground.

References
----------
.. [1] G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, "A physiologically-based model for
       simulation of color vision deficiency", IEEE TVCG 15(6), 2009.
"""

from __future__ import annotations

from collections.abc import Iterable

GENRE_COLOURS = {
    "blues": "#0c82bb",
    "classical": "#cfa251",
    "country": "#b2684a",
    "disco": "#b26eff",
    "electronic": "#00c4ee",
    "hip-hop": "#1448e0",
    "jazz": "#f09c01",
    "metal": "#755453",
    "pop": "#a5187e",
    "reggae": "#81c28a",
    "rock": "#c32e01",
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
