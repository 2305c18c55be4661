"""How volumes are: DescribeVolumeStatus, their attributes and EnableVolumeIO.

moto has none of these. In the sandbox no volume is ever impaired, and what is said about initialization is up to date,
where AWS may lag 5 minutes behind.

Source: EBS user guide, "Amazon EBS volume status checks", "Monitor the status of Amazon EBS volume initialization"; EC2
API reference of the operations.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.filters import select
from snapkit.sandbox.gaps.volumes import listed
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import invalid, missing
from snapkit.sandbox.volume import Volume
from snapkit.units import MINUTE

CHECK_EVERY = timedelta(seconds=5 * MINUTE)
"""How long a new volume waits for its first check.

Source: EBS user guide, "Amazon EBS volume status checks": they run every 5 minutes.
"""

WITH_PERFORMANCE_CHECK = ("gp3", "io1", "io2")
"""Source: EBS user guide, "Amazon EBS volume status checks"."""


@operation("ec2", "DescribeVolumeStatus")
def describe_volume_status(call: Call) -> Answer:
    """Show the checks of volumes, and how far their initialization is."""
    found = select(call, listed(call), FILTERS)
    shown, token = page(call, found, lambda volume: volume.ordinal, ids="VolumeIds")
    return {"VolumeStatuses": [_shown(volume) for volume in shown], "NextToken": token}


@operation("ec2", "DescribeVolumeAttribute")
def describe_volume_attribute(call: Call) -> Answer:
    """Show one attribute of a volume."""
    volume = call.ec2.volume(call.get("VolumeId"))
    match call.get("Attribute"):
        case "autoEnableIO":
            return {"VolumeId": volume.id, "AutoEnableIO": {"Value": volume.auto_enable_io}}
        case "productCodes":
            return {"VolumeId": volume.id, "ProductCodes": []}
        case other:
            raise invalid("attribute", other, "It has to be autoEnableIO or productCodes.")


@operation("ec2", "ModifyVolumeAttribute")
def modify_volume_attribute(call: Call) -> Answer:
    """Choose whether I/O goes on by itself when a volume may be inconsistent."""
    volume = call.ec2.volume(call.get("VolumeId"))
    value = call.get("AutoEnableIO", {}).get("Value")
    if value is None:
        raise missing("autoEnableIO.value")
    volume.auto_enable_io = value
    return None


@operation("ec2", "EnableVolumeIO")
def enable_volume_io(call: Call) -> Answer:
    """Enable the I/O of a volume, which in the sandbox never was disabled."""
    call.ec2.volume(call.get("VolumeId"))
    return None


def _shown(volume: Volume) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "VolumeId": volume.id,
        "AvailabilityZone": volume.zone.name,
        "AvailabilityZoneId": volume.zone.zone_id,
        "VolumeStatus": {
            "Status": _status(volume),
            "Details": [{"Name": name, "Status": status} for name, status in _details(volume).items()],
        },
        "Events": [],
        "Actions": [],
        "AttachmentStatuses": [
            {"InstanceId": each.instance_id, "IoPerformance": _performance(volume)} for each in volume.attachments
        ],
    }
    kind = initialization_type(volume)
    if kind is not None:
        now = _now(volume)
        details: dict[str, Any] = {"InitializationType": kind, "Progress": initialization_progress(volume, now)}
        if kind == "provisioned-rate":
            left = (volume.initialized - now).total_seconds()
            details["EstimatedTimeToCompleteInSeconds"] = max(0, round(left))
        answer["InitializationStatusDetails"] = details
    return answer


def initialization_type(volume: Volume) -> str | None:
    """Tell how the blocks come onto a volume, or None for one that began empty."""
    if volume.source_volume_id:
        return "volume-copy"
    if volume.initialization_rate:
        return "provisioned-rate"
    return "default" if volume.snapshot_id else None


def initialization_progress(volume: Volume, now: datetime) -> int:
    """Tell which part of the blocks has arrived [percent]."""
    if now >= volume.initialized:
        return 100
    return int(100 * (now - volume.created) / (volume.initialized - volume.created))


def _status(volume: Volume) -> str:
    return "ok" if _checked(volume) else "insufficient-data"


def _details(volume: Volume) -> dict[str, str]:
    details = {
        "io-enabled": "passed" if _checked(volume) else "insufficient-data",
        "io-performance": _performance(volume),
    }
    if initialization_type(volume) is not None:
        done = _now(volume) >= volume.initialized
        details["initialization-state"] = "completed" if done else "initializing"
    return details


def _performance(volume: Volume) -> str:
    if volume.volume_type not in WITH_PERFORMANCE_CHECK or not volume.attachment:
        return "not-applicable"
    return "normal" if _checked(volume) else "insufficient-data"


def _checked(volume: Volume) -> bool:
    return _now(volume) >= volume.created + CHECK_EVERY


def _now(volume: Volume) -> datetime:
    now: datetime = volume.ec2_backend.world.clock.now()
    return now


FILTERS: Mapping[str, Callable[[Volume], Any]] = {
    **dict.fromkeys(("action.code", "action.description", "action.event-id"), lambda _: None),
    **dict.fromkeys(("event.description", "event.event-id", "event.event-type"), lambda _: None),
    **dict.fromkeys(("event.not-after", "event.not-before"), lambda _: None),
    "attachment-status.instance-id": lambda volume: [each.instance_id for each in volume.attachments],
    "attachment-status.io-performance": lambda volume: [_performance(volume) for _ in volume.attachments],
    "availability-zone": lambda volume: volume.zone.name,
    "availability-zone-id": lambda volume: volume.zone.zone_id,
    "volume-status.details-name": lambda volume: list(_details(volume)),
    "volume-status.details-status": lambda volume: list(_details(volume).values()),
    "volume-status.status": _status,
}
"""Source: EC2 API reference, DescribeVolumeStatus."""
