"""A dated price list; every figure can be overridden."""

import math
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

IO2_IOPS = ((0, 0.065), (32_000, 0.0455), (64_000, 0.03185))
"""Above how many IOPS each further one of an io2 volume costs how much [USD per IOPS-month].

Source: the price list of us-east-1, EBS:VolumeP-IOPS.io2, .io2.tier2 and .io2.tier3, as others print it.
"""


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
        gp2_storage: a gp2 volume [USD per GiB-month].
        io1_storage: an io1 volume [USD per GiB-month].
        io1_iops: its IOPS [USD per IOPS-month].
        io2_storage: an io2 volume [USD per GiB-month].
        io2_iops: above how many IOPS each further one of it costs how much [USD per IOPS-month].
        st1_storage: an st1 volume [USD per GiB-month].
        sc1_storage: an sc1 volume [USD per GiB-month].
        standard_storage: a magnetic volume [USD per GiB-month]; its I/O requests cost besides.
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
        gp2_storage, io1_storage, io1_iops, io2_storage: AWS agent toolkit, "EBS Volume Optimization", us-east-1, 2026.
        io2_iops: see `IO2_IOPS`. st1_storage, sc1_storage, standard_storage: the price list of us-east-1, as others
        print it.
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
    gp2_storage: float = 0.10
    io1_storage: float = 0.125
    io1_iops: float = 0.065
    io2_storage: float = 0.125
    io2_iops: tuple[tuple[float, float], ...] = IO2_IOPS
    st1_storage: float = 0.045
    sc1_storage: float = 0.015
    standard_storage: float = 0.05
    region: str = "us-east-1"
    as_of: str = "2026-11"

    def __post_init__(self) -> None:
        """Refuse a price that is none."""
        for each in fields(self):
            if each.name not in ("copy_fees", "io2_iops", "region", "as_of"):
                to_usd(getattr(self, each.name), f"price of {each.name.replace('_', ' ')}")
        _check_steps("price of a time-based copy", self.copy_fees, "give pairs from the shortest duration")
        _check_steps("price of io2 iops", self.io2_iops, "give pairs from 0 IOPS")

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

    def archived_monthly(self, size: float) -> float:
        """Price so many bytes, all that a snapshot has, kept in the archive tier for a month [USD]."""
        return size / GIB * self.archive_storage

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

    def volume(self, volume_type: str, size: float, seconds: float, *, iops: int = 0, throughput: int = 0) -> float:
        """Price a volume of any type kept for so long [USD]; of a magnetic one without its I/O requests.

        Args:
            volume_type: such as ``"gp3"``.
            size: of the volume [bytes].
            seconds: how long [s].
            iops: that it has; they are charged for gp3, io1 and io2.
            throughput: that it has [MiB/s]; it is charged for gp3.

        Raises:
            InvalidRequest: there is no price for that type.
        """
        if volume_type == "gp3":
            return self.gp3(size, seconds, iops=iops, throughput=throughput)
        storage = {"gp2": self.gp2_storage, "io1": self.io1_storage, "io2": self.io2_storage,
                   "st1": self.st1_storage, "sc1": self.sc1_storage, "standard": self.standard_storage}  # fmt: skip
        if volume_type not in storage:
            remedy = f"choose one of gp3, {', '.join(storage)}"
            raise InvalidRequest("volume type", volume_type, "has no price", remedy)
        monthly = size / GIB * storage[volume_type]
        if volume_type == "io1":
            monthly += iops * self.io1_iops
        elif volume_type == "io2":
            ends = [*(start for start, _ in self.io2_iops[1:]), math.inf]
            tiers = zip(self.io2_iops, ends, strict=True)
            monthly += math.fsum(max(0, min(iops, end) - start) * fee for (start, fee), end in tiers)
        return monthly * seconds / MONTH


def _check_steps(what: str, steps: tuple[tuple[float, float], ...], remedy: str) -> None:
    """Refuse prices by steps, each with where it begins, that are not in order."""
    for _, fee in steps:
        to_usd(fee, what)
    starts = [start for start, _ in steps]
    if not starts or starts != sorted(set(starts)):
        raise InvalidRequest(what, steps, "is not in order", remedy)
