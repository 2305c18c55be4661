"""Plans of strategies: what is taken, deleted, copied, archived and unshared, and what never is."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from snapkit import InvalidRequest, Sandbox, StalePlan, StrategyError, Timing
from snapkit.access import Access, Role
from snapkit.automation import dlm, leave, plan, protect, run
from snapkit.automation.comparison import Figure
from snapkit.automation.managed import DUE, TIERS, mark
from snapkit.ebs import Estate, Volume
from snapkit.plan import Applied, Plan
from snapkit.strategy import Archive, Retention, Schedule, Strategy, Tier
from tests.automation.ground import AWAY, COPIED, HOURLY, marks, protected
from tests.ebs.ground import OTHER, OWN, Field

BLOCK = 524288


def applied(made: Plan) -> Applied:
    return made.apply(made.approve("the test"))


def step(target: Any, strategy: Strategy = HOURLY) -> Applied:
    """Do what is wanted now, and let an hour pass."""
    done = applied(plan(target, strategy))
    target.region.clock.sleep("1h")
    return done


def told(made: Plan | Applied) -> list[str]:
    steps = made.steps if isinstance(made, Plan) else [deed.step for deed in made]
    return [each.what for each in steps]


def test_what_is_due_is_taken_once_with_a_mark(field: Field) -> None:
    volume = field.new_volume()
    assert applied(plan(volume, HOURLY)).complete
    (taken,) = volume.region.snapshots.find(volume=volume.id)
    assert {key: taken.tags[key] for key in (TIERS, DUE)} == {TIERS: '["often"]', DUE: "2026-01-05T00:00:00Z"}
    assert len(plan(volume, HOURLY)) == 0


def test_takes_go_before_deletes_and_only_what_the_strategy_took_is_deleted(own: Field) -> None:
    volume = own.new_volume()
    by_hand = volume.take_snapshot("by hand")
    volume.region.clock.sleep("1min")
    for _ in range(3):
        step(volume)
    made = plan(volume, HOURLY)
    assert told(made) == ["take", "delete"]
    assert "not among the last 2" in made[1].reason
    assert applied(made).complete
    assert by_hand.refresh().state == "completed"
    assert [due for _, due, _ in marks(volume.region)] == [f"2026-01-05T0{hour}:00:00Z" for hour in (1, 2, 3)]


def test_what_is_locked_is_shown_with_the_reason_and_stays(own: Field) -> None:
    volume = own.new_volume()
    for _ in range(3):
        step(volume)
    oldest = volume.region.snapshots.find(volume=volume.id)[-1]
    oldest.lock(duration="10d")
    made = plan(volume, HOURLY)
    (blocked,) = made.blocked
    assert (blocked.on, "it is locked" in blocked.blockers[0]) == (oldest.id, True)
    assert [deed.result for deed in applied(made)] == ["done", "blocked"]


def test_what_another_tool_manages_is_shown_with_the_reason_and_stays(own: Field) -> None:
    volume = own.new_volume()
    tags = mark(HOURLY, ["often"], volume.region.clock.now())
    volume.take_snapshot(tags=tags, description="Created for policy: policy-1 schedule: nightly")
    volume.region.clock.sleep("1h")
    step(volume)
    step(volume)
    (blocked,) = plan(volume, HOURLY).blocked
    assert "Data Lifecycle Manager (policy-1) manages it" in blocked.blockers[0]


def test_a_plan_is_stale_once_what_it_would_delete_is_needed(own: Field) -> None:
    volume = own.new_volume()
    for _ in range(3):
        step(volume)
    made = plan(volume, HOURLY)
    approval = made.approve("ada")
    volume.region.snapshots.find(volume=volume.id)[0].delete()
    with pytest.raises(StalePlan, match="wanted was delete, is nothing"):
        made.apply(approval)
    assert len(volume.region.snapshots.find(volume=volume.id)) == 2


def test_a_plan_applied_again_does_nothing_again(own: Field) -> None:
    volume = own.new_volume()
    for _ in range(3):
        step(volume)
    made = plan(volume, HOURLY)
    approval = made.approve("ada")
    assert made.apply(approval).complete
    assert [deed.result for deed in made.apply(approval)] == ["already done", "already done"]
    assert own.count() == 3


def test_the_volumes_of_a_server_are_taken_at_one_moment(own: Field) -> None:
    server = own.new_server(data_volumes=2)
    assert told(applied(plan(server, HOURLY))) == ["take"]
    found = server.region.snapshots.find()
    assert {each.volume_id for each in found} == set(server.devices.values())
    assert len({each.taken_at for each in found}) == 1
    assert len(plan(server, HOURLY)) == 0


def test_what_was_taken_twice_for_one_due_time_is_deleted_once_the_first_is_complete(own: Field) -> None:
    volume = own.new_volume()
    made = plan(volume, HOURLY), plan(volume, HOURLY)
    for each in made:
        each[0].do()
    first, second = reversed(volume.region.snapshots.find(volume=volume.id))
    assert len(plan(volume, HOURLY)) == 0
    volume.region.clock.sleep("30min")
    (extra,) = plan(volume, HOURLY)
    assert (extra.what, extra.on) == ("delete", second.id)
    assert first.id in extra.reason


def test_copies_follow_one_by_one_under_their_own_retention(own: Field) -> None:
    volume = own.new_volume()
    there = own.region(AWAY)
    for _ in range(4):
        step(volume, COPIED)
    copies = there.snapshots.find()
    assert [due for _, due, _ in marks(there)] == ["2026-01-05T01:00:00Z", "2026-01-05T02:00:00Z"]
    assert {each.tags[there.tag_keys.source_volume] for each in copies} == {volume.id}
    made = plan(volume, COPIED)
    assert told(made) == ["take", f"copy to {AWAY}", "delete", "delete"]
    assert "copy in eu-west-1 of 2026-01-05 01:00 UTC" in made[3].reason


def test_a_snapshot_stays_while_a_copy_of_it_is_in_progress() -> None:
    once = Strategy("hourly", [Tier(Schedule("every 1h"), Retention(last=1), "often", copies=COPIED.tiers[0].copies)])
    with Sandbox(accounts=[OWN], timing=Timing(rate=100 * BLOCK / 5400, spread=0.0)) as slow:
        field = Field(None, slow)
        volume = field.new_volume(written=100)
        step(volume, once)
        field.sandbox.clock.sleep("1h")
        step(volume, once)  # the copy of the first begins
        field.sandbox.write(volume.id, 0, 1)
        made = plan(volume, once)
        (held,) = made.blocked
        assert (held.what, held.blockers) == ("delete", ("its copy to eu-west-1 is not complete; wait for that",))


def test_copies_made_by_hand_are_left_alone(own: Field) -> None:
    volume = own.new_volume()
    step(volume, COPIED)
    by_hand = volume.region.snapshots.find(volume=volume.id)[0].copy_to(AWAY)
    for _ in range(4):
        step(volume, COPIED)
    assert by_hand.refresh().state == "completed"


def test_what_the_retention_lets_go_is_archived_and_counted_on_its_way(own: Field) -> None:
    archive = Archive(Retention(last=1, within="1y"))
    strategy = Strategy("hourly", [Tier(Schedule("every 1h"), Retention(last=1), "often", archive=archive)])
    volume = own.new_volume()
    step(volume, strategy)
    step(volume, strategy)
    made = plan(volume, strategy)
    assert told(made) == ["take", "archive"]
    assert applied(made).complete
    assert len(plan(volume, strategy)) == 0  # it is still on its way
    volume.region.clock.sleep("3d")
    assert [each.tier for each in volume.region.snapshots.find(volume=volume.id)].count("archive") == 1


def test_shares_of_its_snapshots_end_with_the_others(own: Field) -> None:
    volume = own.new_volume()
    step(volume)
    (taken,) = volume.region.snapshots.find(volume=volume.id)
    taken.share(OTHER, until="30min")
    volume.region.clock.sleep("40min")
    made = plan(volume, HOURLY)
    assert told(made) == ["take", "unshare"]
    assert applied(made).complete
    assert taken.shared_with() == ()


def test_a_plan_that_was_applied_is_done_hours_later_too(own: Field) -> None:
    volume = own.new_volume()
    made = plan(volume, HOURLY)
    approval = made.approve("the test")
    volume.region.clock.sleep("3h")
    assert [deed.result for deed in made.apply(approval)] == ["done"]
    assert [deed.result for deed in made.apply(approval)] == ["already done"]


def test_a_share_ends_before_its_snapshot_is_deleted(own: Field) -> None:
    volume = own.new_volume()
    for _ in range(3):
        step(volume)
    oldest = volume.region.snapshots.find(volume=volume.id)[-1]
    oldest.share(OTHER, until="1min")
    volume.region.clock.sleep("2min")
    made = plan(volume, HOURLY)
    assert [each.what for each in made if each.on == oldest.id] == ["unshare", "delete"]
    assert applied(made).complete


def test_a_region_that_is_down_is_told_and_the_others_are_served(own: Field) -> None:
    here, there = own.region(), own.region(AWAY)
    volumes = [*protected(here), there.volumes.create(f"{AWAY}a", "1 GiB")]
    own.faults("DescribeSnapshots", unreachable=9, region=AWAY)
    made = plan(volumes, HOURLY)
    assert sorted(told(made)) == ["look at", "take"]
    assert "could not be reached" in made.blocked[0].blockers[0] or "no answer" in made.blocked[0].blockers[0]
    assert sorted(deed.result for deed in applied(made)) == ["blocked", "done"]
    own.sandbox.faults.clear()
    assert len(marks(here)) == 1
    assert marks(there) == []


def test_a_region_that_goes_down_after_the_approval_fails_its_own_steps_only(own: Field) -> None:
    here, there = own.region(), own.region(AWAY)
    made = plan([*protected(here), there.volumes.create(f"{AWAY}a", "1 GiB")], HOURLY)
    approval = made.approve("ada")
    for operation in ("DescribeSnapshots", "CreateSnapshot", "DescribeVolumes"):
        own.faults(operation, unavailable=99, region=AWAY)
    assert sorted(deed.result for deed in made.apply(approval)) == ["done", "failed"]


def test_an_estate_is_all_its_volumes(own: Field) -> None:
    here, there = own.region(), own.region(AWAY)
    protected(here, 2)
    there.volumes.create(f"{AWAY}a", "1 GiB")
    assert told(plan(Estate([here, there]), HOURLY)) == ["take"] * 3


def test_a_region_reached_in_two_ways_is_refused(own: Field) -> None:
    first = protected(own.region())[0]
    again = own.region().volumes.get(first.id)
    with pytest.raises(InvalidRequest, match="reached in two ways; name one profile"):
        plan([first, again], HOURLY)


def test_a_clock_behind_that_of_aws_is_refused(own: Field) -> None:
    volume = own.new_volume()
    taken = step(volume)
    with pytest.raises(InvalidRequest, match=r"before snap-.* began.*; set the clock"):
        plan(volume, HOURLY, now=volume.region.clock.now() - timedelta(hours=2))
    assert taken.complete


def test_a_clock_ahead_of_that_of_aws_takes_nothing_twice(own: Field) -> None:
    volume = own.new_volume()
    volume.region.clock.sleep("59min 30s")
    ahead = volume.region.clock.now() + timedelta(seconds=40)
    assert applied(plan(volume, HOURLY, now=ahead)).complete
    volume.region.clock.sleep("40s")
    assert len(plan(volume, HOURLY)) == 0


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("CreateSnapshot", "take"),
        ("CopySnapshot", f"copy to {AWAY}"),
        ("DeleteSnapshot", "delete"),
        ("ModifySnapshotAttribute", "unshare"),
    ],
)
def test_a_missing_right_is_told_before_the_first_step(own: Field, operation: str, what: str) -> None:
    region = own.region()
    volume = protected(region)[0]
    for _ in range(3):
        step(volume, COPIED)
    region.snapshots.find()[0].share(OTHER, until="1min")
    region.clock.sleep("2min")

    def denied(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, operation)

    for each in (region, region.beside(AWAY)):
        each.aws.client.meta.events.register_first(f"before-parameter-build.ec2.{operation}", denied)
    made = plan(Volume(region, volume.raw), COPIED)
    assert {each.what for each in made} >= {"take", f"copy to {AWAY}", "delete", "unshare"}
    assert {each.what for each in made.blocked} == {what}
    assert all(operation in each.blockers[0] for each in made.blocked)
    ran = run(COPIED, region)
    assert ran.status == 1
    assert any(operation in each for each in ran.troubles) == (what == "delete")


@pytest.mark.parametrize("target", ["vol-1", None, 3, ["vol-1"]])
def test_nonsense_is_no_target(target: Any) -> None:
    with pytest.raises(InvalidRequest, match="target"):
        plan(target, HOURLY)


def test_names_that_fit_in_no_tag_are_refused_before_any_call(own: Field) -> None:
    long = Strategy("x" * 256, HOURLY.tiers)
    with pytest.raises(StrategyError, match="255 characters; shorten"):
        plan(own.new_volume(), long)


def test_an_empty_plan_stays_one_when_something_is_due_later(own: Field) -> None:
    volume = own.new_volume()
    step(volume)
    made = plan(volume, HOURLY, now=volume.region.clock.now() - timedelta(minutes=1))
    assert len(made) == 0
    volume.region.snapshots.find()[0].delete()
    assert applied(made).complete


def test_the_frame_and_the_text_say_what_and_why(own: Field) -> None:
    made = plan(own.new_volume(), HOURLY)
    assert made.to_frame()[["what", "reason"]].to_numpy().tolist() == [
        ["take", "for often: every hour was due at 2026-01-05 00:00:00 UTC"]
    ]


def test_of_a_server_only_the_volumes_that_are_due_are_taken(own: Field) -> None:
    server = own.new_server(data_volumes=2)
    first = server.volumes()[1]
    applied(plan(first, HOURLY))
    server.region.clock.sleep("1min")
    assert applied(plan(server, HOURLY)).complete
    assert sorted(volume for volume, _, _ in marks(server.region)) == sorted(server.devices.values())


def test_what_the_person_may_not_do_is_told_before_the_first_step(own: Field) -> None:
    volume = own.new_volume(group="db")
    only_looks = own.sandbox.region(access=Access("ada", {}, [Role("reader", [])]))
    (blocked,) = plan(only_looks.volumes.get(volume.id), HOURLY).blocked
    assert blocked.blockers == ("your roles do not allow Volume: Snapshot; ask for a role with that right",)


def test_what_is_no_strategy_or_no_volume_is_refused(own: Field) -> None:
    volume = own.new_volume()
    with pytest.raises(InvalidRequest, match="strategy 'hourly' is none; give "):
        plan(volume, "hourly")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="target 'vol-1' is no volume or server; give one of"):
        protect("vol-1", HOURLY)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="target 'vol-1' is no volume or server; give one of"):
        leave("vol-1")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="target_tags 'x' are no tags; give values by key"):
        dlm.export(HOURLY, target_tags="x")  # type: ignore[arg-type]


@pytest.mark.parametrize(("fact", "verdict"), [(11040.0, "as forecast"), (10980.0, "less"), (11200.0, "more")])
def test_no_difference_is_told_where_none_is_seen(fact: float, verdict: str) -> None:
    assert Figure("rpo_mean_s", 11052.0, 11050.0, 11090.0, fact, fact, "measured").verdict == verdict
