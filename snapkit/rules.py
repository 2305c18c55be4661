"""What AWS allows, each with its source. Read 2026-11; a rule that moves is changed here and nowhere else."""

from collections.abc import Mapping
from types import MappingProxyType

from snapkit.errors import InvalidRequest
from snapkit.units import GIB, HOUR, TIB

BLOCK = 512 * 1024
"""The unit in which EBS counts changes [bytes].

Source: EBS direct APIs, BlockSize of ListSnapshotBlocks.
"""

CREATE_GAP = 15.0
"""Least time between two CreateSnapshot calls on one volume [s].

Source: EC2 API error codes, SnapshotCreationPerVolumeRateExceeded.
"""

MOST_TAGS = 50
"""Most tags of a resource, those of AWS itself not counted. Source: EC2 user guide, "Tag restrictions"."""

LONGEST_KEY = 127
"""Most characters of a tag's key in the EC2 API. Source: likewise."""

LONGEST_VALUE = 255
"""Most characters of a tag's value in the EC2 API. Source: likewise."""

LONGEST_DESCRIPTION = 255
"""Most characters of a snapshot's description. Source: EC2 API reference, CreateSnapshot, Description."""

LARGEST_VOLUME = 64 * TIB
"""Size of the largest volume of any type [bytes].

Source: EBS user guide, "Amazon EBS volume types": gp3 up to 64 TiB, since September 2025.
"""

PENDING_PER_ACCOUNT = 100
"""Most snapshots of one account that may be pending in a region at once.

Source: Service Quotas, L-94D7AB7D, "Concurrent snapshots" (error PendingSnapshotLimitExceeded).
"""

COPIES_AT_ONCE = 20
"""Most copies of snapshots that may be in progress to a destination region at once.

Source: EBS user guide, "Quotas for Amazon EBS".
"""

ARCHIVES_AT_ONCE = 25
"""Most snapshots of one account that may be on their way to the archive in a region at once; adjustable.

Source: Service Quotas, L-3A0E616D, "Concurrent in-progress snapshot archives per account".
"""

ARCHIVED_PER_VOLUME = 25
"""Most archived snapshots of one volume; adjustable.

Source: Service Quotas, L-E20676C1, "Archived snapshots per volume".
"""

LONGEST_RETRIEVAL = 72 * 3600.0
"""How long the restore of an archived snapshot takes at most [s].

Source: EBS user guide, "Archive Amazon EBS snapshots": up to 72 hours, depending on the size.
"""

CREATIONS = (100.0, 5.0)
"""How many CreateSnapshot calls an account may make in a region at once, and how many a second from then on.

Source: EC2 Developer Guide, "Request throttling", uncategorized actions.
"""

DELETIONS = (100.0, 5.0)
"""The same of DeleteSnapshot. Source: the same."""

COPYINGS = (50.0, 5.0)
"""The same of CopySnapshot. Source: the same, mutating actions."""

PENDING_LIMITS: Mapping[str, int] = MappingProxyType(
    {"gp2": 5, "gp3": 5, "io1": 5, "io2": 5, "standard": 5, "st1": 1, "sc1": 1}
)
"""Most snapshots of one volume that may be pending at once, by volume type; not adjustable.

Source: EBS user guide, "Quotas for Amazon EBS" (error ConcurrentSnapshotLimitExceeded).
"""


VOLUME_SIZES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "gp2": (1, 16384),
        "gp3": (1, 65536),
        "io1": (4, 16384),
        "io2": (4, 65536),
        "sc1": (125, 16384),
        "st1": (125, 16384),
        "standard": (1, 1024),
    }
)
"""Smallest and largest volume of each type [GiB].

Source: EC2 API reference, CreateVolume, Size.
"""

IOPS_LIMITS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"gp3": (3000, 80000), "io1": (100, 64000), "io2": (100, 256000)}
)
"""Fewest and most IOPS that can be provisioned, for the volume types where they can; the fewest is the default of gp3.

Source: EC2 API reference, CreateVolume, Iops.
"""

IOPS_PER_GIB: Mapping[str, int] = MappingProxyType({"gp3": 500, "io1": 50, "io2": 1000})
"""Most provisioned IOPS for each GiB of a volume; gp3 has its default IOPS at any size.

Source: EBS user guide, "General Purpose SSD volumes", "Provisioned IOPS SSD volumes".
"""

GP2_IOPS = (100, 16000, 3)
"""Fewest and most IOPS of a gp2 volume, and how many each GiB gives it.

Source: EBS user guide, "General Purpose SSD volumes".
"""

THROUGHPUT_LIMITS = (125, 2000)
"""Least and most throughput of a gp3 volume [MiB/s]; the least is the default.

Source: EC2 API reference, CreateVolume, Throughput.
"""

THROUGHPUT_PER_IOPS = 0.25
"""Most throughput of a gp3 volume for each of its IOPS [MiB/s].

Source: EBS user guide, "General Purpose SSD volumes".
"""

INITIALIZATION_RATES = (100, 300)
"""Least and most provisioned rate of a volume's initialization [MiB/s].

Source: EC2 API reference, CreateVolume, VolumeInitializationRate.
"""

INITIALIZATION_QUOTA = 5000
"""Most that the provisioned rates of one region may add up to while volumes initialize [MiB/s].

Source: EBS user guide, "Initialize Amazon EBS volumes", Quotas.
"""

FAST_RESTORE_LARGEST = 16 * TIB
"""Size of the largest volume whose snapshots can be enabled for fast snapshot restore [bytes].

Source: EBS user guide, "Amazon EBS fast snapshot restore", considerations.
"""

FAST_RESTORE_OPTIMIZING = HOUR / TIB
"""How long it takes to enable fast snapshot restore, for each byte of the snapshot's volume [s/byte].

Source: EBS user guide, "Amazon EBS fast snapshot restore": 60 minutes per TiB.
"""

MODIFICATIONS_PER_DAY = 4
"""Most modifications of one volume within any 24 hours.

Source: EC2 API reference, ModifyVolume.
"""

VOLUME_COPIES = 5
"""Most copies of volumes that may be initializing at once in a region.

Source: EBS user guide, "Copy an Amazon EBS volume" (error CopyVolumesLimitExceeded).
"""


def pending_limit(volume_type: str) -> int:
    """Look up how many snapshots of one volume may be pending at once.

    Raises:
        InvalidRequest: there is no such volume type.
    """
    if volume_type not in PENDING_LIMITS:
        raise InvalidRequest(
            "volume type", volume_type, "is no EBS volume type", f"choose one of {', '.join(PENDING_LIMITS)}"
        )
    return PENDING_LIMITS[volume_type]


def credit_rate(size: int) -> float:
    """Tell how many volume creation credits a snapshot of a volume of this size [bytes] gathers in an hour.

    A volume that is made with a full credit has its full speed at once. There are none when fast snapshot restore gets
    enabled.

    Source: EBS user guide, "Volume creation credits for fast snapshot restore": MIN(10, 1024 / size in GiB).
    """
    return min(10.0, 1024 * GIB / size)
