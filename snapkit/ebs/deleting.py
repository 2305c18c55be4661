"""Deleting snapshots: one at once, many by a plan that is shown and approved first."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from snapkit.ebs._aws import IDS
from snapkit.ebs._resource import Resource, check_id
from snapkit.ebs.blockers import Blocker, account_of, blockers, complete_ones, deletable, volumes_of
from snapkit.ebs.exposure import shares_of
from snapkit.errors import InUse, InvalidRequest, NotFound
from snapkit.plan import Band, Plan, State, Step
from snapkit.prices import MONTH
from snapkit.units import GIB, bytes_text

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot

_GONE = ("recoverable", "recovering")


def delete(snapshot: "Snapshot") -> None:
    """Delete a snapshot, unless something needs it.

    Raises:
        InUse: something needs it: an image, a lock, fast snapshot restore, AWS Backup; nothing was done.
        NotPermitted: no role of the user allows it; nothing was done.
        NotFound: it is gone already.
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "Delete", snapshot)
    hard = [blocker for blocker in blockers(snapshot) if blocker.hard]
    if hard:
        told, ways = ("; ".join(getattr(each, part) for each in hard) for part in ("reason", "remedy"))
        raise InUse("InvalidSnapshot.InUse", "DeleteSnapshot", told, snapshot.id, ways)
    snapshot.region.aws.remove("DeleteSnapshot", snapshot.id, SnapshotId=snapshot.id)


def plan(region: "Region", snapshots: "Sequence[Snapshot | str]", *, reason: str = "", shares: bool = False) -> Plan:
    """Plan to delete snapshots; nothing is done before the plan is approved and applied.

    What a deletion frees nobody knows beforehand: blocks that other snapshots need stay. The price is a band, from
    nothing to that of the full size; where even that is not known yet, to that of the volume's size.

    Args:
        region: where they are.
        snapshots: which, or their ids; those that are gone already are left alone.
        reason: why, for all of them; by default when each was taken.
        shares: whether to look up with whom each is shared, one call each.

    Raises:
        InvalidRequest: one is in another region or account, or an id is none.
        AwsError: AWS refuses.
    """
    if isinstance(snapshots, str | Resource):
        raise InvalidRequest("snapshots", snapshots, "is one, not a list", "give a list, or use snapshot.delete()")
    for each in snapshots:
        if not isinstance(each, str) and not same_region(each.region, region):
            raise InvalidRequest("snapshot", each.id, f"is not one of this {region!r}", "plan each region by itself")
    ids = list(dict.fromkeys(each if isinstance(each, str) else each.id for each in snapshots))
    for each in ids:
        check_id("snapshot", each)
    reading = _Reading(region, ids, shares=shares)
    state = reading()
    steps = [_step(reading, each, reason) for each in ids]
    return Plan(steps, state, reread=reading, clock=region.clock)


def _step(reading: "_Reading", snapshot_id: str, reason: str) -> Step:
    snapshot = reading.there.get(snapshot_id)
    if snapshot is None:
        return Step(what="delete", on=snapshot_id, reason="gone already", done=lambda: snapshot_id not in reading.there)
    met, why = reading.met[snapshot_id], reason or f"taken {snapshot.taken_at:%Y-%m-%d %H:%M} UTC"
    return Step(
        what="delete",
        on=snapshot_id,
        reason=f"{why}; frees {bytes_text(full_size(snapshot))} at most",
        monthly_usd=_saved(snapshot),
        blockers=tuple(str(each) for each in met if each.hard),
        warnings=tuple(str(each) for each in met if not each.hard),
        do=lambda: call_delete(snapshot),
        done=lambda: snapshot_id not in reading.there,
    )


def same_region(one: "Region", other: "Region") -> bool:
    """Tell whether two objects look at the same region of the same account."""
    return one is other or (one.name == other.name and account_of(one) == account_of(other))


class _Reading:
    """Reads what a deletion rests on, as often as it is called.

    Attributes:
        there: the snapshots that exist, by id.
        met: what stands in the way of each.
    """

    def __init__(self, region: "Region", ids: Sequence[str], *, shares: bool) -> None:
        self.there: dict[str, Snapshot] = {}
        self.met: dict[str, list[Blocker]] = {}
        self._region = region
        self._ids = ids
        self._shares = shares
        self._volumes: tuple[str, ...] = ()

    def __call__(self) -> State:
        found = {snapshot.id: snapshot for snapshot in self._find()}
        self.there = {each: found[each] for each in self._ids if each in found}
        snapshots = list(self.there.values())
        looked = shares_of(self._region, list(self.there)) if self._shares else None
        self.met = defaultdict(list)
        for blocker in blockers(snapshots, shares=looked):
            self.met[blocker.snapshot_id].append(blocker)
        state = {
            snapshot.id: {
                "state": snapshot.state,
                "volume": snapshot.volume_id,
                "name": snapshot.name,
                "taken at": snapshot.taken_at.isoformat(),
                "in the way": "; ".join(each.reason for each in self.met[snapshot.id] if each.hard) or "nothing",
            }
            for snapshot in snapshots
        }
        # Those of the first reading: when all snapshots of a volume are gone, what stays of it is still to be told.
        self._volumes = self._volumes or volumes_of(snapshots)
        going = deletable(self.met, self._ids)
        kept = complete_ones(self._region, self._volumes)
        left = {each for each in self._volumes if kept.get(each, frozenset()) - going}
        return state | {each: {"complete snapshots left": "yes" if each in left else "none"} for each in self._volumes}

    def _find(self) -> "Iterator[Snapshot]":
        """Read the snapshots by a filter: unlike a list of ids it takes some that are gone."""
        from snapkit.ebs.snapshots import Snapshot

        for start in range(0, len(self._ids), IDS):
            narrow = [{"Name": "snapshot-id", "Values": self._ids[start : start + IDS]}]
            for raw in self._region.aws.pages("DescribeSnapshots", "Snapshots", Filters=narrow):
                if raw["State"] not in _GONE:
                    yield Snapshot(self._region, raw)


def call_delete(snapshot: "Snapshot") -> None:
    """Delete a snapshot without a look at what stands in the way."""
    snapshot.region.allow("Snapshot", "Delete", snapshot)
    try:
        snapshot.region.aws.call("DeleteSnapshot", snapshot.id, SnapshotId=snapshot.id)
    except NotFound:
        return


def full_size(snapshot: "Snapshot") -> int:
    """Return the most that a snapshot can hold [bytes]: its full size, or that of its volume while nobody knows it."""
    return snapshot.size if snapshot.full_size is None else snapshot.full_size


def most_monthly_usd(snapshot: "Snapshot") -> float:
    """Return the most that a snapshot can cost a month [USD]; less where others need the same blocks."""
    prices, full = snapshot.region.prices, full_size(snapshot)
    return full / GIB * prices.archive_storage if snapshot.tier == "archive" else prices.stored(full * MONTH)


def _saved(snapshot: "Snapshot") -> Band:
    """Tell between which bounds a month gets cheaper; an archived snapshot shares its blocks with none."""
    most = most_monthly_usd(snapshot)
    return (-most, -most if snapshot.tier == "archive" else 0.0)
