"""Copies of a volume's snapshots in another region: a second chain, with a retention of its own."""

from collections.abc import Iterable, Sequence
from math import inf

import simpy

from simulation.bucket import Bucket
from simulation.counting import Changed, Full
from simulation.scenario import Scenario
from snapkit import rules
from snapkit.blocks import Lineage
from snapkit.strategy import Keeper
from snapkit.strategy.zones import epoch_of
from snapkit.units import HOUR


class CopyLog:
    """What became of the copies in one region, column by column; times are seconds from the scenario's start.

    Attributes:
        of: the number of the snapshot that each is a copy of.
        started: the moment whose data each holds [s].
        begun: when it was begun [s].
        full: whether it copies all blocks, and not those alone that changed since the copy before it.
        copied: the blocks that it copies.
        completed: when it was complete [s]; infinity while pending.
        deleted: when it was deleted [s]; infinity while it is kept.
        stored_at: when the stored amount changed [s].
        stored: blocks stored from each of those moments on.
        skipped: numbers of snapshots that were deleted before their copy could begin.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.of: list[int] = []
        self.started: list[float] = []
        self.begun: list[float] = []
        self.full: list[bool] = []
        self.copied: list[float] = []
        self.completed: list[float] = []
        self.deleted: list[float] = []
        self.stored_at: list[float] = [0.0]
        self.stored: list[float] = [0.0]
        self.skipped: list[int] = []

    def begin(self, of: int, started: float, now: float, blocks: float, *, full: bool) -> int:
        """Note that a copy was begun, and give it a number."""
        self.of.append(of)
        self.started.append(started)
        self.begun.append(now)
        self.full.append(full)
        self.copied.append(blocks)
        self.completed.append(inf)
        self.deleted.append(inf)
        return len(self.of) - 1


class Destination:
    """What all copies to one region share: how many may be in progress at once, and how often AWS may be called.

    Attributes:
        places: for copies in progress.
        calls: that begin them.
    """

    def __init__(self, env: simpy.Environment) -> None:
        """Set up a region to which nothing is copied yet."""
        self.places = simpy.Resource(env, rules.COPIES_AT_ONCE)
        self.calls = Bucket(*rules.COPYINGS)


class Copies:
    """The copies of one volume's snapshots in one region.

    Attributes:
        region: where they are.
        log: what became of them.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        region: str,
        destination: Destination,
        counted: tuple[Changed, Full],
        members: Sequence[tuple[Changed, Full]],
        slowness: Sequence[float] | None,
        deleted: Sequence[float],
    ) -> None:
        """Set up a region without copies.

        Args:
            env: the environment.
            scenario: what is simulated.
            region: where to.
            destination: what the copies of all volumes to there share.
            counted: the distinct blocks written after one moment [s], up to and including another, and the blocks of a
                full snapshot at a moment [s].
            members: the same two of each volume of a server; none for a volume alone.
            slowness: by what the weather slows down what begins in each hour; None for none.
            deleted: when each snapshot was deleted [s]; infinity while it is kept.
        """
        self.region = region
        self.log = CopyLog()
        self._env = env
        self._destination = destination
        self._slowness = slowness
        self._gone = deleted
        self._start = epoch_of(scenario.start, "start")
        self._block = scenario.workload.block_size
        # A copy is taken to last as long as a snapshot of as many bytes: assumed, for AWS publishes no figure.
        self._seconds = scenario.timing.seconds
        self._counts = counted
        self._members = members or [counted]
        self._lineages = [Lineage(*counted)]
        self._lineage_of: dict[int, Lineage] = {}
        self._keepers: dict[str, Keeper] = {
            tier.name: copy.retention.keeper()
            for tier in scenario.strategy.tiers
            for copy in tier.copies
            if copy.region == region
        }
        self._wanted = simpy.Store(env)
        self._tiers: dict[int, list[str]] = {}
        env.process(self.copy())

    def want(self, number: int, started: float, tiers: Iterable[str]) -> None:
        """Have a complete snapshot copied, if one of its tiers is copied to here."""
        if mine := [tier for tier in tiers if tier in self._keepers]:
            self._wanted.put((number, started, mine))

    def copy(self) -> "simpy.events.ProcessGenerator":
        """Copy one snapshot after the other, so that each can be incremental to the one before it."""
        env, log = self._env, self.log
        while True:
            number, started, tiers = yield self._wanted.get()
            with self._destination.places.request() as place:
                yield place
                yield env.timeout(self._destination.calls.take(env.now) - env.now)
                if self._gone[number] <= env.now:
                    log.skipped.append(number)
                    continue
                # Incremental only while the most recent copy is there.
                full = not log.deleted or log.deleted[-1] <= env.now
                if full and len(self._lineages[-1]):
                    self._lineages.append(Lineage(*self._counts))
                base = self._lineages[-1].newest
                blocks = self._lineages[-1].add(started)
                # Those of a server are copied side by side.
                slowest = max(whole(started) if full else changed(base, started) for changed, whole in self._members)
                key = log.begin(number, started, env.now, blocks, full=full)
                self._lineage_of[key] = self._lineages[-1]
                self._store()
                slowness = 1.0 if self._slowness is None else self._slowness[int(env.now // HOUR)]
                yield env.timeout(self._seconds(slowest * self._block) * slowness)
            log.completed[key] = env.now
            self._tiers[key] = tiers
            self._retire(key, started, tiers)

    def _retire(self, key: int, started: float, tiers: list[str]) -> None:
        """Delete the copies that no tier keeps any more."""
        dropped = {other for tier in tiers for other in self._keepers[tier].add(key, self._start + started)}
        for other in sorted(dropped):
            if any(self._keepers[tier].keeps(other) for tier in self._tiers[other]):
                continue
            self.delete(other)
        self._store()

    def delete(self, key: int) -> None:
        """Delete a complete copy."""
        for tier in self._tiers.pop(key):
            self._keepers[tier].remove(key)
        self.log.deleted[key] = self._env.now
        self._lineage_of.pop(key).delete(self.log.started[key])
        self._store()

    def _store(self) -> None:
        self.log.stored_at.append(self._env.now)
        self.log.stored.append(sum(lineage.stored for lineage in self._lineages))
