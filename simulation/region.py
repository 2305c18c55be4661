"""What the volumes of a region share: how many snapshots may be pending, how often AWS may be called, the way to S3."""

from collections import deque
from collections.abc import Generator
from math import isinf
from typing import Any, TypeAlias

import simpy

from simulation.bucket import Bucket
from simulation.link import Link
from simulation.scenario import Conditions
from snapkit.rules import ARCHIVES_AT_ONCE, CREATIONS, DELETIONS

Events: TypeAlias = Generator[simpy.Event, Any, None]


class Region:
    """A region in a SimPy environment.

    Attributes:
        link: the way of all uploads; None where nothing limits them together.
        creations: the calls that create snapshots.
        deletions: the calls that delete them.
        archiving: places for snapshots on their way to the archive.
        room: how many more snapshots may be pending; 0 as long as others wait for that.
    """

    def __init__(self, env: simpy.Environment, conditions: Conditions) -> None:
        """Set up a region in which nothing is pending."""
        self.link = None if isinf(conditions.bandwidth) else Link(env, conditions.bandwidth)
        self.creations = Bucket(*CREATIONS)
        self.deletions = Bucket(*DELETIONS)
        self.archiving = simpy.Resource(env, ARCHIVES_AT_ONCE)
        self.room = conditions.pending
        self._env = env
        self._freed = 0
        self._waiting: deque[tuple[int, simpy.Event]] = deque()

    def queue_up(self, count: int) -> Events:
        """Wait in line until so many can be begun at once; they then have their room and their call: `end` follows."""
        if self.room < count:
            if not self._waiting:
                self._freed, self.room = self.room, 0
            turn = self._env.event()
            self._waiting.append((count, turn))
            yield turn
        else:
            self.room -= count
        now = self._env.now
        if (moment := self.creations.take(now)) > now:
            yield self._env.timeout(moment - now)

    def end(self, count: int) -> None:
        """Give the room of so many back, to those that have waited longest."""
        if not self._waiting:
            self.room += count
            return
        self._freed += count
        while self._waiting and self._waiting[0][0] <= self._freed:
            wanted, turn = self._waiting.popleft()
            self._freed -= wanted
            turn.succeed()
        if not self._waiting:
            self.room, self._freed = self._freed, 0
