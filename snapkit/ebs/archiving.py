"""The archive: a quarter of the price, for all blocks of a snapshot instead of those that it added."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from snapkit import _html
from snapkit.ebs.blockers import images_on
from snapkit.errors import InvalidRequest
from snapkit.prices import ARCHIVE_LEAST, MONTH, Prices
from snapkit.units import Size, bytes_text, seconds_text, to_bytes, usd_text

if TYPE_CHECKING:
    from snapkit.ebs.snapshots import Snapshot

RESTORE_DAYS = (1, 180)
"""For how long a temporary restore may last [days]. Source: EBS user guide, "Restore an archived snapshot"."""


@dataclass(frozen=True)
class ArchivePreview:
    """What archiving a snapshot would cost and save.

    Attributes:
        snapshot_id: which.
        size: all its blocks, which the archive bills [bytes].
        own_low: least that the standard tier would keep less [bytes].
        own_high: most that it would keep less [bytes].
        basis: where that comes from: measured, or assumed and why.
        prices: what things cost.
        refusals: why it cannot be archived, a sentence each.
        notes: what else to know, a sentence each.
    """

    snapshot_id: str
    size: int
    own_low: int
    own_high: int
    basis: str
    prices: Prices
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def monthly(self) -> float:
        """What it costs in the archive [USD per month]."""
        return self.prices.archived(self.size, ARCHIVE_LEAST) / ARCHIVE_LEAST * MONTH

    @property
    def least(self) -> float:
        """What archiving costs at least: 90 days [USD]."""
        return self.prices.archived(self.size, 0)

    @property
    def restore(self) -> float:
        """What restoring it costs, each time [USD]."""
        return self.prices.retrieved(self.size)

    @property
    def standard(self) -> tuple[float, float]:
        """What the standard tier would cost less, at least and at most [USD per month]."""
        return self.prices.monthly(self.own_low), self.prices.monthly(self.own_high)

    @property
    def break_even_size(self) -> float:
        """How many of its blocks have to be its own for archiving to save anything [bytes]."""
        return self.size * self.prices.archive_storage / self.prices.snapshot_storage

    def break_even(self, own: float, restores: int = 0) -> float:
        """Tell after how long archiving has paid off [s]; inf for never.

        Args:
            own: how much the standard tier keeps less [bytes].
            restores: how often it is restored meanwhile.
        """
        saved, paid = self.prices.monthly(own) / MONTH, self.monthly / MONTH
        once = restores * self.restore
        if saved > 0 and (early := (self.least + once) / saved) <= ARCHIVE_LEAST:
            return early
        return once / (saved - paid) if saved > paid else math.inf

    @property
    def told(self) -> tuple[str, ...]:
        """What it would cost and save, and when it pays off, a sentence each."""
        low, high = self.standard
        saved = usd_text(high) if low == high else f"{usd_text(low)} to {usd_text(high)}"
        plain, once = self.break_even(self.own_high), self.break_even(self.own_high, 1)
        return (
            f"archived, {self.snapshot_id} costs {usd_text(self.monthly)} a month for its full "
            f"{bytes_text(self.size)}, at least {usd_text(self.least)} for 90 days, "
            f"and {usd_text(self.restore)} for each restore",
            f"the standard tier would cost {saved} a month less ({self.basis})",
            f"it saves only if more than {bytes_text(self.break_even_size)} of its blocks are its own",
            f"at best it pays off after {seconds_text(plain)}, and with one restore after {seconds_text(once)}"
            if math.isfinite(plain)
            else "it never pays off",
        )

    def __str__(self) -> str:
        refused = (f"it cannot be archived: it {each}" for each in self.refusals)
        return "; ".join((*self.told, *refused, *self.notes))

    def __repr__(self) -> str:
        return f"<ArchivePreview: {self}>"

    def _repr_html_(self) -> str:
        return _html.note(str(self))


@dataclass(frozen=True)
class TierStatus:
    """Where a snapshot lies, and on its way where to.

    Attributes:
        snapshot_id: which.
        tier: standard or archive.
        operation: the last one and how it went, such as archival-in-progress, or nothing.
        percent: how far that is.
        archived_at: when it was archived.
        restored_until: when a temporary restore ends.
    """

    snapshot_id: str
    tier: str
    operation: str
    percent: int
    archived_at: datetime | None
    restored_until: datetime | None

    @property
    def moving(self) -> bool:
        """Whether it is on its way."""
        return self.operation.endswith("in-progress")

    def __repr__(self) -> str:
        on = f", {self.operation}, {self.percent} %" if self.moving else ""
        until = f", restored until {self.restored_until:%Y-%m-%d %H:%M} UTC" if self.restored_until else ""
        return f"<TierStatus of {self.snapshot_id}: {self.tier}{on}{until}>"


def tier_status(snapshot: "Snapshot") -> TierStatus:
    """Tell where a snapshot lies, and on its way where to.

    Raises:
        AwsError: AWS refuses to say.
    """
    asked = [{"Name": "snapshot-id", "Values": [snapshot.id]}]
    found = snapshot.region.aws.call("DescribeSnapshotTierStatus", snapshot.id, Filters=asked)["SnapshotTierStatuses"]
    raw = found[0] if found else {}
    return TierStatus(
        snapshot.id,
        str(raw.get("StorageTier", snapshot.tier)),
        str(raw.get("LastTieringOperationStatus") or ""),
        int(raw.get("LastTieringProgress") or 0),
        raw.get("ArchivalCompleteTime"),
        raw.get("RestoreExpiryTime"),
    )


def archive_preview(snapshot: "Snapshot", own: Size | None = None) -> ArchivePreview:
    """Say beforehand what archiving a snapshot would cost and save, and what stands in its way.

    Args:
        snapshot: a complete one.
        own: how many of its blocks no other snapshot needs, where it was measured.

    Raises:
        InvalidRequest: that is no size, or more than the snapshot has.
        AwsError: AWS refuses to say.

    Source: EBS user guide, "Archive Amazon EBS snapshots", guidelines and best practices.
    """
    snapshot.refresh()
    size = snapshot.size if snapshot.full_size is None else snapshot.full_size
    others = _others(snapshot)
    notes = _notes(snapshot, others)
    if snapshot.full_size is None:
        notes.append("AWS does not tell its full size: that all of the volume was written is assumed")
    if own is not None:
        low = high = to_bytes(own, "own")
        if high > size:
            raise InvalidRequest("own", own, f"is more than the {bytes_text(size)} of {snapshot.id}", "give less")
        basis = "measured"
    elif others:
        low, high, basis = 0, size, "assumed: AWS does not tell how many of its blocks no other snapshot needs"
    else:
        low, high, basis = size, size, "assumed: there is no other snapshot of its volume to share blocks with"
    refusals = tuple(_unfit(snapshot))
    return ArchivePreview(snapshot.id, size, low, high, basis, snapshot.region.prices, refusals, tuple(notes))


def archive(snapshot: "Snapshot", *, confirm: str) -> "Snapshot":
    """Begin to archive a snapshot; returns itself.

    Raises:
        InvalidRequest: the confirmation is not its id, or it cannot be archived as it is; nothing was done.
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "Delete", snapshot)
    check_confirmation(snapshot, confirm)
    snapshot.refresh()
    check_fit(snapshot, _unfit(snapshot))

    def settled() -> bool:
        now = tier_status(snapshot)
        return now.tier == "archive" or now.moving

    asked = {"SnapshotId": snapshot.id, "StorageTier": "archive"}
    snapshot.region.aws.settle("ModifySnapshotTier", snapshot.id, settled, **asked)
    return snapshot.refresh()


def check_confirmation(snapshot: "Snapshot", confirm: str) -> None:
    """Refuse to archive a snapshot before its id was typed.

    Raises:
        InvalidRequest: the confirmation is not its id.
    """
    if confirm != snapshot.id:
        rule = f"is not {snapshot.id}, which costs at least 90 days once it is archived, and a fee to restore"
        raise InvalidRequest("confirmation", confirm, rule, "see archive_preview(), and type the id of the snapshot")


def check_fit(snapshot: "Snapshot", refusals: Sequence[str]) -> None:
    """Refuse what a snapshot, as it was looked up, is not fit for; see `ArchivePreview.refusals`.

    Raises:
        InvalidRequest: there is a refusal.
    """
    if refusals:
        rule, _, remedy = refusals[0].partition("; ")
        raise InvalidRequest("snapshot", snapshot.id, rule, remedy)


def restore_from_archive(snapshot: "Snapshot", days: int | None = None, *, permanent: bool = False) -> "Snapshot":
    """Begin to restore a snapshot from the archive, or change for how long it is restored; returns itself.

    It takes up to 72 hours. A temporarily restored snapshot is paid for in both tiers.

    Args:
        snapshot: an archived one.
        days: for how many days, 1 to 180.
        permanent: or for ever.

    Raises:
        InvalidRequest: not one of both is given, the days cannot be, or it is not archived; nothing was done.
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "Delete", snapshot)
    if (days is None) != permanent:
        rule = "are both given" if permanent else "are both missing"
        raise InvalidRequest("days and permanent", days, rule, "give days=7, say, or permanent=True")
    if days is not None:
        check_days(days)
    check_restorable(snapshot, tier_status(snapshot))
    snapshot.region.aws.settle(
        "RestoreSnapshotTier",
        snapshot.id,
        lambda: tier_status(snapshot).moving,
        SnapshotId=snapshot.id,
        TemporaryRestoreDays=days,
        PermanentRestore=True if permanent else None,
    )
    return snapshot.refresh()


def check_days(days: object) -> None:
    """Refuse a number of days for which nothing can be restored.

    Raises:
        InvalidRequest: it is none from 1 to 180.
    """
    if isinstance(days, bool) or not isinstance(days, int) or not RESTORE_DAYS[0] <= days <= RESTORE_DAYS[1]:
        rule = f"is no number of days from {RESTORE_DAYS[0]} to {RESTORE_DAYS[1]}"
        raise InvalidRequest("days", days, rule, "give 7, say, or permanent=True")


def check_restorable(snapshot: "Snapshot", now: TierStatus) -> None:
    """Refuse to restore a snapshot that does not lie in the archive, or is on its way.

    Raises:
        InvalidRequest: that is so.
    """
    if now.moving:
        rule = f"is on its way ({now.operation}, {now.percent} %)"
        raise InvalidRequest("snapshot", snapshot.id, rule, "wait for that")
    if now.tier != "archive" and now.restored_until is None:
        raise InvalidRequest("snapshot", snapshot.id, "is not archived", "nothing has to be restored")


def least_left(archived_at: datetime, now: datetime) -> float:
    """Tell for how long a snapshot is still billed that is deleted from the archive now [s]."""
    return max(0.0, ARCHIVE_LEAST - (now - archived_at).total_seconds())


def _unfit(snapshot: "Snapshot") -> list[str]:
    """Tell why a snapshot cannot be archived, and what to do, after a semicolon."""
    if snapshot.state == "pending":
        return ["is still pending; wait for it with snapshot.wait()"]
    if snapshot.state != "completed":
        return [f"is in state {snapshot.state}; archive a complete one"]
    now = tier_status(snapshot)
    if now.moving:
        return [f"is on its way ({now.operation}, {now.percent} %); wait for that"]
    if now.tier == "archive":
        return ["is archived already; nothing has to be done"]
    if now.restored_until is not None:
        return ["is only temporarily restored; it goes back by itself"]
    names = ", ".join(sorted(image for image, _, _ in images_on(snapshot.region, [snapshot.id])))
    return [f"belongs to the image {names}; deregister that first, or archive another snapshot"] if names else []


def _others(snapshot: "Snapshot") -> "list[Snapshot]":
    """List the other snapshots of its volume that blocks could be shared with."""
    key = snapshot.region.tag_keys.source_volume
    if snapshot.tags.get(key):
        found = snapshot.region.snapshots.find(tags={key: snapshot.tags[key]})
    else:
        found = snapshot.region.snapshots.find(volume=snapshot.volume_id)
    return [each for each in found if each.id != snapshot.id and each.tier == "standard" and each.state != "error"]


def _notes(snapshot: "Snapshot", others: "list[Snapshot]") -> list[str]:
    notes = []
    if not any(each.state == "completed" for each in others):
        notes.append(
            f"it is the last complete snapshot of {snapshot.volume_id} outside the archive: the next one will be full, "
            "and until then a restore takes up to 72 hours"
        )
    if snapshot.tags.get(snapshot.region.tag_keys.source):
        notes.append("it is a copy: while the most recent copy is archived, the next one is full")
    if snapshot.account == snapshot.region.account and (users := snapshot.shared_with()):
        notes.append(f"it will no longer be shared with {', '.join(users)}")
    return notes
