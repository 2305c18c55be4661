"""A dated price list; every figure can be overridden."""

from dataclasses import dataclass

from snapkit.units import DAY, GIB, to_usd

MONTH = 30 * DAY
"""The month by which EBS storage is billed [s].

Source: the 30-day months of the worked examples on the EBS pricing pages.
"""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What AWS charges for snapshots.

    Attributes:
        snapshot_storage: standard tier [USD per GiB-month].
        region: where the prices hold.
        as_of: when they were read.

    Source:
        EBS user guide, "Pricing and billing for archiving Amazon EBS snapshots": $0.05 per GB-month in us-east-1,
        a GB there being 2^30 bytes.
    """

    snapshot_storage: float = 0.05
    region: str = "us-east-1"
    as_of: str = "2026-11"

    def __post_init__(self) -> None:
        """Refuse a price that is none."""
        to_usd(self.snapshot_storage, "price of snapshot storage")

    def stored(self, byte_seconds: float) -> float:
        """Price snapshot data kept in the standard tier: bytes times seconds to USD."""
        return byte_seconds / (GIB * MONTH) * self.snapshot_storage
