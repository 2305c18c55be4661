"""Volumes: CreateVolume, DescribeVolumes, DeleteVolume and their attributes.

Replaces moto's, which take any size, type and zone, ignore encryption by default, ClientToken and
VolumeInitializationRate, and list everything on one page.

A volume is available as soon as it is described, although CreateVolume answers ``creating``, as AWS does: nothing is
known of the seconds between, and scripts that wait by the clock on the wall would hang on a clock that stands.

Source: EC2 API reference of the operations; EBS user guide, "Create an Amazon EBS volume", "Amazon EBS volume types",
"Initialize Amazon EBS volumes".
"""

from collections.abc import Callable, Mapping
from typing import Any

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.filters import select, text
from snapkit.sandbox.gaps.volume_making import create
from snapkit.sandbox.gaps.volume_types import Kind
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import Refusal, check_volume_id, volume_not_found
from snapkit.sandbox.volume import Volume

FILTERS: Mapping[str, Callable[[Volume], Any]] = {
    "attachment.attach-time": lambda volume: [text(each.attach_time) for each in volume.attachments],
    "attachment.delete-on-termination": lambda volume: [text(goes_with_instance(volume)) for _ in volume.attachments],
    "attachment.device": lambda volume: [each.device for each in volume.attachments],
    "attachment.instance-id": lambda volume: [each.instance_id for each in volume.attachments],
    "attachment.status": lambda volume: [each.status for each in volume.attachments],
    "availability-zone": lambda volume: volume.zone.name,
    "availability-zone-id": lambda volume: volume.zone.zone_id,
    "create-time": lambda volume: text(volume.created),
    "encrypted": lambda volume: text(volume.encrypted),
    "fast-restored": lambda volume: text(volume.fast_restored),
    "multi-attach-enabled": lambda volume: text(bool(volume.multi_attach_enabled)),
    "operator.managed": lambda _: "false",
    "operator.principal": lambda _: None,
    "size": lambda volume: text(volume.size),
    "snapshot-id": lambda volume: volume.snapshot_id,
    "status": lambda volume: volume.status,
    "volume-id": lambda volume: volume.id,
    "volume-type": lambda volume: volume.volume_type,
}
"""Source: EC2 API reference, DescribeVolumes."""


@operation("ec2", "CreateVolume")
def create_volume(call: Call) -> Answer:
    """Make a volume, empty or of a snapshot."""
    volume = once(call, lambda: create(call))
    answer = shown(volume)
    # AWS leaves these out of this answer.
    del answer["Attachments"], answer["FastRestored"]
    return {**answer, "State": "creating"}


@operation("ec2", "DescribeVolumes")
def describe_volumes(call: Call) -> Answer:
    """List volumes."""
    tags = call.ec2.tags
    found = select(call, listed(call), FILTERS, lambda volume: tags.get(volume.id, {}))
    page_shown, token = page(call, found, lambda volume: volume.ordinal, ids="VolumeIds")
    return {"Volumes": [shown(volume) for volume in page_shown], "NextToken": token}


@operation("ec2", "DeleteVolume")
def delete_volume(call: Call) -> Answer:
    """Delete a volume that is not attached; its snapshots stay."""
    volume = call.ec2.volume(call.get("VolumeId"))
    if volume.attachment:
        raise Refusal("VolumeInUse", f"Volume {volume.id} is currently attached to {volume.attachment.instance_id}")
    if not any(keep(call, volume) for keep in DELETE_KEEPERS):
        call.ec2.delete_volume(volume.id)
    return None


DELETE_KEEPERS: list[Callable[[Call, Volume], bool]] = []
"""Called instead of forgetting a volume; the first that returns True has kept it. The recycle bin adds itself."""


def listed(call: Call) -> list[Volume]:
    """List the volumes that a call names in VolumeIds, or all, by ordinal.

    Raises:
        Refusal: an id is malformed or unknown.
    """
    ids = call.get("VolumeIds", [])
    for volume_id in ids:
        check_volume_id(volume_id)
    volumes = call.ec2.volumes
    unknown = [volume_id for volume_id in ids if volume_id not in volumes]
    if unknown:
        raise volume_not_found(unknown[0])
    found = [volumes[volume_id] for volume_id in dict.fromkeys(ids)] if ids else list(volumes.values())
    return sorted(found, key=lambda volume: volume.ordinal)


def shown(volume: Volume) -> dict[str, Any]:
    """Return a volume as DescribeVolumes shows it."""
    backend = volume.ec2_backend
    answer: dict[str, Any] = {
        "VolumeId": volume.id,
        "VolumeArn": f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:volume/{volume.id}",
        "OwnerId": backend.account_id,
        "Size": volume.size,
        "SnapshotId": volume.snapshot_id or "",
        "AvailabilityZone": volume.zone.name,
        "AvailabilityZoneId": volume.zone.zone_id,
        "State": volume.status,
        "CreateTime": volume.created,
        "Attachments": [attachment_shown(volume)] if volume.attachment else [],
        "Encrypted": volume.encrypted,
        "VolumeType": volume.volume_type,
        "MultiAttachEnabled": bool(volume.multi_attach_enabled),
        "FastRestored": volume.fast_restored,
        "Operator": {"Managed": False},
    }
    optional = {
        "Iops": kind_of(volume).shown_iops,
        "Throughput": volume.throughput,
        "KmsKeyId": volume.kms_key_id,
        "SourceVolumeId": volume.source_volume_id,
        "VolumeInitializationRate": volume.initialization_rate,
    }
    answer |= {name: value for name, value in optional.items() if value is not None}
    tags = backend.tags.get(volume.id)
    if tags:
        answer["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return answer


def attachment_shown(volume: Volume) -> dict[str, Any]:
    """Return the attachment of an attached volume as DescribeVolumes shows it."""
    attachment = volume.attachment
    assert attachment is not None  # noqa: S101 - for the type checker: the caller looked
    return {
        "VolumeId": volume.id,
        "InstanceId": attachment.instance_id,
        "Device": attachment.device,
        "State": attachment.status,
        "AttachTime": attachment.attach_time,
        "DeleteOnTermination": goes_with_instance(volume),
    }


def goes_with_instance(volume: Volume) -> bool:
    """Tell whether an attached volume is deleted when its instance is terminated."""
    attachment = volume.attachment
    mapped = attachment and attachment.instance.block_device_mapping.get(attachment.device)
    return bool(mapped and mapped.delete_on_termination)


def kind_of(volume: Volume) -> Kind:
    """Return what a volume is."""
    return Kind(
        size=volume.size,
        volume_type=volume.volume_type,
        iops=volume.iops,
        throughput=volume.throughput,
        multi_attach=bool(volume.multi_attach_enabled),
    )


def once(call: Call, make: Callable[[], Volume]) -> Volume:
    """Make a volume, or return the one that an earlier call with the same ClientToken made.

    Source: EC2 developer guide, "Ensuring idempotency in Amazon EC2 API requests".
    """
    token = call.get("ClientToken")
    if not token:
        return make()
    made: dict[tuple[str, str], tuple[Mapping[str, Any], Volume]] = call.ec2.settings.setdefault("volumes", {})
    given = {name: value for name, value in call.params.items() if name != "ClientToken"}
    if (call.operation, token) not in made:
        made[call.operation, token] = (given, make())
    before, volume = made[call.operation, token]
    if before != given:
        raise Refusal(
            "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
        )
    return volume
