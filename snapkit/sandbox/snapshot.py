"""A snapshot in the sandbox."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.ec2.models.elastic_block_store import Snapshot as MotoSnapshot

from snapkit.rules import BLOCK
from snapkit.sandbox.disk import Layer

if TYPE_CHECKING:
    from snapkit.sandbox.ec2 import Ec2
    from snapkit.sandbox.gaps.fast_restore import FastRestore

NO_VOLUME = "vol-ffffffff"
"""The VolumeId of a snapshot that was taken of no volume, such as a copy.

Source: EC2 API reference, Snapshot; EBS user guide, "Copy an Amazon EBS snapshot".
"""


@dataclass
class Lock:
    """A lock on a snapshot; see `gaps.locks`."""

    mode: str
    created: datetime
    expires: datetime | None
    starts: datetime | None
    duration_days: int | None
    cool_off_hours: int | None = None
    cool_off_ends: datetime | None = None


@dataclass
class Tiering:
    """Where a snapshot lies, and on its way where to; see `gaps.archive`."""

    tier: str = "standard"
    status: str | None = None
    detail: str | None = None
    started: datetime | None = None
    ends: datetime | None = None
    archived: datetime | None = None
    restore_days: int | None = None
    restore_expires: datetime | None = None


@dataclass
class Shares:
    """With whom a snapshot is shared; see `gaps.sharing`."""

    accounts: list[str] = field(default_factory=list)
    public: bool = False


class Snapshot(MotoSnapshot):
    """What a snapshot is, beyond moto's: it takes time, it keeps its size, and it knows its blocks.

    Replaces moto's snapshot, which is complete at once and shows the present size of its volume.

    Attributes:
        ordinal: grows with every snapshot of the sandbox; the order of listings.
        volume_gib: the size of the volume when it was taken [GiB].
        image: its blocks; None until a snapshot of the EBS direct APIs is complete.
        changed: how many blocks it copies.
        base: while it is pending, the snapshot that it builds on; it copies what was written since that one.
        state: pending, completed, error, recoverable or recovering.
        reason: the StateMessage, where there is one.
        done: when it ended, or None while it is pending.
        seconds: how long it takes to copy them [s]; inf as long as nothing ends it by itself.
        doomed: whether it was deleted while pending, and goes when it is complete.
        fast_restores: in which zones, and for whom, it is enabled for fast restore; see `gaps.fast_restore`.
    """

    def __init__(  # noqa: PLR0913 - moto's constructor reads the clock for each of a hundred thousand; ours does not
        self,
        ec2: "Ec2",
        *,
        snapshot_id: str,
        ordinal: int,
        volume_id: str,
        volume_gib: int,
        started: datetime,
        seconds: float,
        image: Layer | None,
        changed: int,
        base: "Snapshot | None" = None,
        description: str = "",
        owner_id: str | None = None,
        kms_key_id: str | None = None,
        encrypted: bool = False,
        from_ami: str | None = None,
    ) -> None:
        self.ec2_backend = ec2
        self.id = snapshot_id
        self.ordinal = ordinal
        self.source_volume_id = volume_id
        self.volume_gib = volume_gib
        self.start_time = started
        self.seconds = seconds
        self.image = image
        self.changed = changed
        self.base = base
        self.description = description
        self.owner_id = owner_id or ec2.account_id
        self.encrypted = encrypted
        self.kms_key_id = kms_key_id
        self.from_ami = from_ami
        self.state = "pending"
        self.reason: str | None = None
        self.done: datetime | None = None
        self.doomed = False
        self.lock: Lock | None = None
        self.tiering = Tiering()
        self.shares = Shares()
        self.transfer_type: str | None = None
        self.completion_minutes: int | None = None
        self.data_key_id: str | None = None
        self.entered_bin: datetime | None = None
        self.leaves_bin: datetime | None = None
        self.fast_restores: tuple[FastRestore, ...] = ()

    @property
    def volume_id(self) -> str:
        """The volume that it was taken of; arbitrary for a copy."""
        return self.source_volume_id

    @property
    def volume_size(self) -> int:
        """The size that the volume had then [GiB]."""
        return self.volume_gib

    @property
    def status(self) -> str:  # type: ignore[override] # moto has an attribute of that name
        """Its state, as moto asks for it."""
        return self.state

    @property
    def storage_tier(self) -> str:  # type: ignore[override] # likewise
        """Where it lies, as moto asks for it."""
        return self.tiering.tier

    def progress_at(self, now: datetime) -> str:
        """Write how far it is; at 99 % it waits for what it builds on, and a member of a set for the others."""
        if self.state != "pending":
            return "100%" if self.state != "error" else f"{self._percent(self.done or now)}%"
        return f"{self._percent(now)}%"

    def _percent(self, now: datetime) -> int:
        if self.seconds <= 0:
            return 99
        return max(0, min(99, int(100 * (now - self.start_time).total_seconds() / self.seconds)))

    @property
    def full_size(self) -> int | None:
        """The size of all its blocks [bytes]."""
        return self.image.full * BLOCK if self.image else None

    def get_tags(self) -> list[dict[str, str]]:
        """List its tags by a look-up, where moto scans the tags of every resource."""
        return [{"key": key, "value": value} for key, value in self.ec2_backend.tags.get(self.id, {}).items()]

    def describe(self, now: datetime, viewer: "Ec2 | None" = None) -> dict[str, Any]:
        """Return it as DescribeSnapshots shows it.

        Args:
            now: the time.
            viewer: who looks, by default its owner. Each account sees the tags that it set itself.
        """
        shown: dict[str, Any] = {
            "SnapshotId": self.id,
            "VolumeId": self.source_volume_id,
            "VolumeSize": self.volume_gib,
            "State": self.state,
            "StartTime": self.start_time,
            "Progress": self.progress_at(now),
            "OwnerId": self.owner_id,
            "Description": self.description,
            "Encrypted": self.encrypted,
            "StorageTier": self.tiering.tier,
        }
        if self.state == "completed":
            shown["CompletionTime"] = self.done
            shown["FullSnapshotSizeInBytes"] = self.full_size
        more = {
            "StateMessage": self.reason,
            "KmsKeyId": self.kms_key_id,
            "DataEncryptionKeyId": self.data_key_id,
            "TransferType": self.transfer_type,
            "CompletionDurationMinutes": self.completion_minutes,
            "RestoreExpiryTime": self.tiering.restore_expires,
        }
        shown.update({name: value for name, value in more.items() if value is not None})
        tags = (viewer or self.ec2_backend).tags.get(self.id)
        if tags:
            shown["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        return shown


def to_copy(image: Layer, base: Snapshot | None) -> int:
    """Count the blocks that a snapshot has to copy which builds on another one, or on none."""
    return len(image.since(base.image if base else None))
