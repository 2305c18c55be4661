"""Leases, so that two runs of one strategy in one region are rare.

A lease is a tag on the first volume that a strategy protects in a region, with its holder and its end:

    snapkit:lease = 5f0c31d2/2026-01-05T03:10:00Z

It is advice, not a lock: tags have no compare-and-swap, so that two runs which write at the very same time may both go
on. What comes of that is two snapshots for one due time; the later one is found by its mark and deleted by a later run.
A run that was killed leaves its lease behind, which ends by itself.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from snapkit.automation.managed import moment, text
from snapkit.ebs import Volume

LEASE = "snapkit:lease"
"""The tag."""

LASTS = timedelta(minutes=10)
"""How long a lease holds. Source: assumed, as the longest that a run is expected to take."""


@dataclass(frozen=True)
class Lease:
    """The right to run a strategy in a region, for a while.

    Attributes:
        volume: that carries it.
        value: of the tag.
    """

    volume: Volume
    value: str

    def release(self) -> None:
        """Give it back; that of another run stays.

        Raises:
            AwsError: AWS refuses.

        Source: EC2 API reference, DeleteTags: a tag with a value is deleted only if it has that value.
        """
        tag = {"Key": LEASE, "Value": self.value}
        self.volume.region.aws.call("DeleteTags", self.volume.id, Resources=[self.volume.id], Tags=[tag])


def take(volumes: Sequence[Volume], now: datetime) -> Lease | None:
    """Take the lease of the volumes that a strategy protects in a region.

    Returns:
        The lease; None where another run has it.

    Raises:
        AwsError: AWS refuses.
    """
    first = min(volumes, key=lambda volume: volume.id)
    if held_until(volumes, now) is not None:
        return None
    value = f"{secrets.token_hex(4)}/{text((now + LASTS).replace(microsecond=0))}"
    first.tag({LEASE: value})
    # Whoever wrote last has it.
    return Lease(first, value) if first.refresh().tags.get(LEASE) == value else None


def held_until(volumes: Sequence[Volume], now: datetime) -> datetime | None:
    """Tell until when a run holds the lease of volumes, as they were read last; None where none does."""
    ends = (moment(volume.tags.get(LEASE, "").partition("/")[2]) for volume in volumes)
    return max((end for end in ends if end is not None and end > now), default=None)
