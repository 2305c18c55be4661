"""What somebody does on the page of strategies, without a browser."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from snapkit import InvalidRequest, Sandbox
from snapkit.access import Access, Role
from snapkit.automation import Assignment, protect, run
from snapkit.automation.managed import STRATEGY
from snapkit.console import Pages, SnapshotsPage, StrategiesPage, demo, live
from snapkit.console.pending import Pending
from snapkit.ebs import Estate, Region
from snapkit.ebs.waiting import Progress
from snapkit.sandbox.demo import EU, US
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from tests.automation.ground import HOURLY
from tests.console.test_page import buttons, facts
from tests.console.test_snapshots import Passing
from tests.ebs.ground import ESCAPED, HOSTILE, Field

HOURLY_ONLY = [HOURLY]
DAILY = Strategy("daily", [Tier(Schedule("every 1d at 03:00"), Retention(last=7), "nightly")])


@pytest.fixture
def region(ground: Field) -> Region:
    """Give a region with a volume under a strategy, which was never run."""
    ground.new_volume(name="data", group="db", tags={STRATEGY: "hourly"})
    return ground.region()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for each in (HOURLY, DAILY):
        each.save(tmp_path / f"{each.name}.toml")
    return tmp_path


def chosen(page: StrategiesPage, strategy: str) -> StrategiesPage:
    page.grid.current = next(each.id for each in page.shown if each.called == strategy)
    return page


def test_it_lists_what_runs_where_and_what_protects_nothing(region: Region, folder: Path) -> None:
    page = StrategiesPage(region, folder)
    titles = [each.title for each in page.columns]
    assert [row[titles.index("strategy")] for row in page.grid.rows] == ["daily", "hourly"]
    assert [row[titles.index("state")] for row in page.grid.rows] == ["protects nothing", "due"]
    page.filter.value = "due"
    assert [each.name for each in page.shown] == ["data"]
    page.filter.value = ""
    page.grid.order = {"column": titles.index("name"), "down": True}
    assert [each.name for each in page.shown] == ["data", ""]
    assert page.counted == "1 to 2 of 2 protections"


def test_the_detail_has_the_decision_the_next_runs_and_the_calendar(region: Region) -> None:
    page = chosen(StrategiesPage(region, [HOURLY, DAILY]), "hourly")
    told = facts(page)
    assert "<dd>take for often: every hour was due at 2026-01-05 00:00:00 UTC</dd>" in told
    assert "<h4>Wanted now</h4>" in told
    assert "0 snapshots stay." in told
    assert told.count("Mon 05 Jan 2026 0") == 5, "the next five runs"
    assert "<svg role=" in told
    assert buttons(page._layout.deeds) == ["Plan", "Leave", "Protect a volume", "Edit", "Export"]
    chosen(page, "daily")
    assert "protects no volume; let it protect one" in facts(page)
    assert buttons(page._layout.deeds) == ["Protect a volume", "Edit", "Export"]


def test_a_plan_is_approved_applied_and_followed(ground: Field, region: Region) -> None:
    page = chosen(StrategiesPage(region, HOURLY_ONLY), "hourly")
    page.open("Plan")
    page.form.by.value = "ada"
    page.form.submit()
    assert ground.count() == 1
    (row,) = page.shown
    assert (row.state, page.grid.meters) == ("pending", {row.volume.id: 0})
    ground.sandbox.clock.advance("10min")
    page.renew()
    assert (page.shown[0].state, page.grid.meters) == ("protected", {})


def test_what_is_selected_is_planned_together_if_it_is_of_one_strategy(ground: Field, region: Region) -> None:
    ground.new_volume(region=region, tags={STRATEGY: "hourly"})
    ground.new_volume(region=region, tags={STRATEGY: "daily"})
    page = StrategiesPage(region, [HOURLY, DAILY])
    page.grid.checked = page.grid.ids
    with pytest.raises(InvalidRequest, match="select volumes of one strategy"):
        page.open("Plan", many=True)
    page.grid.checked = [each.id for each in page.shown if each.called == "hourly"]
    page.open("Plan", many=True)
    assert [step.what for step in page.form.plan] == ["take", "take"]


def test_volumes_of_a_server_are_planned_as_one(ground: Field) -> None:
    server = ground.new_server(data_volumes=1)
    protect(server, HOURLY)
    page = StrategiesPage(ground.region(), HOURLY_ONLY)
    page.grid.checked = page.grid.ids
    page.open("Plan", many=True)
    assert [step.on for step in page.form.plan] == [server.id]


def test_a_volume_comes_under_a_strategy_and_leaves(ground: Field, region: Region) -> None:
    volume = ground.new_volume(name="new")
    page = chosen(StrategiesPage(region, [HOURLY, DAILY]), "daily")
    page.open("Protect a volume")
    page.form.target.value = volume.id
    page.form.submit()
    assert [each.state for each in page.shown] == ["due", "due"]
    chosen(page, "daily").open("Leave")
    page.form.submit()
    assert [each.state for each in page.shown] == ["protects nothing", "due"]


def test_the_two_strategies_check_knows_what_is_assigned_by_id(ground: Field, region: Region) -> None:
    volume = ground.new_volume()
    page = chosen(StrategiesPage(region, [HOURLY, Assignment(DAILY, volumes=(volume.id,))]), "daily")
    assert "Leave" not in buttons(page._layout.deeds), "no tag of its own protects it"
    chosen(page, "hourly").open("Protect a volume")
    page.form.target.value = volume.id
    with pytest.raises(InvalidRequest, match="is protected by two strategies"):
        page.form.submit()


def test_a_strategy_is_edited_in_its_file_and_read_anew(region: Region, folder: Path) -> None:
    page = chosen(StrategiesPage(region, folder), "hourly")
    page.open("Edit")
    page.form.tiers[0].retention.last.value = 9
    page.form.submit()
    assert Strategy.load(folder / "hourly.toml").tiers[0].retention == Retention(last=9)
    assert "keep the last 9" in facts(page)
    page.form.cancel()


@pytest.mark.parametrize("tags", [None, {"Name": "data"}])
def test_a_strategy_that_is_in_no_file_is_edited_for_the_page(region: Region, tags: dict[str, str] | None) -> None:
    given = HOURLY if tags is None else Assignment(HOURLY, tags)
    page = chosen(StrategiesPage(region, [given]), "hourly")
    page.open("Edit")
    page.form.tiers[0].schedule.text.value = "every 2h"
    page.form.submit()
    assert "every 2 hours" in facts(page)
    assert page.shown[0].name == "data", "it protects the same as before"
    form = page.form
    form.tiers[0].schedule.text.value = "every 3h"
    form.submit()
    assert "every 3 hours" in facts(page), "it stays open, and saves again"
    form.cancel()
    assert page.form is None


def test_a_plan_from_the_editor_is_of_what_the_fields_say(ground: Field, region: Region) -> None:
    page = chosen(StrategiesPage(region, HOURLY_ONLY), "hourly")
    page.open("Edit")
    page.form.tiers[0].name.value = "renamed"
    plan = page.form.plan()
    plan.by.value = "ada"
    plan.submit()
    (snapshot,) = ground.region().snapshots.find()
    assert snapshot.tags["snapkit:tiers"] == '["renamed"]'


def test_files_that_cannot_be_read_do_not_hide_the_others(region: Region, folder: Path) -> None:
    (folder / "broken.toml").write_text("name = <b>")
    page = StrategiesPage(region, folder)
    assert page.counted == "1 to 2 of 2 protections"
    assert "broken.toml" in page._layout.status.value
    (folder / "broken.toml").write_text((folder / "daily.toml").read_text())
    with pytest.raises(InvalidRequest, match="strategy 'daily' is given twice"):
        asyncio.run(page.refresh())
    assert "is given twice" in page.error
    with pytest.raises(InvalidRequest, match="is no folder"):
        StrategiesPage(region, folder / "nowhere")


def test_without_strategies_those_that_are_tagged_are_named(region: Region) -> None:
    page = StrategiesPage(region)
    assert [each.state for each in page.shown] == ["unclear"]
    assert "No strategy is given" in page._layout.status.value
    chosen(page, "hourly")
    assert buttons(page._layout.deeds) == ["Leave"]


def test_what_the_role_may_not_do_is_absent_and_told(region: Region) -> None:
    region.access = Access("ann", {"db": "reader"}, [Role("reader", ["Snapshot: CreateVolume: ANY"])])
    page = chosen(StrategiesPage(region, HOURLY_ONLY), "hourly")
    assert buttons(page._layout.deeds) == ["Protect a volume", "Edit", "Export"]
    assert list(page.why) == ["Plan", "Leave"]
    assert "Volume: Snapshot" in page.why["Plan"]


def test_a_region_that_refuses_is_named(ground: Field, region: Region) -> None:
    page = StrategiesPage(region, HOURLY_ONLY)
    ground.faults("DescribeVolumes", unavailable=50)
    page.renew()
    assert "nothing of 111122223333 us-east-1" in page._layout.status.value
    assert page.counted == "0 of 0 protections"


def test_what_aws_refuses_of_a_form_is_told_by_the_page(ground: Field, region: Region) -> None:
    page = chosen(StrategiesPage(region, HOURLY_ONLY), "hourly")
    ground.faults("DescribeSnapshots", unavailable=50)
    button = next(each for each in page._layout.deeds.children if each.description == "Plan")
    button.click()
    assert "DescribeSnapshots" in page.error


def test_what_is_pending_moves_and_what_comes_of_it_is_listed(
    ground: Field, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Pending.look

    def later(pending: Pending) -> dict[str, Progress]:
        ground.sandbox.clock.advance("20s")
        return look(pending)

    monkeypatch.setattr(live, "TICK", 0.0)
    monkeypatch.setattr(Pending, "look", later)
    run(HOURLY, region, apply=True)
    region.clock = Passing(ground.sandbox.clock)

    async def until_it_ends() -> list[str]:
        page, seen = StrategiesPage(region, HOURLY_ONLY), list[str]()
        for _ in range(500):
            seen.append(page.shown[0].state)
            if seen[-1] == "protected":
                break
            await asyncio.sleep(0.01)
        return seen

    seen = asyncio.run(until_it_ends())
    assert (seen[0], seen[-1]) == ("pending", "protected")


def test_markup_shows_as_it_is(ground: Field) -> None:
    ground.new_volume(name=HOSTILE, tags={STRATEGY: HOSTILE})
    hostile = Strategy(HOSTILE, [Tier(Schedule("every 1h"), Retention(last=2), HOSTILE)])
    page = StrategiesPage(ground.region(), [hostile])
    page.grid.current = page.grid.ids[0]
    for html in (facts(page), page._layout.title.value, page._repr_mimebundle_()["text/html"]):
        assert HOSTILE not in html
        assert ESCAPED in html


def test_what_was_done_is_listed_on_the_other_pages(region: Region) -> None:
    makers: dict[str, Any] = {
        "Snapshots": lambda: SnapshotsPage(region),
        "Strategies": lambda: StrategiesPage(region, HOURLY_ONLY),
    }
    pages = Pages(makers)
    assert pages["Snapshots"].counted == "0 of 0 snapshots"
    page = chosen(pages["Strategies"], "hourly")
    page.open("Plan")
    page.form.by.value = "ada"
    page.form.submit()
    assert pages["Snapshots"].counted == "1 to 1 of 1 snapshot"


def test_the_demo_shows_what_is_to_be_seen(tmp_path: Path) -> None:
    with Sandbox.demo() as shop:
        demo.assign(shop, tmp_path)
        estate = Estate([shop.region(name, account) for account in shop.accounts for name in (US, EU)])
        rows = StrategiesPage(estate, tmp_path).shown
    found = {each.name: (each.called, each.state, len(each.missed)) for each in rows}
    assert found == {
        "": ("critical", "protects nothing", 0),
        "app-eu root": ("daily", "missed", 2),
        "db-1 data": ("hourly", "due", 0),
        "files-1 archive": ("daily", "protected", 0),
        "test-1 root": ("nightly", "unclear", 0),
        "web-2 root": ("daily", "due", 0),
    }
