"""Rules about volumes and the instances that they are attached to."""

from functools import partial

from tests.sandbox.ground import Ground, Table, refused
from tests.sandbox.rows.volumes import described

ROWS = Table()
API = "EC2 API reference, "
NOBODY = "i-0123456789abcdef0"


@ROWS.row(API + "AttachVolume, DetachVolume")
def a_volume_is_attached_and_detached(ground: Ground) -> None:
    ec2, volume, instance = ground.ec2(), ground.volume(), ground.instance()
    attached = ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    assert (attached["State"], attached["DeleteOnTermination"]) == ("attaching", False)
    shown = described(ground, volume)
    assert shown["State"] == "in-use"
    [attachment] = shown["Attachments"]
    assert (attachment["InstanceId"], attachment["Device"]) == (instance, "/dev/sdf")
    assert (attachment["State"], attachment["AttachTime"]) == ("attached", attached["AttachTime"])
    detached = ec2.detach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf", Force=True)
    assert (detached["State"], detached["VolumeId"]) == ("detaching", volume)
    assert (described(ground, volume)["State"], described(ground, volume)["Attachments"]) == ("available", [])


@ROWS.row(API + "AttachVolume; error codes")
def what_cannot_be_attached_is_refused(ground: Ground) -> None:
    ec2, volume, instance = ground.ec2(), ground.volume(), ground.instance()
    far = ground.volume(AvailabilityZone="us-east-1b")

    def attach(volume_id: str = volume, instance_id: str = instance, device: str = "/dev/sdf", **more: bool) -> object:
        return ec2.attach_volume(VolumeId=volume_id, InstanceId=instance_id, Device=device, **more)

    refused("InvalidVolume.ZoneMismatch", lambda: attach(far), far)
    refused("InvalidParameterValue", lambda: attach(device="banana"), "banana is not a valid EBS device name")
    refused("InvalidParameterValue", lambda: attach(device="/dev/sda1"), "Attachment point /dev/sda1 is already in use")
    refused("InvalidInstanceID.NotFound", lambda: attach(instance_id=NOBODY), NOBODY)
    refused("InvalidInstanceID.Malformed", lambda: attach(instance_id="banana"), "banana")
    refused("InvalidVolume.NotFound", lambda: attach("vol-0123456789abcdef0"))
    refused("InvalidVolumeID.Malformed", lambda: attach("banana"))
    refused("DryRunOperation", lambda: attach(DryRun=True))
    assert described(ground, volume)["State"] == "available"
    attach()
    refused("VolumeInUse", lambda: attach(device="/dev/sdg"), f"{volume} is already attached to an instance")
    refused("InvalidVolume.NotFound", partial(ground.ec2(1).detach_volume, VolumeId=volume))


@ROWS.row(API + "AttachVolume: to a running or stopped instance")
def a_terminated_instance_takes_no_volume(ground: Ground) -> None:
    ec2, volume, instance = ground.ec2(), ground.volume(), ground.instance()
    ec2.stop_instances(InstanceIds=[instance])
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    ec2.detach_volume(VolumeId=volume)
    ec2.terminate_instances(InstanceIds=[instance])
    refused(
        "IncorrectState", partial(ec2.attach_volume, VolumeId=volume, InstanceId=instance, Device="/dev/sdf"), instance
    )


@ROWS.row(API + "DetachVolume; error codes; kubernetes-sigs/aws-ebs-csi-driver issue 1801")
def what_is_not_attached_cannot_be_detached(ground: Ground) -> None:
    ec2, volume, instance = ground.ec2(), ground.volume(), ground.instance()
    refused("IncorrectState", lambda: ec2.detach_volume(VolumeId=volume), f"'{volume}' is in the 'available' state.")
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    other = ground.instance()
    refused("InvalidAttachment.NotFound", lambda: ec2.detach_volume(VolumeId=volume, InstanceId=other), other)
    refused("InvalidAttachment.NotFound", lambda: ec2.detach_volume(VolumeId=volume, Device="/dev/sdg"), "/dev/sdg")
    refused("InvalidInstanceID.Malformed", lambda: ec2.detach_volume(VolumeId=volume, InstanceId="banana"))
    assert described(ground, volume)["State"] == "in-use"


@ROWS.row(API + "DetachVolume: stop the instance before you detach its root volume")
def the_root_volume_of_a_running_instance_stays(ground: Ground) -> None:
    ec2, instance = ground.ec2(), ground.instance()
    root = ec2.describe_volumes()["Volumes"][0]["VolumeId"]
    refused("OperationNotPermitted", lambda: ec2.detach_volume(VolumeId=root), "/dev/sda1")
    ec2.stop_instances(InstanceIds=[instance])
    ec2.detach_volume(VolumeId=root)
    assert described(ground, root)["State"] == "available"
