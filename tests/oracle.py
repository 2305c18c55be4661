"""The model once more, the textbook way: slow, obvious, and the measure of the fast one.

A process for each snapshot, a Resource for those that may be pending, a Store and a process that retires what is no
longer kept. Retention and lineage are the library's own, so that a comparison of speed is about events.
"""

from collections.abc import Generator
from heapq import heapify, heappop, heappush
from math import isinf, nextafter
from typing import Any

import simpy

from simulation.chances import Chances
from simulation.counting import counts
from simulation.link import Link
from simulation.log import Log
from simulation.scenario import Fleet, Scenario
from snapkit import rules
from snapkit.blocks import Lineage
from snapkit.strategy import Strategy
from snapkit.units import HOUR

Events = Generator[simpy.Event, Any, None]


def textbook(scenario: Scenario, seed: int = 0) -> Log:
    """Run a scenario once."""
    return textbook_fleet(Fleet({"": scenario}), seed)[""]


def textbook_fleet(
    fleet: Fleet, seed: int = 0, shared: "type[SharedLink | BorrowedLink] | None" = None
) -> dict[str, Log]:
    """Run many volumes together once, on links of one kind or the other."""
    env = simpy.Environment()
    shared = shared or SharedLink
    links: dict[str, SharedLink | BorrowedLink] = {}
    models = {}
    for name, scenario in fleet.volumes.items():
        conditions = scenario.conditions
        link = links.setdefault(conditions.region, shared(env, conditions.bandwidth))
        models[name] = Textbook(env, scenario, seed, link)
        env.process(models[name].schedule())
        env.process(models[name].retire())
    env.run(until=nextafter(fleet.horizon_seconds, float("inf")))
    return {name: model.log for name, model in models.items()}


class SharedLink:
    """Bandwidth shared equally, with every upload's rest and pace worked out anew whenever one begins or ends."""

    def __init__(self, env: simpy.Environment, capacity: float) -> None:
        self.env = env
        self.capacity = capacity
        self.uploads: list[Upload] = []
        self.since = 0.0
        self.clock: simpy.Process | None = None

    def send(self, size: float, rate: float) -> Events:
        upload = Upload(self.env, size, rate)
        self.pass_time()
        self.uploads.append(upload)
        self.work_out()
        yield upload.done

    def pass_time(self) -> None:
        for upload in self.uploads:
            upload.rest -= upload.pace * (self.env.now - self.since)
        self.since = self.env.now

    def work_out(self) -> None:
        rest = self.capacity
        for place, upload in enumerate(sorted(self.uploads, key=lambda each: each.rate)):
            upload.pace = min(upload.rate, rest / (len(self.uploads) - place))
            rest -= upload.pace
        if self.clock is not None and self.clock.is_alive:
            self.clock.interrupt()
        if self.uploads:
            self.clock = self.env.process(self.next_end())

    def next_end(self) -> Events:
        first = min(self.uploads, key=lambda each: each.rest / each.pace)
        try:
            yield self.env.timeout(max(0.0, first.rest / first.pace))
        except simpy.Interrupt:
            return
        self.pass_time()
        self.clock = None
        self.uploads.remove(first)
        first.done.succeed()
        self.work_out()


class BorrowedLink:
    """The model's own link, so that a comparison of speed is about all the rest."""

    def __init__(self, env: simpy.Environment, capacity: float) -> None:
        self.env = env
        self.capacity = capacity
        self.link = Link(env, capacity)

    def send(self, size: float, rate: float) -> Events:
        done = self.env.event()
        self.link.send(size, rate, done.succeed)
        yield done


class Upload:
    def __init__(self, env: simpy.Environment, size: float, rate: float) -> None:
        self.rest = size
        self.rate = rate
        self.pace = rate
        self.done = env.event()


def agenda(strategy: Strategy, start: float, horizon: float) -> list[tuple[float, float, str]]:
    """List when to look at which due time of which tier, from what is overdue at the start on [s since 1970]."""
    entries = []
    for tier in strategy.tiers:
        overdue = tier.schedule.latest_epoch(start)
        if overdue is not None:
            entries.append((float(overdue), float(overdue), tier.name))
        for moment in tier.schedule.epochs(start):
            if moment > start + horizon:
                break
            entries.append((float(moment), float(moment), tier.name))
    heapify(entries)
    return entries


class Textbook:
    def __init__(
        self, env: simpy.Environment, scenario: Scenario, seed: int, link: "SharedLink | BorrowedLink"
    ) -> None:
        self.env = env
        self.scenario = scenario
        self.link = link
        self.start = scenario.start.timestamp()
        self.agenda = agenda(scenario.strategy, self.start, scenario.horizon_seconds)
        self.room = simpy.Resource(env, rules.pending_limit(scenario.volume_type))
        self.finished = simpy.Store(env)
        self.lineage = Lineage(*counts(scenario.workload, scenario.blocks, None))
        self.slowness = Chances.of(scenario, "", seed, 0).slowness
        self.keepers = {tier.name: tier.retention.keeper() for tier in scenario.strategy.tiers}
        self.log = Log()
        self.newest = env.event().succeed()

    def schedule(self) -> Events:
        env, due = self.env, dict[str, float]()
        schedules = {tier.name: tier.schedule for tier in self.scenario.strategy.tiers}
        last = -rules.CREATE_GAP
        while self.agenda:
            yield env.timeout(max(0.0, self.agenda[0][0] - self.start - env.now))
            yield env.timeout(max(0.0, last + rules.CREATE_GAP - env.now))
            request = self.room.request()
            yield request
            due.clear()
            now = self.start + env.now
            while self.agenda and self.agenda[0][0] <= now:
                _, moment, name = heappop(self.agenda)
                if (opening := schedules[name].next_opening(now)) > now:
                    heappush(self.agenda, (opening, moment, name))
                else:
                    due[name] = moment
            if not due:
                self.room.release(request)
                continue
            last = env.now
            env.process(self.snapshot(due.copy(), request, self.newest))

    def snapshot(self, due: dict[str, float], request: Any, base: simpy.Event) -> Events:
        env, scenario = self.env, self.scenario
        done = self.newest = env.event()
        changed = self.lineage.add(env.now)
        names = tuple(tier.name for tier in scenario.strategy.tiers if tier.name in due)
        number = self.log.take(env.now, max(due.values()), names, changed, self.lineage.stored)
        timing, size = scenario.timing, changed * scenario.workload.block_size
        slowness = 1.0 if self.slowness is None else self.slowness[int(env.now // HOUR)]
        if isinf(self.link.capacity):
            yield env.timeout(timing.latency * slowness + size * slowness / timing.rate)
        else:
            yield env.timeout(timing.latency * slowness)
            yield from self.link.send(size * slowness, timing.rate)
        yield base
        done.succeed()
        self.log.completed[number] = env.now
        self.room.release(request)
        yield self.finished.put(number)

    def retire(self) -> Events:
        log = self.log
        while True:
            number = yield self.finished.get()
            dropped = []
            for name in log.tiers[number]:
                dropped += self.keepers[name].add(number, self.start + log.started[number])
            unkept = {key for key in dropped if not any(self.keepers[name].keeps(key) for name in log.tiers[key])}
            for key in unkept:
                log.deleted[key] = self.env.now
                self.lineage.delete(log.started[key])
                for name in log.tiers[key]:
                    self.keepers[name].remove(key)
            log.store(self.env.now, self.lineage.stored)
