"""Commands of the command line, given on the page in a real Chromium."""

from __future__ import annotations

import json
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from songprint.library.exporting import export_songs
from songprint.library.importing import import_songs
from songprint.library.store import Library
from support.browsing import SLOW_MS, watched
from support.requiring import do_without
from support.serving import Client
from support.shelves import library_of, small_song

pytestmark = pytest.mark.xdist_group("chromium")


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Twenty songs of two kinds, a folder each."""
    for n in range(20):
        kind = "rock" if n < 10 else "jazz"
        small_song(tmp_path / "sorted" / kind / f"{n}.flac", n, 2.0, artist=f"{kind} {n % 5}")
    return tmp_path / "sorted"


def test_a_song_is_saved_as_a_picture(tab: Page) -> None:
    tab.goto("/")
    tab.get_by_role("link", name="song 2").click()
    with tab.expect_download() as saved:
        tab.get_by_role("button", name="Save a picture").click()
    assert saved.value.suggested_filename == "song 2.png"
    assert saved.value.path().read_bytes()[:4] == b"\x89PNG"


def test_what_was_exported_is_imported(tab: Page, tmp_path: Path) -> None:
    tab.goto("/")
    tab.get_by_role("button", name="Share …").click()
    dialog = tab.get_by_role("dialog", name="Share")
    dialog.get_by_role("button", name="Export").click()
    expect(dialog).to_contain_text("6 songs written")
    with tab.expect_download() as saved:
        dialog.get_by_role("button", name="songprint.parquet").click()
    saved.value.save_as(tmp_path / "theirs.parquet")
    with tab.expect_file_chooser() as chooser:
        dialog.locator("label", has_text="Import a file").click()
    chooser.value.set_files(tmp_path / "theirs.parquet")
    expect(dialog.locator("[data-imported='1']")).to_contain_text("6 that you have")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


def test_songs_of_others_are_forgotten(tab: Page, client: Client, tmp_path: Path) -> None:
    theirs = library_of(tmp_path / "ben", small_song(tmp_path / "theirs" / "one.flac", 77))
    export_songs(theirs, tmp_path / "ben.parquet")
    import_songs(Library.open(tmp_path / "library"), tmp_path / "ben.parquet")
    tab.goto("/")
    tab.get_by_role("button", name="Share …").click()
    dialog = tab.get_by_role("dialog", name="Share")
    expect(dialog).to_contain_text("ben.parquet: 1 song")
    dialog.get_by_role("button", name="Forget ben.parquet").click()
    tab.get_by_role("dialog", name="Take the songs").get_by_role("button", name="Forget").click()
    expect(dialog).not_to_contain_text("ben.parquet")
    assert client.get("/api/imported").json == []


def test_a_file_that_is_no_export_is_refused_in_a_line(tab: Page, tmp_path: Path) -> None:
    (tmp_path / "no.parquet").write_bytes(b"no songs at all")
    tab.goto("/")
    tab.get_by_role("button", name="Share …").click()
    with tab.expect_file_chooser() as chooser:
        tab.locator("label", has_text="Import a file").click()
    chooser.value.set_files(tmp_path / "no.parquet")
    expect(tab.get_by_role("dialog", name="Share")).to_contain_text("no.parquet", timeout=SLOW_MS)
    expect(tab.locator("[data-imported='1']")).to_have_count(0)


def test_music_that_is_sorted_by_genre_is_measured(tab: Page, labelled: Path) -> None:
    tab.goto("/genres?tab=accuracy")
    panel = tab.get_by_role("region", name="Measure on your music")
    panel.get_by_label("Folder").fill(str(labelled))
    panel.get_by_role("button", name="Measure").click()
    expect(panel.locator("[data-measured='20']")).to_contain_text("20 songs of 2 genres heard")
    for name in ("With the genres that songprint knows", "With your genres"):
        score = panel.get_by_role("region", name=name)
        expect(score).to_contain_text(re.compile(r"\d+% right: \d+ of 20 songs"))
        expect(score).to_contain_text(re.compile(r"\d+% to \d+% would be"))
        matrix = score.get_by_role("table", name="What is mistaken for what")
        cells = matrix.locator("td[title$='rock called rock'], td[title$='jazz called jazz']")
        expect(cells).to_have_count(2)
    with tab.expect_download() as saved:
        panel.get_by_role("button", name="Save the figures").click()
    assert json.loads(saved.value.path().read_text())["songs"] == 20


def test_the_encoder_is_fine_tuned_from_the_page(tab: Page, labelled: Path) -> None:
    if find_spec("torch") is None:
        do_without("there is no PyTorch")
    tab.goto("/genres?tab=mine")
    tab.get_by_label("What to call them together").fill("deep")
    tab.get_by_label("Or all of a folder").fill(str(labelled))
    tab.get_by_label("Fine-tune").check()
    panel = tab.get_by_role("region", name="Teach genres")
    panel.get_by_role("button", name="Learn").click()
    expect(panel.get_by_role("progressbar")).to_be_visible()
    expect(panel.locator("[data-learnt=deep]")).to_contain_text(re.compile(r"\d+ of 20 songs"))
    expect(panel.locator("[data-finetuned]")).to_contain_text("with the fine-tuned one")
    expect(tab.get_by_role("button", name="Forget deep")).to_be_visible()


def test_a_file_is_heard_by_genres_that_were_taught(
    tab: Page, client: Client, labelled: Path
) -> None:
    asked = {"name": "evening", "folder": str(labelled)}
    assert client.job(client.post("/api/train", asked))["error"] is None
    tab.goto("/add")
    tab.get_by_label("Whose genres").select_option("evening")
    with tab.expect_file_chooser() as chooser:
        tab.get_by_role("region", name="Classify files").locator("label.button").click()
    chooser.value.set_files(labelled / "rock" / "0.flac")
    bars = tab.locator("[data-heard] .bars .bar")
    expect(bars).to_have_count(2)
    tab.goto("/genres?tab=mine")
    tab.get_by_role("button", name="Forget evening").click()
    tab.get_by_role("dialog").get_by_role("button", name="Forget").click()
    expect(tab.get_by_text("None yet.")).to_be_visible()


def test_a_folder_is_taken_out_of_the_library(tab: Page, client: Client) -> None:
    tab.goto("/add")
    tab.get_by_role("button", name="Forget").click()
    tab.get_by_role("dialog").get_by_role("button", name="Forget").click()
    expect(tab.get_by_text("6 files forgotten")).to_be_visible()
    expect(tab.get_by_role("region", name="Added before")).to_have_count(0)
    assert client.get("/api/library").json["songs"] == 0


def test_typical_songs_are_drawn_and_saved(tab: Page) -> None:
    tab.goto("/genres")
    panel = tab.get_by_role("region", name="Pictures of genres")
    panel.get_by_role("button", name="Draw").click()
    expect(panel).to_contain_text("files to save")
    with tab.expect_download() as saved:
        panel.get_by_role("button", name="gallery.html").click()
    assert saved.value.suggested_filename == "gallery.html"


def test_fine_tuning_without_pytorch_says_what_is_missing(
    browser: Browser, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for page in watched(browser, client, forgiven="409"):
        page.goto("/genres?tab=mine")
        page.get_by_label("What to call them together").fill("mine")
        group = page.get_by_role("group", name="Genre 1")
        group.get_by_label("Name", exact=True).fill("songs")
        group.get_by_label("Words that all songs").fill("song")
        group.get_by_role("button", name="Add all that are named so").click()
        expect(group).to_contain_text("6 songs")
        page.get_by_label("Fine-tune").check()
        page.get_by_role("button", name="Learn").click()
        expect(page.get_by_text("songprint[train]")).to_be_visible()
