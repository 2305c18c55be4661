"""Locks on snapshots: LockSnapshot, UnlockSnapshot, DescribeLockedSnapshots.

All three are missing in moto. A locked snapshot cannot be deleted; otherwise it is like any other: it can be shared,
copied, archived and restored, and an archived one can be locked. A lock on a pending snapshot is cancelled if the
snapshot fails.

*Assumed*, as AWS does not say: the error codes; that a new duration counts from the moment of the change; that a change
during the cooling-off period which names no other one leaves it as it is.

Source: EBS user guide, "Amazon EBS snapshot lock": concepts, considerations, "Update Amazon EBS snapshot lock
settings"; EC2 API reference of the three operations.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.ec2 import AFTER_COMPLETION
from snapkit.sandbox.filters import select
from snapkit.sandbox.gaps.snapshots import DELETE_CHECKS
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import Refusal, check_snapshot_id, combination, invalid
from snapkit.sandbox.snapshot import Lock, Snapshot

LONGEST_DURATION = 36500
"""Source: EC2 API reference, LockSnapshot [days]."""

LONGEST_COOL_OFF = 72
"""Source: EC2 API reference, LockSnapshot [h]."""


@dataclass(frozen=True)
class _Wish:
    """What is asked for: a lock for so many days, or until a moment."""

    mode: str
    days: int | None
    until: datetime | None
    cool_off: int | None

    def ends(self, start: datetime | None) -> datetime | None:
        """Tell when it ends; a duration that has not started yet has no end."""
        if self.days is None:
            return self.until
        return start + timedelta(days=self.days) if start else None


@operation("ec2", "LockSnapshot")
def lock_snapshot(call: Call) -> Answer:
    """Lock a snapshot, or change its lock."""
    wish = _read(call)
    snapshot = call.ec2.snapshot(call.get("SnapshotId"))
    if snapshot.state not in ("pending", "completed") or snapshot.doomed:
        raise Refusal(
            "IncorrectState", f"Snapshot '{snapshot.id}' cannot be locked: it is being deleted, or in state error."
        )
    now = call.now
    held = snapshot.lock if snapshot.lock and state_of(snapshot.lock, now) != "expired" else None
    if held is not None and state_of(held, now) == "compliance":
        _check_extension(snapshot.id, held, wish, now)
        hours, cooled = held.cool_off_hours, held.cool_off_ends
    elif wish.mode == "compliance" and wish.cool_off is None and held is not None:
        hours, cooled = held.cool_off_hours, held.cool_off_ends
    else:
        hours = wish.cool_off
        cooled = now + timedelta(hours=hours) if hours else None
    starts = None if wish.days is None or snapshot.state == "pending" else now
    snapshot.lock = Lock(
        mode=wish.mode,
        created=held.created if held else now,
        expires=wish.ends(starts),
        starts=starts,
        duration_days=wish.days,
        cool_off_hours=hours,
        cool_off_ends=cooled,
    )
    return _shown(snapshot, snapshot.lock, now)


@operation("ec2", "UnlockSnapshot")
def unlock_snapshot(call: Call) -> Answer:
    """Take the lock off a snapshot, unless it is one of compliance whose cooling-off period is over."""
    snapshot = call.ec2.snapshot(call.get("SnapshotId"))
    state = state_of(snapshot.lock, call.now) if snapshot.lock else "expired"
    if state == "compliance":
        raise Refusal(
            "OperationNotPermitted",
            f"Snapshot '{snapshot.id}' is locked in compliance mode and its cooling-off period is over. "
            "It cannot be unlocked.",
        )
    if state == "expired":
        raise Refusal("IncorrectState", f"Snapshot '{snapshot.id}' is not locked.")
    snapshot.lock = None
    return {"SnapshotId": snapshot.id}


@operation("ec2", "DescribeLockedSnapshots")
def describe_locked_snapshots(call: Call) -> Answer:
    """List the locks, those that have expired as well."""
    now, ids = call.now, call.get("SnapshotIds", [])
    for snapshot_id in ids:
        check_snapshot_id(snapshot_id)
    snapshots = [call.ec2.snapshot(each) for each in dict.fromkeys(ids)] or call.ec2.snapshots.values()
    found = sorted(
        ((snapshot, snapshot.lock) for snapshot in snapshots if snapshot.lock), key=lambda pair: pair[0].ordinal
    )
    found = select(call, found, {"lock-state": lambda pair: state_of(pair[1], now)})
    shown, token = page(call, found, lambda pair: pair[0].ordinal, ids="SnapshotIds")
    return {
        "Snapshots": [{"OwnerId": snapshot.owner_id, **_shown(snapshot, lock, now)} for snapshot, lock in shown],
        "NextToken": token,
    }


def state_of(lock: Lock, now: datetime) -> str:
    """Tell the state of a lock: governance, compliance-cooloff, compliance or expired."""
    if lock.expires is not None and now >= lock.expires:
        return "expired"
    if lock.cool_off_ends is not None and now < lock.cool_off_ends:
        return "compliance-cooloff"
    return lock.mode


def _read(call: Call) -> _Wish:
    mode, days, until, cool_off = (
        call.get(name) for name in ("LockMode", "LockDuration", "ExpirationDate", "CoolOffPeriod")
    )
    if mode not in ("governance", "compliance"):
        raise invalid("LockMode", mode, "Valid values: governance, compliance.")
    if (days is None) == (until is None):
        raise combination("Specify either LockDuration or ExpirationDate, and not both")
    if days is not None and not 1 <= days <= LONGEST_DURATION:
        raise invalid("LockDuration", days, f"A lock lasts 1 to {LONGEST_DURATION} days.")
    if until is not None:
        until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
        if until <= call.now:
            raise invalid("ExpirationDate", until.isoformat(), "It has to be in the future.")
    if cool_off is not None:
        if mode != "compliance":
            raise combination("CoolOffPeriod can be specified in compliance mode only")
        if not 1 <= cool_off <= LONGEST_COOL_OFF:
            raise invalid("CoolOffPeriod", cool_off, f"A cooling-off period lasts 1 to {LONGEST_COOL_OFF} hours.")
    return _Wish(mode, days, until, cool_off)


def _check_extension(snapshot_id: str, held: Lock, wish: _Wish, now: datetime) -> None:
    """Refuse everything but a later end."""
    told = f"Snapshot '{snapshot_id}' is locked in compliance mode"
    if wish.mode != "compliance":
        raise Refusal("OperationNotPermitted", f"{told}. The lock mode cannot be changed.")
    if wish.cool_off is not None:
        raise combination(f"{told}. CoolOffPeriod cannot be specified once more")
    # The duration of a lock on a pending snapshot has not started; measured from now, both can be compared.
    before = held.expires or now + timedelta(days=held.duration_days or 0)
    after = wish.ends(now)
    if after is None or after <= before:
        raise Refusal("OperationNotPermitted", f"{told} until {before.isoformat()}. It can only be locked for longer.")


def _shown(snapshot: Snapshot, lock: Lock, now: datetime) -> dict[str, Any]:
    known = {
        "LockDuration": lock.duration_days,
        "CoolOffPeriod": lock.cool_off_hours,
        "CoolOffPeriodExpiresOn": lock.cool_off_ends,
        "LockCreatedOn": lock.created,
        "LockDurationStartTime": lock.starts,
        "LockExpiresOn": lock.expires,
    }
    return {
        "SnapshotId": snapshot.id,
        "LockState": state_of(lock, now),
        **{name: value for name, value in known.items() if value is not None},
    }


def _check_deletion(call: Call, snapshot: Snapshot) -> None:
    """Refuse to delete a locked snapshot; the code is *assumed*."""
    if snapshot.lock is not None and (state := state_of(snapshot.lock, call.now)) != "expired":
        raise Refusal(
            "SnapshotLocked", f"Snapshot '{snapshot.id}' is locked and cannot be deleted. The lock is in state {state}."
        )


def _start(snapshot: Snapshot) -> None:
    """Begin the duration of a lock that was put on a pending snapshot; a failed snapshot loses it."""
    lock = snapshot.lock
    if lock is None:
        return
    if snapshot.state != "completed":
        snapshot.lock = None
    elif lock.starts is None and lock.duration_days is not None and snapshot.done is not None:
        lock.starts = snapshot.done
        lock.expires = snapshot.done + timedelta(days=lock.duration_days)


DELETE_CHECKS.append(_check_deletion)
AFTER_COMPLETION.append(_start)
