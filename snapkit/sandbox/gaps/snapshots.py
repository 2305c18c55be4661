"""Snapshots that take time: CreateSnapshot, CreateSnapshots, DescribeSnapshots, DeleteSnapshot.

Replaces moto's, which are complete at once, never refused, listed whole to everybody who asks, and ignore
ExcludeDataVolumeIds and CopyTagsFromSource.

Source: EBS user guide, "Create Amazon EBS snapshots", "Delete an Amazon EBS snapshot", "Quotas for Amazon EBS"; EC2 API
reference of the four operations.
"""

from collections.abc import Mapping
from typing import Any

from snapkit.rules import CREATE_GAP, LONGEST_DESCRIPTION, PENDING_LIMITS, PENDING_PER_ACCOUNT
from snapkit.sandbox.call import Answer, Call, check_tags, operation
from snapkit.sandbox.filters import select, text
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import Refusal, check_instance_id, check_snapshot_id, invalid, snapshot_not_found
from snapkit.sandbox.snapshot import Snapshot
from snapkit.sandbox.volume import Volume

MOST_EXCLUDED = 40
"""Source: EC2 API reference, InstanceSpecification."""

ALIASES = ("amazon", "aws-marketplace")
"""Owners that are called by a name; they own nothing here. Source: EC2 API reference, DescribeSnapshots."""

FILTERS = {
    "description": lambda snapshot: snapshot.description,
    "encrypted": lambda snapshot: text(snapshot.encrypted),
    "owner-alias": lambda _: None,
    "owner-id": lambda snapshot: snapshot.owner_id,
    "progress": lambda snapshot: snapshot.progress_at(snapshot.ec2_backend.world.clock.now()),
    "snapshot-id": lambda snapshot: snapshot.id,
    "start-time": lambda snapshot: text(snapshot.start_time),
    "status": lambda snapshot: snapshot.state,
    "storage-tier": lambda snapshot: snapshot.tiering.tier,
    "transfer-type": lambda snapshot: snapshot.transfer_type,
    "volume-id": lambda snapshot: snapshot.source_volume_id,
    "volume-size": lambda snapshot: text(snapshot.volume_gib),
}
"""Source: EC2 API reference, DescribeSnapshots."""


@operation("ec2", "CreateSnapshot")
def create_snapshot(call: Call) -> Answer:
    """Begin a snapshot of a volume."""
    volume = call.ec2.volume(call.get("VolumeId"))
    tags = call.tags("snapshot")
    check_description(call)
    check_limits(call, [volume])
    snapshot = call.ec2.take(volume, description=call.get("Description", ""))
    call.ec2.finish_later([snapshot])
    if tags:
        call.ec2.tags[snapshot.id] = tags
    return {**snapshot.describe(call.now), "Progress": ""}


@operation("ec2", "CreateSnapshots")
def create_snapshots(call: Call) -> Answer:
    """Begin snapshots of the volumes of an instance, all of one moment; they complete together."""
    specification = call.get("InstanceSpecification")
    instance_id = specification.get("InstanceId")
    if not instance_id:
        raise Refusal("MissingParameter", "The request must contain the parameter instanceId")
    check_instance_id(instance_id)
    check_description(call)
    tags = call.tags("snapshot")
    volumes = _volumes_of(call, instance_id, specification)
    check_limits(call, volumes)
    of_volumes = call.ec2.tags if call.get("CopyTagsFromSource") == "volume" else {}
    merged = []
    for volume in volumes:
        own = of_volumes.get(volume.id, {})
        merged.append({key: value for key, value in own.items() if not key.startswith("aws:")} | tags)
        check_tags(merged[-1])
    description = call.get("Description", "")
    snapshots = [call.ec2.take(volume, description=description) for volume in volumes]
    call.ec2.tags.update({snapshot.id: own for snapshot, own in zip(snapshots, merged, strict=True) if own})
    call.ec2.finish_later(snapshots)
    return {"Snapshots": [{**each.describe(call.now), "Progress": ""} for each in snapshots]}


@operation("ec2", "DescribeSnapshots")
def describe_snapshots(call: Call) -> Answer:
    """List snapshots: one's own, those shared with one, and public ones."""
    ids = call.get("SnapshotIds", [])
    for snapshot_id in ids:
        check_snapshot_id(snapshot_id)
    if ids:
        found = [_by_id(call, snapshot_id) for snapshot_id in dict.fromkeys(ids)]
        found.sort(key=lambda snapshot: snapshot.ordinal)
    else:
        found = _listed(call)
    now, ec2 = call.now, call.ec2
    found = select(call, found, FILTERS, lambda snapshot: ec2.tags.get(snapshot.id, {}))
    shown, token = page(call, found, lambda snapshot: snapshot.ordinal, ids="SnapshotIds")
    return {"Snapshots": [snapshot.describe(now, ec2) for snapshot in shown], "NextToken": token}


@operation("ec2", "DeleteSnapshot")
def delete_snapshot(call: Call) -> Answer:
    """Delete a snapshot, unless something needs it; a pending one goes when it is complete."""
    snapshot = call.ec2.snapshot(call.get("SnapshotId"))
    for check in DELETE_CHECKS:
        check(call, snapshot)
    if snapshot.state == "pending":
        snapshot.doomed = True
    elif not any(keep(call, snapshot) for keep in DELETE_KEEPERS):
        call.ec2.discard(snapshot)
    return None


DELETE_CHECKS: list[Any] = []
"""Called with the call and the snapshot before it is deleted; each may refuse. Gaps that hold snapshots add theirs."""

DELETE_KEEPERS: list[Any] = []
"""Called instead of forgetting a snapshot; the first that returns True has kept it. The recycle bin adds itself."""


def check_description(call: Call) -> None:
    """Refuse a description that is too long."""
    if len(call.get("Description", "")) > LONGEST_DESCRIPTION:
        raise invalid(
            "description", call.get("Description"), f"A description has at most {LONGEST_DESCRIPTION} characters."
        )


def check_limits(call: Call, volumes: list[Volume]) -> None:
    """Refuse what comes too soon after the last snapshot of a volume, or beyond what may be pending.

    Snapshots that are taken for an image count as all others.

    Source: EC2 API reference, "Error codes"; EBS user guide, "Quotas for Amazon EBS"; AWS re:Post, knowledge center,
    "backup-image-creation-throttled".
    """
    for volume in volumes:
        if volume.last_snapshot and (call.now - volume.last_snapshot).total_seconds() < CREATE_GAP:
            raise Refusal(
                "SnapshotCreationPerVolumeRateExceeded",
                "The maximum per volume CreateSnapshot request rate has been exceeded. Use an increasing or variable "
                "sleep interval between requests.",
            )
        pending = sum(each.source_volume_id == volume.id for each in call.ec2.pending.values())
        if pending >= PENDING_LIMITS[volume.volume_type]:
            raise Refusal(
                "ConcurrentSnapshotLimitExceeded",
                "Maximum allowed in-progress snapshots for a single volume exceeded.",
            )
    if len(call.ec2.pending) + len(volumes) > PENDING_PER_ACCOUNT:
        raise Refusal(
            "PendingSnapshotLimitExceeded",
            f"You have reached the maximum number of {PENDING_PER_ACCOUNT} pending snapshots for this account.",
        )


def _volumes_of(call: Call, instance_id: str, specification: Mapping[str, Any]) -> list[Volume]:
    ec2 = call.ec2
    instance = next((each for each in ec2.all_instances() if each.id == instance_id), None)
    if instance is None:
        raise Refusal("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")
    attached = {device: mapping.volume_id for device, mapping in instance.get_block_device_mapping}
    excluded = set(specification.get("ExcludeDataVolumeIds") or [])
    if len(excluded) > MOST_EXCLUDED:
        raise invalid("ExcludeDataVolumeId", len(excluded), f"At most {MOST_EXCLUDED} data volumes can be excluded.")
    root = attached.get(instance.root_device_name)
    if root in excluded:
        raise invalid("ExcludeDataVolumeId", root, "The root volume is excluded with ExcludeBootVolume.")
    unknown = sorted(excluded - set(attached.values()))
    if unknown:
        raise invalid("ExcludeDataVolumeId", unknown[0], f"It is not attached to {instance_id}.")
    if specification.get("ExcludeBootVolume") and root:
        excluded.add(root)
    return [ec2.volumes[volume_id] for volume_id in attached.values() if volume_id not in excluded]


def _by_id(call: Call, snapshot_id: str) -> Snapshot:
    snapshot = call.world.visible(call.account, call.region, snapshot_id)
    if snapshot is None or call.world.faults.hides(snapshot_id):
        raise snapshot_not_found(snapshot_id)
    return snapshot


def _listed(call: Call) -> list[Snapshot]:
    """List what the caller may restore, as OwnerIds and RestorableByUserIds narrow it down."""
    me = call.account
    owners = {me if owner == "self" else owner for owner in _users(call, "OwnerIds", ("self", *ALIASES))}
    # One's own are not gone through: there may be 100,000 of them, and each page asks anew.
    found = list(call.ec2.snapshots.values()) if not owners or me in owners else []
    shared = [each for each in call.world.shared_in(me, call.region) if not owners or each.owner_id in owners]
    if shared:
        found = sorted(found + shared, key=lambda snapshot: snapshot.ordinal)
    users = _users(call, "RestorableByUserIds", ("self", "all"))
    if users:
        found = [snapshot for snapshot in found if any(_restorable(snapshot, user, me) for user in users)]
    if call.world.faults.hiding:
        found = [snapshot for snapshot in found if not call.world.faults.hides(snapshot.id)]
    return found


def _users(call: Call, parameter: str, words: tuple[str, ...]) -> list[str]:
    """Read ids of accounts, among which certain words may stand."""
    given: list[str] = call.get(parameter, [])
    for user in given:
        if user not in words and not (len(user) == 12 and user.isascii() and user.isdigit()):
            raise Refusal("InvalidUserID.Malformed", f'Invalid user id: "{user}"')
    return given


def _restorable(snapshot: Snapshot, user: str, me: str) -> bool:
    if user == "all":
        return bool(snapshot.ec2_backend.world.is_public(snapshot))
    account = me if user == "self" else user
    return account == snapshot.owner_id or account in snapshot.shares.accounts
