"""What keys are called: told as musicians and other programs spell them, kept with sharps.

A key is a number: 0 to 11 for C to B major, 12 to 23 for minor. Where a tonic is kept as text, in
tables and in JSON, it is one of :data:`TONICS`, whatever the mode, so that a pitch class has one
name.
"""

from __future__ import annotations

import re

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
"""The pitch classes from C up, as they are kept."""

_MAJOR = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
_SHIFTS = {"#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}

SPELT = r"[A-G](?:[#b♯♭]|[ -](?:sharp|flat))?"
"""A tonic as people write it: F#, B♭, E flat."""

_NAME = re.compile(rf"({SPELT})(?:(m)| (major|minor))?", re.IGNORECASE)


def key_name(key: int) -> str | None:
    """Return what people call a key; None for -1, which is none.

    Examples
    --------
    >>> key_name(10), key_name(22), key_name(13), key_name(-1)
    ('Bb major', 'Bb minor', 'C# minor', None)
    """
    if key < 0:
        return None
    return f"{_MINOR[key - 12]} minor" if key >= 12 else f"{_MAJOR[key]} major"


def short_key_name(key: int) -> str | None:
    """Return a key as DJs' programs and tags spell it.

    Examples
    --------
    >>> short_key_name(10), short_key_name(22)
    ('Bb', 'Bbm')
    """
    name = key_name(key)
    return name and name.replace(" major", "").replace(" minor", "m")


def key_number(name: str) -> int | None:
    """Return the number of a key, however it is spelt; None if it is none.

    Examples
    --------
    >>> key_number("Bb minor"), key_number("A# minor"), key_number("B♭m")
    (22, 22, 22)
    >>> key_number("C flat major"), key_number("H")
    (11, None)
    """
    found = _NAME.fullmatch(" ".join(name.split()))
    if found is None:
        return None
    tonic, m, mode = found.groups()
    shift = _SHIFTS.get(tonic[1:].strip(" -").casefold(), 0)
    pitch = (TONICS.index(tonic[0].upper()) + shift) % 12
    return pitch + 12 * bool(m or (mode or "").casefold() == "minor")


def told_key(name: str) -> str:
    """Return a key, however it is spelt, as people call it; what is no key as it is.

    Examples
    --------
    >>> told_key("A# minor"), told_key("Gb major")
    ('Bb minor', 'F# major')
    """
    key = key_number(name)
    return name if key is None else key_name(key) or name
