"""How a volume comes into being, empty or of a snapshot, by CreateVolume or with an instance.

Source: EBS user guide, "Create an Amazon EBS volume", "Initialize Amazon EBS volumes".
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from snapkit.rules import INITIALIZATION_QUOTA, INITIALIZATION_RATES, IOPS_LIMITS
from snapkit.sandbox.call import Call
from snapkit.sandbox.disk import Layer
from snapkit.sandbox.ec2 import Ec2
from snapkit.sandbox.gaps.archive import refuse_archived
from snapkit.sandbox.gaps.encryption import key_for_new_volume
from snapkit.sandbox.gaps.fast_restore import take_credit
from snapkit.sandbox.gaps.volume_types import MULTI_ATTACH, Kind, kind_wanted
from snapkit.sandbox.refusal import Refusal, check_snapshot_id, combination, invalid, missing, snapshot_not_found
from snapkit.sandbox.snapshot import Snapshot
from snapkit.sandbox.volume import Volume
from snapkit.timing import LAZY_RATE
from snapkit.units import MIB


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A volume that can be made.

    Attributes:
        zone: where.
        snapshot: what it is made of.
        kind: what it is to be.
        rate: the provisioned one of its initialization [MiB/s].
        tags: those asked for.
        key: its key, if it is to be encrypted.
    """

    zone: str
    snapshot: Snapshot | None
    kind: Kind
    rate: int | None
    tags: dict[str, str]
    key: str | None


def check(call: Call) -> Plan:
    """Read which volume a call asks for.

    Raises:
        Refusal: AWS would not make it.
    """
    zone = zone_of(call)
    snapshot = snapshot_to_restore(call, call.get("SnapshotId")) if call.get("SnapshotId") else None
    size = call.get("Size", snapshot.volume_gib if snapshot else None)
    if size is None:
        raise missing("size/snapshot")
    if snapshot and size < snapshot.volume_gib:
        raise too_small(call, size, snapshot)
    return Plan(
        zone=zone,
        snapshot=snapshot,
        kind=kind_wanted(call, size),
        rate=_initialization_rate(call),
        tags=call.tags("volume"),
        key=key_for_new_volume(call, snapshot, call.get("Encrypted"), call.get("KmsKeyId")),
    )


def create(call: Call) -> Volume:
    """Make the volume that a call asks for."""
    plan = check(call)
    snapshot = plan.snapshot
    source = {"base": _base(call, snapshot, plan.key), "snapshot_id": snapshot.id} if snapshot else {}
    volume = add(call, plan.kind, plan.zone, plan.key, **source)
    if plan.tags:
        call.ec2.tags[volume.id] = plan.tags
    volume.initialization_rate = plan.rate
    if snapshot and plan.rate is None:
        volume.fast_restored = take_credit(call, snapshot, plan.zone)
    if snapshot and not volume.fast_restored:
        seconds = (snapshot.full_size or 0) / (plan.rate * MIB if plan.rate else LAZY_RATE)
        volume.initialized = call.now + timedelta(seconds=seconds)
    return volume


def _base(call: Call, snapshot: Snapshot, key: str | None) -> Layer | None:
    """Return the image with which a volume begins.

    Of another account's snapshot, or under another key than its snapshot, it begins a lineage of its own: the first
    snapshot of every such volume is full.

    Source: EBS user guide, "How snapshots work"; "Amazon EBS snapshots", incremental for one owner and one key only.
    """
    image = snapshot.image
    same = snapshot.owner_id == call.account and snapshot.kms_key_id == key
    return image if same or image is None else image.alone()


def add(call: Call, kind: Kind, zone: str, key: str | None, **source: Any) -> Volume:
    """Keep a new volume of a kind, under a key if it is encrypted; its source is said as to `Ec2.add_volume`."""
    return call.ec2.add_volume(
        size=kind.size,
        zone=zone,
        encrypted=key is not None,
        kms_key_id=key,
        volume_type=kind.volume_type,
        iops=kind.iops,
        throughput=kind.throughput,
        multi_attach_enabled=kind.multi_attach,
        **source,
    )


def for_machine(ec2: Ec2, **asked: Any) -> Volume:
    """Make a volume of an instance, by the same rules; asked for as to `call_of_machine`."""
    return create(call_of_machine(ec2, **asked))


def call_of_machine(ec2: Ec2, *, size: int | None, zone: str, snapshot_id: str | None, **known: Any) -> Call:
    """Write what moto wants a volume of an instance to be as if it had been asked for.

    moto does not pass on how many IOPS were asked for, so io1 and io2 get their fewest.

    Args:
        ec2: where.
        size: [GiB]; by default that of the snapshot, or 8.
        zone: where the instance is.
        snapshot_id: what to begin with.
        known: what else moto passes: volume_type, encrypted, kms_key_id.
    """
    params = {
        "AvailabilityZone": zone,
        "SnapshotId": snapshot_id,
        "Size": size or (None if snapshot_id else 8),
        "VolumeType": known.get("volume_type"),
        "Iops": IOPS_LIMITS["io1"][0] if known.get("volume_type") in MULTI_ATTACH else None,
        "Encrypted": known.get("encrypted") or None,
        "KmsKeyId": known.get("kms_key_id"),
    }
    return Call(
        world=ec2.world,
        account=ec2.account_id,
        region=ec2.region_name,
        service="ec2",
        operation="RunInstances",
        params=params,
    )


def zone_of(call: Call) -> str:
    """Read the name of the zone that a call names by name or id."""
    name, zone_id = call.get("AvailabilityZone"), call.get("AvailabilityZoneId")
    if name and zone_id:
        raise combination("The parameters AvailabilityZone and AvailabilityZoneId cannot be used together")
    if not name and not zone_id:
        raise missing("availabilityZone")
    for zone in call.ec2.describe_availability_zones():
        if name == zone.name or zone_id == zone.zone_id:
            return str(zone.name)
    raise Refusal("InvalidZone.NotFound", f"The zone '{name or zone_id}' does not exist.")


def snapshot_to_restore(call: Call, snapshot_id: str) -> Snapshot:
    """Find a snapshot of the caller's, or shared with it, whose blocks can be read.

    Source: EBS user guide, "Archive Amazon EBS snapshots"; "Snapshot is in invalid state - pending" as velero issue
        1799 reports it.
    """
    check_snapshot_id(snapshot_id)
    snapshot = call.world.visible(call.account, call.region, snapshot_id)
    if snapshot is None or call.world.faults.hides(snapshot_id):
        raise snapshot_not_found(snapshot_id)
    if snapshot.state != "completed":
        raise Refusal("IncorrectState", f"Snapshot is in invalid state - {snapshot.state}")
    refuse_archived(snapshot)
    return snapshot


def too_small(call: Call, size: int, snapshot: Snapshot) -> Refusal:
    """Say that a volume [GiB] cannot hold a snapshot.

    Source: scylladb issue 6999 reports the message, for RunInstances; that CreateVolume has the same is *assumed*.
    """
    code = "InvalidParameterValue" if call.operation == "CreateVolume" else "InvalidBlockDeviceMapping"
    return Refusal(
        code,
        f"Volume of size {size}GB is smaller than snapshot '{snapshot.id}', expect size >= {snapshot.volume_gib}GB",
    )


def _initialization_rate(call: Call) -> int | None:
    """Read the provisioned rate [MiB/s]; the code for too much of it is *assumed*, AWS says only that it fails."""
    rate: int | None = call.get("VolumeInitializationRate")
    if rate is None:
        return None
    if not call.get("SnapshotId"):
        raise combination(
            "The parameter volumeInitializationRate is supported only for volumes created from snapshots."
        )
    least, most = INITIALIZATION_RATES
    if not least <= rate <= most:
        raise invalid("volumeInitializationRate", rate, f"It has to be between {least} and {most} MiB/s.")
    now = call.now
    used = sum(each.initialization_rate or 0 for each in call.ec2.volumes.values() if each.initialized > now)
    if used + rate > INITIALIZATION_QUOTA:
        raise Refusal(
            "ResourceLimitExceeded",
            f"The cumulative volume initialization rate of {used + rate} MiB/s would exceed the limit of "
            f"{INITIALIZATION_QUOTA} MiB/s in this Region.",
        )
    return rate
