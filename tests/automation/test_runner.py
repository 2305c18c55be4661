"""One step of strategies after another, whatever happens on the way."""

import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from snapkit import InvalidRequest, Sandbox, Timing
from snapkit.automation import Assignment, Run, alerts, planner, run
from snapkit.automation.alerts import Alert
from snapkit.automation.lease import LEASE
from snapkit.automation.managed import STRATEGY
from snapkit.ebs import Estate, Region
from snapkit.strategy import Retention, Schedule, Strategy, Tier, Window
from tests.automation.ground import (
    AWAY,
    COPIED,
    HOURLY,
    Killed,
    Marks,
    alone,
    kill_after,
    marks,
    meeting,
    protected,
)  # fmt: skip
from tests.ebs.ground import OTHER, ZONE, Field

OTHERS = Strategy("others", HOURLY.tiers)


def story(meet: Callable[[int], object] | None = None, faults: dict[str, dict[str, int]] | None = None) -> list[Marks]:
    """Run every hour, something happening in the fourth; gives what is there in the end."""
    with alone() as sandbox:
        return told(sandbox, lambda: _disturbed(sandbox, meet, faults or {}))


def told(sandbox: Sandbox, disturbed: Callable[[], object]) -> list[Marks]:
    home = sandbox.region()
    protected(home)
    for hour in range(5):
        if hour == 3:
            disturbed()
        else:
            run(COPIED, home, apply=True)
        sandbox.clock.sleep("20min")  # the lease of a run that was killed has ended
        if hour >= 3:
            run(COPIED, home, apply=True)
        sandbox.clock.sleep("40min")
    return [marks(home), marks(sandbox.region(AWAY))]


def _disturbed(sandbox: Sandbox, meet: Callable[[int], object] | None, faults: dict[str, dict[str, int]]) -> None:
    for operation, counts in faults.items():
        sandbox.faults.add(operation, **counts)  # type: ignore[arg-type]
    try:
        with meeting(sandbox, meet or (lambda _: None)):
            run(COPIED, sandbox.region(), apply=True)
    except Killed:
        pass
    sandbox.faults.clear()


@pytest.fixture(scope="module")
def undisturbed() -> list[Marks]:
    return story()


def test_a_step_takes_copies_and_deletes(undisturbed: list[Marks]) -> None:
    assert [len(each) for each in undisturbed] == [2, 2]


@pytest.mark.parametrize("number", range(1, 7))
def test_killed_after_any_change_the_next_step_goes_on(number: int, undisturbed: list[Marks]) -> None:
    changes = list[int]()

    def meet(count: int) -> None:
        changes.append(count)
        kill_after(number)(count)

    assert story(meet) == undisturbed
    assert changes[-1] == number, "there are fewer changes to be killed after"


CHANGES = ("CreateSnapshot", "CopySnapshot", "DeleteSnapshot", "CreateTags", "DeleteTags")
LISTINGS = ("DescribeSnapshots", "DescribeVolumes")


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param({each: {"lost": 1} for each in CHANGES}, id="every answer lost"),
        pytest.param({each: {"throttle": 2} for each in (*CHANGES, *LISTINGS)}, id="throttled"),
        pytest.param({each: {"unavailable": 9} for each in (*CHANGES, *LISTINGS)}, id="down"),
        pytest.param({each: {"failing": 1} for each in CHANGES[:2]}, id="snapshots in error"),
        pytest.param({"CreateSnapshot": {"hidden": 3}}, id="not yet seen"),
    ],
)
def test_what_goes_wrong_on_the_way_is_made_good(faults: dict[str, dict[str, int]], undisturbed: list[Marks]) -> None:
    assert story(faults=faults) == undisturbed


@pytest.mark.parametrize("number", range(1, 7))
def test_another_run_in_the_middle_of_one_doubles_nothing(number: int, undisturbed: list[Marks]) -> None:
    with alone() as sandbox:

        def meet(count: int) -> None:
            if count == number:
                run(COPIED, sandbox.region(), apply=True)

        assert told(sandbox, lambda: _disturbed(sandbox, meet, {})) == undisturbed


def test_runs_that_meet_without_a_lease_take_twice_and_the_later_one_goes(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    protected(region)

    def between(decidings: Any) -> Any:
        monkeypatch.undo()
        found = planner.read(decidings)
        decidings[0].protected[0].volume.region.aws.call("DeleteTags", Resources=[ids[0]], Tags=[{"Key": LEASE}])
        run(HOURLY, region, apply=True)
        return found

    ids = [each.id for each in region.volumes.find()]
    monkeypatch.setattr("snapkit.automation.runner.read", between)
    run(HOURLY, region, apply=True)
    assert len(marks(region)) == 2
    region.clock.sleep("30min")
    assert [step.what for step in run(HOURLY, region, apply=True).plan] == ["delete"]
    assert len(marks(region)) == 1


def test_by_default_nothing_is_done(field: Field) -> None:
    region = field.region()
    protected(region, 2)
    told = run(HOURLY, region)
    assert (told.applied, told.status, len(told.plan)) == (None, 0, 2)
    assert marks(region) == []
    assert [json.loads(each).get("result") for each in told.lines()] == ["planned", "planned", None]


def test_a_run_beside_another_leaves_it_alone_until_its_lease_ends(region: Region) -> None:
    volume = protected(region)[0]
    volume.tag({LEASE: "another/2026-01-05T00:10:00Z"})
    told = run(HOURLY, region, apply=True)
    assert (len(told.plan), told.status) == (0, 0)
    assert "is left to another run, which has the lease until 00:10:00 UTC" in told.notes[0]
    region.clock.sleep("10min")
    assert len(run(HOURLY, region, apply=True).plan) == 1
    assert LEASE not in volume.refresh().tags


def test_after_an_outage_it_takes_one_and_not_all_that_were_missed(region: Region) -> None:
    protected(region)
    run(HOURLY, region, apply=True)
    region.clock.sleep("10h 20min")
    assert [step.what for step in run(HOURLY, region, apply=True).plan] == ["take"]
    assert [due for _, due, _ in marks(region)] == ["2026-01-05T00:00:00Z", "2026-01-05T10:00:00Z"]


def test_a_window_holds_it_back(region: Region) -> None:
    region.volumes.create(ZONE, "1 GiB", tags={STRATEGY: "nights"})
    nights = Strategy(
        "nights", [Tier(Schedule("every 1h", window=Window(start="22:00", end="23:30")), Retention(last=3))]
    )
    run(nights, region, apply=True)
    region.clock.sleep("12h")
    assert len(run(nights, region).plan) == 0
    assert (run(nights, region).next_due or region.clock.now()).hour == 22


def test_shares_whose_end_has_come_end_whoever_took_the_snapshot(region: Region) -> None:
    volume = protected(region)[0]
    by_hand = volume.take_snapshot()
    region.clock.sleep("10min")
    by_hand.share(OTHER, until="10min")
    region.clock.sleep("20min")
    told = run(HOURLY, region, apply=True)
    assert [step.what for step in told.plan] == ["take", "unshare"]
    assert by_hand.shared_with() == ()


def test_a_region_that_is_down_fails_and_the_others_go_on() -> None:
    with alone() as sandbox:
        here, there = sandbox.region(), sandbox.region(AWAY)
        protected(here)
        sandbox.faults.add("DescribeVolumes", unavailable=99, region=AWAY)
        told = run(HOURLY, Estate([here, there]), apply=True)
        assert [(each[0], each[2]) for each in told.rows()] == [("look at", "blocked"), ("take", "done")]
        assert told.status == 1


def test_a_volume_of_two_strategies_is_refused_before_the_first_step(region: Region) -> None:
    volume, _ = protected(region, 2)
    with pytest.raises(InvalidRequest, match=f"{volume.id}.* is protected by two strategies, 'hourly' and 'others'"):
        run([HOURLY, Assignment(OTHERS, volumes=(volume.id,))], region, apply=True)
    assert marks(region) == []


def test_an_account_that_is_reached_twice_is_refused_before_the_first_step(sandbox: Sandbox, region: Region) -> None:
    protected(region)
    with pytest.raises(InvalidRequest, match="of account 111122223333 is reached in two ways; name one profile"):
        run(HOURLY, Estate([region, sandbox.region()]), apply=True)
    assert marks(region) == []


def test_a_clock_that_is_behind_is_refused_before_the_first_step_and_leaves_no_lease(region: Region) -> None:
    class Behind:
        def now(self) -> datetime:
            return clock.now() - timedelta(minutes=3)  # as far as AWS takes requests

    volume = protected(region)[0]
    run(HOURLY, region, apply=True)
    clock, region.clock = region.clock, Behind()  # type: ignore[assignment] # it never waits
    with pytest.raises(InvalidRequest, match=r"before snap-.* began.*; set the clock"):
        run(HOURLY, region, apply=True)
    assert len(marks(region)) == 1
    assert LEASE not in volume.refresh().tags


def test_what_protects_nothing_is_told(region: Region) -> None:
    protected(region)
    gone = "vol-0123456789abcdef0"
    told = run([HOURLY, OTHERS, Assignment(Strategy("third", HOURLY.tiers), volumes=(gone,))], region)
    assert told.status == 1
    assert told.troubles[0].startswith(
        "the strategy 'others', for the tag snapkit:strategy = others, protects no volume"
    )
    assert any(f"{gone}, named for 'third', is in none of the regions" in each for each in told.troubles)


def test_servers_are_taken_as_one_and_their_tag_goes_before_that_of_volumes(field: Field) -> None:
    server = field.new_server(data_volumes=1)
    volume = server.volumes()[0]
    volume.tag({STRATEGY: "hourly"})
    told = run(Assignment(HOURLY, tags={STRATEGY: "hourly"}, servers=(server.id,)), field.region(), apply=True)
    assert [step.on for step in told.plan] == [server.id]
    assert len(marks(field.region())) == 2


def test_what_a_renamed_strategy_left_is_told_and_stays(region: Region) -> None:
    volume = protected(region)[0]
    run(HOURLY, region, apply=True)
    volume.tag({STRATEGY: "others"})
    region.clock.sleep("1h")
    told = run(OTHERS, region, apply=True)
    assert told.notes == (
        f"1 snapshot by 'hourly' of {volume.id}, which another strategy protects now, or both do, stays as it is",
    )
    assert len(marks(region)) == 2


def test_a_group_of_which_no_volume_can_be_snapshotted_is_told_once_and_once_when_one_can(
    sandbox: Sandbox, region: Region
) -> None:
    sent = list[Alert]()
    protected(region, 2, group="db")
    protected(region, 1, group="web")
    region.taking.patience = 0
    statuses = list[int]()
    for hour in range(5):
        if hour in (1, 2):
            sandbox.faults.add("CreateSnapshot", internal=4)  # one for the dry run
        statuses.append(run(HOURLY, region, apply=True, alert=sent.append).status)
        sandbox.faults.clear()
        region.clock.sleep("1h")
    assert statuses == [0, 3, 1, 0, 0]
    assert [(each.group, each.failing) for each in sent] == [
        ("db", True), ("web", True), ("db", False), ("web", False),
    ]  # fmt: skip
    assert "2 volumes of group 'db' in 111122223333 us-east-1 none is snapshotted since" in str(sent[0])


def test_snapshots_that_end_in_error_are_a_failure_until_one_is_complete(sandbox: Sandbox, region: Region) -> None:
    sent = list[Alert]()
    protected(region)
    sandbox.faults.add("CreateSnapshot", failing=1, message="no key")
    statuses = list[int]()
    for _ in range(4):
        statuses.append(run(HOURLY, region, apply=True, alert=sent.append).status)
        region.clock.sleep("20min")
    assert statuses == [0, 3, 0, 0]
    assert sent[0].told.endswith("ended in error: no key")
    assert [each.failing for each in sent] == [True, False]


def test_an_alert_is_a_line_of_json_to_a_command(tmp_path: Path) -> None:
    given = Alert("111122223333 us-east-1", "db", failing=True, since="2026-01-05T00:00:00Z", volumes=("vol-1",))
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())"
    alerts.command(f"{sys.executable} -c '{script}' {tmp_path / 'alert'}")(given)
    assert json.loads((tmp_path / "alert").read_text())["alert"]["group"] == "db"
    with pytest.raises(InvalidRequest, match="run it by hand"):
        alerts.command("false")(given)
    alerts.command(f"{sys.executable} -c 'import os; os.write(1, bytes([255]))'")(given)  # no text that it could read
    for line, rule in ((" ", "is empty"), ("mail -s 'all", "cannot be read .No closing quotation.; give one such as")):
        with pytest.raises(InvalidRequest, match=rule):
            alerts.command(line)


def test_an_alert_that_could_not_be_sent_is_sent_by_the_next_run(sandbox: Sandbox, region: Region) -> None:
    sent = list[Alert]()
    protected(region)
    for sender in (alerts.command("false"), sent.append):
        sandbox.faults.add("CreateSnapshot", internal=2)  # one for the dry run
        told = run(HOURLY, region, apply=True, alert=sender)
        assert told.status == 3
    assert len(sent) == 1


def test_ten_days_of_an_estate_keep_the_last_seven_of_each_volume(region: Region) -> None:
    daily = Strategy("hourly", [Tier(Schedule("every 1d"), Retention(last=7), "daily")])
    volumes = protected(region, 30)
    for _ in range(10):
        told: Run = run(daily, region, apply=True)
        assert told.status == 0
        region.clock.sleep(((told.next_due or region.clock.now()) - region.clock.now()).total_seconds())
    assert run(daily, region, apply=True).status == 0
    kept = [f"2026-01-{day:02}T00:00:00Z" for day in range(8, 16)]  # the last seven, and the one in progress
    assert marks(region) == sorted((volume.id, due, '["daily"]') for volume in volumes for due in kept)


def test_the_table_and_its_html_say_what_came_of_each_step(region: Region) -> None:
    protected(region, group="<b>")
    told = run(HOURLY, region, apply=True)
    assert str(told).splitlines()[0].split() == ["step", "on", "result", "why"]
    assert str(told).endswith("1 step, applied, next due 2026-01-05 01:00:00 UTC; status 0")
    assert told.to_frame()["result"].tolist() == ["done"]
    assert "done</td>" in told._repr_html_()


def test_a_slow_first_snapshot_is_waited_for() -> None:
    with Sandbox(timing=Timing(rate=524288 * 10 / 8000, spread=0.0)) as sandbox:
        region = sandbox.region()
        volume = protected(region)[0]
        sandbox.write(volume.id, 0, 10)
        for _ in range(3):
            told = run(HOURLY, region, apply=True)
            region.clock.sleep("1h")
        assert told.pending == 2
        assert len(marks(region)) == 3


def test_an_alert_is_published_in_the_region_of_its_topic(sandbox: Sandbox) -> None:
    class Sns:
        def __init__(self) -> None:
            self.published: list[dict[str, str]] = []

        def publish(self, **given: str) -> dict[str, str]:
            self.published.append(given)
            return {"MessageId": "1"}

    sns, region = Sns(), sandbox.region()
    there = Region(sandbox.region(AWAY).aws.client, clients=lambda service: sns)
    one = Region(region.aws.client, clock=region.clock, regions={AWAY: there}.__getitem__)
    alert = Alert("111122223333 us-east-1", "db", failing=False, since="2026-01-05T00:00:00Z", volumes=("vol-1",))
    alerts.topic(one, f"arn:aws:sns:{AWAY}:111122223333:ops")(alert)
    (given,) = sns.published
    assert given["Subject"] == "snapkit: recovered in 111122223333 us-east-1"
    assert json.loads(given["Message"])["alert"]["volumes"] == ["vol-1"]
    with pytest.raises(InvalidRequest, match="'ops' is no topic; give one such as"):
        alerts.topic(one, "ops")
