"""What is known of a library's recordings follows the library, and stations heed it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile

from songprint.identify import recordings as module
from songprint.identify.duplicates import Kind
from songprint.identify.recordings import Recordings
from songprint.kinship.mix import mix
from songprint.kinship.neighbours import Kinship
from songprint.kinship.station import Wishes, grow
from songprint.library.ingest import add_folders
from songprint.library.recordings import EXCERPT, FILE, excerpts_of, recordings_of
from songprint.library.store import Library
from songprint.pieces import PIECES
from songprint.pieces.__main__ import write
from songprint.web.shelf import Shelf
from support.audiofiles import write_audio
from support.clips import Samples, cut, library_of_tunes, put_landmarks, tune, with_noise
from support.shelves import made_up_hash, made_up_song, shelve


def compared_now(library: Library) -> tuple[Recordings, int]:
    """Return what is known after a comparison, and how many songs it compared."""
    done: list[int] = []
    return Recordings.of(library, on_song=lambda number, _: done.append(number)), len(done)


def copy_of(song: Samples) -> Samples:
    return with_noise(song, 25.0)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Three tunes, the last of which is a copy of the second."""
    return library_of_tunes(tmp_path / "library", [tune(0), tune(1), copy_of(tune(1))])


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Pieces as songprint add hears them; two are there as flac and as mp3, one also as opus."""
    folder = tmp_path_factory.mktemp("music")
    for number, piece in enumerate(PIECES[:5]):
        path = write(piece, folder, sample_rate_hz=16_000)
        samples, rate = soundfile.read(path, dtype="float32")
        if number in (1, 3):
            write_audio(path.with_suffix(".mp3"), samples, rate)
        if number == 3:
            late = np.concatenate([np.zeros((rate, 2), np.float32), samples])
            write_audio(path.with_suffix(".opus"), late, rate)
    library = Library.open(tmp_path_factory.mktemp("heard") / "library", create=True)
    add_folders(library, [str(folder)], workers=1)
    return library


def test_a_recording_in_several_formats_is_one(heard: Library) -> None:
    names = {row.content_hash: Path(row.path or "").name for row in heard.find()}
    groups = {frozenset(names[song] for song in group) for group in Recordings.of(heard).groups()}
    one, other = (PIECES[number].name for number in (1, 3))
    assert groups == {
        frozenset({f"{one}.flac", f"{one}.mp3"}),
        frozenset({f"{other}.flac", f"{other}.mp3", f"{other}.opus"}),
    }


def test_a_station_of_what_was_heard_plays_no_recording_twice(heard: Library) -> None:
    Recordings.of(heard)
    catalogue = heard.catalogue()
    assert sorted(np.bincount(catalogue.recordings)[1:].tolist()) == [2, 3]
    kinship = Kinship(catalogue)
    for seed in range(len(catalogue)):
        station = grow(kinship, [seed], Wishes(any_genre=True, artist_cap=0))
        played = [
            Path(catalogue.paths[row]).stem for row in [seed, *(s.row for s in station.songs)]
        ]
        assert sorted(played) == sorted(piece.name for piece in PIECES[:5])


def test_only_new_songs_are_compared(library: Library) -> None:
    first, compared = compared_now(library)
    assert (compared, len(first.pairs)) == (3, 1)
    again, compared = compared_now(library)
    assert (compared, again) == (0, first)
    put_landmarks(library, {3: copy_of(tune(0))})
    third, compared = compared_now(library)
    assert (compared, third.compared) == (1, frozenset(map(made_up_hash, range(4))))
    assert sorted(third.groups()) == [
        [made_up_hash(0), made_up_hash(3)],
        [made_up_hash(1), made_up_hash(2)],
    ]


def test_songs_that_are_gone_are_forgotten(library: Library) -> None:
    Recordings.of(library)
    with library.writing() as writer:
        writer.drop_landmarks([made_up_hash(2)])
    after, compared = compared_now(library)
    assert (compared, after.pairs) == (0, ())
    assert Recordings.known(library) == after


def test_another_way_of_comparing_compares_anew(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Recordings.of(library)
    monkeypatch.setattr(module, "_VERSION", "another")
    assert Recordings.known(library) == Recordings()
    again, compared = compared_now(library)
    assert (compared, again) == (3, first)


def test_all_are_compared_anew_when_asked(library: Library) -> None:
    done: list[int] = []
    Recordings.of(library)
    Recordings.of(library, anew=True, on_song=lambda number, _: done.append(number))
    assert done == [1, 2, 3]


@pytest.mark.parametrize("kept", [b"", b"PK\x03\x04 no archive", None])
def test_a_file_that_is_damaged_tells_nothing(library: Library, kept: bytes | None) -> None:
    Recordings.of(library)
    file = library.path / FILE
    file.write_bytes(file.read_bytes()[:-200] if kept is None else kept)
    assert Recordings.known(library) == Recordings()
    assert not recordings_of(library.path, np.array([made_up_hash(1), made_up_hash(2)])).any()
    assert len(Recordings.of(library).pairs) == 1


def test_a_library_that_cannot_be_written_is_compared_all_the_same(library: Library) -> None:
    (library.path / FILE).mkdir()
    assert len(Recordings.of(library).pairs) == 1
    assert Recordings.known(library) == Recordings()


def test_what_runs_that_were_killed_left_goes_after_a_day(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = library.path / ".songprint-1-00000000.part.npz"
    left.touch()
    Recordings.of(library)
    assert left.exists()  # it may be being written
    monkeypatch.setattr("songprint.files._LEFT_AFTER_SECONDS", -1.0)
    put_landmarks(library, {9: tune(9)})
    Recordings.of(library)
    assert not left.exists()


def test_what_was_compared_before_an_interrupt_is_kept(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAVE_SECONDS", 0.0)

    def interrupt(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Recordings.of(library, on_song=interrupt)
    recordings, compared = compared_now(library)
    assert (compared, len(recordings.pairs)) == (1, 1)


def test_what_there_was_no_time_for_is_compared_the_next_time(library: Library) -> None:
    assert len(Recordings.of(library, most_seconds=0.0).compared) == 1
    recordings, compared = compared_now(library)
    assert (compared, len(recordings.pairs)) == (2, 1)


def test_half_of_a_song_is_its_recording_and_a_quarter_is_not(tmp_path: Path) -> None:
    songs = [tune(1), cut(tune(1), 6.0, 13.0), tune(2), cut(tune(2), 8.0, 6.0)]
    recordings = Recordings.of(library_of_tunes(tmp_path / "library", songs))
    assert {pair.kind for pair in recordings.pairs} == {"excerpt"}
    assert len(recordings.pairs) == 2
    assert recordings.groups() == [[made_up_hash(0), made_up_hash(1)]]


@pytest.fixture
def excerpt(tmp_path: Path) -> Library:
    """A tune, a copy of it, a quarter of it, and another tune."""
    songs = [tune(2), copy_of(tune(2)), cut(tune(2), 8.0, 6.0), tune(3)]
    library = library_of_tunes(tmp_path / "library", songs)
    Recordings.of(library)
    return library


def test_excerpts_are_numbered_in_the_file_as_it_is_read() -> None:
    assert get_args(Kind)[EXCERPT] == "excerpt"


def test_the_catalogue_tells_excerpts_however_short(excerpt: Library) -> None:
    quarter = (made_up_hash(2),)
    catalogue = excerpt.catalogue()
    assert catalogue.excerpts.tolist() == [quarter, quarter, None, None]
    assert catalogue.recordings.tolist() == [1, 1, 0, 0]
    assert catalogue.take([1, 3]).excerpts.tolist() == [quarter, None]
    (excerpt.path / FILE).write_bytes(b"damaged")
    assert excerpts_of(excerpt.path, catalogue.hashes).tolist() == [None] * 4


def test_a_station_plays_no_excerpt_of_its_seed(excerpt: Library) -> None:
    kinship = Kinship(excerpt.catalogue())
    everything = Wishes(any_genre=True, artist_cap=0)
    assert [song.row for song in grow(kinship, [0], everything).songs] == [3]
    assert [near.row for near in kinship.neighbours(0)] == [3]
    never = Wishes(any_genre=True, artist_cap=0, never=(1,))
    assert [song.row for song in grow(kinship, [3], never).songs] == []


def test_a_station_does_not_play_the_song_of_which_its_seed_is_a_small_part(
    excerpt: Library,
) -> None:
    kinship = Kinship(excerpt.catalogue())
    everything = Wishes(any_genre=True, artist_cap=0)
    assert [song.row for song in grow(kinship, [2], everything).songs] == [3]
    assert [near.row for near in kinship.neighbours(2)] == [3]
    assert [near.row for near in mix(kinship, kinship.catalogue.take([2]))] == [3]


def test_a_song_may_be_played_of_which_a_small_part_never_may(excerpt: Library) -> None:
    kinship = Kinship(excerpt.catalogue())
    never = Wishes(any_genre=True, artist_cap=0, never=(2,))
    assert len({song.row for song in grow(kinship, [3], never).songs} & {0, 1}) == 1


def test_the_other_parts_of_a_mix_of_songs_may_be_played_with_one(tmp_path: Path) -> None:
    parts = [tune(4), tune(5), tune(6)]
    library = library_of_tunes(tmp_path / "library", [*parts, np.concatenate(parts)])
    Recordings.of(library)
    station = grow(Kinship(library.catalogue()), [0], Wishes(any_genre=True, artist_cap=0))
    assert {song.row for song in station.songs} == {1, 2}


def test_the_catalogue_tells_which_songs_are_one_recording(library: Library) -> None:
    assert library.catalogue().recordings.tolist() == [0, 0, 0]
    Recordings.of(library)
    assert library.catalogue().recordings.tolist() == [0, 1, 1]
    shelve(library, {"/music/new.mp3": made_up_song(9)})
    assert library.catalogue().recordings.tolist() == [0, 1, 1, 0]
    assert library.catalogue([made_up_hash(2)]).recordings.tolist() == [1]


def test_the_page_learns_of_it_too(library: Library) -> None:
    shelf = Shelf(library.path)
    assert not shelf.current().catalogue.recordings.any()
    Recordings.of(library)
    shelf.refresh()
    assert shelf.current().catalogue.recordings.tolist() == [0, 1, 1]
