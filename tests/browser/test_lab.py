"""The same pages in a notebook of JupyterLab."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import nbformat
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import kept

TOKEN = "a-token-of-the-tests"  # noqa: S105 - of a server on the loopback address that ends with the test
CODE = """
from snapkit import Sandbox
from snapkit.console import SnapshotsPage
sandbox = Sandbox.demo()
SnapshotsPage(sandbox.region())
"""


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve JupyterLab on a notebook with a page."""
    root = tmp_path_factory.mktemp("lab")
    cell = nbformat.v4.new_code_cell(CODE)  # type: ignore[no-untyped-call] # it has no types
    notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call] # likewise
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (root / "page.ipynb").write_text(json.dumps(notebook))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    options = [f"--ServerApp.root_dir={root}", "--LabApp.news_url=", "--ServerApp.port_retries=0"]
    own = {
        name: str(root / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    }
    process = subprocess.Popen(  # noqa: S603 - ours
        [*command, *options], env={**os.environ, **own, "JUPYTER_TOKEN": TOKEN}, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield f"{base}/lab/tree/page.ipynb?token={TOKEN}"
    finally:
        process.terminate()
        process.wait(30)


def test_a_page_works_in_a_cell(context: BrowserContext, lab: str) -> None:
    page = context.new_page()
    page.goto(lab)
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    page.get_by_text("Kernel status: Idle").first.wait_for(state="attached")
    page.keyboard.press("Shift+Enter")
    page.locator("tr[data-id]").first.wait_for()
    page.get_by_role("textbox", name="Filter").fill("db-1 data")
    expect(page.get_by_text(re.compile("1 to 25 of 44 of"))).to_be_visible()
    page.locator("tr[data-id] button").first.click()
    expect(page.get_by_text(re.compile(r"number \d+ of 44 of this volume"))).to_be_visible()
    page.get_by_role("button", name="Create volume").first.click()
    expect(page.get_by_label("Size (GiB)")).to_have_value("200")
    kept(page, "lab")
    page.close()
