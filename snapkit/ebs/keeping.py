"""Keeping snapshots from being deleted, and getting back those that were: locks and the recycle bin."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from snapkit.ebs._aws import repeated
from snapkit.ebs._resource import check_id
from snapkit.ebs.listing import Column, Listing
from snapkit.errors import AwsError, InvalidRequest, NotFound
from snapkit.units import DAY, HOUR, Duration, to_seconds

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot

LOCK_DAYS = (1, 36500)
"""The shortest and the longest lock [days]. Source: EC2 API reference, LockSnapshot, LockDuration."""

COOL_OFF_HOURS = (1, 72)
"""The shortest and the longest cooling-off period [h]. Source: EC2 API reference, LockSnapshot, CoolOffPeriod."""

BINNED = ("recoverable", "recovering")
"""The states of what the recycle bin has. Source: EC2 API reference, Snapshot, State."""

MODES = ("governance", "compliance")
"""The modes of a lock. Source: EC2 API reference, LockSnapshot, LockMode."""


@dataclass(frozen=True)
class Lock:
    """A lock on a snapshot.

    Attributes:
        snapshot_id: on which.
        state: governance, compliance-cooloff, compliance or expired.
        created_at: when it was locked.
        expires_at: until when; None while the snapshot is pending, as its duration then has not begun.
        cool_off_ends_at: until when a compliance lock can still be taken off, if at all.
    """

    snapshot_id: str
    state: str
    created_at: datetime | None
    expires_at: datetime | None
    cool_off_ends_at: datetime | None

    @property
    def holds(self) -> bool:
        """Whether it keeps the snapshot from being deleted."""
        return self.state != "expired"

    def __str__(self) -> str:
        if not self.holds:
            return f"the lock on {self.snapshot_id} expired at {_shown(self.expires_at)}"
        until = f"until {_shown(self.expires_at)}" if self.expires_at else "for a time that begins when it is complete"
        told = f"{self.snapshot_id} is locked {until}, in {self.state.partition('-')[0]} mode"
        if self.state == "compliance":
            return f"{told}: nobody can take the lock off or shorten it"
        if self.state == "compliance-cooloff":
            return f"{told}; the lock can be taken off until {_shown(self.cool_off_ends_at)}, and never after"
        return f"{told}: whoever has the permission can take the lock off"

    def __repr__(self) -> str:
        return f"<Lock: {self}>"


def lock(
    snapshot: "Snapshot",
    mode: str = "governance",
    *,
    duration: Duration | None = None,
    until: datetime | None = None,
    cool_off: Duration | None = None,
    confirm: str | None = None,
) -> Lock:
    """Lock a snapshot, so that it cannot be deleted; a lock that there is gets changed.

    Args:
        snapshot: a complete or pending one.
        mode: ``"governance"``, which whoever has the permission can take off; or ``"compliance"``, which nobody can.
        duration: for how long, in whole days, such as ``"30d"``.
        until: or until when, with a time zone.
        cool_off: of a compliance lock, how long it can still be taken off, in whole hours up to 72.
        confirm: of a compliance lock, the id of the snapshot, typed once more.

    Raises:
        InvalidRequest: an argument cannot be, or the lock that there is cannot be changed so; nothing was done.
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "Delete", snapshot)
    check_mode(mode)
    days, hours = check_term(snapshot, duration=duration, until=until), check_cool_off(mode, cool_off)
    if mode == "compliance":
        check_confirmation(snapshot, confirm)
    check_lockable(snapshot)
    check_change(snapshot, lock_state(snapshot), mode, days=days, until=until, hours=hours)
    answer = snapshot.region.aws.call(
        "LockSnapshot",
        snapshot.id,
        SnapshotId=snapshot.id,
        LockMode=mode,
        LockDuration=days,
        ExpirationDate=until,
        CoolOffPeriod=hours,
    )
    return _read(answer)


def foreseen(snapshot: "Snapshot", mode: str, *, days: int | None, until: datetime | None, hours: int | None) -> Lock:
    """Say what a lock will be, before it is: for so many days or until a moment, with so many hours to cool off."""
    now = snapshot.region.clock.now()
    ends = None if snapshot.state == "pending" else now + timedelta(days=days or 0)
    state = "compliance-cooloff" if hours else mode
    return Lock(snapshot.id, state, now, until or ends, now + timedelta(hours=hours) if hours else None)


def unlock(snapshot: "Snapshot") -> None:
    """Take the lock off a snapshot.

    Raises:
        InvalidRequest: it is not locked, or locked so that nobody can take it off; nothing was done.
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "Delete", snapshot)
    check_unlockable(snapshot, lock_state(snapshot))

    def settled() -> bool:
        now = lock_state(snapshot)
        return now is None or not now.holds

    snapshot.region.aws.settle("UnlockSnapshot", snapshot.id, settled, SnapshotId=snapshot.id)


def lock_state(snapshot: "Snapshot") -> Lock | None:
    """Return the lock on a snapshot, an expired one too, or None where it was never locked.

    Raises:
        AwsError: AWS refuses to say.
    """
    answer = snapshot.region.aws.call("DescribeLockedSnapshots", snapshot.id, SnapshotIds=[snapshot.id])
    return next((_read(each) for each in answer["Snapshots"]), None)


@dataclass(frozen=True)
class Binned:
    """A deleted snapshot that the recycle bin still has.

    Attributes:
        region: where.
        id: of the snapshot.
        volume_id: the volume that it was taken of.
        description: of it.
        entered_at: when it was deleted.
        leaves_at: when it will be gone.
    """

    region: "Region"
    id: str
    volume_id: str
    description: str
    entered_at: datetime
    leaves_at: datetime

    def restore(self) -> "Snapshot":
        """Make it a snapshot again; see `from_bin`."""
        return from_bin(self.region, self.id)

    def __repr__(self) -> str:
        return f"<Binned {self.id} of {self.volume_id}, gone at {_shown(self.leaves_at)}>"


def in_bin(region: "Region") -> Listing[Binned]:
    """List the snapshots in the recycle bin, those that leave it first at the top.

    Raises:
        AwsError: AWS refuses.
    """
    found = [
        Binned(
            region,
            str(raw["SnapshotId"]),
            str(raw.get("VolumeId", "")),
            str(raw.get("Description") or ""),
            raw["RecycleBinEnterTime"],
            raw["RecycleBinExitTime"],
        )
        for raw in region.aws.pages("ListSnapshotsInRecycleBin", "Snapshots")
    ]
    found.sort(key=lambda each: (each.leaves_at, each.id))
    return Listing(found, BIN_COLUMNS, noun="deleted snapshot")


def from_bin(region: "Region", snapshot_id: str) -> "Snapshot":
    """Make a deleted snapshot again what it was, shared with whom it was.

    The bin does not tell to which group a snapshot belongs, so whether the user may do this IAM alone decides.

    Raises:
        InvalidRequest: it is no id of a snapshot.
        NotFound: the recycle bin does not have it.
        AwsError: AWS refuses.
    """
    check_id("snapshot", snapshot_id)
    try:
        region.aws.call("RestoreSnapshotFromRecycleBin", snapshot_id, SnapshotId=snapshot_id)
    except AwsError as error:
        with suppress(NotFound):
            if repeated(error) and (there := region.snapshots.get(snapshot_id)).state not in BINNED:
                return there  # only the answer was lost
        if not isinstance(error, NotFound):
            raise
        remedy = "see region.snapshots.in_recycle_bin() for what it has"
        raise NotFound(error.code, error.operation, error.told, snapshot_id, remedy) from error.__cause__
    return region.snapshots.get(snapshot_id)


def restore_from_recycle_bin(snapshot: "Snapshot") -> "Snapshot":
    """Make a snapshot again what it was, after it was deleted; returns itself. Errors are those of `from_bin`."""
    snapshot.region.allow("Snapshot", "Delete", snapshot)
    snapshot.raw = from_bin(snapshot.region, snapshot.id).raw
    return snapshot


def check_mode(mode: str) -> None:
    """Refuse a mode that no lock has.

    Raises:
        InvalidRequest: it is not known.
    """
    if mode not in MODES:
        raise InvalidRequest("lock mode", mode, "is not known", f"choose one of {', '.join(MODES)}")


def check_term(snapshot: "Snapshot", *, duration: Duration | None = None, until: datetime | None = None) -> int | None:
    """Refuse a time for which no lock can last; the arguments are those of `lock`.

    Returns:
        The days, if it is to be counted in days.

    Raises:
        InvalidRequest: not one of both is given, or it cannot be.
    """
    if (duration is None) == (until is None):
        rule = "are both missing" if duration is None else "are both given"
        raise InvalidRequest("duration and until", (duration, until), rule, "give one of them, say duration='30d'")
    if duration is not None:
        days, rest = divmod(to_seconds(duration, "duration"), DAY)
        if rest or not LOCK_DAYS[0] <= days <= LOCK_DAYS[1]:
            rule = f"is not in whole days from {LOCK_DAYS[0]} to {LOCK_DAYS[1]:,}"
            raise InvalidRequest("duration", duration, rule, "give '30d', say")
        return int(days)
    if not isinstance(until, datetime) or until.tzinfo is None:
        raise InvalidRequest("until", until, "is no moment with a time zone", "give datetime(..., tzinfo=UTC)")
    if until <= snapshot.region.clock.now():
        raise InvalidRequest("until", until.isoformat(), "is not in the future", "give a later moment")
    return None


def check_cool_off(mode: str, cool_off: Duration | None) -> int | None:
    """Refuse a cooling-off period that a lock of this mode cannot have.

    Returns:
        The hours, if there is one.

    Raises:
        InvalidRequest: it cannot be.
    """
    if cool_off is None:
        return None
    if mode != "compliance":
        raise InvalidRequest("cool off", cool_off, f"is not for {mode} mode", "leave it out, or lock for compliance")
    hours, rest = divmod(to_seconds(cool_off, "cool off"), HOUR)
    if rest or not COOL_OFF_HOURS[0] <= hours <= COOL_OFF_HOURS[1]:
        rule = f"is not in whole hours from {COOL_OFF_HOURS[0]} to {COOL_OFF_HOURS[1]}"
        raise InvalidRequest("cool off", cool_off, rule, "give '24h', say")
    return int(hours)


def check_confirmation(snapshot: "Snapshot", confirm: str | None) -> None:
    """Refuse a compliance lock before the id of the snapshot was typed.

    Raises:
        InvalidRequest: the confirmation is not its id.
    """
    if confirm != snapshot.id:
        rule = f"is not {snapshot.id}, which then nobody, AWS included, can delete or unlock before the lock ends"
        raise InvalidRequest("confirmation", confirm, rule, "type the id of the snapshot to confirm")


def check_lockable(snapshot: "Snapshot") -> None:
    """Refuse to lock a snapshot that, as it was last read, is neither complete nor pending.

    Raises:
        InvalidRequest: it is not.
    """
    if snapshot.state not in ("pending", "completed"):
        rule = f"is in state {snapshot.state} and cannot be locked"
        raise InvalidRequest("snapshot", snapshot.id, rule, "lock a complete or a pending one")


def check_change(
    snapshot: "Snapshot", held: Lock | None, mode: str, *, days: int | None, until: datetime | None, hours: int | None
) -> None:
    """Refuse to change a compliance lock whose cooling-off period is over, other than to a later end.

    Raises:
        InvalidRequest: that is what it would be.

    Source: EBS user guide, "Update Amazon EBS snapshot lock settings".
    """
    if held is None or held.state != "compliance":
        return
    if mode != "compliance":
        raise InvalidRequest("lock mode", mode, f"cannot replace compliance on {snapshot.id}", "only extend the lock")
    if hours is not None:
        rule = f"cannot be given once more for {snapshot.id}, whose cooling-off period is over"
        raise InvalidRequest("cool off", hours, rule, "leave it out")
    ends = until or snapshot.region.clock.now() + timedelta(days=days or 0)
    if held.expires_at is not None and ends <= held.expires_at:
        rule = f"is no later end than that of the compliance lock on {snapshot.id}"
        raise InvalidRequest("end", _shown(ends), rule, f"give one after {_shown(held.expires_at)}")


def check_unlockable(snapshot: "Snapshot", held: Lock | None) -> None:
    """Refuse to take off a lock that there is not, or that nobody can take off.

    Raises:
        InvalidRequest: that is what it would be.
    """
    if held is None or not held.holds:
        raise InvalidRequest("snapshot", snapshot.id, "is not locked", "see snapshot.lock_state()")
    if held.state == "compliance":
        rule = f"is locked in compliance mode until {_shown(held.expires_at)}, its cooling-off period being over"
        raise InvalidRequest("snapshot", snapshot.id, rule, "wait until then; nobody can take the lock off")


def _read(raw: dict[str, Any]) -> Lock:
    return Lock(
        str(raw["SnapshotId"]),
        str(raw["LockState"]),
        raw.get("LockCreatedOn"),
        raw.get("LockExpiresOn"),
        raw.get("CoolOffPeriodExpiresOn"),
    )


def _shown(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else "some time"


BIN_COLUMNS: tuple[Column[Binned], ...] = (
    Column("ID", lambda each: each.id, "id", lambda each: each.id),
    Column("volume", lambda each: each.volume_id, "volume", lambda each: each.volume_id),
    Column("description", lambda each: each.description, "description", lambda each: each.description),
    Column(
        "deleted, UTC", lambda each: f"{each.entered_at:%Y-%m-%d %H:%M}", "entered_at", lambda each: each.entered_at,
        "datetime64[ms, UTC]",
    ),
    Column(
        "gone, UTC", lambda each: f"{each.leaves_at:%Y-%m-%d %H:%M}", "leaves_at", lambda each: each.leaves_at,
        "datetime64[ms, UTC]",
    ),
)  # fmt: skip
