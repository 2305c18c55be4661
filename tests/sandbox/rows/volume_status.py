"""Rules about the status of volumes, their initialization and their attributes."""

from typing import Any

from tests.sandbox.ground import Ground, Table, refused
from tests.sandbox.rows.volumes import described, make

ROWS = Table()
GUIDE = "EBS user guide, "
API = "EC2 API reference, "
NOBODY = "vol-0123456789abcdef0"


def status(ground: Ground, volume: str) -> Any:
    return ground.ec2().describe_volume_status(VolumeIds=[volume])["VolumeStatuses"][0]


def details(shown: Any) -> dict[str, str]:
    return {each["Name"]: each["Status"] for each in shown["VolumeStatus"]["Details"]}


@ROWS.row(GUIDE + "Amazon EBS volume status checks: every 5 minutes")
def a_new_volume_is_ok_after_its_first_check(ground: Ground) -> None:
    volume = ground.volume()
    shown = status(ground, volume)
    assert shown["VolumeStatus"]["Status"] == "insufficient-data"
    assert "InitializationStatusDetails" not in shown
    assert "initialization-state" not in details(shown)
    ground.clock.advance("5m")
    shown = status(ground, volume)
    assert shown["VolumeStatus"]["Status"] == "ok"
    assert details(shown) == {"io-enabled": "passed", "io-performance": "not-applicable"}
    assert (shown["Events"], shown["Actions"], shown["AvailabilityZone"]) == ([], [], "us-east-1a")
    assert shown["AvailabilityZoneId"] == described(ground, volume)["AvailabilityZoneId"]


@ROWS.row(GUIDE + "Initialize Amazon EBS volumes: 10 GiB at 300 MiB/s take 34.1 seconds, for any number of volumes")
def a_provisioned_rate_initializes_in_a_known_time(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(20, written=10 * 2048))
    volumes = [make(ground, SnapshotId=snapshot, VolumeInitializationRate=300)["VolumeId"] for _ in range(10)]
    for volume in volumes:
        shown = status(ground, volume)
        assert shown["InitializationStatusDetails"] == {
            "InitializationType": "provisioned-rate", "Progress": 0, "EstimatedTimeToCompleteInSeconds": 34,
        }  # fmt: skip
        assert details(shown)["initialization-state"] == "initializing"
    ground.clock.advance("34.1s")
    assert status(ground, volumes[0])["InitializationStatusDetails"]["Progress"] == 99
    ground.clock.advance("0.1s")
    for volume in volumes:
        shown = status(ground, volume)
        assert shown["InitializationStatusDetails"] == {
            "InitializationType": "provisioned-rate", "Progress": 100, "EstimatedTimeToCompleteInSeconds": 0,
        }  # fmt: skip
        assert details(shown)["initialization-state"] == "completed"


@ROWS.row("AWS re:Post, EBS volume hydration: 130 to 140 MB/s")
def a_volume_initializes_lazily_by_default(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(10, written=2048))
    volume = make(ground, SnapshotId=snapshot)["VolumeId"]
    ground.clock.advance("4s")
    shown = status(ground, volume)["InitializationStatusDetails"]
    assert shown == {"InitializationType": "default", "Progress": 50}
    ground.clock.advance("4s")
    assert status(ground, volume)["InitializationStatusDetails"]["Progress"] == 100


@ROWS.row(GUIDE + "Amazon EBS fast snapshot restore")
def a_volume_with_a_credit_is_initialized_at_once(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(10, written=2048))
    ground.ec2().enable_fast_snapshot_restores(AvailabilityZones=["us-east-1a"], SourceSnapshotIds=[snapshot])
    ground.clock.advance("12h")
    volume = make(ground, SnapshotId=snapshot)["VolumeId"]
    slow = make(ground, SnapshotId=snapshot, AvailabilityZone="us-east-1b")["VolumeId"]
    rated = make(ground, SnapshotId=snapshot, VolumeInitializationRate=100)["VolumeId"]
    assert [described(ground, each)["FastRestored"] for each in (volume, slow, rated)] == [True, False, False]
    shown = status(ground, volume)
    assert shown["InitializationStatusDetails"] == {"InitializationType": "default", "Progress": 100}
    assert details(shown)["initialization-state"] == "completed"
    assert status(ground, slow)["InitializationStatusDetails"]["Progress"] == 0


@ROWS.row(API + "DescribeVolumeStatus, Filters")
def each_filter_finds_its_statuses(ground: Ground) -> None:
    ec2 = ground.ec2()
    far = ground.volume(AvailabilityZone="us-east-1b")
    ground.clock.advance("6m")
    volume, instance = ground.volume(), ground.instance()
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")

    def found(name: str, value: str) -> set[str]:
        page = ec2.describe_volume_status(Filters=[{"Name": name, "Values": [value]}])
        return {each["VolumeId"] for each in page["VolumeStatuses"]}

    assert found("availability-zone", "us-east-1b") == {far}
    assert found("volume-status.status", "ok") == {far}
    assert volume in found("volume-status.status", "insufficient-data")
    assert volume in found("attachment-status.instance-id", instance)
    assert found("attachment-status.io-performance", "insufficient-data") == {volume}
    ground.clock.advance("6m")
    assert found("attachment-status.io-performance", "normal") == {volume}
    assert found("volume-status.details-status", "normal") == {volume}
    assert far in found("volume-status.details-name", "io-enabled")
    for name in ("action.code", "action.description", "action.event-id", "event.description", "event.event-id"):
        assert found(name, "*") == set()
    for name in ("event.event-type", "event.not-after", "event.not-before"):
        assert found(name, "*") == set()


@ROWS.row(API + "ModifyVolumeAttribute, DescribeVolumeAttribute")
def the_attributes_of_a_volume_can_be_read_and_set(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()

    def value() -> object:
        shown = ec2.describe_volume_attribute(VolumeId=volume, Attribute="autoEnableIO")
        assert shown["VolumeId"] == volume
        return shown["AutoEnableIO"]["Value"]

    assert value() is False
    ec2.modify_volume_attribute(VolumeId=volume, AutoEnableIO={"Value": True})
    assert value() is True
    assert ec2.describe_volume_attribute(VolumeId=volume, Attribute="productCodes")["ProductCodes"] == []
    refused("InvalidParameterValue", lambda: ec2.describe_volume_attribute(VolumeId=volume, Attribute="size"), "size")
    refused("MissingParameter", lambda: ec2.modify_volume_attribute(VolumeId=volume), "autoEnableIO")
    refused("InvalidVolume.NotFound", lambda: ec2.describe_volume_attribute(VolumeId=NOBODY, Attribute="autoEnableIO"))
    refused("InvalidVolume.NotFound", lambda: ground.ec2(1).modify_volume_attribute(VolumeId=volume))
    refused(
        "DryRunOperation",
        lambda: ec2.modify_volume_attribute(VolumeId=volume, AutoEnableIO={"Value": False}, DryRun=True),
    )
    assert value() is True


@ROWS.row(API + "EnableVolumeIO")
def io_can_be_enabled_for_a_known_volume_only(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    ec2.enable_volume_io(VolumeId=volume)
    refused("InvalidVolume.NotFound", lambda: ec2.enable_volume_io(VolumeId=NOBODY), NOBODY)
    refused("InvalidVolumeID.Malformed", lambda: ec2.enable_volume_io(VolumeId="banana"))
