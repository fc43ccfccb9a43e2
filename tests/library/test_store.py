from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from songprint import Library
from songprint.errors import LibraryError, UsageError
from songprint.library.catalogue import catalogue_of
from songprint.library.places import is_new
from songprint.library.tags import SongTags
from support.madeup import silent_descriptors
from support.shelves import made_up_hash, made_up_library, made_up_song, shelve, written_by_another


def test_there_is_no_library_unless_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="songprint add"):
        Library.open(tmp_path / "library")
    assert not (tmp_path / "library").exists()


def test_a_new_library_is_empty(tmp_path: Path) -> None:
    library = Library.open(tmp_path / "a" / "library", create=True)
    assert len(library) == 0
    assert library.find() == library.find(text="anything") == library.failed() == []
    assert library.model is None
    with pytest.raises(LibraryError, match="there are no songs"):
        library.catalogue()


def test_a_library_whose_making_was_cut_short_is_made_whole(tmp_path: Path) -> None:
    Library.open(tmp_path, create=True)
    for name in ("guards", "songs.lance", "folders.lance"):  # the guards are made last
        (tmp_path / name).rename(tmp_path.parent / f"{tmp_path.name}-{name}")
    with pytest.raises(LibraryError, match="there is no library"):
        Library.open(tmp_path)
    assert len(Library.open(tmp_path, create=True)) == 0


def test_no_library_is_made_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "song.mp3").touch()
    with pytest.raises(LibraryError, match="other files"):
        Library.open(tmp_path, create=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["song.mp3"]


def test_the_environment_names_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up_library(tmp_path / "mine", 2)
    monkeypatch.setenv("SONGPRINT_LIBRARY", str(tmp_path / "mine"))
    assert len(Library.open()) == 2


def test_a_place_that_can_hold_no_library_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for name, why in (
        ("x" * 300, "its name is too long"),
        ("file", "File exists"),
        ("file/library", "Not a directory"),
    ):
        with pytest.raises(LibraryError, match=f": {why}$") as refusal:
            Library.open(tmp_path / name, create=True)
        assert str(refusal.value).startswith(f"{tmp_path / name}: ")
    assert is_new(tmp_path / ("x" * 300))


def test_a_name_that_is_not_utf8_is_no_sign_of_damage(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 1)
    with pytest.raises(LibraryError, match=r"a name in it is not UTF-8$"):
        library.save_station("caf\udce9", {})


def test_a_library_of_another_format_is_refused(tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    made = library._connection.create_table(
        "songs",
        schema=library.table("songs").schema.with_metadata({"songprint_format": "99"}),
        mode="overwrite",
    )
    assert made.count_rows() == 0
    with pytest.raises(LibraryError, match="format is 99"):
        Library.open(tmp_path)


def test_a_catalogue_is_what_was_added(tmp_path: Path) -> None:
    songs = [
        made_up_song(2),
        replace(made_up_song(1), descriptors=silent_descriptors(), doubt="no genre"),
        made_up_song(3),
    ]
    paths = ["/music/b.mp3", "/music/caf\udce9.mp3", None]
    tags = SongTags("Title", "Artist", "Album", "Everybody", 1969, 12.0)
    library = Library.open(tmp_path, create=True)
    shelve(library, dict(zip(paths, songs, strict=True)), {paths[0]: tags})
    found = library.catalogue()
    wanted = catalogue_of(
        songs,
        paths=paths,
        titles=["Title", None, None],
        artists=["Artist", None, None],
        albums=["Album", None, None],
        years=[1969, 0, 0],
        plays=[12.0, np.nan, np.nan],
    ).take([1, 0, 2])
    assert found.vocabulary == wanted.vocabulary
    assert found.model == wanted.model == "2-test"
    for name in vars(wanted).keys() - {"vocabulary", "model"}:
        column, expected = getattr(found, name), getattr(wanted, name)
        assert column.dtype.kind == expected.dtype.kind, name
        np.testing.assert_array_equal(column, expected, err_msg=name)
    assert found.embeddings.dtype == found.genres.dtype == found.numbers.dtype == np.float32


def test_a_catalogue_does_not_depend_on_the_order_of_adding(tmp_path: Path) -> None:
    songs = {f"/music/{n}.mp3": made_up_song(n) for n in range(10)}
    one, other = (Library.open(tmp_path / name, create=True) for name in "ab")
    shelve(one, songs)
    for path, song in reversed(songs.items()):
        shelve(other, {path: song})
    np.testing.assert_array_equal(one.catalogue().embeddings, other.catalogue().embeddings)


def test_a_song_that_is_added_again_replaces_itself(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 3)
    shelve(library, {"/music/1.mp3": made_up_song(1, seconds=77.0)})
    assert len(library) == len(library.catalogue()) == 3
    row = library.row_of(made_up_hash(1))
    assert row is not None
    assert row.seconds == 77.0


def test_songs_are_found_by_sql(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 3)
    shelve(library, {"/music/it's.mp3": replace(made_up_song(9), descriptors=silent_descriptors())})
    assert [row.path for row in library.find("tempo_bpm > 100", limit=2)] == [
        "/music/0.mp3",
        "/music/1.mp3",
    ]
    assert [row.path for row in library.find("key is null")] == ["/music/it's.mp3"]
    assert len(library.find("genre = 'reggae' and key = 'A' and mode = 'minor'")) == 3
    assert len(library.find("true or false")) == 4


@pytest.mark.parametrize("where", ["tempo > 3", "tempo_bpm > > 3", "seconds >", "1 = 1) or (1"])
def test_what_is_no_sql_is_bad_usage(tmp_path: Path, where: str) -> None:
    library = made_up_library(tmp_path, 1)
    with pytest.raises(UsageError, match="is no condition") as refusal:
        library.find(where)
    assert "\n" not in str(refusal.value)
    assert ".rs" not in str(refusal.value)


def test_songs_are_found_by_words_of_tags_path_and_sound(tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    tags = {
        "/m/a.mp3": SongTags("Jóga", "Björk", "Homogenic", None, 1997),
        "/m/b.mp3": SongTags("初恋", "宇多田ヒカル"),
    }
    songs = {path: made_up_song(n) for n, path in enumerate([*tags, "/x/y/Some Band/so_what.ogg"])}
    shelve(library, songs, tags)

    def found(text: str) -> list[str | None]:
        return [row.path for row in library.find(text=text)]

    assert found("bjork") == found("BJÖRK joga") == ["/m/a.mp3"]
    assert found("ヒカル") == ["/m/b.mp3"]
    assert found("what band") == ["/x/y/Some Band/so_what.ogg"]
    assert len(found("reggae")) == 3
    assert found("bjork hikaru") == found("") == found("'\"(*") == []


def test_words_are_found_whether_or_not_they_are_indexed_yet(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 3)
    with library.writing() as writer:
        writer.tidy()
    shelve(library, {"/new/one.mp3": made_up_song(7)})
    assert len(library.find(text="reggae")) == 4
    assert len(library.find("seconds > 1", "one")) == 1


def test_a_song_is_known_by_its_hash_and_by_any_of_its_paths(tmp_path: Path) -> None:
    music, copy = tmp_path / "it's a song.mp3", tmp_path / "copy.mp3"
    link = tmp_path / "link.mp3"
    link.symlink_to(music)
    library = Library.open(tmp_path / "library", create=True)
    shelve(library, {str(music): made_up_song(5)})
    with library.writing() as writer:
        writer.put_files([replace(library.files()[0], path=str(copy))])
    row = library.row_of(made_up_hash(5))
    assert row is not None
    assert row.path == str(music)
    assert library.row_of(str(music)) == library.row_of(str(copy)) == row
    assert library.row_of(str(link)) == row
    assert library.row_of(str(tmp_path / "other.mp3")) is None
    assert library.row_of(made_up_hash(6)) is None


def test_a_path_that_is_not_utf8_is_kept(tmp_path: Path) -> None:
    path = str(tmp_path / "caf\udce9")
    library = Library.open(tmp_path / "library", create=True)
    shelve(library, {path: made_up_song(5)})
    assert [file.path for file in library.files()] == [path]
    assert [row.path for row in library.find()] == list(library.catalogue().paths) == [path]
    assert library.row_of(path) is not None


def test_the_model_of_most_songs_answers(tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    shelve(library, {f"/{n}": made_up_song(n, model="1-old") for n in range(3)})
    shelve(library, {f"/{n}": made_up_song(n, model="2-new") for n in range(2)})
    assert library.models() == {"1-old": 3, "2-new": 2}
    assert library.model == library.catalogue().model == "1-old"
    assert len(library) == len(library.catalogue()) == len(library.find()) == 3
    row = library.row_of(made_up_hash(0))
    assert row is not None
    assert row.model == "1-old"


def test_on_a_tie_the_current_model_answers(tmp_path: Path) -> None:
    from songprint.fingerprints import default_fingerprinter

    current = default_fingerprinter().model_version
    library = Library.open(tmp_path, create=True)
    shelve(library, {"/0": made_up_song(0, model="9-other"), "/1": made_up_song(1, model="1-old")})
    shelve(library, {"/0": made_up_song(0, model=current)})
    assert library.model == current


def test_play_counts_can_be_told_later(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 3)
    library.set_plays({made_up_hash(1): 4.0, made_up_hash(99): 1.0})
    np.testing.assert_array_equal(library.catalogue().plays, [np.nan, 4.0, np.nan])
    assert len(library) == 3


def test_failed_files_are_told_with_their_reasons(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 1)
    failed = replace(
        library.files()[0], path="/music/bad.mp3", content_hash=None, error="is no audio"
    )
    with library.writing() as writer:
        writer.put_files([failed])
    assert library.failed() == [failed]
    assert len(library.files()) == 2


def test_a_station_is_kept_under_its_name(tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    library.save_station("it's night", {"seeds": ["a"], "weight": 0.5, "größe": None})
    library.save_station("day", {})
    library.save_station("it's night", {"seeds": ["b"]})
    assert Library.open(tmp_path).station_names() == ["day", "it's night"]
    assert library.station("it's night") == {"seeds": ["b"]}
    assert library.station("none") is None


def test_a_station_can_be_forgotten(tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    library.save_station("it's night", {"seeds": ["a"]})
    library.drop_station("it's night")
    library.drop_station("it's night")
    assert library.station_names() == []


def test_the_last_word_on_a_song_counts(tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    a, b, c = map(made_up_hash, range(3))
    library.add_feedback("day", a, "like")
    library.add_feedback("day", b, "skip")
    library.add_feedback("night", b, "like")
    library.add_feedback("day", a, "dislike")
    assert library.feedback("day") == {a: "dislike", b: "skip"}
    assert library.feedback("night") == {b: "like"}
    library.add_feedback("night", c, "never")
    assert library.feedback("day") == {a: "dislike", b: "skip", c: "never"}
    library.add_feedback("night", c, "like")
    assert c not in library.feedback("day")
    with pytest.raises(ValueError, match="love"):
        library.add_feedback("day", a, "love")  # type: ignore[arg-type]


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 1)
    with written_by_another(tmp_path) as first:
        told = f"process {first.pid} .* is writing"
        with pytest.raises(LibraryError, match=told), library.writing():
            pass
        # Meanwhile everybody reads, and what a person says is kept.
        assert len(library.catalogue()) == 1
        library.add_feedback("day", made_up_hash(0), "like")
    with library.writing():
        pass


def test_a_reader_sees_what_another_wrote_since(tmp_path: Path) -> None:
    library, other = made_up_library(tmp_path, 1), Library.open(tmp_path)
    assert len(other) == 1
    shelve(library, {"/music/new.mp3": made_up_song(7)})
    assert len(other) == len(other.catalogue()) == len(other.find()) == 2


def test_what_is_read_stays_while_the_library_is_tidied(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 5)
    reader = Library.open(tmp_path)
    before = reader.catalogue()
    for n in range(5):
        shelve(library, {f"/music/{n}.mp3": made_up_song(n, seconds=1.0)})
        with library.writing() as writer:
            writer.tidy()
    assert before.seconds.tolist() == [185.0] * 5
    assert reader.catalogue().seconds.tolist() == [1.0] * 5


def test_folders_stay_in_the_order_of_their_adding(tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    with library.writing() as writer:
        writer.put_folders(["/z", "/caf\udce9", "/a"])
        writer.put_folders(["/b", "/a"])
    assert library.folders() == ["/z", "/caf\udce9", "/a", "/b"]


def test_songs_and_files_are_forgotten(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 4)
    with library.writing() as writer:
        writer.drop_songs([made_up_hash(n) for n in (1, 2)])
        writer.drop_files(["/music/1.mp3"])
    assert len(library) == 2
    assert [file.path for file in library.files()] == [f"/music/{n}.mp3" for n in (0, 2, 3)]


def test_fingerprints_of_old_models_are_forgotten_alone(tmp_path: Path) -> None:
    library = made_up_library(tmp_path, 2)
    shelve(library, {"/music/0.mp3": made_up_song(0, model="3-new")})
    with library.writing() as writer:
        writer.drop_songs([made_up_hash(0)], but_of="3-new")
    assert library.models() == {"2-test": 1, "3-new": 1}


def test_words_are_found_in_a_library_that_was_left_without_an_index(tmp_path: Path) -> None:
    library = Library.open(tmp_path, create=True)
    assert not library.table("songs").list_indices()  # it comes with the first song
    shelve(library, {"/music/a.mp3": made_up_song(1)})
    assert len(library.find(text="reggae")) == 1
    library.table("songs").drop_index("words_idx")
    shelve(library, {"/music/b.mp3": made_up_song(2)})
    assert len(library.find(text="reggae")) == 2
