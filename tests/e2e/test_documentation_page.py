"""`/docs` in a real browser: it renders the whole description and asks no other host for anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.parts.hub import HubProcess

QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sentence = "Chromium is not installed: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as play, play.chromium.launch(executable_path=chromium, args=QUIET) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Of a context of its own: nothing is remembered from one test to the next."""
    with browser.new_page(viewport={"width": 1200, "height": 900}) as page:
        yield page


@pytest.mark.browser
def test_the_page_renders_every_route_without_another_host(hub: HubProcess, page: Page) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{hub.url}/docs", wait_until="networkidle")
    text = page.inner_text("body")
    for route in (
        "/v1/complaints",
        "/v1/cases/{id}/forwardings",
        "/v1/mailbox",
        "/v1/webhook",
        "/oauth/token",
    ):
        assert route in text
    assert [url for url in asked if not url.startswith((hub.url, "data:"))] == []
    assert complaints == []
    page.screenshot(path=str(hub.folder / "docs.png"))


@pytest.mark.browser
def test_a_telephone_shows_the_heading_first_and_nothing_beyond_its_edge(hub: HubProcess, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{hub.url}/docs", wait_until="networkidle")
    heading, menu = (page.locator(name).bounding_box() for name in ("h1", "nav"))
    assert heading is not None and menu is not None
    assert heading["y"] < 100 and menu["y"] > 844
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="All routes, as a list").click()
    assert page.evaluate("document.querySelector('nav').getBoundingClientRect().top") < 844
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(f"{hub.url}/docs", wait_until="networkidle")
    assert not page.get_by_role("link", name="All routes, as a list").is_visible()
    menu, heading = (page.locator(name).bounding_box() for name in ("nav", "h1"))
    assert heading is not None and menu is not None and menu["x"] + menu["width"] < heading["x"]
    links = page.eval_on_selector_all("nav .tag", "found => found.map(each => each.textContent)")
    sections = page.eval_on_selector_all("h2", "found => found.map(each => each.textContent)")
    assert links == sections
