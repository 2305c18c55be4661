"""The model: one volume, written to by a workload, under a strategy.

A schedule fires; the blocks changed since the previous snapshot are counted; the snapshot stays pending for as long
as the timing says; when it completes, retention decides which ones go. What AWS limits is limited here: snapshots of
one volume that are pending at once, and the time between two of them.

A snapshot costs two SimPy events: the schedule's and its completion. Both are plain timeouts; the textbook way, a
process and a resource for each snapshot, gives the same answers about four times slower (see ``tests/oracle.py``).
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isinf, nextafter
from numbers import Integral
from typing import Any

import numpy as np
import simpy

from simulation.outcome import Log, Outcome
from snapkit import rules
from snapkit.blocks import Lineage, Workload
from snapkit.errors import InvalidRequest
from snapkit.prices import Prices
from snapkit.strategy import Ledger, Strategy
from snapkit.strategy.ledger import Lane
from snapkit.strategy.zones import epoch_of
from snapkit.timing import Timing
from snapkit.units import HOUR, Duration, Size, bytes_text, to_bytes, to_seconds

_WEATHER = 1
"""The purpose of the random stream that slows and quickens the region's uploads from hour to hour."""


@dataclass(frozen=True)
class Scenario:
    """What is simulated: one volume under one strategy.

    Attributes:
        strategy: when to snapshot, what to keep.
        workload: how the volume's blocks are written; its time 0 is `start`.
        horizon: how long to simulate.
        start: the moment the strategy takes over a volume that has no snapshot yet; it takes the first one at once.
        size: size of the volume: more blocks than that never change; the workload's own unless given. Data is taken
            to lie on it as far as the workload reaches, `Workload.size` (assumed): that is what a full snapshot copies.
        volume_type: decides how many snapshots may be pending at once.
        timing: changed bytes to seconds.
        prices: what AWS charges.
    """

    strategy: Strategy
    workload: Workload
    horizon: Duration = "90d"
    start: datetime = field(default=datetime(2026, 1, 5, tzinfo=UTC), kw_only=True)
    size: Size | None = field(default=None, kw_only=True)
    volume_type: str = field(default="gp3", kw_only=True)
    timing: Timing = field(default=Timing(), kw_only=True)
    prices: Prices = field(default=Prices(), kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a horizon, a start, a size or a volume type that cannot be."""
        if not isinstance(self.strategy, Strategy) or not isinstance(self.workload, Workload):
            wrong = self.workload if isinstance(self.strategy, Strategy) else self.strategy
            raise InvalidRequest("scenario", wrong, "is no part of one", "give Scenario(strategy, workload)")
        seconds = to_seconds(self.horizon, "horizon")
        start = epoch_of(self.start, "start")
        rules.pending_limit(self.volume_type)
        size = self.workload.size if self.size is None else to_bytes(self.size)
        remedy = "give the volume's real size, such as '100 GiB'"
        if size < self.workload.size:
            rule = f"is less than the workload reaches, {bytes_text(self.workload.size)}"
            raise InvalidRequest("size", bytes_text(size), rule, remedy)
        if size > rules.LARGEST_VOLUME:
            rule = f"is more than EBS allows, {bytes_text(rules.LARGEST_VOLUME)}"
            raise InvalidRequest("size", bytes_text(size), rule, remedy)
        if not isinstance(self.timing, Timing) or not isinstance(self.prices, Prices):
            wrong = self.prices if isinstance(self.timing, Timing) else self.timing
            raise InvalidRequest("scenario", wrong, "is no part of one", "give timing=Timing(...), prices=Prices(...)")
        for tier in self.strategy.tiers:
            first = next(tier.schedule.epochs(start), None)
            if first is None or first > start + seconds:
                raise InvalidRequest(
                    "horizon",
                    self.horizon,
                    f"ends before {tier.schedule.describe()} comes due",
                    "simulate a longer time, or leave that tier out",
                )

    @property
    def horizon_seconds(self) -> float:
        """How long to simulate [s]."""
        return to_seconds(self.horizon)

    @property
    def blocks(self) -> int:
        """Blocks of the volume."""
        size = self.workload.size if self.size is None else to_bytes(self.size)
        return -(-size // self.workload.block_size)

    @property
    def full_blocks(self) -> int:
        """Blocks of a full snapshot."""
        return -(-self.workload.size // self.workload.block_size)


def simulate(scenario: Scenario, seed: int = 0, *, replication: int = 0) -> Outcome:
    """Run one scenario once.

    The same seed and replication meet the same chances, whatever the strategy: differences between strategies are
    theirs, not luck. Equal arguments give equal outcomes to the last byte.

    Args:
        scenario: what to simulate.
        seed: root of all random streams.
        replication: which of the many possible runs this is.
    """
    if not isinstance(scenario, Scenario):
        raise InvalidRequest("scenario", scenario, "is none", "give Scenario(strategy, workload)")
    for name, value in (("seed", seed), ("replication", replication)):
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
            raise InvalidRequest(name, value, "is not a whole number of at least 0", "give one, such as 1")
    env = simpy.Environment()
    volume = Volume(env, scenario, _slowness(scenario, seed, replication))
    env.process(volume.protect())
    # SimPy stops before what happens at the time given; the horizon itself belongs to the run.
    env.run(until=nextafter(scenario.horizon_seconds, float("inf")))
    volume.keep_chain()
    return Outcome(scenario, volume.log)


class Volume:
    """One volume and its snapshots in a SimPy environment; time is seconds from the scenario's start.

    Attributes:
        log: what happened.
    """

    def __init__(self, env: simpy.Environment, scenario: Scenario, slowness: list[float] | None) -> None:
        """Set up a volume without snapshots.

        Args:
            env: the environment, at time 0.
            scenario: what is simulated.
            slowness: by what uploads are slowed down in each hour; None for never.
        """
        self.log = Log()
        self._env = env
        self._start = epoch_of(scenario.start, "start")
        self._ledger = Ledger(scenario.strategy, self._start)
        self._lineage = Lineage(_changed(scenario), scenario.full_blocks)
        self._limit = rules.pending_limit(scenario.volume_type)
        self._block = scenario.workload.block_size
        self._seconds = scenario.timing.seconds
        self._slowness = slowness
        self._pending = 0
        self._room: simpy.Event | None = None

    def protect(self) -> Generator[simpy.Event, None, None]:
        """Take a snapshot whenever the strategy wants one and AWS allows it."""
        env, ledger = self._env, self._ledger
        last = -rules.CREATE_GAP
        while True:
            now = env.now
            if lanes := ledger.due(self._start + now):
                if now - last < rules.CREATE_GAP:
                    yield env.timeout(last + rules.CREATE_GAP - now)
                    continue
                if self._pending == self._limit:
                    self._room = env.event()
                    yield self._room
                    continue
                last = now
                self._take(now, lanes)
            moment = ledger.next_due(self._start + now)
            if isinf(moment):
                return
            yield env.timeout(moment - self._start - now)

    def _take(self, now: float, lanes: list[Lane]) -> None:
        changed = self._lineage.add(now)
        seconds = self._seconds(changed * self._block)
        if self._slowness is not None:
            seconds *= self._slowness[int(now // HOUR)]
        alone = len(lanes) == 1
        due = lanes[0].slot if alone else max(lane.slot for lane in lanes)
        tiers = lanes[0].alone if alone else tuple(lane.tier.name for lane in lanes)
        number = self.log.take(now, due, tiers, changed, self._lineage.stored)
        self._ledger.start(number, self._start + now, lanes)
        self._pending += 1
        # A callback instead of a process for each snapshot saves two events.
        self._env.timeout(seconds, number).callbacks.append(self._complete)

    def _complete(self, event: Any) -> None:
        now, log = self._env.now, self.log
        number: int = event.value
        log.completed[number] = now
        self._pending -= 1
        for other in self._ledger.complete(number):
            log.deleted[other] = now
            self._lineage.delete(log.started[other])
            self._ledger.delete(other)
        log.store(now, self._lineage.stored)
        if self._room is not None:
            self._room.succeed()
            self._room = None

    def keep_chain(self) -> None:
        """Note what each snapshot stores that is there at the end."""
        self.log.chain = {time: self._lineage.increment(time) for time in self._lineage}


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


def _slowness(scenario: Scenario, seed: int, replication: int) -> list[float] | None:
    """Draw by what the region's weather slows uploads down in each hour, the same for every strategy."""
    spread = scenario.timing.spread
    if spread == 0:
        return None
    stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(replication, _WEATHER)))
    hours = int(scenario.horizon_seconds // HOUR) + 1
    return list(np.exp(spread * stream.standard_normal(hours)).tolist())
