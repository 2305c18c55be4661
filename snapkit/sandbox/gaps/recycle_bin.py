"""The recycle bin: deleted snapshots and volumes that a retention rule keeps for a while.

Missing in moto, where a deletion is final. What is in the bin can be listed, restored, or given other tags, and leaves
it by itself; a snapshot is shared with nobody meanwhile. What is being archived or restored from the archive when it is
deleted goes on so. A snapshot deleted while it is pending goes into the bin when it is complete.

Images are not kept: a deregistered one is gone, and ListImagesInRecycleBin lists none.

*Assumed*, as AWS does not say: the error codes.

Source: EBS user guide, "Recycle Bin", "Considerations for Recycle Bin", "Recover snapshots from the Recycle Bin"; EC2
API reference of the operations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.ec2 import AFTER_COMPLETION, Ec2
from snapkit.sandbox.gaps import snapshots, volumes
from snapkit.sandbox.gaps.retention_rules import retention
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import Refusal, check_snapshot_id, check_volume_id
from snapkit.sandbox.snapshot import Snapshot
from snapkit.sandbox.volume import Volume

Item = TypeVar("Item", Snapshot, Volume)

IN_BIN = "aws:recycle-bin:resource-in-bin"
"""Source: EBS user guide, "Considerations for Recycle Bin": the tag of what is in the bin."""


@dataclass(frozen=True)
class _Stay:
    """A volume in the bin, from when to when."""

    volume: Volume
    entered: datetime
    leaves: datetime

    @property
    def ordinal(self) -> int:
        """Its place in listings."""
        return self.volume.ordinal


@operation("ec2", "ListSnapshotsInRecycleBin")
def list_snapshots_in_recycle_bin(call: Call) -> Answer:
    """List deleted snapshots that can still be restored."""
    ids = call.get("SnapshotIds", [])
    for snapshot_id in ids:
        check_snapshot_id(snapshot_id)
    found = [_binned(call, each) for each in dict.fromkeys(ids)] or list(call.ec2.bin.values())
    found.sort(key=lambda snapshot: snapshot.ordinal)
    shown, token = page(call, found, lambda snapshot: snapshot.ordinal)
    rows = [
        {
            "SnapshotId": snapshot.id,
            "RecycleBinEnterTime": snapshot.entered_bin,
            "RecycleBinExitTime": snapshot.leaves_bin,
            "Description": snapshot.description,
            "VolumeId": snapshot.source_volume_id,
        }
        for snapshot in shown
    ]
    return {"Snapshots": rows, "NextToken": token}


@operation("ec2", "RestoreSnapshotFromRecycleBin")
def restore_snapshot_from_recycle_bin(call: Call) -> Answer:
    """Make a deleted snapshot again what it was, shared with whom it was."""
    ec2, snapshot_id = call.ec2, call.get("SnapshotId")
    check_snapshot_id(snapshot_id)
    snapshot = _binned(call, snapshot_id)
    del ec2.bin[snapshot_id]
    snapshot.state = "error" if snapshot.reason else "completed"
    snapshot.entered_bin = snapshot.leaves_bin = None
    _untag(ec2, snapshot_id)
    _put_back(ec2.snapshots, snapshot)
    call.world.publish(snapshot)
    shown = snapshot.describe(call.now)
    names = ("Description", "Encrypted", "OwnerId", "Progress", "StartTime", "State", "VolumeId", "VolumeSize")
    return {"SnapshotId": snapshot_id} | {name: shown[name] for name in names}


@operation("ec2", "ListVolumesInRecycleBin")
def list_volumes_in_recycle_bin(call: Call) -> Answer:
    """List deleted volumes that can still be restored."""
    ids = call.get("VolumeIds", [])
    for volume_id in ids:
        check_volume_id(volume_id)
    found = [_stay(call, each) for each in dict.fromkeys(ids)] or list(_stays(call.ec2).values())
    found.sort(key=lambda stay: stay.ordinal)
    shown, token = page(call, found, lambda stay: stay.ordinal, most=500)
    return {"Volumes": [_volume_shown(stay) for stay in shown], "NextToken": token}


@operation("ec2", "RestoreVolumeFromRecycleBin")
def restore_volume_from_recycle_bin(call: Call) -> Answer:
    """Make a deleted volume available again."""
    ec2, volume_id = call.ec2, call.get("VolumeId")
    check_volume_id(volume_id)
    volume = _stay(call, volume_id).volume
    del _stays(ec2)[volume_id]
    _untag(ec2, volume_id)
    _put_back(ec2.volumes, volume)
    return {"Return": True}


@operation("ec2", "ListImagesInRecycleBin")
def list_images_in_recycle_bin(call: Call) -> Answer:
    """List no images: none is kept."""
    shown, token = page(call, list[Snapshot](), lambda image: image.ordinal, least=1)
    return {"Images": shown, "NextToken": token}


def keep_snapshot(snapshot: Snapshot) -> bool:
    """Put a snapshot that is deleted into the bin, if a rule says so.

    Returns:
        Whether it is kept.
    """
    ec2 = snapshot.ec2_backend
    world, tags = ec2.world, ec2.tags.get(snapshot.id, {})
    entered = world.clock.now()
    stay = retention(ec2, "EBS_SNAPSHOT", tags, entered)
    if stay is None:
        return False
    leaves = entered + stay
    snapshot.state, snapshot.entered_bin, snapshot.leaves_bin = "recoverable", entered, leaves
    ec2.snapshots.pop(snapshot.id)
    ec2.bin[snapshot.id] = snapshot
    world.unpublish(snapshot)
    ec2.tags[snapshot.id] = {**tags, IN_BIN: "true"}

    def leave() -> None:
        # It may have been restored, and even deleted once more.
        if ec2.bin.get(snapshot.id) is snapshot and snapshot.leaves_bin == leaves:
            ec2.discard(snapshot)

    world.clock.at(leaves, leave)
    return True


def keep_volume(call: Call, volume: Volume) -> bool:
    """Put a volume that is deleted into the bin, if a rule says so."""
    ec2, tags = call.ec2, call.ec2.tags.get(volume.id, {})
    period = retention(ec2, "EBS_VOLUME", tags, call.now)
    if period is None:
        return False
    stay = _Stay(volume, call.now, call.now + period)
    del ec2.volumes[volume.id]
    _stays(ec2)[volume.id] = stay
    ec2.tags[volume.id] = {**tags, IN_BIN: "true"}

    def leave() -> None:
        if _stays(ec2).get(volume.id) is stay:
            del _stays(ec2)[volume.id]
            ec2.tags.pop(volume.id, None)

    call.world.clock.at(stay.leaves, leave)
    return True


def _stays(ec2: Ec2) -> dict[str, _Stay]:
    stays: dict[str, _Stay] = ec2.settings.setdefault("volumes in recycle bin", {})
    return stays


def _stay(call: Call, volume_id: str) -> _Stay:
    return _found(_stays(call.ec2), volume_id, "InvalidVolume.NotFound", "volume")


def _binned(call: Call, snapshot_id: str) -> Snapshot:
    return _found(call.ec2.bin, snapshot_id, "InvalidSnapshot.NotFound", "snapshot")


Found = TypeVar("Found")


def _found(there: Mapping[str, Found], wanted: str, code: str, kind: str) -> Found:
    if wanted not in there:
        raise Refusal(code, f"The {kind} '{wanted}' is not in the Recycle Bin.")
    return there[wanted]


def _untag(ec2: Ec2, resource_id: str) -> None:
    left = {key: value for key, value in ec2.tags.pop(resource_id, {}).items() if key != IN_BIN}
    if left:
        ec2.tags[resource_id] = left


def _put_back(there: dict[str, Item], item: Item) -> None:
    """Put something where it was before: pages are cut by place."""
    items = list(there.values())
    items.append(item)
    items.sort(key=lambda each: each.ordinal)
    there.clear()
    there.update({each.id: each for each in items})


def _volume_shown(stay: _Stay) -> dict[str, Any]:
    shown = volumes.shown(stay.volume)
    names = (
        "VolumeId", "VolumeType", "State", "Size", "Iops", "Throughput", "AvailabilityZone", "AvailabilityZoneId",
        "SourceVolumeId", "SnapshotId", "CreateTime",
    )  # fmt: skip
    return {name: shown[name] for name in names if name in shown} | {
        "RecycleBinEnterTime": stay.entered,
        "RecycleBinExitTime": stay.leaves,
    }


def _keep_completed(snapshot: Snapshot) -> None:
    """Keep a snapshot that was deleted while it was pending."""
    if snapshot.doomed and keep_snapshot(snapshot):
        snapshot.doomed = False


snapshots.DELETE_KEEPERS.append(lambda _, snapshot: keep_snapshot(snapshot))
volumes.DELETE_KEEPERS.append(keep_volume)
AFTER_COMPLETION.append(_keep_completed)
