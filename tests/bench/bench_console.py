"""The speed of the console: the first page and the filter over 100,000 snapshots, and when a page is ready.

How long Voilà takes is measured in the browser, and so is each letter. Run by ``make bench``.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import nbformat
from playwright.sync_api import Browser, sync_playwright

from snapkit import Sandbox
from snapkit.console import SnapshotsPage
from snapkit.ebs import Estate, Region
from snapkit.ebs.listing import Listing
from tests.bench.bench_listing import Canned

COUNT = 100_000
READY, COUNTED = "tr[data-id]", ".snapkit-page-counted"
ROUNDS = 5
CHANGED = "([of, before]) => document.querySelector(of).innerText !== before"
SERVE = """
import sys
from pathlib import Path
from snapkit import Sandbox
from snapkit.console import serving, voila_app
voila_app.NOTEBOOK = Path(sys.argv[1])
with Sandbox.demo() as sandbox:
    serving.serve(serving.of_sandbox(sandbox, 60), lambda url: print(url, flush=True))
"""


class Listed(SnapshotsPage):
    """A page whose listing has arrived already."""

    listing: Listing[Any]

    def _find(self, estate: Estate) -> Listing[Any]:
        return self.listing


def milliseconds(what: Callable[[], object]) -> float:
    """Time one run [ms]."""
    begin = perf_counter()
    what()
    return (perf_counter() - begin) * 1000


def arrived() -> Region:
    """List many, and give the region of which a page then shows them."""
    client = Canned(Sandbox().client("ec2"), COUNT)
    region = Region(client, clients=lambda _: client)
    Listed.listing = region.snapshots.find()
    return region


async def in_python() -> None:
    """Print how long the first page takes in a notebook: where an event loop runs."""
    region = arrived()
    first = milliseconds(lambda: Listed(region))
    print(f"console: first page of {COUNT:,} snapshots in {first:.0f} ms after the listing (limit 1000)")


def in_browser(browser: Browser) -> None:
    """Print how long a letter takes to its answer, and when the console is ready, against a notebook of one word."""
    from snapkit.console import voila_app

    with TemporaryDirectory() as folder, ExitStack() as stack:
        urls = {
            sign: stack.enter_context(serving(path))
            for sign, path in {
                READY: voila_app.NOTEBOOK,
                "text=ready": notebook(folder, "empty", "import ipywidgets; ipywidgets.Label('ready')"),
            }.items()
        }
        times = [[ready(browser, url, sign) for sign, url in urls.items()] for _ in range(ROUNDS)]
        console, empty = (median(each) for each in zip(*times[1:], strict=True))
        ratio = f"{console / empty:.2f} of the time of an empty notebook (limit 2)"
        print(f"console: ready in the browser in {console / 1000:.1f} s, {ratio}")
        code = "from tests.bench.bench_console import Listed, arrived; Listed(arrived())"
        letters(browser, stack.enter_context(serving(notebook(folder, "many", code))))


def letters(browser: Browser, url: str) -> None:
    """Type into the filter of a page, and print how long each letter takes until the page says what it found."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        page.locator(READY).first.wait_for()
        # The filter is prepared meanwhile.
        page.wait_for_timeout(2000)
        times = []
        for key in ("9", "9", "9", "9", "Backspace", "Backspace", "Backspace"):
            before = page.locator(COUNTED).inner_text()
            begin = perf_counter()
            page.get_by_label("Filter").press(key)
            page.wait_for_function(CHANGED, arg=[COUNTED, before])
            times.append((perf_counter() - begin) * 1000)
    told = f"{median(times):.0f} ms, at most {max(times):.0f} (limit 150)"
    print(f"console: a letter in the filter of {COUNT:,} is answered in the browser in {told}")


def ready(browser: Browser, url: str, sign: str) -> float:
    """Time until a page shows something [ms]."""
    with browser.new_context() as context:
        opened = context.new_page()
        begin = perf_counter()
        opened.goto(url)
        opened.locator(sign).first.wait_for(state="attached")
        return (perf_counter() - begin) * 1000


def notebook(folder: str, name: str, code: str) -> Path:
    """Write a notebook of one cell."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cell = nbformat.v4.new_code_cell(code)  # type: ignore[no-untyped-call] # it has no types
    made = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})  # type: ignore[no-untyped-call]
    path = Path(folder, f"{name}.ipynb")
    nbformat.write(made, path)  # type: ignore[no-untyped-call] # likewise
    return path


@contextmanager
def serving(path: Path) -> Iterator[str]:
    """Serve a notebook as the console is; gives the address."""
    process = subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-c", SERVE, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def main() -> None:
    """Print every figure beside its limit."""
    asyncio.run(in_python())
    found = shutil.which("chromium")
    if found is None:
        print("console: no chromium on the PATH, so what a browser takes is not measured")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        in_browser(browser)
        browser.close()


if __name__ == "__main__":
    main()
