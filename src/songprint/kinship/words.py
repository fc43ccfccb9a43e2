"""Words for what songs sound like: from a wish, "calm piano, 90s", to songs, and back to names.

A word is a tag that the tagger knows, or one of :data:`SOUNDS`, which say something of descriptors.
Its *fit* to a song is how much more of it the song has than other songs, as a rank among those of
the reference: the tagger's own numbers are small and cannot be compared between tags.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songprint.descriptors.keys import SPELT, key_number, told_key
from songprint.genre.taxonomy import ALIASES

if TYPE_CHECKING:
    from songprint.kinship.reference import Reference
    from songprint.library.catalogue import Catalogue

Fits = NDArray[np.float64]
Mask = NDArray[np.bool_]

FITS = 0.6
"""A song that has more of a word than so many others, as a share, fits it."""

LIKELY_GENRE = 0.25
"""A song whose probability of a genre is lower does not fit that genre, whatever its rank."""

SAME_TEMPO = 0.04

MOST_NEAREST = 10
"""Songs that are named where none fits all of a wish."""

SOUNDS: dict[str, tuple[tuple[str, int], ...]] = {
    "loud": (("loudness_lufs", 1),),
    "quiet": (("loudness_lufs", -1),),
    "calm": (("loudness_lufs", -1), ("onset_rate_hz", -1), ("percussiveness", -1)),
    "energetic": (("loudness_lufs", 1), ("onset_rate_hz", 1), ("beat_strength", 1)),
    "fast": (("tempo_bpm", 1),),
    "slow": (("tempo_bpm", -1),),
    "busy": (("onset_rate_hz", 1),),
    "sparse": (("onset_rate_hz", -1),),
    "bright": (("brightness_hz", 1),),
    "dark": (("brightness_hz", -1),),
    "percussive": (("percussiveness", 1),),
    "sustained": (("percussiveness", -1),),
    "rough": (("roughness", 1),),
    "smooth": (("roughness", -1),),
    "dynamic": (("loudness_range_lu", 1),),
    "even": (("loudness_range_lu", -1),),
    "steady": (("pulse_clarity", 1),),
    "flowing": (("pulse_clarity", -1),),
    "swinging": (("swing", 1),),
    "danceable": (("beat_strength", 1), ("pulse_clarity", 1)),
    "wide": (("stereo_width", 1),),
}
"""What words say of descriptors: more (1) or less (-1) than usual; of several, the mean."""

SYNONYMS = {
    **ALIASES, "soft": "quiet", "silent": "quiet", "peaceful": "calm", "relaxed": "calm",
    "relaxing": "chill", "energy": "energetic", "lively": "energetic", "quick": "fast",
    "swing": "swinging", "groovy": "danceable", "rnb": "R&B", "r'n'b": "R&B", "vocals": "voice",
    "singing": "voice", "instrumental": "no voice", "electronica": "electronic", "choral": "choir",
    "drum": "drums", "string": "strings", "synths": "synth", "synthesizer": "synth",
    "melancholic": "sad", "cheerful": "happy", "warm": "dark", "1960s": "60s", "1970s": "70s",
    "1980s": "80s", "1990s": "90s", "2000s": "00s",
}  # fmt: skip

VOICES = ("female voice", "male voice", "choir")
NEGATIONS = ("no", "not", "without", "non")
FILLERS = frozenset({"and", "with", "the", "a", "an", "in", "of", "some", "music", "song", "songs"})

OPINIONS = ("genres", "eras", "moods", "styles", "instruments")
_TEMPO = re.compile(r"\b([1-9]\d{1,2}(?:\.\d+)?)\s*bpm\b", re.IGNORECASE)
_KEY = re.compile(rf"\b{SPELT}\s+(?:major|minor)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """A word of a wish.

    Attributes
    ----------
    kind : str
        ``sound``, ``voice``, ``tempo``, ``key``, or the field of a tag: ``genres``, ``moods`` …
    name : str
        The word; a tempo in BPM, a key.
    wanted : bool
        False for what shall not be heard.
    """

    kind: str
    name: str
    wanted: bool = True

    def __str__(self) -> str:
        name = f"{self.name} BPM" if self.kind == "tempo" else self.name
        return name if self.wanted else f"no {name}"


@dataclass(frozen=True)
class Wish:
    """What a person asked for.

    Attributes
    ----------
    terms : tuple of Term
        What is heard.
    text : str
        The other words: to be found in titles, artists, albums or paths.
    """

    terms: tuple[Term, ...]
    text: str


def understand(wish: str, catalogue: Catalogue) -> Wish:
    """Split a wish into words that can be heard and others.

    Parameters
    ----------
    wish : str
        Such as ``calm piano, 90s`` or ``fast techno without voice 130 bpm``.
    catalogue : Catalogue
        Whose tags are known.
    """
    terms = [Term("tempo", found.group(1)) for found in _TEMPO.finditer(wish)]
    terms += [Term("key", told_key(found.group())) for found in _KEY.finditer(wish)]
    words = re.findall(r"[^\s,;.!?\"]+", _KEY.sub(" ", _TEMPO.sub(" ", wish)))
    known = _known(catalogue)
    longest = max(len(name.split()) for name in known)
    rest: list[str] = []
    place = 0
    while place < len(words):
        for count in range(min(longest, len(words) - place), 0, -1):
            spelt = " ".join(words[place : place + count]).casefold()
            spelt = spelt.replace("'s", "s") if spelt[:1].isdigit() else spelt
            term = known.get(spelt) or known.get(SYNONYMS.get(spelt, spelt).casefold())
            if term is not None:
                wanted = not (rest and rest[-1].casefold() in NEGATIONS)
                if not wanted:
                    rest.pop()
                terms.append(Term(term.kind, term.name, wanted))
                place += count
                break
        else:
            rest.append(words[place])
            place += 1
    text = " ".join(word for word in rest if word.casefold() not in FILLERS)
    return Wish(tuple(dict.fromkeys(terms)), text)


def _known(catalogue: Catalogue) -> dict[str, Term]:
    known = {name: Term("sound", name) for name in SOUNDS} | {"voice": Term("voice", "voice")}
    for field in reversed(OPINIONS):
        for name in getattr(catalogue.vocabulary, field):
            known[name.casefold()] = Term(field, name)
    return known


def fit(term: Term, catalogue: Catalogue, reference: Reference) -> Fits:
    """Return how well songs fit a term, 0 to 1 [shape=(n,)]; NaN where that cannot be known."""
    found = _fit(term, catalogue, reference)
    return found if term.wanted else 1.0 - found


def _fit(term: Term, catalogue: Catalogue, reference: Reference) -> Fits:
    if term.kind == "tempo":
        octaves = np.abs(np.log2(catalogue.number("tempo_bpm") / float(term.name)))
        near: Fits = np.exp2(-octaves / np.log2(1 + SAME_TEMPO))
        return np.where(octaves <= np.log2(1 + SAME_TEMPO), np.maximum(near, FITS), near)
    if term.kind == "key":
        wanted = key_number(term.name)
        return np.where(catalogue.keys < 0, np.nan, np.where(catalogue.keys == wanted, 1.0, 0.0))
    if term.kind == "sound":
        return sound_fit(term.name, catalogue, reference)
    if term.kind == "voice":
        voices = [_tag_fit("instruments", name, catalogue, reference) for name in VOICES]
        return np.asarray(np.max(voices, axis=0))
    return _tag_fit(term.kind, term.name, catalogue, reference)


def sound_fit(word: str, catalogue: Catalogue, reference: Reference) -> Fits:
    """Return how well songs fit one of :data:`SOUNDS` [shape=(n,)]."""
    ranks = []
    for name, direction in SOUNDS[word]:
        rank = reference.rank(name, catalogue.number(name))
        ranks.append(rank if direction > 0 else 1.0 - rank)
    return np.asarray(np.mean(ranks, axis=0))


def _tag_fit(field: str, name: str, catalogue: Catalogue, reference: Reference) -> Fits:
    column = getattr(catalogue, field)[:, getattr(catalogue.vocabulary, field).index(name)]
    rank = reference.rank(f"{field}/{name}", column)
    if field == "genres":
        return np.where(column >= LIKELY_GENRE, np.maximum(rank, FITS), np.minimum(rank, FITS / 2))
    return np.asarray(rank)


def fits(terms: Sequence[Term], catalogue: Catalogue, reference: Reference) -> Fits:
    """Return how well songs fit all terms [shape=(n,)]: the geometric mean; 0 where one fails."""
    return _together(_of_each(terms, catalogue, reference))


def _together(each: Fits) -> Fits:
    """Return how well songs fit all terms from how well they fit each; of no term, they do."""
    if not len(each):
        return np.ones(each.shape[1])
    together: Fits = np.exp(np.log(np.maximum(each, 1e-9)).mean(axis=0))
    return np.where((each >= FITS).all(axis=0), together, 0.0)


def _of_each(terms: Sequence[Term], catalogue: Catalogue, reference: Reference) -> Fits:
    """Return how well songs fit each of some terms [shape=(len(terms), n)]; 0 where unknown."""
    each = [np.nan_to_num(fit(term, catalogue, reference)) for term in terms]
    return np.stack(each) if each else np.zeros((0, len(catalogue)))


@dataclass(frozen=True, eq=False)
class Finding:
    """Songs that fit a wish or, where none fits all of it, those that fit most of it.

    Attributes
    ----------
    fitting : int
        How many songs fit.
    rows : list of int
        The best of them, or those that are nearest to it, best first.
    fit : ndarray [shape=(n,)]
        How well each song fits; of the nearest, the mean over the words.
    words : tuple of str
        What was asked for: the terms, and the text as one.
    lacking : ndarray of bool [shape=(len(words), n)]
        Which words songs do not fit.
    remarks : list of str
        What a listener should know.
    """

    fitting: int
    rows: list[int]
    fit: Fits
    words: tuple[str, ...]
    lacking: Mask
    remarks: list[str]

    def lacks(self, row: int) -> list[str]:
        """Return the words that a song does not fit."""
        lacking = self.lacking[:, row].tolist()
        return [word for word, lacks in zip(self.words, lacking, strict=True) if lacks]


def find(
    wish: Wish,
    catalogue: Catalogue,
    reference: Reference,
    count: int,
    *,
    named: Mask | None = None,
    among: Mask | None = None,
) -> Finding:
    """Find the songs that fit a wish best.

    Parameters
    ----------
    wish : Wish
        Of :func:`understand`.
    catalogue : Catalogue
        n songs.
    reference : Reference
        What is usual.
    count : int
        How many songs are wanted; of the nearest, :data:`MOST_NEAREST` are named at most.
    named : ndarray of bool [shape=(n,)], optional
        Which songs have the wish's text in their names; needed if it has any.
    among : ndarray of bool [shape=(n,)], optional
        Which songs may be found; all by default.
    """
    each = _of_each(wish.terms, catalogue, reference)
    fit = _together(each)
    words = tuple(map(str, wish.terms))
    remarks = []
    if wish.text and named is not None:
        words += (wish.text,)
        if not named.any():
            remarks.append(f'no song has "{wish.text}" in its title, artist, album or path')
        fit = np.where(named, fit, 0.0)
        each = np.vstack([each, named])
    lacking = each < FITS
    allowed = np.ones(len(catalogue), bool) if among is None else among
    fit = np.where(allowed, fit, 0.0)
    fitting = int((fit > 0).sum())
    if not fitting and words:
        fit = np.where(allowed & ~lacking.all(axis=0), each.mean(axis=0), 0.0)
        count = min(count, MOST_NEAREST)
    rows = _best_rows(fit, count)
    if rows and not fitting:
        remarks.append("no song fits all of this; the nearest are")
    elif not rows and not remarks:
        remarks.append("no song fits any of this")
    return Finding(fitting, rows, fit, words, lacking, remarks)


def _best_rows(fit: Fits, count: int) -> list[int]:
    """Return the songs that fit best, equal ones by row; none that does not fit at all."""
    rows = np.flatnonzero(fit > 0)
    if count < len(rows):  # to sort a hundred thousand takes a third of all the time
        worst = np.partition(fit[rows], -count)[-count]
        rows = rows[fit[rows] >= worst]
    order = rows[np.argsort(-fit[rows], kind="stable")][:count]
    return [int(row) for row in order]


def shared_words(catalogue: Catalogue, reference: Reference) -> list[str]:
    """Name what the songs of a catalogue share, at most four words, as one would say them.

    Such as ``["slow", "dark", "classical", "piano"]``: up to two sounds, a genre or style, an
    instrument or mood. Only what most of the songs fit is said.
    """
    sounds = _commonest([Term("sound", word) for word in SOUNDS], catalogue, reference)
    kind = _main_genre(catalogue) or _best("styles", catalogue, reference)
    colour = _best("instruments", catalogue, reference) or _best("moods", catalogue, reference)
    return [word for word in (*_compatible(sounds)[:2], kind, colour) if word]


def _compatible(sounds: list[str]) -> list[str]:
    """Drop words that say again what one before says."""
    kept: list[str] = []
    told: set[str] = set()
    for word in sounds:
        names = {name for name, _ in SOUNDS[word]}
        if not names & told:
            kept.append(word)
            told |= names
    return kept


def _commonest(terms: list[Term], catalogue: Catalogue, reference: Reference) -> list[str]:
    """Return the terms that three songs in four fit, those that set them apart most first."""
    found = []
    for term in terms:
        each = np.nan_to_num(fit(term, catalogue, reference))
        if np.mean(each >= FITS) >= 0.75:
            found.append((-float(each.mean()), term.name))
    return [name for _, name in sorted(found)]


def _best(field: str, catalogue: Catalogue, reference: Reference) -> str | None:
    names = [name for name in getattr(catalogue.vocabulary, field) if not name.startswith("no ")]
    found = _commonest([Term(field, name) for name in names], catalogue, reference)
    return found[0] if found else None


def _main_genre(catalogue: Catalogue) -> str | None:
    """Return the genre that most songs have, if that is a clear half."""
    likeliest = catalogue.genres.argmax(axis=1)[~catalogue.unsure]
    counts = np.bincount(likeliest, minlength=len(catalogue.vocabulary.genres))
    best = int(counts.argmax())
    return catalogue.vocabulary.genres[best] if 2 * counts[best] > len(catalogue) else None
