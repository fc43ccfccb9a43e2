"""Written, dropped, tidied and cut short, in any order: no library is called damaged."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from songprint import Library
from songprint.library.guards import examine
from songprint.library.schema import read_path
from songprint.library.writer import TIDIED, Writer
from support.shelves import made_up_song, shelve

NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=4, unique=True)


class Cut(Exception):  # noqa: N818 (the end of the process, as far as the disk is concerned)
    pass


@contextmanager
def ten_minutes_later() -> Iterator[None]:
    with patch("songprint.library.writer.OLD_VERSIONS", timedelta(milliseconds=1)):
        yield


class Tidying(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = Path(self.folder.name) / "library"
        self.library = Library.open(self.place, create=True)
        self.songs: dict[str, str] = {}  # path to song

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(numbers=NUMBERS)
    def put(self, numbers: list[int]) -> None:
        songs = {f"/music/{number}.mp3": made_up_song(number) for number in numbers}
        shelve(self.library, dict(songs))
        self.songs |= {path: song.content_hash for path, song in songs.items()}

    @rule(numbers=NUMBERS)
    def drop(self, numbers: list[int]) -> None:
        paths = [f"/music/{number}.mp3" for number in numbers]
        with self.library.writing() as writer:
            writer.drop_files(paths)
            writer.drop_songs([made_up_song(number).content_hash for number in numbers])
        for path in paths:
            self.songs.pop(path, None)

    @rule(count=st.integers(1, 2), later=st.booleans())
    def tidy(self, count: int, later: bool) -> None:
        with self.library.writing() as writer:
            for _ in range(count):
                if later:
                    with ten_minutes_later():
                        writer.tidy()
                else:
                    writer.tidy()

    @rule(later=st.booleans(), numbers=NUMBERS)
    def die(self, later: bool, numbers: list[int]) -> None:
        """Be killed after tidying, before a guard is made or goes."""

        def die(_: Writer) -> None:
            raise Cut

        songs = {f"/music/{number}.mp3": made_up_song(number) for number in numbers}
        try:
            with patch.object(Writer, "flush", die), self.library.writing() as writer:
                if later:
                    with ten_minutes_later():
                        writer.tidy()
                else:
                    writer.tidy()
        except Cut:
            pass
        try:
            with patch.object(Writer, "flush", die):
                shelve(self.library, dict(songs))
        except Cut:
            self.songs |= {path: song.content_hash for path, song in songs.items()}

    @invariant()
    def holds_what_was_put(self) -> None:
        library = Library.open(self.place)
        rows = library.read("songs").to_pylist()
        assert {read_path(row["path"]): row["content_hash"] for row in rows} == self.songs
        assert {row.path: row.content_hash for row in library.files()} == self.songs
        assert examine(self.place, TIDIED).damages == []


TestTidying = Tidying.TestCase
TestTidying.settings = settings(max_examples=6, stateful_step_count=10, deadline=None)
