"""Recovery volumes on schedule: built of the newest complete snapshot, replaced once the next one is ready."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from snapkit import InUse, InvalidRequest, Sandbox, Timing
from snapkit.access import Access, Role
from snapkit.automation import Assignment, Run, plan, run
from snapkit.automation.managed import STRATEGY
from snapkit.automation.recovery_volumes import RECOVERS, built
from snapkit.ebs import Region, Volume
from snapkit.strategy import Archive, RecoveryVolume, Retention, Schedule, Strategy, Tier, Window
from tests.automation.ground import Killed, alone, kill_after, meeting, protected
from tests.ebs.ground import OWN, Field

THERE = "us-east-1b"
TIERS = [Tier(Schedule("every 6h"), Retention(last=2), "often")]
BLOCK = 524288


def strategy(schedule: str = "every 1d at 07:00", zone: str = THERE, **more: Any) -> Strategy:
    window = more.pop("window", None)
    return Strategy("hourly", TIERS, RecoveryVolume(schedule=Schedule(schedule, window=window), zone=zone, **more))


DAILY = strategy(initialized=True)


@pytest.fixture
def region(own: Field) -> Region:
    return own.region()


def new_volume(region: Region, **options: Any) -> Volume:
    """Make a volume that the strategy protects."""
    return protected(region, **options)[0].refresh()


def kept(region: Region) -> list[tuple[str, str, str]]:
    """List the recovery volumes: of what, for which due time, with the data of which moment."""
    return [(one.of, f"{one.due:%d %H:%M}", f"{one.moment:%d %H:%M}") for one in built(region)]


def days(
    wanted: Strategy, region: Region, until: datetime, *, before: Callable[[Run | None], object] | None = None
) -> list[Run]:
    """Run a strategy whenever it says, and every five minutes while something is in progress."""
    ran = list[Run]()
    while (now := region.clock.now()) < until:
        if before:
            before(ran[-1] if ran else None)
        ran.append(run(wanted, region, apply=True))
        busy = ran[-1].pending or any(step.what == "take" for step in ran[-1].plan)
        wake = min(filter(None, (ran[-1].next_due, now + timedelta(minutes=5) if busy else None)))
        region.clock.sleep((min(wake, until) - now).total_seconds())
    return ran


def deny(region: Region, denied: str) -> Any:
    """Let IAM deny an operation; return what calls operations without it."""
    call = region.aws.client._make_api_call

    def answer(operation: str, params: dict[str, Any]) -> Any:
        if operation == denied:
            raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, operation)
        return call(operation, params)

    region.aws.client._make_api_call = answer
    return call


def at(hours: float) -> datetime:
    return datetime.fromisoformat("2026-01-05T00:00:00+00:00") + timedelta(hours=hours)


def test_days_have_one_ready_volume_at_any_time_after_the_first() -> None:
    ready, seen = list[int](), list[tuple[str, str, str]]()
    with alone() as sandbox:
        region = sandbox.region()
        volume = new_volume(region)
        sandbox.write(volume.id, 0, 100)

        def look(last: Run | None) -> None:
            there = built(region)
            ready.append(sum(one.ready for one in there))
            seen.extend(each for each in kept(region) if each not in seen)
            assert len(there) <= 2

        ran = days(DAILY, region, at(48), before=look)
        assert [each.status for each in ran] == [0] * len(ran)
        assert ready[2:] == [1 if count == 1 else 2 for count in ready[2:]]
        assert min(ready[2:]) == 1
        # At once, of the first snapshot; then as it is due, of the newest.
        assert seen == [(volume.id, "04 07:00", "05 00:00"), (volume.id, "05 07:00", "05 06:00"),
                        (volume.id, "06 07:00", "06 06:00")]  # fmt: skip
        steps = [step for each in ran for step in each.plan if "volume" in step.what or step.on.startswith("vol-")]
        builds = [step for step in steps if step.what == "build recovery volume"]
        # 100 blocks at 100 MiB/s, and 1 GiB of gp3.
        assert [step.price_usd for step in builds] == [pytest.approx((50 / 1024 * 100 * 0.000012,) * 2)] * 3
        assert [step.monthly_usd for step in builds] == [0.08] * 3
        assert [step.monthly_usd for step in steps if step.what == "delete"] == [-0.08, -0.08]
        assert len(built(region)) == 1


def story(meet: Callable[[int], object] | None = None, faults: dict[str, dict[str, int]] | None = None) -> Any:
    """Run to the second recovery volume and the end of the first, the runs of both disturbed; return what is left."""
    with alone() as sandbox:
        region = sandbox.region()
        sandbox.write(new_volume(region).id, 0, 100)
        days(DAILY, region, at(6.9))
        for number, minute in enumerate(range(0, 60, 12)):  # by which the lease of a run that was killed has ended
            sandbox.clock.sleep((at(7 + minute / 60) - sandbox.clock.now()).total_seconds())
            for operation, counts in (faults or {}).items() if number < 2 else ():
                sandbox.faults.add(operation, **counts)  # type: ignore[arg-type]
            with suppress(Killed), meeting(sandbox, meet if meet and number < 2 else lambda _: None):
                run(DAILY, sandbox.region(), apply=True)
            sandbox.faults.clear()
        volumes = sorted(
            (each.id in {one.volume.id for one in built(region)}, each.zone) for each in region.volumes.find()
        )
        return volumes, kept(region), len(region.snapshots.find())


@pytest.fixture(scope="module")
def undisturbed() -> Any:
    left = story()
    assert left[0] == [(False, "us-east-1a"), (True, THERE)]
    assert [each[1:] for each in left[1]] == [("05 07:00", "05 06:00")]
    return left


@pytest.mark.parametrize("number", range(1, 4))
def test_killed_after_any_change_the_next_run_goes_on(number: int, undisturbed: Any) -> None:
    changes = list[int]()

    def meet(count: int) -> None:
        changes.append(count)
        kill_after(number)(count)

    assert story(meet) == undisturbed
    assert changes.count(number) == 2, "there are fewer changes to be killed after"


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param({each: {"lost": 1} for each in ("CreateVolume", "DeleteVolume")}, id="every answer lost"),
        pytest.param({each: {"throttle": 3} for each in ("CreateVolume", "DeleteVolume")}, id="throttled"),
        pytest.param({each: {"unavailable": 9} for each in ("CreateVolume", "DeleteVolume")}, id="down"),
        pytest.param({"DescribeVolumeStatus": {"unavailable": 9}}, id="no status"),
    ],
)
def test_what_goes_wrong_on_the_way_is_made_good(faults: dict[str, dict[str, int]], undisturbed: Any) -> None:
    assert story(faults=faults) == undisturbed


def test_what_two_runs_built_for_one_due_time_is_one_in_the_end(region: Region) -> None:
    volume = new_volume(region)
    wanted = strategy()
    days(wanted, region, at(0.05))
    made = plan(volume, wanted), plan(volume, wanted)
    for each in made:
        each[0].do()
    first, second = built(region)
    assert first.due == second.due
    (extra,) = plan(volume, wanted)
    assert (extra.what, extra.on) == ("delete", second.volume.id)
    run(wanted, region, apply=True)
    assert [one.volume.id for one in built(region)] == [first.volume.id]


def test_a_plan_applied_again_builds_nothing_again(region: Region) -> None:
    volume = new_volume(region)
    days(strategy(), region, at(0.05))
    made = plan(volume, strategy())
    approval = made.approve("ada")
    assert made.apply(approval).complete
    assert [deed.result for deed in made.apply(approval)] == ["already done"]
    assert len(built(region)) == 1


def test_the_old_one_stays_until_every_block_of_the_new_one_is_there() -> None:
    with Sandbox(accounts=[OWN], timing=Timing(rate=1e12, spread=0.0)) as sandbox:
        region = sandbox.region()
        volume = region.volumes.create("us-east-1a", "60 GiB", tags={STRATEGY: "hourly"})
        sandbox.write(volume.id, 0, 60 * 2000)
        wanted = strategy("every 5 min", initialized=True)
        days(wanted, region, at(0.2))
        first = built(region)[0]
        assert 0 < first.progress < 100
        told = run(wanted, region, apply=True)
        assert len(told.plan) == 0
        assert f"for 2026-01-05 00:10 UTC waits for {first.volume.id}, which is {first.told}" in told.notes[0]
        days(wanted, region, at(6.15))
        assert [(one.volume.id == first.volume.id, one.ready) for one in built(region)] == [
            (True, True),
            (False, False),
        ]
        days(wanted, region, at(6.5))
        assert [(one.volume.id == first.volume.id, one.ready) for one in built(region)] == [(False, True)]


def test_after_an_outage_one_is_built_and_not_all_that_were_missed(region: Region) -> None:
    new_volume(region)
    days(strategy(), region, at(7.5))
    region.clock.sleep("80h")
    days(strategy(), region, at(88.5))
    assert [each[1:] for each in kept(region)] == [("08 07:00", "08 15:30")]


def test_no_newer_snapshot_no_other_volume(region: Region) -> None:
    volume = new_volume(region)
    wanted = strategy("every 1h")
    days(wanted, region, at(5.5))
    assert [each[1:] for each in kept(region)] == [("05 00:00", "05 00:00")]
    assert len(plan(volume, wanted)) == 0
    days(wanted, region, at(6.3))
    assert [each[1:] for each in kept(region)] == [("05 06:00", "05 06:00")]


def test_a_window_holds_it_back_and_is_told_as_the_next_due_time(region: Region) -> None:
    new_volume(region)
    wanted = strategy("every 1h", window=Window(start="03:00", end="04:00"))
    ran = days(wanted, region, at(2.9))
    assert built(region) == []
    assert ran[-1].next_due == at(3)
    days(wanted, region, at(3.1))
    assert [each[1:] for each in kept(region)] == [("05 03:00", "05 00:00")]


def test_one_that_is_attached_serves_and_is_never_deleted(field: Field) -> None:
    region = field.region()
    new_volume(region)
    days(strategy(), region, at(0.2))
    (used,) = built(region)
    used.volume.attach(field.instance(zone=THERE))
    told = run(strategy(), region, apply=True)
    assert sorted(step.what for step in told.plan) == ["build recovery volume", "release"]
    assert {deed.result for deed in told.applied or ()} == {"done"}
    used.volume.refresh().detach()
    days(strategy(), region, at(8))
    assert RECOVERS not in used.volume.refresh().tags
    assert [one.volume.id != used.volume.id for one in built(region)] == [True]


def test_one_attached_between_plan_and_deed_is_not_deleted(own: Field) -> None:
    region = own.region()
    volume = new_volume(region)
    days(strategy(), region, at(7.02))
    (step,) = [each for each in plan(volume, strategy()) if each.what == "delete" and each.on.startswith("vol-")]
    region.volumes.get(step.on).attach(own.instance(zone=THERE))
    with pytest.raises(InUse, match="is attached to"):
        step.do()
    region.volumes.get(step.on).detach().untag({RECOVERS: volume.id})
    with pytest.raises(InvalidRequest, match="is no recovery volume any more"):
        step.do()
    region.volumes.get(step.on).delete()
    step.do()


def test_a_zone_that_does_not_exist_is_told_before_the_first_step_and_snapshots_are_taken(region: Region) -> None:
    new_volume(region)
    told = run(strategy(zone="eu-west-1a"), region, apply=True)
    (blocked,) = told.plan.blocked
    assert blocked.blockers == (
        f"recovery zone 'eu-west-1a' is not in us-east-1; choose one of {', '.join(region.zones)}",
    )
    assert (told.status, len(region.snapshots.find())) == (1, 1)


def test_another_zone_is_moved_to_at_once(region: Region) -> None:
    new_volume(region)
    days(strategy(), region, at(0.2))
    days(strategy(zone="us-east-1c"), region, at(0.5))
    assert [one.volume.zone for one in built(region)] == ["us-east-1c"]


def test_the_newest_snapshot_in_the_archive_or_on_its_way_is_told(region: Region) -> None:
    volume = new_volume(region)
    tier = replace(TIERS[0], archive=Archive(Retention(last=1)))
    archives = Strategy("hourly", [tier], strategy().recovery)
    days(archives, region, at(0.05))
    (taken,) = region.snapshots.find(volume=volume.id)
    taken.archive(confirm=taken.id)
    assert plan(volume, archives).blocked[0].blockers == (
        f"{taken.id} is on its way to the archive; take another snapshot",
    )
    region.clock.sleep("3d")
    assert "is archived; restore_from_archive() first" in plan(volume, archives).blocked[0].blockers[0]


def test_what_a_strategy_without_recovery_volumes_left_is_told_and_stays(region: Region) -> None:
    volume = new_volume(region)
    days(strategy(), region, at(0.2))
    told = run(Strategy("hourly", TIERS), region, apply=True)
    kept_ready = "which no strategy of this run keeps ready, stays as it is, for $0.08 a month; see the tag"
    assert told.notes == (f"1 recovery volume by 'hourly' of {volume.id}, {kept_ready} snapkit:recovers",)
    assert (told.status, len(built(region))) == (0, 1)


def test_the_recovery_volume_of_a_volume_that_is_gone_stays(region: Region) -> None:
    volume, other = protected(region, 2)
    days(strategy(), region, at(0.2))
    region.volumes.get(volume.id).delete()
    days(strategy(), region, at(24))
    assert sorted(one.of for one in built(region)) == sorted([volume.id, other.id])


def test_recovery_volumes_are_not_protected_themselves(region: Region) -> None:
    new_volume(region, group="db")
    by_group = Assignment(strategy(), tags={region.tag_keys.group: "db"})
    for _ in range(3):
        run(by_group, region, apply=True)
        region.clock.sleep("10min")
    (one,) = built(region)
    assert one.volume.group == "db"
    assert [each.volume.id for each in by_group.matching(region)] == [one.of]
    assert {step.on for step in plan(region, strategy(), now=at(6.5))} == {one.of}
    with pytest.raises(InvalidRequest, match=f"is a recovery volume of {one.of}; plan for that one"):
        plan(one.volume, strategy())


def test_it_is_as_large_and_of_the_kind_of_the_original_with_its_name_and_billing_code(region: Region) -> None:
    options: dict[str, Any] = {
        "volume_type": "io2",
        "iops": 5000,
        "name": "data",
        "group": "db",
        "billing_code": "CC-1",
    }
    volume = region.volumes.create("us-east-1a", "20 GiB", tags={STRATEGY: "hourly"}, **options)
    days(strategy(), region, at(0.05))
    volume.resize("30 GiB")
    (step,) = plan(volume.refresh(), strategy())
    assert step.monthly_usd == pytest.approx(30 * 0.125 + 5000 * 0.065)
    step.do()
    (one,) = built(region)
    made = one.volume
    assert (made.volume_type, made.raw["Iops"], made.size >> 30) == ("io2", 5000, 30)
    assert (made.name, made.group, made.billing_code) == ("data", "db", "CC-1")
    assert STRATEGY not in made.tags


def test_one_that_could_not_be_made_is_deleted_and_built_again(region: Region) -> None:
    volume = new_volume(region)
    days(strategy(), region, at(0.1))
    (failed,) = built(region)
    call = region.aws.client._make_api_call

    def told(operation: str, params: dict[str, Any]) -> Any:
        answer = call(operation, params)
        for each in answer.get("Volumes", ()):
            each["State"] = "error" if each["VolumeId"] == failed.volume.id else each["State"]
        return answer

    region.aws.client._make_api_call = told
    made = plan(volume, strategy())
    assert [(step.what, step.on) for step in made] == [
        ("build recovery volume", volume.id), ("delete", failed.volume.id),
    ]  # fmt: skip
    assert made.apply(made.approve("ada")).complete
    assert [one.volume.id != failed.volume.id for one in built(region)] == [True]


def test_a_missing_right_is_told_before_the_first_step(region: Region) -> None:
    volume = new_volume(region)
    days(strategy(), region, at(0.05))
    call = deny(region, "CreateVolume")
    (blocked,) = plan(Volume(region, volume.raw), strategy()).blocked
    assert blocked.blockers[0].startswith("CreateVolume of snap-")
    region.aws.client._make_api_call = call
    region.access = Access("ada", groups={"db": "taker"}, roles=[Role("taker", ["Volume: Snapshot: ANY"])])
    (blocked,) = plan(Volume(region, volume.raw), strategy()).blocked
    assert "your roles do not allow Snapshot: CreateVolume" in blocked.blockers[0]


def test_a_role_that_may_not_read_their_status_takes_snapshots_all_the_same(region: Region) -> None:
    volume = new_volume(region)
    days(DAILY, region, at(0.2))
    deny(region, "DescribeVolumeStatus")
    region.clock.sleep("8h")
    told = run(DAILY, region, apply=True)
    assert [(step.what, step.on, bool(step.blockers)) for step in told.plan] == [
        ("take", volume.id, False), ("build recovery volume", volume.id, True),
    ]  # fmt: skip
    assert told.status == 1


def test_those_without_marks_of_a_strategy_are_left_alone(region: Region) -> None:
    volume = new_volume(region)
    by_hand = region.volumes.create(THERE, "1 GiB", tags={RECOVERS: volume.id})
    days(strategy(), region, at(8))
    assert by_hand.refresh().state == "available"
    assert [one.volume.id for one in built(region) if not one.strategy] == [by_hand.id]
