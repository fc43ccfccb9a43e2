"""The figure of songs: real files, the same scales for all, readable whatever the title."""

import warnings

import numpy as np
import pytest

from songprint.views.kinds import KINDS
from songprint.views.portrait import duration, leading_genres, titles_of
from songprint.views.songs import draw_songs
from songprint.views.style import drawable, fit, render, shortened, undrawable, width_of
from support.drawing import is_svg, noise, picture, portrait
from support.madeup import made_up


@pytest.fixture(scope="module")
def rows():
    return [portrait(noise(4, level), f"song {level}") for level in (0.2, 0.02)]


def boxes(figure):
    return [axes.get_position() for axes in figure.axes]


@pytest.mark.parametrize("kinds", [KINDS, *([kind] for kind in KINDS)])
def test_every_kind_is_drawn_as_a_picture(rows, kinds):
    figure = draw_songs(rows, kinds)
    pixels = picture(render(figure, "png", 100))
    across, down = figure.get_size_inches() * 100
    assert pixels.shape[:2] == pytest.approx((down, across), abs=1)
    assert len(np.unique(pixels)) > 50


def test_vector_files_are_what_they_are_called(rows):
    assert is_svg(render(draw_songs(rows, KINDS), "svg", 100))
    data = render(draw_songs(rows, KINDS), "pdf", 100)
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_figure_is_the_same_file(rows, suffix):
    one, other = (render(draw_songs(rows, ["waveform", "mel"]), suffix, 72) for _ in range(2))
    assert one == other


def test_loud_and_soft_songs_have_the_same_scales(rows):
    figure = draw_songs(rows, ["waveform", "spectrum", "spectrogram"])
    shown = [axes for axes in figure.axes if axes.images or axes.lines or axes.collections]
    pictures = [image for axes in shown for image in axes.images]
    assert len({image.get_clim() for image in pictures}) == 1
    for label in ("dBFS per 1/12 octave", "Hz"):
        limits = {axes.get_ylim() for axes in shown if axes.get_ylabel() == label}
        assert len(limits) == 1
    loud, soft = (image.get_array().mean() for image in pictures)
    assert loud - soft == pytest.approx(20, abs=0.5)


def test_all_songs_share_the_time_unless_they_are_stretched():
    rows = [portrait(noise(seconds), kinds=("waveform",)) for seconds in (1, 3)]
    for stretch, ends in ((False, [3, 3]), (True, [1, 3])):
        figure = draw_songs(rows, ["waveform"], stretch=stretch)
        assert [axes.get_xlim()[1] for axes in figure.axes] == pytest.approx(ends)


def test_a_figure_says_what_its_levels_refer_to(rows):
    words = " ".join(text.get_text() for text in draw_songs(rows, ["spectrogram"]).texts)
    assert "0 dBFS is a mean square of 1" in words
    assert "0 to 8 kHz" in words
    assert "the same time scale" in words


def test_no_two_panels_overlap(rows):
    places = boxes(draw_songs(rows, KINDS))
    for i, one in enumerate(places):
        assert one.x0 >= 0
        assert one.y0 >= 0
        assert one.x1 <= 1
        assert one.y1 <= 1
        for other in places[i + 1 :]:
            apart = one.x1 <= other.x0 or other.x1 <= one.x0
            assert apart or one.y1 <= other.y0 or other.y1 <= one.y0


@pytest.mark.parametrize("kinds", [["fingerprint"], ["spectrum"], ["waveform"], KINDS])
def test_all_text_lies_within_the_picture(rows, kinds):
    figure = draw_songs(rows, kinds)
    across, down = figure.get_size_inches() * figure.dpi
    for text in figure.texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= across
        assert box.y1 <= down


@pytest.mark.parametrize(
    "title",
    [
        "a" * 250,
        "日本語の題名" * 20,
        "$x_1$ \\frac{1}{",
        "مرحبا بالعالم",
        "tab\tnew\nline",
        "🎵",
        "_x",
        "",
    ],
)
def test_any_title_fits_and_is_drawn_without_a_warning(title):
    row = portrait(noise(0.5), title, kinds=("waveform",))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw_songs([row], ["waveform"])
        assert picture(render(figure, "png", 72)).size
    assert all(width_of(text) < figure.get_size_inches()[0] for text in figure.texts)


def test_letters_without_a_glyph_become_boxes():
    assert drawable("a\U0010ffffb") == "a□b"
    assert undrawable("a\U0010ffffb\U0010ffff") == "\U0010ffff"


def test_a_long_text_loses_its_middle():
    assert shortened("abcdefghi", 6) == "abcd…hi"
    figure = draw_songs([portrait(noise(0.5), kinds=("waveform",))], ["waveform"])
    text = figure.text(0, 0, "a title that is too long for an inch")
    fit(text, 1.0)
    assert width_of(text) <= 1
    assert text.get_text().startswith("a t")
    assert "…" in text.get_text()


@pytest.mark.parametrize("samples", [np.zeros(1, np.float32), np.zeros(32_000, np.float32)])
def test_silence_of_any_length_is_drawn(samples):
    assert picture(render(draw_songs([portrait(samples)], KINDS), "png", 60)).size


def test_a_huge_figure_gets_fewer_dots(rows, monkeypatch):
    monkeypatch.setattr("songprint.views.style.MAX_PIXELS", 100_000)
    pixels = picture(render(draw_songs(rows, ["waveform"]), "png", 600))
    assert 80_000 < pixels.shape[0] * pixels.shape[1] <= 101_000


def test_only_genres_that_can_be_seen_have_a_colour():
    assert leading_genres([made_up(p=0.9)]) == ("jazz", "reggae")


def test_titles_tell_files_of_one_name_apart():
    assert titles_of(["x/a/1.mp3", "x/b/1.mp3", "x/b/2.mp3"]) == ["a/1.mp3", "b/1.mp3", "2.mp3"]
    assert titles_of(["1.mp3", "1.mp3"]) == ["1.mp3", "1.mp3"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.001, "< 0.01 s"), (2, "2 s"), (61, "1:01 min"), (3661, "1:01:01 h")]
)
def test_durations_have_units(seconds, words):
    assert duration(seconds) == words
