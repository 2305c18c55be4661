"""The model once more, the textbook way: slow, obvious, and the measure of the fast one.

A process for each snapshot, a Resource for those that may be pending, a Store and a process that retires what is no
longer kept. Retention and lineage are the library's own, so that a comparison of speed is about events.
"""

from collections.abc import Generator
from heapq import heapify, heappop, heappush
from math import nextafter
from typing import Any

import simpy

from simulation.model import Scenario, _changed, _slowness
from simulation.outcome import Log
from snapkit import rules
from snapkit.blocks import Lineage
from snapkit.strategy import Strategy
from snapkit.units import HOUR

Events = Generator[simpy.Event, Any, None]


def textbook(scenario: Scenario, seed: int = 0) -> Log:
    """Run a scenario once."""
    env = simpy.Environment()
    model = Textbook(env, scenario, seed)
    env.process(model.schedule())
    env.process(model.retire())
    env.run(until=nextafter(scenario.horizon_seconds, float("inf")))
    return model.log


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
    def __init__(self, env: simpy.Environment, scenario: Scenario, seed: int) -> None:
        self.env = env
        self.scenario = scenario
        self.start = scenario.start.timestamp()
        self.agenda = agenda(scenario.strategy, self.start, scenario.horizon_seconds)
        self.room = simpy.Resource(env, rules.pending_limit(scenario.volume_type))
        self.finished = simpy.Store(env)
        self.lineage = Lineage(_changed(scenario), scenario.full_blocks)
        self.slowness = _slowness(scenario, seed, 0)
        self.keepers = {tier.name: tier.retention.keeper() for tier in scenario.strategy.tiers}
        self.log = Log()

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
            env.process(self.snapshot(due.copy(), request))

    def snapshot(self, due: dict[str, float], request: Any) -> Events:
        env, scenario = self.env, self.scenario
        changed = self.lineage.add(env.now)
        names = tuple(tier.name for tier in scenario.strategy.tiers if tier.name in due)
        number = self.log.take(env.now, max(due.values()), names, changed, self.lineage.stored)
        seconds = scenario.timing.seconds(changed * scenario.workload.block_size)
        if self.slowness is not None:
            seconds *= self.slowness[int(env.now // HOUR)]
        yield env.timeout(seconds)
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
