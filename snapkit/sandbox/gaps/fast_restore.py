"""Fast snapshot restore: Enable-, Disable- and DescribeFastSnapshotRestores, and the credits.

All of it is missing in moto. For each snapshot and zone there is a bucket of credits; a volume that takes one has all
its blocks at once. An account can enable it for snapshots that are shared with it, and has its own bucket then.

It ends by itself, shortly after the account cannot use the snapshot any more: because it was deleted, unshared or
archived. A snapshot that comes back from the recycle bin within this time stays enabled.

*Assumed*, as AWS does not say: the error codes; how long it stays in enabling and disabling; that credits are gathered
from the moment of `enabled`; that a pending snapshot stays in `enabling` until it is complete; that enabling what is
enabled changes nothing.

Source: EBS user guide, "Amazon EBS fast snapshot restore", "Considerations for Recycle Bin"; EC2 API reference of the
three operations.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.ec2 import AFTER_COMPLETION, Ec2
from snapkit.sandbox.filters import select
from snapkit.sandbox.gaps.archive import refuse_archived
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import Refusal, check_snapshot_id, combination, invalid, missing
from snapkit.sandbox.snapshot import Snapshot
from snapkit.sandbox.world import AFTER_SHARING
from snapkit.units import HOUR

SNAPSHOTS_PER_REGION = 5
"""Source: Service Quotas, L-631ECBD3, "Fast snapshot restore": snapshots, in however many zones."""

SNAPSHOTS_PER_CALL = 10
"""Source: TiDB Operator, source of its EBS restore: EnableFastSnapshotRestores takes up to 10."""

LARGEST_SNAPSHOT = 16 * 1024
"""Source: EBS user guide, "Amazon EBS fast snapshot restore" [GiB]."""

ENABLING = 36.0
"""How long it stays in enabling [s].

Source: EBS user guide, "View the fast snapshot restore state for a snapshot": the times of the example.
"""

OPTIMIZING_PER_GIB = HOUR / 1024
"""How long it stays in optimizing for each GiB of the volume [s].

Source: EBS user guide, "Amazon EBS fast snapshot restore": 60 minutes per TiB.
"""

DISABLING = 60.0
"""How long after the snapshot is gone it is disabled, and how long it stays in disabling [s]. *Assumed.*"""

MOST_CREDITS = 10.0
"""Most credits in a bucket, and most that it gathers in an hour.

Source: EBS user guide, "Volume creation credits".
"""

_ASKED = "Client.UserInitiated"
_MOVED = "Client.UserInitiated - Lifecycle state transition"


@dataclass
class FastRestore:
    """Fast restore of one snapshot in one zone, for one account.

    Attributes:
        ec2: of the account that enabled it.
        snapshot: the one to restore.
        zone: name of the zone.
        zone_id: its id.
        ordinal: its place in listings.
        state: enabling, optimizing, enabled, disabling or disabled.
        reason: why it is in this state.
        times: when it entered each, by their names in the answer.
        credits: how many there were at `counted`.
        counted: when they were counted.
    """

    ec2: Ec2
    snapshot: Snapshot
    zone: str
    zone_id: str
    ordinal: int
    state: str = ""
    reason: str = ""
    times: dict[str, datetime] = field(default_factory=dict)
    credits: float = 0.0
    counted: datetime | None = None

    @property
    def on(self) -> bool:
        """Whether it is enabled, or on the way there."""
        return self.state in ("enabling", "optimizing", "enabled")

    def enter(self, state: str, reason: str) -> None:
        """Go over to a state."""
        now = self.ec2.world.clock.now()
        self.state, self.reason = state, reason
        self.times[f"{state.capitalize()}Time"] = now
        if state == "enabled":
            self.counted = now

    def after(self, seconds: float, was: str, then: Callable[[], None]) -> None:
        """Do something later, if it is still in this state then."""
        self.ec2.world.clock.after(seconds, lambda: then() if self.state == was else None)

    def begin(self) -> None:
        """Enable it, in its time, counted from when the snapshot is complete."""

        def optimize() -> None:
            self.enter("optimizing", _MOVED)
            seconds = self.snapshot.volume_gib * OPTIMIZING_PER_GIB
            self.after(seconds, "optimizing", lambda: self.enter("enabled", _MOVED))

        if self.snapshot.state == "completed":
            self.after(ENABLING, "enabling", optimize)

    def end(self) -> None:
        """Disable it, in its time."""
        self.enter("disabling", _ASKED)
        self.snapshot.fast_restores = tuple(each for each in self.snapshot.fast_restores if each is not self)
        self.after(DISABLING, "disabling", lambda: self.enter("disabled", _MOVED))

    def balance(self, now: datetime) -> float:
        """Tell how many credits there are."""
        if self.state != "enabled" or self.counted is None:
            return 0.0
        hours = (now - self.counted).total_seconds() / HOUR
        return min(bucket(self.snapshot.volume_gib), self.credits + hours * fill_rate(self.snapshot.volume_gib))

    def describe(self) -> dict[str, Any]:
        """Return it as DescribeFastSnapshotRestores shows it."""
        return {
            "SnapshotId": self.snapshot.id,
            "AvailabilityZone": self.zone,
            "AvailabilityZoneId": self.zone_id,
            "State": self.state,
            "StateTransitionReason": self.reason,
            "OwnerId": self.ec2.account_id,
            **self.times,
        }


def fill_rate(gib: int) -> float:
    """Tell how many credits a snapshot of this size [GiB] gathers in an hour.

    Source: EBS user guide, "Volume creation credits".
    """
    return min(MOST_CREDITS, 1024 / gib)


def bucket(gib: int) -> float:
    """Tell how many credits a snapshot of this size [GiB] gathers at most.

    Source: EBS user guide, "Volume creation credits".
    """
    return max(1.0, fill_rate(gib))


def credits(ec2: Ec2, snapshot_id: str, zone: str) -> float:  # noqa: A001 - the field's own word
    """Tell how many credits an account has for a snapshot in a zone; 0 where it is not enabled."""
    known = _all(ec2).get((snapshot_id, zone))
    return known.balance(ec2.world.clock.now()) if known else 0.0


def take_credit(call: Call, snapshot: Snapshot, zone: str) -> bool:
    """Use up a credit of the caller for a new volume.

    Args:
        call: creates the volume.
        snapshot: of what.
        zone: name of the zone.

    Returns:
        Whether there was one.
    """
    left = credits(call.ec2, snapshot.id, zone)
    # So that 7.5 minutes of 8 credits an hour are a credit, whatever the last bit says.
    if left < 1 - 1e-9:
        return False
    known = _all(call.ec2)[snapshot.id, zone]
    known.credits, known.counted = max(0.0, left - 1), call.now
    return True


@operation("ec2", "EnableFastSnapshotRestores")
def enable_fast_snapshot_restores(call: Call) -> Answer:
    """Begin to enable it, for each snapshot in each zone."""
    ec2, on = call.ec2, {each.snapshot.id for each in _all(call.ec2).values() if each.on}

    def enable(snapshot_id: str, zone: Any) -> FastRestore:
        snapshot = _usable(call, snapshot_id)
        known = _all(ec2).get((snapshot_id, zone.name))
        if known is not None and known.on:
            return known
        on.add(snapshot_id)
        if len(on) > SNAPSHOTS_PER_REGION:
            on.discard(snapshot_id)
            raise Refusal(
                "ResourceLimitExceeded",
                f"At most {SNAPSHOTS_PER_REGION} snapshots can be enabled for fast snapshot restore in a region.",
            )
        ordinal = known.ordinal if known else call.world.next_ordinal()
        new = _all(ec2)[snapshot_id, zone.name] = FastRestore(ec2, snapshot, zone.name, zone.zone_id, ordinal)
        snapshot.fast_restores += (new,)
        new.enter("enabling", _ASKED)
        new.begin()
        return new

    return _each(call, enable)


@operation("ec2", "DisableFastSnapshotRestores")
def disable_fast_snapshot_restores(call: Call) -> Answer:
    """Begin to disable it, for each snapshot in each zone."""

    def disable(snapshot_id: str, zone: Any) -> FastRestore:
        known = _all(call.ec2).get((snapshot_id, zone.name))
        if known is None or not known.on:
            raise Refusal(
                "InvalidParameterValue", f"Fast snapshot restore is not enabled for {snapshot_id} in {zone.name}."
            )
        known.end()
        return known

    return _each(call, disable)


@operation("ec2", "DescribeFastSnapshotRestores")
def describe_fast_snapshot_restores(call: Call) -> Answer:
    """List the caller's, those that were disabled as well."""
    values = {
        "availability-zone": lambda each: each.zone,
        "availability-zone-id": lambda each: each.zone_id,
        "owner-id": lambda each: each.ec2.account_id,
        "snapshot-id": lambda each: each.snapshot.id,
        "state": lambda each: each.state,
    }
    found = select(call, sorted(_all(call.ec2).values(), key=lambda each: each.ordinal), values)
    # 0 is allowed here, and says nothing.
    sized = replace(call, params={**call.params, "MaxResults": call.get("MaxResults") or None})
    shown, token = page(sized, found, lambda each: each.ordinal, least=1, most=200)
    return {"FastSnapshotRestores": [each.describe() for each in shown], "NextToken": token}


def _all(ec2: Ec2) -> dict[tuple[str, str], FastRestore]:
    known: dict[tuple[str, str], FastRestore] = ec2.settings.setdefault("fast snapshot restores", {})
    return known


def _each(call: Call, change: Callable[[str, Any], FastRestore]) -> Answer:
    """Change each pair of snapshot and zone; tell what went well and what did not."""
    zones = list(_zones(call))
    ids = list(dict.fromkeys(call.get("SourceSnapshotIds")))
    if len(ids) > SNAPSHOTS_PER_CALL:
        raise invalid("SourceSnapshotIds", len(ids), f"Give at most {SNAPSHOTS_PER_CALL} snapshots.")
    for snapshot_id in ids:
        check_snapshot_id(snapshot_id)
    done, failed = [], []
    for snapshot_id in ids:
        errors = []
        for zone in zones:
            try:
                done.append(change(snapshot_id, zone).describe())
            except Refusal as refusal:
                error = {"Code": refusal.code, "Message": refusal.message}
                errors.append({"AvailabilityZone": zone.name, "AvailabilityZoneId": zone.zone_id, "Error": error})
        if errors:
            failed.append({"SnapshotId": snapshot_id, "FastSnapshotRestoreStateErrors": errors})
    return {"Successful": done, "Unsuccessful": failed}


def _zones(call: Call) -> Iterator[Any]:
    names, zone_ids = call.get("AvailabilityZones", []), call.get("AvailabilityZoneIds", [])
    if names and zone_ids:
        raise combination("The parameters AvailabilityZone and AvailabilityZoneId cannot be used together")
    if not names and not zone_ids:
        raise missing("availabilityZone")
    there = {zone.zone_id if zone_ids else zone.name: zone for zone in call.ec2.describe_availability_zones()}
    for wanted in dict.fromkeys(names or zone_ids):
        if wanted not in there:
            raise Refusal("InvalidZone.NotFound", f"The zone '{wanted}' does not exist.")
        yield there[wanted]


def _usable(call: Call, snapshot_id: str) -> Snapshot:
    snapshot = call.world.visible(call.account, call.region, snapshot_id)
    if snapshot is None:
        raise Refusal("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")
    if snapshot.state not in ("pending", "completed") or snapshot.doomed:
        raise Refusal("IncorrectState", f"Snapshot '{snapshot_id}' is being deleted, or in state error.")
    refuse_archived(snapshot)
    if snapshot.volume_gib > LARGEST_SNAPSHOT:
        raise invalid("SourceSnapshotId", snapshot_id, "Fast snapshot restore takes snapshots of up to 16 TiB.")
    return snapshot


def _completed(snapshot: Snapshot) -> None:
    """Go on with what was enabled while the snapshot was pending."""
    for each in snapshot.fast_restores:
        if snapshot.state == "completed":
            each.begin()
        else:
            each.end()


def _lost(snapshot: Snapshot) -> None:
    """Disable it, shortly after, for those who cannot use the snapshot any more."""

    def look(each: FastRestore) -> None:
        ec2 = each.ec2
        seen = ec2.world.visible(ec2.account_id, ec2.region_name, snapshot.id)
        if each.on and (seen is None or snapshot.tiering.tier == "archive"):
            each.end()

    for each in snapshot.fast_restores:
        snapshot.ec2_backend.world.clock.after(DISABLING, lambda each=each: look(each))


AFTER_COMPLETION.append(_completed)
AFTER_SHARING.append(_lost)
