"""What a gallery says in words and tables, whatever it is written as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from songprint.views.effects import Contrast
from songprint.views.gallery import Compared, Gallery, Genre, Member
from songprint.views.genres import count_songs, origin_note
from songprint.views.numbers import Number
from songprint.views.style import signed

MARKS = 3
"""The most descriptors that are told of what marks a genre."""

CLEAR_DELTA = 0.3
"""Less than this is told of no genre: it exceeds a song of the rest in fewer than 65 of 100."""

READING = (
    "η² is the share of the ranks' variance that the genre explains (Kruskal-Wallis): about 0 by "
    "chance, 0.75 where two genres do not overlap, nearly 1 where many do not. p is adjusted for "
    "the number of descriptors (Holm). δ is Cliff's delta of the two genres that differ most "
    "surely: 1 where every song of the one has more than every song of the other, 0 where neither "
    "tends to; its 95 % interval is widened for the number of pairs among which they were sought. "
    "Songs are taken for independent: where many are by one artist, p is too small and the "
    "intervals are too narrow."
)

OWN_OPINION = (
    "Here songprint itself sorted the songs, by their sound: that the genres differ in it is "
    "partly its own doing."
)


@dataclass(frozen=True)
class Table:
    """A table for people.

    Attributes
    ----------
    title : str
        What it tells.
    header : tuple of str
        Of the columns.
    rows : tuple of tuple of str
        As many cells each as the header has.
    words : frozenset of int
        The columns that are text rather than numbers.
    note : str
        What is said below it.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0})
    note: str = ""


@dataclass(frozen=True)
class Page:
    """All that a gallery says, whatever it is written as.

    Attributes
    ----------
    title : str
        Of the page.
    summary : tuple of str
        Paragraphs before all else.
    figures : mapping of str to (str, str)
        File name of each figure, and its title and description.
    tables : tuple of Table
        In order.
    """

    title: str
    summary: tuple[str, ...]
    figures: Mapping[str, tuple[str, str]]
    tables: tuple[Table, ...]


def make_page(
    gallery: Gallery,
    compared: Sequence[Compared],
    chosen: Mapping[str, Member],
    figures: Mapping[str, tuple[str, str]],
) -> Page:
    """Put a gallery in words.

    Parameters
    ----------
    gallery : Gallery
        The genres.
    compared : sequence of Compared
        Their differences; the greatest first.
    chosen : mapping of str to Member
        The song that stands for each genre.
    figures : mapping of str to (str, str)
        File name of each figure, and its title and description.
    """
    known = [item for item in compared if item.known]
    genres = "1 genre" if len(gallery.genres) == 1 else f"{len(gallery.genres)} genres"
    count = f"{count_songs(gallery.songs)}, {genres}."
    summary = [f"{count} {origin_note(gallery)}", *(f"{note}." for note in gallery.notes)]
    tables = [_genre_table(gallery, chosen)]
    if len(gallery.genres) > 1:
        tables += [_marks_table(gallery, known), _effect_table(gallery, known)]
    tables.append(_spread_table(gallery, known))
    return Page(f"Genres of {gallery.title}", tuple(summary), figures, tuple(tables))


def _genre_table(gallery: Gallery, chosen: Mapping[str, Member]) -> Table:
    rows = [
        (
            genre.name,
            str(len(genre.members)),
            "" if genre.artists is None else str(genre.artists),
            _share(_tempo_is_sure(genre)),
            _share(_minor_keys(genre)),
            chosen[genre.name].path,
        )
        for genre in gallery.genres
    ]
    header = ("genre", "songs", "artists", "tempo is sure", "minor, of sure keys", "drawn song")
    note = "Drawn is the song nearest to the mean of its genre's embeddings."
    return Table("The genres", header, tuple(rows), frozenset({0, 5}), note)


def _tempo_is_sure(genre: Genre) -> list[bool]:
    return [m.fingerprint.descriptors.beat.tempo_bpm is not None for m in genre.members]


def _minor_keys(genre: Genre) -> list[bool]:
    modes = [m.fingerprint.descriptors.tonality.mode for m in genre.members]
    return [mode == "minor" for mode in modes if mode is not None]


def _share(of: list[bool]) -> str:
    return f"{sum(of)} of {len(of)}" if of else ""


def _marks_table(gallery: Gallery, compared: Sequence[Compared]) -> Table:
    rows = []
    for genre in gallery.genres:
        contrasts = [(c.number, c.to_rest[genre.name]) for c in compared if genre.name in c.to_rest]
        clear = [(n, c) for n, c in contrasts if c.delta >= CLEAR_DELTA and c.low > 0]
        clear.sort(key=lambda entry: -entry[1].delta)
        told = "; ".join(_mark(n, c, genre.name) for n, c in clear[:MARKS])
        rows.append((genre.name, told or "nothing clear"))
    note = (
        "Against the songs of all other genres together, by Cliff's delta; told if at "
        f"least {CLEAR_DELTA} and its interval, widened for all that is compared, excludes 0."
    )
    return Table(
        "What marks each genre", ("genre", "against the rest"), tuple(rows), frozenset({0, 1}), note
    )


def _mark(number: Number, contrast: Contrast, genre: str) -> str:
    word = "higher" if contrast.more == genre else "lower"
    return f"{number.title} {word} (δ {contrast.delta:.2f})"


def _effect_table(gallery: Gallery, compared: Sequence[Compared]) -> Table:
    rows = []
    for item in compared:
        effect = item.effect
        if effect is None:
            rows.append((item.number.label, *[""] * 6))
            continue
        far = effect.furthest
        rows.append(
            (
                item.number.label,
                str(effect.songs),
                signed(effect.eta_squared, 2),
                _p_words(item.p_adjusted),
                f"{far.more} > {far.less}",
                f"{far.delta:.2f}",
                f"{signed(far.low, 2)} to {signed(far.high, 2)}",
            )
        )
    header = ("descriptor", "songs", "η²", "p", "differ most surely", "δ", "interval")
    title = "In what the genres differ"
    note = READING if gallery.labelled else f"{READING} {OWN_OPINION}"
    return Table(title, header, tuple(rows), frozenset({0, 4}), note)


def _p_words(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _spread_table(gallery: Gallery, compared: Sequence[Compared]) -> Table:
    rows = []
    for item in compared:
        cells = []
        for genre in gallery.genres:
            spread = item.spreads[genre.name]
            if spread.songs == 0:
                cells.append("")
                continue
            low, median, high = (
                signed(value, item.number.places)
                for value in (spread.low, spread.median, spread.high)
            )
            cells.append(f"{median} ({low} to {high})")
        rows.append((item.number.label, *cells))
    header = ("descriptor", *(genre.name for genre in gallery.genres))
    note = "Median, and the quartiles in brackets, of the songs in which it could be told."
    return Table("Descriptors by genre", header, tuple(rows), frozenset({0}), note)
