"""Rules about volumes that change."""

from datetime import timedelta
from typing import Any

from tests.sandbox.ground import Ground, Table, refused
from tests.sandbox.rows.volumes import described, make

ROWS = Table()
GUIDE = "EBS user guide, "
API = "EC2 API reference, "


def newest(ground: Ground, volume: str) -> Any:
    return ground.ec2().describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"][0]


@ROWS.row(GUIDE + "Monitor the progress of Amazon EBS volume modifications")
def a_modification_goes_from_modifying_over_optimizing_to_completed(ground: Ground) -> None:
    volume = ground.volume(100, written=2048 * 100)
    begun = ground.ec2().modify_volume(VolumeId=volume, Size=200, VolumeType="io2", Iops=5000)["VolumeModification"]
    assert (begun["ModificationState"], begun["Progress"]) == ("modifying", 0)
    assert (begun["OriginalSize"], begun["TargetSize"]) == (100, 200)
    assert (begun["OriginalIops"], begun["TargetIops"]) == (3000, 5000)
    assert (begun["OriginalVolumeType"], begun["TargetVolumeType"]) == ("gp3", "io2")
    assert (begun["OriginalThroughput"], begun["OriginalMultiAttachEnabled"]) == (125, False)
    assert not {"TargetThroughput", "EndTime"} & set(begun)
    assert described(ground, volume)["Size"] == 100
    ground.clock.advance("6s")
    assert newest(ground, volume)["ModificationState"] == "optimizing"
    shown = described(ground, volume)
    assert (shown["Size"], shown["VolumeType"], shown["Iops"]) == (200, "io2", 5000)
    assert "Throughput" not in shown
    ground.clock.advance(3600 * 6 * 100 / 1024 / 2)
    assert newest(ground, volume)["Progress"] == 50
    ground.clock.advance("1h")
    done = newest(ground, volume)
    assert (done["ModificationState"], done["Progress"]) == ("completed", 100)
    assert (done["EndTime"] - done["StartTime"]).total_seconds() == round(5 + 6 * 3600 * 100 / 1024, 3)


@ROWS.row(GUIDE + "How snapshots work")
def a_snapshot_keeps_the_size_that_its_volume_had(ground: Ground) -> None:
    volume = ground.volume(10)
    before = ground.snapshot(volume)
    ground.ec2().modify_volume(VolumeId=volume, Size=50)
    ground.clock.advance("1h")
    ground.sandbox.write(volume, 2048 * 49, 2048)
    after = ground.snapshot(volume)
    assert (ground.shown(before)["VolumeSize"], ground.shown(after)["VolumeSize"]) == (10, 50)
    assert make(ground, SnapshotId=before)["Size"] == 10
    assert make(ground, SnapshotId=after)["Size"] == 50


@ROWS.row(API + "ModifyVolume: default IOPS and throughput after a change of type")
def a_new_type_brings_its_defaults(ground: Ground) -> None:
    volume = make(ground, Size=100)["VolumeId"]

    def modified(**given: Any) -> Any:
        begun = ground.ec2().modify_volume(VolumeId=volume, **given)["VolumeModification"]
        ground.clock.advance("10m")
        return begun["TargetIops"], begun.get("TargetThroughput")

    assert modified(VolumeType="gp3") == (3000, 125)
    assert modified(Throughput=500) == (3000, 500)
    assert modified(Iops=4000) == (4000, 500)
    assert modified(VolumeType="io1") == (3000, None)
    assert described(ground, volume)["VolumeType"] == "io1"


@ROWS.row(API + "ModifyVolume: wait until the last modification is completed")
def one_modification_at_a_time(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume(10)
    ec2.modify_volume(VolumeId=volume, Size=11)
    refused("IncorrectModificationState", lambda: ec2.modify_volume(VolumeId=volume, Size=12), "state MODIFYING")
    ground.clock.advance("10s")
    refused("IncorrectModificationState", lambda: ec2.modify_volume(VolumeId=volume, Size=12), "state OPTIMIZING")
    ground.clock.advance("1m")
    assert ec2.modify_volume(VolumeId=volume, Size=12)["VolumeModification"]["OriginalSize"] == 11


@ROWS.row(API + "ModifyVolume: four times within a rolling 24-hour period")
def a_volume_changes_four_times_in_24_hours(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume(10)
    first = ec2.modify_volume(VolumeId=volume, Size=11)["VolumeModification"]["StartTime"]
    for size in (12, 13, 14):
        ground.clock.advance("1h")
        ec2.modify_volume(VolumeId=volume, Size=size)
    ground.clock.advance("1h")
    again = f"possible at {first + timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    refused("VolumeModificationRateExceeded", lambda: ec2.modify_volume(VolumeId=volume, Size=15), again)
    ground.clock.advance("20h")
    assert ec2.modify_volume(VolumeId=volume, Size=15)["VolumeModification"]["TargetSize"] == 15
    ground.clock.advance("10m")
    refused("VolumeModificationRateExceeded", lambda: ec2.modify_volume(VolumeId=volume, Size=16))


@ROWS.row(API + "ModifyVolume")
def what_a_volume_cannot_become_is_refused(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume(10)

    def modify(**given: Any) -> object:
        return ec2.modify_volume(**{"VolumeId": volume, **given})

    refused("InvalidParameterValue", lambda: modify(Size=9), "New size cannot be smaller than existing size")
    refused("InvalidParameterValue", lambda: modify(Size=65537), "65536")
    refused("InvalidParameterValue", lambda: modify(Iops=10**7), "80000")
    refused("InvalidParameterValue", lambda: modify(Throughput=2001), "2000")
    refused("InvalidParameterValue", lambda: modify(VolumeType="st1"), "125")
    refused("InvalidParameterCombination", lambda: modify(MultiAttachEnabled=True), "gp3")
    refused("UnknownVolumeType", lambda: modify(VolumeType="zz9"))
    refused("InvalidParameterValue", modify, "at least one")
    refused("InvalidVolume.NotFound", lambda: modify(VolumeId="vol-0123456789abcdef0", Size=20))
    refused("InvalidVolume.NotFound", lambda: ground.ec2(1).modify_volume(VolumeId=volume, Size=20))
    refused("InvalidVolumeID.Malformed", lambda: modify(VolumeId="banana", Size=20))
    refused("DryRunOperation", lambda: modify(Size=20, DryRun=True))
    ground.clock.advance("1h")
    assert described(ground, volume)["Size"] == 10


@ROWS.row(API + "DescribeVolumesModifications")
def the_newest_modification_of_each_volume_is_listed(ground: Ground) -> None:
    ec2 = ground.ec2()
    volumes = [ground.volume(10) for _ in range(3)]
    ground.volume(10)
    refused(
        "InvalidVolumeModification.NotFound",
        lambda: ec2.describe_volumes_modifications(VolumeIds=[volumes[0]]),
        f"Modification for volume '{volumes[0]}' does not exist.",
    )
    for number, volume in enumerate(volumes):
        ec2.modify_volume(VolumeId=volume, Size=11 + number)
        ground.clock.advance("30s")
    ec2.modify_volume(VolumeId=volumes[0], Size=20)
    listed = ec2.describe_volumes_modifications()["VolumesModifications"]
    assert [(each["VolumeId"], each["TargetSize"]) for each in listed] == list(zip(volumes, (20, 12, 13), strict=True))
    pages = ec2.get_paginator("describe_volumes_modifications").paginate(PaginationConfig={"PageSize": 2})
    assert [len(each["VolumesModifications"]) for each in pages] == [2, 1]

    def found(name: str, value: str) -> list[str]:
        page = ec2.describe_volumes_modifications(Filters=[{"Name": name, "Values": [value]}])
        return [each["VolumeId"] for each in page["VolumesModifications"]]

    assert found("modification-state", "modifying") == volumes[:1]
    assert found("modification-state", "optimizing") == volumes[1:]
    assert found("original-size", "11") == found("target-size", "20") == volumes[:1]
    assert found("volume-id", volumes[1]) == volumes[1:2]
    for name in ("original-volume-type", "target-volume-type"):
        assert found(name, "gp3") == volumes
    for name in ("original-iops", "target-iops"):
        assert found(name, "3000") == volumes
    for name in ("originalMultiAttachEnabled", "targetMultiAttachEnabled"):
        assert found(name, "false") == volumes
    assert found("start-time", listed[1]["StartTime"].strftime("%Y-%m-%dT%H:%M:%S*")) == volumes[1:2]
