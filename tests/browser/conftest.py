"""A real browser, and the console as it is served, both begun once by each worker that has some of these tests.

They end with the last of them, for Playwright leaves an event loop running in which no other test could run its own.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

SCREENSHOTS = Path("build/screenshots")
QUIET = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
)  # fmt: skip
SPEED = "30"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        reason = "no chromium on the PATH: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def url() -> Iterator[str]:
    """Serve the console; the address has the token in it."""
    command = [sys.executable, "-c", "import sys; from snapkit.cli import main; sys.exit(main())"]
    process = subprocess.Popen(  # noqa: S603 - ours
        [*command, "console", "--speed", SPEED], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", told)
        assert address, told + process.stdout.read()
        yield address[0]
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1400, "height": 1000}) as context:
        context.set_default_timeout(30_000)
        yield context


@pytest.fixture(scope="package")
def asked() -> list[str]:
    """Every address that the console has asked for."""
    return []


@pytest.fixture(scope="package")
def console(context: BrowserContext, url: str, asked: list[str]) -> Page:
    """Open the console once, and return when the first snapshots are there."""
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    return opened(page, url)


@pytest.fixture
def page(console: Page, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Give the open console as it was in the beginning, and keep what it looks like in the end."""
    console.get_by_role("tab", name="Snapshots").click()
    console.get_by_label("Filter").locator("visible=true").fill("")
    console.get_by_text(re.compile(r"1 to 25 of \d+ snapshots")).wait_for()
    yield console
    kept(console, request.node.name)


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    page.locator("tr[data-id]").first.wait_for()
    return page


def kept(page: Page, name: str) -> None:
    """Keep what a page looks like."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
