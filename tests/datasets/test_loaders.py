from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from songprint.datasets.core import SPLITS, Dataset, LeftOut, Track, sort_out, tell_left_out
from songprint.datasets.opening import KINDS, LOADERS, open_dataset
from songprint.errors import UsageError
from songprint.genre.taxonomy import canonical_genre
from support.datasets import make_fma, make_folder, make_gtzan, make_table, make_tags

MAKERS: dict[str, Callable[[Path], Path]] = {
    "gtzan": make_gtzan,
    "fma": make_fma,
    "folder": make_folder,
    "table": make_table,
    "tags": make_tags,
}
PUBLISHED = ("gtzan", "fma")


@pytest.fixture(params=MAKERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def dataset(kind: str, tmp_path: Path) -> Dataset:
    return open_dataset(str(MAKERS[kind](tmp_path)), kind=kind)


def test_every_kind_is_tested() -> None:
    assert list(MAKERS) == list(LOADERS) == list(KINDS)


def test_a_data_set_knows_its_name_and_where_it_is_from(dataset: Dataset, kind: str) -> None:
    assert dataset.name == kind
    assert dataset.path.exists()
    assert dataset.about.title
    assert dataset.about.licence
    assert dataset.about.where.endswith(".")
    assert bool(dataset.about.citation) == (kind in PUBLISHED)
    for digest in dataset.about.checksums.values():
        algorithm, _, number = digest.partition(":")
        assert len(number) == {"md5": 32, "sha1": 40, "sha256": 64}[algorithm]
        int(number, 16)


def test_tracks_are_files_with_canonical_labels(dataset: Dataset) -> None:
    tracks = list(dataset)
    assert tracks
    for track in tracks:
        assert track.path.is_file()
        assert track.labels
        assert track.label == track.labels[0]
        assert all(label and canonical_genre(label) == label for label in track.labels)
        assert track.artist is None or track.artist.strip()
        assert track.split is None or track.split in SPLITS


def test_ids_are_unique_and_nothing_comes_twice(dataset: Dataset) -> None:
    entries = list(dataset.entries())
    assert len({entry.id for entry in entries}) == len(entries)
    tracks, left_out = sort_out(entries)
    assert len({track.path for track in tracks}) == len(tracks)
    assert left_out, "each tree has a song that cannot be used"


def test_reasons_are_lines_that_end_a_sentence(dataset: Dataset) -> None:
    for item in sort_out(dataset.entries())[1]:
        assert item.reason
        assert item.reason[0].islower()
        assert not item.reason.endswith(".")
        assert "\n" not in item.reason


def test_the_index_is_the_same_each_time(dataset: Dataset) -> None:
    assert list(dataset.entries()) == list(dataset.entries())


def test_the_index_is_read_lazily(dataset: Dataset) -> None:
    entries = dataset.entries()
    assert iter(entries) is entries
    assert isinstance(next(entries), Track | LeftOut)


def test_all_kinds_are_guessed_from_what_is_there(kind: str, tmp_path: Path) -> None:
    if kind == "tags":  # folders in the folder would be taken for genres
        (make_tags(tmp_path) / "deep" / "b.flac").rename(tmp_path / "b.flac")
        (tmp_path / "deep").rmdir()
        path = tmp_path
    else:
        path = MAKERS[kind](tmp_path)
    guessed = open_dataset(str(path))
    assert guessed.name == kind
    assert guessed.note is not None
    assert guessed.note.startswith(f"{path}: taken for {KINDS[kind]}")


def test_a_prefix_names_the_kind(kind: str, tmp_path: Path) -> None:
    dataset = open_dataset(f"{kind}:{MAKERS[kind](tmp_path)}")
    assert dataset.name == kind
    assert "taken for" not in (dataset.note or "")


def test_what_is_not_there_is_said_with_where_to_get_it(kind: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such") as caught:
        open_dataset(f"{kind}:{tmp_path / 'nowhere'}")
    if kind in PUBLISHED:
        assert "http" in str(caught.value)


def test_an_empty_folder_is_refused_with_what_is_wanted(kind: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_dataset(str(tmp_path), kind=kind)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}: ")
    assert "\n" not in message
    assert message.endswith(LOADER_HINTS[kind])


LOADER_HINTS = {
    "gtzan": "a folder genres_original serve as well.",
    "fma": "unpacked side by side.",
    "folder": "or GENRE/ARTIST/song.",
    "table": "path,label,artist,split.",
    "tags": "one folder for each genre.",
}


@pytest.mark.parametrize("spec", ["gtzan:", "nowhere", "/nowhere/at/all"])
def test_an_impossible_name_is_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        open_dataset(spec)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="jamendo is no kind"):
        open_dataset("x", kind="jamendo")


def test_a_folder_linked_into_itself_is_read_once(tmp_path: Path) -> None:
    make_folder(tmp_path)
    (tmp_path / "grunge" / "loop").symlink_to(tmp_path, target_is_directory=True)
    songs = [track.path.name for track in open_dataset(f"folder:{tmp_path}")]
    assert songs.count("three.mp3") == 1


def test_what_is_left_out_is_told_one_by_one_or_counted() -> None:
    few = [LeftOut("a", "is short"), LeftOut("b", "is long")]
    assert list(tell_left_out(few)) == ["a: is short", "b: is long"]
    many = [LeftOut(str(i), "is absent", "train" if i < 4 else "test") for i in range(6)]
    assert list(tell_left_out(many)) == ["6 songs (4 train, 2 test), each of which is absent"]


def test_no_loader_imports_what_is_under_the_gpl() -> None:
    package = resources.files("songprint")
    for module in Path(str(package)).rglob("*.py"):
        if module.name == "tagfields.py":  # of the extra [tag], which alone installs it
            continue
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            assert not any(name.split(".")[0] == "mutagen" for name in names), module
