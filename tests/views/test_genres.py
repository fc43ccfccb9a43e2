"""Genres side by side: whose songs are taken, which stand for them, what is drawn and said."""

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from songprint.datasets.core import Track
from songprint.fingerprints import Fingerprint
from songprint.views import genres as figures
from songprint.views import writing
from songprint.views.bands import band_centres_hz
from songprint.views.gallery import Gallery, Genre, Member, collect, select
from songprint.views.numbers import NUMBERS
from songprint.views.report import make_page
from songprint.views.signals import measure
from songprint.views.style import render
from support.drawing import noise, picture
from support.madeup import made_up, made_up_descriptors, silent_descriptors


def heard(angle: float = 0.0, bpm: float | None = 120.0, content_hash: str = "0") -> Fingerprint:
    """Return a fingerprint in a direction, with a tempo."""
    descriptors = made_up_descriptors()
    beat = replace(descriptors.beat, tempo_bpm=bpm)
    embedding = np.zeros(256, np.float32)
    embedding[:2] = np.cos(angle), np.sin(angle)
    made = made_up(n=2, descriptors=replace(descriptors, beat=beat))
    return replace(made, embedding=embedding, content_hash=content_hash)


def member(path: str, genre: str, fingerprint: Fingerprint, *, artist: str | None = None) -> Member:
    spectrum = -30 - 10 * np.log10(band_centres_hz() / 1000)
    return Member(path, genre, artist, fingerprint, spectrum.astype(np.float32), -12.0)


@pytest.fixture
def gallery() -> Gallery:
    """Two genres of twelve songs, slow and fast, and one of two songs."""
    rng = np.random.default_rng(0)
    songs = [
        member(
            f"{name}-{i}.mp3", name, heard(rng.normal(), bpm + i, f"{name} {i}"), artist=f"by {i}"
        )
        for name, bpm, n in (("slow", 60, 12), ("fast", 160, 12), ("a <b> & |c|", 100, 2))
        for i in range(n)
    ]
    return Gallery("a set", collect(songs, 40)[0], labelled=True, notes=("a note",))


def chosen(gallery: Gallery) -> dict[str, Member]:
    return {genre.name: genre.by_typicality()[0] for genre in gallery.genres}


def test_the_song_nearest_to_the_mean_stands_for_its_genre():
    angles = {"left.mp3": -0.5, "middle.mp3": 0.1, "right.mp3": 0.6}
    songs = [member(path, "g", heard(angle)) for path, angle in angles.items()]
    typical = [song.path for song in Genre("g", tuple(songs)).by_typicality()]
    assert typical == ["middle.mp3", "right.mp3", "left.mp3"]


def test_equally_typical_songs_are_in_the_order_of_their_paths():
    songs = [member(path, "g", heard()) for path in ("b", "c", "a")]
    assert [song.path for song in Genre("g", tuple(songs)).by_typicality()] == ["a", "b", "c"]


def test_a_recording_counts_once_and_not_at_all_with_two_genres():
    songs = [
        member("1", "rock", heard(content_hash="x")),
        member("2", "rock", heard(content_hash="x")),
        member("3", "rock", heard(content_hash="y")),
        member("4", "jazz", heard(content_hash="y")),
    ]
    found, notes = collect(songs, 40)
    assert [(genre.name, [m.path for m in genre.members]) for genre in found] == [("rock", ["1"])]
    assert notes == [
        "1 file left out: recordings that another file holds as well",
        "1 left out: recordings that carry more than one genre",
    ]


def tracks(n: int, artists: int = 1000) -> list[Track]:
    return [Track(f"{i}", Path(f"{i}.mp3"), ("rock",), f"artist {i % artists}") for i in range(n)]


def test_songs_are_drawn_by_lot_but_always_the_same():
    one, other = (select(order, 10) for order in (tracks(50), tracks(50)[::-1]))
    assert [t.id for t in one.tracks] == [t.id for t in other.tracks]
    assert [t.id for t in one.tracks] != [str(i) for i in range(10)]
    assert one.of == {"rock": 50}


def test_songs_are_drawn_from_as_many_artists_as_there_are():
    assert len({t.artist for t in select(tracks(60, artists=6), 6).tracks}) == 6


def test_genres_are_compared_in_every_descriptor(gallery):
    compared = gallery.compared()
    assert {item.number.key for item in compared} == {number.key for number in NUMBERS}
    first = compared[0]
    assert first.number.key == "tempo_bpm"
    assert first.effect.furthest.more == "fast"
    assert first.spreads["slow"].median == 65.5
    assert first.to_rest["fast"].delta == 1
    assert first.p_adjusted < 0.1


def test_descriptors_of_silence_are_not_known():
    silent = made_up(descriptors=silent_descriptors())
    assert [number.of(silent) for number in NUMBERS] == [None] * len(NUMBERS)


def test_figures_of_genres_are_pictures(gallery):
    signals = measure([noise(2)], figures.GENRE_KINDS)
    songs = {name: (song, signals) for name, song in chosen(gallery).items()}
    drawn = [
        figures.draw_genres(gallery, songs),
        figures.draw_spectra(gallery),
        figures.draw_numbers(gallery, gallery.compared()),
    ]
    for figure in drawn:
        assert len(np.unique(picture(render(figure, "png", 80)))) > 50
        words = " ".join(text.get_text() for text in figure.texts)
        assert "Genres as labelled in a set" in words


def test_figures_say_when_the_genres_are_songprint_s_opinion(gallery):
    own = Gallery(gallery.title, gallery.genres, labelled=False)
    words = " ".join(text.get_text() for text in figures.draw_spectra(own).texts)
    assert "songprint's own opinion" in words
    page = make_page(own, own.compared(), chosen(own), {})
    assert "its own doing" in writing.to_markdown(page)


def test_the_page_tells_what_marks_a_genre_and_escapes_names(gallery):
    page = make_page(gallery, gallery.compared(), chosen(gallery), {"f.png": ("F", "a figure")})
    text = writing.to_markdown(page)
    assert "| fast | tempo higher (δ 1.00) |" in text
    assert "| slow | tempo lower (δ 1.00) |" in text
    assert "a \\<b\\> & \\|c\\|" in text
    assert "![a figure](f.png)" in text
    assert "a note." in text
    html = writing.to_html(page)
    assert "a &lt;b&gt; &amp; |c|" in html
    assert "<b>" not in html


def test_the_page_is_well_formed_and_can_hold_its_figures(gallery):
    page = make_page(gallery, gallery.compared(), chosen(gallery), {"f.png": ("F", "a figure")})
    html = writing.to_html(page, {"f.png": b"\x89PNG"})
    assert 'src="data:image/png;base64,iVBORw=="' in html
    checker = _Nesting()
    checker.feed(html)
    assert checker.open == []


class _Nesting(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, _attributes):
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_tables_hold_every_song_descriptor_and_genre(gallery):
    compared = gallery.compared()
    songs = list(csv.DictReader(io.StringIO(writing.songs_csv(gallery, chosen(gallery)))))
    assert len(songs) == gallery.songs
    assert [song["drawn"] for song in songs].count("yes") == len(gallery.genres)
    assert songs[-1]["tempo_bpm"] == "69"
    rows = list(csv.DictReader(io.StringIO(writing.descriptors_csv(compared))))
    assert len(rows) == len(NUMBERS) * len(gallery.genres)
    (slow,) = [r for r in rows if (r["descriptor"], r["genre"]) == ("tempo_bpm", "slow")]
    assert (slow["median"], slow["delta_to_rest"]) == ("65.5", "-1.0000")
    (effect, *_) = csv.DictReader(io.StringIO(writing.effects_csv(compared)))
    assert (effect["descriptor"], effect["more"], effect["less"]) == ("tempo_bpm", "fast", "slow")


def test_one_genre_of_one_song_is_drawn_without_comparisons():
    one = Gallery("one", (Genre("rock", (member("1", "rock", heard()),)),), labelled=True)
    compared = one.compared()
    assert all(item.effect is None for item in compared)
    assert picture(render(figures.draw_numbers(one, compared), "png", 60)).size
    page = make_page(one, compared, chosen(one), {})
    assert [table.title for table in page.tables] == ["The genres", "Descriptors by genre"]
    assert page.summary[0].startswith("1 song, 1 genre.")
