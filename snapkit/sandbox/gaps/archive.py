"""The archive: ModifySnapshotTier, RestoreSnapshotTier, DescribeSnapshotTierStatus.

Replaces moto's, which archive and restore at once, anything and for ever, and let an archived snapshot be used.

While it is being archived a snapshot lies in the standard tier and can be used. Then it lies in the archive tier, is
shared with nobody any more, and cannot be used. A temporarily restored one lies in the standard tier, as AWS shows it,
until it is archived again; so its tier alone says whether a snapshot can be used.

*Assumed*, as AWS does not say: the error codes; how long archiving and restoring take, beyond the limit of 72 hours;
that the days of a temporary restore begin when it is completed; that a snapshot whose days are over shows
archival-completed again.

Source: EBS user guide, "Archive Amazon EBS snapshots" and the pages under it; EC2 API reference of the three
operations.
"""

from datetime import datetime, timedelta
from typing import Any

from snapkit.rules import ARCHIVED_PER_VOLUME, ARCHIVES_AT_ONCE, BLOCK, LONGEST_RETRIEVAL
from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.ec2 import Ec2
from snapkit.sandbox.filters import select
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import Refusal, combination, invalid
from snapkit.sandbox.snapshot import NO_VOLUME, Snapshot
from snapkit.units import HOUR, TIB

RESTORES_AT_ONCE = 5
"""Source: Service Quotas, L-07399329, "Concurrent in-progress snapshot restores per account"."""

LONGEST_RESTORE_DAYS = 180
"""Source: EBS user guide, "Restore an archived snapshot": 1 to 180 days, and 1 where nothing is said."""

SHORTEST_RETRIEVAL = 24 * HOUR
"""How long the restore of next to nothing takes [s].

That, that 16 TiB of data take the longest that AWS names, and that the time between grows evenly, is *assumed*.
"""

_FILTERS = {
    "snapshot-id": lambda snapshot: snapshot.id,
    "volume-id": lambda snapshot: snapshot.source_volume_id,
    "last-tiering-operation": lambda snapshot: snapshot.tiering.status,
}


def refuse_archived(snapshot: Snapshot) -> None:
    """Refuse to use a snapshot that has to be restored from the archive first."""
    if snapshot.tiering.tier == "archive":
        raise Refusal(
            "IncorrectState",
            f"Snapshot '{snapshot.id}' is archived. Restore it from the archive tier before use.",
        )


@operation("ec2", "ModifySnapshotTier")
def modify_snapshot_tier(call: Call) -> Answer:
    """Begin to archive a snapshot."""
    if call.get("StorageTier", "archive") != "archive":
        raise invalid("StorageTier", call.get("StorageTier"), "Valid values: archive.")
    snapshot = call.ec2.snapshot(call.get("SnapshotId"))
    _check_archiving(call, snapshot)
    tiering = snapshot.tiering
    _begin(call, snapshot, "archival", call.world.timing.seconds(_size(snapshot)))

    def finish() -> None:
        tiering.status, tiering.tier = "archival-completed", "archive"
        tiering.archived = tiering.ends
        snapshot.shares.accounts, snapshot.shares.public = [], False
        call.world.unpublish(snapshot)

    call.world.clock.at(_end(snapshot), finish)
    return {"SnapshotId": snapshot.id, "TieringStartTime": tiering.started}


@operation("ec2", "RestoreSnapshotTier")
def restore_snapshot_tier(call: Call) -> Answer:
    """Begin to restore an archived snapshot, or change for how long it is restored."""
    permanent, days = call.get("PermanentRestore", False), call.get("TemporaryRestoreDays")
    if permanent and days is not None:
        raise combination("Specify either TemporaryRestoreDays or PermanentRestore, and not both")
    if days is not None and not 1 <= days <= LONGEST_RESTORE_DAYS:
        raise invalid("TemporaryRestoreDays", days, f"A temporary restore lasts 1 to {LONGEST_RESTORE_DAYS} days.")
    snapshot = call.ec2.snapshot(call.get("SnapshotId"))
    tiering = snapshot.tiering
    days = None if permanent else days or 1
    if tiering.restore_expires is not None:
        _change(call, snapshot, days)
    else:
        _check_restoring(call, snapshot)
        _begin(call, snapshot, "permanent-restore" if permanent else "temporary-restore", _retrieval(snapshot))
        tiering.restore_days = days
        call.world.clock.at(_end(snapshot), lambda: _restored(call, snapshot))
    answer = {"SnapshotId": snapshot.id, "RestoreStartTime": call.now, "IsPermanentRestore": days is None}
    return answer | ({"RestoreDuration": days} if days else {})


@operation("ec2", "DescribeSnapshotTierStatus")
def describe_snapshot_tier_status(call: Call) -> Answer:
    """List one's own snapshots with the tier in which they lie, and what was last done about it."""
    found = select(call, call.ec2.snapshots.values(), _FILTERS)
    shown, token = page(call, found, lambda snapshot: snapshot.ordinal)
    now = call.now
    return {"SnapshotTierStatuses": [_shown(snapshot, now) for snapshot in shown], "NextToken": token}


def _check_archiving(call: Call, snapshot: Snapshot) -> None:
    ec2, tiering = call.ec2, snapshot.tiering
    if snapshot.state != "completed":
        raise Refusal("IncorrectState", f"Snapshot '{snapshot.id}' cannot be archived: it is {snapshot.state}.")
    if tiering.tier == "archive" or tiering.restore_expires is not None:
        raise Refusal("IncorrectState", f"Snapshot '{snapshot.id}' is archived already.")
    if _moving(snapshot):
        raise Refusal("IncorrectState", f"Snapshot '{snapshot.id}' cannot be archived: {tiering.status}.")
    for image in ec2.amis.values():
        if snapshot.id in _held_by(image):
            raise Refusal("InvalidSnapshot.InUse", f"The snapshot {snapshot.id} is currently in use by {image.id}")
    tiered = _tiered(ec2)
    volume = snapshot.source_volume_id
    archived = sum(each.source_volume_id == volume and each.tiering.status != _PERMANENT for each in tiered)
    # Copies have no volume: they share an arbitrary id that names none.
    if volume != NO_VOLUME and archived >= ARCHIVED_PER_VOLUME:
        raise Refusal(
            "ResourceLimitExceeded",
            f"Volume '{volume}' can have {ARCHIVED_PER_VOLUME} archived snapshots, and has them.",
        )
    if sum(each.tiering.status == "archival-in-progress" for each in tiered) >= ARCHIVES_AT_ONCE:
        raise Refusal("ResourceLimitExceeded", f"At most {ARCHIVES_AT_ONCE} snapshots can be archived at once.")


def _check_restoring(call: Call, snapshot: Snapshot) -> None:
    if _moving(snapshot):
        raise Refusal("IncorrectState", f"Snapshot '{snapshot.id}' cannot be restored: {snapshot.tiering.status}.")
    if snapshot.tiering.tier != "archive":
        raise Refusal("IncorrectState", f"Snapshot '{snapshot.id}' is not archived.")
    at_once = sum(str(each.tiering.status).endswith("restore-in-progress") for each in _tiered(call.ec2))
    if at_once >= RESTORES_AT_ONCE:
        raise Refusal("ResourceLimitExceeded", f"At most {RESTORES_AT_ONCE} snapshots can be restored at once.")


_PERMANENT = "permanent-restore-completed"


def _tiered(ec2: Ec2) -> list[Snapshot]:
    """List the snapshots that were ever archived and still exist, in the recycle bin as well."""
    known: dict[str, Snapshot] = ec2.settings.setdefault("tiered", {})
    for snapshot_id in [each for each in known if each not in ec2.snapshots and each not in ec2.bin]:
        del known[snapshot_id]
    return list(known.values())


def _held_by(image: Any) -> set[str]:
    return {mapping.get("Ebs", {}).get("SnapshotId") for mapping in image.block_device_mappings}


def _moving(snapshot: Snapshot) -> bool:
    return str(snapshot.tiering.status).endswith("in-progress")


def _size(snapshot: Snapshot) -> int:
    """Tell the size of a full snapshot [bytes]."""
    return snapshot.image.full * BLOCK if snapshot.image else 0


def _retrieval(snapshot: Snapshot) -> float:
    """Tell how long a restore takes [s]."""
    share = min(1.0, _size(snapshot) / (16 * TIB))
    return SHORTEST_RETRIEVAL + share * (LONGEST_RETRIEVAL - SHORTEST_RETRIEVAL)


def _begin(call: Call, snapshot: Snapshot, what: str, seconds: float) -> None:
    tiering = snapshot.tiering
    tiering.status = f"{what}-in-progress"
    tiering.started, tiering.ends = call.now, call.now + timedelta(seconds=seconds)
    call.ec2.settings.setdefault("tiered", {})[snapshot.id] = snapshot


def _end(snapshot: Snapshot) -> datetime:
    assert snapshot.tiering.ends is not None  # noqa: S101 - for the type checker: _begin was called
    return snapshot.tiering.ends


def _restored(call: Call, snapshot: Snapshot) -> None:
    tiering = snapshot.tiering
    tiering.tier = "standard"
    if tiering.restore_days is None:
        tiering.status = _PERMANENT
    else:
        tiering.status = "temporary-restore-completed"
        _expire_after(call, snapshot, tiering.restore_days, _end(snapshot))


def _change(call: Call, snapshot: Snapshot, days: int | None) -> None:
    """Let a temporarily restored snapshot stay for so many days from now, or for ever."""
    if days is None:
        snapshot.tiering.status = _PERMANENT
        snapshot.tiering.restore_expires = snapshot.tiering.restore_days = None
    else:
        snapshot.tiering.restore_days = days
        _expire_after(call, snapshot, days, call.now)


def _expire_after(call: Call, snapshot: Snapshot, days: int, start: datetime) -> None:
    tiering = snapshot.tiering
    expires = tiering.restore_expires = start + timedelta(days=days)

    def expire() -> None:
        # Not if the period was changed meanwhile.
        if tiering.restore_expires == expires:
            tiering.tier, tiering.status = "archive", "archival-completed"
            tiering.restore_expires = tiering.restore_days = None
            snapshot.shares.accounts, snapshot.shares.public = [], False
            call.world.unpublish(snapshot)

    call.world.clock.at(expires, expire)


def _shown(snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    tiering = snapshot.tiering
    shown: dict[str, Any] = {
        "SnapshotId": snapshot.id,
        "VolumeId": snapshot.source_volume_id,
        "Status": snapshot.state,
        "OwnerId": snapshot.owner_id,
        "Tags": [{"Key": key, "Value": value} for key, value in snapshot.ec2_backend.tags.get(snapshot.id, {}).items()],
        "StorageTier": tiering.tier,
    }
    known = {
        "LastTieringStartTime": tiering.started,
        "LastTieringProgress": _progress(snapshot, now),
        "LastTieringOperationStatus": tiering.status,
        "ArchivalCompleteTime": tiering.archived,
        "RestoreExpiryTime": tiering.restore_expires,
    }
    return shown | {name: value for name, value in known.items() if value is not None}


def _progress(snapshot: Snapshot, now: datetime) -> int | None:
    tiering = snapshot.tiering
    if tiering.started is None or tiering.ends is None:
        return None
    if not _moving(snapshot):
        return 100
    seconds = max(1.0, (tiering.ends - tiering.started).total_seconds())
    return min(99, int(100 * (now - tiering.started).total_seconds() / seconds))
