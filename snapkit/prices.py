"""A dated price list; every figure can be overridden."""

from dataclasses import dataclass, fields

from snapkit.errors import InvalidRequest
from snapkit.units import DAY, GIB, HOUR, MINUTE, to_usd

MONTH = 30 * DAY
"""The month by which EBS storage is billed [s].

Source: the 30-day months of the worked examples on the EBS pricing pages.
"""

ARCHIVE_LEAST = 90 * DAY
"""The shortest time that is billed for an archived snapshot [s]; who deletes it earlier pays the rest.

Source: EBS user guide, "Pricing and billing for archiving Amazon EBS snapshots".
"""

FAST_RESTORE_LEAST = 1 * HOUR
"""The shortest time that is billed for fast snapshot restore in a zone [s].

Source: EBS user guide, "Pricing and billing for fast snapshot restore": by the minute, at least one hour.
"""

COPY_FEES = (
    (15 * MINUTE, 0.020),
    (30 * MINUTE, 0.018),
    (1 * HOUR, 0.016),
    (2 * HOUR, 0.014),
    (4 * HOUR, 0.012),
    (8 * HOUR, 0.010),
    (16 * HOUR, 0.005),
)
"""From which duration on [s] a time-based copy costs how much [USD per GiB].

Source: EBS user guide, "Time-based copies for Amazon EBS snapshots and EBS-backed AMIs", pricing.
"""


GP3_INCLUDED = (3000, 125)
"""The IOPS and the throughput [MiB/s] that a gp3 volume has without paying for them. Source: EBS pricing page, gp3."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What AWS charges for snapshots, and for volumes made of them.

    Attributes:
        snapshot_storage: standard tier [USD per GiB-month].
        archive_storage: archive tier, for the full size [USD per GiB-month].
        archive_retrieval: restoring from the archive [USD per GiB].
        fast_restore: one snapshot in one zone, enabled for fast snapshot restore [USD per hour].
        copy_fees: from which duration on [s] a time-based copy costs how much [USD per GiB].
        transfer: from one region to another [USD per GiB]; *assumed*: it differs by pair of regions.
        initialization: a provisioned initialization rate [USD per GiB of data and MiB/s].
        list_requests: ListSnapshotBlocks and ListChangedBlocks [USD per 1,000].
        get_requests: GetSnapshotBlock [USD per 1,000].
        put_requests: PutSnapshotBlock [USD per 1,000].
        gp3_storage: a gp3 volume [USD per GiB-month].
        gp3_iops: its IOPS above 3,000 [USD per IOPS-month].
        gp3_throughput: its throughput above 125 MiB/s [USD per MiB/s-month].
        region: where the prices hold.
        as_of: when they were read.

    Source:
        snapshot_storage, archive_storage, archive_retrieval: EBS user guide, "Pricing and billing for archiving Amazon
        EBS snapshots": $0.05 and $0.0125 per GB-month and $0.03 per GB in us-east-1, a GB there being 2^30 bytes.
        fast_restore: EBS user guide, "Pricing and billing for fast snapshot restore": $0.75 per hour.
        copy_fees: see `COPY_FEES`. transfer: EC2 on-demand pricing, "Data Transfer", typical; not verified.
        initialization: EBS pricing page, "Provisioned Rate for Volume Initialization": $0.0036 per GB at 300 MiB/s.
        list_requests, get_requests, put_requests: EBS user guide, "Pricing for EBS direct APIs".
        gp3_storage, gp3_iops, gp3_throughput: the price list of us-east-1, as others print it.
    """

    snapshot_storage: float = 0.05
    archive_storage: float = 0.0125
    archive_retrieval: float = 0.03
    fast_restore: float = 0.75
    copy_fees: tuple[tuple[float, float], ...] = COPY_FEES
    transfer: float = 0.02
    initialization: float = 0.000012
    list_requests: float = 0.0006
    get_requests: float = 0.003
    put_requests: float = 0.006
    gp3_storage: float = 0.08
    gp3_iops: float = 0.005
    gp3_throughput: float = 0.04
    region: str = "us-east-1"
    as_of: str = "2026-11"

    def __post_init__(self) -> None:
        """Refuse a price that is none."""
        for each in fields(self):
            if each.name not in ("copy_fees", "region", "as_of"):
                to_usd(getattr(self, each.name), f"price of {each.name.replace('_', ' ')}")
        for _, fee in self.copy_fees:
            to_usd(fee, "price of a time-based copy")
        starts = [start for start, _ in self.copy_fees]
        if not starts or starts != sorted(set(starts)):
            raise InvalidRequest(
                "price of a time-based copy", self.copy_fees, "is not in order", "give pairs from the shortest duration"
            )

    def stored(self, byte_seconds: float) -> float:
        """Price snapshot data kept in the standard tier: bytes times seconds to USD."""
        return byte_seconds / (GIB * MONTH) * self.snapshot_storage

    def monthly(self, size: float) -> float:
        """Price so many bytes of snapshot data kept in the standard tier for a month [USD]."""
        return self.stored(size * MONTH)

    def archived(self, size: float, seconds: float) -> float:
        """Price a snapshot in the archive tier [USD].

        Args:
            size: of all its blocks [bytes].
            seconds: how long it stays [s]; less than 90 days are billed as 90 days.
        """
        return size / GIB * max(seconds, ARCHIVE_LEAST) / MONTH * self.archive_storage

    def retrieved(self, size: float) -> float:
        """Price a restore of so many bytes from the archive [USD]."""
        return size / GIB * self.archive_retrieval

    def fast_restored(self, seconds: float, zones: int = 1) -> float:
        """Price one snapshot enabled for fast snapshot restore in so many zones for so long [USD]."""
        return max(seconds, FAST_RESTORE_LEAST) / HOUR * zones * self.fast_restore

    def transferred(self, size: float) -> float:
        """Price so many bytes sent from one region to another [USD]; *assumed*, see `transfer`."""
        return size / GIB * self.transfer

    def timed_copy(self, size: float, duration: float) -> float:
        """Price the copying of so many bytes within a duration [s], besides transfer and storage [USD].

        Raises:
            InvalidRequest: there is no price for so short a time.
        """
        fees = [fee for start, fee in self.copy_fees if duration >= start]
        if not fees:
            raise InvalidRequest("duration", duration, "is shorter than any that has a price", "give '15min' or more")
        return size / GIB * fees[-1]

    def initialized(self, size: float, rate: float) -> float:
        """Price a volume made of so many bytes of snapshot data, initialized at a provisioned rate [MiB/s] [USD]."""
        return size / GIB * rate * self.initialization

    def requests(self, *, lists: int = 0, gets: int = 0, puts: int = 0) -> float:
        """Price calls of the EBS direct APIs [USD]."""
        return (lists * self.list_requests + gets * self.get_requests + puts * self.put_requests) / 1000

    def gp3(self, size: float, seconds: float, *, iops: int = 3000, throughput: int = 125) -> float:
        """Price a gp3 volume kept for so long [USD].

        Args:
            size: of the volume [bytes].
            seconds: how long [s].
            iops: of the volume; 3,000 are included.
            throughput: of the volume [MiB/s]; 125 are included.
        """
        extra_iops = max(0, iops - GP3_INCLUDED[0])
        extra_throughput = max(0, throughput - GP3_INCLUDED[1])
        monthly = size / GIB * self.gp3_storage + extra_iops * self.gp3_iops + extra_throughput * self.gp3_throughput
        return monthly * seconds / MONTH
