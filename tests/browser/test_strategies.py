"""What people do with strategies, in a real browser."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from snapkit import Sandbox
from snapkit.automation.managed import STRATEGY
from tests.browser.conftest import Host, kept, opened
from tests.browser.test_console import contrast


def test_a_strategy_is_planned_approved_and_followed(page: Page, voila: Host, sandbox: Sandbox) -> None:
    voila.tab("Strategies")
    voila.choose("app-eu root")
    expect(voila.root.get_by_text("due times missed: ")).to_be_visible()
    expect(voila.root.get_by_text("What it would keep now")).to_be_visible()
    voila.button("Plan").click()
    voila.button("Approve and apply", of_form=True).click()
    expect(voila.form.get_by_text(re.compile("Applied: .* approved by ann"))).to_be_visible()
    row = voila.root.get_by_role("row", name="app-eu root")
    expect(row.locator("progress").or_(row.get_by_text("protected"))).to_be_visible()
    kept(page, "strategies-applied")
    expect(row.locator("td").last).to_have_text("protected", timeout=50_000)
    taken = sandbox.client("ec2", "eu-west-1").describe_snapshots(
        OwnerIds=["self"], Filters=[{"Name": f"tag:{STRATEGY}", "Values": ["daily"]}]
    )["Snapshots"]
    assert len(taken) == 11


def test_what_the_engine_cannot_is_told_and_the_editor_exports_what_its_fields_say(page: Page, voila: Host) -> None:
    voila.tab("Strategies")
    voila.choose("critical")
    voila.button("Export").click()
    expect(voila.form.get_by_text("DLM makes none")).to_be_visible()
    voila.choose("files-1 archive")
    voila.button("Edit").click()
    voila.field("Last").fill("12")
    voila.form.get_by_role("button", name="Export", exact=True).click()
    expect(voila.form.get_by_text('"Count": 12').first).to_be_visible()
    voila.field("Last").fill("13")
    expect(voila.form.get_by_text('"Count": 12')).to_have_count(0)
    voila.button("Cancel", of_form=True).click()


def test_what_a_role_without_the_right_may_not_is_absent_and_told(page: Page, voila: Host) -> None:
    voila.tab("Strategies")
    voila.choose("web-2 root")
    expect(voila.button("Edit")).to_be_visible()
    expect(voila.root.get_by_role("button", name="Plan", exact=True)).to_have_count(0)
    voila.root.get_by_text("Why is something missing?").locator("visible=true").click()
    expect(voila.root.get_by_text("Plan: your roles do not allow Server: Image")).to_be_visible()


def test_it_fits_a_narrow_window_and_keeps_its_contrast_in_the_dark(context: BrowserContext, url: str) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 500, "height": 1400})
    opened(page, f"{url}&theme=dark")
    page.get_by_role("tab", name="Strategies").click()
    page.get_by_role("row", name="files-1 archive").locator("visible=true").get_by_role("button").click()
    expect(page.get_by_text("What it would keep now")).to_be_visible()
    page.get_by_role("button", name="Export", exact=True).locator("visible=true").click()
    expect(page.get_by_text("What it gets")).to_be_visible()
    kept(page, "strategies-dark-500")
    assert page.evaluate("document.documentElement.scrollWidth") <= 500
    for shown in (".snapkit-said td", ".snapkit-toml", ".snapkit-page-detail h4"):
        assert contrast(page, f"{shown} >> visible=true") >= 4.5
    page.close()
