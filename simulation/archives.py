"""The archived snapshots of a volume: full ones, paid for 90 days at least, with retentions of their own."""

from collections.abc import Callable, Generator, Sequence
from math import inf
from typing import Any

import simpy

from simulation.scenario import Scenario
from snapkit import rules
from snapkit.prices import ARCHIVE_LEAST, MONTH, Prices
from snapkit.strategy import ArchiveLedger
from snapkit.strategy.zones import epoch_of


class ArchiveLog:
    """What became of the archived snapshots, column by column; times are seconds from the scenario's start.

    Attributes:
        of: the number of the snapshot that each was in the standard tier.
        started: the moment whose data each holds [s].
        begun: when archiving began [s].
        blocks: all the blocks that each holds.
        completed: when it was archived, and left the standard tier [s]; infinity while it is on its way.
        deleted: when it was deleted from the archive [s]; infinity while it is kept.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.of: list[int] = []
        self.started: list[float] = []
        self.begun: list[float] = []
        self.blocks: list[float] = []
        self.completed: list[float] = []
        self.deleted: list[float] = []

    def begin(self, of: int, started: float, now: float, blocks: float) -> int:
        """Note that archiving began, and give the archived snapshot a number."""
        self.of.append(of)
        self.started.append(started)
        self.begun.append(now)
        self.blocks.append(blocks)
        self.completed.append(inf)
        self.deleted.append(inf)
        return len(self.of) - 1

    def cost(self, prices: Prices, block_size: int, begin: float, end: float) -> float:
        """Price what is archived from one moment [s] to another [USD].

        What is deleted before its 90 days is charged for the rest of them when it is deleted.
        """
        byte_seconds = 0.0
        for blocks, archived, deleted in zip(self.blocks, self.completed, self.deleted, strict=True):
            seconds = max(0.0, min(deleted, end) - max(archived, begin))
            if begin < deleted <= end:
                seconds += max(0.0, archived + ARCHIVE_LEAST - deleted)
            byte_seconds += blocks * block_size * seconds
        return prices.archived_monthly(byte_seconds) / MONTH


class Archives:
    """The archive of one volume: where snapshots go that no tier keeps any more.

    A snapshot stays in the standard tier, and is paid for there, until it is archived.

    Attributes:
        log: what became of them.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        places: simpy.Resource,
        full: Callable[[float], float],
        leave: Callable[[int], None],
    ) -> None:
        """Set up an empty archive.

        Args:
            env: the environment.
            scenario: what is simulated.
            places: how many snapshots may be on their way to the archive at once, of all volumes of the region.
            full: the blocks of a full snapshot at a moment [s].
            leave: is told the number of each snapshot when it leaves the standard tier.
        """
        self.log = ArchiveLog()
        self._env = env
        self._places = places
        self._full = full
        self._leave = leave
        self._start = epoch_of(scenario.start, "start")
        # Archiving is taken to last as long as a full snapshot, those of a server side by side: assumed, for AWS
        # publishes no figure.
        self._seconds, self._largest = scenario.timing.seconds, scenario.largest
        self._ledger = ArchiveLedger(scenario.strategy)
        # What AWS would refuse waits in the standard tier until another is deleted.
        self._room = simpy.Resource(env, rules.ARCHIVED_PER_VOLUME)
        self._gone: dict[int, simpy.Event] = {}

    def want(self, number: int, started: float, tiers: Sequence[str]) -> None:
        """Have a snapshot archived that no tier keeps any more, and delete what the archive then keeps no more.

        Args:
            number: of the snapshot.
            started: the moment whose data it holds [s].
            tiers: those of its tiers that archive it.
        """
        gone = self._gone[number] = self._env.event()
        self._env.process(self.archive(number, started, gone))
        for other in self._ledger.add(number, self._start + started, tiers):
            self._gone.pop(other).succeed()

    def archive(self, number: int, started: float, gone: simpy.Event) -> Generator[simpy.Event, Any, None]:
        """Archive a snapshot once there is room, and delete it when no tier keeps it there any more."""
        env, log = self._env, self.log
        with self._room.request() as room:
            yield room | gone
            with self._places.request() as place:
                yield place | gone
                if gone.triggered:
                    self._leave(number)
                    return
                blocks = self._full(started)
                key = log.begin(number, started, env.now, blocks)
                yield env.timeout(self._seconds(self._largest(started)))
            log.completed[key] = env.now
            self._leave(number)
            yield gone
            log.deleted[key] = env.now
