"""A real Chromium beside a real stack. `SCREENSHOTS=docs/images` renews the pictures of the README.

Without Chromium on the PATH these tests are skipped, aloud; with REQUIRE_BROWSER (CI) they fail.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from devstack.stack import Stack
from tests.stack.system.client import ApiClient

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium on the PATH (Debian: apt-get install chromium)"
FLAGS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
SETTINGS = {"WEBHOOK_RETRY_SCHEDULE": "0.1,0.1"}
# Long, since a busy machine is no failure; what never comes is.
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)
SIZE = {"width": 1280, "height": 800}
_skipped: list[str] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped:
        line = f"THE STAFF'S PAGES WERE NOT SEEN IN A BROWSER: {MISSING}"
        terminalreporter.write_line(line, red=True, bold=True)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(MISSING, pytrace=False)
        _skipped.append(MISSING)
        pytest.skip(MISSING)
    return found


@pytest.fixture(scope="session")
def stack(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("stack")
    with Stack(directory=directory, isolated=True, env=SETTINGS) as running:
        running.wait_ready(timeout=120)
        yield running


@pytest.fixture
def client(stack: Stack) -> ApiClient:
    return ApiClient(stack.info)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    # As root its sandbox does not start. Playwright gives it an empty user data directory.
    flags = [*FLAGS, *(["--no-sandbox"] if os.getuid() == 0 else [])]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """Asks no other host than the stack's own, and logs no error; else the test fails."""
    asked: list[Request] = []
    complaints: list[str] = []
    context = browser.new_context(viewport=SIZE, locale="en-US", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    context.on("request", lambda request: asked.append(request))
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console",
        lambda said: complaints.append(said.text) if said.type == "error" else None,
    )
    yield opened
    context.close()
    own = urlsplit(stack.info["api"]).netloc
    foreign = {
        request.url
        for request in asked
        if urlsplit(request.url).scheme not in ("data", "blob")
        and urlsplit(request.url).netloc != own
    }
    assert asked
    assert not foreign
    assert not complaints


@pytest.fixture
def picture(page: Page) -> Callable[[str], Any]:
    """Keep what the browser shows as a picture, where SCREENSHOTS names a directory."""

    def keep(name: str) -> None:
        directory = os.environ.get("SCREENSHOTS")
        if directory:
            Path(directory).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(directory) / f"{name}.png", animations="disabled")

    return keep
