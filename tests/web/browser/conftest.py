from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from support.browsing import SLOW_MS, watched
from support.requiring import do_without
from support.serving import Client, serving
from support.shelves import library_of, small_song

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required"
)

expect.set_options(timeout=SLOW_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as Debian packages it; SONGPRINT_REQUIRE_ALL=1 forbids doing without."""
    place = shutil.which("chromium") or shutil.which("chromium-browser")
    if place is None:
        do_without("there is no chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Browser, client: Client) -> Iterator[Page]:
    """A tab of a desktop's size at a server of three songs; it fails the test if it misbehaves."""
    yield from watched(browser, client)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A server of six songs of eight seconds."""
    files = [
        small_song(tmp_path / "music" / f"{n}.flac", n, 8.0, title=f"song {n}", artist=f"artist{n}")
        for n in range(6)
    ]
    with serving(library_of(tmp_path / "library", *files).path) as client:
        yield client
