"""What AWS allows, each with its source. Read 2026-11; a rule that moves is changed here and nowhere else."""

from collections.abc import Mapping
from types import MappingProxyType

from snapkit.errors import InvalidRequest
from snapkit.units import TIB

BLOCK = 512 * 1024
"""The unit in which EBS counts changes [bytes].

Source: EBS direct APIs, BlockSize of ListSnapshotBlocks.
"""

CREATE_GAP = 15.0
"""Least time between two CreateSnapshot calls on one volume [s].

Source: EC2 API error codes, SnapshotCreationPerVolumeRateExceeded.
"""

LARGEST_VOLUME = 64 * TIB
"""Size of the largest volume of any type [bytes].

Source: EBS user guide, "Amazon EBS volume types": gp3 up to 64 TiB, since September 2025.
"""

PENDING_LIMITS: Mapping[str, int] = MappingProxyType(
    {"gp2": 5, "gp3": 5, "io1": 5, "io2": 5, "standard": 5, "st1": 1, "sc1": 1}
)
"""Most snapshots of one volume that may be pending at once, by volume type; not adjustable.

Source: EBS user guide, "Quotas for Amazon EBS" (error ConcurrentSnapshotLimitExceeded).
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
