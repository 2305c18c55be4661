"""How volumes stand under their strategies, and how they come under one and leave it."""

from datetime import timedelta

import pytest

from snapkit import InvalidRequest, Sandbox
from snapkit.access import Access, Role
from snapkit.automation import Assignment, Protection, leave, protect, protections, run
from snapkit.automation.managed import STRATEGY
from snapkit.automation.protections import MOST_MISSED
from snapkit.ebs import Estate, Region
from snapkit.errors import AwsError, NotPermitted
from snapkit.strategy import RecoveryVolume, Retention, Schedule, Strategy, Tier
from tests.automation.ground import AWAY, HOURLY, protected
from tests.ebs.ground import ESCAPED, HOSTILE, ZONE, Field

DAILY = Strategy("daily", [Tier(Schedule("every 1d at 03:00"), Retention(last=7), "nightly")])


def only(region: Region, *strategies: Strategy | Assignment) -> Protection:
    (found,) = protections(strategies or HOURLY, region)
    return found


def test_a_volume_goes_from_due_through_pending_to_protected(sandbox: Sandbox, region: Region) -> None:
    (volume,) = protected(region)
    sandbox.write(volume.id, 0, 2000)
    new = only(region)
    assert (new.state, new.last, new.missed) == ("due", None, ())
    assert new.told.startswith("take for often: ")
    run(HOURLY, region, apply=True)
    begun = only(region)
    assert (begun.state, begun.told) == ("pending", "")
    sandbox.clock.advance("30min")
    done = only(region)
    assert done.state == "protected"
    assert done.last is not None
    assert done.due == done.last.due + timedelta(hours=1)
    assert done.volume == volume


def test_the_due_times_that_were_missed_are_counted_and_named(sandbox: Sandbox, region: Region) -> None:
    protected(region)
    run(HOURLY, region, apply=True)
    sandbox.clock.advance("3h30min")
    late = only(region)
    assert late.last is not None
    assert late.missed == tuple(late.last.due + timedelta(hours=each) for each in (1, 2))
    assert (late.state, late.due) == ("missed", late.last.due + timedelta(hours=3)), "the third can still be met"
    assert late.told.startswith("2 due times missed: 2026-01-05 01:00, 2026-01-05 02:00 UTC; take for often")
    run(HOURLY, region, apply=True)
    sandbox.clock.advance("10min")
    assert only(region).state == "protected"


def test_very_many_missed_are_not_counted_out(sandbox: Sandbox, region: Region) -> None:
    protected(region)
    run(HOURLY, region, apply=True)
    sandbox.clock.advance("60d")
    late = only(region)
    assert len(late.missed) == MOST_MISSED
    assert "1,000 or more due times missed, the last 5 of them " in late.told


def test_a_snapshot_in_error_is_told_with_the_reason_until_the_next_try(sandbox: Sandbox, region: Region) -> None:
    protected(region)
    sandbox.faults.add("CreateSnapshot", failing=1)
    run(HOURLY, region, apply=True)
    sandbox.clock.advance("10min")
    failing = only(region)
    assert failing.state == "failing"
    assert failing.last is not None
    assert failing.told.startswith(f"{failing.last.id} ended in error: ")
    sandbox.clock.advance("10min")
    run(HOURLY, region, apply=True)
    assert only(region).state == "pending"


def test_what_is_assigned_to_nothing_twice_or_unknown_is_listed_and_named(region: Region) -> None:
    (volume,) = protected(region)
    region.volumes.create(ZONE, "1 GiB", name=HOSTILE, tags={STRATEGY: "of somebody"})
    both = Assignment(DAILY, volumes=(volume.id,))
    idle = Strategy("idle", HOURLY.tiers)
    found = {each.called: each for each in protections([HOURLY, both, idle], region)}
    assert [(name, each.state) for name, each in found.items()] == [
        ("hourly and daily", "unclear"),
        ("idle", "protects nothing"),
        ("of somebody", "unclear"),
    ]
    assert (
        "is protected by two strategies, 'hourly' and 'daily'; take one of the two off it"
        in found["hourly and daily"].told
    )
    assert (
        found["idle"].told
        == "the strategy 'idle', for the tag snapkit:strategy = idle, protects no volume; let it protect one"
    )
    assert "no strategy 'of somebody' was given" in found["of somebody"].told
    assert found["of somebody"].strategy is None
    assert len(protections([], region)) == 2, "without strategies those that are tagged are told"


def test_volumes_of_a_server_are_protected_through_it(sandbox: Sandbox) -> None:
    ground = Field(None, sandbox)
    server = ground.new_server(data_volumes=1)
    protect(server, HOURLY)
    found = protections(HOURLY, ground.region())
    assert {each.volume.id for each in found if each.volume} == set(server.devices.values())
    assert {each.target.id for each in found if each.target} == {server.id}
    lone = protections(DAILY, ground.region())
    assert [(each.state, each.server and each.server.id) for each in lone] == [
        ("protects nothing", None),
        *[("unclear", server.id)] * 2,
    ]


def test_in_an_estate_a_region_that_refuses_does_not_hide_the_others(sandbox: Sandbox, region: Region) -> None:
    protected(region)
    far = sandbox.region(AWAY)
    far.aws.client.meta.events.register("before-call.ec2", _down)
    found = protections([HOURLY, DAILY], Estate([far, region]))
    assert [each.state for each in found] == ["protects nothing", "due"]
    assert found[0].region is region
    assert found.to_frame()["region"].tolist() == ["", "us-east-1"]
    assert "as far as the regions that answer tell" in found[0].told
    assert [label.split()[-1] for label in found.failed] == [AWAY]
    with pytest.raises(AwsError):
        protections(HOURLY, far)


def _down(**_: object) -> None:
    from botocore.exceptions import EndpointConnectionError

    raise EndpointConnectionError(endpoint_url="nowhere")


def test_it_is_a_frame_and_a_table_that_shows_markup_as_it_is(region: Region) -> None:
    region.volumes.create(ZONE, "1 GiB", name=HOSTILE, tags={STRATEGY: "hourly"})
    run(HOURLY, region, apply=True)
    found = protections([HOURLY, DAILY], region)
    frame = found.to_frame()
    assert list(frame["strategy"]) == ["daily", "hourly"]
    assert str(frame["next_due"].dtype) == "datetime64[ms, UTC]"
    assert frame["last_due"].isna().tolist() == [True, False]
    assert ESCAPED in found._repr_html_()
    assert HOSTILE not in found._repr_html_()
    assert repr(found[1]) == f"<Protection of {found[1].volume!r} by 'hourly': pending>"


def test_the_recovery_volume_is_told(sandbox: Sandbox, region: Region) -> None:
    recovery = RecoveryVolume(schedule=Schedule("every 1h"), zone=ZONE)
    kept = Strategy("hourly", HOURLY.tiers, recovery)
    protected(region)
    assert only(region).recovery == ""
    assert only(region, kept).recovery == "none yet"
    for _ in range(2):
        run(kept, region, apply=True)
        sandbox.clock.advance("10min")
    told = only(region, kept).recovery
    assert told.startswith("vol-")
    assert told.endswith(", with data of 2026-01-05 00:00 UTC")


def test_a_volume_is_protected_and_leaves(region: Region) -> None:
    volume = region.volumes.create(ZONE, "1 GiB")
    protect(volume, HOURLY)
    protect(volume, HOURLY)
    assert only(region).volume == volume
    with pytest.raises(InvalidRequest, match="is protected by 'hourly' already; let it leave 'hourly' first"):
        protect(volume, DAILY)
    leave(volume)
    assert STRATEGY not in volume.refresh().tags
    with pytest.raises(InvalidRequest, match="carries no tag snapkit:strategy; let its server leave"):
        leave(volume)


def test_what_protects_by_a_server_or_by_an_id_is_found_before_the_tag_is_set(sandbox: Sandbox) -> None:
    ground = Field(None, sandbox)
    server = ground.new_server(data_volumes=1)
    root, data = server.volumes()
    protect(data, DAILY)
    with pytest.raises(InvalidRequest, match=f"volume '{data.id}' is protected by 'daily' already"):
        protect(server, HOURLY)
    leave(data)
    protect(server, HOURLY)
    with pytest.raises(InvalidRequest, match=f"server '{server.id}' is protected by 'hourly' already"):
        protect(root, DAILY)
    alone = ground.new_volume()
    with pytest.raises(InvalidRequest, match="is protected by two strategies"):
        protect(alone, HOURLY, [Assignment(DAILY, volumes=(alone.id,))])
    assert STRATEGY not in alone.refresh().tags


def test_who_may_not_take_snapshots_cannot_protect(region: Region) -> None:
    (volume,) = protected(region)
    region.access = Access("ann", {"db": "reader"}, [Role("reader", ["Snapshot: CreateVolume: ANY"])])
    with pytest.raises(NotPermitted, match="Volume: Snapshot"):
        protect(volume, HOURLY)
    with pytest.raises(NotPermitted, match="Volume: Snapshot"):
        leave(volume)
    assert volume.refresh().tags[STRATEGY] == "hourly"


def test_a_tag_that_was_changed_meanwhile_stays(region: Region) -> None:
    (volume,) = protected(region)
    other = region.volumes.get(volume.id)
    other.tag({STRATEGY: "daily"})
    volume.untag({STRATEGY: "hourly"})
    assert volume.refresh().tags[STRATEGY] == "daily"
