"""Drills: that a sound restore passes, that a damaged one fails, and that nothing is left behind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snapkit import InvalidRequest, Sandbox, StalePlan, automation
from snapkit.access import Access, Role
from snapkit.automation import Assignment, Drill, DrillReport, drill
from snapkit.automation.drill_leftovers import DRILL
from snapkit.automation.drill_report import smallest_found
from snapkit.ebs import Region, Volume
from snapkit.plan import Applied, Deed
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from tests.automation.ground import Killed, kill_after, meeting
from tests.ebs.ground import ESCAPED, HOSTILE, ZONE, Field

BLOCK = 524288
WRITTEN = 200


@pytest.fixture
def volume(sandbox: Sandbox, region: Region) -> Volume:
    made = region.volumes.create(ZONE, "1 GiB", name="database", group="db", billing_code="CC-1")
    sandbox.write(made.id, 0, WRITTEN)
    made.take_snapshot().wait()
    return made


@pytest.fixture
def plan(volume: Volume, tmp_path: Path) -> Callable[..., Drill]:
    def made(target: Any = volume, **options: Any) -> Drill:
        defaults: dict[str, Any] = {"sample": 5, "directory": tmp_path}
        return drill(target, **defaults | options)

    return made


def applied(made: Drill, after: str = "", do: Callable[[], object] = lambda: None) -> Applied:
    """Apply a drill, and do something after one of its steps."""

    def on_deed(deed: Deed) -> None:
        if after and deed.step.what.startswith(after):
            do()

    return made.apply(made.approve("the test"), on_deed)


def results(done: Applied) -> list[str]:
    return [deed.result for deed in done]


def reported(made: Drill) -> DrillReport:
    assert made.report is not None
    return made.report


def left(region: Region) -> int:
    """Count what drills made and is still there."""
    return len(region.volumes.find(tags={DRILL: "*"})) + len(region.snapshots.find(tags={DRILL: "*"}))


def restored(region: Region) -> str:
    return region.volumes.find(tags={DRILL: "*"})[0].id


def test_a_sound_restore_passes_and_leaves_nothing_but_the_report(
    plan: Callable[..., Drill], region: Region, tmp_path: Path
) -> None:
    made = plan()
    assert results(applied(made)) == ["done"] * 7
    report = reported(made)
    assert (report.passed, report.blocks, report.compared, report.different) == (True, WRITTEN, 5, ())
    assert (left(region), len(region.volumes.find()), len(region.snapshots.find())) == (0, 1, 1)
    assert sorted(each.name for each in tmp_path.iterdir()) == [f"{report.name}.html", f"{report.name}.json"]
    told = json.loads((tmp_path / f"{report.name}.json").read_text())["drill"]
    assert (told["passed"], told["snapshot_id"], told["begun_at"]) == (True, report.snapshot_id, "2026-01-05T00:03:15Z")


def test_nothing_is_asked_of_the_direct_apis_or_made_before_the_approval(
    plan: Callable[..., Drill], sandbox: Sandbox, region: Region
) -> None:
    for each in ("ListSnapshotBlocks", "GetSnapshotBlock", "CreateSnapshot"):
        sandbox.faults.add(each, throttle=1)
    made = plan()
    assert len(sandbox.faults.pending()) == 3
    assert left(region) == 0
    low, high = made.total_usd
    assert 0 < low < high < 0.01
    assert "requests at most" in str(made)


def test_the_price_of_the_requests_bounds_what_they_cost(plan: Callable[..., Drill], region: Region) -> None:
    made = plan()
    compare = next(step for step in made if step.what == "compare with")
    applied(made)
    assert isinstance(compare.price_usd, tuple)
    assert 0 < made._work._comparison.price_usd <= compare.price_usd[1]


@pytest.mark.parametrize("block", [0, WRITTEN - 1, 1500])
def test_one_written_block_of_the_restored_volume_fails_the_drill(
    block: int, plan: Callable[..., Drill], sandbox: Sandbox, region: Region
) -> None:
    made = plan(sample=1)
    applied(made, "initialize", lambda: sandbox.write(restored(region), block))
    report = reported(made)
    assert (report.passed, report.different, report.changes_listed) == (False, (block,), True)
    assert left(region) == 0


def unrelated(sandbox: Sandbox) -> None:
    """Let new volumes be encrypted, so that they begin a lineage of their own."""
    sandbox.client("ec2").enable_ebs_encryption_by_default()


def test_of_another_lineage_the_whole_sample_shows_any_other_content(
    plan: Callable[..., Drill], sandbox: Sandbox, region: Region
) -> None:
    unrelated(sandbox)
    made = plan(sample=WRITTEN)
    applied(made, "initialize", lambda: sandbox.write(restored(region), 7, 2))
    report = reported(made)
    assert (report.changes_listed, report.passed, report.different) == (False, False, (7, 8))


def test_of_another_lineage_a_block_too_many_shows_without_any_sample_of_it(
    plan: Callable[..., Drill], sandbox: Sandbox, region: Region
) -> None:
    unrelated(sandbox)
    made = plan(sample=1)
    applied(made, "initialize", lambda: sandbox.write(restored(region), 1500))
    assert (reported(made).passed, reported(made).different) == (False, (1500,))


def test_of_another_lineage_it_says_how_much_damage_a_small_sample_can_miss(
    plan: Callable[..., Drill], sandbox: Sandbox
) -> None:
    unrelated(sandbox)
    made = plan()
    applied(made)
    report = reported(made)
    assert (report.passed, report.detectable) == (True, smallest_found(WRITTEN, 5) / WRITTEN)
    assert "finds a damage of 45 % of the blocks with 95 %" in str(report)


def test_data_that_do_not_fit_their_checksum_fail_the_drill_before_anything_is_made(
    plan: Callable[..., Drill], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snapkit.sandbox.gaps.direct.checksum_of", lambda data: "AAAA")
    made = plan()
    assert results(applied(made)) == ["failed", *["skipped"] * 4, "done", "done"]
    assert (reported(made).passed, reported(made).compared) == (False, None)
    assert "do not have the checksum" in reported(made).troubles[0]


@pytest.mark.parametrize(("blocks", "sampled"), [(1, 1), (200, 5), (200, 200), (1000, 30)])
def test_the_smallest_damage_that_is_found_is_that_of_a_simulation(blocks: int, sampled: int) -> None:
    damaged, draw, times = smallest_found(blocks, sampled), np.random.default_rng(1), 2000
    lowest = np.array([draw.choice(blocks, sampled, replace=False).min() for _ in range(times)])
    assert (lowest < damaged).mean() >= 0.94
    assert damaged == 1 or (lowest < damaged - 1).mean() < 0.96


FAULTS: dict[str, dict[str, Any]] = {
    "CreateVolume": {"unreachable": 12},
    "DescribeVolumeStatus": {"unavailable": 99},
    "CreateSnapshot": {"failing": 1},
    "ListChangedBlocks": {"internal": 20},
}


@pytest.mark.parametrize("operation", FAULTS)
def test_whatever_goes_wrong_is_reported_and_cleaned_up(
    operation: str, plan: Callable[..., Drill], sandbox: Sandbox, region: Region
) -> None:
    made = plan()
    sandbox.faults.add(operation, **FAULTS[operation])
    assert "failed" in results(applied(made))
    sandbox.faults.clear()
    assert (reported(made).passed, left(region), len(reported(made).troubles)) == (False, 0, 1)
    assert results(applied(made)).count("failed") == 0
    assert (reported(made).passed, left(region)) == (True, 0)


def test_lost_answers_and_throttles_do_no_harm(plan: Callable[..., Drill], sandbox: Sandbox, region: Region) -> None:
    made = plan()
    for each in ("CreateVolume", "CreateSnapshot", "DeleteSnapshot", "DeleteVolume"):
        sandbox.faults.add(each, lost=1)
    for each in ("ListSnapshotBlocks", "GetSnapshotBlock", "DescribeVolumeStatus"):
        sandbox.faults.add(each, throttle=2)
    assert applied(made).complete
    assert (reported(made).passed, left(region)) == (True, 0)


def test_what_cannot_be_deleted_is_told_and_left_to_a_later_drill(
    plan: Callable[..., Drill], sandbox: Sandbox, region: Region
) -> None:
    made = plan()
    applied(made, "compare", lambda: sandbox.faults.add("DeleteVolume", unavailable=9))
    (volume,) = reported(made).left
    assert (reported(made).passed, left(region)) == (True, 1)
    sandbox.faults.clear()
    sandbox.clock.advance("1d")
    again = plan()
    assert (again[0].what, again[0].on) == ("delete", volume)
    applied(again)
    assert left(region) == 0


def test_applied_again_it_cleans_up_what_it_could_not_before(
    plan: Callable[..., Drill], sandbox: Sandbox, region: Region
) -> None:
    made = plan()
    applied(made, "compare", lambda: sandbox.faults.add("DeleteVolume", unavailable=9))
    sandbox.faults.clear()
    assert results(applied(made)) == [*["already done"] * 5, "done", "done"]
    assert (reported(made).passed, reported(made).left, reported(made).troubles, left(region)) == (True, (), (), 0)


@pytest.mark.parametrize("number", [4, 5, 10])
def test_what_a_killed_drill_left_behind_is_deleted_once_its_time_is_over(
    number: int, plan: Callable[..., Drill], sandbox: Sandbox, region: Region
) -> None:
    killed = plan(sample=1)
    with meeting(sandbox, kill_after(number)), pytest.raises(Killed):
        applied(killed)
    behind = left(region)
    assert behind > 0
    early = plan(sample=1)
    assert [("may go on until 2026-01-05 06:" in each) for step in early for each in step.warnings] == [True] * behind
    assert results(applied(early)) == ["done"] * 7
    assert left(region) == behind
    sandbox.clock.advance("7h")
    late = plan(sample=1)
    assert results(applied(late)) == ["done"] * (7 + behind)
    assert (left(region), len(region.volumes.find()), len(region.snapshots.find())) == (0, 1, 1)


def test_an_interrupted_drill_is_gone_on_with_by_the_same_plan(
    plan: Callable[..., Drill], sandbox: Sandbox, region: Region
) -> None:
    made = plan()

    def interrupt(number: int) -> None:
        if len(region.snapshots.find(tags={DRILL: "*"})):
            raise KeyboardInterrupt

    with meeting(sandbox, interrupt), pytest.raises(KeyboardInterrupt) as caught:
        applied(made)
    assert "apply the plan again" in caught.value.__notes__[0]
    assert results(applied(made)).count("failed") == 0
    assert (reported(made).passed, left(region)) == (True, 0)


def test_a_leftover_that_somebody_attached_stays(
    plan: Callable[..., Drill], sandbox: Sandbox, region: Region, volume: Volume
) -> None:
    tags = {DRILL: "5f0c31d2/2026-01-04T00:00:00Z"}
    server = Field(None, sandbox).new_server()
    used = region.volumes.create(ZONE, "1 GiB", tags=tags).attach(server)
    mine = region.volumes.create(ZONE, "1 GiB", tags={DRILL: "a note of somebody"})
    made = plan()
    assert [(step.on, server.id in step.blockers[0]) for step in made.blocked] == [(used.id, True)]
    applied(made)
    assert {used.id, mine.id, volume.id} <= {each.id for each in region.volumes.find()}


def test_the_volume_of_a_drill_is_protected_by_no_strategy(
    plan: Callable[..., Drill], region: Region, volume: Volume
) -> None:
    strategy = Strategy("hourly", [Tier(Schedule("every 1h"), Retention(last=1), "often")])
    by_group = Assignment(strategy, tags={region.tag_keys.group: "db"})
    noted = region.volumes.create(ZONE, "1 GiB", group="db", tags={DRILL: "a note of somebody"})
    seen = list[set[str]]()

    def look() -> None:
        seen.append({each.volume.id for each in by_group.matching(region)})
        seen.append({step.on for step in automation.plan(region, strategy)})
        with pytest.raises(InvalidRequest, match="is of a drill, which deletes it; plan for that of its snapshot"):
            automation.plan(region.volumes.find(tags={"Name": "drill of *"})[0], strategy)

    applied(plan(), "initialize", look)
    assert seen == [{volume.id, noted.id}] * 2


def test_a_plan_of_a_snapshot_that_is_gone_is_stale(plan: Callable[..., Drill], region: Region) -> None:
    made = plan()
    region.snapshots.find()[0].delete()
    with pytest.raises(StalePlan, match="is gone"):
        applied(made)


def test_a_provisioned_rate_is_paid_for_and_the_time_measured(
    plan: Callable[..., Drill], sandbox: Sandbox, region: Region
) -> None:
    big = region.volumes.create(ZONE, "100 GiB")
    sandbox.write(big.id, 0, 100_000)
    big.take_snapshot().wait()
    made = plan(big, initialization_rate=100)
    price = region.prices.initialized(100_000 * BLOCK, 100)
    assert made.total_usd[0] == pytest.approx(price, rel=1e-3)
    applied(made)
    report = reported(made)
    assert report.initialized_after == pytest.approx(500, rel=0.06)
    assert report.price_usd >= price


def test_a_snapshot_is_drilled_in_any_zone_and_named_as_such(plan: Callable[..., Drill], region: Region) -> None:
    made = plan(region.snapshots.find()[0], zone="us-east-1c")
    seen = list[tuple[str, str, str, str]]()

    def look() -> None:
        each = region.volumes.find(tags={DRILL: "*"})[0]
        seen.append((each.zone, each.name, each.group, each.billing_code))

    applied(made, "restore", look)
    assert seen == [("us-east-1c", f"drill of {reported(made).snapshot_id}", "db", "CC-1")]


def test_the_newest_complete_snapshot_is_drilled(plan: Callable[..., Drill], volume: Volume) -> None:
    newest = volume.take_snapshot().wait()
    volume.take_snapshot()
    assert {step.on for step in plan()} == {newest.id}


def test_a_report_that_cannot_be_written_is_kept_in_memory(plan: Callable[..., Drill], tmp_path: Path) -> None:
    where = tmp_path / "drills"
    made = plan(directory=where)
    done = applied(made, "clean up", lambda: where.write_text("in the way"))
    assert results(done)[-1] == "failed"
    assert reported(made).passed
    assert where.read_text() == "in the way"


def test_a_role_without_the_rights_is_told_before_the_first_step(
    sandbox: Sandbox, volume: Volume, tmp_path: Path
) -> None:
    reader = Role("reader", ["Snapshot: CreateVolume: ANY"])
    mine = sandbox.region(access=Access("eve", {"readers": "reader"}, [reader]))
    made = drill(mine.volumes.get(volume.id), directory=tmp_path)
    (blocked,) = made.blocked
    assert [told.split(";")[0] for told in blocked.blockers] == [
        f"your roles do not allow {each}" for each in ("Volume: Snapshot", "Volume: Delete", "Snapshot: Delete")
    ]
    assert results(applied(made)) == ["blocked", *["skipped"] * 4, "done", "done"]
    assert "Volume: Delete" in str(made.report)


def test_text_of_users_is_escaped(plan: Callable[..., Drill], sandbox: Sandbox, tmp_path: Path) -> None:
    made = plan()
    sandbox.faults.add("CreateSnapshot", failing=1, message=HOSTILE)
    applied(made)
    page = (tmp_path / f"{reported(made).name}.html").read_text()
    assert HOSTILE not in page
    assert ESCAPED in page


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"zone": "us-east-9a"}, "choose one of us-east-1a"),
        ({"sample": 0}, "is no number of blocks"),
        ({"initialization_rate": 1000}, "initialization rate"),
        ({"directory": "/dev/null"}, "cannot be written to"),
    ],
)
def test_what_cannot_be_is_refused_before_anything(
    options: dict[str, Any], told: str, plan: Callable[..., Drill]
) -> None:
    with pytest.raises(InvalidRequest, match=told):
        plan(**options)


def test_a_volume_without_a_complete_snapshot_is_refused(plan: Callable[..., Drill], region: Region) -> None:
    with pytest.raises(InvalidRequest, match="has no complete snapshot; take one"):
        plan(region.volumes.create(ZONE, "1 GiB"))


def test_what_is_no_volume_or_snapshot_is_refused(plan: Callable[..., Drill]) -> None:
    with pytest.raises(InvalidRequest, match="give a volume, or a snapshot"):
        plan("vol-1")
