"""A volume in the sandbox."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.ec2.models.elastic_block_store import Volume as MotoVolume

from snapkit.sandbox.disk import Disk

if TYPE_CHECKING:
    from snapkit.sandbox.ec2 import Ec2


class Volume(MotoVolume):
    """What a volume is, beyond moto's: a disk with blocks, and what DescribeVolumes shows besides.

    Attributes:
        ordinal: grows with every volume of the sandbox; the order of listings.
        disk: its blocks.
        created: when.
        source_volume_id: what it is a copy of, by CopyVolumes.
        initialization_rate: the provisioned one [MiB/s].
        initialized: when all blocks of its snapshot have arrived.
        fast_restored: whether they were there at once, by fast snapshot restore.
        last_snapshot: when the last one was asked for; two of them keep a distance.
        auto_enable_io: see `gaps.volume_status`.
        data_key_id: names the data key of an encrypted one, which its snapshots and their volumes inherit.
    """

    def __init__(
        self, ec2: "Ec2", *, volume_id: str, ordinal: int, disk: Disk, created: datetime, **known: Any
    ) -> None:
        super().__init__(ec2, volume_id, **known)
        self.ordinal = ordinal
        self.disk = disk
        self.created = created
        self.source_volume_id: str | None = None
        self.initialization_rate: int | None = None
        self.initialized = created
        self.fast_restored = False
        self.last_snapshot: datetime | None = None
        self.auto_enable_io = False
        self.data_key_id: str | None = None

    def get_tags(self) -> list[dict[str, str]]:
        """List its tags by a look-up, where moto scans the tags of every resource."""
        return [{"key": key, "value": value} for key, value in self.ec2_backend.tags.get(self.id, {}).items()]
