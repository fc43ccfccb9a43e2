from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from songprint.library.schema import heard_words, read_path, written_path
from support.madeup import made_up

PATHS = st.binary(min_size=1).map(lambda name: os.fsdecode(b"/" + name.replace(b"\0", b"x")))


@given(PATHS)
def test_any_path_is_written_as_utf8_and_read_back(path: str) -> None:
    written = written_path(path)
    assert written.encode()
    assert read_path(written) == path


@given(PATHS, PATHS)
def test_two_paths_are_never_written_alike(one: str, other: str) -> None:
    assert (written_path(one) == written_path(other)) == (one == other)


def test_words_for_a_sound_do_not_name_a_genre_that_is_unsure() -> None:
    assert heard_words(made_up()).split()[0] == "reggae"
    assert "reggae" not in heard_words(made_up(unsure=True))
