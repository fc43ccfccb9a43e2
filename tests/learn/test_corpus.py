"""The corpus keeps every song's frames and says whose they are."""

import csv

import numpy as np
import pytest

from songprint.audio.mel import log_mel
from songprint.errors import UsageError
from songprint.learn.corpus import FRAME_SCALE, Corpus, build, fill_window, quantise
from songprint.pieces import signals
from support.audiofiles import write_audio


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder laid out as ../shared/data, with one song or clip of each source and a bad one."""
    root = tmp_path_factory.mktemp("data")
    tables = {
        "emotify": [("a", "rock", "Someone", "title", "album")],
        "open": [
            ("0001", "B", "t", "Album", "CC0", "", "jazz", "stated", "9"),
            ("0002", "B", "t", "Album", "CC0", "", "jazz", "guessed", "9"),
            ("0003", "B", "t", "Album", "CC0", "", "", "", "9"),
        ],
    }
    headers = {
        "emotify": "id genre artist title album",
        "open": "id artist title album_or_source licence noncommercial genre genre_basis "
        "full_seconds",
    }
    for source, rows in tables.items():
        (root / source).mkdir()
        with (root / f"{source}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([headers[source].split(), *rows])
        for number, row in enumerate(rows):
            sound = signals.sine(300 + 100 * number, 4, 48_000, -12)
            write_audio(root / source / f"{row[0]}.opus", sound, 48_000)
    (root / "open" / "0003.opus").write_bytes(b"no music")
    np.savez(root / "gtzan_mels.npz", **{"blues.00000": np.full((150, 96), 36, np.uint8)})
    (root / "gtzan_mels.csv").write_text("clip,genre,split,frames\nblues.00000,blues,valid,150\n")
    return root


@pytest.fixture(scope="module")
def corpus(data, tmp_path_factory):
    return build(data, tmp_path_factory.mktemp("corpus"))


def test_every_song_that_decodes_is_in_it(corpus):
    named = [(s.source, s.name, s.genre, s.split) for s in corpus.songs]
    assert named == [
        ("emotify", "a", "rock", ""),
        ("open", "0001", "jazz", ""),
        ("open", "0002", "", ""),  # a guessed genre is no label
        ("gtzan", "blues.00000", "blues", "valid"),
    ]


def test_frames_are_the_front_ends_to_eight_bits(corpus, data):
    from songprint.audio.decode import decode

    song = corpus.songs[1]
    truth = log_mel(decode(data / "open" / "0001.opus"))
    assert np.abs(corpus.frames(song) - truth).max() <= 0.5 / FRAME_SCALE + 1e-6


def test_a_corpus_opens_again(corpus, data, tmp_path):
    build(data, tmp_path)
    assert Corpus(tmp_path).songs == corpus.songs


def test_a_short_clip_fills_its_window_by_repetition(corpus):
    clip = corpus.songs[-1]
    window = fill_window(corpus.frames(clip))
    assert window.shape == (187, 96)
    np.testing.assert_array_equal(window[150:], corpus.frames(clip)[:37])


def test_quantising_clips_what_eight_bits_cannot_hold():
    assert quantise(np.array([[-1.0, 0.5, 99.0]], np.float32)).tolist() == [[0, 18, 255]]


def test_a_folder_without_a_corpus_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no training corpus"):
        Corpus(tmp_path)


def test_missing_data_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"emotify\.csv"):
        build(tmp_path, tmp_path / "corpus")
