"""Leases, so that two runs of one strategy in one region are rare.

A lease is a tag on the first volume that a strategy protects in a region, with its holder and its end:

    snapkit:lease = 5f0c31d2/2026-01-05T03:10:00Z

It is advice, not a lock: tags have no compare-and-swap, so that two runs which write at the very same time may both go
on. What comes of that is two snapshots for one due time; the later one is found by its mark and deleted by a later run.
A run holds on to its lease between two steps. One that was killed leaves it behind, and it ends by itself: nobody takes
it over sooner, for that a process is dead nobody can tell from outside. Hosts and process ids say nothing in containers
and functions, where both come again.
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
"""How long a lease holds, or holds on.

Source: assumed, as more than twice what one step may wait for its turn (`snapkit.ebs.taking.PATIENCE`): a lease is held
on between steps only.
"""


@dataclass
class Lease:
    """The right to run a strategy in a region, for a while.

    Attributes:
        volume: that carries it.
        value: of the tag.
        until: its end.
    """

    volume: Volume
    value: str
    until: datetime

    def hold_on(self) -> None:
        """Let it last longer where less than half of it is left; one that another run has by now stays theirs.

        Raises:
            AwsError: AWS refuses.
        """
        now = self.volume.region.clock.now()
        if self.until - now >= LASTS / 2 or self.volume.refresh().tags.get(LEASE) != self.value:
            return
        until = now + LASTS
        value = _value(self.value.partition("/")[0], until)
        self.volume.tag({LEASE: value})
        self.value, self.until = value, until

    def release(self) -> None:
        """Give it back; that of another run stays.

        Raises:
            AwsError: AWS refuses.
        """
        self.volume.untag({LEASE: self.value})


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
    value = _value(secrets.token_hex(4), now + LASTS)
    first.tag({LEASE: value})
    # Whoever wrote last has it.
    return Lease(first, value, now + LASTS) if first.refresh().tags.get(LEASE) == value else None


def held_until(volumes: Sequence[Volume], now: datetime) -> datetime | None:
    """Tell until when a run holds the lease of volumes, as they were read last; None where none does.

    One that ends later than twice what a lease lasts was written by a clock that was wrong, and would hold for ever.
    """
    ends = (moment(volume.tags.get(LEASE, "").partition("/")[2]) for volume in volumes)
    return max((end for end in ends if end is not None and now < end <= now + 2 * LASTS), default=None)


def _value(holder: str, until: datetime) -> str:
    return f"{holder}/{text(until.replace(microsecond=0))}"
