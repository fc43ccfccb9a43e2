"""GTZAN: a thousand clips of 30 s in ten genres [1]_, by its fault-filtered split.

The split [3]_ leaves out the repetitions, distortions and mislabellings that Sturm [2]_ found, and
no artist is on two sides of it. The names of the artists are not part of the data set.

References
----------
.. [1] G. Tzanetakis, P. Cook, "Musical genre classification of audio signals", IEEE Transactions
       on Speech and Audio Processing, 2002.
.. [2] B. L. Sturm, "The GTZAN dataset: its contents, its faults, their effects on evaluation, and
       its future use", arXiv:1306.1461, 2013.
.. [3] C. Kereliuk, B. L. Sturm, J. Larsen, "Deep learning and music adversaries", IEEE
       Transactions on Multimedia, 2015.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import resources
from pathlib import Path

from songprint.datasets.core import (
    SPLITS,
    About,
    Dataset,
    LeftOut,
    Split,
    Track,
    is_audio,
    list_folder,
    require_folder,
)
from songprint.errors import UsageError
from songprint.genre.taxonomy import canonical_genre

GENRES = (
    "blues",
    "classical",
    "country",
    "disco",
    "hiphop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
)
"""Its ten genres, as its folders are called."""

LAYOUTS = ("", "genres", "genres_original", "Data/genres_original")
"""Where copies of it keep their ten folders."""

ABOUT = About(
    title="GTZAN genre collection",
    licence="none stated; the recordings are commercial: for research only",
    citation=(
        "G. Tzanetakis, P. Cook, “Musical genre classification of audio signals”, 2002; split: "
        "C. Kereliuk, B. L. Sturm, J. Larsen, “Deep learning and music adversaries”, 2015"
    ),
    where=(
        "GTZAN is genres.tar.gz of http://marsyas.info/downloads/datasets.html; copies with a "
        "folder genres_original serve as well."
    ),
    splits={"train": 443, "valid": 197, "test": 290},
    # As mirdata publishes it.
    checksums={"genres.tar.gz": "md5:5b3d6dddb579ab49814ab86dba69e7c7"},
)

BAD_CLIPS = {"jazz.00054": "is known to be corrupt: in most copies it cannot be decoded"}
"""Clips of the split that are left out, and why."""

ABSENT = "is not in this copy of GTZAN"


def open_gtzan(path: Path) -> Dataset:
    """Open GTZAN.

    Parameters
    ----------
    path : Path
        The folder of its ten genre folders, or the one above.

    Raises
    ------
    UsageError
        If it is not there.
    """
    require_folder(path, "GTZAN", ABOUT.where)
    root = find_genres(path)
    if root is None:
        folders = f"{GENRES[0]} to {GENRES[-1]}"
        raise UsageError(f"{path}: GTZAN's folders {folders} are not here. {ABOUT.where}")
    return Dataset("gtzan", root, ABOUT, partial(_entries, root))


def find_genres(path: Path) -> Path | None:
    """Return the folder with clips in GTZAN's folders and by GTZAN's names, if there is one."""
    for layout in LAYOUTS:
        root = path / layout
        if any(next((root / genre).glob(f"{genre}.?????.*"), None) for genre in GENRES):
            return root
    return None


def read_split(split: Split) -> list[str]:
    """Return the names of the clips of a part of the split, such as ``blues.00012``."""
    file = resources.files("songprint.datasets") / "splits" / f"gtzan_{split}.txt"
    return file.read_text(encoding="ascii").split()


def _entries(root: Path) -> Iterator[Track | LeftOut]:
    present = {
        file.stem: file
        for genre in GENRES
        if (root / genre).is_dir()
        for file in list_folder(root / genre)
        if is_audio(file)
    }
    for split in SPLITS:
        for clip in read_split(split):
            if clip in BAD_CLIPS:
                yield LeftOut(clip, BAD_CLIPS[clip], split, expected=True)
            elif clip in present:
                labels = (canonical_genre(clip.partition(".")[0]),)
                yield Track(clip, present[clip], labels, split=split)
            else:
                yield LeftOut(clip, ABSENT, split)
