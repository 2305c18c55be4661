"""Volumes attached to servers and taken off again: once, and only told when it is so."""

from typing import Any

import pytest

from snapkit import AwsError, InvalidRequest, Sandbox, WaitTimeout
from snapkit.ebs import Volume
from snapkit.ebs.settling import SETTLES_IN
from tests.ebs.ground import Field


def slowly(volume: Volume, *states: dict[str, Any]) -> list[int]:
    """Let its next readings be of these states, as AWS shows them for some seconds; counts them in what it returns."""
    left, read = list(states), [0]

    def show(parsed: dict[str, Any], **_: Any) -> None:
        read[0] += 1
        if left:
            parsed["Volumes"][0] |= left.pop(0)

    volume.region.aws.client.meta.events.register("after-call.ec2.DescribeVolumes", show)
    return read


def test_a_volume_is_attached_under_a_free_name_and_detached(field: Field) -> None:
    server = field.new_server(data_volumes=1)
    volume = field.new_volume()
    assert volume.attach(server) is volume
    assert (volume.server_id, volume.device, volume.state) == (server.id, "/dev/sdg", "in-use")
    assert volume.detach().server_id == ""


def test_two_volumes_go_to_one_server_that_was_read_before(field: Field) -> None:
    server = field.new_server()
    assert [field.new_volume().attach(server).device for _ in range(3)] == ["/dev/sdf", "/dev/sdg", "/dev/sdh"]


def test_a_device_name_that_is_taken_or_that_there_is_not_is_refused_before_the_call(field: Field) -> None:
    server, full, volume = field.new_server(data_volumes=1), field.new_server(data_volumes=11), field.new_volume()
    field.faults("AttachVolume", throttle=1)
    with pytest.raises(InvalidRequest, match=rf"device '/dev/sdf' is taken on {server.id} by vol-\w+; leave it out"):
        volume.attach(server, "/dev/sdf")
    for device in ("banana", "/dev/sda/1", "/dev/sdg "):
        with pytest.raises(InvalidRequest, match=f"device '{device}' is no device name; leave it out, or give one of"):
            volume.attach(server, device)
    with pytest.raises(InvalidRequest, match="has no free device name; name one with device="):
        volume.attach(full)
    assert len(field.sandbox.faults.pending()) == 1
    field.sandbox.faults.clear()
    assert volume.attach(full, "/dev/sdz").device == "/dev/sdz"


def test_a_server_in_another_zone_is_refused_before_the_call(field: Field) -> None:
    server, volume = field.new_server("us-east-1b"), field.new_volume()
    field.faults("AttachVolume", throttle=1)
    with pytest.raises(InvalidRequest, match=f"server '{server.id}' is in us-east-1b, not in us-east-1a; choose a"):
        volume.attach(server.id)
    assert len(field.sandbox.faults.pending()) == 1


def test_a_server_that_is_gone_is_refused_before_the_call(field: Field) -> None:
    server, volume = field.new_server(), field.new_volume()
    field.ec2().terminate_instances(InstanceIds=[server.id])
    with pytest.raises(InvalidRequest, match="is terminated; choose one that is running or stopped"):
        volume.attach(server)


def test_a_volume_that_is_attached_is_not_attached_again(field: Field) -> None:
    first, second, volume = field.new_server(), field.new_server(), field.new_volume()
    volume.attach(first)
    field.faults("AttachVolume", throttle=1)
    with pytest.raises(InvalidRequest, match=rf"is attached to {first.id} as /dev/sdf; detach\(\) it there first"):
        volume.attach(second)
    assert len(field.sandbox.faults.pending()) == 1
    field.sandbox.faults.clear()
    field.region().volumes.get(volume.id).detach()
    assert volume.attach(second).server_id == second.id


def test_detaching_what_is_not_attached_is_refused_before_the_call(field: Field) -> None:
    volume = field.new_volume()
    field.faults("DetachVolume", throttle=1)
    with pytest.raises(InvalidRequest, match="is attached to no server; nothing has to be done"):
        volume.detach()
    assert len(field.sandbox.faults.pending()) == 1


def test_what_is_attached_or_detached_is_told_when_it_is_so(field: Field) -> None:
    server, volume = field.new_server(), field.new_volume().refresh()
    attaching = {"Attachments": [{"InstanceId": server.id, "Device": "/dev/sdf", "State": "attaching"}]}
    detaching = {
        "Attachments": [{"InstanceId": server.id, "Device": "/dev/sdf", "State": "detaching"}],
        "State": "in-use",
    }
    begin = field.clock.now()
    read = slowly(volume, attaching, attaching)
    assert volume.attach(server).raw["Attachments"][0]["State"] == "attached"
    assert read == [3]
    read = slowly(volume, detaching)
    assert volume.detach().state == "available"
    assert (field.clock.now() - begin).total_seconds() == pytest.approx(1 + 2 + 1, abs=0.5)


def test_a_volume_that_is_being_created_is_waited_for(field: Field) -> None:
    volume, server = field.new_volume(), field.new_server()
    fresh = Volume(volume.region, {**volume.raw, "State": "creating"})
    slowly(fresh, {"State": "creating"}, {"State": "creating"})
    assert fresh.attach(server).server_id == server.id


def test_a_volume_that_could_not_be_created_is_refused(field: Field) -> None:
    volume, server = field.new_volume(), field.new_server()
    fresh = Volume(volume.region, {**volume.raw, "State": "creating"})
    slowly(fresh, {"State": "error"})
    with pytest.raises(InvalidRequest, match="could not be created; delete it, and make another one"):
        fresh.attach(server)


def test_a_volume_that_its_server_does_not_let_go_is_told_after_a_while(field: Field) -> None:
    server, volume = field.new_server(), field.new_volume()
    volume.attach(server)
    begin = field.clock.now()
    busy = {"Attachments": [{"InstanceId": server.id, "Device": "/dev/sdf", "State": "busy"}], "State": "in-use"}
    slowly(volume, *[busy] * 100)
    with pytest.raises(WaitTimeout) as caught:
        volume.detach()
    told = f"{volume.id} is busy still after 5 min; unmount its file systems on {server.id}; then it goes on by itself"
    assert str(caught.value).startswith(told)
    assert SETTLES_IN <= (field.clock.now() - begin).total_seconds() <= SETTLES_IN + 5


def test_a_call_that_never_arrived_is_told(field: Field) -> None:
    server, volume = field.new_server(), field.new_volume().refresh()
    field.faults("AttachVolume", unreachable=20)
    with pytest.raises(AwsError, match=f"AttachVolume of {volume.id} failed .*no answer came"):
        volume.attach(server)
    field.sandbox.faults.clear()
    assert volume.refresh().server_id == ""


@pytest.mark.parametrize("served", [False, True])
def test_lost_answers_are_no_errors_where_the_call_took_effect(served: bool) -> None:
    with Sandbox(accounts=["111122223333"]) as sandbox:
        field = Field(sandbox.serve() if served else None, sandbox)
        server, volume = field.new_server(), field.new_volume()
        field.faults("AttachVolume", lost=1)
        assert volume.attach(server).server_id == server.id
        field.faults("DetachVolume", lost=1)
        assert volume.detach().server_id == ""
        field.faults("ModifyVolume", lost=1)
        assert volume.resize("9 GiB").size == 9 * 2**30
