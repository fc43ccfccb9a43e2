"""What ``songprint classify`` prints for people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.text import Text

from songprint.cli.text import clock, printable
from songprint.cli.timeline import draw_timeline, genre_style
from songprint.descriptors.keys import told_key

if TYPE_CHECKING:
    from songprint.cli.hearing import Heard
    from songprint.descriptors.core import Descriptors
    from songprint.descriptors.timbre import Timbre
    from songprint.fingerprints import Doubt, Fingerprint, Probability

NOTABLE_ERA = 0.08
NOTABLE_MOOD = 0.1
"""The least probabilities that are told; the tagger spreads its own over fifty tags."""

DARK_HZ, BRIGHT_HZ = 800.0, 2000.0
PERCUSSIVE = 0.32
SMOOTH, ROUGH = 0.55, 1.1
"""About one song in seven of a mixed library lies beyond each of these, and is told so."""

MAX_BAR_COLUMNS = 40
EIGHTHS = " ▏▎▍▌▋▊▉█"
DOUBTS: dict[Doubt, str] = {
    "silence": "unsure: it is silent; the best guesses:",
    "not music": "unsure: it is probably not music; the best guesses if it is:",
    "no genre": "unsure: no genre is likely enough; the best guesses:",
}


class PeopleReport:
    """Prints a block of lines for each song as it comes.

    Parameters
    ----------
    top : int
        How many genres are shown.
    timeline : bool
        Whether the timeline is drawn.
    """

    def __init__(self, *, top: int, timeline: bool) -> None:
        self._top = top
        self._timeline = timeline
        self._console = Console(highlight=False)
        self._first = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def add(self, heard: Heard) -> None:
        """Print one song; a failed one is left to stderr."""
        if heard.fingerprint is None:
            return
        if not self._first:
            self._console.print()
        self._first = False
        for line in song_lines(
            heard.path,
            heard.fingerprint,
            top=self._top,
            timeline=self._timeline,
            console=self._console,
        ):
            if self._console.is_terminal:
                self._console.print(line, overflow="fold")
            else:  # into a pipe a name goes whole, on one line
                self._console.print(line, soft_wrap=True)


def song_lines(
    path: str, fingerprint: Fingerprint, *, top: int, timeline: bool, console: Console
) -> Iterator[Text]:
    """Yield the lines that tell of one song.

    Parameters
    ----------
    path
        The file, as it was named.
    fingerprint
        What was heard.
    top
        How many genres are shown.
    timeline
        Whether the timeline is drawn.
    console
        Where it will be printed: its width and its characters.
    """
    yield _title(path, fingerprint.seconds)
    if fingerprint.doubt is not None:
        yield Text(f"  {DOUBTS[fingerprint.doubt]}", style="yellow")
    yield from _genre_lines(fingerprint, top, console)
    opinion = _opinion(fingerprint)
    if opinion:
        yield Text(f"  {opinion}")
    sound = describe_sound(fingerprint.descriptors, " · " if speaks_unicode(console) else ", ")
    if sound:
        yield Text(f"  {sound}")
    if timeline:
        yield from draw_timeline(
            fingerprint.timeline,
            columns=console.width - 4,
            colour=console.color_system in {"256", "truecolor"} and not console.no_color,
            unicode=speaks_unicode(console),
        )


def speaks_unicode(console: Console) -> bool:
    """Tell whether blocks can be drawn."""
    return console.encoding.lower().startswith("utf")


def _title(path: str, seconds: float) -> Text:
    folder, name = os.path.split(path)
    before = os.path.join(folder, "") if folder else ""  # noqa: PTH118
    return Text.assemble(
        (printable(before) if before else "", "dim"),
        (printable(name), "bold"),
        f"  {clock(seconds)}",
    )


def _genre_lines(fingerprint: Fingerprint, top: int, console: Console) -> Iterator[Text]:
    label_columns = max(len(genre.name) for genre in fingerprint.genres)
    bar_columns = max(4, min(MAX_BAR_COLUMNS, console.width - label_columns - 10))
    for genre in fingerprint.genres[:top]:
        bar = draw_bar(genre.p, bar_columns, speaks_unicode(console))
        style = genre_style(genre.name) + (" dim" if fingerprint.unsure else "")
        yield Text.assemble(
            (f"  {genre.name:<{label_columns}} ", "dim" if fingerprint.unsure else ""),
            (f" {bar:<{bar_columns}}", style),
            f" {_percent(genre.p):>4}",
        )


def draw_bar(p: float, columns: int, unicode: bool) -> str:
    """Return a bar that fills a share of some columns."""
    eighths = round(min(max(p, 0.0), 1.0) * columns * 8)
    if not unicode:
        return "#" * round(eighths / 8)
    full, rest = divmod(eighths, 8)
    return EIGHTHS[-1] * full + (EIGHTHS[rest] if rest else "")


def _percent(p: float) -> str:
    if 0 < p < 0.005:
        return "<1%"
    return f"{100 * p:.0f}%"


def _opinion(fingerprint: Fingerprint) -> str:
    eras = [era for era in fingerprint.era[:1] if era.p >= NOTABLE_ERA]
    moods = [mood for mood in fingerprint.moods if mood.p >= NOTABLE_MOOD]
    separator = "; "
    return separator.join(_listed(items) for items in (eras, moods) if items)


def describe_sound(descriptors: Descriptors, separator: str) -> str:
    """Put the descriptors in words: tempo, key, loudness, and what stands out in the timbre.

    Parameters
    ----------
    descriptors
        What was measured; where it is unsure, nothing is said.
    separator
        Goes between two statements.
    """
    beat, tonality = descriptors.beat, descriptors.tonality
    loudness_lufs = descriptors.intensity.loudness_lufs
    said = []
    if beat.tempo_bpm is not None:
        said.append(f"{beat.tempo_bpm:.0f} BPM")
    if tonality.key is not None:
        said.append(told_key(f"{tonality.key} {tonality.mode}"))
    if loudness_lufs is not None:
        said.append(f"{loudness_lufs:.1f} LUFS")
        said += _timbre_words(descriptors.timbre)
    return separator.join(said)


def _timbre_words(timbre: Timbre) -> Iterator[str]:
    if timbre.brightness_hz < DARK_HZ:
        yield "dark"
    elif timbre.brightness_hz > BRIGHT_HZ:
        yield "bright"
    if timbre.percussiveness > PERCUSSIVE:
        yield "percussive"
    if timbre.roughness < SMOOTH:
        yield "smooth"
    elif timbre.roughness > ROUGH:
        yield "rough"


def _listed(items: list[Probability]) -> str:
    return ", ".join(f"{item.name} {_percent(item.p)}" for item in items)
