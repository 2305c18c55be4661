"""A region's way into the store, shared by all uploads that are under way at once.

Each upload gets an equal share, up to a rate of its own; what one leaves over goes to the others (max-min fairness).
A virtual clock for each such rate counts what an upload of that rate has sent since the clock began, so that an
arrival or an end changes the pace of the clocks and not every upload. One wake-up stands at the earliest moment at
which an upload may end. Arrivals only put ends off, so the wake-up is moved when it fires, not at every arrival.

Source: that uploads share equally is assumed; AWS does not say. Processor sharing by virtual time: Parekh and Gallager,
"A generalized processor sharing approach to flow control", IEEE/ACM Transactions on Networking, 1993.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Any, TypeAlias

import simpy

_AT_ONCE = 1e-9
"""What ends within this time ends now [s]: less than a byte, and far above what rounding leaves over."""

Done: TypeAlias = Callable[[], object]


class Link:
    """Bandwidth that uploads share equally.

    Attributes:
        capacity: of all uploads together [bytes/s].
        sent: by all uploads that have ended [bytes].
    """

    def __init__(self, env: simpy.Environment, capacity: float) -> None:
        """Set up a link without uploads.

        Args:
            env: the environment that it lives in.
            capacity: above 0 and finite [bytes/s].
        """
        self.capacity = capacity
        self.sent = 0.0
        self._env = env
        self._lanes: dict[float, _Lane] = {}
        self._slowest_first: list[_Lane] = []
        self._now = env.now
        self._order = count()
        self._waiting: list[tuple[float, int, float, _Lane, Done]] = []
        self._soonest: list[tuple[float, int]] = []
        self._joined: set[int] = set()
        self._wake_at = inf

    def send(self, size: float, rate: float, done: Done, *, delay: float = 0.0) -> None:
        """Upload something.

        Args:
            size: how much [bytes].
            rate: the most that this upload can use [bytes/s].
            done: called when all is sent.
            delay: how long from now until it begins [s].
        """
        begin, order = self._env.now + delay, next(self._order)
        lane = self._lanes.get(rate)
        if lane is None:
            lane = self._lanes[rate] = _Lane(rate)
            self._slowest_first = sorted(self._lanes.values(), key=lambda each: each.rate)
        heappush(self._waiting, (begin, order, size, lane, done))
        # Nothing that comes later can make it end before this.
        soonest = begin + size / min(rate, self.capacity)
        heappush(self._soonest, (soonest, order))
        if soonest < self._wake_at:
            self._arm(soonest)

    @property
    def busy(self) -> int:
        """How many uploads are under way."""
        self._go_to(self._env.now)
        return sum(len(lane.uploads) for lane in self._slowest_first)

    def _arm(self, moment: float) -> None:
        self._wake_at = moment
        self._env.timeout(max(0.0, moment - self._env.now), moment).callbacks.append(self._wake)

    def _wake(self, event: Any) -> None:
        if event.value != self._wake_at:
            # An earlier one was set after this.
            return
        self._wake_at = inf
        self._go_to(self._env.now)
        ended = [upload for lane in self._slowest_first for upload in lane.ended(self._now)]
        if ended:
            self._share()
        for _, _, size, done in sorted(ended, key=lambda upload: upload[1]):
            self.sent += size
            done()
        self._arm_next()

    def _arm_next(self) -> None:
        soonest, joined = self._soonest, self._joined
        while soonest and soonest[0][1] in joined:
            joined.discard(heappop(soonest)[1])
        moment = min((self._now + lane.rest for lane in self._slowest_first if lane.uploads), default=inf)
        if soonest:
            moment = min(moment, soonest[0][0])
        if moment < self._wake_at:
            self._arm(moment)

    def _go_to(self, now: float) -> None:
        """Let time pass, with those joining whose delay is over."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            begin, order, size, lane, done = heappop(waiting)
            self._pass(begin)
            heappush(lane.uploads, (lane.clock + size, order, size, done))
            self._joined.add(order)
            self._share()
        self._pass(now)

    def _pass(self, moment: float) -> None:
        elapsed = moment - self._now
        if elapsed > 0:
            for lane in self._slowest_first:
                if lane.uploads:
                    lane.clock += lane.pace * elapsed
            self._now = moment

    def _share(self) -> None:
        """Divide the capacity anew: what the slow ones leave over goes to the fast ones."""
        rest, uploads = self.capacity, sum(len(lane.uploads) for lane in self._slowest_first)
        for lane in self._slowest_first:
            if not lane.uploads:
                lane.clock = 0.0
                continue
            lane.pace = min(lane.rate, rest / uploads)
            rest -= len(lane.uploads) * lane.pace
            uploads -= len(lane.uploads)


class _Lane:
    """The uploads of one rate; each ends when the clock reaches it."""

    __slots__ = ("clock", "pace", "rate", "uploads")

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.clock = 0.0
        self.pace = rate
        self.uploads: list[tuple[float, int, float, Done]] = []

    @property
    def rest(self) -> float:
        """Time until the first of them ends [s]."""
        return max(0.0, self.uploads[0][0] - self.clock) / self.pace

    def ended(self, now: float) -> "list[tuple[float, int, float, Done]]":
        """Take out those that have ended, or end before the next moment that a number can tell from now."""
        found = []
        while self.uploads and (self.rest <= _AT_ONCE or now + self.rest == now):
            found.append(heappop(self.uploads))
        return found
