from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from songprint.errors import ModelError, UsageError
from songprint.genre.background import FILE, load_background, write_background
from songprint.genre.head import GenreHead
from songprint.genre.personal import (
    MIN_SONGS,
    OTHER,
    STRENGTHS,
    Examples,
    PersonalHead,
    apply,
    artist_folds,
    conclude,
    learn,
    load_personal,
    out_of_fold,
    regress,
    shortcomings,
    softmax,
    with_accuracy,
)

SHA256 = "0" * 64


def made_up(
    *,
    labels: tuple[str, ...] = ("grunge", "shoegaze"),
    artists: int = 6,
    songs: int = 3,
    of_label: float = 1.0,
    of_artist: float = 1.0,
    dimensions: int = 64,
    seed: int = 0,
) -> Examples:
    """Return unit vectors: a direction of the label's, one of the artist's, and noise."""
    rng = np.random.default_rng(seed)
    rows, names, by = [], [], []
    for label in labels:
        of = of_label * rng.standard_normal(dimensions)
        for artist in range(artists):
            centre = of + of_artist * rng.standard_normal(dimensions)
            for _ in range(songs):
                row = centre + rng.standard_normal(dimensions)
                rows.append(row / np.linalg.norm(row))
                names.append(label)
                by.append(f"{label} artist {artist}")
    return Examples(np.array(rows, np.float32), np.array(names), np.array(by))


def share_right(examples: Examples, probabilities: np.ndarray) -> float:
    called = np.array(examples.classes)[probabilities.argmax(axis=1)]
    return float((called == examples.labels).mean())


@pytest.fixture(scope="module")
def personal() -> PersonalHead:
    return with_accuracy(learn(made_up(), "mine", SHA256)[0], 33, 36, 0.78, 0.97)


def test_labels_that_differ_are_told_on_artists_not_learnt_from() -> None:
    examples = made_up(labels=("a", "b", "c", "d"), of_label=1.5)
    _, held_out = learn(examples, "mine", SHA256)
    assert share_right(examples, held_out) > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_an_artists_sound_is_not_taken_for_a_genre(seed: int) -> None:
    confounded = made_up(of_label=0.0, of_artist=2.0, artists=3, songs=6, seed=seed)
    assert share_right(confounded, out_of_fold(confounded)) < 0.7
    every_song_alone = np.array([str(i) for i in range(len(confounded.labels))])
    plain = Examples(confounded.embeddings, confounded.labels, every_song_alone)
    assert share_right(plain, out_of_fold(plain)) > 0.95


def test_no_song_is_judged_by_a_head_that_met_its_artist() -> None:
    examples = made_up(labels=("a", "b"), artists=2, songs=6)
    embeddings = examples.embeddings.copy()
    probabilities = out_of_fold(examples)
    one = examples.artists == "a artist 0"
    # Whatever a song of an artist is like, the others of that artist are judged the same.
    embeddings[np.flatnonzero(one)[0]] = -embeddings[np.flatnonzero(one)[0]]
    changed = out_of_fold(Examples(embeddings, examples.labels, examples.artists))
    np.testing.assert_array_equal(changed[one][1:], probabilities[one][1:])


def test_the_penalty_is_chosen_without_the_artists_that_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def spy(examples: Examples) -> float:
        asked.append(set(examples.artists))
        return STRENGTHS[0]

    monkeypatch.setattr("songprint.genre.personal.choose_strength", spy)
    examples = made_up(artists=5)
    out_of_fold(examples)
    assert len(asked) == 5
    assert set.intersection(*asked) == set()


def test_embeddings_need_not_lie_around_nothing() -> None:
    examples = made_up(of_label=1.5)
    elsewhere = replace(examples, embeddings=examples.embeddings + np.float32(3))
    for songs in (examples, elsewhere):
        weights, bias = regress(songs, songs.classes, 0.1)
        assert share_right(songs, softmax(songs.embeddings @ weights + bias)) == 1


def test_what_was_always_right_is_as_sure_as_one_more_song_of_each_label_allows() -> None:
    examples = made_up(artists=5, songs=1)
    certain = np.where(examples.labels[:, None] == np.array(examples.classes), 0.999, 0.001)
    _, held_out = conclude(examples, "mine", SHA256, certain, 0.1)
    np.testing.assert_allclose(held_out.max(axis=1), 11 / 12, atol=0.002)


def test_only_what_is_right_often_enough_is_called_sure() -> None:
    examples = made_up(artists=5, songs=1)
    own = examples.labels[:, None] == np.array(examples.classes)
    told = np.where(own, 0.95, 0.05)
    told[:2], told[5:7] = [0.4, 0.6], [0.6, 0.4]  # wrong, and not sure
    personal, held_out = conclude(examples, "mine", SHA256, told, 0.1)
    sure = held_out.max(axis=1) >= personal.head.threshold
    assert sure.tolist() == [False] * 2 + [True] * 3 + [False] * 2 + [True] * 3


def test_each_label_is_learnt_from_where_it_is_judged_though_artists_have_several() -> None:
    songs = [("a", "x", 4), ("a", "y", 4), ("b", "x", 4), ("b", "z", 5)]
    labels = np.array([label for label, _, n in songs for _ in range(n)])
    artists = np.array([artist for _, artist, n in songs for _ in range(n)])
    for fold in artist_folds(Examples(np.zeros((17, 1), np.float32), labels, artists)):
        assert not set(artists[fold]) & set(artists[~fold])
        assert set(labels[~fold]) == {"a", "b"}


def test_a_dozen_songs_and_a_background_make_one_genre() -> None:
    genre = made_up(labels=("grunge",), artists=6, songs=2, of_label=1.5)
    rest = made_up(labels=(OTHER,), artists=40, songs=2, of_label=0.0, seed=1)
    both = Examples(
        np.concatenate([genre.embeddings, rest.embeddings]),
        np.concatenate([genre.labels, rest.labels]),
        np.concatenate([genre.artists, rest.artists]),
    )
    personal, held_out = learn(both, "grunge", SHA256)
    assert personal.head.classes == ("grunge", OTHER)
    assert share_right(both, held_out) > 0.9


def test_what_cannot_be_told_is_not_told_with_confidence() -> None:
    hopeless = made_up(of_label=0.0, artists=10, songs=2)
    _, held_out = learn(hopeless, "mine", SHA256)
    assert held_out.max(axis=1).mean() < 0.7


def test_few_songs_that_are_all_told_right_do_not_make_it_certain() -> None:
    _, held_out = learn(made_up(of_label=5.0, of_artist=0.1, artists=4, songs=2), "mine", SHA256)
    assert held_out.max() < 0.99


def test_learning_is_repeatable() -> None:
    first, second = (learn(made_up(), "mine", SHA256)[0].to_json() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        (made_up(artists=2, songs=3), "6 songs, 8 are needed"),
        (made_up(artists=1, songs=12), "grunge: all songs are by one artist"),
        (made_up(labels=("grunge",)), "at least two labels are needed to tell apart, there is gr"),
    ],
)
def test_what_the_songs_cannot_support_is_refused_in_one_line(
    examples: Examples, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        learn(examples, "mine", SHA256)
    assert "\n" not in str(caught.value)


def test_shortcomings_name_the_labels_that_have_some() -> None:
    good, few = made_up(labels=("good",)), made_up(labels=("few",), artists=1, songs=1)
    both = Examples(
        np.concatenate([good.embeddings, few.embeddings]),
        np.concatenate([good.labels, few.labels]),
        np.concatenate([good.artists, few.artists]),
    )
    assert shortcomings(both) == {"few": f"1 song, {MIN_SONGS} are needed"}


def test_a_refusal_names_those_that_lack_most_and_counts_the_others() -> None:
    few = [made_up(labels=(f"genre {n}",), artists=1, songs=n) for n in range(1, 8)]
    examples = Examples(
        np.concatenate([one.embeddings for one in reversed(few)]),
        np.concatenate([one.labels for one in reversed(few)]),
        np.concatenate([one.artists for one in reversed(few)]),
    )
    with pytest.raises(UsageError) as caught:
        learn(examples, "mine", SHA256)
    assert str(caught.value) == (
        "genre 1: 1 song, 8 are needed; genre 2: 2 songs, 8 are needed; "
        "genre 3: 3 songs, 8 are needed; 4 more of 7 genres lack songs or artists"
    )


def test_an_artist_of_two_labels_is_in_one_fold_and_learning_works() -> None:
    examples = made_up(artists=2, songs=6)
    shared = np.char.replace(examples.artists, "shoegaze", "grunge")
    both = Examples(examples.embeddings, examples.labels, shared)
    _, held_out = learn(both, "mine", SHA256)
    np.testing.assert_allclose(held_out.sum(axis=1), 1)


def test_apply_gives_every_label_the_likeliest_first(personal: PersonalHead) -> None:
    told = apply(personal, made_up().embeddings[0])
    assert next(iter(told)) == "grunge"
    assert list(told.values()) == sorted(told.values(), reverse=True)
    assert sum(told.values()) == pytest.approx(1)


def test_a_head_is_read_as_it_was_written(personal: PersonalHead, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(personal.to_json())
    read = load_personal(path, SHA256)
    assert (read.name, read.songs, read.artists, read.accuracy) == (
        personal.name,
        {"grunge": 18, "shoegaze": 18},
        {"grunge": 6, "shoegaze": 6},
        {"right": 33, "songs": 36, "low": 0.78, "high": 0.97},
    )
    embedding = made_up().embeddings[5]
    assert apply(read, embedding) == pytest.approx(apply(personal, embedding), abs=1e-4)
    assert len(read.sha256) == 64


def test_its_file_is_that_of_a_genre_head_with_facts(personal: PersonalHead) -> None:
    head = GenreHead.from_json(personal.to_json())
    assert head.classes == ("grunge", "shoegaze")
    assert head.encoder_sha256 == SHA256


def test_a_head_of_another_encoder_is_refused(personal: PersonalHead, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(personal.to_json())
    with pytest.raises(ModelError, match="train it again"):
        load_personal(path, "1" * 64)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"personal": "x"}', "null"])
def test_what_is_no_head_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"mine\.json: not a"):
        load_personal(path, SHA256)


def test_the_packages_own_head_is_no_personal_one(personal: PersonalHead) -> None:
    with pytest.raises(ModelError, match="not a personal genre head"):
        PersonalHead.from_json(personal.head.to_json())


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no personal genres can be read here: No such file"):
        load_personal(tmp_path / "none.json", SHA256)


def test_a_name_may_hold_any_character() -> None:
    name = 'a "name"\n\u2028'
    personal, _ = learn(made_up(), name, SHA256)
    assert json.loads(personal.to_json())["personal"] == name


def test_a_background_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = made_up(artists=3, songs=2)
    write_background(tmp_path / FILE, rows.embeddings, rows.artists, SHA256)
    background = load_background(SHA256, tmp_path)
    assert background is not None
    np.testing.assert_allclose(background.embeddings, rows.embeddings, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(background.embeddings, axis=1), 1, atol=1e-6)
    assert set(background.labels) == {OTHER}
    assert len(set(background.artists)) == 6
    assert not set(background.artists) & set(rows.artists)


def test_a_background_of_another_encoder_or_none_is_no_background(tmp_path: Path) -> None:
    assert load_background(SHA256, tmp_path) is None
    rows = made_up()
    write_background(tmp_path / FILE, rows.embeddings, rows.artists, SHA256)
    assert load_background("1" * 64, tmp_path) is None
    (tmp_path / FILE).write_bytes(b"damaged")
    assert load_background(SHA256, tmp_path) is None
