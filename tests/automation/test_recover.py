"""Recovering a lost volume: itself, else its recovery volume, else its newest complete snapshot."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from snapkit import InvalidRequest, NotFound, Sandbox, StalePlan
from snapkit.access import Access, Role
from snapkit.automation import recover, run
from snapkit.automation.managed import STRATEGY
from snapkit.automation.recovery_volumes import RECOVERED, RECOVERS, built
from snapkit.ebs import Region, Volume
from snapkit.plan import Applied, Plan
from snapkit.strategy import RecoveryVolume, Retention, Schedule, Strategy, Tier
from tests.automation.ground import Killed, alone, kill_after, meeting, protected
from tests.automation.test_recovery import deny
from tests.ebs.ground import ZONE, Field

TIERS = [Tier(Schedule("every 1h"), Retention(last=3), "often")]
PLAIN = Strategy("hourly", TIERS)
READY = Strategy("hourly", TIERS, RecoveryVolume(schedule=Schedule("every 1d"), zone="us-east-1b", delay="5min"))
THERE = "us-east-1b"


def applied(made: Plan) -> Applied:
    return made.apply(made.approve("the test"))


def told(made: Plan) -> list[tuple[str, str]]:
    return [(step.what, step.on) for step in made]


def lost(field: Field, strategy: Strategy = PLAIN) -> tuple[Region, Volume]:
    """Run a strategy for three hours, and lose its volume."""
    region = field.region()
    (volume,) = protected(region, name="data", group="db")
    for _ in range(3):
        run(strategy, region, apply=True)
        region.clock.sleep("30min")
        run(strategy, region, apply=True)
        region.clock.sleep("30min")
    volume.delete()
    return region, volume


def test_what_survives_is_attached_to_the_server_that_takes_the_place(field: Field) -> None:
    region = field.region()
    volume, dead, other = field.new_volume(), field.instance(zone=ZONE), field.instance(zone=ZONE)
    volume.attach(dead)
    field.ec2().terminate_instances(InstanceIds=[dead])
    seen = region.clock.now()
    made = recover(volume, other)
    assert told(made) == [("wait", "until 2026-01-05 00:10:00 UTC"), ("attach", volume.id)]
    assert "nothing that was written to it is lost" in made[1].reason
    assert applied(made).complete
    assert volume.refresh().server_id == other
    assert region.clock.now() - seen >= timedelta(minutes=10)


def test_it_is_taken_off_a_stopped_server_and_keeps_its_device(own: Field) -> None:
    volume, dead, other = own.new_volume(), own.instance(zone=ZONE), own.instance(zone=ZONE)
    volume.attach(dead, "/dev/sdh")
    with pytest.raises(InvalidRequest, match=f"is attached to {dead}, which is running; it is not lost"):
        recover(volume, other)
    own.ec2().stop_instances(InstanceIds=[dead])
    made = recover(volume, other)
    assert told(made)[1:] == [("detach", volume.id), ("attach", volume.id)]
    assert applied(made).complete
    assert (volume.refresh().server_id, volume.device) == (other, "/dev/sdh")
    assert [deed.result for deed in applied(recover(volume, other))] == ["already done"]
    assert [deed.result for deed in applied(recover(volume))] == ["already done"]


def test_a_server_that_comes_back_while_it_waits_keeps_its_volume(own: Field) -> None:
    volume, dead, other = own.new_volume(), own.instance(zone=ZONE), own.instance(zone=ZONE)
    volume.attach(dead)
    own.ec2().stop_instances(InstanceIds=[dead])
    made = recover(volume, other)
    own.ec2().start_instances(InstanceIds=[dead])
    with pytest.raises(InvalidRequest, match="it is not lost"):
        made[1].do()
    assert volume.refresh().server_id == dead


def test_else_the_newest_recovery_volume_is_attached_and_says_what_is_lost(field: Field) -> None:
    region, volume = lost(field, READY)
    server = field.instance(zone=THERE)
    (one,) = built(region)
    made = recover(volume.id, server, READY, region=region)
    assert told(made) == [("wait", "until 2026-01-05 03:05:00 UTC"), ("attach", one.volume.id)]
    assert made[1].reason == (
        f"to {server}: it is ready in us-east-1b, with the data of 2026-01-05 00:00:00 UTC: 3 h of writes are lost; "
        "'hourly' protects it from then on"
    )
    newest = region.snapshots.find(volume=volume.id)[0]
    assert made[1].warnings == (
        f"{volume.id} is gone", f"{newest.id}, of 2026-01-05 02:00 UTC, is newer, but no volume yet",
    )  # fmt: skip
    assert applied(made).complete
    tags = dict(one.volume.refresh().tags)
    assert (one.volume.server_id, tags[RECOVERED], tags[STRATEGY]) == (server, volume.id, "hourly")
    assert RECOVERS not in tags
    # It is protected as the lost one was, has a recovery volume of its own, and is not deleted.
    run(READY, region, apply=True)
    region.clock.sleep("30min")
    run(READY, region, apply=True)
    assert [each.of for each in built(region)] == [one.volume.id]
    assert [deed.result for deed in applied(recover(volume.id, server, region=region))] == ["already done"]


def test_else_a_volume_is_made_of_the_newest_complete_snapshot(field: Field) -> None:
    region, volume = lost(field, READY)
    server = field.instance(zone=ZONE)
    newest, *_ = region.snapshots.find(volume=volume.id)
    made = recover(volume.id, region.servers.get(server), seen=region.clock.now() - timedelta(minutes=15))
    (one,) = built(region)
    assert told(made)[1:] == [("restore", newest.id), ("attach", volume.id)]
    assert made[1].warnings == (
        f"{volume.id} is gone",
        f"the recovery volume {one.volume.id} is in us-east-1b, not in us-east-1a",
        "its blocks are loaded when they are first read, so that it is slow at first",
    )
    assert made[1].monthly_usd == 0.08
    assert made[2].reason.endswith(f"made of {newest.id}; 'hourly' protects it from then on")
    assert [deed.result for deed in applied(made)] == ["already done", "done", "done"]
    (there,) = region.volumes.find(tags={RECOVERED: volume.id})
    assert (there.server_id, there.snapshot_id, there.name, there.group) == (server, newest.id, "data", "db")
    assert there.tags[STRATEGY] == "hourly"
    assert [each.volume.id for each in built(region)] == [one.volume.id]


def test_a_volume_in_another_zone_is_passed_over_and_told(own: Field) -> None:
    region = own.region()
    volume = own.new_volume()
    taken = volume.take_snapshot()
    region.clock.sleep("1h")
    made = recover(volume, own.instance(zone=THERE))
    assert told(made)[1:] == [("restore", taken.id), ("attach", volume.id)]
    assert made[1].warnings[0].startswith(f"{volume.id} survives in us-east-1a, where i-")
    assert "a snapshot of it that is taken now would lose nothing" in made[1].warnings[0]


def test_what_is_pending_or_archived_is_passed_over_and_told(own: Field) -> None:
    region, volume = lost(own)
    server = own.instance(zone=ZONE)
    newest, second, *_ = region.snapshots.find(volume=volume.id)
    newest.archive(confirm=newest.id)
    region.clock.sleep("3d")
    made = recover(volume.id, server, region=region)
    assert made[1].on == second.id
    assert f"{newest.id}, of 2026-01-05 02:00 UTC, has to be restored from the archive" in made[1].warnings


def test_nothing_to_recover_from_is_a_blocked_step(own: Field) -> None:
    region = own.region()
    volume, server = own.new_volume(), own.instance(zone=ZONE)
    volume.delete()
    (blocked,) = recover(volume.id, server, region=region).blocked
    assert blocked.blockers == (
        f"{volume.id} is gone; it has no recovery volume; no complete snapshot of it is in us-east-1; look for copies "
        "in other regions, and in the recycle bin",
    )


def test_a_recovery_volume_that_is_not_initialized_is_passed_over(own: Field) -> None:
    region = own.region()
    volume = region.volumes.create(ZONE, "60 GiB", tags={STRATEGY: "hourly"})
    own.sandbox.write(volume.id, 0, 120_000)
    loaded = RecoveryVolume(schedule=Schedule("every 1d"), zone=THERE, initialized=True)
    strategy = Strategy("hourly", [Tier(Schedule("every 1d"), Retention(last=3), "daily")], loaded)
    run(strategy, region, apply=True)
    region.clock.sleep("3h")
    run(strategy, region, apply=True)
    region.clock.sleep("5min")
    volume.delete()
    made = recover(volume.id, own.instance(zone=THERE), strategy, region=region)
    assert [step.what for step in made] == ["wait", "restore", "attach"]
    assert "% initialized" in made[1].warnings[1]
    assert made[1].price_usd[0] > 0  # type: ignore[index]
    # The one that is being made has the same data: it does.
    assert [deed.result for deed in applied(made)] == ["done", "already done", "done"]


def story(number: int | None = None, faults: dict[str, dict[str, int]] | None = None) -> Any:
    """Recover a volume of which only snapshots are left, disturbed, and then again."""
    with alone() as sandbox:
        field = Field(None, sandbox)
        region, volume = lost(field)
        server = field.instance(zone=ZONE)
        changes = list[int]()
        meet: Callable[[int], object] = kill_after(number) if number else changes.append
        for operation, counts in (faults or {}).items():
            sandbox.faults.add(operation, **counts)  # type: ignore[arg-type]
        with suppress(Killed), meeting(sandbox, meet):
            applied(recover(volume.id, server, region=field.region()))
        sandbox.faults.clear()
        applied(recover(volume.id, server, region=field.region()))
        volumes = [each for each in region.volumes.find() if each.snapshot_id]
        return len(changes), [(each.server_id == server, sorted(each.tags.items())) for each in volumes]


def test_killed_after_any_change_another_plan_goes_on() -> None:
    count, undisturbed = story()
    assert (count, len(undisturbed)) == (4, 1)  # made, attached, tagged, untagged
    for number in range(1, count + 1):
        assert story(number)[1] == undisturbed


@pytest.mark.parametrize("kind", [{"lost": 1}, {"throttle": 3}, {"unavailable": 9}])
def test_what_goes_wrong_on_the_way_is_made_good(kind: dict[str, int]) -> None:
    faults = dict.fromkeys(("CreateVolume", "AttachVolume", "CreateTags", "DeleteTags"), kind)
    assert story(faults=faults)[1] == story()[1]


def test_a_plan_is_stale_once_the_recovery_volume_is_gone(own: Field) -> None:
    region, volume = lost(own, READY)
    made = recover(volume.id, own.instance(zone=THERE), READY, region=region)
    approval = made.approve("ada")
    built(region)[0].volume.delete()
    with pytest.raises(StalePlan, match="is gone"):
        made.apply(approval)


def test_it_looks_again_after_the_delay(own: Field) -> None:
    region, volume = lost(own, READY)
    server = own.instance(zone=THERE)
    made = recover(volume.id, server, READY, region=region)
    by_hand = region.volumes.create(THERE, "1 GiB", tags={RECOVERED: volume.id})
    by_hand.attach(server)
    with pytest.raises(InvalidRequest, match=f"is not lost any more: {by_hand.id} is attached"):
        made[1].do()


def test_the_plan_of_one_look_is_that_of_another_where_the_time_of_the_loss_is_given(own: Field) -> None:
    region, volume = lost(own, READY)
    server, seen = own.instance(zone=THERE), region.clock.now()
    first = recover(volume.id, server, READY, region=region, seen=seen)
    region.clock.sleep("7min")
    assert recover(volume.id, server, READY, region=region, seen=seen).fingerprint == first.fingerprint


def test_one_that_was_attached_to_look_at_its_files_took_no_place(own: Field) -> None:
    region, volume = lost(own, READY)
    server = own.instance(zone=THERE)
    (one,) = built(region)
    one.volume.attach(server)
    made = recover(volume.id, server, READY, region=region)
    assert made[1].warnings[1] == f"the recovery volume {one.volume.id} is attached to {server}"
    run(READY, region, apply=True)
    made = recover(volume.id, server, READY, region=region)
    assert [step.what for step in made] == ["wait", "restore", "attach"]
    assert applied(made).complete
    (there,) = region.volumes.find(tags={RECOVERED: volume.id})
    assert there.id != one.volume.id


def test_a_snapshot_that_is_pending_is_passed_over_and_told(own: Field) -> None:
    volume, server = own.new_volume(), own.instance(zone=ZONE)
    first = volume.take_snapshot()
    own.sandbox.clock.sleep("1h")
    own.sandbox.write(volume.id, 0, 100)
    second = volume.take_snapshot()
    volume.delete()
    made = recover(volume, server)
    assert made[1].on == first.id
    assert f"{second.id}, of 2026-01-05 01:00 UTC, is pending still" in made[1].warnings


def test_a_server_with_a_strategy_of_its_own_protects_what_it_gets(own: Field) -> None:
    region, volume = lost(own, READY)
    server = region.servers.get(own.instance(zone=THERE))
    server.tag({STRATEGY: "others"})
    assert applied(recover(volume.id, server, READY)).complete
    (there,) = region.volumes.find(tags={RECOVERED: volume.id})
    assert STRATEGY not in there.tags


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"volume": "vol-1"}, "is no id of a volume"),
        ({"region": None}, "region None is not known; give region="),
        ({"server": None}, "is attached to none: name the one that is to have it"),
        ({"seen": "yesterday"}, "seen 'yesterday' is not a moment with a time zone"),
        ({"ahead": timedelta(hours=1)}, "lies in the future"),
        ({"strategy": "hourly"}, "is no strategy"),
    ],
)
def test_nonsense_is_refused(given: dict[str, Any], match: str) -> None:
    with alone() as sandbox:
        field = Field(None, sandbox)
        region, volume, server = field.region(), field.new_volume(), field.instance(zone=ZONE)
        if "ahead" in given:
            given = {"seen": region.clock.now() + given["ahead"]}
        arguments: dict[str, Any] = {"volume": volume.id, "server": server, "region": region} | given
        with pytest.raises(InvalidRequest, match=match):
            recover(arguments.pop("volume"), arguments.pop("server"), **arguments)


def test_a_server_that_is_gone_or_terminated_cannot_have_it(own: Field) -> None:
    volume, server = own.new_volume(), own.instance(zone=ZONE)
    with pytest.raises(NotFound):
        recover(volume, "i-0123456789abcdef0")
    own.ec2().terminate_instances(InstanceIds=[server])
    with pytest.raises(InvalidRequest, match="is terminated; name the one that takes its place, running or stopped"):
        recover(volume, server)


def test_a_missing_right_is_told_before_the_first_step() -> None:
    with Sandbox() as sandbox:
        field = Field(None, sandbox)
        region, volume = lost(field)
        server = field.instance(zone=ZONE)
        call = deny(region, "CreateVolume")
        (blocked,) = recover(volume.id, server, region=region).blocked
        assert (blocked.what, "CreateVolume" in blocked.blockers[0]) == ("restore", True)
        region.aws.client._make_api_call = call
        kept = field.new_volume()
        region.access = Access("ada", groups={"db": "taker"}, roles=[Role("taker", ["Volume: Snapshot: ANY"])])
        (blocked,) = recover(kept.id, server, region=region).blocked
        assert blocked.blockers == ("your roles do not allow Volume: Attach; ask for a role with that right",)
