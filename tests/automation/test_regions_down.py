"""What is done and told where a region does not answer, at whatever point."""

from collections.abc import Iterator

import pytest

from snapkit import Sandbox, StalePlan
from snapkit.automation import Run, plan, run
from snapkit.ebs import Estate
from tests.automation.ground import AWAY, COPIED, HOURLY, alone, marks, protected

FAR = "us-west-2"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with alone() as made:
        yield made


def results(told: Run) -> list[tuple[str, str, str]]:
    return [row[:3] for row in told.rows()]


@pytest.mark.parametrize("kind", ["unreachable", "unavailable", "throttle"])
@pytest.mark.parametrize(
    "operation",
    ["DescribeVolumes", "CreateTags", "DescribeSnapshots", "CreateSnapshot", "DeleteSnapshot", "DeleteTags"],
)
def test_a_region_that_goes_down_at_any_point_keeps_no_other_waiting(
    sandbox: Sandbox, operation: str, kind: str
) -> None:
    here, there = sandbox.region(), sandbox.region(FAR)
    there.taking.patience = 0
    protected(here)
    there.volumes.create(f"{FAR}a", "1 GiB", tags={"snapkit:strategy": "hourly"})
    for _ in range(3):
        assert run(HOURLY, Estate([here, there]), apply=True).status == 0
        here.clock.sleep("1h")
    before = {region.name: set(marks(region)) for region in (here, there)}
    sandbox.faults.add(operation, region=FAR, **{kind: 999})  # type: ignore[arg-type]
    told = run(HOURLY, Estate([here, there]), apply=True)
    sandbox.faults.clear()
    after = {region.name: set(marks(region)) for region in (here, there)}
    done = [what for what, _, result in results(told) if result == "done"]
    assert len(after[here.name] - before[here.name]) == 1
    # What is told is what has happened, there too.
    assert done.count("take") == sum(len(after[name] - before[name]) for name in after)
    assert done.count("delete") == sum(len(before[name] - after[name]) for name in after)
    for _, on, result, why in told.rows():
        assert result == "done" or operation in why, on
    assert told.status in ((0,) if operation in ("CreateTags", "DeleteTags") else (1, 3))


def test_a_network_that_is_down_is_told_though_no_account_is_known() -> None:
    with Sandbox() as sandbox:
        regions = [sandbox.region(account=account) for account in sandbox.accounts[:2]]
        for operation in ("GetCallerIdentity", "DescribeVolumes", "DescribeInstances"):
            sandbox.faults.add(operation, unreachable=999)
        told = run(HOURLY, Estate(regions), apply=True)
        assert results(told) == [("look at", "us-east-1", "blocked")]
        assert told.status == 1


def test_where_copies_cannot_be_looked_at_snapshots_are_taken_all_the_same(sandbox: Sandbox) -> None:
    here, there = sandbox.region(), sandbox.region(FAR)
    protected(here)
    there.volumes.create(f"{FAR}a", "1 GiB", tags={"snapkit:strategy": "hourly"})
    sandbox.faults.add("DescribeSnapshots", unavailable=999, region=AWAY)
    told = run(COPIED, Estate([here, there]), apply=True)
    assert [(what, result) for what, _, result in results(told)] == [
        ("take", "done"), ("take", "done"), ("copy to", "blocked"),
    ]  # fmt: skip
    assert told.status == 1


def test_a_plan_does_not_take_copies_for_deleted_that_it_cannot_see(sandbox: Sandbox) -> None:
    home, away = sandbox.region(), sandbox.region(AWAY)
    volume = protected(home)[0]
    for _ in range(4):
        run(COPIED, home, apply=True)
        home.clock.sleep("1h")
    made = plan(volume, COPIED)
    gone = {step.on for step in made if step.what == "delete"} & {each.id for each in away.snapshots.find()}
    assert gone
    approval = made.approve("ada")
    sandbox.faults.add("DescribeSnapshots", unavailable=999, region=AWAY)
    with pytest.raises(StalePlan, match="wanted was delete, is not known"):
        made.apply(approval)
    sandbox.faults.clear()
    assert gone <= {each.id for each in away.snapshots.find()}
