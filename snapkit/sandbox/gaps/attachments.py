"""Volumes and the instances that they are attached to: AttachVolume, DetachVolume.

Replaces moto's, which attach across zones, twice, and two volumes as one device. An attached volume is so at once,
although AttachVolume answers ``attaching``, as AWS does; Multi-Attach is taken note of but not provided.

Source: EC2 API reference of the operations and "Error codes"; EBS user guide, "Attach an Amazon EBS volume", "Detach an
Amazon EBS volume".
"""

import re
from typing import Any

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.gaps.volumes import attachment_shown
from snapkit.sandbox.refusal import Refusal, check_instance_id, invalid

DEVICE = re.compile(r"(/dev/)?(sd[a-z]\d{0,2}|xvd[a-z]{1,2}\d{0,2}|hd[a-z]\d{0,2})")
"""Source: EC2 user guide, "Device names for volumes on Amazon EC2 instances"."""


@operation("ec2", "AttachVolume")
def attach_volume(call: Call) -> Answer:
    """Attach a volume to a running or stopped instance in its zone."""
    volume = call.ec2.volume(call.get("VolumeId"))
    instance = instance_of(call, call.get("InstanceId"))
    device = call.get("Device")
    if volume.attachment:
        raise Refusal("VolumeInUse", f"{volume.id} is already attached to an instance")
    if instance.state not in ("running", "stopped"):
        raise Refusal("IncorrectState", f"Instance '{instance.id}' is not 'running'.")
    if instance.availability_zone != volume.zone.name:
        raise Refusal(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{volume.id}' is not in the same availability zone as instance '{instance.id}'",
        )
    if not DEVICE.fullmatch(device):
        raise invalid("device", device, f"{device} is not a valid EBS device name.")
    if device in instance.block_device_mapping:
        raise Refusal(
            "InvalidParameterValue",
            f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use",
        )
    call.ec2.attach_volume(volume.id, instance.id, device)
    return {**attachment_shown(volume), "State": "attaching"}


@operation("ec2", "DetachVolume")
def detach_volume(call: Call) -> Answer:
    """Detach a volume; Force makes no difference, as no instance is in the way."""
    volume = call.ec2.volume(call.get("VolumeId"))
    attachment = volume.attachment
    if call.get("InstanceId"):
        check_instance_id(call.get("InstanceId"))
    if attachment is None:
        raise Refusal("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")
    instance, device = attachment.instance, attachment.device
    if call.get("InstanceId", instance.id) != instance.id or call.get("Device", device) != device:
        where = " as ".join(each for each in (call.get("InstanceId"), call.get("Device")) if each)
        raise Refusal("InvalidAttachment.NotFound", f"The volume '{volume.id}' is not attached to {where}.")
    if device == instance.root_device_name and instance.state == "running":
        raise Refusal("OperationNotPermitted", f"Unable to detach root volume '{device}' from instance '{instance.id}'")
    shown = attachment_shown(volume)
    call.ec2.detach_volume(volume.id, instance.id, device)
    return {**shown, "State": "detaching"}


def instance_of(call: Call, instance_id: str) -> Any:
    """Find an instance of the caller's.

    Raises:
        Refusal: the id is malformed or unknown.
    """
    check_instance_id(instance_id)
    for instance in call.ec2.all_instances():
        if instance.id == instance_id:
            return instance
    raise Refusal("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")
