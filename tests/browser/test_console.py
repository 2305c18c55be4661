"""The stories that people click, in a real browser, against the console as it is served."""

import re
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Host, kept, opened


def rows(page: Page) -> int:
    return page.locator("tr[data-id]:visible").count()


def test_it_is_ready_with_the_newest_snapshots(page: Page) -> None:
    expect(page.get_by_text(re.compile(r"1 to 25 of \d+ snapshots"))).to_be_visible()
    assert rows(page) == 25
    assert page.get_by_role("columnheader", name="date, UTC").get_attribute("aria-sort") == "descending"


def test_filter_sort_turn_and_select(page: Page) -> None:
    page.get_by_label("Filter").press_sequentially("db-1 data", delay=20)
    expect(page.get_by_text(re.compile("1 to 25 of 44 of"))).to_be_visible()
    page.get_by_role("button", name="name", exact=True).click()
    expect(page.get_by_role("columnheader", name="name")).to_have_attribute("aria-sort", re.compile("ascending"))
    page.get_by_role("button", name="name").click()
    expect(page.locator("tr[data-id] td").nth(2)).to_have_text("db-1 data, weekly")
    page.locator("tr[data-id] input").nth(0).check()
    page.locator("tr[data-id] input").nth(1).check()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text(re.compile("26 to 44 of 44 of"))).to_be_visible()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_label("Select this page").check()
    expect(page.get_by_text("21 selected")).to_be_visible()
    page.get_by_role("button", name="Clear selection").click()
    expect(page.get_by_text("0 selected")).to_be_visible()
    assert page.locator("tr[data-id] input:checked").count() == 0


def test_a_row_opens_with_the_keyboard_alone(page: Page) -> None:
    page.locator("tr[data-id] button").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    second = page.locator("tr[data-id]").nth(1)
    expect(second).to_have_attribute("aria-current", "true")
    expect(page.get_by_text(re.compile(r"number \d+ of \d+ of this volume"))).to_be_visible()
    assert page.evaluate("document.activeElement.dataset.id") == second.get_attribute("data-id")


def test_a_volume_is_made_and_its_snapshot_followed(page: Page, context: BrowserContext, url: str) -> None:
    name = "<img src=x onerror=\"document.title='caught'\">"
    page.get_by_label("Filter").fill("db-2 data, weekly")
    page.get_by_role("row", name="db-2 data, weekly").first.get_by_role("button").click()
    page.get_by_role("button", name="Create volume").first.click()
    page.get_by_label("Name").fill("clone of db-2")
    page.get_by_label("Zone").select_option("us-east-1a")
    page.get_by_role("button", name="Create volume").last.click()
    page.get_by_role("tab", name="Volumes").click()
    page.get_by_role("row", name="clone of db-2").get_by_role("button").click()
    expect(page.get_by_text("to no server")).to_be_visible()
    page.locator("button:visible", has_text="Make snapshot").first.click()
    page.get_by_label("Name").locator("visible=true").fill(name)
    page.locator("button:visible", has_text="Make snapshot").last.click()
    expect(page.get_by_text(re.compile("snap-.*pending")).locator("visible=true").first).to_be_visible()
    page.get_by_role("tab", name="Snapshots").click()
    page.get_by_label("Filter").locator("visible=true").fill("onerror")
    taken = page.get_by_role("row", name="onerror")
    expect(taken.locator("td").nth(2)).to_have_text(name)
    # As after a restart: the kernel of another page finds it in progress.
    other = opened(context.new_page(), url)
    taken = other.get_by_role("row", name="onerror")
    bar = taken.locator("progress")
    before = int(bar.get_attribute("value") or 0)
    kept(other, "in-progress")
    expect(bar).not_to_have_attribute("value", str(before), timeout=50_000)
    expect(taken.locator("td").last).to_have_text("completed", timeout=50_000)
    taken.get_by_role("button").click()
    expect(other.get_by_role("heading", name="<img")).to_have_text(name)
    assert (other.title(), other.locator("img").count()) == ("snapkit", 0)
    other.close()


def test_the_explorer_has_a_tab(page: Page) -> None:
    page.get_by_role("tab", name="Explorer").click()
    expect(page.get_by_text("RPO p95")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 500), ("dark", 1400)])
def test_it_fits_and_keeps_its_contrast(context: BrowserContext, url: str, theme: str, width: int) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, f"{url}&theme={theme}")
    page.locator("tr[data-id] button").first.click()
    expect(page.get_by_text(re.compile("of this volume"))).to_be_visible()
    kept(page, f"{theme}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert contrast(page, "tr[data-id] td:nth-child(3)") >= 4.5
    assert contrast(page, ".snapkit-page-detail dt") >= 4.5
    page.close()


def test_the_keyboard_goes_through_a_form_from_top_to_bottom(page: Page, voila: Host) -> None:
    voila.choose("files-1 archive, daily")
    expect(voila.form).to_have_count(0)
    voila.button("Create volume").click()
    voila.field("Name").focus()
    went = []
    for _ in range(5):
        look = "[document.activeElement.labels[0].textContent, getComputedStyle(document.activeElement).outlineStyle]"
        went.append(tuple(page.evaluate(look)))
        page.keyboard.press("Tab")
    labels = ("Name", "Size (GiB)", "Zone", "Group", "Billing code")
    assert went == [(label, "solid") for label in labels]


def test_nothing_is_answered_without_the_token(page: Page, url: str) -> None:
    base = url.partition("?")[0]
    kernel = page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")
    closed = ["", "voila/render/console.ipynb", "voila/tree/", "voila/api/contents/", "api/kernels"]
    closed += [f"api/kernels/{kernel}", f"api/kernels/{kernel}/channels", f"voila/api/shutdown/{kernel}"]
    closed += ["voila/files/console.ipynb", "voila/files/serving.py"]
    for path in closed:
        answer = status(base + path)
        assert answer in (302, 403, 404, 405), (path, answer)
    assert status(f"{base}?token=guessed") in (302, 403)
    assert status(url, host="evil.example") == 403
    assert status(url) == 200


def test_nothing_is_asked_of_another_machine(page: Page, asked: list[str]) -> None:
    hosts = {urlsplit(each).hostname for each in asked if not each.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    assert len(asked) > 20


class _Still(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def status(address: str, host: str | None = None) -> int:
    request = urllib.request.Request(address, headers={"Host": host} if host else {})  # noqa: S310 - ours
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({}), _Still).open(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def contrast(page: Page, selector: str) -> float:
    """Measure the contrast of a text with what lies behind it, as WCAG 2.2 defines it."""
    return float(
        page.locator(selector).first.evaluate(
            """(shown) => {
              const light = (colour) => {
                const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((each) => each / 255);
                const linear = parts.map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
                return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
              };
              let behind = shown;
              while (/, 0\\)$|transparent|color\\(/.test(getComputedStyle(behind).backgroundColor)) {
                if (!behind.parentElement) break;
                behind = behind.parentElement;
              }
              const colours = [getComputedStyle(shown).color, getComputedStyle(behind).backgroundColor];
              const [less, more] = colours.map(light).sort((a, b) => a - b);
              return (more + 0.05) / (less + 0.05);
            }"""
        )
    )
