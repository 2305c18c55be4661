"""The model: volumes that are written to by a workload, under a strategy, in a region.

A schedule fires; the blocks changed since the previous snapshot are counted; the snapshot stays pending for as long
as the timing says, or as the others in its region leave it, and as the one that it builds on; when it completes,
retention decides which ones go. What AWS limits is limited here: snapshots of one volume and of one account that are
pending at once, the time between two of a volume, and the rate of calls.

A snapshot costs two SimPy events: the schedule's and its completion. Both are plain timeouts; the textbook way, a
process and a resource for each snapshot, gives the same answers about four times slower (see ``tests/oracle.py``).
"""

from collections import defaultdict, deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf, nextafter
from numbers import Integral
from typing import Any, TypeAlias, overload

import simpy

from simulation.archives import Archives
from simulation.chances import Chances, on_one_path
from simulation.copies import Copies, Destination
from simulation.counting import counts
from simulation.fleet_outcome import Outcomes
from simulation.freezing import CALL, Freeze, WriteTime
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
    models: dict[str, VolumeModel] = {}
    # Where a limit binds, the first by name is served first, in whatever order they are given.
    volumes = {name: on_one_path(given[name], name, seed, replication) for name in sorted(given)}
    for name, each in volumes.items():
        region = regions.setdefault(each.conditions.region, Region(env, each.conditions))
        models[name] = VolumeModel(env, each, region, Chances.of(each, name, seed, replication), destinations)
        env.process(models[name].protect())
        for process in each.processes:
            env.process(_events(process, models[name]))
    # SimPy stops before what happens at the time given; the horizon itself belongs to the run.
    env.run(until=nextafter(scenario.horizon_seconds, float("inf")))
    for model in models.values():
        model.keep_chain()
    outcomes = {name: Outcome(volumes[name], models[name].log) for name in given}
    return Outcomes(outcomes) if isinstance(scenario, Fleet) else outcomes[""]


class VolumeModel:
    """One volume and its snapshots in a SimPy environment; time is seconds from the scenario's start.

    Attributes:
        env: the environment.
        scenario: what is simulated.
        log: what happened.
        copies: of its snapshots, by the region that they go to.
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
        self._write_time = None if scenario.freeze == Freeze.NO else WriteTime()
        self.log.frozen = self._write_time.spells if self._write_time else []
        counted, deleted = counts(scenario.workload, scenario.blocks, self._write_time), self.log.deleted
        self._lineage = Lineage(*counted)
        members = scenario.workload.members
        self._count = len(members)
        alone = len(members) == 1
        self._members = [] if alone else [counts(each, inf, self._write_time) for each in members.values()]
        self.copies = {
            each: Copies(env, scenario, each, destinations[each], counted, self._members, chances.slowness, deleted)
            for each in scenario.strategy.copy_regions
        }
        self._copied = list(self.copies.values())
        self.log.copies = {region: copies.log for region, copies in self.copies.items()}
        self._archives = (
            Archives(env, scenario, region.archiving, counted[1], self._leave) if scenario.strategy.archives else None
        )
        if self._archives is not None:
            self.log.archive = self._archives.log
        self._limit = rules.pending_limit(scenario.volume_type)
        self._block = scenario.workload.block_size
        self._latency, self._rate = scenario.timing.latency, scenario.timing.rate
        self._rested_at = 0.0
        self._next_due = 0.0
        self._pending: deque[int] = deque()
        self._uploaded: set[int] = set()
        self._leaving: set[int] = set()
        self._uploads: dict[int, int] = {}
        self._room: simpy.Event | None = None
        self._stopped = False

    def protect(self) -> Events:
        """Take a snapshot whenever the strategy wants one and AWS allows it."""
        env, ledger, start, lateness, region = self.env, self._ledger, self._start, self._lateness, self._region
        pending, limit, creations, count = self._pending, self._limit, region.creations, self._count
        while not self._stopped:
            now = env.now
            if lanes := ledger.due(start + now):
                if now < self._rested_at or now < creations.free_at or len(pending) == limit or region.room < count:
                    yield from self._wait_and_take()
                    if self._stopped:
                        return
                    now = env.now
                else:
                    creations.take(now)
                    region.room -= count
                    self._take(now, lanes)
            moment = self._next_due = ledger.next_due(start + now) - start
            if moment == inf:
                return
            if lateness is not None:
                moment += lateness[min(int(moment // HOUR), len(lateness) - 1)]
            yield env.timeout(moment - now)

    def stop(self) -> None:
        """Take no more snapshots for the strategy; those that are there stay."""
        self._stopped = True

    def take(self) -> Events:
        """Take a snapshot that belongs to no tier, as soon as AWS allows it: no retention ever lets it go."""
        yield from self._wait()
        self._take(self.env.now, [])

    @property
    def there(self) -> list[int]:
        """The numbers of the complete snapshots that nothing has let go yet, oldest first."""
        now, log = self.env.now, self.log
        ends = enumerate(zip(log.completed, log.deleted, strict=True))
        return [number for number, (at, gone) in ends if at <= now < gone and number not in self._leaving]

    def delete(self, number: int) -> None:
        """Delete a complete snapshot that no retention lets go yet.

        Raises:
            InvalidRequest: it is not complete, was deleted, or waits for that or for the archive.
        """
        if number not in self.there:
            raise InvalidRequest("snapshot", number, "is not complete, or was let go", "name one that is there")
        self._note(number)
        self._ledger.delete(number)
        self._leave(number)

    def forget(self, tier: str) -> None:
        """Let all snapshots of a tier stay for ever, as when it is renamed.

        Raises:
            InvalidRequest: the strategy has no such tier.
        """
        self._ledger.forget(tier)
        self._note(tier)

    def _note(self, incident: int | str) -> None:
        started = len(self.log.started)
        self.log.incidents.append((started, started - len(self._pending), incident))

    def _wait_and_take(self) -> Events:
        """Take the snapshot that is due once nothing stands in its way, if it is still due then."""
        yield from self._wait()
        if not self._stopped and (lanes := self._ledger.due(self._start + self.env.now)):
            self._take(self.env.now, lanes)
        else:
            self._region.end(self._count)

    def _wait(self) -> Events:
        """Wait until nothing stands in the way of a snapshot; room in the region is then taken."""
        env, begun = self.env, False
        while True:
            if env.now < self._rested_at:
                yield env.timeout(self._rested_at - env.now)
            elif len(self._pending) == self._limit:
                self._room = self._room or env.event()
                yield self._room
            elif not begun:
                begun = True
                yield from self._region.queue_up(self._count)
            else:
                return

    def _take(self, now: float, lanes: list[Lane]) -> None:
        """Start a snapshot, for which the region has room."""
        self._rested_at = now + rules.CREATE_GAP
        if self._write_time is not None:
            self._freeze(now, self._write_time)
        parts = self._parts(self._lineage.newest, now) if self._members else None
        changed = self._lineage.add(now)
        alone = len(lanes) == 1
        due = lanes[0].slot if alone else max((lane.slot for lane in lanes), default=self._start + now)
        tiers = lanes[0].alone if alone else tuple(lane.tier.name for lane in lanes)
        number = self.log.take(now, due, tiers, changed, self._lineage.stored)
        self._ledger.start(number, self._start + now, lanes)
        self._pending.append(number)
        if parts is None:
            self._upload(number, changed, now, self._latency)
            return
        self._uploads[number] = len(parts)
        for blocks in parts:
            self._upload(number, blocks, now, self._latency)

    def _freeze(self, now: float, write_time: WriteTime) -> None:
        """Freeze the file system for a snapshot."""
        write_time.freeze(now)
        if self.scenario.freeze == Freeze.CALL:
            self.env.timeout(CALL).callbacks.append(lambda _: write_time.thaw(self.env.now))

    def _parts(self, base: float, now: float) -> list[float]:
        """Tell how many blocks of each volume of a server a snapshot copies that builds on the one of a moment [s]."""
        return [full(now) if base < 0 else changed(base, now) for changed, full in self._members]

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
        now, log, ledger, region, archives = self.env.now, self.log, self._ledger, self._region, self._archives
        log.completed[number] = now
        for copies in self._copied:
            copies.want(number, log.started[number], log.tiers[number])
        for other in ledger.complete(number):
            tiers = archives and ledger.archives(other)
            ledger.delete(other)
            if archives and tiers:
                self._leaving.add(other)
                archives.want(other, log.started[other], tiers)
            elif (moment := region.deletions.take(now)) > now:
                self._leaving.add(other)
                self.env.timeout(moment - now, other).callbacks.append(lambda event: self._leave(event.value))
            else:
                log.deleted[other] = now
                self._lineage.delete(log.started[other])
        log.store(now, self._lineage.stored)
        region.end(self._count)
        if self._room is not None or self._write_time is not None:
            self._make_room()

    def _leave(self, number: int) -> None:
        """Let a snapshot leave the standard tier."""
        now, log = self.env.now, self.log
        log.deleted[number] = now
        self._leaving.discard(number)
        self._lineage.delete(log.started[number])
        log.store(now, self._lineage.stored)

    def _make_room(self) -> None:
        """Let the next one be taken where one has ended, and writes go on where it was the last."""
        if self._room is not None:
            self._room.succeed()
            self._room = None
        if self._write_time is not None and self.scenario.freeze == Freeze.COMPLETE and not self._pending:
            self._write_time.thaw(self.env.now)

    def _fail(self, number: int) -> None:
        """Let a snapshot end in error: it holds nothing, the one after it sends what it needs, its slot is open."""
        now, log, pending = self.env.now, self.log, self._pending
        log.failed[number] = now
        after = pending.index(number) + 1
        heir = pending[after] if after < len(pending) else None
        pending.remove(number)
        if heir is None:
            self._lineage.delete(log.started[number])
        else:
            self._inherit(heir, log.started[number])
        self._ledger.fail(number)
        log.store(now, self._lineage.stored)
        self._region.end(self._count)
        self._make_room()
        self.env.process(self._try_again())

    def _inherit(self, heir: int, failed_at: float) -> None:
        """Let a snapshot send what it needs of the failed one before it, and build on the one before that."""
        started, lineage, parts = self.log.started[heir], self._lineage, self._parts(failed_at, self.log.started[heir])
        before = lineage.increment(started)
        lineage.delete(failed_at)
        more = lineage.increment(started) - before
        self.log.changed[heir] += more
        missing = [more]
        if self._members:
            whole = self._parts(lineage.older(started), started)
            missing = [part - sent for part, sent in zip(whole, parts, strict=True)]
        under_way = 0 if heir in self._uploaded else self._uploads.get(heir, 1)
        self._uploads[heir] = under_way + len(missing)
        self._uploaded.discard(heir)
        for blocks in missing:
            self._upload(heir, max(0.0, blocks), self.env.now, 0.0)

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


def _events(process: Callable[[VolumeModel], Any], volume: VolumeModel) -> Events:
    events = process(volume)
    if not isinstance(events, Generator):
        raise InvalidRequest("processes", process, "gives no generator of events", "write it with yield")
    return events
