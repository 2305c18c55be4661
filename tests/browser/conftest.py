"""A real browser, and the pages in both places where people use them, begun once by each worker that has such tests.

All that is shown belongs to one sandbox in this process, so that a test can ask AWS what a click has done, and let AWS
fail. What the person may do stands in a file that is read anew whenever the pages are opened. Everything ends with the
last of the tests, for Playwright leaves an event loop running in which no other test could run its own.
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
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from snapkit import Sandbox
from snapkit.access import Access, Role
from snapkit.console import demo, serving, voila_app

SCREENSHOTS = Path("build/screenshots")
QUIET = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
)  # fmt: skip
SPEED = 30
PATIENCE = 60_000
"""How long a page may take to show something [ms]: other tests may run beside."""
TRIES = 3
IDLE = 10
"""How long a cell that is to run may look as if it were not [s]."""
SERVE = """
import json, sys
from snapkit.console import serving
serving.serve(json.loads(sys.argv[1]), lambda address: print(address, flush=True))
"""
BREAK = """
from snapkit.ebs import Snapshot

def broken(*_, **__):
    raise RuntimeError("a defect <b>of ours</b>")

Snapshot.create_volume = broken
"""
RAN = re.compile(r"\[\d+\]:")
TOKEN = "a-token-of-the-tests"  # noqa: S105 - of a server on the loopback address that ends with the test
ROLES = {
    "operator": [
        "Snapshot: CreateVolume: ANY",
        "Snapshot: Delete: ANY",
        "Snapshot: ShareLocal: ANY",
        "Volume: ANY: ANY",
    ],
    "publisher": ["Snapshot: ANY: ANY", "Volume: ANY: ANY"],
}


class Host:
    """Where the pages are shown.

    Attributes:
        name: such as ``"voila"``.
        page: of the browser.
        root: all that belongs to the pages.
    """

    def __init__(self, name: str, context: BrowserContext, address: str, root: str) -> None:
        self.name = name
        self.page = context.new_page()
        self.root = self.page.locator(root)
        self._address = address

    def open(self) -> None:
        """Open the pages, or open them anew."""
        self.page.goto(self._address)
        self.root.locator("tr[data-id]").first.wait_for()

    def reset(self) -> None:
        """Let the pages be in front, and as in the beginning where no test has left them otherwise."""
        # What lies behind is drawn once a second.
        self.page.bring_to_front()
        self.tab("Snapshots")
        self.find("")

    def tab(self, title: str) -> None:
        """Choose a tab."""
        self.root.get_by_role("tab", name=title).click()

    def field(self, label: str) -> Locator:
        """Find an input by its label."""
        return self.root.get_by_label(label, exact=True).locator("visible=true")

    def button(self, title: str, *, of_form: bool = False) -> Locator:
        """Find a button of the page, or of the form that is open in it."""
        within = self.form if of_form else self.root
        return within.get_by_role("button", name=title, exact=True).first

    @property
    def form(self) -> Locator:
        """The form that is open."""
        return self.root.locator(".snapkit-form").locator("visible=true")

    def problem(self, label: str) -> Locator:
        """Find what is told to be wrong with a field."""
        field = self.form.locator(".snapkit-field", has=self.page.get_by_label(label, exact=True))
        return field.locator(".snapkit-problem")

    def find(self, words: str) -> Locator:
        """Filter the rows; returns them."""
        self.field("Filter").fill(words)
        return self.root.locator("tr[data-id]:visible")

    def choose(self, words: str) -> None:
        """Filter the rows, and look at the first one that has these words as soon as there is one."""
        self.find(words).filter(has_text=words).first.get_by_role("button").click()

    def keep(self, name: str) -> None:
        """Keep what it looks like."""
        kept(self.page, f"{self.name}-{name}")


class Lab(Host):
    """A notebook in JupyterLab, whose first cell shows the pages.

    While JupyterLab settles, or where its kernel had to be started anew, what is asked of a cell can come to nothing:
    its prompt is empty again then. As a person would, this asks once more.
    """

    def __init__(self, context: BrowserContext, base: str, log: Path) -> None:
        super().__init__("lab", context, f"{base}/lab/tree/pages.ipynb?token={TOKEN}", ".jp-Notebook")
        self._log = log
        self._said: list[str] = []
        self.page.on("console", lambda message: self._said.append(message.text))
        self._load()

    def open(self) -> None:
        """Run the cell again."""
        try:
            self.run(0)
        except AssertionError:
            self._load()
            self.run(0)
        self.root.locator("tr[data-id]").first.wait_for()

    def run(self, cell: int) -> None:
        """Run a cell, by the toolbar: a key may reach nothing at first."""
        for _ in range(TRIES):
            prompt = self._chosen(cell)
            self.page.get_by_role("button", name="Run this cell and advance").click()
            if self._ran(prompt):
                return
        raise AssertionError(f"cell {cell} does not run: {self._state()}")

    def _load(self) -> None:
        self.page.goto(self._address)
        self.page.get_by_text("Kernel status: Idle").first.wait_for(state="attached")

    def _ran(self, prompt: Locator) -> bool:
        """Wait until a cell ran; tells whether it did, or nothing came of it."""
        asked = awaited = time.monotonic()
        while time.monotonic() < asked + PATIENCE / 1000:
            told = prompt.text_content() or ""
            if RAN.fullmatch(told):
                return True
            if "*" in told:
                awaited = time.monotonic()
            elif time.monotonic() > awaited + IDLE:
                return False
            time.sleep(0.1)
        return False

    def _state(self) -> str:
        """Tell what can be seen where a cell does not run."""
        status = self.page.get_by_text("Kernel status:").all_text_contents()
        dialogs = self.page.locator(".jp-Dialog").all_inner_texts()
        return "\n".join([f"{status} {dialogs}", *self._said[-20:], *self._log.read_text().splitlines()[-40:]])

    def restart(self) -> None:
        """Restart the kernel, and open the pages anew; what is in AWS stays."""
        prompt = self._chosen(0)
        self.page.get_by_role("menuitem", name="Kernel", exact=True).click()
        self.page.get_by_role("menuitem", name="Restart Kernel and Run up to Selected Cell").click()
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        if not self._ran(prompt):
            self.open()
        self.root.locator("tr[data-id]").first.wait_for()

    def _chosen(self, cell: int) -> Locator:
        """Choose a cell, and empty its prompt, which then tells when it ran; returns that."""
        shown = self.root.locator(".jp-CodeCell").nth(cell)
        shown.locator(".cm-content").click()
        expect(shown).to_contain_class("jp-mod-active")
        prompt = shown.locator(".jp-InputPrompt")
        prompt.evaluate("prompt => (prompt.textContent = '')")
        return prompt


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
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1400, "height": 1000}) as context:
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield context


@pytest.fixture(scope="package")
def sandbox(browser: Browser) -> Iterator[Sandbox]:
    """Without a browser nothing is served."""
    with Sandbox.demo() as sandbox:
        yield sandbox


class Person:
    """Who uses the pages; another role holds when they are opened anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.become("ann", "operator")

    def become(self, user: str, role: str) -> None:
        """Give somebody a role."""
        Access(user, {"db": role}, [Role(role, ROLES[role])]).save(self.path)


@pytest.fixture(scope="package")
def person(tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person(tmp_path_factory.mktemp("access") / "access.toml")


@pytest.fixture(scope="package")
def place(sandbox: Sandbox, person: Person, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Serve the sandbox; tells what the pages are to look at."""
    strategies = tmp_path_factory.mktemp("strategies")
    demo.assign(sandbox, strategies)
    told = {"access": str(person.path), "strategies": str(strategies)}
    return json.dumps(serving.of_sandbox(sandbox, SPEED) | told)


@pytest.fixture(scope="package")
def url(place: str) -> Iterator[str]:
    """Serve the console; the address has the token in it."""
    process = subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-c", SERVE, place], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        told = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=\S+", told), told + process.stdout.read()
        yield told
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="package")
def asked() -> list[str]:
    """Every address that the console has asked for."""
    return []


@pytest.fixture(scope="package")
def voila(context: BrowserContext, url: str, asked: list[str]) -> Host:
    """Open the console once, and return when the first snapshots are there."""
    host = Host("voila", context, url, "body")
    host.page.on("request", lambda request: asked.append(request.url))
    host.page.on("websocket", lambda socket: asked.append(socket.url))
    host.open()
    return host


@pytest.fixture(scope="package")
def lab(context: BrowserContext, place: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Serve JupyterLab on a notebook with the cell of the console, and one that breaks something."""
    root = tmp_path_factory.mktemp("lab")
    notebook = nbformat.read(voila_app.NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call] # it has no types
    notebook.cells.append(nbformat.v4.new_code_cell(BREAK))  # type: ignore[no-untyped-call] # likewise
    nbformat.write(notebook, root / "pages.ipynb")  # type: ignore[no-untyped-call] # likewise
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    options = [f"--ServerApp.root_dir={root}", "--ServerApp.port_retries=0"]
    own = {
        name: str(root / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    }
    settings = root / "JUPYTERLAB_SETTINGS_DIR/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    log = root / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(  # noqa: S603 - ours
            [*command, *options],
            env={**os.environ, **own, "JUPYTER_TOKEN": TOKEN, "SNAPKIT_CONSOLE": place},
            stderr=errors,
        )
    try:
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        lab = Lab(context, f"http://127.0.0.1:{port}", log)
        try:
            lab.open()
        finally:
            lab.keep("open")
        yield lab
        # A kernel in use would hold up the end.
        lab.page.close()
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(params=["voila", "lab"])
def host(request: pytest.FixtureRequest, person: Person, sandbox: Sandbox) -> Iterator[Host]:
    """Give the open pages as they were in the beginning, in each of the two places."""
    host: Host = request.getfixturevalue(request.param)
    host.reset()
    yield host
    host.keep(request.node.originalname)
    sandbox.faults.clear()
    person.become("ann", "operator")


@pytest.fixture
def page(voila: Host, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Give the open console as it was in the beginning, and keep what it looks like in the end."""
    voila.reset()
    voila.root.get_by_text(re.compile(r"1 to 25 of \d+ snapshots")).wait_for()
    yield voila.page
    kept(voila.page, request.node.name)


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    page.locator("tr[data-id]").first.wait_for()
    return page


def kept(page: Page, name: str) -> None:
    """Keep what a page looks like."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
