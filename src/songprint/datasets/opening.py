"""From what a person names to the data set that it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from songprint.datasets.core import Dataset
from songprint.datasets.fma import SUBSETS, find_table, open_fma
from songprint.datasets.folder import has_genres, open_folder
from songprint.datasets.gtzan import find_genres, open_gtzan
from songprint.datasets.table import open_table
from songprint.datasets.tags import open_tags
from songprint.errors import UsageError


def _open_fma_part(path: Path) -> Dataset:
    """Open ``PATH`` or ``PATH,subset``."""
    folder, comma, subset = str(path).rpartition(",")
    if comma and not path.exists() and subset.strip() in SUBSETS:
        return open_fma(Path(folder), subset.strip())
    return open_fma(path)


LOADERS: Mapping[str, Callable[[Path], Dataset]] = {
    "gtzan": open_gtzan,
    "fma": _open_fma_part,
    "folder": open_folder,
    "table": open_table,
    "tags": open_tags,
}
"""How each kind is opened."""

KINDS = {
    "gtzan": "GTZAN",
    "fma": "FMA",
    "folder": "one folder for each genre",
    "table": "a table of songs",
    "tags": "songs with tags",
}
"""What each kind is called."""


def open_dataset(spec: str, *, kind: str | None = None) -> Dataset:
    """Open a data set.

    Parameters
    ----------
    spec : str
        ``gtzan:PATH``, ``fma:PATH`` or ``fma:PATH,SUBSET``, ``folder:PATH``, ``table:FILE``,
        ``tags:PATH``; or a path alone, whose kind is told from what is there.
    kind : {"gtzan", "fma", "folder", "table", "tags"}, optional
        The kind; `spec` is then a path alone.

    Returns
    -------
    Dataset
        Its ``note`` says what was guessed.

    Raises
    ------
    UsageError
        If it is not there, or is none.
    """
    if kind is not None:
        if kind not in LOADERS:
            raise UsageError(f"{kind} is no kind of data set: {', '.join(LOADERS)} are")
        return LOADERS[kind](Path(spec))
    prefix, colon, rest = spec.partition(":")
    if colon and prefix in LOADERS and not Path(spec).exists():
        if not rest:
            raise UsageError(f"{spec}: the path is missing, as in {prefix}:PATH")
        return LOADERS[prefix](Path(rest))
    guessed = _guess(Path(spec))
    dataset = LOADERS[guessed](Path(spec))
    notes = [f"{spec}: taken for {KINDS[guessed]}", *filter(None, [dataset.note])]
    return replace(dataset, note=", ".join(notes))


def _guess(path: Path) -> str:
    if path.is_file():
        return "table"
    if not path.is_dir():
        raise UsageError(f"{path}: there is no such file or folder")
    if find_table(path):
        return "fma"
    if find_genres(path):
        return "gtzan"
    return "folder" if has_genres(path) else "tags"
