"""Volumes: made from snapshots, and refused before any call where there cannot be one."""

from typing import Any

import pytest

from snapkit import InvalidRequest
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
        ({"zone": ""}, "zone '' is missing; choose one of us-east-1a"),
        ({"zone": ZONE, "size": "8.5 GiB"}, "is not in whole GiB"),
        ({"zone": ZONE, "volume_type": "gp9"}, "volume type 'gp9' is no EBS volume type"),
        ({"zone": ZONE, "colour": "red"}, "option 'colour' is not known"),
        ({"zone": ZONE, "tags": {f"k{number}": "v" for number in range(51)}}, "are more than 48"),
        ({"zone": ZONE, "size": "65 TiB"}, "size '66560 GiB' is not from 1 to 65,536 GiB, as gp3 volumes are"),
        ({"zone": ZONE, "volume_type": "st1"}, "size '8 GiB' is not from 125 to 16,384 GiB, as st1 volumes are"),
        ({"zone": ZONE, "iops": 2999}, "iops 2999 is no whole number from 3,000 to 80,000; give 3000 or more"),
        ({"zone": ZONE, "iops": 4001}, "iops 4001 are more than the 4,000 of a gp3 volume of 8 GiB"),
        ({"zone": ZONE, "iops": True}, "iops True is no whole number"),
        ({"zone": ZONE, "volume_type": "gp2", "iops": 3000}, "iops 3000 cannot be given for gp2 volumes; leave them"),
        ({"zone": ZONE, "volume_type": "io2"}, "iops None are missing, which io2 volumes need; give 100 or more"),
        ({"zone": ZONE, "throughput": 124}, "throughput 124 is no whole number from 125 to 2,000 MiB/s"),
        ({"zone": ZONE, "throughput": 800}, "throughput 800 is more than the 750 MiB/s that its IOPS allow; give less"),
        ({"zone": ZONE, "volume_type": "gp2", "throughput": 125}, "throughput 125 cannot be given for gp2 volumes"),
        (
            {"zone": ZONE, "initialization_rate": 500},
            "initialization rate 500 is no whole number from 100 to 300 MiB/s",
        ),
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


def test_an_empty_volume_needs_a_size_and_has_nothing_to_initialize(field: Field) -> None:
    with pytest.raises(InvalidRequest, match="size None is missing; give one, or a snapshot"):
        field.region().volumes.create(ZONE)
    with pytest.raises(
        InvalidRequest, match="initialization rate 300 is only for a volume that is made from a snapshot"
    ):
        field.region().volumes.create(ZONE, "8 GiB", initialization_rate=300)


def test_what_the_limits_allow_is_made(field: Field) -> None:
    create = field.region().volumes.create
    assert create(ZONE, "1 GiB", iops=3000, throughput=750).raw["Throughput"] == 750
    assert create(ZONE, "160 GiB", iops=80_000, throughput=2000).raw["Iops"] == 80_000
    assert create(ZONE, "10 GiB", volume_type="io1", iops=500).raw["Iops"] == 500
    snapshot = field.new_volume(8).take_snapshot().wait()
    assert snapshot.create_volume(ZONE, initialization_rate=300).raw["VolumeInitializationRate"] == 300


def test_a_pending_snapshot_is_looked_at_again_before_it_is_refused(field: Field) -> None:
    snapshot = field.new_volume(8).take_snapshot()
    with pytest.raises(InvalidRequest, match=rf"snapshot '{snapshot.id}' is pending, not completed; wait\(\) for it"):
        snapshot.create_volume(ZONE)
    field.clock.advance("12h")
    assert snapshot.create_volume(ZONE).snapshot_id == snapshot.id


def test_a_failed_snapshot_is_refused_with_the_way_out(field: Field) -> None:
    field.faults("CreateSnapshot", failing=1)
    snapshot = field.new_volume(8).take_snapshot()
    field.clock.advance("12h")
    with pytest.raises(InvalidRequest, match="is error, not completed; choose a complete one"):
        snapshot.create_volume(ZONE)


def test_an_archived_snapshot_is_refused_with_the_way_out(field: Field) -> None:
    snapshot = field.new_volume(8).take_snapshot().wait()
    snapshot.archive(confirm=snapshot.id)
    field.clock.advance("3d")
    for given in (snapshot, snapshot.id):
        with pytest.raises(InvalidRequest, match=r"is archived; restore_from_archive\(\) first, and wait for that"):
            field.region().volumes.create(ZONE, snapshot=given)
