"""FMA: clips and songs of the Free Music Archive, with their artists and an official split [1]_.

``fma_metadata/tracks.csv`` has a header of two rows, group above column, and a third with the name
of the index. A track's ``set.subset`` is the smallest that holds it: ``small`` is part of
``medium``, which is part of ``large``; ``full`` is ``large`` untrimmed.

References
----------
.. [1] M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson, "FMA: a dataset for music analysis",
       ISMIR 2017, https://github.com/mdeff/fma.
.. [2] https://github.com/mdeff/fma/issues/8 and /issues/44: lengths that were wrong when the clips
       were cut.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from songprint.datasets.core import About, Dataset, LeftOut, Split, Track, require_folder
from songprint.errors import UsageError
from songprint.genre.taxonomy import canonical_genre

SUBSETS = ("small", "medium", "large", "full")

ABOUT = About(
    title="FMA: a dataset for music analysis",
    licence="metadata CC BY 4.0; each song under the Creative Commons licence of its artist",
    citation=(
        "M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson, "
        "“FMA: a dataset for music analysis”, ISMIR 2017"
    ),
    where=(
        "FMA is fma_metadata.zip and fma_small.zip (or medium, large, full) of "
        "https://github.com/mdeff/fma, unpacked side by side."
    ),
    checksums={
        "fma_metadata.zip": "sha1:f0df49ffe5f2a6008d7dc83c6915b31835dfe733",
        "fma_small.zip": "sha1:ade154f733639d52e35e32f5593efe5be76c6d70",
        "fma_medium.zip": "sha1:c67b69ea232021025fca9231fc1c7c1a063ab50b",
        "fma_large.zip": "sha1:497109f4dd721066b5ce5e5f250ec604dc78939e",
        "fma_full.zip": "sha1:0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab",
    },
)

EMPTY = "is known to hold no audio: it was cut behind the song's end"
STUB = "is known to hold less than 2 s of audio: it was cut at the song's end"
NO_GENRE = "has no top genre: it belongs to several"

BAD_CLIPS = {
    # The three of fma_small that cannot be decoded, and the three of it that are all but empty.
    **dict.fromkeys((99134, 108925, 133297), EMPTY),
    **dict.fromkeys((98565, 98567, 98569), STUB),
    # Those of fma_medium and fma_large besides.
    **dict.fromkeys((1486, 5574, 65753, 80391, 98558, 98559, 98560, 98571), EMPTY),
    **dict.fromkeys((105247, 126981, 127336, 143992), EMPTY),
}
"""Track ids whose clips are useless [2]_, and why; the untrimmed songs of ``full`` are whole."""

_SPLITS: Mapping[str, Split] = {"training": "train", "validation": "valid", "test": "test"}
_COLUMNS = (
    ("set", "split"),
    ("set", "subset"),
    ("track", "genre_top"),
    ("artist", "id"),
    ("album", "id"),
)
_LONGEST_FIELD = 1 << 24  # biographies of artists, in HTML


def open_fma(path: Path, subset: str | None = None) -> Dataset:
    """Open FMA.

    Parameters
    ----------
    path : Path
        The folder of ``fma_metadata`` and of ``fma_small`` or its like.
    subset : {"small", "medium", "large", "full"}, optional
        Which tracks; those of the smallest folder that is there by default.

    Raises
    ------
    UsageError
        If it, or the wanted part of it, is not there.
    """
    require_folder(path, "FMA", ABOUT.where)
    if subset is not None and subset not in SUBSETS:
        raise UsageError(f"FMA has no subset {subset}, but {', '.join(SUBSETS)}")
    table = find_table(path)
    if table is None:
        raise UsageError(f"{path}: fma_metadata/tracks.csv is not here. {ABOUT.where}")
    # The clips of a subset lie in the folders of all that are larger, too.
    wanted = SUBSETS[SUBSETS.index(subset) :] if subset else SUBSETS
    present = next((name for name in wanted if (path / f"fma_{name}").is_dir()), None)
    if present is None:
        folder = f"fma_{subset or SUBSETS[0]}"
        raise UsageError(f"{path}: the folder {folder} is not here. {ABOUT.where}")
    audio = path / f"fma_{present}"
    note = None if subset else f"subset {present}, since {audio.name} is here"
    return Dataset("fma", path, ABOUT, partial(_entries, table, audio, subset or present), note)


def find_table(path: Path) -> Path | None:
    """Return the table of tracks, if there is one."""
    places = (path / "fma_metadata" / "tracks.csv", path / "tracks.csv")
    return next((table for table in places if table.is_file()), None)


def _entries(table: Path, audio: Path, subset: str) -> Iterator[Track | LeftOut]:
    clips = audio.name != "fma_full"
    for number, split, genre, artist in _read(table, subset):
        name = f"{number:06d}"
        path = audio / name[:3] / f"{name}.mp3"
        if clips and number in BAD_CLIPS:
            yield LeftOut(name, BAD_CLIPS[number], split, expected=True)
        elif not genre:
            yield LeftOut(name, NO_GENRE, split, expected=True)
        elif not path.is_file():
            yield LeftOut(name, f"is not in {audio.name}", split)
        else:
            yield Track(name, path, (canonical_genre(genre),), artist, split)


_Row = tuple[int, Split, str, str | None]


def _read(table: Path, subset: str) -> list[_Row]:
    """Return id, split, genre and artist of the tracks of a subset."""
    usual = csv.field_size_limit(_LONGEST_FIELD)
    try:
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            columns = _find_columns(table, next(reader, []), next(reader, []))
            next(reader, None)  # the name of the index
            parsed = (_parse(table, reader.line_num, row, columns) for row in reader if row)
            smaller = SUBSETS[: SUBSETS.index(subset) + 1]
            return [row for of, row in parsed if of in smaller]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{table}: cannot be read: {error}. {ABOUT.where}") from error
    finally:
        csv.field_size_limit(usual)


def _find_columns(table: Path, groups: Sequence[str], names: Sequence[str]) -> list[int]:
    header = list(zip(groups, names, strict=False))
    missing = [".".join(column) for column in _COLUMNS if column not in header]
    if missing:
        raise UsageError(f"{table}: not FMA's table, {', '.join(missing)} missing. {ABOUT.where}")
    return [header.index(column) for column in _COLUMNS]


def _parse(table: Path, line: int, row: Sequence[str], columns: Sequence[int]) -> tuple[str, _Row]:
    """Return the subset of a row and what is kept of it."""
    try:
        split, subset, genre, artist, album = (row[column].strip() for column in columns)
        # Tracks without an artist share their sound with their album at least.
        group = artist or (f"album {album}" if album else None)
        return subset, (int(row[0]), _SPLITS[split], genre, group)
    except (ValueError, KeyError, IndexError) as error:
        raise UsageError(f"{table}: line {line} is damaged. {ABOUT.where}") from error
