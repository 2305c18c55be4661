"""Take the pictures of the dialogs in docs/howto/dialogs.md: its own cells, run in JupyterLab in a real browser.

A picture of the page shows what the cell above it shows, with what is behind "More" opened.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

HOWTO = Path(__file__).parent / "howto"
PAGE = HOWTO / "dialogs.md"
WIDTH = 1200
_CELL = re.compile(
    r"^```\{code-cell\}\n(?::[^\n]*\n+)*(.*?)^```$(?:\n\n!\[[^\]]*\]\((\S+)\))?", re.MULTILINE | re.DOTALL
)
_QUIET = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
_FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
_KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
_SESSION = "globalThis.jupyterapp?.shell.currentWidget?.sessionContext"
_TOKEN = "pictures"  # noqa: S105 - of a server on the loopback address that ends with the program


def cells() -> list[tuple[str, str]]:
    """Read the cells of the page: the source of each, and the path of the picture below it, if there is one."""
    return _CELL.findall(PAGE.read_text(encoding="utf-8"))


def take(folder: Path, theme: str = "Light", width: int = WIDTH) -> None:
    """Take every picture of the page.

    Args:
        folder: where to write them.
        theme: of JupyterLab, ``"Light"`` or ``"Dark"``.
        width: of the window [CSS pixels].
    """
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no chromium on the PATH: apt-get install chromium")
    with _lab(theme) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_QUIET))
        page = browser.new_page(viewport={"width": width, "height": 2400}, device_scale_factor=1.5)
        page.set_default_timeout(60_000)
        page.goto(address)
        page.wait_for_function(f"{_SESSION}?.session?.kernel?.connectionStatus === 'connected'")
        page.evaluate(f"{_SESSION}.ready")
        for number, (_, picture) in enumerate(cells()):
            shown = _run(page, number)
            if picture:
                _write(folder / Path(picture).name, _opened(shown.locator(".snapkit-form")).screenshot())
        browser.close()


@contextmanager
def _lab(theme: str) -> Iterator[str]:
    """Serve JupyterLab on a notebook of the cells."""
    with TemporaryDirectory() as name, closing(socket.create_server(("127.0.0.1", 0))) as free:
        root, port = Path(name), free.getsockname()[1]
        free.close()
        made = [nbformat.v4.new_code_cell(source) for source, _ in cells()]  # type: ignore[no-untyped-call] # no types
        notebook = nbformat.v4.new_notebook(cells=made, metadata=_KERNEL)  # type: ignore[no-untyped-call] # likewise
        (root / "dialogs.ipynb").write_text(json.dumps(notebook))
        for plugin, settings in (
            ("apputils-extension/themes", f'{{"theme": "JupyterLab {theme}"}}'),
            ("apputils-extension/notification", '{"fetchNews": "false", "checkForUpdates": false}'),
            ("notebook-extension/tracker", '{"windowingMode": "none"}'),
        ):
            path = root / "JUPYTERLAB_SETTINGS_DIR" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(settings)
        own = {each: str(root / each) for each in _FOLDERS}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
        options = [
            f"--port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={root}",
            "--LabApp.expose_app_in_browser=True",
        ]
        environment = {**os.environ, **own, "JUPYTER_TOKEN": _TOKEN}
        process = subprocess.Popen([*command, *options], env=environment, stderr=subprocess.DEVNULL)  # noqa: S603 - ours
        try:
            for _ in range(1200):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/lab/tree/dialogs.ipynb?token={_TOKEN}"
        finally:
            process.terminate()
            process.wait(30)


def _run(page: Page, number: int) -> Locator:
    """Run a cell, and return it when it is through."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    page.evaluate("number => { jupyterapp.shell.currentWidget.content.activeCellIndex = number; }", number)
    if not page.evaluate("jupyterapp.commands.execute('notebook:run-cell')"):
        sys.exit(f"cell {number + 1} failed: {cell.locator('.jp-OutputArea').text_content()}")
    return cell


def _opened(form: Locator) -> Locator:
    """Open what is behind "More"."""
    form.wait_for()
    more = form.locator(".snapkit-more .jupyter-widget-Collapse:not(.jupyter-widget-Collapse-open)")
    if more.count():
        more.locator(".jupyter-widget-Collapse-header").click()
    return form


def _write(path: Path, picture: bytes) -> None:
    """Write a picture in few colours, as a form has."""
    shown = Image.open(BytesIO(picture)).convert("RGB")
    shown.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    take(HOWTO.parent / "images" / "dialogs")
