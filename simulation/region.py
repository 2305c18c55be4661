"""What the volumes of a region share: how many snapshots may be pending, how fast they are begun, the way to S3."""

from collections import deque
from math import isinf

import simpy

from simulation.link import Link
from simulation.scenario import Conditions
from snapkit.rules import CREATIONS

_EACH = 1 / CREATIONS[1]
"""How long it takes until the bucket of calls holds one more [s]."""

_BURST = (CREATIONS[0] - 1) * _EACH
"""How long it takes to fill it, less one [s]."""


class Region:
    """A region in a SimPy environment.

    Attributes:
        link: the way of all uploads; None where nothing limits them together.
        free_at: when one more creation may be called [s].
        full: whether as many snapshots are pending as may be, or others wait for that already.
    """

    def __init__(self, env: simpy.Environment, conditions: Conditions) -> None:
        """Set up a region in which nothing is pending."""
        self.link = None if isinf(conditions.bandwidth) else Link(env, conditions.bandwidth)
        self.free_at = -_BURST
        self.full = False
        self._env = env
        self._most = conditions.pending
        self._pending = 0
        self._waiting: deque[Turn] = deque()

    def room(self) -> "Turn":
        """Wait in line for a snapshot to end; then its place is taken: `begin` or `end` has to follow."""
        turn = Turn(self._env)
        self._waiting.append(turn)
        return turn

    def begin(self, now: float, *, waited: bool) -> None:
        """Begin a snapshot, in the place that was waited for or in a free one."""
        # The bucket of calls, by when the next one is allowed; see the generic cell rate algorithm.
        full_at = now - _BURST
        self.free_at = (self.free_at if self.free_at > full_at else full_at) + _EACH
        if not waited:
            self._pending += 1
            self.full = self._pending >= self._most

    def end(self) -> None:
        """Give a place back, to the one that has waited longest."""
        if self._waiting:
            self._waiting.popleft().succeed()
        else:
            self._pending -= 1
            self.full = False


class Turn(simpy.Event):
    """Happens when it is one's turn."""
