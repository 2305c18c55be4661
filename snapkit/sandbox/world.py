"""What one sandbox is made of, under the object that people hold."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from moto.core.base_backend import AccountSpecificBackend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends

from snapkit.blocks import Workload
from snapkit.sandbox import client
from snapkit.sandbox.clock import SimulatedClock
from snapkit.sandbox.disk import Disk, Serials
from snapkit.sandbox.ec2 import BLOCKS_PER_GIB, Ec2
from snapkit.sandbox.faults import Faults
from snapkit.sandbox.limits import Buckets
from snapkit.sandbox.place import IN_USE, Place
from snapkit.sandbox.snapshot import Snapshot
from snapkit.sandbox.writes import writer_of
from snapkit.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AFTER_SHARING: "list[Callable[[Snapshot], None]]" = []
"""Called when others, or its owner, may have lost sight of a snapshot; the gaps that mind add themselves."""


class World:
    """Accounts, clock, chance, faults and limits of one sandbox, and what moto knows of it."""

    def __init__(
        self,
        *,
        seed: int,
        accounts: "Mapping[str, str]",
        start: datetime,
        timing: Timing,
        workload: Workload | None,
        buckets: Buckets | None,
    ) -> None:
        """Make it, without a volume yet.

        Raises:
            InvalidRequest: the workload cannot run on a volume.
        """
        if workload is not None:
            writer_of(workload, BLOCKS_PER_GIB, np.random.default_rng(seed))  # refused now, not at the first volume
        self.seed = seed
        self.accounts = accounts
        self.clock = SimulatedClock(start)
        self.timing = timing
        self.workload = workload
        self.buckets = buckets
        self.serials = Serials()
        self.closed = False
        session = client.plain_session()
        self.regions = tuple(sorted(session.get_available_regions("ec2")))
        self.faults = Faults(tuple(accounts), self.regions)
        self.place = Place(seed, self.clock.now, session)
        self._shared: dict[str, dict[str, Snapshot]] = {}
        self._random = random.Random(seed)  # noqa: S311 - ids of a simulation, no secret
        self._weather = np.random.default_rng([seed, 0])
        self._ordinal = 0
        self._requests = 0
        with self.place.taken():
            # moto notes those that it fills itself; without this, ours would stay behind when the place is left.
            IN_USE.append(ec2_backends)
            # moto looks up its URLs in its default account, and would fill that with images first.
            for account in (*accounts, DEFAULT_ACCOUNT_ID):
                ec2_backends[account] = AccountSpecificBackend(
                    "ec2",
                    account,
                    partial(Ec2, self),  # type: ignore[arg-type] # moto asks for a class
                    use_boto3_regions=False,
                    additional_regions=list(self.regions),
                )

    def ec2(self, account: str, region: str) -> Ec2:
        """Return what EC2 keeps for an account in a region."""
        # The clock first, always: whoever answers a request holds it when it takes the place.
        with self.clock.lock, self.place.taken():
            backend = ec2_backends[account][region]
        assert isinstance(backend, Ec2)  # noqa: S101 - for the type checker: see __init__
        return backend

    def touched(self, account: str) -> list[Ec2]:
        """List what EC2 keeps for an account, in the regions that were used so far."""
        with self.clock.lock, self.place.taken():
            return [backend for backend in dict.values(ec2_backends[account]) if isinstance(backend, Ec2)]

    def everywhere(self, region: str) -> Iterator[Ec2]:
        """Go through what EC2 keeps for each account in a region."""
        for account in self.accounts:
            yield self.ec2(account, region)

    def new_id(self, prefix: str) -> str:
        """Make the next id of a resource; the same in every sandbox of this seed."""
        return f"{prefix}-0{self._random.getrandbits(64):016x}"

    def new_request_id(self) -> str:
        """Make the next id of a request."""
        self._requests += 1
        return str(uuid.UUID(int=self._requests, version=4))

    def next_ordinal(self) -> int:
        """Number the next resource."""
        self._ordinal += 1
        return self._ordinal

    def duration(self, changed_bytes: float) -> float:
        """Draw how long [s] a snapshot takes that copies so many bytes."""
        return self.timing.seconds(changed_bytes) * self._slowness()

    def copying(self, more_bytes: float) -> float:
        """Draw how much longer [s] a snapshot takes that copies so many bytes more."""
        return (self.timing.seconds(more_bytes) - self.timing.seconds(0.0)) * self._slowness()

    def _slowness(self) -> float:
        spread = self.timing.spread
        return float(np.exp(self._weather.normal(0.0, spread))) if spread else 1.0

    def run(self, disk: Disk, workload: Workload) -> None:
        """Let a disk be written to as a workload says, from now on."""
        writer = writer_of(workload, disk.size, np.random.default_rng([self.seed, 1, self.next_ordinal()]))
        disk.run(writer, self.clock.seconds())

    def visible(self, account: str, region: str, snapshot_id: str) -> Snapshot | None:
        """Find a snapshot that an account may restore in a region: its own, or one shared with it."""
        own = self.ec2(account, region).snapshots.get(snapshot_id)
        if own is not None:
            return own
        shared = self._shared.get(region, {}).get(snapshot_id)
        return shared if shared is not None and self.shared_with(shared, account) else None

    def shared_in(self, account: str, region: str) -> list[Snapshot]:
        """List the snapshots of others that an account may restore in a region."""
        return [
            snapshot
            for snapshot in self._shared.get(region, {}).values()
            if snapshot.ec2_backend.account_id != account and self.shared_with(snapshot, account)
        ]

    def shared_with(self, snapshot: Snapshot, account: str) -> bool:
        """Tell whether an account may use another's snapshot."""
        return self.is_public(snapshot) or account in snapshot.shares.accounts

    def is_public(self, snapshot: Snapshot) -> bool:
        """Tell whether everyone may use a snapshot; block public access hides it."""
        return snapshot.shares.public and not snapshot.ec2_backend.settings.get("hides public snapshots")

    def publish(self, snapshot: Snapshot) -> None:
        """Let a snapshot be found by those with whom its shares say that it is shared."""
        region = self._shared.setdefault(snapshot.ec2_backend.region_name, {})
        if snapshot.shares.public or snapshot.shares.accounts:
            region[snapshot.id] = snapshot
        else:
            region.pop(snapshot.id, None)
        for follow in AFTER_SHARING:
            follow(snapshot)

    def unpublish(self, snapshot: Snapshot) -> None:
        """Let a snapshot be found by its owner only, whatever its shares say."""
        self._shared.get(snapshot.ec2_backend.region_name, {}).pop(snapshot.id, None)
        for follow in AFTER_SHARING:
            follow(snapshot)
