"""Whatever happens to a folder, and whenever adding is cut short, the library tells what is so."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from songprint import Library
from songprint.errors import DecodeError
from songprint.fingerprints import default_fingerprinter
from songprint.library import ingest
from songprint.library.ingest import Step
from songprint.library.listen import Sounds
from songprint.library.worker import Identified, Job, Outcome, identify
from support.shelves import made_up_song, retag, small_song

CURRENT = default_fingerprinter().model_version
NAMES = st.sampled_from(["a.flac", "b.flac", "sub/c.flac", "sub/d.flac", "e.flac"])

STEPS = st.one_of(
    st.tuples(st.just("write"), NAMES, st.integers(0, 2)),
    st.tuples(st.just("spoil"), NAMES, st.just("")),
    st.tuples(st.just("tag"), NAMES, st.sampled_from(["Spring", "Summer"])),
    st.tuples(st.just("move"), NAMES, NAMES),
    st.tuples(st.just("copy"), NAMES, NAMES),
    st.tuples(st.just("delete"), NAMES, st.just("")),
    st.tuples(st.just("interrupt"), st.just(""), st.integers(1, 4)),
    st.tuples(st.just("add"), st.just(""), st.booleans()),
)


class HearsNothing:
    """Identifies songs as the workers do, in this process, and makes up what they sound like."""

    def __init__(self, *_: Any) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(
        self, next_job: Callable[[], Job | None], is_wanted: Callable[[Job, Identified], bool]
    ) -> Iterator[Outcome]:
        while (job := next_job()) is not None:
            try:
                identified = identify(job.file.path)
            except DecodeError as error:
                yield Outcome(job, error=error.reason)
                continue
            sounds = None
            if is_wanted(job, identified):
                number = int(identified.content_hash[:6], 16)
                song = made_up_song(number, model=CURRENT)
                sounds = Sounds(replace(song, content_hash=identified.content_hash))
            yield Outcome(job, identified, sounds)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("originals")
    return [small_song(folder / f"{n}.flac", n) for n in range(3)]


def change(folder: Path, originals: list[Path], what: str, name: str, how: Any) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if what == "write":
        shutil.copy(originals[how], path)
    elif what == "spoil":
        path.write_bytes(os.urandom(1000))
    elif path.exists():
        target = folder / how
        target.parent.mkdir(parents=True, exist_ok=True)
        if what == "tag" and path.read_bytes()[:4] == b"fLaC":
            retag(path, title=how)
        elif what == "move":
            path.rename(target)
        elif what == "copy" and path != target:
            shutil.copy(path, target)
        elif what == "delete":
            path.unlink()


def add(library: Library, folder: Path, **options: Any) -> ingest.Added:
    return ingest.add_folders(library, [str(folder)], workers=1, **options)


def truth_of(path: str) -> tuple[str | None, str | None]:
    """Return a file's content hash, or why it has none."""
    try:
        return identify(path).content_hash, None
    except DecodeError as error:
        return None, error.reason


def require_truth(library: Library, folder: Path) -> None:
    """Hold a library to what is in its folder."""
    there = {str(path) for path in folder.rglob("*.flac")}
    files = {file.path: file for file in library.files()}
    assert there <= files.keys()
    songs: defaultdict[str, set[str]] = defaultdict(set)
    for path, file in files.items():
        assert (file.missing is None) == (path in there)
        if path in there:
            assert (file.content_hash, file.error) == truth_of(path)
        if file.content_hash:
            songs[file.content_hash].add(path)
    rows = {row.content_hash: row for row in library.find()}
    assert len(rows) == len(library)
    assert rows.keys() == songs.keys()
    for song, row in rows.items():
        held = songs[song]
        assert row.path == min(held & there or held)
        if len(held) == 1 and held <= there:
            assert row.title == identify(row.path).tags.title
            assert not row.title or row in library.find(text=row.title)
        assert held <= there or held.isdisjoint(there)  # a copy is no loss


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_the_library_tells_what_is_so(
    steps: list[tuple[str, str, Any]], originals: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "WorkerPool", HearsNothing)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "music"
        folder.mkdir()
        library = Library.open(Path(place) / "library", create=True)
        for what, name, how in steps:
            if what == "interrupt":
                left = [how]

                def interrupt(_: Step, left: list[int] = left) -> None:
                    left[0] -= 1
                    if not left[0]:
                        raise KeyboardInterrupt

                with suppress(KeyboardInterrupt):
                    add(library, folder, on_step=interrupt)
            elif what == "add":
                add(library, folder, prune=how)
                require_truth(library, folder)
            else:
                change(folder, originals, what, name, how)
        add(library, folder)
        require_truth(library, folder)
        versions = {name: library.table(name).version for name in ("songs", "files", "models")}
        again = add(library, folder)
        assert again.unchanged + again.failed_before == len(list(folder.rglob("*.flac")))
        assert {name: library.table(name).version for name in versions} == versions
