"""The model: volumes that are written to by a workload, under a strategy, in a region.

A schedule fires; the blocks changed since the previous snapshot are counted; the snapshot stays pending for as long
as the timing says, or as the others in its region leave it, and as the one that it builds on; when it completes,
retention decides which ones go. What AWS limits is limited here: snapshots of one volume and of one account that are
pending at once, the time between two of a volume, and the rate of calls.

A snapshot costs two SimPy events: the schedule's and its completion. Both are plain timeouts; the textbook way, a
process and a resource for each snapshot, gives the same answers about four times slower (see ``tests/oracle.py``).
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import inf, nextafter
from numbers import Integral
from typing import Any, TypeAlias, overload

import simpy

from simulation.chances import Chances, seed_of
from simulation.copies import Copies, Destination
from simulation.fleet_outcome import Outcomes
from simulation.log import Log
from simulation.outcome import Outcome
from simulation.region import Events, Region
from simulation.scenario import Fleet, Scenario
from snapkit import rules
from snapkit.blocks import Lineage
from snapkit.errors import InvalidRequest
from snapkit.strategy import Ledger
from snapkit.strategy.ledger import Lane
from snapkit.strategy.zones import epoch_of
from snapkit.units import HOUR, MINUTE

Destinations: TypeAlias = Mapping[str, Destination]


@overload
def simulate(scenario: Scenario, seed: int = 0, *, replication: int = 0) -> Outcome: ...


@overload
def simulate(scenario: Fleet, seed: int = 0, *, replication: int = 0) -> Outcomes: ...


def simulate(scenario: Scenario | Fleet, seed: int = 0, *, replication: int = 0) -> Outcome | Outcomes:
    """Run one scenario once, or many volumes together.

    The same seed and replication meet the same chances, whatever the strategy: differences between strategies are
    theirs, not luck. Equal arguments give equal outcomes to the last byte.

    Args:
        scenario: what to simulate.
        seed: root of all random streams.
        replication: which of the many possible runs this is.
    """
    if not isinstance(scenario, Scenario | Fleet):
        raise InvalidRequest("scenario", scenario, "is none", "give Scenario(strategy, workload)")
    for name, value in (("seed", seed), ("replication", replication)):
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
            raise InvalidRequest(name, value, "is not a whole number of at least 0", "give one, such as 1")
    seed, replication = int(seed), int(replication)
    given = scenario.volumes if isinstance(scenario, Fleet) else {"": scenario}
    env = simpy.Environment()
    regions: dict[str, Region] = {}
    destinations: Destinations = defaultdict(lambda: Destination(env))
    models: dict[str, Volume] = {}
    # Where a limit binds, the first by name is served first, in whatever order they are given.
    volumes = {name: _on_one_path(given[name], name, seed, replication) for name in sorted(given)}
    for name, each in volumes.items():
        region = regions.setdefault(each.conditions.region, Region(env, each.conditions))
        models[name] = Volume(env, each, region, Chances.of(each, name, seed, replication), destinations)
        env.process(models[name].protect())
    # SimPy stops before what happens at the time given; the horizon itself belongs to the run.
    env.run(until=nextafter(scenario.horizon_seconds, float("inf")))
    for model in models.values():
        model.keep_chain()
    outcomes = {name: Outcome(volumes[name], models[name].log) for name in given}
    return Outcomes(outcomes) if isinstance(scenario, Fleet) else outcomes[""]


class Volume:
    """One volume and its snapshots in a SimPy environment; time is seconds from the scenario's start.

    Attributes:
        env: the environment.
        scenario: what is simulated.
        log: what happened.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        region: Region,
        chances: Chances,
        destinations: Destinations,
    ) -> None:
        """Set up a volume without snapshots.

        Args:
            env: the environment, at time 0.
            scenario: what is simulated.
            region: where the volume is.
            chances: what chance has in store for it.
            destinations: what the copies of all volumes share, by the region that they go to.
        """
        self.env = env
        self.scenario = scenario
        self.log = Log()
        self._region = region
        self._slowness, self._lateness, self._errors = chances.slowness, chances.lateness, chances.errors
        self._start = epoch_of(scenario.start, "start")
        self._ledger = Ledger(scenario.strategy, self._start)
        changed = _changed(scenario)
        self._lineage = Lineage(changed, scenario.full_blocks)
        self._copies = [
            Copies(env, scenario, each, destinations[each], changed, chances.slowness, self.log.deleted)
            for each in scenario.strategy.copy_regions
        ]
        self.log.copies = {copies.region: copies.log for copies in self._copies}
        self._limit = rules.pending_limit(scenario.volume_type)
        self._block = scenario.workload.block_size
        self._latency, self._rate = scenario.timing.latency, scenario.timing.rate
        self._rested_at = 0.0
        self._next_due = 0.0
        self._pending: deque[int] = deque()
        self._uploaded: set[int] = set()
        self._uploads: dict[int, int] = {}
        self._room: simpy.Event | None = None

    def protect(self) -> Events:
        """Take a snapshot whenever the strategy wants one and AWS allows it."""
        env, ledger, start, lateness, region = self.env, self._ledger, self._start, self._lateness, self._region
        pending, limit, creations = self._pending, self._limit, region.creations
        while True:
            now = env.now
            if lanes := ledger.due(start + now):
                if now < self._rested_at or now < creations.free_at or len(pending) == limit or region.room < 1:
                    yield from self._wait_and_take()
                    now = env.now
                else:
                    creations.take(now)
                    region.room -= 1
                    self._take(now, lanes)
            moment = self._next_due = ledger.next_due(start + now) - start
            if moment == inf:
                return
            if lateness is not None:
                moment += lateness[min(int(moment // HOUR), len(lateness) - 1)]
            yield env.timeout(moment - now)

    def _wait_and_take(self) -> Events:
        """Take the snapshot that is due once nothing stands in its way, if it is still due then."""
        env, begun = self.env, False
        while True:
            if env.now < self._rested_at:
                yield env.timeout(self._rested_at - env.now)
            elif len(self._pending) == self._limit:
                self._room = self._room or env.event()
                yield self._room
            elif not begun:
                begun = True
                yield from self._region.queue_up(1)
            else:
                break
        if lanes := self._ledger.due(self._start + env.now):
            self._take(env.now, lanes)
        else:
            self._region.end(1)

    def _take(self, now: float, lanes: list[Lane]) -> None:
        """Start a snapshot, for which the region has room."""
        self._rested_at = now + rules.CREATE_GAP
        changed = self._lineage.add(now)
        alone = len(lanes) == 1
        due = lanes[0].slot if alone else max(lane.slot for lane in lanes)
        tiers = lanes[0].alone if alone else tuple(lane.tier.name for lane in lanes)
        number = self.log.take(now, due, tiers, changed, self._lineage.stored)
        self._ledger.start(number, self._start + now, lanes)
        self._pending.append(number)
        self._upload(number, changed, now, self._latency)

    def _upload(self, number: int, blocks: float, now: float, latency: float) -> None:
        slowness = 1.0 if self._slowness is None else self._slowness[int(now // HOUR)]
        delay, size, link = latency * slowness, blocks * self._block * slowness, self._region.link
        if link is None:
            # A callback instead of a process for each snapshot saves two events.
            self.env.timeout(delay + size / self._rate, number).callbacks.append(self._sent)
        else:
            link.send(size, self._rate, partial(self._sent, _Sent(number)), delay=delay)

    def _sent(self, event: "simpy.Event | _Sent") -> None:
        """Let a snapshot end whose blocks are sent: in error, or complete with the one that it builds on."""
        number: Any = event.value
        pending, uploads, errors = self._pending, self._uploads, self._errors
        if uploads and (left := uploads.pop(number, 1) - 1):
            uploads[number] = left
        elif errors is not None and errors[int(self.log.started[number] // MINUTE)]:
            self._fail(number)
        elif pending[0] != number:
            self._uploaded.add(number)
        else:
            self._complete(pending.popleft())
            while pending and pending[0] in self._uploaded:
                self._uploaded.remove(pending[0])
                self._complete(pending.popleft())

    def _complete(self, number: int) -> None:
        now, log, ledger, region = self.env.now, self.log, self._ledger, self._region
        log.completed[number] = now
        for copies in self._copies:
            copies.want(number, log.started[number], log.tiers[number])
        for other in ledger.complete(number):
            ledger.delete(other)
            if (moment := region.deletions.take(now)) > now:
                self.env.timeout(moment - now, other).callbacks.append(self._delete)
            else:
                log.deleted[other] = now
                self._lineage.delete(log.started[other])
        log.store(now, self._lineage.stored)
        region.end(1)
        if self._room is not None:
            self._make_room()

    def _delete(self, event: Any) -> None:
        """Delete a snapshot for which the call had to wait."""
        now, log = self.env.now, self.log
        log.deleted[event.value] = now
        self._lineage.delete(log.started[event.value])
        log.store(now, self._lineage.stored)

    def _make_room(self) -> None:
        if self._room is not None:
            self._room.succeed()
            self._room = None

    def _fail(self, number: int) -> None:
        """Let a snapshot end in error: it holds nothing, the one after it sends what it needs, its slot is open."""
        now, log, lineage, pending = self.env.now, self.log, self._lineage, self._pending
        log.failed[number] = now
        after = pending.index(number) + 1
        if after < len(pending):
            heir = pending[after]
            of = log.started[heir]
            before = lineage.increment(of)
            lineage.delete(log.started[number])
            missing = lineage.increment(of) - before
            log.changed[heir] += missing
            self._uploads[heir] = self._uploads.get(heir, 0 if heir in self._uploaded else 1) + 1
            self._uploaded.discard(heir)
            self._upload(heir, missing, now, 0.0)
        else:
            lineage.delete(log.started[number])
        pending.remove(number)
        self._ledger.fail(number)
        log.store(now, lineage.stored)
        self._region.end(1)
        self._make_room()
        self.env.process(self._try_again())

    def _try_again(self) -> Events:
        """Take the snapshot for the slot that is open again, where that is before the next one is due."""
        env, ledger, start = self.env, self._ledger, self._start
        if env.now >= self._next_due:
            # Another slot is open by now, and `protect` about to fill it.
            return
        if not ledger.due(start + env.now):
            moment = ledger.next_due(start + env.now) - start
            if moment >= self._next_due:
                return
            yield env.timeout(moment - env.now)
        yield from self._wait_and_take()

    def keep_chain(self) -> None:
        """Note what each snapshot stores that is there at the end."""
        self.log.chain = {time: self._lineage.increment(time) for time in self._lineage}


@dataclass(frozen=True, slots=True)
class _Sent:
    """The end of an upload by a link, which tells the number as a timeout does."""

    value: int


def _on_one_path(scenario: Scenario, name: str, seed: int, replication: int) -> Scenario:
    """Choose one of the ways in which its volume may be written: the same for every strategy, and its own."""
    path = scenario.workload.sampled(seed_of(name, seed), replication)
    return scenario if path is scenario.workload else replace(scenario, workload=path)


def _changed(scenario: Scenario) -> Callable[[float, float], float]:
    """Count changed blocks, never more than the volume has."""
    changed_between, blocks = scenario.workload.changed_between, scenario.blocks
    if not scenario.workload.stationary:
        return lambda a, b: min(changed_between(a, b), blocks)
    known: dict[float, float] = {}

    def changed(a: float, b: float) -> float:
        gap = b - a
        count = known.get(gap)
        if count is None:
            count = known[gap] = min(changed_between(0.0, gap), blocks)
        return count

    return changed
