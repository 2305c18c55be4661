"""Making volumes larger, and their file systems after them."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from snapkit.ebs.settling import bring_about
from snapkit.ebs.volume_kinds import check_size, to_gib
from snapkit.errors import AwsError, InvalidRequest
from snapkit.rules import MODIFICATIONS_PER_DAY
from snapkit.units import GIB, Size, bytes_text

if TYPE_CHECKING:
    from snapkit.ebs.volumes import Volume

_NEVER = "InvalidVolumeModification.NotFound"
"""What AWS answers about a volume that was never changed. Source: EC2 API reference, "Error codes"."""

_REMEDIES = {
    "IncorrectModificationState": "wait until the change before is complete; volume.modification() tells how far it is",
    "VolumeModificationRateExceeded": f"a volume can be changed {MODIFICATIONS_PER_DAY} times within 24 hours: wait",
}


@dataclass(frozen=True)
class Modification:
    """The last change of a volume. It can be used all the time, but not be changed again before this is complete.

    Attributes:
        volume_id: of which.
        state: modifying, optimizing, completed or failed; the new size holds from optimizing on.
        percent: how far that is.
        before: its size before [bytes].
        after: its size after [bytes].
        started_at: when it began.
    """

    volume_id: str
    state: str
    percent: int
    before: int
    after: int
    started_at: datetime

    @classmethod
    def of(cls, raw: dict[str, Any]) -> "Modification":
        """Read what AWS says."""
        return cls(
            str(raw["VolumeId"]),
            str(raw["ModificationState"]),
            int(raw.get("Progress") or 0),
            int(raw.get("OriginalSize") or 0) * GIB,
            int(raw.get("TargetSize") or 0) * GIB,
            raw["StartTime"],
        )

    def __str__(self) -> str:
        sizes = f"from {bytes_text(self.before)} to {bytes_text(self.after)}"
        return f"{self.volume_id} {sizes}: {self.state}, {self.percent} %"

    def __repr__(self) -> str:
        return f"<Modification of {self}>"


def resize(volume: "Volume", size: Size) -> "Volume":
    """Make a volume larger; returns itself when the new size holds, which takes some seconds.

    Its file system is then to be grown on the server: see `grow_hint`. AWS goes on to optimize the volume for up to
    hours; it can be used meanwhile, but not resized again: see `modification`.

    Args:
        volume: any, attached or not.
        size: in whole GiB.

    Raises:
        InvalidRequest: the size is not in whole GiB, not larger, or more than the type of the volume has; nothing was
            done.
        InUse: the change before is not complete.
        WaitTimeout: the new size does not hold after 5 minutes; it goes on by itself.
        AwsError: AWS refuses.

    Source: EBS user guide, "Monitor the progress of Amazon EBS volume modifications".
    """
    volume.region.allow("Volume", "Create", volume)
    gib = to_gib(size)
    if gib * GIB <= volume.size:
        raise InvalidRequest("size", size, f"is not above {bytes_text(volume.size)}", "a volume can only grow")
    check_size(volume.volume_type, gib, size)

    def asked() -> bool:
        found = modification(volume)
        return found is not None and found.after == gib * GIB

    try:
        with volume.region.charging.hold_growth(volume, gib * GIB):
            return bring_about(
                volume,
                "ModifyVolume",
                asked=asked,
                holds=lambda: volume.size == gib * GIB,
                way="it goes on by itself: see volume.modification()",
                Size=gib,
            )
    except AwsError as error:
        if error.code not in _REMEDIES:
            raise
        raise type(error)(
            error.code, error.operation, error.told, volume.id, _REMEDIES[error.code]
        ) from error.__cause__


def modification(volume: "Volume") -> Modification | None:
    """Tell how far the last change of a volume is; None where it was never changed, or long ago.

    Raises:
        AwsError: AWS refuses to say.
    """
    try:
        answer = volume.region.aws.call("DescribeVolumesModifications", volume.id, VolumeIds=[volume.id])
    except AwsError as error:
        if error.code != _NEVER:
            raise
        return None
    return next((Modification.of(raw) for raw in answer["VolumesModifications"]), None)


def grow_hint(volume: "Volume") -> str:
    """Say how to grow the file system on a volume after the volume itself, on the server; runs nothing.

    Source: EBS user guide, "Extend the file system after resizing an Amazon EBS volume"; EC2 user guide, "Map Amazon
    EBS volumes to NVMe device names": the serial number of the disk is the id of the volume without its hyphen.
    """
    where = f"On {volume.server_id}, as {volume.device}" if volume.server_id else "On the server, once it is attached"
    serial = volume.id.replace("-", "")
    return (
        f"{volume.id} has {bytes_text(volume.size)}; its file system keeps its size until you grow it.\n"
        f"{where}:\n"
        f"  lsblk -o NAME,SERIAL,SIZE,MOUNTPOINT   # the disk with the serial {serial}\n"
        "  sudo growpart /dev/nvme1n1 1           # that disk, and only where it has a partition\n"
        "  sudo xfs_growfs -d /mount/point        # xfs: where it is mounted\n"
        "  sudo resize2fs /dev/nvme1n1p1          # ext4: the partition, or the disk without one\n"
        "On Windows: Disk Management, Rescan Disks, Extend Volume."
    )
