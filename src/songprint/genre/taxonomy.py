"""The names that songprint gives: genres, decades, moods, styles; and what measured them."""

from __future__ import annotations

GENRES = (
    "blues",
    "classical",
    "country",
    "disco",
    "electronic",
    "hip-hop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
)
"""The ten of GTZAN and "electronic", which GTZAN lacks."""

NOT_MUSIC = "not music"
"""The head's class for speech, noise, tones and silence; never reported as a genre."""

ALIASES = {"hiphop": "hip-hop", "hip hop": "hip-hop", "rap": "hip-hop", "techno": "electronic"}
"""Other spellings that data sets and tags use."""

ERAS = ("60s", "70s", "80s", "90s", "00s")
"""Decades, taught by the MSD tagger's tags; never measured on labels."""

MOODS = ("happy", "sad", "mellow", "chill", "party", "sexy", "beautiful", "catchy")
"""Moods, taught by the MSD tagger's tags; never measured on labels."""


STYLES = {
    "folk": "msd/folk",
    "ambient": "msd/ambient",
    "soul": "msd/soul",
    "R&B": "msd/rnb",
    "punk": "msd/punk",
    "funk": "msd/funk",
    "house": "msd/house",
    "techno": "mtt/techno",
    "indie": "msd/indie",
    "alternative": "msd/alternative",
    "classic rock": "msd/classic rock",
    "hard rock": "msd/hard rock",
    "progressive rock": "msd/progressive rock",
    "easy listening": "msd/easy listening",
    "experimental": "msd/experimental",
    "new age": "mtt/new age",
    "opera": "mtt/opera",
}
"""Styles beside the genres, and the tag that taught each; never measured on labels.

They are no classes of the head: the labels at hand for them are guesses from titles, or none.
"""

INSTRUMENTS = {
    name: f"mtt/{name}"
    for name in (
        "guitar", "piano", "strings", "violin", "cello", "flute", "harp", "harpsichord", "sitar",
        "synth", "drums", "choir", "female voice", "male voice", "no voice",
    )
}  # fmt: skip
"""Instruments and voices, and the tag that taught each; never measured on labels."""


def canonical_genre(name: str) -> str:
    """Return the taxonomy's spelling of a genre, or the name in lower case if it has none."""
    lower = " ".join(name.lower().split())
    return ALIASES.get(lower, lower)
