"""What there is in a notebook of JupyterLab only: its kernel, and the code of a user."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from snapkit import Sandbox
from tests.browser.conftest import Lab
from tests.browser.test_story import WAIT, Aws, open_clone


@pytest.fixture
def notebook(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Lab]:
    lab.reset()
    yield lab
    lab.keep(request.node.name)


def test_after_a_restart_of_the_kernel_the_pages_find_what_is_in_progress(notebook: Lab, sandbox: Sandbox) -> None:
    notebook.tab("Volumes")
    notebook.choose("db-2 data")
    notebook.button("Make snapshot").click()
    notebook.field("Name").fill("before the restart")
    notebook.button("Make snapshot", of_form=True).click()
    expect(notebook.form.get_by_text(re.compile("snap-.*pending"))).to_be_visible()
    notebook.restart()
    row = notebook.find("before the restart")
    expect(row.locator("progress")).to_have_count(1)
    notebook.keep("after-a-restart")
    expect(row.locator("td").last).to_have_text("completed", timeout=WAIT)
    assert [each["State"] for each in Aws(sandbox).snapshots("before the restart")] == ["completed"]


def test_a_defect_is_told_in_the_form(notebook: Lab, sandbox: Sandbox) -> None:
    notebook.run(1)
    open_clone(notebook, aws := Aws(sandbox), "never")
    notebook.button("Create volume", of_form=True).click()
    expect(notebook.form.get_by_role("alert")).to_have_text("RuntimeError: a defect <b>of ours</b>")
    expect(notebook.button("Create volume", of_form=True)).to_be_enabled()
    assert aws.volumes("never") == []
    notebook.restart()
