"""Snapshots whose volume no longer exists, with the evidence for each; nothing is deleted here."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from snapkit.ebs.blockers import if_allowed, images_on, is_copy, managed_by
from snapkit.ebs.deleting import most_monthly_usd
from snapkit.ebs.listing import Column, Listing
from snapkit.units import bytes_text, usd_text

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot

BIN_PAGE = 500
"""Source: EC2 API reference, ListVolumesInRecycleBin, MaxResults."""


@dataclass(frozen=True)
class Orphan:
    """A snapshot whose volume no longer exists.

    Attributes:
        snapshot: which.
        images: the images that stand on it: it is in use all the same.
        manager: the service of AWS that manages it, or nothing.
        newest: whether it is the newest complete one of its volume, and so the last state of it.
        volume_until: until when the volume can be restored from the recycle bin, if it can.
        siblings: how many snapshots of the same volume there are, with this one.
    """

    snapshot: "Snapshot"
    images: tuple[str, ...]
    manager: str
    newest: bool
    volume_until: datetime | None
    siblings: int

    @property
    def evidence(self) -> tuple[str, ...]:
        """What speaks for deleting it, and against, a sentence each."""
        volume = self.snapshot.volume_id
        told = [f"no volume {volume} in this region"]
        if self.volume_until is not None:
            told = [f"{volume} is in the recycle bin until {self.volume_until:%Y-%m-%d %H:%M} UTC"]
        if self.newest:
            told.append("the newest complete one of it: its data is nowhere later")
        if self.siblings > 1:
            told.append(f"one of {self.siblings} of it")
        if self.images:
            told.append(f"held by {', '.join(self.images)}: in use")
        if self.manager:
            told.append(f"managed by {self.manager}")
        return tuple(told)

    @property
    def monthly_usd(self) -> float:
        """The most that it can cost a month [USD]; less where others need the same blocks."""
        return most_monthly_usd(self.snapshot)


def find(region: "Region") -> Listing[Orphan]:
    """List the snapshots of this account whose volume no longer exists, newest first.

    Copies, and what was written through the EBS direct APIs, are left out: their volume id is arbitrary, so that it is
    no evidence.

    Raises:
        AwsError: AWS refuses.

    Source: EBS user guide, "Copy an Amazon EBS snapshot"; EC2 API reference, DescribeVolumes: volumes that a service
        manages are listed only with IncludeManagedResources.
    """
    taken = [snapshot for snapshot in region.snapshots.find() if not is_copy(snapshot)]
    there = {raw["VolumeId"] for raw in region.aws.pages("DescribeVolumes", "Volumes", IncludeManagedResources=True)}
    alone = [snapshot for snapshot in taken if snapshot.volume_id not in there]
    if not alone:
        return Listing((), COLUMNS, noun="orphan")
    images = defaultdict(list)
    for image_id, snapshot_id, _ in images_on(region, [snapshot.id for snapshot in alone]):
        images[snapshot_id].append(image_id)
    by_volume: dict[str, list[Snapshot]] = defaultdict(list)
    for snapshot in alone:
        by_volume[snapshot.volume_id].append(snapshot)
    newest = {
        next((each.id for each in of_volume if each.state == "completed"), "") for of_volume in by_volume.values()
    }
    restorable = _in_bin(region)
    rows = [
        Orphan(
            snapshot,
            tuple(sorted(images[snapshot.id])),
            managed_by(snapshot),
            snapshot.id in newest,
            restorable.get(snapshot.volume_id),
            len(by_volume[snapshot.volume_id]),
        )
        for snapshot in alone
    ]
    return Listing(rows, COLUMNS, noun="orphan")


def _in_bin(region: "Region") -> dict[str, datetime]:
    """Find until when deleted volumes can be restored; nothing where this account may not look."""
    listed = if_allowed(lambda: list(region.aws.pages("ListVolumesInRecycleBin", "Volumes", size=BIN_PAGE)))
    return {each["VolumeId"]: each["RecycleBinExitTime"] for each in listed or ()}


COLUMNS: tuple[Column[Orphan], ...] = (
    Column("ID", lambda each: each.snapshot.id, "id", lambda each: each.snapshot.id),
    Column("name", lambda each: each.snapshot.name, "name", lambda each: each.snapshot.name),
    Column("volume, gone", lambda each: each.snapshot.volume_id, "volume", lambda each: each.snapshot.volume_id),
    Column(
        "date, UTC", lambda each: f"{each.snapshot.taken_at:%Y-%m-%d %H:%M}", "taken_at",
        lambda each: each.snapshot.taken_at, "datetime64[ms, UTC]",
    ),
    Column(
        "full size", lambda each: bytes_text(each.snapshot.full_size or 0) if each.snapshot.full_size else "",
        "full_size_bytes", lambda each: each.snapshot.full_size, "Int64",
    ),
    Column(
        "at most, a month", lambda each: usd_text(each.monthly_usd), "most_usd_per_month",
        lambda each: each.monthly_usd, "float64",
    ),
    Column(
        "in use", lambda each: ", ".join(each.images), "images", lambda each: ", ".join(each.images),
    ),
    Column(
        "evidence", lambda each: "; ".join(each.evidence), "evidence", lambda each: "; ".join(each.evidence),
    ),
)  # fmt: skip
