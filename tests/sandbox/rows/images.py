"""Rules about images and the snapshots that they stand on."""

from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
GUIDE = "EC2 user guide, "
API = "EC2 API reference, "
NOBODY = "ami-0123456789abcdef0"


def image(ground: Ground, image_id: str, region: str = "us-east-1") -> Any:
    return ground.ec2(region=region).describe_images(ImageIds=[image_id])["Images"][0]


def snapshots_of(shown: Any) -> list[str]:
    return [each["Ebs"]["SnapshotId"] for each in shown["BlockDeviceMappings"] if "SnapshotId" in each["Ebs"]]


def machine(ground: Ground) -> tuple[str, str, str]:
    """Run an instance with a root volume of 8 GiB and one of 20; returns the ids of the three."""
    ec2 = ground.ec2()
    instance = ground.instance()
    data = ground.volume(20, written=100)
    ec2.attach_volume(VolumeId=data, InstanceId=instance, Device="/dev/sdf")
    found = ec2.describe_volumes(Filters=[{"Name": "attachment.device", "Values": ["/dev/sda1"]}])["Volumes"]
    return instance, found[0]["VolumeId"], data


def made(ground: Ground, name: str = "golden", **given: Any) -> tuple[str, list[str]]:
    """Make an image of a new machine and let it become available; returns its id and its snapshots."""
    instance, _, _ = machine(ground)
    image_id = ground.ec2().create_image(InstanceId=instance, Name=name, **given)["ImageId"]
    ground.clock.advance("12h")
    assert image(ground, image_id)["State"] == "available"
    return image_id, snapshots_of(image(ground, image_id))


@ROWS.row(GUIDE + "Create an Amazon EBS-backed AMI")
def an_image_is_made_of_new_snapshots_of_the_volumes(ground: Ground) -> None:
    ec2 = ground.ec2()
    instance, root, data = machine(ground)
    image_id = ec2.create_image(InstanceId=instance, Name="golden", Description="of gold", NoReboot=True)["ImageId"]
    shown = image(ground, image_id)
    assert (shown["State"], shown["Name"], shown["Description"]) == ("pending", "golden", "of gold")
    assert (shown["RootDeviceName"], shown["RootDeviceType"]) == ("/dev/sda1", "ebs")
    devices = {each["DeviceName"]: each["Ebs"] for each in shown["BlockDeviceMappings"]}
    assert [devices[device]["VolumeSize"] for device in ("/dev/sda1", "/dev/sdf")] == [8, 20]
    assert [devices[device]["DeleteOnTermination"] for device in ("/dev/sda1", "/dev/sdf")] == [True, False]
    assert [devices[device]["VolumeType"] for device in ("/dev/sda1", "/dev/sdf")] == ["gp2", "gp3"]
    listed = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert {each["SnapshotId"]: (each["VolumeId"], each["State"]) for each in listed} == {
        devices["/dev/sda1"]["SnapshotId"]: (root, "pending"),
        devices["/dev/sdf"]["SnapshotId"]: (data, "pending"),
    }
    assert {each["Description"] for each in listed} == {f"Created by CreateImage({instance}) for {image_id}"}
    assert len(ec2.describe_volumes()["Volumes"]) == 2
    ground.clock.advance("1h")
    assert image(ground, image_id)["State"] == "available"
    assert ground.shown(devices["/dev/sdf"]["SnapshotId"])["FullSnapshotSizeInBytes"] == 100 << 19


@ROWS.row(API + "CreateImage, TagSpecifications")
def an_image_and_its_snapshots_are_tagged(ground: Ground) -> None:
    tags = [{"ResourceType": kind, "Tags": [{"Key": "of", "Value": kind}]} for kind in ("image", "snapshot")]
    image_id, snapshots = made(ground, TagSpecifications=tags)
    assert image(ground, image_id)["Tags"] == [{"Key": "of", "Value": "image"}]
    assert [ground.shown(each)["Tags"] for each in snapshots] == [[{"Key": "of", "Value": "snapshot"}]] * 2
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}]
    instance = ground.instance()
    refused(
        "InvalidParameterValue",
        lambda: ground.ec2().create_image(InstanceId=instance, Name="other", TagSpecifications=tags),
        "volume",
    )


@ROWS.row(API + "CreateImage, BlockDeviceMappings")
def devices_can_be_left_out_of_an_image_or_added(ground: Ground) -> None:
    extra = ground.snapshot(ground.volume(3))
    image_id, snapshots = made(
        ground,
        BlockDeviceMappings=[
            {"DeviceName": "/dev/sda1", "Ebs": {"DeleteOnTermination": False}},
            {"DeviceName": "/dev/sdf", "NoDevice": ""},
            {"DeviceName": "/dev/sdg", "Ebs": {"SnapshotId": extra, "VolumeSize": 4}},
            {"DeviceName": "/dev/sdh", "Ebs": {"VolumeSize": 5}},
        ],
    )
    shown = {each["DeviceName"]: each["Ebs"] for each in image(ground, image_id)["BlockDeviceMappings"]}
    assert {device: ebs["VolumeSize"] for device, ebs in shown.items()} == {
        "/dev/sda1": 8,
        "/dev/sdg": 4,
        "/dev/sdh": 5,
    }
    assert shown["/dev/sda1"]["DeleteOnTermination"] is False
    assert snapshots[1] == extra
    refused("InvalidSnapshot.InUse", lambda: ground.ec2().delete_snapshot(SnapshotId=extra), image_id)
    instance = ground.instance()
    for ebs in ({"VolumeSize": 100}, {"Encrypted": True}):
        refused(
            "InvalidBlockDeviceMapping",
            lambda ebs=ebs: ground.ec2().create_image(  # type: ignore[misc]
                InstanceId=instance, Name="other", BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": ebs}]
            ),
            "/dev/sda1",
        )


@ROWS.row(API + "CreateImage; error codes")
def what_cannot_be_an_image_is_refused(ground: Ground) -> None:
    ec2, instance = ground.ec2(), ground.instance()

    def create(**given: Any) -> object:
        return ec2.create_image(**{"InstanceId": instance, "Name": "golden", **given})

    refused("InvalidInstanceID.NotFound", lambda: create(InstanceId="i-0123456789abcdef0"))
    refused("InvalidInstanceID.Malformed", lambda: create(InstanceId="banana"))
    refused("InvalidAMIName.Malformed", lambda: create(Name="a#b"))
    refused("InvalidParameterValue", lambda: create(Description="x" * 256), "255")
    refused("DryRunOperation", lambda: create(DryRun=True))
    assert ec2.describe_images(Owners=["self"])["Images"] == []
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    create()
    refused("InvalidAMIName.Duplicate", create, "golden is already in use by AMI ami-")
    ec2.terminate_instances(InstanceIds=[instance])
    refused("IncorrectInstanceState", lambda: create(Name="other"), instance)


@ROWS.row("EBS user guide, Delete an Amazon EBS snapshot; error codes, InvalidSnapshot.InUse")
def an_image_holds_its_snapshots_until_it_is_deregistered(ground: Ground) -> None:
    ec2 = ground.ec2()
    image_id, snapshots = made(ground)
    for each in snapshots:
        refused(
            "InvalidSnapshot.InUse",
            lambda each=each: ec2.delete_snapshot(SnapshotId=each),  # type: ignore[misc]
            f"The snapshot {each} is currently in use by {image_id}",
        )
    refused("InvalidSnapshot.InUse", lambda: ec2.modify_snapshot_tier(SnapshotId=snapshots[0], StorageTier="archive"))
    assert ec2.deregister_image(ImageId=image_id)["Return"] is True
    assert ec2.describe_images(Owners=["self"])["Images"] == []
    assert ground.shown(snapshots[0])["State"] == "completed"
    for each in snapshots:
        ec2.delete_snapshot(SnapshotId=each)
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


@ROWS.row("AWS re:Post, knowledge center, backup-image-creation-throttled")
def snapshots_of_an_image_count_among_those_that_may_be_pending(ground: Ground) -> None:
    ec2, instance = ground.ec2(), ground.instance()
    volume = ec2.describe_volumes()["Volumes"][0]["VolumeId"]
    for _ in range(5):
        ec2.create_snapshot(VolumeId=volume)
        ground.clock.advance("15s")
    refused("ConcurrentSnapshotLimitExceeded", lambda: ec2.create_image(InstanceId=instance, Name="golden"))
    ground.clock.advance("1h")
    ec2.create_image(InstanceId=instance, Name="golden")
    refused("SnapshotCreationPerVolumeRateExceeded", lambda: ec2.create_image(InstanceId=instance, Name="again"))


@ROWS.row(API + "CreateImage; a pending snapshot of an image")
def an_image_holds_its_snapshots_while_they_are_pending(ground: Ground) -> None:
    image_id = ground.ec2().create_image(InstanceId=ground.instance(), Name="golden")["ImageId"]
    [snapshot] = snapshots_of(image(ground, image_id))
    refused("InvalidSnapshot.InUse", lambda: ground.ec2().delete_snapshot(SnapshotId=snapshot), image_id)


@ROWS.row(API + "Image, State: failed")
def an_image_fails_with_a_snapshot(ground: Ground) -> None:
    ec2 = ground.ec2()
    instance, _, _ = machine(ground)
    ground.sandbox.faults.add("CreateImage", failing=1)
    image_id = ec2.create_image(InstanceId=instance, Name="golden")["ImageId"]
    ground.clock.advance("12h")
    shown = image(ground, image_id)
    assert shown["State"] == "failed"
    assert {ground.shown(each)["State"] for each in snapshots_of(shown)} == {"error"}
    refused("InvalidAMIID.Unavailable", lambda: ec2.run_instances(ImageId=image_id, MinCount=1, MaxCount=1), image_id)
    ec2.deregister_image(ImageId=image_id)


@ROWS.row(API + "DeregisterImage, DeleteAssociatedSnapshots")
def snapshots_can_go_with_their_image_unless_another_stands_on_them(ground: Ground) -> None:
    ec2 = ground.ec2()
    image_id, (root, data) = made(ground)
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": root}}
    other = ec2.register_image(Name="other", RootDeviceName="/dev/xvda", BlockDeviceMappings=[device])["ImageId"]
    answer = ec2.deregister_image(ImageId=image_id, DeleteAssociatedSnapshots=True)
    assert {each["SnapshotId"]: each["ReturnCode"] for each in answer["DeleteSnapshotResults"]} == {
        root: "skipped",
        data: "success",
    }
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(data))
    ec2.lock_snapshot(SnapshotId=root, LockMode="governance", LockDuration=1)
    answer = ec2.deregister_image(ImageId=other, DeleteAssociatedSnapshots=True)
    assert answer["DeleteSnapshotResults"] == [{"SnapshotId": root, "ReturnCode": "client-error"}]
    assert ground.shown(root)["State"] == "completed"


@ROWS.row(API + "DeregisterImage; error codes, InvalidAMIID")
def an_unknown_image_cannot_be_deregistered(ground: Ground) -> None:
    ec2 = ground.ec2()
    image_id, _ = made(ground)
    refused("InvalidAMIID.NotFound", lambda: ec2.deregister_image(ImageId=NOBODY), NOBODY)
    refused("InvalidAMIID.Malformed", lambda: ec2.deregister_image(ImageId="banana"), "banana")
    refused("InvalidAMIID.NotFound", lambda: ground.ec2(1).deregister_image(ImageId=image_id), image_id)
    ec2.deregister_image(ImageId=image_id)
    refused("InvalidAMIID.Unavailable", lambda: ec2.deregister_image(ImageId=image_id), image_id)


@ROWS.row(API + "RegisterImage; EC2 user guide, Create an AMI from a snapshot")
def a_registered_image_holds_its_snapshot(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), ground.snapshot(ground.volume(12))
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, "VolumeType": "gp3"}}
    image_id = ec2.register_image(
        Name="mine", RootDeviceName="/dev/xvda", BlockDeviceMappings=[device], Architecture="arm64",
        TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "a", "Value": "b"}]}],
    )["ImageId"]  # fmt: skip
    shown = image(ground, image_id)
    assert (shown["State"], shown["RootDeviceName"], shown["Architecture"]) == ("available", "/dev/xvda", "arm64")
    assert shown["Tags"] == [{"Key": "a", "Value": "b"}]
    [mapping] = shown["BlockDeviceMappings"]
    assert (mapping["Ebs"]["SnapshotId"], mapping["Ebs"]["VolumeSize"]) == (snapshot, 12)
    assert [each["SnapshotId"] for each in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]] == [snapshot]
    refused("InvalidSnapshot.InUse", lambda: ec2.delete_snapshot(SnapshotId=snapshot), image_id)
    by_snapshot = [{"Name": "block-device-mapping.snapshot-id", "Values": [snapshot]}]
    assert [each["ImageId"] for each in ec2.describe_images(Filters=by_snapshot)["Images"]] == [image_id]


@ROWS.row(API + "RegisterImage, BlockDeviceMappings")
def an_image_needs_a_root_snapshot_that_can_be_restored(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), ground.snapshot(ground.volume(12))

    def register(device: str = "/dev/xvda", **ebs: Any) -> object:
        return ec2.register_image(
            Name="mine", RootDeviceName="/dev/xvda", BlockDeviceMappings=[{"DeviceName": device, "Ebs": ebs}]
        )

    refused("MissingParameter", lambda: ec2.register_image(Name="mine"), "blockDeviceMapping")
    refused("InvalidBlockDeviceMapping", lambda: register("/dev/xvdb", SnapshotId=snapshot), "/dev/xvda")
    refused("InvalidBlockDeviceMapping", lambda: register(SnapshotId=snapshot, VolumeSize=11), "expect size >= 12GB")
    refused("InvalidBlockDeviceMapping", lambda: register(SnapshotId=snapshot, Encrypted=True))
    refused("MissingParameter", lambda: register(DeleteOnTermination=True), "size or snapshotId")
    refused("InvalidSnapshot.NotFound", lambda: register(SnapshotId="snap-0123456789abcdef0"))
    pending = ec2.create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    refused("IncorrectState", lambda: register(SnapshotId=pending), "pending")
    assert ec2.describe_images(Owners=["self"])["Images"] == []
    assert ec2.register_image(Name="mine", ImageLocation="bucket/manifest.xml")["ImageId"].startswith("ami-")
    assert len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 2


@ROWS.row(GUIDE + "Launch an instance from an AMI: it gets the volumes of the image")
def an_instance_gets_the_volumes_of_its_image(ground: Ground) -> None:
    ec2 = ground.ec2()
    image_id, (root, data) = made(ground)

    def launched(**given: Any) -> dict[str, tuple[str, int]]:
        run = ec2.run_instances(ImageId=image_id, MinCount=1, MaxCount=1, **given)["Instances"][0]["InstanceId"]
        found = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [run]}])["Volumes"]
        return {each["Attachments"][0]["Device"]: (each["SnapshotId"], each["Size"]) for each in found}

    assert launched() == {"/dev/sda1": (root, 8), "/dev/sdf": (data, 20)}
    larger = [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 50}}, {"DeviceName": "/dev/sdf", "NoDevice": ""}]
    assert launched(BlockDeviceMappings=larger) == {"/dev/sda1": (root, 50)}
    smaller = [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 7}}]
    refused("InvalidBlockDeviceMapping", lambda: launched(BlockDeviceMappings=smaller), "expect size >= 8GB")
    ec2.deregister_image(ImageId=image_id)
    refused("InvalidAMIID.Unavailable", launched, image_id)


@ROWS.row(GUIDE + "Launch an instance: the AMI has to be available")
def an_instance_of_a_pending_image_is_refused(ground: Ground) -> None:
    image_id = ground.ec2().create_image(InstanceId=ground.instance(), Name="golden")["ImageId"]
    refused(
        "InvalidAMIID.Unavailable",
        lambda: ground.ec2().run_instances(ImageId=image_id, MinCount=1, MaxCount=1),
        image_id,
    )


@ROWS.row(GUIDE + "Copy an Amazon EC2 AMI")
def an_image_is_copied_with_its_snapshots(ground: Ground) -> None:
    image_id, snapshots = made(ground)
    abroad = ground.ec2(region="eu-west-1")
    copied = abroad.copy_image(Name="copied", SourceImageId=image_id, SourceRegion="us-east-1")["ImageId"]
    assert image(ground, copied, "eu-west-1")["State"] == "pending"
    ground.clock.advance("12h")
    shown = image(ground, copied, "eu-west-1")
    assert shown["State"] == "available"
    listed = abroad.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert sorted(each["SnapshotId"] for each in listed) == sorted(snapshots_of(shown))
    assert sorted(each["VolumeSize"] for each in listed) == [8, 20]
    assert not set(snapshots_of(shown)) & set(snapshots)
    held = listed[0]["SnapshotId"]
    refused("InvalidSnapshot.InUse", lambda: abroad.delete_snapshot(SnapshotId=held), copied)
    refused(
        "InvalidAMIID.NotFound",
        lambda: abroad.copy_image(Name="other", SourceImageId=NOBODY, SourceRegion="us-east-1"),
    )
    refused(
        "InvalidParameterValue",
        lambda: abroad.copy_image(Name="other", SourceImageId=image_id, SourceRegion="mars-1"),
        "mars-1",
    )
