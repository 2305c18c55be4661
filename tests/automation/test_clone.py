"""Clones of a server's volumes for another one: at one moment, at the same devices, each once."""

from contextlib import suppress
from typing import Any

import pytest

from snapkit import InvalidRequest, StalePlan
from snapkit.access import Access, Role
from snapkit.automation import clone_for
from snapkit.automation.cloning import CLONE_FOR, CLONE_OF
from snapkit.ebs import Region, Server, Volume
from snapkit.plan import Applied, Plan
from snapkit.prices import MONTH
from snapkit.units import GIB
from tests.automation.ground import AWAY, Killed, kill_after, meeting
from tests.ebs.ground import Field

ELSEWHERE = "us-east-1b"


@pytest.fixture
def region(own: Field) -> Region:
    return own.region()


@pytest.fixture
def old(own: Field, region: Region) -> Server:
    """A server with two data volumes: one of gp3 with more throughput, one of io1."""
    server = own.new_server()
    data = own.new_volume(name="data", group="db", billing_code="CC-1", throughput=250, iops=4000)
    log = own.new_volume(name="log", volume_type="io1", iops=200, tags={"snapkit:strategy": "hourly"})
    data.attach(server, "/dev/sdf")
    log.attach(server, "/dev/sdk")
    return server.refresh()


@pytest.fixture
def new(own: Field) -> Server:
    return own.new_server(zone=ELSEWHERE)


def applied(made: Plan) -> Applied:
    return made.apply(made.approve("the test"))


def attached(server: Server) -> dict[str, Volume]:
    """List the clones on a server, by device."""
    found = server.refresh().volumes()
    return {each.device: each for each in found if CLONE_OF in each.tags}


def told(server: Server) -> list[Any]:
    return [
        (device, each.name, each.group, each.billing_code, each.volume_type, *map(each.raw.get, ("Iops", "Throughput")))
        for device, each in sorted(attached(server).items())
    ]


EXPECTED = [
    ("/dev/sdf", "data", "db", "CC-1", "gp3", 4000, 250),
    ("/dev/sdk", "log", "", "", "io1", 200, None),
]


def test_clones_are_attached_at_the_same_devices_with_the_names_of_the_originals(
    old: Server, new: Server, region: Region
) -> None:
    assert applied(clone_for(new, old)).complete
    clones = attached(new)
    assert told(new) == EXPECTED
    assert {each.zone for each in clones.values()} == {ELSEWHERE}
    assert all("snapkit:strategy" not in each.tags for each in clones.values())
    assert len({each.taken_at for each in region.snapshots.find(tags={CLONE_FOR: new.id})}) == 1


def test_the_data_are_those_of_the_moment_of_the_snapshots(old: Server, new: Server, own: Field) -> None:
    applied(clone_for(new, old))
    original, clone = old.volumes()[1], attached(new)["/dev/sdf"]
    own.sandbox.write(original.id, 500)
    one, other = original.take_snapshot().wait(), clone.take_snapshot().wait()
    assert one.changed_blocks(other).blocks.tolist() == [500]


def test_nothing_is_made_before_the_approval_and_the_price_istold(old: Server, new: Server, own: Field) -> None:
    made = clone_for(new, old, initialization_rate=100)
    assert (own.count(), len(own.region().volumes.find())) == (0, 4)
    assert list(made.total_usd) == [0, pytest.approx(2 * 8 * 100 * 0.000012)]
    prices, size = own.region().prices, 8 * GIB
    gp3, io1 = prices.gp3(size, MONTH, iops=4000, throughput=250), prices.volume("io1", size, MONTH, iops=200)
    least = pytest.approx(gp3 + io1)
    assert list(made.monthly_usd) == [least, pytest.approx(gp3 + io1 + 2 * prices.monthly(size))]


def test_a_plan_made_again_does_nothing_again(old: Server, new: Server, own: Field) -> None:
    applied(clone_for(new, old))
    assert {deed.result for deed in applied(clone_for(new, old))} == {"already done"}
    assert (own.count(), len(own.region().volumes.find())) == (2, 6)


@pytest.mark.parametrize("number", range(1, 6))
def test_killed_after_any_change_the_next_plan_goes_on(number: int, old: Server, new: Server, own: Field) -> None:
    with meeting(own.sandbox, kill_after(number)), suppress(Killed):
        applied(clone_for(new, old))
    own.sandbox.clock.advance("5min")
    assert applied(clone_for(new, old)).complete
    assert told(new) == EXPECTED
    assert (own.count(), len(own.region().volumes.find())) == (2, 6)


def test_lost_answers_and_throttles_double_nothing(old: Server, new: Server, own: Field) -> None:
    for each in ("CreateSnapshots", "CreateVolume", "AttachVolume"):
        own.faults(each, lost=1, throttle=1)
    made = clone_for(new, old)
    applied(made)
    assert applied(made).complete
    assert told(new) == EXPECTED
    assert (own.count(), len(own.region().volumes.find())) == (2, 6)


def test_snapshots_in_error_are_told_and_taken_anew_by_the_next_plan(old: Server, new: Server, own: Field) -> None:
    own.faults("CreateSnapshots", failing=1, message="no luck")
    first = applied(clone_for(new, old))
    assert "no luck" in first.failed[0].told
    assert [deed.result for deed in first] == ["done", "failed", "skipped", "failed", "skipped"]
    own.sandbox.clock.advance("5min")
    assert applied(clone_for(new, old)).complete
    assert told(new) == EXPECTED


def test_what_is_gone_on_with_says_of_which_moment_it_is(old: Server, new: Server, own: Field) -> None:
    old.take_snapshots(tags={CLONE_FOR: new.id}, root=False)
    own.sandbox.clock.advance("3h")
    (warning,) = clone_for(new, old)[0].warnings
    assert "goes on with the snapshots of 2026-01-05 00:0" in warning


def test_a_clone_of_the_root_volume_gets_the_first_free_device(old: Server, new: Server) -> None:
    assert applied(clone_for(new, old, root=True)).complete
    assert {device: each.tags[CLONE_OF] for device, each in attached(new).items()} == {
        "/dev/sdf": old.devices["/dev/sdf"],
        "/dev/sdg": old.root_volume_id,
        "/dev/sdk": old.devices["/dev/sdk"],
    }


def test_a_device_that_is_taken_blocks_all_before_anything_is_made(old: Server, new: Server, own: Field) -> None:
    other = own.region().volumes.create(ELSEWHERE, "1 GiB").attach(new, "/dev/sdk")
    done = applied(clone_for(new, old))
    assert {deed.result for deed in done} == {"blocked", "skipped"}
    assert f"/dev/sdk of {new.id} has {other.id}; detach that first" in done[0].told
    assert own.count() == 0


def test_a_plan_is_stale_once_the_original_has_other_volumes(old: Server, new: Server, own: Field) -> None:
    made = clone_for(new, old)
    own.new_volume().attach(old, "/dev/sdh")
    with pytest.raises(StalePlan, match="volumes was"):
        applied(made)


def test_a_role_without_the_rights_is_told_before_the_first_step(old: Server, new: Server, own: Field) -> None:
    role = Role("imager", ["Server: Image: ANY", "Snapshot: CreateVolume: ANY"])
    mine = own.sandbox.region(access=Access("eve", {"imagers": "imager"}, [role]))
    made = clone_for(mine.servers.get(new.id), mine.servers.get(old.id))
    assert ["Volume: Attach" in step.blockers[0] for step in made.blocked] == [True, True]


def test_what_cannot_be_is_refused(old: Server, new: Server, own: Field) -> None:
    with pytest.raises(InvalidRequest, match="give another server"):
        clone_for(old, old)
    with pytest.raises(InvalidRequest, match="root=True"):
        clone_for(old, new)
    with pytest.raises(InvalidRequest, match="initialization rate"):
        clone_for(new, old, initialization_rate=1)
    far = own.region(AWAY).servers.get(own.instance(region=AWAY, zone=f"{AWAY}a"))
    with pytest.raises(InvalidRequest, match="copy or share"):
        clone_for(far, old)
    own.ec2().terminate_instances(InstanceIds=[new.id])
    with pytest.raises(InvalidRequest, match="choose one that runs"):
        clone_for(new, old)
