"""Writing tags: what is wished, what files then say."""

from __future__ import annotations

from pathlib import Path

from songprint import Library
from songprint.library.tagfields import FIELDS, FileTags
from songprint.library.tagging import Tagged, TagWishes, tag_files

ALL = TagWishes(FIELDS)
TEXTS = {"genre": ["Reggae"], "bpm": ["118"], "key": ["Am"], "mood": ["Happy"]}
"""What small songs get."""


def texts(path: Path) -> dict[str, list[str]]:
    return {field: FileTags(path).get(field) for field in FIELDS}


def write(library: Library, wishes: TagWishes = ALL, *places: Path) -> Tagged:
    return tag_files(library, wishes, [str(place) for place in places], write=True)
