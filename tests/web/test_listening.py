"""The Listen button in a real Chromium, whose microphone plays a part of a song."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from songprint.audio.mel import SAMPLE_RATE_HZ
from songprint.library.ingest import add_folders
from songprint.library.store import Library
from support.audiofiles import write_audio
from support.clips import cut, tune, with_noise
from support.requiring import do_without
from support.serving import Client, serving

FLAGS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--autoplay-policy=no-user-gesture-required --use-fake-device-for-media-stream"
)
SLOW_MS = 60_000
PLACE_SECONDS = 6.0

pytestmark = pytest.mark.xdist_group("chromium")


@pytest.fixture(scope="module")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server of three tunes of twenty seconds, that were really added."""
    folder = tmp_path_factory.mktemp("listening")
    (folder / "music").mkdir()
    for n in range(3):
        write_audio(
            folder / "music" / f"{n}.flac",
            tune(n),
            SAMPLE_RATE_HZ,
            metadata={"title": f"tune {n}", "artist": "nobody"},
        )
    library = Library.open(folder / "library", create=True)
    add_folders(library, [str(folder / "music")], workers=1)
    with serving(library.path) as client:
        yield client


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    if shutil.which("chromium") is None:
        do_without("there is no chromium")
    with sync_playwright() as playwright:
        yield playwright


def chromium(playwright: Playwright, *flags: str) -> Browser:
    place = shutil.which("chromium")
    return playwright.chromium.launch(executable_path=place, args=[*FLAGS.split(), *flags])


def at_the_page(browser: Browser, client: Client, *permissions: str) -> Page:
    context = browser.new_context(base_url=client.address, permissions=list(permissions))
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    page.goto("/identify")
    page.wait_for_selector("main[data-ready]")
    return page


def listen_to(playwright: Playwright, client: Client, sound: Path) -> Iterator[Page]:
    browser = chromium(playwright, f"--use-file-for-fake-audio-capture={sound}%noloop")
    page = at_the_page(browser, client, "microphone")
    page.get_by_role("button", name="Listen").click()
    yield page
    browser.close()


def test_a_song_that_plays_is_named_and_goes_on(
    playwright: Playwright, tunes: Client, tmp_path: Path
) -> None:
    heard = with_noise(cut(tune(1), PLACE_SECONDS, 12.0), 15.0)
    sound = write_audio(tmp_path / "heard.wav", heard, SAMPLE_RATE_HZ)
    for page in listen_to(playwright, tunes, sound):
        expect(page.get_by_role("button", name="Stop listening")).to_contain_text(
            re.compile(r"[1-8] s"), timeout=SLOW_MS
        )
        expect(page.get_by_role("meter")).not_to_have_attribute(
            "aria-valuenow", "-60", timeout=SLOW_MS
        )
        found = page.locator("[data-answer]")
        expect(found).to_contain_text("tune 1", timeout=SLOW_MS)
        expect(found).to_contain_text("%")
        place = re.search(r"0:(\d\d) of 0:20", found.inner_text())
        assert place is not None
        assert int(place[1]) == pytest.approx(PLACE_SECONDS, abs=2)
        page.get_by_role("button", name="Play from").click()
        page.wait_for_timeout(500)
        assert page.evaluate("songprint.player.time") >= int(place[1]) - 1
        assert page.evaluate("songprint.player.song.title") == "tune 1"


def test_what_is_not_in_the_library_is_no_match(
    playwright: Playwright, tunes: Client, tmp_path: Path
) -> None:
    sound = write_audio(tmp_path / "heard.wav", cut(tune(77), 2.0, 12.0), SAMPLE_RATE_HZ)
    for page in listen_to(playwright, tunes, sound):
        expect(page.locator("[data-answer=none]")).to_contain_text("No match", timeout=SLOW_MS)


def test_a_clip_is_dropped(playwright: Playwright, tunes: Client, tmp_path: Path) -> None:
    clip = write_audio(tmp_path / "clip.ogg", cut(tune(2), 5.0, 6.0), SAMPLE_RATE_HZ)
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no sound" * 100)
    browser = chromium(playwright)
    page = at_the_page(browser, tunes)
    with page.expect_file_chooser() as chooser:
        page.locator("label", has_text="Choose files").click()
    chooser.value.set_files([clip, broken])
    expect(page.get_by_text("tune 2")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("[data-answer=trouble]")).to_contain_text("broken.mp3", timeout=SLOW_MS)
    browser.close()


def test_a_microphone_that_is_not_lent_is_told(playwright: Playwright, tunes: Client) -> None:
    browser = chromium(playwright, "--deny-permission-prompts")
    page = at_the_page(browser, tunes)
    page.get_by_role("button", name="Listen").click()
    expect(page.locator("[data-answer=trouble]")).to_contain_text("not allowed", timeout=SLOW_MS)
    expect(page.get_by_role("button", name="Listen")).to_be_enabled()
    browser.close()
