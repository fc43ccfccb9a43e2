"""A tab of a real Chromium that fails the test if the page does what it must not."""

from __future__ import annotations

import time
from collections.abc import Iterator

from playwright.sync_api import Browser, Page

from support.serving import Client

PAGES = ("/", "/station", "/map", "/identify", "/genres", "/genres?tab=accuracy",
         "/genres?tab=mine", "/add", "/docs")  # fmt: skip
"""All but those of songs."""

SLOW_MS = 60_000
"""Tests share two cores with much else."""


class Watched:
    """A tab, and what it did that it must not do."""

    def __init__(self, page: Page, client: Client) -> None:
        self.page = page
        self.faults: list[str] = []
        page.set_default_timeout(SLOW_MS)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)
        page.on("request", lambda request: self.watch(request.url, client))

    def watch(self, url: str, client: Client) -> None:
        if not url.startswith((client.address, "blob:")):
            self.faults.append(f"asks {url}")


def watched(
    browser: Browser, client: Client, forgiven: str = "no fault", **options: object
) -> Iterator[Page]:
    options = {"viewport": {"width": 1280, "height": 800}, **options}
    context = browser.new_context(base_url=client.address, **options)
    tab = Watched(context.new_page(), client)
    yield tab.page
    context.close()
    assert [fault for fault in tab.faults if forgiven not in fault] == []


def played_seconds(page: Page) -> float:
    return float(page.evaluate("songprint.player.time"))


def until(page: Page, expression: str) -> None:
    """Wait for something; Playwright's own way needs eval, which the page's policy forbids."""
    deadline = time.monotonic() + SLOW_MS / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)
