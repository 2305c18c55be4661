"""Images and the snapshots that they stand on: CreateImage, RegisterImage, CopyImage, DeregisterImage.

Replaces moto's images, each of which has a snapshot of 15 GiB that nobody took, whatever volumes the instance has.
Instances of an image of the sandbox get its volumes; an image that the sandbox does not know is taken for one that moto
knows how to run.

Source: EC2 user guide, "Create an Amazon EBS-backed AMI", "Deregister an Amazon EC2 AMI"; EC2 API reference of the
operations.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.ec2 import AFTER_COMPLETION
from snapkit.sandbox.gaps.attachments import instance_of
from snapkit.sandbox.gaps.encryption import key_for_new_volume
from snapkit.sandbox.gaps.image_devices import (
    Image,
    added_device,
    check_changes,
    device_of,
    holder_of,
    is_volume,
    unavailable,
)
from snapkit.sandbox.gaps.snapshots import DELETE_CHECKS, check_description, check_limits, delete_snapshot
from snapkit.sandbox.gaps.volumes import goes_with_instance, kind_of
from snapkit.sandbox.refusal import Refusal, invalid, missing
from snapkit.sandbox.snapshot import NO_VOLUME, Snapshot, to_copy

NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")
"""Source: EC2 API reference, CreateImage, Name."""

IMAGE_ID = re.compile(r"ami-([0-9a-f]{8}|[0-9a-f]{17})")
"""Source: EC2 user guide, "Resource IDs"."""


@operation("ec2", "CreateImage")
def create_image(call: Call) -> Answer:
    """Make an image of an instance, of new snapshots of its volumes; it is available when they are complete."""
    ec2 = call.ec2
    instance = instance_of(call, call.get("InstanceId"))
    if instance.state not in ("running", "stopped"):
        raise Refusal("IncorrectInstanceState", f"Instance '{instance.id}' is not 'running' or 'stopped'.")
    _check_name(call)
    image_tags, snapshot_tags = _tags(call)
    given = {each.get("DeviceName"): each for each in call.get("BlockDeviceMappings", [])}
    attached = dict(instance.get_block_device_mapping)
    added = [added_device(call, each) for device, each in given.items() if device not in attached and is_volume(each)]
    for device in attached:
        check_changes(given.get(device, {}))
    imaged = {
        device: ec2.volumes[mapped.volume_id]
        for device, mapped in attached.items()
        if "NoDevice" not in given.get(device, {})
    }
    check_limits(call, list(imaged.values()))
    image_id = call.world.new_id("ami")
    devices, snapshots = [], []
    for device, volume in imaged.items():
        snapshot = ec2.take(
            volume, description=f"Created by CreateImage({instance.id}) for {image_id}", from_ami=image_id
        )
        if snapshot_tags:
            ec2.tags[snapshot.id] = dict(snapshot_tags)
        snapshots.append(snapshot)
        kind = kind_of(volume)
        goes = given.get(device, {}).get("Ebs", {}).get("DeleteOnTermination", goes_with_instance(volume))
        ebs = {"VolumeType": kind.volume_type, "Iops": kind.iops, "DeleteOnTermination": goes}
        devices.append(device_of(device, snapshot, **ebs))
    _keep(
        call, image_id, image_tags, devices + added, instance=instance, root_device_name=instance.root_device_name,
        state="pending" if snapshots else "available",
    )  # fmt: skip
    ec2.finish_later(snapshots)
    return {"ImageId": image_id}


@operation("ec2", "RegisterImage")
def register_image(call: Call) -> Answer:
    """Make an image of snapshots that exist; it holds them."""
    _check_name(call)
    image_tags, _ = _tags(call)
    devices = [added_device(call, each) for each in call.get("BlockDeviceMappings", []) if is_volume(each)]
    with_snapshot = [each["DeviceName"] for each in devices if "SnapshotId" in each["Ebs"]]
    root = call.get("RootDeviceName") or next(iter(with_snapshot), None)
    if not call.get("ImageLocation"):
        if root is None:
            raise missing("blockDeviceMapping")
        if root not in with_snapshot:
            raise Refusal("InvalidBlockDeviceMapping", f"The root device '{root}' has no snapshot.")
    image_id = call.world.new_id("ami")
    _keep(
        call, image_id, image_tags, devices, root_device_name=root or "/dev/sda1",
        architecture=call.get("Architecture", "i386"), image_location=call.get("ImageLocation"),
        virtualization_type=call.get("VirtualizationType", "paravirtual"),
    )  # fmt: skip
    return {"ImageId": image_id}


@operation("ec2", "CopyImage")
def copy_image(call: Call) -> Answer:
    """Copy an image of this account from another region, or this one, with its snapshots."""
    if call.get("SourceRegion") not in call.world.regions:
        raise invalid("sourceRegion", call.get("SourceRegion"), "It is no region.")
    source = image_of(replace(call, region=call.get("SourceRegion")), call.get("SourceImageId"))
    if source.state != "available":
        raise unavailable(source.id)
    _check_name(call)
    image_tags, snapshot_tags = _tags(call)
    image_id = call.world.new_id("ami")
    devices, snapshots = [], []
    for each in source.devices:
        if "SnapshotId" not in each["Ebs"]:
            devices.append(each)
            continue
        origin = call.world.ec2(call.account, call.get("SourceRegion")).snapshot(each["Ebs"]["SnapshotId"])
        snapshot = _copied(call, origin, f"Copied for DestinationAmi {image_id} from SourceAmi {source.id}", image_id)
        if snapshot_tags:
            call.ec2.tags[snapshot.id] = dict(snapshot_tags)
        snapshots.append(snapshot)
        devices.append({**each, "Ebs": {**each["Ebs"], "SnapshotId": snapshot.id, "Encrypted": snapshot.encrypted}})
    _keep(
        call, image_id, image_tags, devices, source_ami=source, root_device_name=source.root_device_name,
        state="pending" if snapshots else "available",
    )  # fmt: skip
    call.ec2.finish_later(snapshots)
    return {"ImageId": image_id}


@operation("ec2", "DeregisterImage")
def deregister_image(call: Call) -> Answer:
    """Forget an image; its snapshots stay, unless they are to be deleted too."""
    image = image_of(call, call.get("ImageId"))
    call.ec2.deregister_image(image.id)
    call.ec2.tags.pop(image.id, None)
    if not call.get("DeleteAssociatedSnapshots"):
        return {"Return": True}
    results = [{"SnapshotId": each, "ReturnCode": _deleted(call, each)} for each in image.snapshot_ids]
    return {"Return": True, "DeleteSnapshotResults": results}


def image_of(call: Call, image_id: str) -> Image:
    """Find an image of the caller's.

    Raises:
        Refusal: the id is malformed or unknown, or the image was deregistered.
    """
    if not IMAGE_ID.fullmatch(image_id):
        raise Refusal("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
    if image_id in call.ec2.deleted_amis:
        raise unavailable(image_id)
    image = call.ec2.amis.get(image_id)
    if not isinstance(image, Image):
        raise Refusal("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    return image


def refuse_if_held(call: Call, snapshot: Snapshot) -> None:  # noqa: ARG001 - what all checks are called with
    """Refuse to delete a snapshot that an image stands on.

    Source: EBS user guide, "Delete an Amazon EBS snapshot"; EC2 API reference, error codes, InvalidSnapshot.InUse.
    """
    image_id = holder_of(snapshot)
    if image_id:
        raise Refusal("InvalidSnapshot.InUse", f"The snapshot {snapshot.id} is currently in use by {image_id}")


def follow(snapshot: Snapshot) -> None:
    """Let an image become available, or fail, with its last snapshot."""
    image = snapshot.ec2_backend.amis.get(snapshot.from_ami)
    if isinstance(image, Image) and image.state == "pending":
        kept = snapshot.ec2_backend.snapshots
        states = {kept[each].state for each in image.snapshot_ids if each in kept}
        image.state = "failed" if "error" in states else "pending" if "pending" in states else "available"


DELETE_CHECKS.append(refuse_if_held)
AFTER_COMPLETION.append(follow)


def _keep(call: Call, image_id: str, tags: Mapping[str, str], devices: list[dict[str, Any]], **known: Any) -> None:
    description = call.get("Description", "")
    call.ec2.amis[image_id] = Image(
        call.ec2, ami_id=image_id, devices=devices, name=call.get("Name"), description=description, **known
    )
    if tags:
        call.ec2.tags[image_id] = dict(tags)


def _check_name(call: Call) -> None:
    name = call.get("Name")
    if not name or not NAME.fullmatch(name):
        raise Refusal(
            "InvalidAMIName.Malformed",
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, "
            "'(', ')', '.', '-', '/' and '_'",
        )
    for image in call.ec2.amis.values():
        if image.name == name:
            raise Refusal("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {image.id}")
    check_description(call)


def _tags(call: Call) -> tuple[dict[str, str], dict[str, str]]:
    """Read the tags for the image, and those for its snapshots."""
    given = call.get("TagSpecifications", [])
    for each in given:
        if each.get("ResourceType") not in ("image", "snapshot"):
            raise invalid("ResourceType", each.get("ResourceType"), "It has to be image or snapshot.")
    image, snapshot = (
        replace(call, params={"TagSpecifications": [each for each in given if each["ResourceType"] == kind]}).tags(kind)
        for kind in ("image", "snapshot")
    )
    return image, snapshot


def _copied(call: Call, origin: Snapshot, description: str, image_id: str) -> Snapshot:
    key = key_for_new_volume(call, None, origin.encrypted or call.get("Encrypted"), call.get("KmsKeyId"))
    image = origin.image
    assert image is not None  # noqa: S101 - for the type checker: it is complete
    base = call.ec2.newest_holder(image, key)
    return call.ec2.add_snapshot(
        volume_id=NO_VOLUME,
        volume_gib=origin.volume_gib,
        image=image,
        changed=to_copy(image, base),
        base=base,
        description=description,
        encrypted=key is not None,
        kms_key_id=key,
        from_ami=image_id,
    )


def _deleted(call: Call, snapshot_id: str) -> str:
    """Delete a snapshot of an image that is gone.

    Returns:
        The ReturnCode of it.
    """
    snapshot = call.ec2.snapshots.get(snapshot_id)
    if snapshot is not None and holder_of(snapshot):
        return "skipped"
    try:
        delete_snapshot(replace(call, operation="DeleteSnapshot", params={"SnapshotId": snapshot_id}))
    except Refusal:
        return "client-error"
    return "success"
