"""Rules about volumes: what can be made, listed, deleted."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
GUIDE = "EBS user guide, "
API = "EC2 API reference, "
ZONE = "us-east-1a"


def make(ground: Ground, account: int = 0, **given: Any) -> Any:
    return ground.ec2(account).create_volume(**{"AvailabilityZone": ZONE, **given})


def described(ground: Ground, volume_id: str, account: int = 0, region: str = "us-east-1") -> Any:
    return ground.ec2(account, region).describe_volumes(VolumeIds=[volume_id])["Volumes"][0]


def asking(given: dict[str, Any]) -> Callable[[Ground], object]:
    return lambda ground: make(ground, **given)


def listing(operation: str, **given: Any) -> Callable[[Ground], object]:
    return lambda ground: getattr(ground.ec2(), operation)(**given)


REFUSED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("neither_size_nor_snapshot_is_refused", "MissingParameter", "size/snapshot", {}),
    ("a_size_of_0_is_refused", "InvalidParameterValue", "minimum is 1GiB", {"Size": 0}),
    ("a_gp2_volume_has_at_most_16_TiB", "InvalidParameterValue", "maximum is 16384GiB", {"Size": 16385}),
    ("a_gp3_volume_has_at_most_64_TiB", "InvalidParameterValue", "65536", {"Size": 65537, "VolumeType": "gp3"}),
    ("an_io1_volume_has_at_least_4_GiB", "InvalidParameterValue", "4", {"Size": 3, "VolumeType": "io1", "Iops": 100}),
    ("an_st1_volume_has_at_least_125_GiB", "InvalidParameterValue", "125GiB", {"Size": 124, "VolumeType": "st1"}),
    ("an_sc1_volume_has_at_least_125_GiB", "InvalidParameterValue", "125GiB", {"Size": 1, "VolumeType": "sc1"}),
    ("a_standard_volume_has_at_most_1_TiB", "InvalidParameterValue", "1024", {"Size": 1025, "VolumeType": "standard"}),
    ("an_unknown_type_is_refused", "UnknownVolumeType", "zz9", {"Size": 1, "VolumeType": "zz9"}),
    ("gp3_has_at_least_3000_iops", "InvalidParameterValue", "3000", {"Size": 9, "VolumeType": "gp3", "Iops": 2999}),
    ("gp3_has_at_most_80000_iops", "InvalidParameterValue", "80000", {"Size": 999, "VolumeType": "gp3", "Iops": 80001}),
    ("gp3_has_at_most_500_iops_a_GiB", "InvalidParameterValue", "ratio of 750.000000 is too high; maximum is 500",
     {"Size": 20, "VolumeType": "gp3", "Iops": 15000}),
    ("io1_needs_iops", "MissingParameter", "iops", {"Size": 10, "VolumeType": "io1"}),
    ("io2_needs_iops", "MissingParameter", "iops", {"Size": 10, "VolumeType": "io2"}),
    ("io1_has_at_most_50_iops_a_GiB", "InvalidParameterValue", "maximum is 50",
     {"Size": 10, "VolumeType": "io1", "Iops": 501}),
    ("io2_has_at_most_1000_iops_a_GiB", "InvalidParameterValue", "maximum is 1000",
     {"Size": 10, "VolumeType": "io2", "Iops": 10001}),
    ("io2_has_at_most_256000_iops", "InvalidParameterValue", "256000",
     {"Size": 999, "VolumeType": "io2", "Iops": 256001}),
    ("gp2_takes_no_iops", "InvalidParameterCombination", "iops", {"Size": 10, "Iops": 3000}),
    ("st1_takes_no_iops", "InvalidParameterCombination", "iops", {"Size": 125, "VolumeType": "st1", "Iops": 3000}),
    ("io1_takes_no_throughput", "InvalidParameterCombination", "throughput",
     {"Size": 10, "VolumeType": "io1", "Iops": 100, "Throughput": 125}),
    ("gp3_has_at_least_125_MiB_a_second", "InvalidParameterValue", "125",
     {"Size": 10, "VolumeType": "gp3", "Throughput": 124}),
    ("gp3_has_at_most_2000_MiB_a_second", "InvalidParameterValue", "2000",
     {"Size": 100, "VolumeType": "gp3", "Iops": 16000, "Throughput": 2001}),
    ("gp3_has_a_quarter_MiB_a_second_for_each_iops", "InvalidParameterValue", "maximum is 0.250000 MiBps per iops",
     {"Size": 10, "VolumeType": "gp3", "Throughput": 751}),
    ("only_io_volumes_are_multi_attach", "InvalidParameterCombination", "Multi-Attach",
     {"Size": 10, "VolumeType": "gp3", "MultiAttachEnabled": True}),
    ("an_unknown_zone_is_refused", "InvalidZone.NotFound", "The zone 'us-east-1z' does not exist.",
     {"Size": 1, "AvailabilityZone": "us-east-1z"}),
    ("a_zone_of_another_region_is_refused", "InvalidZone.NotFound", "eu-west-1a",
     {"Size": 1, "AvailabilityZone": "eu-west-1a"}),
    ("a_zone_by_name_and_id_is_refused", "InvalidParameterCombination", "AvailabilityZoneId",
     {"Size": 1, "AvailabilityZoneId": "use1-az1"}),
    ("an_unknown_snapshot_is_refused", "InvalidSnapshot.NotFound", "snap-0123456789abcdef0",
     {"SnapshotId": "snap-0123456789abcdef0"}),
    ("a_malformed_snapshot_id_is_refused", "InvalidSnapshotID.Malformed", "banana", {"SnapshotId": "banana"}),
    ("an_initialization_rate_needs_a_snapshot", "InvalidParameterCombination", "snapshots",
     {"Size": 1, "VolumeInitializationRate": 200}),
    ("tags_for_something_else_are_refused", "InvalidParameterValue", "snapshot",
     {"Size": 1, "TagSpecifications": [{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}]}),
    ("a_dry_run_makes_no_volume", "DryRunOperation", "", {"Size": 1, "DryRun": True}),
]  # fmt: skip
for name, code, message, given in REFUSED:
    ROWS.refusal(name, API + "CreateVolume", code, asking(given), message)

ROWS.refusal(
    "a_volume_needs_a_zone", API + "CreateVolume, AvailabilityZone", "MissingParameter",
    lambda ground: ground.ec2().create_volume(Size=1), "availabilityZone",
)  # fmt: skip
for operation in ("describe_volumes", "describe_volume_status", "describe_volumes_modifications"):
    ROWS.refusal(
        f"{operation}_knows_no_other_volume", API + "error codes, InvalidVolume.NotFound", "InvalidVolume.NotFound",
        listing(operation, VolumeIds=["vol-0123456789abcdef0"]),
        "The volume 'vol-0123456789abcdef0' does not exist.",
    )  # fmt: skip
    ROWS.refusal(
        f"{operation}_takes_no_malformed_id", API + "error codes", "InvalidVolumeID.Malformed",
        listing(operation, VolumeIds=["vol-xyz"]),
    )  # fmt: skip
    ROWS.refusal(
        f"{operation}_knows_its_filters", API + "DescribeVolumes, Filters", "InvalidParameterValue",
        listing(operation, Filters=[{"Name": "banana", "Values": ["1"]}]),
        "banana",
    )  # fmt: skip


@ROWS.row(API + "CreateVolume, response and VolumeType")
def a_volume_is_creating_and_then_available(ground: Ground) -> None:
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}]
    made = make(ground, Size=100, TagSpecifications=tags)
    assert (made["State"], made["VolumeType"], made["Iops"]) == ("creating", "gp2", 300)
    assert (made["Encrypted"], made["SnapshotId"], made["MultiAttachEnabled"]) == (False, "", False)
    assert not {"Throughput", "Attachments"} & set(made)
    shown = described(ground, made["VolumeId"])
    assert (shown["State"], shown["Attachments"]) == ("available", [])
    assert shown["Tags"] == made["Tags"] == [{"Key": "a", "Value": "b"}]
    assert shown["OwnerId"] == ground.accounts[0]
    assert shown["VolumeArn"] == f"arn:aws:ec2:us-east-1:{ground.accounts[0]}:volume/{made['VolumeId']}"
    assert (shown["AvailabilityZone"], shown["FastRestored"]) == (ZONE, False)
    assert shown["CreateTime"] == made["CreateTime"]


@ROWS.row(GUIDE + "General Purpose SSD volumes")
def the_iops_of_a_volume_follow_its_type(ground: Ground) -> None:
    def iops(**given: Any) -> Any:
        shown = described(ground, make(ground, **given)["VolumeId"])
        return shown.get("Iops"), shown.get("Throughput")

    assert iops(Size=1, VolumeType="gp2") == (100, None)
    assert iops(Size=6000, VolumeType="gp2") == (16000, None)
    assert iops(Size=1, VolumeType="gp3") == (3000, 125)
    assert iops(Size=160, VolumeType="gp3", Iops=80000, Throughput=2000) == (80000, 2000)
    assert iops(Size=10, VolumeType="io1", Iops=500) == (500, None)
    assert iops(Size=64, VolumeType="io2", Iops=64000) == (64000, None)
    assert iops(Size=125, VolumeType="sc1") == (None, None)


@ROWS.row(API + "CreateVolume, AvailabilityZoneId")
def a_zone_can_be_named_by_id(ground: Ground) -> None:
    ec2 = ground.ec2()
    zone = ec2.describe_availability_zones()["AvailabilityZones"][1]
    made = ec2.create_volume(AvailabilityZoneId=zone["ZoneId"], Size=1)
    assert (made["AvailabilityZone"], made["AvailabilityZoneId"]) == (zone["ZoneName"], zone["ZoneId"])
    refused("InvalidZone.NotFound", lambda: ec2.create_volume(AvailabilityZoneId="use1-az99", Size=1), "use1-az99")


@ROWS.row(API + "CreateVolume, Size")
def a_restored_volume_is_as_large_as_its_snapshot_or_larger(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(10))
    made = make(ground, SnapshotId=snapshot)
    assert (made["Size"], made["SnapshotId"]) == (10, snapshot)
    assert make(ground, SnapshotId=snapshot, Size=11)["Size"] == 11
    refused("InvalidParameterValue", lambda: make(ground, SnapshotId=snapshot, Size=9), "Volume of size 9GB is smaller")
    refused("InvalidParameterValue", lambda: make(ground, SnapshotId=snapshot, Size=9), "expect size >= 10GB")


@ROWS.row(GUIDE + "How snapshots work")
def the_snapshot_of_a_restored_volume_holds_only_what_is_new(ground: Ground) -> None:
    restored = make(ground, SnapshotId=ground.snapshot(ground.volume(10, written=2048)))["VolumeId"]
    ground.sandbox.write(restored, 4096, 4)
    second = ground.ec2().create_snapshot(VolumeId=restored)["SnapshotId"]
    ground.clock.advance("181s")
    assert ground.shown(second)["State"] == "completed"
    assert ground.shown(second)["FullSnapshotSizeInBytes"] == 2052 * 512 * 1024


@ROWS.row(GUIDE + "How snapshots work: incremental for one owner only")
def the_first_snapshot_of_a_volume_of_anothers_snapshot_is_full(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(10, written=2048))
    ground.ec2().modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[ground.accounts[1]]
    )
    restored = make(ground, 1, SnapshotId=snapshot)
    assert restored["Size"] == 10
    first = ground.ec2(1).create_snapshot(VolumeId=restored["VolumeId"])["SnapshotId"]
    ground.clock.advance("200s")
    assert ground.shown(first, account=1)["State"] == "pending"
    ground.clock.advance("10s")
    assert ground.shown(first, account=1)["State"] == "completed"
    refused("InvalidVolume.NotFound", lambda: described(ground, restored["VolumeId"]))


@ROWS.row(GUIDE + "Share an Amazon EBS snapshot")
def a_snapshot_of_another_account_cannot_be_restored(ground: Ground) -> None:
    snapshot = ground.snapshot()
    refused("InvalidSnapshot.NotFound", lambda: make(ground, 1, SnapshotId=snapshot), snapshot)


@ROWS.row("velero issue 1799: IncorrectState, Snapshot is in invalid state - pending")
def a_pending_snapshot_cannot_be_restored(ground: Ground) -> None:
    snapshot = ground.ec2().create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    refused("IncorrectState", lambda: make(ground, SnapshotId=snapshot), "Snapshot is in invalid state - pending")
    ground.clock.advance("1h")
    assert make(ground, SnapshotId=snapshot)["Size"] == 10


@ROWS.row(GUIDE + "Archive Amazon EBS snapshots")
def an_archived_snapshot_cannot_be_restored(ground: Ground) -> None:
    snapshot = ground.snapshot()
    ground.ec2().modify_snapshot_tier(SnapshotId=snapshot, StorageTier="archive")
    ground.clock.advance("30d")
    refused("IncorrectState", lambda: make(ground, SnapshotId=snapshot), "archive")


@ROWS.row(GUIDE + "Encryption by default")
def volumes_are_encrypted_by_default_where_that_is_set(ground: Ground) -> None:
    ec2 = ground.ec2()
    ec2.enable_ebs_encryption_by_default()
    made = described(ground, make(ground, Size=1)["VolumeId"])
    assert made["Encrypted"]
    assert made["KmsKeyId"].startswith("arn:aws:kms:us-east-1:")
    instance = ground.instance()
    found = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])["Volumes"]
    assert [each["Encrypted"] for each in found] == [True]


@ROWS.row("EC2 developer guide, Ensuring idempotency in Amazon EC2 API requests")
def a_client_token_makes_one_volume(ground: Ground) -> None:
    first = make(ground, Size=1, ClientToken="one")
    assert make(ground, Size=1, ClientToken="one")["VolumeId"] == first["VolumeId"]
    assert len(ground.ec2().describe_volumes()["Volumes"]) == 1
    refused("IdempotentParameterMismatch", lambda: make(ground, Size=2, ClientToken="one"))
    assert make(ground, 1, Size=2, ClientToken="one")["VolumeId"] != first["VolumeId"]


@ROWS.row(GUIDE + "Initialize Amazon EBS volumes, Quotas: 5,000 MiB/s, as 25 x 200")
def the_initialization_rates_of_a_region_add_up(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(20, written=2048))
    for _ in range(25):
        made = make(ground, SnapshotId=snapshot, VolumeInitializationRate=200)
    assert described(ground, made["VolumeId"])["VolumeInitializationRate"] == 200
    refused("ResourceLimitExceeded", lambda: make(ground, SnapshotId=snapshot, VolumeInitializationRate=100), "5000")
    make(ground, SnapshotId=snapshot)
    ground.clock.advance("6s")
    make(ground, SnapshotId=snapshot, VolumeInitializationRate=100)
    for rate in (99, 301):
        refused(
            "InvalidParameterValue",
            partial(make, ground, SnapshotId=snapshot, VolumeInitializationRate=rate),
            str(rate),
        )


@ROWS.row(API + "DescribeVolumes, Filters")
def each_filter_finds_its_volumes(ground: Ground) -> None:
    ec2 = ground.ec2()
    snapshot = ground.snapshot(ground.volume(3))
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "env", "Value": "prod"}]}]
    wanted = make(
        ground, SnapshotId=snapshot, Size=5, VolumeType="io2", Iops=500, MultiAttachEnabled=True,
        AvailabilityZone="us-east-1b", Encrypted=True, TagSpecifications=tags,
    )  # fmt: skip
    attached = make(ground, Size=1)["VolumeId"]
    instance = ground.instance()
    ec2.attach_volume(VolumeId=attached, InstanceId=instance, Device="/dev/sdf")

    def found(name: str, value: str) -> set[str]:
        page = ec2.describe_volumes(Filters=[{"Name": name, "Values": [value]}])
        return {each["VolumeId"] for each in page["Volumes"]}

    shown = described(ground, wanted["VolumeId"])
    for name, value in {
        "availability-zone": "us-east-1b",
        "availability-zone-id": shown["AvailabilityZoneId"],
        "encrypted": "true",
        "multi-attach-enabled": "true",
        "size": "5",
        "snapshot-id": snapshot,
        "volume-id": wanted["VolumeId"],
        "volume-type": "io?",
        "tag:env": "pr*",
        "tag-key": "env",
        "create-time": shown["CreateTime"].strftime("%Y-%m-%dT%H:%M:%S.") + "*",
    }.items():
        assert wanted["VolumeId"] in found(name, value), name
        if name != "create-time":
            assert found(name, value) == {wanted["VolumeId"]}, name
    for name, value in {"attachment.device": "/dev/sdf", "attachment.delete-on-termination": "false"}.items():
        assert found(name, value) == {attached}, name
    for name, value in {
        "attachment.instance-id": instance,
        "attachment.status": "attached",
        "status": "in-use",
    }.items():
        assert attached in found(name, value), name
        assert len(found(name, value)) == 2, name
    assert attached in found("attachment.attach-time", "*")
    assert (
        found("fast-restored", "true") == found("operator.managed", "true") == found("operator.principal", "*") == set()
    )


@ROWS.row(API + "Query requests: pagination; DescribeVolumes, MaxResults")
def volumes_come_in_pages(ground: Ground) -> None:
    ec2 = ground.ec2()
    made = [make(ground, Size=1)["VolumeId"] for _ in range(12)]
    pages = list(ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["Volumes"]) for page in pages] == [5, 5, 2]
    assert [each["VolumeId"] for page in pages for each in page["Volumes"]] == made
    refused("InvalidParameterValue", lambda: ec2.describe_volumes(MaxResults=4))
    refused("InvalidParameterValue", lambda: ec2.describe_volumes(NextToken="banana"))
    refused("InvalidParameterCombination", lambda: ec2.describe_volumes(VolumeIds=made[:1], MaxResults=5))
    pages = list(ec2.get_paginator("describe_volume_status").paginate(PaginationConfig={"PageSize": 5}))
    assert [each["VolumeId"] for page in pages for each in page["VolumeStatuses"]] == made


@ROWS.row(API + "DescribeVolumes, VolumeIds")
def a_volume_named_twice_is_listed_once(ground: Ground) -> None:
    first, second = ground.volume(), ground.volume()
    found = ground.ec2().describe_volumes(VolumeIds=[second, first, second])["Volumes"]
    assert [each["VolumeId"] for each in found] == [first, second]


@ROWS.row(API + "DeleteVolume; error codes, VolumeInUse")
def a_volume_is_deleted_unless_it_is_attached(ground: Ground) -> None:
    ec2, volume, instance = ground.ec2(), ground.volume(), ground.instance()
    snapshot = ground.snapshot(volume)
    ec2.create_tags(Resources=[volume], Tags=[{"Key": "a", "Value": "b"}])
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    refused("VolumeInUse", lambda: ec2.delete_volume(VolumeId=volume), instance)
    refused("InvalidVolume.NotFound", lambda: ground.ec2(1).delete_volume(VolumeId=volume))
    ec2.detach_volume(VolumeId=volume)
    refused("DryRunOperation", lambda: ec2.delete_volume(VolumeId=volume, DryRun=True))
    ec2.delete_volume(VolumeId=volume)
    refused("InvalidVolume.NotFound", lambda: ec2.delete_volume(VolumeId=volume))
    assert volume not in {each["VolumeId"] for each in ec2.describe_volumes()["Volumes"]}
    assert ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [volume]}])["Tags"] == []
    assert make(ground, SnapshotId=snapshot)["Size"] == 10


@ROWS.row("EC2 user guide, Block device mappings; RunInstances, TagSpecifications")
def an_instance_has_volumes_and_takes_them_along(ground: Ground) -> None:
    ec2 = ground.ec2()
    snapshot = ground.snapshot(ground.volume(20))
    instance = ground.instance(
        BlockDeviceMappings=[
            {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 9, "DeleteOnTermination": True, "VolumeType": "gp3"}},
            {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": snapshot, "DeleteOnTermination": False}},
        ],
        TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}],
    )
    shown = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])["Volumes"]
    assert [(each["Size"], each["VolumeType"], each["Tags"][0]["Key"]) for each in shown] == [
        (9, "gp3", "a"),
        (20, "gp2", "a"),
    ]
    assert [each["Attachments"][0]["DeleteOnTermination"] for each in shown] == [True, False]
    ec2.terminate_instances(InstanceIds=[instance])
    left = {each["VolumeId"]: each["State"] for each in ec2.describe_volumes()["Volumes"]}
    assert shown[0]["VolumeId"] not in left
    assert left[shown[1]["VolumeId"]] == "available"


@ROWS.row("scylladb issue 6999: RunInstances with a volume below its snapshot")
def an_instance_with_a_volume_that_cannot_be_is_not_begun(ground: Ground) -> None:
    snapshot = ground.snapshot(ground.volume(30))
    device: dict[str, Any] = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": snapshot, "VolumeSize": 20}}
    refused(
        "InvalidBlockDeviceMapping",
        lambda: ground.instance(BlockDeviceMappings=[device]),
        f"Volume of size 20GB is smaller than snapshot '{snapshot}', expect size >= 30GB",
    )
    device["Ebs"] = {"VolumeSize": 1, "VolumeType": "st1"}
    refused("InvalidParameterValue", lambda: ground.instance(BlockDeviceMappings=[device]), "125GiB")
    assert ground.ec2().describe_instances()["Reservations"] == []


@ROWS.row("EC2 user guide, Instances have a root volume; AMI of 8 GiB")
def an_instance_has_a_root_volume_of_8_gib(ground: Ground) -> None:
    ground.instance(zone="us-east-1b")
    shown = ground.ec2().describe_volumes()["Volumes"]
    assert [(each["Size"], each["VolumeType"], each["AvailabilityZone"]) for each in shown] == [
        (8, "gp2", "us-east-1b")
    ]
    assert shown[0]["Attachments"][0]["Device"] == "/dev/sda1"
