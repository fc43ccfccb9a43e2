"""``export_songs`` and ``import_songs``: what one library tells, another one finds."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from songprint import Library
from songprint.errors import LibraryError, PortableError, SongprintError
from songprint.fingerprints import Fingerprint, default_fingerprinter
from songprint.kinship.neighbours import Kinship
from songprint.kinship.station import Wishes, grow
from songprint.library.catalogue import Catalogue
from songprint.library.exporting import export_songs
from songprint.library.importing import forget_imported, import_songs
from songprint.library.ingest import add_folders
from songprint.library.schema import song_record, vocabulary_of
from songprint.library.tags import SongTags, one_line
from songprint.library.writer import Writer
from support.kin import KINDS, kin_library, song_of
from support.madeup import silent_descriptors
from support.shelves import (
    NOW,
    library_of,
    made_up_hash,
    made_up_library,
    made_up_song,
    shelve,
    small_song,
    written_by_another,
)

CURRENT = default_fingerprinter().model_version


def current_song(number: int, **changes: Any) -> Fingerprint:
    return replace(made_up_song(number, model=CURRENT), **changes)


def versions(library: Library) -> dict[str, int]:
    with library.writing():  # the first one makes the index of words
        pass
    return {name: library.table(name).version for name in ("songs", "files", "models")}


def assert_same(theirs: Catalogue, ours: Catalogue, *but: str) -> None:
    for field in fields(Catalogue):
        if field.name not in ("paths", *but):
            np.testing.assert_array_equal(
                getattr(theirs, field.name), getattr(ours, field.name), err_msg=field.name
            )


@pytest.fixture(scope="module")
def anna(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Sixty songs of four kinds, with titles and artists."""
    return kin_library(tmp_path_factory.mktemp("anna") / "library", model=CURRENT)


@pytest.fixture(scope="module")
def file(anna: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Anna exports."""
    return export_songs(anna, tmp_path_factory.mktemp("exported") / "anna.parquet").path


def test_an_imported_library_is_the_same_but_for_its_files(
    anna: Library, file: Path, tmp_path: Path
) -> None:
    library = Library.open(tmp_path, create=True)
    done = import_songs(library, file)
    assert (done.songs, done.added, done.own, done.known, done.found) == (60, 60, 0, 0, True)
    assert_same(anna.catalogue(), library.catalogue())
    assert set(library.catalogue().paths) == {None}
    theirs, ours = ({row.content_hash: row for row in opened.find()} for opened in (anna, library))
    for content_hash, row in ours.items():
        assert (row.imported, row.origin) == (True, "anna.parquet")
        assert row == replace(
            theirs[content_hash],
            **{name: getattr(row, name) for name in ("path", "imported", "origin")},
            added=row.added,
            changed=row.changed,
        )


text = st.none() | st.text(min_size=1, max_size=400)


@st.composite
def song(draw: st.DrawFn) -> tuple[Fingerprint, SongTags]:
    number = draw(st.integers(0, 10_000))
    fingerprint = song_of(draw(st.sampled_from(sorted(KINDS))), number, model=CURRENT)
    if draw(st.booleans()):
        fingerprint = replace(fingerprint, doubt="no genre", descriptors=silent_descriptors())
    tags = SongTags(
        *(one_line(draw(text)) for _ in range(4)),
        draw(st.none() | st.integers(1000, 2999)),
        draw(st.none() | st.integers(0, 9_999_999).map(float)),
    )
    return fingerprint, tags


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(song(), min_size=1, max_size=6, unique_by=lambda s: s[0].content_hash), st.data())
def test_whatever_a_library_holds_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    songs: list[tuple[Fingerprint, SongTags]],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    name = st.text(st.characters(blacklist_characters="\0/"), min_size=1, max_size=50)
    paths: list[str | None] = [f"/music/{n}/{data.draw(name)}" for n in range(len(songs))]
    library = Library.open(folder / "a", create=True)
    shelve(
        library,
        {path: fingerprint for path, (fingerprint, _) in zip(paths, songs, strict=True)},
        {path: tags for path, (_, tags) in zip(paths, songs, strict=True)},
    )
    file = export_songs(library, folder / "a.parquet", plays=True).path
    other = Library.open(folder / "b", create=True)
    assert import_songs(other, file).added == len(songs)
    before, after = library.catalogue(), other.catalogue()
    assert_same(before, after, "titles")
    told = before.titles != np.array(None)
    np.testing.assert_array_equal(before.titles[told], after.titles[told])


def test_imported_songs_are_kin_and_play_on_stations(file: Path, tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    shelve(library, {"/mine.mp3": song_of("jazz", 900, model=CURRENT)})
    import_songs(library, file)
    catalogue = library.catalogue()
    mine = catalogue.index(song_of("jazz", 900).content_hash)
    kinship = Kinship(catalogue)
    for near in (*kinship.neighbours(mine, 5), *grow(kinship, [mine], Wishes(length=5)).songs):
        assert catalogue.paths[near.row] is None
        assert catalogue.titles[near.row].startswith("jazz")


def test_a_song_without_a_title_is_called_by_its_file(tmp_path: Path) -> None:
    library = Library.open(tmp_path / "a", create=True)
    shelve(library, {"/music/Miles/01 So What.flac": current_song(1)})
    file = export_songs(library, tmp_path / "a.parquet").path
    other = Library.open(tmp_path / "b", create=True)
    import_songs(other, file)
    assert other.catalogue().titles.tolist() == ["01 So What"]
    assert len(other.find(text="so what")) == 1


def test_songs_that_one_owns_stay_as_they_are(file: Path, anna: Library, tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    theirs = anna.find()
    mine = replace(current_song(1), content_hash=theirs[0].content_hash)
    old = replace(made_up_song(2, model="1-old"), content_hash=theirs[1].content_hash)
    shelve(library, {"/mine.mp3": mine, "/old.mp3": old})
    done = import_songs(library, file)
    assert (done.own, done.added) == (2, 58)
    row = library.row_of("/mine.mp3")
    assert row is not None
    assert (row.path, row.imported, row.origin) == ("/mine.mp3", False, None)
    assert library.models() == {CURRENT: 59, "1-old": 1}


def test_a_second_import_changes_nothing(file: Path, tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    import_songs(library, file)
    before = versions(library)
    done = import_songs(library, file)
    assert (done.known, done.added) == (60, 0)
    assert versions(library) == before


def test_only_ones_own_songs_are_exported(file: Path, tmp_path: Path) -> None:
    library = made_up_library(tmp_path / "library", 0)
    shelve(library, {"/mine.mp3": current_song(1)})
    shelve(library, {"/old.mp3": made_up_song(2, model="1-old")})
    import_songs(library, file)
    done = export_songs(library, tmp_path / "mine.parquet")
    assert (done.songs, done.imported, done.waiting) == (1, 60, 1)
    assert done.n_bytes == (tmp_path / "mine.parquet").stat().st_size


def test_songs_can_be_forgotten_by_the_file_they_came_in(file: Path, tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    shelve(library, {"/mine.mp3": current_song(1)})
    import_songs(library, file)
    assert forget_imported(library, "it's.parquet") == 0
    assert forget_imported(library, "anna.parquet") == 60
    assert [row.path for row in library.find()] == ["/mine.mp3"]


@pytest.mark.parametrize(
    ("folders", "told"),
    [
        (["/home/anna/Music"], "Miles/So What.mp3"),
        (["/home/anna", "/home/anna/Music/Miles"], "So What.mp3"),
        (["/home/anna/Mus", "/mnt"], "So What.mp3"),
        ([], "So What.mp3"),
    ],
)
def test_paths_tell_no_more_than_the_place_in_a_folder(
    tmp_path: Path, folders: list[str], told: str
) -> None:
    library = Library.open(tmp_path / "library", create=True)
    shelve(library, {"/home/anna/Music/Miles/So What.mp3": current_song(1)})
    with library.writing() as writer:
        writer.put_folders(folders)
    out = tmp_path / "x.parquet"
    for absolute, path in ((False, told), (True, "/home/anna/Music/Miles/So What.mp3")):
        export_songs(library, out, absolute_paths=absolute)
        assert pq.read_table(out)["path"].to_pylist() == [path]
        assert b"anna" not in (out.read_bytes() if not absolute else b"")


def test_plays_are_told_only_if_asked(tmp_path: Path) -> None:
    library = Library.open(tmp_path / "library", create=True)
    shelve(library, {"/a.mp3": current_song(1)}, {"/a.mp3": SongTags(plays=7.0)})
    out = tmp_path / "x.parquet"
    export_songs(library, out)
    assert pq.read_table(out)["plays"].to_pylist() == [None]
    export_songs(library, out, plays=True)
    assert pq.read_table(out)["plays"].to_pylist() == [7.0]


def test_others_can_read_the_columns_by_name(file: Path) -> None:
    table = pq.read_table(file, columns=["title", "genres", "era", "descriptors", "embedding"])
    row = next(row for row in table.to_pylist() if row["title"] == "rock song 0")
    assert max(row["genres"], key=row["genres"].get) == "rock"
    assert row["era"]["70s"] > 0.3
    assert 110 < row["descriptors"]["tempo_bpm"] < 150
    assert row["descriptors"]["key"] == "A"
    assert np.linalg.norm(row["embedding"]) == pytest.approx(1, abs=1e-5)


def test_what_was_there_stays_if_the_export_fails(
    anna: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "x.parquet"
    out.write_bytes(b"before")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", full)
    with pytest.raises(SongprintError, match="cannot be written: the disk is full"):
        export_songs(anna, out)
    assert out.read_bytes() == b"before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.parquet"]


def test_an_empty_library_exports_nothing(tmp_path: Path) -> None:
    library = Library.open(tmp_path / "library", create=True)
    with pytest.raises(LibraryError, match="no songs of its own"):
        export_songs(library, tmp_path / "x.parquet")
    assert not (tmp_path / "x.parquet").exists()


def test_songs_of_another_model_are_refused_with_the_reason(tmp_path: Path) -> None:
    theirs = made_up_library(tmp_path / "theirs", 2)  # of model 2-test
    file = export_songs(theirs, tmp_path / "x.parquet").path
    library = Library.open(tmp_path / "mine", create=True)
    before = versions(library)
    with pytest.raises(PortableError, match=f"by model 2-test, yours by {CURRENT}.*without audio"):
        import_songs(library, file)
    assert versions(library) == before


def test_songs_of_the_librarys_model_are_taken_until_it_turns_to_the_new(tmp_path: Path) -> None:
    theirs = made_up_library(tmp_path / "theirs", 3)
    file = export_songs(theirs, tmp_path / "x.parquet").path
    library = Library.open(tmp_path / "mine", create=True)
    shelve(library, {"/mine.mp3": made_up_song(9)})
    assert import_songs(library, file).found
    assert len(library.catalogue()) == 4


def test_many_songs_of_another_model_do_not_take_a_library_over(file: Path, tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    shelve(library, {"/mine.mp3": made_up_song(9, model="1-old")})
    assert not import_songs(library, file).found
    assert library.model == "1-old"
    assert library.catalogue().paths.tolist() == ["/mine.mp3"]


def test_names_that_are_not_the_models_are_refused(tmp_path: Path) -> None:
    theirs = Library.open(tmp_path / "theirs", create=True)
    strange = current_song(1)
    first, *rest = strange.genres
    strange = replace(strange, genres=(replace(first, name="polka"), *rest))
    shelve(theirs, {"/a.mp3": strange})
    file = export_songs(theirs, tmp_path / "x.parquet").path
    library = Library.open(tmp_path / "mine", create=True)
    with pytest.raises(PortableError, match="its genres or tags are not those of model"):
        import_songs(library, file)
    assert library.models() == {}


def test_an_import_that_fails_leaves_the_library_as_it_was(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library.open(tmp_path, create=True)

    def full(*_: Any) -> None:
        raise LibraryError("the disk is full")

    monkeypatch.setattr(Writer, "add_songs", full)
    with pytest.raises(LibraryError, match="the disk is full"):
        import_songs(library, file)
    assert len(library) == 0
    assert len(library.read("models")) == 0


def test_nobody_imports_while_another_writes(file: Path, tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    with written_by_another(tmp_path), pytest.raises(LibraryError, match="is writing"):
        import_songs(library, file)


def test_an_imported_song_is_ones_own_once_it_is_added(tmp_path: Path) -> None:
    library = Library.open(tmp_path / "library", create=True)
    theirs = song_record(current_song(1), SongTags(title="theirs"), None, NOW)
    with library.writing() as writer:
        writer.put_model(CURRENT, vocabulary_of(current_song(1)))
        writer.put_songs([theirs | {"imported": True, "origin": "anna.parquet"}])
    shelve(library, {"/mine.mp3": current_song(1)})
    row = library.row_of(made_up_hash(1))
    assert row is not None
    assert (row.imported, row.origin, row.path) == (False, None, "/mine.mp3")


def test_songs_without_audio_do_not_hold_back_an_upgrade(tmp_path: Path) -> None:
    song = small_song(tmp_path / "music" / "song.flac")
    library = library_of(tmp_path / "library", song, model="1-old")
    shelve(library, {f"/{n}": made_up_song(100 + n, model="1-old") for n in range(5)})
    with library.writing() as writer:
        hashes = [made_up_hash(100 + n) for n in range(5)]
        writer.change_songs([{"content_hash": h, "imported": True} for h in hashes])
        writer.drop_files([f"/{n}" for n in range(5)])
    assert library.model == "1-old"
    assert add_folders(library, [str(song.parent)], workers=1).renewed == 1
    assert library.model == CURRENT
    assert library.models() == {CURRENT: 1, "1-old": 5}
    assert library.models(own=True) == {CURRENT: 1}
