"""Small pieces of text: safe names, clock times, error lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import typer

_JOINERS = "\u200c\u200d"  # without which a family of emoji falls apart


def printable(name: str) -> str:
    r"""Return a name in which nothing can move the cursor, break the line or fail to be encoded.

    Control characters and reversed writing become escapes; bytes of a file name that are not
    UTF-8 become ``\xff``; all else, emoji and wide spaces included, stays.

    Examples
    --------
    >>> printable("a\nb")
    'a\\nb'
    """
    if name and name.isprintable():
        return name
    return "".join(c if _is_harmless(c) else _escaped(c) for c in name) or "''"


def _is_harmless(c: str) -> bool:
    return c.isprintable() or c in _JOINERS or unicodedata.category(c) == "Zs"


def _escaped(c: str) -> str:
    if "\udc80" <= c <= "\udcff":  # a byte that Python smuggled through
        return f"\\x{ord(c) - 0xDC00:02x}"
    return c.encode("unicode_escape").decode("ascii")


def clock(seconds: float) -> str:
    """Return a time as ``m:ss`` or ``h:mm:ss``.

    Examples
    --------
    >>> clock(185.2), clock(3600)
    ('3:05', '1:00:00')
    """
    minutes, second = divmod(int(seconds + 0.5), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def lasting(seconds: float) -> str:
    """Return how long music lasts, in the unit that it is long in.

    Examples
    --------
    >>> lasting(41), lasting(2580), lasting(4_500_000)
    ('41 s', '43 min', '1,250.0 h')
    """
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3570 else f"{seconds / 3600:,.1f} h"


def weighing(n_bytes: int) -> str:
    """Return how much something takes on a disk.

    Examples
    --------
    >>> weighing(46_774), weighing(8_600_000)
    ('47 kB', '8.6 MB')
    """
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 95_000 else f"{n_bytes / 1e3:.0f} kB"


def count(n: int, what: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> count(1, "song"), count(1234, "song")
    ('1 song', '1,234 songs')
    """
    return f"{n:,} {what}{'s' * (n != 1)}"


def first_of(names: Sequence[str], most: int | None, all_told_by: str = "") -> list[str]:
    """Return the first names and, if there are others, how many and who tells them, if any does.

    Examples
    --------
    >>> first_of(["a", "b", "c", "d"], 2, "--json")
    ['a', 'b', 'and 2 more: --json names all']
    >>> first_of(["a", "b", "c"], 2, "--json")
    ['a', 'b', 'c']
    """
    if most is None or len(names) <= most + 1:  # a line that says "1 more" could be the name
        return list(names)
    told = f": {all_told_by} names all" if all_told_by else ""
    return [*names[:most], f"and {len(names) - most:,} more{told}"]


def complain(message: str) -> None:
    """Print one line on stderr, ``songprint:`` first."""
    typer.echo(f"songprint: {printable(message)}", err=True)
