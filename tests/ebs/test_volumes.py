"""Volumes: made from snapshots, attached, resized, deleted, once each."""

from typing import Any

import pytest

from snapkit import InUse, InvalidRequest, NotFound, Sandbox
from tests.ebs.ground import ZONE, Field


def test_a_volume_comes_from_a_snapshot_with_its_size_group_and_billing_code(field: Field) -> None:
    snapshot = field.new_volume(8, name="v", group="db", billing_code="CC-1").take_snapshot().wait()
    volume = snapshot.create_volume("us-east-1b", name="clone", tags={"stage": "test"})
    assert (volume.size, volume.zone, volume.snapshot_id) == (8 * 2**30, "us-east-1b", snapshot.id)
    assert (volume.name, volume.group, volume.billing_code, volume.tags["stage"]) == ("clone", "db", "CC-1", "test")
    assert snapshot.create_volume(ZONE, "10 GiB", volume_type="gp2").size == 10 * 2**30


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"zone": ZONE, "size": "7 GiB"}, "size '7 GiB' is below the 8 GiB of snap-"),
        ({"zone": "eu-west-1a"}, "zone 'eu-west-1a' is not in us-east-1; choose one of us-east-1a"),
        ({"zone": ""}, "zone '' is not in us-east-1"),
        ({"zone": ZONE, "size": "8.5 GiB"}, "is not in whole GiB"),
        ({"zone": ZONE, "volume_type": "gp9"}, "volume type 'gp9' is no EBS volume type"),
        ({"zone": ZONE, "colour": "red"}, "option 'colour' is not known"),
        ({"zone": ZONE, "tags": {f"k{number}": "v" for number in range(51)}}, "are more than 48"),
    ],
)
def test_a_volume_that_cannot_be_is_refused_before_the_call(field: Field, given: dict[str, Any], words: str) -> None:
    snapshot = field.new_volume(8).take_snapshot().wait()
    field.faults("CreateVolume", throttle=1)
    with pytest.raises(InvalidRequest) as caught:
        snapshot.create_volume(**given)
    assert words in str(caught.value)
    assert caught.value.remedy
    assert len(field.sandbox.faults.pending()) == 1


def test_an_empty_volume_needs_a_size(field: Field) -> None:
    with pytest.raises(InvalidRequest, match="size None is missing; give one, or a snapshot"):
        field.region().volumes.create(ZONE)


def test_a_volume_is_attached_under_a_free_name_and_detached(field: Field) -> None:
    server = field.new_server(data_volumes=1)
    volume = field.new_volume()
    assert volume.attach(server) is volume
    assert (volume.server_id, volume.device, volume.state) == (server.id, "/dev/sdg", "in-use")
    assert volume.detach().server_id == ""


def test_a_server_in_another_zone_is_refused_before_the_call(field: Field) -> None:
    server, volume = field.new_server("us-east-1b"), field.new_volume()
    field.faults("AttachVolume", throttle=1)
    with pytest.raises(InvalidRequest, match=f"server '{server.id}' is in us-east-1b, not in us-east-1a; choose a"):
        volume.attach(server.id)
    assert len(field.sandbox.faults.pending()) == 1


def test_deleting_in_use_is_refused(field: Field) -> None:
    volume = field.new_volume().attach(field.new_server())
    with pytest.raises((InUse, InvalidRequest), match=volume.id):
        volume.delete()
    volume.detach().delete()
    with pytest.raises(NotFound):
        volume.refresh()


def test_a_volume_only_grows(field: Field) -> None:
    volume = field.new_volume(8)
    with pytest.raises(InvalidRequest, match="is not above 8 GiB; a volume can only grow"):
        volume.resize("8 GiB")


@pytest.mark.parametrize("served", [False, True])
def test_lost_answers_are_no_errors_where_the_call_took_effect(served: bool) -> None:
    with Sandbox(accounts=["111122223333"]) as sandbox:
        field = Field(sandbox.serve() if served else None, sandbox)
        server, volume = field.new_server(), field.new_volume()
        field.faults("AttachVolume", lost=1)
        assert volume.attach(server).server_id == server.id
        field.faults("DetachVolume", lost=1)
        assert volume.detach().server_id == ""
