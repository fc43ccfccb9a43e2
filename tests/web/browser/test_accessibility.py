"""What axe-core finds at fault on the pages, their dialogs and their results."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from support.browsing import PAGES, watched
from support.serving import Client

pytestmark = pytest.mark.xdist_group("chromium")

SEEN = [
    pytest.param("light", 1280, id="light and wide"),
    pytest.param("dark", 380, id="dark and narrow"),
]


def faults(page: Page) -> list[str]:
    """Return what axe-core finds on a page as it is now: which rule, and where first."""
    found = Axe().run(page).response["violations"]
    return [f"{page.url} {rule['id']}: {rule['nodes'][0]['html'][:200]}" for rule in found]


@pytest.mark.parametrize(("theme", "width"), SEEN)
def test_no_page_is_at_fault(browser: Browser, client: Client, theme: str, width: int) -> None:
    one, two = (song["id"] for song in client.get("/api/songs?limit=2").json["songs"])
    songs = (f"/song/{one}", f"/song/{one}?with={two}", f"/station?seeds={one}")
    found = []
    size = {"width": width, "height": 800}
    for page in watched(browser, client, color_scheme=theme, viewport=size):
        for path in (*PAGES, *songs):
            page.goto(path)
            page.wait_for_selector("main[data-ready]")
            found += faults(page)
    assert found == []


@pytest.mark.parametrize(("theme", "width"), SEEN)
def test_no_dialog_or_result_is_at_fault(
    browser: Browser, client: Client, theme: str, width: int, tmp_path: Path
) -> None:
    one = client.get("/api/songs?limit=1").json["songs"][0]["id"]
    found = []
    size = {"width": width, "height": 800}
    for page in watched(browser, client, color_scheme=theme, viewport=size):
        page.goto("/")
        page.get_by_role("button", name="Share …").click()
        page.get_by_role("dialog", name="Share").get_by_role("button", name="Export").click()
        page.locator("[data-work][data-state=done]").wait_for()
        found += faults(page)

        page.goto(f"/song/{one}")
        page.wait_for_selector("[role=slider][data-drawn='1']")
        found += faults(page)

        page.goto(f"/station?seeds={one}")
        page.wait_for_selector("[data-drawn='1']")
        page.get_by_role("button", name="Not this one").first.click()
        page.get_by_role("button", name="Take back").wait_for()
        page.get_by_role("button", name="Save as").click()
        page.get_by_role("dialog").wait_for()
        found += faults(page)

        page.goto("/add")
        with page.expect_file_chooser() as chooser:
            page.locator("label", has_text="Choose files").click()
        chooser.value.set_files(tmp_path / "music" / "0.flac")
        page.wait_for_selector("[data-heard]")
        page.get_by_text("Like it in your library").click()
        found += faults(page)

        page.goto("/docs")
        page.locator("details").first.click()
        found += faults(page)
    assert found == []
